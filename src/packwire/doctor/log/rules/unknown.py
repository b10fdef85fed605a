"""Programs that are not known here: what their words may mean, and what to ask for."""

from packwire.check import Confidence, Facts, Rank, Rule
from packwire.doctor.log.facts import SaidFacts, WireFacts, WriterFacts
from packwire.doctor.log.rule import POSSIBLE, Causes, Holds, rule, when

#: So many bytes of ones are no accident.
_HIGH = 8
_ASK = "which program wrote it, with its version, and its log from its start on at the level debug"
_ASK_OF_ANY = "the maker's name and model, and whether the vendor's app reads the pack in the same minute"
_NO_LINK = ("unknown-no-link", "unknown-not-found")


def _of(code: str, *, bluetooth: bool) -> Holds:
    """Return what tells whether a failure is told of a pack over Bluetooth, or over a wire."""

    def holds(facts: Facts) -> Confidence | None:
        said = facts[SaidFacts]
        # Logs of Bluetooth name it, or an address; those of wires may name no more than what they ask.
        over = said.has("names-bluetooth") is bluetooth
        over &= bluetooth or said.has("names-wire") or bool(facts[WriterFacts].programs)
        if code == "unknown-damage" and not bluetooth and said.count("unknown-silence") >= said.count(code):
            return None  # the checksum of nothing is wrong, too
        return when(said.has(code) and over, POSSIBLE)

    return holds


def _idle(facts: Facts) -> Confidence | None:
    said, wire = facts[SaidFacts], facts[WireFacts]
    only = wire.only_idle and said.has("wire-received", "program-receives")
    high = wire.high >= _HIGH and not (said.works and not said.failures)
    said_idle = said.has("unknown-idle") and not said.has("names-bluetooth")
    return when(said_idle or only or high, POSSIBLE)


_NO_BRIDGE = _of("no-bridge", bluetooth=False)


def _rule(
    kind: str,
    holds: Holds,
    words: str,
    remedy: str,
    shown: tuple[str, ...],
    causes: Causes,
    ask: tuple[str, ...] = (),
) -> Rule:
    return rule(
        kind,
        holds,
        lambda facts: (
            f"{'The program' if facts[WriterFacts].programs else 'A program that is not known here'} tells"
            f" that {words}."
        ),
        remedy,
        shown=shown,
        causes=causes,
        ask=ask or (lambda facts: (_ASK_OF_ANY,) if facts[WriterFacts].programs else (_ASK, _ASK_OF_ANY)),
        rank=Rank.DOUBT,
    )


_SILENT = {
    "serial.wiring": 0.35,
    "pack-asleep": 0.15,
    "wrong-address": 0.15,
    "serial.protocol-setting": 0.15,
    "serial.wrong-baud": 0.1,
    "two-clients.bus": 0.1,
}
_LINK = {
    "ble.weak-signal": 0.35,
    "phone-app-holds-it": 0.3,
    "ble.pack-stuck": 0.2,
    "ble.phantom-connection": 0.15,
}

RULES: tuple[Rule, ...] = (
    *(
        _rule(
            "ble.weak-signal",
            _of(code, bluetooth=True),
            "it does not find the pack or does not get a connection to it",
            "Try once with the adapter beside the pack and the phone's Bluetooth off.",
            _NO_LINK,
            _LINK,
        )
        for code in _NO_LINK
    ),
    _rule(
        "wrong-type-configured",
        _of("unknown-no-notify", bluetooth=True),
        "it is connected and cannot subscribe to what the pack would answer with: it takes another"
        " characteristic than this pack has, or the pack wants a pairing first",
        "Compare the characteristic that it uses with the services that the pack has (a GATT dump, such as"
        " nRF Connect shows).",
        ("unknown-no-notify",),
        {
            "wrong-type-configured": 0.3,
            "reader-bug.other": 0.25,
            "pairing-needed": 0.25,
            "ble.pack-stuck": 0.2,
        },
    ),
    _rule(
        "ble.weak-signal",
        _of("unknown-silence", bluetooth=True),
        "no answer comes: the link is weak or lost, the pack is of another type, or it wants a password or"
        " a pairing first",
        "Try once with the adapter beside the pack and the phone's Bluetooth off; then look at what is sent"
        " and what comes.",
        ("unknown-silence",),
        {
            "ble.weak-signal": 0.3,
            "wrong-type-configured": 0.25,
            "password-needed": 0.15,
            "pairing-needed": 0.15,
            "ble.pack-stuck": 0.15,
        },
    ),
    _rule(
        "protocol-variant",
        _of("unknown-damage", bluetooth=True),
        "what comes is not what it awaits: another version of the protocol, or pieces that it joins wrongly",
        "Compare whole notifications in hex with what the program awaits.",
        ("unknown-damage",),
        {
            "protocol-variant": 0.3,
            "reader-bug.framing": 0.3,
            "cut-frames": 0.25,
            "wrong-type-configured": 0.15,
        },
    ),
    _rule(
        "serial.wiring",
        _of("unknown-silence", bluetooth=False),
        "no answer comes. Wiring, a sleeping pack, another address, protocol or baud rate, and a second"
        " master all look the same",
        "Check RX and TX (or A and B), the ground and the pins; then address, protocol and baud rate; then"
        " wake the pack.",
        ("unknown-silence",),
        _SILENT,
    ),
    _rule(
        "protocol-variant",
        _of("unknown-idle", bluetooth=True),
        "answers come in which nearly all is FF or 00: the pack has nothing where it is asked, wants a"
        " pairing, password or encryption first, or is of another type",
        "See what the vendor's app shows, and whether it asks for a PIN or password.",
        ("unknown-idle",),
        {
            "protocol-variant": 0.3,
            "wrong-type-configured": 0.25,
            "password-needed": 0.25,
            "pairing-needed": 0.2,
        },
    ),
    _rule(
        "serial.wiring",
        _of("unknown-not-found", bluetooth=False),
        "it finds no pack on its line. Wiring, a sleeping pack, another address, protocol or baud rate look"
        " the same",
        "Check RX and TX (or A and B), the ground and the pins; then address, protocol and baud rate; then"
        " wake the pack.",
        ("unknown-not-found",),
        _SILENT,
    ),
    _rule(
        "serial.wiring",
        _of("unknown-port", bluetooth=False),
        "it cannot read from its serial port",
        "See that the port is there and nobody else has it open; another cable, USB port or converter.",
        ("unknown-port",),
        {"serial.wiring": 0.4, "configuration": 0.3, "port-taken": 0.3},
    ),
    _rule(
        "configuration",
        _of("unknown-no-link", bluetooth=False),
        "it gets no connection to what it is told to read",
        "Compare the port, or address and TCP port, with the configuration; see that nobody else is"
        " connected.",
        ("unknown-no-link",),
        {"configuration": 0.4, "serial.wiring": 0.3, "port-taken": 0.3},
    ),
    _rule(
        "serial.wiring",
        _idle,
        "bytes come of which nearly all are FF or 00, alone or around frames: a line that nobody drives,"
        " reversed wires, or another baud rate",
        "Check A and B (or RX), the ground and the baud rate.",
        ("unknown-idle", "wire-sent", "wire-received"),
        {"serial.wiring": 0.4, "serial.wrong-baud": 0.3, "serial.noise": 0.3},
    ),
    _rule(
        "serial.wrong-baud",
        lambda facts: when(
            facts[SaidFacts].has("unknown-garbled") and not facts[SaidFacts].has("names-bluetooth"), POSSIBLE
        ),
        "characters come that are no text, as at a wrong baud rate, or from a line that is wired wrongly",
        "Compare the baud rate of both sides (a bridge has one of its own); then the wires and the ground.",
        ("unknown-garbled",),
        {
            "serial.wrong-baud": 0.35,
            "serial.wiring": 0.25,
            "serial.noise": 0.2,
            "serial.protocol-setting": 0.2,
        },
        ("the baud rate on both sides, and on the bridge between them",),
    ),
    _rule(
        "host.adapter-hung",
        _of("unknown-adapter", bluetooth=True),
        "the computer's Bluetooth adapter does not do what it asks",
        "Replug the adapter or restart bluetoothd; see that no other program uses it.",
        ("unknown-adapter",),
        {"host.adapter-hung": 0.4, "host.permission": 0.2, "two-clients.ble": 0.2, "configuration": 0.2},
    ),
    _rule(
        "configuration",
        lambda facts: when(facts[SaidFacts].has("unknown-secret"), POSSIBLE),
        "a key, PIN or password is not the right one",
        "Read it anew in the vendor's app, and compare each digit.",
        ("unknown-secret",),
        {"configuration": 0.5, "password-needed": 0.3, "pairing-needed": 0.2},
    ),
    rule(
        "serial.wiring",
        lambda facts: when(
            facts[SaidFacts].has("no-value") and not facts[SaidFacts].works and not facts[SaidFacts].failures,
            POSSIBLE,
        ),
        "The component has no values to show (none, or only zeros), and the log does not say why: nothing"
        " comes from the pack.",
        "Switch its debug output on and see whether requests go out and anything comes back.",
        shown=("no-value", "zero-value"),
        causes={
            "serial.wiring": 0.35,
            "ble.weak-signal": 0.2,
            "pack-asleep": 0.15,
            "serial.protocol-setting": 0.15,
            "wrong-address": 0.15,
        },
        rank=Rank.DOUBT,
    ),
    _rule(
        "can.nobody-acknowledges",
        _of("unknown-can", bluetooth=False),
        "the CAN controller counts errors or cannot send: nobody acknowledges, or the bit rates differ",
        "Check H and L, the terminators (60 ohm between them without power) and the bit rate of both ends.",
        ("unknown-can",),
        {
            "can.nobody-acknowledges": 0.4,
            "can.wrong-bitrate": 0.25,
            "serial.wiring": 0.2,
            "can.no-answer": 0.15,
        },
        ("which program wrote it, with its version",),
    ),
    _rule(
        "serial.noise",
        _of("unknown-damage", bluetooth=False),
        "frames come damaged, or as another protocol than it awaits",
        "A short cable, a common ground, the ends terminated; then the baud rate and the protocol.",
        ("unknown-damage",),
        {
            "serial.noise": 0.35,
            "serial.wrong-baud": 0.2,
            "serial.wiring": 0.15,
            "serial.protocol-setting": 0.15,
            "two-clients.bus": 0.15,
        },
    ),
    _rule(
        "configuration",
        lambda facts: when(facts[SaidFacts].has("bridge-lost"), POSSIBLE) or _NO_BRIDGE(facts),
        "it does not reach the place that it is told to (a bridge, a gateway, a broker), or is sent away",
        "Compare address, port and protocol, and see that nobody else is connected: most bridges serve one"
        " client.",
        ("bridge-lost", "no-bridge"),
        {"configuration": 0.6, "port-taken": 0.2, "ble.proxy-network": 0.2},
        (
            (
                "whether the bridge is reached in the same minutes (ping, its page), its address, TCP port"
                " and mode (raw TCP or Modbus TCP), its Wi-Fi signal, and who else is connected to it"
            ),
        ),
    ),
)
