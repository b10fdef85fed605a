"""What is wrong with the configuration of the program that reads, or with the places that it names."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import RadioFacts, SaidFacts
from packwire.doctor.log.heard import HeardFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, Causes, rule, when
from packwire.doctor.log.rules.host import RADIO_WORKS

#: Sentences that tell that a port or an interface is not there, or not up.
_NO_WAY = ("port-missing", "can-down", "can-missing")
#: Sentences of a pack or a bus that is asked.
_TRIED = (
    *("connecting", "plugin-connecting", "client", "seen", "not-discovered", "not-found", "timed-out"),
    *("batmon-timeout", "batmon-error", "connect-failed", "no-reply", "wire-sent", "program-sends"),
    *("can-open", "can-empty", "nobody-acks", "worked"),
)


def _misconfigured(facts: Facts) -> Confidence | None:
    said = facts[SaidFacts]
    if facts[RadioFacts].reversed_address or _looks_backwards(facts):
        return CERTAIN if facts[RadioFacts].reversed_address else LIKELY
    if said.live and said.has(*_NO_WAY):
        return CERTAIN
    if said.has("esp-radio-failed", "esp-memory"):
        return _of_the_esp(said)
    if said.has("duplicate-id"):
        return LIKELY if said.works else CERTAIN
    only_pairs = said.has("only-pairs") and not said.has("heard", "no-devices", *_TRIED)
    if said.has("uart-shared") or only_pairs:  # an ESP may have another UART for the pack
        return POSSIBLE if said.works else LIKELY
    if said.has("port-missing"):  # one that was there before was unplugged, or resets itself
        return when(not said.has("multiple-access", "no-reply", "port-gone") and not said.works, LIKELY)
    if said.has("key-of-hex") and said.has("not-hex"):
        return LIKELY
    if said.has("uart-misfit"):
        return POSSIBLE if said.works else LIKELY
    bus = said.has("can-down", "can-missing") or (said.has("port-gone") and said.has("can-library"))
    if (bus and not facts[HeardFacts].sends) or said.has("unknown-type", "bad-setting", "no-port"):
        other = said.has("bluez-missing", "no-adapter", "adapter-gone", "dbus-missing", "dbus-rejected")
        # A pack that is left out is not spoken of; any program may complain about any setting, and of a bus
        # that is not the pack's.
        tried = said.failures or said.has(*_TRIED) or not said.has("unknown-type")
        return LIKELY if said.works or other or tried else CERTAIN
    return when(said.has("config-issue", "can-setup-failed") and not said.works, POSSIBLE)


def _of_the_esp(said: SaidFacts) -> Confidence | None:
    """Return how sure an ESP's YAML gives its radio too little."""
    if said.has("esp-radio-failed"):
        return when(not said.has(*RADIO_WORKS), LIKELY)
    return when(not said.works, POSSIBLE)


#: How the addresses of packs' Bluetooth boards begin [IEEE's registry, and boards that were met].
_BEGINNINGS = frozenset(
    {
        *("A4:C1:37", "A4:C1:38", "A5:C2:37", "A5:C2:39", "AA:C2:37"),
        *("C8:47:8C", "C8:47:80", "10:A5:62", "70:3E:97"),
    }
)


def _looks_backwards(facts: Facts) -> str:
    """Return an address that is not heard, ends as those of packs begin, and does not begin so."""
    if not facts[SaidFacts].has("not-discovered", "not-found"):
        return ""
    radio = facts[RadioFacts]
    for each in radio.wanted - radio.heard:
        backwards = ":".join(reversed(each.split(":")))
        if backwards[:8] in _BEGINNINGS and each[:8] not in _BEGINNINGS:
            return backwards
    return ""


#: What is wrong with a configuration, by the sentences that tell it; the first that was said.
_COMPLAINTS = (
    (
        ("unknown-type",),
        "The configuration names a type of battery that the program does not know; it leaves the pack out.",
    ),
    (
        ("uart-shared",),
        "The UART of the pack is used for something else as well (the ESP's log, another component).",
    ),
    (
        ("esp-radio-failed",),
        "The ESP's own Bluetooth does not start: too little memory, or a framework that lacks it.",
    ),
    (("esp-memory",), "The ESP's Bluetooth has too little memory left for what comes."),
    (
        ("duplicate-id",),
        "Two batteries have the same serial number, so the driver stops for the second one.",
    ),
    (
        ("key-of-hex",),
        "The key that was entered is no hexadecimal number: another character or a blank is in it.",
    ),
    (("only-pairs",), "The program was started to pair devices, and reads none."),
    (("uart-misfit",), "The UART is not set as the component wants it (baud rate, bits or parity)."),
    (("can-down", "can-missing", "can-library"), "The CAN interface is not there or not up."),
    (("no-port",), "What is configured as serial port is none."),
    (("port-missing",), "The configured serial port does not exist."),
    (
        ("can-setup-failed",),
        (
            "The CAN controller is not set up: it is not there or not wired as configured, or its crystal"
            " or bit rate is another."
        ),
    ),
)


#: What mends it, where no more than that is to be said.
_REMEDIES = (
    (
        ("unknown-type",),
        "Write the type as the program's documentation lists it; a newer version may know more.",
    ),
    (
        ("duplicate-id",),
        (
            "Give each pack an identifier of its own: the field for the user's data in its app, or capacities"
            " that differ by 1 Ah."
        ),
    ),
    (
        ("esp-radio-failed", "esp-memory"),
        "Leave components out, or take the ESP-IDF framework and a board with more memory.",
    ),
    (("only-pairs",), "Switch its pair-only option off."),
    (("uart-misfit",), "Set what the line names (baud rate, parity) under `uart:` in the ESP's YAML."),
    (
        ("can-setup-failed",),
        (
            "Compare pins, the controller's crystal (8 or 16 MHz is printed on it) and bit rate with the"
            " configuration."
        ),
    ),
    (("bad-setting",), "Correct the setting that the line names."),
)


def _misconfigured_words(facts: Facts) -> str:
    said, backwards = facts[SaidFacts], facts[RadioFacts].reversed_address
    if backwards:
        return (
            f"The configured address stands backwards: {backwards} is heard, and it was looked for"
            f" the other way round."
        )
    if looks := _looks_backwards(facts):
        return (
            "The configured address seems to stand backwards: it ends as the addresses of such packs begin."
            f" Read the other way round it is {looks}."
        )
    if said.live and said.has(*_NO_WAY):
        return f"The configured place is not there: {said.quotes(*_NO_WAY)[0].text.rstrip('.?')}."
    told = (words for codes, words in _COMPLAINTS if said.has(*codes))
    return next(told, "The program complains about its configuration.")


def _mend(facts: Facts) -> str:
    said = facts[SaidFacts]
    if facts[RadioFacts].reversed_address or _looks_backwards(facts):
        return "Enter the address the other way round (some apps show it backwards)."
    if said.has("can-down"):
        return "sudo ip link set can0 up type can bitrate 500000 (with its name, and the pack's bit rate)"
    if said.has("can-missing", "can-library"):
        return "Plug the adapter in, and see what it is called: ip link. Slcan adapters: &interface=slcan"
    if said.live and said.has("port-missing"):
        return "Plug the converter in, or name the port that it has: packwire scan lists them."
    if said.has("uart-shared"):
        return "In the ESP's YAML: logger: baud_rate: 0, or other pins for the pack; one component a UART."
    if said.has("port-missing", "no-port"):
        return (
            "Use the name that the converter has now (/dev/serial/by-id keeps one); if it comes and goes:"
            " another cable, port or supply."
        )
    told = (remedy for codes, remedy in _REMEDIES if said.has(*codes))
    return next(told, "Mend that setting.")


#: What tells whether a serial port went away by itself.
ASK_OF_PORTS = (
    (
        "whether the converter is there: `ls -l /dev/serial/by-id`, and `dmesg | grep -i tty` of the same"
        " minutes"
    ),
)


def _causes(facts: Facts) -> Causes:
    said = facts[SaidFacts]
    if said.has("can-setup-failed"):
        return {"configuration": 0.5, "serial.wiring": 0.25, "can.wrong-bitrate": 0.25}
    if said.has("esp-memory"):
        return {"configuration": 0.6, "reader-bug.other": 0.4}
    return {"configuration": 1.0}


RULES: tuple[Rule, ...] = (
    rule(
        "configuration",
        _misconfigured,
        _misconfigured_words,
        _mend,
        causes=_causes,
        ask=lambda facts: ASK_OF_PORTS if facts[SaidFacts].has("port-missing") else (),
        shown=(
            "unknown-type",
            "uart-shared",
            "uart-misfit",
            "only-pairs",
            "duplicate-id",
            "esp-radio-failed",
            "esp-memory",
            "port-missing",
            "no-port",
            "can-down",
            "can-missing",
            "can-library",
            "bad-setting",
            "key-of-hex",
            "not-hex",
            "config-issue",
            "can-setup-failed",
            "not-discovered",
            "not-found",
        ),
        rank=Rank.WAY,
    ),
)
