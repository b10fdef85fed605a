"""A recording in which nothing of a battery is: what was recorded instead, and how to record it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from packwire.capture.content import HCI_WORDS, Content
from packwire.capture.layers.hci import HciKind
from packwire.capture.links import Layer, numbers
from packwire.capture.packets import HCI_NOTE
from packwire.check import Confidence, Fact, Facts, Rank, Rule, Verdict
from packwire.doctor.log.facts import SaidFacts
from packwire.doctor.log.heard import HeardFacts
from packwire.doctor.log.rule import CERTAIN, LIKELY, POSSIBLE, rule, when
from packwire.doctor.log.sessions import SessionFacts, also_odd
from packwire.doctor.verdicts import judge
from packwire.errors import Reason


@dataclass(slots=True)
class RecordingFacts(Fact):
    """What a recording holds; of a log in words, None."""

    content: Content | None = None

    @property
    def without_data(self) -> Content | None:
        """Return what it holds where no message of an application is in it."""
        return self.content if self.content is not None and not self.content.messages else None


_ANDROID = (
    "Android: Developer options > Enable Bluetooth HCI snoop log > Enabled (not `Filtered`), then turn"
    " Bluetooth off and on, and record again."
)


def _data(content: Content) -> int:
    return content.hci.get(HCI_WORDS[HciKind.ACL], 0)


def _adverts(content: Content) -> int:
    return sum(each.adverts for each in content.devices)


def _has(*layers: Layer) -> Callable[[Content], bool]:
    return lambda content: bool(content.kinds & numbers(*layers))


type _What = str | Callable[[Content], str]
#: What was recorded instead, in words, and what to do: the first that holds.
_INSTEAD: tuple[tuple[Callable[[Content], bool], _What, str], ...] = (
    (
        lambda content: not content.packets,
        "the recording holds no packets.",
        (
            "Start it before you open the app, use the app, then stop it; check that it listens at the"
            " right interface."
        ),
    ),
    (
        lambda content: bool(content.hci) and content.small_log,
        "only the small log that every Android bug report has: the app's data is not in it.",
        _ANDROID,
    ),
    (
        lambda content: content.data_cut * 2 > _data(content) > 0,
        lambda content: (
            f"{content.data_cut} of {_data(content)} data packets were cut short: the log is filtered or"
            " keeps headers only."
        ),
        _ANDROID,
    ),
    (
        lambda content: _data(content) > 0,
        lambda content: f"{_data(content)} data packets, but no ATT value and no RFCOMM among them.",
        (
            "Start the recording, then open the vendor's app and wait until it shows the battery; a phone"
            " records its own traffic only."
        ),
    ),
    (
        lambda content: _adverts(content) * 2 > content.hci.get(HCI_WORDS[HciKind.EVENT], 0),
        lambda content: (
            f"only advertising ({_adverts(content)} reports of {len(content.devices)} devices): nothing was"
            " connected, or the data of the connection was not recorded."
        ),
        "Open the app and wait until it shows the battery while the recording runs. " + _ANDROID,
    ),
    (
        lambda content: bool(content.hci),
        (
            "only HCI commands and events, no data packets (ACL): this recorder left the data out, or nothing"
            " was connected."
        ),
        "iPhone: install Apple's Bluetooth logging profile, restart, and record with PacketLogger. "
        + _ANDROID,
    ),
    (
        lambda content: HCI_NOTE in content.kinds,
        (
            "only notes of the Bluetooth recorder (which controllers there are): it ran, and nothing was said"
            " over them meanwhile."
        ),
        (
            "Start it (btmon -w file.btsnoop) before the program or the app connects to the battery, on the"
            " computer that connects, and stop it when values were shown."
        ),
    ),
    (
        _has(Layer.RADIO),
        "a radio recording without data of a connection: only advertising, or it is encrypted.",
        (
            "Start the sniffer on the device's address before the app connects, so that it follows the"
            " connection. If the app pairs, record on the phone instead (packwire capture android)."
        ),
    ),
    (
        _has(Layer.WIFI),
        "Wi-Fi frames, which are encrypted and not read here.",
        "Record at one end of the connection or at the router instead: packwire capture network.",
    ),
    (
        lambda content: content.cut * 2 > content.packets,
        lambda content: f"{content.cut} of {content.packets} packets were cut short when they were recorded.",
        "Record whole packets: tcpdump -s 0.",
    ),
    (
        _has(Layer.CAN),
        "CAN frames without data in them.",
        "Record while the battery is awake, with the bit rate of the bus: candump -L can0.",
    ),
    (
        _has(Layer.USB),
        "USB traffic without Bluetooth data in it.",
        "Record the USB bus on which the Bluetooth adapter is, from before the connection is made.",
    ),
    (
        lambda content: content.tcp_bytes > 0,
        lambda content: (
            f"TCP connections with {content.tcp_bytes} bytes, but nothing that is understood here; they may"
            " be encrypted, Modbus TCP (which is read live, and not from recordings), or of something else."
        ),
        "Record between the app and the device itself: packwire capture network.",
    ),
    (
        lambda _: True,
        "no TCP data and no CAN frames in it.",
        "Record at an interface that the traffic passes, without a filter: packwire capture network.",
    ),
)


def _instead(facts: Facts) -> Iterator[tuple[str, str]]:
    content = facts[RecordingFacts].without_data
    if content is not None:
        for holds, what, remedy in _INSTEAD:
            if holds(content):
                yield what if isinstance(what, str) else what(content), remedy


def _empty(facts: Facts) -> Confidence | None:
    content = facts[RecordingFacts].without_data
    if content is None:
        return None
    # Packets that are not understood may hold what a battery said, on a channel of its own or encrypted.
    return LIKELY if content.tcp_bytes or _data(content) else CERTAIN


#: Of so few requests nothing is said, and below this share of answers it is only possibly well.
_FEW, _MOST = 3, 0.9


def _answers(facts: Facts) -> Confidence | None:
    found = facts[SessionFacts]
    if found.answered < _FEW or facts[SaidFacts].failures:
        return None
    return LIKELY if found.answered >= _MOST * found.asked else POSSIBLE


def _answers_words(facts: Facts) -> str:
    found = facts[SessionFacts]
    names = ", ".join(dict.fromkeys(each.protocol for each in found.sessions if each.protocol))
    whole = ", whole" if names else ""
    who = "A device (a pack, or an inverter or a meter)" if names == "Modbus RTU" else "The pack"
    return (
        f"{who} answers in this recording: {found.answered} of {found.asked} requests have their"
        f" reply{whole}{f' ({names})' if names else ''}."
    )


def _receive_path(facts: Facts) -> str:
    play = next((each.examined_with for each in facts[SessionFacts].sessions if each.examined_with), "")
    return (
        "Nothing on the wire. Where a program shows no values all the same, it does not take these replies:"
        f" {f'{play}, or ' if play else ''}packwire compare WORKING MINE"
    )


#: Messages that are told of.
_MOST_NAMES = 8
_NO_ALARM = frozenset({"", "none"})
#: Sentences that say that something is wrong with the bus itself, or with the way to it.
_CAN_TROUBLE = (
    *("nobody-acks", "can-bus-off", "can-passive", "can-frame-bad", "can-error", "can-empty"),
    *("can-down", "can-missing", "net-permission"),
)


def _sends(facts: Facts) -> Confidence | None:
    found, said = facts[HeardFacts], facts[SaidFacts]
    if not found.sends or found.impossible or said.failures:
        return None
    return POSSIBLE if found.pauses or said.has(*_CAN_TROUBLE) else LIKELY


def _sends_words(facts: Facts) -> str:
    found = facts[HeardFacts]
    silent = f", with a silence of {found.pause:.0f} s between" if found.pauses else ""
    said = f": {found.said}" if found.said else ""
    alarms = found.values.get("alarms")
    alarmed = f" It tells of alarms: {alarms}." if isinstance(alarms, str) and alarms not in _NO_ALARM else ""
    return f"A pack is heard on the CAN bus ({found.words}{silent}){said}.{alarmed}"


#: What the events of a recording tell of the link comes first: then it was recorded why there is no data.
RULES: tuple[Rule, ...] = (
    rule(
        "not-recorded",
        _empty,
        lambda facts: (
            f"No battery's data is {'in' if _empty(facts) is CERTAIN else 'found in'} it:"
            f" {next(_instead(facts))[0]}"
        ),
        lambda facts: next(_instead(facts))[1],
        rank=Rank.UNDECIDED,
        reason=Reason.NO_DATA,
    ),
    Rule(
        "ok",
        Rank.WELL,
        _answers,
        _answers_words,
        _receive_path,
        None,
        evidence=lambda facts: tuple(line for each in facts[SessionFacts].judged for line in also_odd(each)),
    ),
    Rule(
        "ok",
        Rank.WELL,
        _sends,
        _sends_words,
        "Nothing on the bus. Where an inverter or a program shows nothing all the same: its bit rate, the"
        " protocol that it is set to, and what it awaits besides (packwire messages --decode shows each"
        " message).",
        None,
        evidence=lambda facts: (f"messages: {counts(facts[HeardFacts].names)}",),
    ),
    rule(
        "protocol-variant",
        lambda facts: when(facts[HeardFacts].impossible, POSSIBLE),
        lambda facts: (
            f"A pack is heard on the CAN bus ({facts[HeardFacts].words}), and says what no battery can be:"
            f" {'; '.join(facts[HeardFacts].impossible[:3])}."
        ),
        "Compare with the pack's display or app: it numbers its values otherwise than this protocol does, or"
        " speaks another one. Where all is zero, what sends (a bridge, a master) may hear nothing of its"
        " cells.",
        causes={"protocol-variant": 0.6, "serial.protocol-setting": 0.4},
        ask=("what the pack's display or app shows at the same time, and which protocol it is set to send",),
        rank=Rank.VALUES,
    ),
)


def counts(names: Counter[str]) -> str:
    """Return how often each of some messages came, in words."""
    return ", ".join(f"{name} {count} x" for name, count in names.most_common(_MOST_NAMES))


def why_empty(content: Content) -> Verdict | None:
    """Return why a recording holds no application data and what to do; None where it holds some."""
    return next(iter(judge(RULES, Facts(RecordingFacts(content)))), None)
