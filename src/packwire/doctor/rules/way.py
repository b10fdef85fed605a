"""The verdicts on the way to any device: the name, the port, whoever should be there."""

from packwire.address import VESC
from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.facts import Reach, TargetFacts, WayFacts
from packwire.errors import Reason


def _when(reach: Reach, facts: Facts) -> Confidence | None:
    """Certain, but where nothing was heard in time: that has many causes."""
    way = facts[WayFacts]
    if way.reach is not reach or _told_otherwise(facts):
        return None
    return Confidence.LIKELY if way.reason is Reason.TIMED_OUT else Confidence.CERTAIN


def _told_otherwise(facts: Facts) -> bool:
    """Tell whether it is a pack's serial port: what is the matter with that is told by the rules on logs."""
    serial = facts[TargetFacts].is_serial and not _is_vesc(facts)
    return serial and facts[WayFacts].reason in {Reason.NOT_THERE, Reason.NOT_ALLOWED, Reason.BUSY}


def _unknown_name_words(facts: Facts) -> str:
    if facts[WayFacts].reason is Reason.TIMED_OUT:
        return f"The name {_host(facts)} could not be looked up: no name server answered."
    return f"The name {_host(facts)} is not known here."


def _host(facts: Facts) -> str:
    return facts[TargetFacts].host


def _refused(facts: Facts) -> str:
    target = facts[TargetFacts]
    wanted = " (a hub listens on 65101)" if target.is_hub else " (a VESC Express listens on 65102)"
    return (
        f"{target.where} refuses the connection: nothing listens on that port of a computer or device that "
        f"is there{wanted if _is_vesc(facts) else ''}, or a firewall refuses in its place."
    )


def _is_vesc(facts: Facts) -> bool:
    return facts[TargetFacts].address.model == VESC


RULES: tuple[Rule, ...] = (
    Rule(
        "unknown-name",
        Rank.WAY,
        lambda facts: _when(Reach.UNKNOWN_NAME, facts),
        _unknown_name_words,
        "Check its spelling, or use the address in numbers. A name that ends in .local needs mDNS on this "
        "computer.",
        Reason.UNKNOWN_NAME,
    ),
    Rule(
        "refused-port",
        Rank.WAY,
        lambda facts: _when(Reach.REFUSED, facts),
        _refused,
        lambda facts: (
            "Check the port, and in VESC Tool that local TCP is enabled (Express, WiFi), or that the hub is "
            "running."
            if _is_vesc(facts)
            else "Check the port, and that the bridge is set to serve TCP (as a server) on it."
        ),
        Reason.PORT_REFUSED,
    ),
    Rule(
        "no-access",
        Rank.WAY,
        lambda facts: _when(Reach.NOT_ALLOWED, facts),
        lambda facts: f"The port cannot be opened: {facts[WayFacts].error}.",
        "Close the program that holds it, or give your user the right to open it.",
        Reason.NOT_ALLOWED,
    ),
    Rule(
        "nothing-there",
        Rank.WAY,
        lambda facts: _when(Reach.NOTHING_THERE, facts),
        lambda facts: f"Nobody takes the connection: {facts[WayFacts].error}.",
        lambda facts: (
            "Plug the device in, or check the port's name."
            if facts[TargetFacts].is_serial
            else "Check that the device is on and in this network; packwire scan lists what announces itself."
        ),
        Reason.NO_ROUTE,
    ),
)
