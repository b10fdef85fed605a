"""The causes that a comparison can find, as a table: in words, with what to do; the first outrank the rest.

A cause matters where it is a fault that keeps a client from its data. The keys are stable and are listed in
docs/how-to/compare-two-sessions.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from packwire.capture.packets import NO_TIME
from packwire.check import Confidence, Verdict
from packwire.doctor.compare.session import ClientSession, QueryKind


class Cause(StrEnum):
    """What is wrong with a session; the order is that of their rank."""

    NOTHING_SENT = "nothing-sent"
    BAD_LOGIN = "bad-login"
    REFUSED = "refused"
    NEVER_LOGS_IN = "never-logs-in"
    WRONG_CHECKSUM = "wrong-checksum"
    WRONG_LENGTH = "wrong-length"
    WRONG_FRAME = "wrong-frame"
    NEVER_SUBSCRIBES = "never-subscribes"
    OTHER_PROTOCOL = "wrong-type-configured"
    WRITE_MODE = "write-mode"
    PASSWORD_NEEDED = "password-needed"  # noqa: S105 - a kind of cause
    RECEIVE_PATH = "receive-path"
    DISPLACED = "displaced"
    CLOSED = "closed"
    WEDGED = "wedged"
    NOT_RECEIVED = "not-received"
    DAMAGED_REPLIES = "damaged-replies"
    IMPATIENT = "impatient"
    TOO_FAST = "too-fast"
    SWALLOWED = "swallowed"
    NO_BMS = "no-bms"
    CAN_BROADCAST = "can-broadcast"
    NOBODY_THERE = "nobody-there"
    WRONG_COMMAND = "wrong-command"
    NOT_RECORDED = "not-recorded"
    CANNOT_TELL = "cannot-tell"
    NEVER_ANSWERED = "never-answered"
    SILENT_DEVICE = "silent-device"
    NEVER_ASKED = "never-asked"


#: Behind these causes comes what is only possible.
_POSSIBLE_FROM = Cause.WRONG_COMMAND
#: For each cause the verdict, with {who} for mine or the reference, and what to do.
WORDS: dict[Cause, tuple[str, str]] = {
    Cause.NOTHING_SENT: (
        "{who} connects and sends nothing.",
        "A device speaks only when it is asked: send a request (FW_VERSION is 02 01 00 00 00 03).",
    ),
    Cause.BAD_LOGIN: (
        "{who}'s login line is none that a hub accepts.",
        "The line is VESCTOOL:<id>:<password> and a newline; no colon in id or password.",
    ),
    Cause.REFUSED: (
        "the hub refused {who}'s login: it closed without an answer.",
        "Compare id and password with those of the VESC Express, and see whether it is online.",
    ),
    Cause.NEVER_LOGS_IN: (
        "{who} never logs in at the hub.",
        "Send VESCTOOL:<id>:<password> and a newline first, alone in its segment, and wait a moment.",
    ),
    Cause.WRONG_CHECKSUM: (
        "{who} sends frames with a wrong checksum, which a device ignores without a word.",
        "CRC-16/XMODEM over the payload alone, the high byte first.",
    ),
    Cause.WRONG_LENGTH: (
        "{who} sends frames with a wrong length, which a device ignores without a word.",
        "The length counts the payload alone (command and arguments), one byte behind 02.",
    ),
    Cause.WRONG_FRAME: (
        "{who} sends bytes that are no frame.",
        "A frame is 02, the payload's length, the payload, CRC-16/XMODEM of the payload, 03.",
    ),
    Cause.NEVER_SUBSCRIBES: (
        "{who} never asks for notifications, so no reply reaches it.",
        "Write 01 00 to the characteristic's descriptor 2902 (start_notify) before the first request.",
    ),
    Cause.OTHER_PROTOCOL: (
        "{who} asks in another protocol's frames than the device speaks.",
        "Set it to this device's protocol; packwire scan names it.",
    ),
    Cause.WRITE_MODE: (
        "{who} writes its requests in the way that this device does not heed.",
        "Write as the other session does: with response, or without.",
    ),
    Cause.PASSWORD_NEEDED: (
        "the device refuses {who}'s requests: it wants a password, or another one.",
        "Say the password that the app says, in a request of its own, before all others.",
    ),
    Cause.RECEIVE_PATH: (
        "{who}'s receive path does not take these replies.",
        "Print each piece that {who} receives, in hexadecimal, and compare it with the recording.",
    ),
    Cause.DISPLACED: (
        "another client took {who}'s place at the hub, which serves one client a device, the newest.",
        "Close the other client (VESC Tool too), or let both share one connection: packwire share.",
    ),
    Cause.CLOSED: (
        "{who}'s connection was closed from the other side in the middle of the session.",
        "See whether another client logs in with this id, and whether the device stays (packwire doctor).",
    ),
    Cause.WEDGED: (
        "{who} sent FORWARD_CAN without a request, which hangs the device until it is restarted.",
        "Restart the device, and never send FORWARD_CAN (34) with fewer than 3 bytes.",
    ),
    Cause.NOT_RECEIVED: (
        "the replies are on the wire, but did not reach {who}'s computer.",
        "Look at the network between the recording and {who}: a firewall, Wi-Fi, a window that stays full.",
    ),
    Cause.DAMAGED_REPLIES: (
        "replies to {who} are damaged or cut short on the wire.",
        "Look at the link before the place of the recording: baud rate, cable, the radio.",
    ),
    Cause.IMPATIENT: (
        "{who} gives up before the reply comes.",
        "Wait longer: 1 s for an ordinary request, 8 s for PING_CAN.",
    ),
    Cause.TOO_FAST: (
        "{who} asks faster than the device answers.",
        "Send the next request when the reply is there, or after its timeout; over CAN one at a time.",
    ),
    Cause.SWALLOWED: (
        "{who} sends its first request in the same segment as the login, and the hub swallows it.",
        "Wait a moment after the login, and send the first request again where no reply comes.",
    ),
    Cause.NO_BMS: (
        "the device answers {who}, but it has no BMS there: all zero, no cells.",
        "Look at the BMS and its CAN bus at that time: packwire doctor ADDRESS",
    ),
    Cause.CAN_BROADCAST: (
        "{who} asks CAN id 255, which is all nodes at once: their replies collide.",
        "Ask who is there with PING_CAN (62), then each node by its own id.",
    ),
    Cause.NOBODY_THERE: (
        "{who} asks a CAN id that nobody has.",
        "Ask who is there with PING_CAN (62); the device itself is asked without FORWARD_CAN.",
    ),
    Cause.WRONG_COMMAND: (
        "{who} sends another command than the other session, and nobody answers it.",
        "Send the command that is answered there.",
    ),
    Cause.NOT_RECORDED: (
        "cannot tell: what would show it is missing from the recording of {who}.",
        "Record again, from before the client connects, and whole packets (tcpdump -s 0).",
    ),
    Cause.CANNOT_TELL: (
        "cannot tell from the recording whether {who} takes these replies.",
        "Give its log (--log FILE), or print what the client receives.",
    ),
    Cause.NEVER_ANSWERED: (
        "{who} asks a device for what no device of its type ever answers.",
        "Ask a node that does, or leave this request out.",
    ),
    Cause.SILENT_DEVICE: (
        "the replies are missing on the wire: {who}'s receive path is not at fault.",
        "See what the device does: packwire doctor ADDRESS",
    ),
    Cause.NEVER_ASKED: (
        "{who} does not ask all that the other session asks.",
        "Where values are missing, ask these as well.",
    ),
}


_ORDER = tuple(Cause)


@dataclass(frozen=True, slots=True)
class SessionVerdict(Verdict):
    """A verdict on a recorded session: since when (ns), in which queries (`numbers`), of which kinds.

    Its texts hold {who} for mine or the reference. `why` are lines that go with the words.
    """

    time: int = NO_TIME
    why: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    kinds: tuple[QueryKind, ...] = ()

    @property
    def cause(self) -> Cause:
        """Return the row of the table."""
        return Cause(self.key)

    def words_about(self, who: str) -> str:
        """Return the verdict, `who` being `mine` or `the reference`."""
        return self.words.replace("{who}", who)

    def what_to_do(self, who: str) -> str:
        """Return the remedy."""
        return self.remedy.replace("{who}", who)


def session_verdict(
    own: ClientSession,
    cause: Cause,
    confidence: Confidence,
    *evidence: str,
    numbers: Sequence[int] = (),
    kinds: tuple[QueryKind, ...] | None = None,
    time: int | None = None,
    why: Iterable[str] = (),
    open: Iterable[str] = (),  # noqa: A002 - as in Verdict
    remedy: str = "",
    excludes: frozenset[str] = frozenset(),
) -> SessionVerdict:
    """Return the verdict of a row of the table on some exchanges, since the first of them, or on the session.

    `remedy` replaces the general one. What is only possible ranks behind what is likely.
    """
    rank = _ORDER.index(cause)
    if confidence is Confidence.POSSIBLE:
        rank = max(rank, _ORDER.index(_POSSIBLE_FROM))
    words, general = WORDS[cause]
    return SessionVerdict(
        cause.value,
        confidence,
        words,
        remedy or general,
        evidence=evidence,
        open=tuple(open),
        rank=rank,
        excludes=excludes,
        time=(own.queries[numbers[0]].time if numbers else own.begin) if time is None else time,
        why=tuple(why),
        numbers=tuple(numbers),
        kinds=own.kinds_of(numbers) if kinds is None else kinds,
    )
