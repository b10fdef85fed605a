"""A serial line as such: its rate, its echo, the bridge that it hangs on."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.line_facts import LineFacts
from packwire.doctor.log.facts import SaidFacts, WireFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, rule, when
from packwire.doctor.log.rules.wired import ADDRESS_REFUSED, BLUETOOTH
from packwire.doctor.log.wire import REFUSALS
from packwire.errors import Reason


def _baud(facts: Facts) -> Confidence | None:
    line, wire = facts[LineFacts], facts[WireFacts]
    if line.other_baud:
        return CERTAIN  # twice there, and not at the given rate between
    noisy = line.noise and not line.answered and not wire.right and not wire.wrong and not line.server
    return when(noisy, POSSIBLE)


def _baud_words(facts: Facts) -> str:
    line = facts[LineFacts]
    if line.other_baud:
        return f"It answers at {line.other_baud} baud, and not at {line.baud}."
    tried = (
        f" {len(line.bauds_tried)} other rates were tried; at none it answers." if line.bauds_tried else ""
    )
    return (
        f"{line.noise} bytes come that are in no frame that is known, as at a wrong baud rate,"
        " or with A and B"
        f" swapped.{tried}"
    )


def _baud_remedy(facts: Facts) -> str:
    line = facts[LineFacts]
    if line.other_baud:
        return f"Add baud={line.other_baud} to the address, and set other programs to {line.other_baud} too."
    return (
        "Look up the rate of this port in the BMS's app or manual (a bridge has one of its own), then swap A"
        " and B, then join the grounds."
    )


def _echo(facts: Facts) -> Confidence | None:
    wire = facts[WireFacts]
    if facts[SaidFacts].live:
        return when(facts[LineFacts].lone_echo, LIKELY)
    came = set(facts[SaidFacts].values("vesc-answer", "came"))
    back = bool(came) and came <= set(facts[SaidFacts].values("vesc-command", "sent"))
    alone = (wire.echoes and wire.received == wire.echoes) or wire.only_back or back
    if not alone and facts[SaidFacts].has("request-came"):
        return POSSIBLE
    return when(alone and not facts[SaidFacts].has(*BLUETOOTH), LIKELY if wire.echoes > 1 else POSSIBLE)


def _no_device(facts: Facts) -> str:
    line = facts[LineFacts]
    if line.server:
        return f"What answers at that port is {line.server}, and no device or bridge."
    return f"The bridge carries {line.other_form}, and the address says that it does not."


def _no_device_remedy(facts: Facts) -> str:
    line = facts[LineFacts]
    if line.server:
        return "Check host and port: the bridge's settings name the TCP port of its serial line."
    if line.other_form == "Modbus TCP":
        return "Add modbus-tcp to the address: tcp://HOST:PORT?model=NAME&modbus-tcp"
    return "Leave modbus-tcp out of the address (on port 502 use another port of the bridge, set to raw TCP)."


def _refuses(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    codes = facts[WireFacts].refusals.keys() - ADDRESS_REFUSED
    told = facts[LineFacts].refused or said.has("pack-refuses") or codes
    return when(told and not said.has("modbus-exception", *BLUETOOTH), LIKELY)


def _refuses_words(facts: Facts) -> str:
    codes = facts[WireFacts].refusals
    refused = facts[LineFacts].refused or ", ".join(f"{each}: {REFUSALS[each]}" for each in codes)
    return f"The pack answers, and refuses what is asked{f' ({refused})' if refused else ''}."


def _another(facts: Facts) -> Confidence | None:
    line = facts[LineFacts]
    # Not certain: another device may share the line. Inverters and meters answer, or refuse, any Modbus.
    return when(line.as_families, LIKELY if line.family_told else POSSIBLE)


def _another_words(facts: Facts) -> str:
    line = facts[LineFacts]
    first = line.as_families[0]
    at = f" at {line.family_baud} baud" if line.family_baud not in {0, line.baud} else ""
    if not line.family_told:
        names = ", ".join(each.title for each in line.as_families)
        return (
            f"Something answers or refuses{at} what is asked as {names}: whether it is such a pack is open."
        )
    return f"What answers here speaks {first.title}{at}, and not what it is read as."


def _another_remedy(facts: Facts) -> str:
    line = facts[LineFacts]
    first = line.as_families[0]
    if not line.family_told:
        return (
            "Inverters and meters answer any question in Modbus, too: see what hangs on the line, and read it"
            f" as one of these where it is such a pack: ?model={first.name}"
        )
    at = f"&baud={line.family_baud}" if line.family_baud not in {0, first.baud} else ""
    return (
        f"Read it as that: ?model={first.name}{at} in the address. Where several devices share the"
        " line, the one that you mean is silent."
    )


#: What a reader says that takes several frames for one.
_STUMBLES = ("short-data", "program-fault", "checksum", "bad-frame", "crc-error")

RULES: tuple[Rule, ...] = (
    rule(
        "reader-bug.framing",
        lambda facts: when(facts[WireFacts].joined and facts[SaidFacts].has(*_STUMBLES), POSSIBLE),
        "Behind the awaited answer stand further frames (what packs send to each other, or to another"
        " master), and the reader takes all of them for one.",
        "The reader must take the one frame that it asked for; or ask where nobody else speaks.",
        shown=_STUMBLES,
        causes={"reader-bug.framing": 0.6, "two-clients.bus": 0.4},
        excludes=("reader-bug.other",),
    ),
    rule(
        "wrong-type-configured",
        _another,
        _another_words,
        _another_remedy,
        shown=("wire-received",),
        causes=lambda facts: (
            {"wrong-type-configured": 0.85, "pack-asleep": 0.15}
            if facts[LineFacts].family_told
            else {"wrong-type-configured": 0.5, "configuration": 0.3, "pack-asleep": 0.2}
        ),
        excludes=("serial.wiring", "serial.wrong-baud", "serial.noise", "serial.echo", "protocol-variant"),
        reason=Reason.FOREIGN,
        by_experiment=True,
    ),
    rule(
        "protocol-variant",
        _refuses,
        _refuses_words,
        "It speaks another version of this protocol, or a kin of it: try the kindred models (packwire model"
        " list), and look up the protocol's version in the BMS's app.",
        shown=("pack-refuses", "wire-sent", "wire-received"),
        causes={"protocol-variant": 0.6, "wrong-type-configured": 0.2, "wrong-address": 0.2},
        rank=Rank.VALUES,
    ),
    rule(
        "configuration",
        lambda facts: when(facts[LineFacts].server or facts[LineFacts].other_form),
        _no_device,
        _no_device_remedy,
        rank=Rank.WAY,
        excludes=("serial.wrong-baud", "serial.protocol-setting", "serial.wiring", "serial.noise"),
    ),
    rule(
        "serial.wrong-baud",
        _baud,
        _baud_words,
        _baud_remedy,
        shown=("wire-sent", "wire-received"),
        causes=lambda facts: (
            {"serial.wrong-baud": 1.0}
            if facts[LineFacts].other_baud
            else {
                "serial.wrong-baud": 0.4,
                "serial.wiring": 0.25,
                "serial.protocol-setting": 0.2,
                "serial.noise": 0.15,
            }
        ),
        excludes=("serial.wiring", "serial.protocol-setting", "serial.noise", "serial.echo", "wrong-address"),
    ),
    rule(
        "serial.echo",
        _echo,
        lambda facts: (
            "A request comes where an answer is awaited: what is sent comes back, or another master asks."
            if facts[SaidFacts].has("request-came")
            else "What is sent comes back, and nothing else."
        ),
        "Where RS485 converters hear themselves, nothing is wrong with that, and the pack is"
        " silent: look at its"
        " wires and wake it. Else RX and TX are joined: cross them.",
        shown=("wire-sent", "wire-received", "request-came", "vesc-command", "vesc-answer"),
        causes={"serial.echo": 0.6, "serial.wiring": 0.2, "two-clients.bus": 0.2},
    ),
)
