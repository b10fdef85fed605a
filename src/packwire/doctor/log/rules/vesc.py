"""A VESC over its UART or USB: silence, another firmware."""

from packwire.check import Facts, Rule
from packwire.doctor.log.facts import SaidFacts, WriterFacts
from packwire.doctor.log.rule import LIKELY, POSSIBLE, rule, when
from packwire.doctor.log.sums import ChecksumFacts


def _vesc(facts: Facts) -> bool:
    told = ("vesc-no-data", "vesc-no-firmware", "vesc-command")
    return "vesc" in facts[WriterFacts].programs or facts[SaidFacts].has(*told)


RULES: tuple[Rule, ...] = (
    rule(
        "vesc.wrong-firmware",
        lambda facts: when(_vesc(facts) and facts[SaidFacts].has("vesc-other-firmware"), LIKELY),
        "The VESC answers, and its firmware is older or newer than this program reads.",
        "Update the firmware in VESC Tool, or take the program's version that fits it.",
        shown=("vesc-other-firmware", "vesc-command"),
        causes={"vesc.wrong-firmware": 0.8, "reader-bug.framing": 0.2},
        excludes=("vesc.uart-not-served", "serial.wiring"),
    ),
    rule(
        "vesc.wrong-firmware",
        lambda facts: when(
            facts[SaidFacts].has("vesc-out-of-sync")
            or (_vesc(facts) and (facts[ChecksumFacts].pairs or facts[SaidFacts].has("unknown-damage"))),
            POSSIBLE,
        ),
        "The VESC answers, and its answers are not what this reader awaits: it is made for another firmware,"
        " or bytes are lost.",
        "Use a reader for the firmware that is on the VESC; then look at the baud rate and the wire.",
        shown=("vesc-out-of-sync", "vesc-sum", "unknown-damage"),
        causes={"vesc.wrong-firmware": 0.5, "serial.noise": 0.25, "serial.wrong-baud": 0.25},
    ),
    rule(
        "vesc.uart-not-served",
        lambda facts: when(
            _vesc(facts) and facts[SaidFacts].has("vesc-no-firmware", "unknown-silence"), POSSIBLE
        ),
        "The port opens, and the VESC does not answer: its firmware is not the board's, its UART is not"
        " served, or a wire"
        " is missing.",
        "Try USB; then the app that is served (UART, 115200), the firmware, and the ground.",
        shown=("vesc-open", "vesc-no-firmware", "unknown-silence"),
        causes={"vesc.uart-not-served": 0.35, "vesc.wrong-firmware": 0.35, "serial.wiring": 0.3},
        ask=(
            (
                "the board and the name of the firmware on it (which build for which board); three seconds"
                " between open and"
                " give-up are normal"
            ),
        ),
    ),
    rule(
        "serial.wiring",
        lambda facts: when(
            _vesc(facts)
            and facts[SaidFacts].has("vesc-no-data", "vesc-timeout")
            and not facts[SaidFacts].has("vesc-no-firmware", "vesc-out-of-sync"),
            POSSIBLE,
        ),
        "The reader of the VESC gets nothing over the UART; the log says no more.",
        "Join the grounds, cross RX and TX; then look whether UART is among the apps to use.",
        shown=("vesc-no-data", "vesc-timeout", "vesc-command"),
        causes={"serial.wiring": 0.45, "vesc.uart-not-served": 0.4, "serial.wrong-baud": 0.15},
        ask=(
            (
                "how it is wired: RX to TX and TX to RX, and a ground wire between both (nothing in the log"
                " can show it)"
            ),
        ),
    ),
)
