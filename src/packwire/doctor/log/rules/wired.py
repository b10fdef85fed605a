"""Serial lines: silence, two masters, addresses, protocols."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.line_facts import LineFacts
from packwire.doctor.log.facts import IdentityFacts, SaidFacts, WireFacts
from packwire.doctor.log.rule import LIKELY, POSSIBLE, Causes, rule, when
from packwire.doctor.log.rules.configuration import ASK_OF_PORTS
from packwire.doctor.log.said import is_tried_in_vain
from packwire.doctor.log.wire import names
from packwire.phrases import counted

#: Pins of an ESP's UART0, which its USB converter shares.
_UART0 = frozenset({"1", "3"})
_UNANSWERED = ("no-reply", "empty-response", "no-response", "modbus-no-response", "answer-timeout")
#: Return codes of frames in ASCII hex by which a pack, or its master, refuses an address.
ADDRESS_REFUSED = frozenset({"90", "91"})
#: Sentences of a log of Bluetooth.
BLUETOOTH = ("client-connected", "connected", "subscribed", "client", "seen", "sent-acked")


def _nothing_back(facts: Facts) -> Confidence | None:
    said, wire = facts[SaidFacts], facts[WireFacts]
    if wire.received or said.has("wire-received", "program-receives", "pylon-answer", *BLUETOOTH):
        return None
    if said.has("incorrect-reply") and not is_tried_in_vain(said):
        return None
    if said.works or said.has("multiple-access") or facts[LineFacts].answered or facts[LineFacts].lone_echo:
        return None
    if facts[LineFacts].woken:
        return None
    if facts[LineFacts].in_vain and not said.has("can-empty"):
        return POSSIBLE
    asked = said.has("wire-sent", "program-sends", *_UNANSWERED)
    return when(asked, LIKELY if _on_uart0(facts) else POSSIBLE)


def _on_uart0(facts: Facts) -> bool:
    return bool(_UART0 & set(facts[SaidFacts].values("uart-pins", "pin")))


def _silence_causes(facts: Facts) -> Causes:
    causes = {
        "serial.wiring": 0.4,
        "pack-asleep": 0.15,
        "wrong-address": 0.12,
        "serial.protocol-setting": 0.12,
        "serial.wrong-baud": 0.11,
        "two-clients.bus": 0.1,
    }
    if facts[SaidFacts].has("no-reply") and len(facts[IdentityFacts].drivers) < 2:
        causes |= {"serial.wiring": 0.3, "pack-asleep": 0.25}
    if _on_uart0(facts):
        causes["serial.wiring"] = 0.9
    tried = facts[LineFacts]
    ruled_out = {"serial.wrong-baud"} if tried.bauds_tried else set()
    ruled_out |= {"wrong-address"} if tried.units_tried else set()
    return {kind: share for kind, share in causes.items() if kind not in ruled_out}


def _silence_words(facts: Facts) -> str:
    tried = facts[LineFacts]
    if tried.in_vain:
        return (
            f"Nothing came in {tried.in_vain:.0f} s of listening, and this pack sends by itself"
            " (or answers its"
            " master). Wiring, a sleeping pack and another protocol look the same."
        )
    if tried.questions:
        others = [f"{len(tried.bauds_tried)} other baud rates"] * bool(tried.bauds_tried)
        others += [f"{len(tried.units_tried)} other addresses"] * bool(tried.units_tried)
        also = f", {' and '.join(others)} were tried as well," if others else ""
        return (
            f"{counted(tried.questions, 'question')} went out{also} and not"
            " one byte came back. Wiring, a sleeping pack,"
            " another protocol and a second master all look the same."
        )
    said, drivers = facts[SaidFacts], facts[IdentityFacts].drivers
    sent = said.count("wire-sent", "program-sends") or said.count("no-reply")
    asked = f"{sent} requests" if sent > 1 else "Requests"
    by = f" of {len(drivers)} drivers" if len(drivers) > 1 else ""
    return (
        f"{asked}{by} went out, and not one byte came back. Wiring, a sleeping pack, another address,"
        f" protocol or baud"
        " rate, and a second master all look the same."
    )


def _two_protocols(facts: Facts) -> Confidence | None:
    said, wire = facts[SaidFacts], facts[WireFacts]
    asked, answered = set(wire.asked_in), set(wire.answered_in)
    if facts[LineFacts].answered:
        return None
    if wire.text_frames and (said.has("modbus-crc") or (asked and "Modbus" in names(wire.asked_in))):
        return LIKELY
    if len(asked) > 1 and said.has("wire-received") and said.has("modbus-crc", "checksum", "bad-header"):
        return LIKELY
    return when(asked and answered and not asked & answered and not said.has(*BLUETOOTH), LIKELY)


def _two_protocols_words(facts: Facts) -> str:
    wire = facts[WireFacts]
    heard = names(wire.answered_in) or "frames of ASCII hex (~20..)"
    asked = names(wire.asked_in) or "Modbus"
    return f"Two protocols are on one wire: {asked} is asked, and {heard} comes."


def _two_masters(facts: Facts) -> Confidence | None:
    said, wire = facts[SaidFacts], facts[WireFacts]
    if wire.foreign or facts[LineFacts].neighbours or said.has("multiple-access"):
        # Where nothing is shown as sent and nothing fails, it may be a program that listens.
        return when(wire.foreign and not (wire.sent or said.failures or said.live), POSSIBLE) or LIKELY
    some = said.has("pylon-answer", "program-receives", "wire-received") or wire.right
    some = some or wire.sent > wire.received > 0
    silent = said.has("answer-timeout", "modbus-no-response", "no-reply")
    return when((silent and some) or said.has("late-answer"), POSSIBLE)


def _some_questions(facts: Facts) -> Confidence | None:
    """Take whole answers beside none at all, as a reader has them that asks one thing after the other."""
    said, wire = facts[SaidFacts], facts[WireFacts]
    came = said.has("pylon-answer") and wire.right
    return when(came and said.has("empty-response") and not said.works and not wire.other_address, POSSIBLE)


def _two_masters_words(facts: Facts) -> str:
    wire, said = facts[WireFacts], facts[SaidFacts]
    if wire.foreign:
        return (
            f"Requests are on the wire that this program is not shown to send ({wire.foreign}): another"
            " master asks too."
        )
    if facts[LineFacts].neighbours:
        return (
            "A program on this computer is connected to the same bridge: most serve one client, or mix the"
            " answers of two."
        )
    if said.has("multiple-access"):
        return "Another program reads from the same serial port, or the converter was unplugged meanwhile."
    return (
        "Some requests are answered and some are not: the log does not tell whether another master"
        " asks meanwhile."
    )


def _too_fast(facts: Facts) -> Confidence | None:
    said, wire = facts[SaidFacts], facts[WireFacts]
    if said.live:  # who asks here waits for each answer
        return when(facts[LineFacts].too_fast, LIKELY)
    if said.has("polling-slow"):
        return POSSIBLE
    clean = (
        wire.right > 2
        and not wire.wrong
        and not wire.foreign
        and not said.has("checksum", "bad-frame", "worked")
    )
    return when(clean and wire.irregular, LIKELY) or when(said.has("incomplete") and not said.works, POSSIBLE)


def _address(facts: Facts) -> Confidence | None:
    wire, said = facts[WireFacts], facts[SaidFacts]
    if said.live:
        return when(facts[LineFacts].other_units, LIKELY)
    if wire.refusals.keys() & ADDRESS_REFUSED:
        return LIKELY
    if wire.other_address:  # where both are asked, something else may hang there, or one of several is off
        return POSSIBLE if wire.only_address else LIKELY
    noise = said.has("checksum", "modbus-crc", "bad-header") and not wire.right
    told = said.told.get("unknown-address")
    if told is None or noise or said.has("names-bluetooth"):
        return None
    return LIKELY if told.first.own else POSSIBLE


def _address_words(facts: Facts) -> str:
    units, other = facts[LineFacts].other_units, facts[WireFacts].other_address
    if units:
        return (
            f"The address that was asked does not answer; {', '.join(map(str, units))} on the same line"
            f" {'does' if len(units) == 1 else 'do'}."
        )
    if other:
        if facts[WireFacts].only_address:
            return f"Of the addresses that are asked, one answers: {other}."
        return f"The pack answers at another address: {other}."
    if facts[WireFacts].refusals.keys() & ADDRESS_REFUSED:
        return "The pack answers, and refuses the address that it was asked at (return code 90 or 91)."
    if came := facts[SaidFacts].values("unknown-address", "address"):
        asked = facts[SaidFacts].values("unknown-address", "wanted")
        return (
            f"Answers come from address {came[-1]}, and {asked[-1] if asked else 'another one'} is awaited."
        )
    return "Frames come from an address that nobody was asked for."


def _address_remedy(facts: Facts) -> str:
    units = facts[LineFacts].other_units
    named = f" (address={units[0]} in packwire's address)" if units else ""
    came = facts[SaidFacts].values("unknown-address", "address")
    wanted = facts[SaidFacts].values("unknown-address", "wanted")
    if came and wanted and not units:
        return f"Set the address to {came[-1]} in the program, or to {wanted[-1]} with the pack's switches."
    return f"Use the address (or the protocol variant) that is answered{named}."


def _slept(facts: Facts) -> Confidence | None:
    # A converter that loses its first bytes, and a parser in a half frame, look the same.
    line = facts[LineFacts]
    return LIKELY if line.woke_after or line.woken else _fell_silent(facts)


def _slept_words(facts: Facts) -> str:
    line = facts[LineFacts]
    if line.woken:
        return "It said nothing until it was woken, or switched off and on: it slept, or was hung."
    if line.woke_after:
        times = "question" if line.woke_after == 1 else f"{line.woke_after} questions"
        return (
            f"The pack slept: the first {times} went unanswered, and from then on it answers. A program that"
            " gives up earlier never hears it."
        )
    return (
        "The pack was found and read, and later requests are not answered: it fell asleep, or something came"
        " between."
    )


def _slept_remedy(facts: Facts) -> str:
    if facts[LineFacts].woken:
        return (
            "Look up its sleep time in its app; let a little current flow while it is to be"
            " read. Where it comes"
            " again without sleep, look at its firmware."
        )
    if facts[LineFacts].woke_after:
        return (
            "Let the program ask several times before it gives up, and every few seconds from then on; or"
            " switch the pack's sleep off in its app."
        )
    return (
        "Let current flow (a charger, a load) and see whether it answers; then look for a second master and"
        " for noise."
    )


def _fell_off(facts: Facts) -> Confidence | None:
    """Take a converter that was there, and is not any more."""
    said = facts[SaidFacts]
    gone = said.has("port-gone") and not said.works and not said.has("can-library")
    return when(gone, LIKELY if said.live or said.has("port-opened", "testing") else POSSIBLE)


def _fell_silent(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    found, silent = said.told.get("found-driver"), said.told.get("no-reply")
    if said.has("lost-battery") and not said.has("connecting", "seen"):
        return POSSIBLE
    if found and silent and silent.last.line > found.last.line:
        return POSSIBLE
    asked = said.last_line(*_UNANSWERED) > said.last_read > 0 and not said.has(*BLUETOOTH)
    return when(asked and said.without_values_for, POSSIBLE)


RULES: tuple[Rule, ...] = (
    rule(
        "wrong-address",
        _address,
        _address_words,
        _address_remedy,
        shown=(
            "program-sends",
            "empty-response",
            "program-receives",
            "wire-sent",
            "wire-received",
            "unknown-address",
        ),
        causes=lambda facts: (
            {"wrong-address": 0.5, "pack-asleep": 0.2, "serial.wiring": 0.15, "two-clients.bus": 0.15}
            if facts[WireFacts].only_address
            else {"wrong-address": 0.7, "two-clients.bus": 0.3}
            if facts[WireFacts].other_address
            else {"wrong-address": 0.6, "protocol-variant": 0.25, "serial.protocol-setting": 0.15}
            if facts[WireFacts].refusals
            else {"wrong-address": 0.5, "two-clients.bus": 0.25, "serial.protocol-setting": 0.25}
        ),
        excludes=("two-clients.bus", "serial.wiring", "serial.protocol-setting"),
    ),
    rule(
        "modbus-exception",
        lambda facts: when(
            facts[SaidFacts].has("modbus-exception"),
            POSSIBLE if facts[SaidFacts].works else LIKELY,  # of others, or of another device
        ),
        "What is asked answers with Modbus exceptions: it does not have the registers that are asked for, or"
        " not all at once.",
        "Ask for the registers that its model has.",
        shown=("modbus-exception",),
        causes={"modbus-exception": 0.7, "wrong-type-configured": 0.3},
        rank=Rank.VALUES,
    ),
    rule(
        "serial.protocol-setting",
        _two_protocols,
        _two_protocols_words,
        "Set the BMS's port to the protocol that the program speaks (app, display or switches), or use the"
        " component for"
        " what it sends; only one master on the bus.",
        shown=("modbus-crc", "wire-sent", "wire-received", "checksum"),
        causes={"serial.protocol-setting": 0.65, "two-clients.bus": 0.2, "wrong-type-configured": 0.15},
        excludes=("serial.noise", "cut-frames", "polling-too-fast"),
    ),
    rule(
        "two-clients.bus",
        _two_masters,
        _two_masters_words,
        "Leave one master: unplug the inverter from this port, use another port of the pack, or only"
        " listen; one program a"
        " serial port.",
        shown=("multiple-access", "late-answer", "answer-timeout", "modbus-no-response", "wire-received"),
        causes=lambda facts: (
            {"two-clients.bus": 0.5, "port-taken": 0.35, "serial.wiring": 0.15}
            if facts[SaidFacts].has("multiple-access")
            else {
                "two-clients.bus": 0.45,
                "serial.noise": 0.25,
                "polling-too-fast": 0.15,
                "wrong-address": 0.15,
            }
        ),
        rank=Rank.VALUES,
    ),
    rule(
        "wrong-address",
        _some_questions,
        "Some questions are answered, and others never: those go to another address, or are none of this"
        " pack's version of the protocol.",
        "Ask at the neighbouring addresses (a first pack has 0, 1 or 2), one question at a time.",
        shown=("pylon-answer", "empty-response", "no-response"),
        causes={
            "wrong-address": 0.35,
            "protocol-variant": 0.3,
            "two-clients.bus": 0.2,
            "serial.noise": 0.15,
        },
    ),
    rule(
        "polling-too-fast",
        _too_fast,
        lambda facts: (
            "Asked fast, it leaves questions without an answer; asked slowly, it answers each."
            if facts[LineFacts].too_fast
            else "What came is right, but not every request is answered: frames come at a steady pace with"
            " gaps of several times that."
        ),
        "Ask less often (every 10 s), and allow longer gaps within an answer.",
        shown=("wire-sent", "wire-received", "incomplete", "polling-slow"),
        causes={"polling-too-fast": 0.5, "reader-bug.framing": 0.2, "cut-frames": 0.15, "serial.noise": 0.15},
        rank=Rank.FLOW,
    ),
    rule(
        "serial.wiring",
        _nothing_back,
        _silence_words,
        "Check RX and TX (or A and B), the ground and the pins; then address, protocol and baud rate; then"
        " wake the pack.",
        shown=(
            "uart-pins",
            "wire-sent",
            "program-sends",
            "no-reply",
            "empty-response",
            *("no-battery", "answer-timeout", "modbus-no-response", "no-response"),
        ),
        causes=_silence_causes,
        rank=Rank.VALUES,
    ),
    rule(
        "pack-asleep",
        _slept,
        _slept_words,
        _slept_remedy,
        shown=("found-driver", "worked", "lost-battery", *_UNANSWERED, "incorrect-reply"),
        causes={"pack-asleep": 0.35, "serial.wiring": 0.25, "two-clients.bus": 0.2, "serial.noise": 0.2},
        rank=Rank.FLOW,
    ),
    rule(
        "serial.wiring",
        _fell_off,
        "The serial port went away while it was used: the converter was unplugged, or it falls off its bus"
        " (its supply, its cable, interference).",
        "Another cable, USB port or hub with a supply of its own, and an isolated converter; name it by"
        " /dev/serial/by-id.",
        shown=("port-gone", "port-opened"),
        causes={"serial.wiring": 0.5, "configuration": 0.3, "serial.noise": 0.2},
        ask=ASK_OF_PORTS,
        rank=Rank.WAY,
        excludes=("reader-bug.other", "two-clients.bus"),
    ),
)
