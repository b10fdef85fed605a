"""What to do first, where no device was named: the verdicts on a look around."""

from shlex import quote

from packwire.check import Confidence, Facts, Rank, Rule, when
from packwire.doctor.around_facts import AroundFacts
from packwire.errors import Reason
from packwire.phrases import counted, few


def _named(facts: Facts) -> str:
    """Return the named device to examine first: one that is there, else one that only asking tells of."""
    named = facts[AroundFacts].named
    order = {True: 0, None: 1, False: 2}
    return next((each.name for each in sorted(named, key=lambda each: order[each.there])), "")


def _found(facts: Facts) -> Confidence | None:
    around = facts[AroundFacts]
    named = [each for each in around.named if not each.problem]
    found = named or around.known or around.up or around.free_ports
    if found and around.in_trouble and not named:
        return Confidence.POSSIBLE  # what is in the way of a device that the user named comes first
    return when(found)


def _found_words(facts: Facts) -> str:
    around = facts[AroundFacts]
    named = [each for each in around.named if not each.problem]
    parts = [f"{counted(len(named), 'device')} that you named"] * bool(named)
    parts += [f"{counted(len(around.known), 'pack')} on air or in this network"] * bool(around.known)
    parts += [f"{counted(len(around.up), 'CAN interface')}"] * bool(around.up)
    parts += [f"{counted(len(around.free_ports), 'free serial port')}"] * bool(around.free_ports)
    return f"There is something to examine: {few(parts)}."


def _found_remedy(facts: Facts) -> str:
    around = facts[AroundFacts]
    if any(not each.problem for each in around.named):
        return f"packwire doctor {quote(_named(facts))}"
    if around.known:
        return f"packwire doctor {quote(around.known[0].address)}"
    if around.up:
        return f"packwire doctor 'can://{around.up[0].name}?model=pylontech-can' (or victron-can, vesc-can)"
    path = around.free_ports[0].path
    return (
        f"packwire doctor 'serial:{path}?model=NAME' (packwire model list shows the names;"
        " packwire scan --probe"
        " finds out what hangs there)"
    )


def _nothing_remedy(facts: Facts) -> str:
    around = facts[AroundFacts]
    missing = [str(each.error) for each in around.unlooked if each.error.reason is Reason.MISSING_EXTRA]
    if missing:
        return f"First install what is missing: {'; '.join(missing)}. Then look again."
    if around.strangers:
        return (
            f"packwire explore {quote(around.strangers[0].address)} looks at a Bluetooth device that nobody"
            " knows. A pack is not heard while an app is connected to it: close it."
        )
    return (
        "Go near the pack, close its app on every phone (while one is connected it is not heard), plug the"
        " converter in, and look again."
    )


RULES: tuple[Rule, ...] = (
    Rule("found", Rank.CONNECTION, _found, _found_words, _found_remedy, None),
    Rule(
        "nothing-found",
        Rank.UNDECIDED,
        lambda _: Confidence.POSSIBLE,
        "Nothing was found that could be a pack's: no known device on air, none in this network, no port.",
        _nothing_remedy,
        Reason.SILENT,
    ),
)
