"""CAN: bit rates, acknowledgements, silence, frames of another protocol."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.line_facts import CanFacts, LineFacts
from packwire.doctor.log.facts import SaidFacts
from packwire.doctor.log.heard import HeardFacts
from packwire.doctor.log.rule import LIKELY, POSSIBLE, rule, when


def _bitrate(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    if (
        facts[CanFacts].other_rate
        and not facts[LineFacts].answered
        and said.has("can-empty", "can-frame-bad")
    ):
        return LIKELY
    receives = any(int(value) > 0 for value in said.values("can-counters", "rx"))
    if said.has("can-frame-bad") and not said.has("nobody-acks"):
        return LIKELY
    return when(receives and said.has("can-passive", "can-bus-off", "can-state"), LIKELY)


def _bitrate_words(facts: Facts) -> str:
    can = facts[CanFacts]
    if can.other_rate and can.interface is not None:
        return (
            f"{can.interface.name} runs at {can.interface.bit_rate} bit/s, and such packs at"
            f" {can.other_rate}:"
            " nothing of the pack is understood."
        )
    return (
        "Frames on the bus are broken as they are received: the bit rates of the two ends differ, or the line"
        " is bad."
    )


def _bitrate_remedy(facts: Facts) -> str:
    can = facts[CanFacts]
    if can.other_rate and can.interface is not None:
        name = can.interface.name
        return f"sudo ip link set {name} down; sudo ip link set {name} up type can bitrate {can.other_rate}"
    return "Give both ends the same bit rate (ip link set can0 type can bitrate 500000, or 250000)."


def _other_ids_words(facts: Facts) -> str:
    can = facts[CanFacts]
    whose = f", and such frames are those of {' and '.join(can.fits)}" if can.fits else ""
    shown = ", ".join(can.other_ids[:6])
    return f"Frames come ({shown}), and none of them is one of this protocol's{whose}."


def _other_ids_remedy(facts: Facts) -> str:
    fits = facts[CanFacts].fits
    if fits:
        return f"Read it as model={fits[0]}, or set the BMS's CAN protocol to the wanted one, in its app."
    return (
        "Set the BMS's CAN protocol in its app (Pylontech or Victron are known here), or record"
        " the bus and look"
        " into that: packwire record, packwire messages."
    )


def _nobody(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    if _bitrate(facts):
        return None
    heard = facts[HeardFacts].sends  # who sends acknowledges as well
    if said.has("nobody-acks", "send-buffer-full"):
        return POSSIBLE if heard else LIKELY
    states = set(said.values("can-state", "state"))
    broken = said.has("can-bus-off", "can-passive", "can-error")
    return when((states & {"ERROR-PASSIVE", "BUS-OFF"} or broken) and not heard, POSSIBLE)


def _no_frames(facts: Facts) -> Confidence | None:
    """Take an interface that is up and well, in a log without one frame."""
    said = facts[SaidFacts]
    states = set(said.values("can-state", "state"))
    if said.has("can-counted"):
        return None  # the line below says how many frames came
    well = (states == {"ERROR-ACTIVE"} or said.has("can-none")) and not facts[HeardFacts].frames
    counted = {*said.values("can-counters", "tx"), *said.values("can-counters", "rx")}
    quiet = not said.failures and not said.works
    driver = said.values("testing", "driver")[-1:]
    return when(quiet and ((well and counted <= {"0"}) or (driver and driver[0].endswith("_Can"))), POSSIBLE)


RULES: tuple[Rule, ...] = (
    rule(
        "can.wrong-bitrate",
        _bitrate,
        _bitrate_words,
        _bitrate_remedy,
        shown=("can-frame-bad", "can-state", "can-passive", "can-bus-off", "can-counters"),
        causes={"can.wrong-bitrate": 0.6, "can.nobody-acknowledges": 0.25, "serial.wiring": 0.15},
    ),
    rule(
        "wrong-type-configured",
        lambda facts: when(facts[CanFacts].other_ids, LIKELY),
        _other_ids_words,
        _other_ids_remedy,
        causes={"wrong-type-configured": 0.7, "serial.protocol-setting": 0.3},
        excludes=("can.no-answer",),
    ),
    rule(
        "can.nobody-acknowledges",
        _nobody,
        "What is sent on the CAN bus is acknowledged by nobody: the other end is off, not connected, or at"
        " another bit rate.",
        "Check H and L, the terminators (60 ohm between them without power), the bit rate of both ends,"
        " and that the pack"
        " is awake.",
        shown=(
            *("nobody-acks", "send-buffer-full", "can-error", "can-state", "can-bus-off", "can-passive"),
            "can-counters",
        ),
        causes={"can.nobody-acknowledges": 0.6, "can.wrong-bitrate": 0.25, "serial.wiring": 0.15},
    ),
    rule(
        "can.no-answer",
        lambda facts: when(
            facts[SaidFacts].has("can-empty") and not facts[SaidFacts].has("nobody-acks", "send-buffer-full"),
            POSSIBLE,
        ),
        "The CAN interface opens, and nobody answers on the bus.",
        "Set it up (ip link set can0 up type can bitrate 500000), let the BMS's CAN be enabled, check its"
        " number.",
        shown=("can-empty", "can-open"),
        causes={"can.no-answer": 0.5, "can.wrong-bitrate": 0.2, "configuration": 0.2, "wrong-address": 0.1},
    ),
    rule(
        "can.no-answer",
        _no_frames,
        "No error is told of the CAN interface, and the log shows no frame: nobody sends, or the wires do not"
        " reach it.",
        "Let the BMS's CAN be enabled and its protocol set; check H and L and the pins of the plug.",
        shown=("can-state", "can-none", "can-counters", "testing"),
        causes={
            "can.no-answer": 0.45,
            "serial.wiring": 0.25,
            "configuration": 0.15,
            "can.wrong-bitrate": 0.15,
        },
        rank=Rank.DOUBT,
    ),
)
