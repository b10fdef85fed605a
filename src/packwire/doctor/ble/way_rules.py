"""What is told of the way to a pack over Bluetooth: this computer, the air, the connection, the table.

The kinds are those of the rules for logs. A rule here goes before that of a log which says less of the same,
and excludes it.
"""

from packwire.advertisement import is_weak
from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.ble.facts import (
    AT_ONCE,
    AdapterFacts,
    AirFacts,
    AnswerFacts,
    FamilyFacts,
    LinkFacts,
    TableFacts,
)
from packwire.doctor.log.facts import RadioFacts, SaidFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when
from packwire.doctor.pack_facts import ValuesFacts
from packwire.errors import Reason
from packwire.phrases import times

#: What rules for logs say of a pack that is connected and gives nothing.
SILENCES = (
    *("wrong-type-matched", "wrong-type-configured", "password-needed", "pairing-needed", "write-mode"),
    *("protocol-variant", "cut-frames", "ble.weak-signal", "ble.pack-stuck", "phone-app-holds-it"),
    *("two-clients.ble", "gatt.stale-cache", "protocol-changed-by-update", "reader-bug.framing"),
)
_OF_THE_HOST = frozenset({"no-adapter", "not-ready", "blocked", "bluez-missing"})
_REMEDIES = {
    "blocked": "Unblock it: rfkill unblock bluetooth; a hardware switch has to be moved by hand.",
    "not-ready": "Switch it on: bluetoothctl power on (or in the system's settings).",
    "bluez-missing": "Start it: sudo systemctl start bluetooth; in a container, on the host.",
    "no-adapter": "Plug in a Bluetooth adapter with Low Energy; in a container or virtual machine, pass it"
    " through; bluetoothctl list shows what there is.",
}


def others(kind: str) -> tuple[str, ...]:
    """Return what says less of a silent pack than a kind does."""
    return tuple(each for each in SILENCES if each != kind)


def sentence(words: str) -> str:
    """Return an error's words as a sentence."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?")) else ".")


def _no_bluetooth(facts: Facts) -> Confidence | None:
    return when(facts[AdapterFacts].code in _OF_THE_HOST)


def _not_connectable(facts: Facts) -> Confidence | None:
    hearing = facts[AirFacts].hearing
    return when(hearing is not None and hearing.connectable is False and not facts[LinkFacts].made, LIKELY)


def _never_connected(facts: Facts) -> bool:
    return bool(facts[LinkFacts].error) and not facts[LinkFacts].made


def _gone(facts: Facts) -> Confidence | None:
    later = facts[AirFacts].later
    return when(_never_connected(facts) and later is not None and later.seen is None, LIKELY)


def _drops_at_once(facts: Facts) -> Confidence | None:
    link = facts[LinkFacts]
    at_once = sum(age <= AT_ONCE for age, _ in link.drops)
    answers = facts[AnswerFacts]
    if at_once < 2 or answers.works or answers.broken or facts[ValuesFacts].readings:
        return None
    return LIKELY


def _drops_words(facts: Facts) -> str:
    drops = facts[LinkFacts].drops
    return (
        f"It takes the connection and ends it at once ({len(drops)} times, after {drops[-1][0]:.1f} s, when"
        f" {drops[-1][1]}): most often it wants to be paired first."
    )


def _drops_causes(facts: Facts) -> Causes:
    causes = {"pairing-needed": 0.5, "ble.pack-stuck": 0.2, "two-clients.ble": 0.1, "ble.weak-signal": 0.1}
    if is_weak(facts[RadioFacts].level):
        causes["ble.weak-signal"] = 0.4
    return causes


def _breaks(facts: Facts) -> Confidence | None:
    answers = facts[AnswerFacts]
    worked = answers.works or answers.broken or facts[ValuesFacts].readings
    return when(worked and facts[LinkFacts].drops, LIKELY if len(facts[LinkFacts].drops) > 1 else POSSIBLE)


def _breaks_words(facts: Facts) -> str:
    drops, begins = facts[LinkFacts].drops, facts[AnswerFacts].nothing
    ends = ", ".join(f"{age:.1f} s" for age, _ in drops[-3:])
    answers = "begins to answer" if begins else "answers"
    return f"It {answers}, and the connection ends by itself: {times(len(drops))}, after {ends}."


def _breaks_causes(facts: Facts) -> Causes:
    weak = is_weak(facts[RadioFacts].level)
    return {
        "ble.weak-signal": 0.6 if weak else 0.3,
        "ble.interference": 0.4,
        "two-clients.ble": 0.15,
        "ble.pack-stuck": 0.15,
    }


def _another_answers(facts: Facts) -> Confidence | None:
    family = facts[FamilyFacts]
    if family.answered is None:
        return None
    # Its checksum is right twice, it is an answer to that question, and the other family's was not answered.
    return CERTAIN if family.again and (facts[AnswerFacts].nothing or facts[TableFacts].missing) else LIKELY


def _another_words(facts: Facts) -> str:
    other = facts[FamilyFacts].answered
    assert other is not None
    beside = ", and not the one that it was asked" if facts[AnswerFacts].asked else ""
    return f"It speaks {other.title}: it answers that family's question{beside}."


def _another_remedy(facts: Facts) -> str:
    other = facts[FamilyFacts].answered
    return f"Read it as that: add ?model={other.name if other else ''} to the address."


def _missing(facts: Facts) -> Confidence | None:
    table = facts[TableFacts]
    unknown = table.looked_at and not facts[FamilyFacts].fits and facts[FamilyFacts].plugin is None
    return when(
        (table.missing or unknown) and not facts[AnswerFacts].asked, LIKELY if table.missing else POSSIBLE
    )


def _missing_words(facts: Facts) -> str:
    table = ", ".join(each.title for each in facts[FamilyFacts].table)
    fits = f" It has those of: {table}." if table else ""
    missing = facts[TableFacts].missing
    if missing:
        return f"It does not have the characteristics that it is read by ({missing}).{fits}"
    return f"Nobody here knows what it speaks.{fits}"


def _mute_notify(facts: Facts) -> Confidence | None:
    return when(facts[TableFacts].mute, LIKELY)


def _refused(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    plain = said.has("gatt-error", "security", "pairing-failed", "notify-acquired", "wrong-handle")
    return when(facts[TableFacts].refused, POSSIBLE if plain else LIKELY)


def _anew(facts: Facts) -> Confidence | None:
    return when(facts[AnswerFacts].anew, LIKELY)


RULES: tuple[Rule, ...] = (
    rule(
        "configuration",
        _no_bluetooth,
        lambda facts: sentence(facts[AdapterFacts].error),
        lambda facts: _REMEDIES.get(facts[AdapterFacts].code, ""),
        shown=tuple(_OF_THE_HOST),
        rank=Rank.WAY,
        excludes=("configuration", "host.adapter-hung"),
        reason=Reason.NO_BLUETOOTH,
    ),
    rule(
        "host.adapter-hung",
        lambda facts: when(facts[AdapterFacts].code == "bluez-hung", LIKELY),
        lambda facts: sentence(facts[AdapterFacts].error),
        "Restart it: sudo systemctl restart bluetooth; where that does not help, replug the adapter.",
        shown=("bluez-hung",),
        causes={"host.adapter-hung": 0.8, "configuration": 0.2},
        rank=Rank.WAY,
        reason=Reason.NO_BLUETOOTH,
    ),
    rule(
        "phone-app-holds-it",
        _not_connectable,
        "It advertises that it takes no connection: another client has it, or it is in a mode of its own.",
        "Switch Bluetooth off on every phone, stop other programs, then switch the pack off and on.",
        shown=("not-connectable", "connect-failed", "connect-timeout"),
        causes={"phone-app-holds-it": 0.6, "ble.pack-stuck": 0.25, "pack-asleep": 0.15},
        excludes=others("phone-app-holds-it"),
    ),
    rule(
        "ble.weak-signal",
        _gone,
        "It was heard before, no connection came about, and it is not heard any more.",
        "Go nearer and ask again; switch Bluetooth off on every phone: one may just have taken it.",
        shown=("seen", "connect-failed", "connect-timeout"),
        causes=lambda facts: {
            "ble.weak-signal": 0.5 if (facts[RadioFacts].level or 0) <= -75 else 0.25,
            "phone-app-holds-it": 0.3,
            "ble.phantom-connection": 0.1,
            "pack-asleep": 0.1,
        },
        reason=Reason.OUT_OF_RANGE,
    ),
    rule(
        "pairing-needed",
        _drops_at_once,
        _drops_words,
        "Pair it once with its PIN where it is read (bluetoothctl pair ADDRESS; its app may show whether it"
        " has one); remove an old pairing first (bluetoothctl remove ADDRESS).",
        shown=("connected", "disconnected"),
        causes=_drops_causes,
        excludes=others("pairing-needed"),
        reason=Reason.CLOSED,
    ),
    rule(
        "ble.phantom-connection",
        _anew,
        "The connection was there before, held by nobody who reads, and was mute; a new one is answered.",
        "Let programs disconnect at their end; where it comes again, restart the one that left it so.",
        shown=("already-connected", "disconnected", "received"),
        causes={"ble.phantom-connection": 0.7, "two-clients.ble": 0.3},
        excludes=SILENCES,
    ),
    rule(
        "wrong-type-configured",
        _another_answers,
        _another_words,
        _another_remedy,
        shown=("request-timeout", "received"),
        causes={"wrong-type-configured": 0.9, "protocol-changed-by-update": 0.1},
        excludes=others(""),
        reason=Reason.FOREIGN,
        by_experiment=True,
    ),
    rule(
        "wrong-type-configured",
        _missing,
        _missing_words,
        "packwire explore shows what it has and which family fits; add ?model=NAME to the address. After an"
        " update of its firmware or a stale list: bluetoothctl remove ADDRESS.",
        causes={
            "wrong-type-configured": 0.55,
            "protocol-changed-by-update": 0.25,
            "gatt.stale-cache": 0.2,
        },
        excludes=others(""),
        reason=Reason.FOREIGN,
    ),
    rule(
        "protocol-changed-by-update",
        _mute_notify,
        lambda facts: (
            f"The characteristic that should notify ({facts[TableFacts].mute}) does not: another"
            " firmware or family."
        ),
        "Report its list of characteristics (packwire explore) to the program's maintainer.",
        shown=("has-characteristic",),
        causes={"protocol-changed-by-update": 0.5, "wrong-type-configured": 0.3, "gatt.stale-cache": 0.2},
        excludes=others("protocol-changed-by-update"),
    ),
    rule(
        "pairing-needed",
        _refused,
        lambda facts: f"Notifications cannot be switched on: {facts[TableFacts].refused}.",
        "Pair it (bluetoothctl pair ADDRESS) and ask again; else switch the pack off and on.",
        shown=("notify-failed", "not-permitted", "gatt-error", "unlikely"),
        causes={
            "pairing-needed": 0.45,
            "ble.pack-stuck": 0.25,
            "gatt.stale-cache": 0.15,
            "two-clients.ble": 0.15,
        },
        reason=Reason.NOT_PAIRED,
    ),
    rule(
        "ble.interference",
        _breaks,
        _breaks_words,
        "Go nearer, take an extension cable for the adapter, end other programs and apps that use it.",
        shown=("connected", "disconnected"),
        causes=_breaks_causes,
        excludes=("ble.weak-signal", "polling-too-fast", "pack-asleep"),
        reason=Reason.CLOSED,
    ),
    rule(
        "gatt.duplicate-uuid",
        lambda facts: when(facts[TableFacts].duplicates, LIKELY),
        lambda facts: (
            f"It has {', '.join(facts[TableFacts].duplicates)} more than once: programs that ask"
            " for it by UUID alone take the wrong one."
        ),
        "packwire looks in the right service; let other programs ask by handle, or take a newer version.",
        shown=("has-characteristic",),
        rank=Rank.DOUBT,
        excludes=("wrong-type-configured", "wrong-type-matched"),
    ),
)
