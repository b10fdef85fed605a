"""A session: what one client and one device said to each other, as requests with their replies.

The same for every protocol: what differs is only what a request is called (`Kind`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from packwire.capture.packets import NO_TIME
from packwire.channel import Transport
from packwire.doctor.compare.bad_frames import BadFrame
from packwire.messages import Messages
from packwire.models.protocol import ModelProtocol
from packwire.protocol.base import Request
from packwire.protocol.observing import Caller, Introduced, NothingKnown, Observer
from packwire.protocol.observing import LoginLine as Login
from packwire.protocols import observer, protocol

#: So many requests of a kind are looked at for their arguments.
_MAX_PAYLOADS = 1000
_MAX_LABELS = 3


class QueryKind(NamedTuple):
    """What is asked, whatever its arguments: the same kinds of two sessions are aligned.

    `command` and `ids` (CAN ids on the way) are those of a VESC request; -1 for another protocol.
    """

    name: str
    command: int = -1
    ids: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """Return `BMS_GET_VALUES (96)`, or the name alone."""
        return f"{self.name} ({self.command})" if self.command >= 0 else self.name


def labels(kinds: Sequence[QueryKind]) -> str:
    """Return what some kinds are called; of many, the first."""
    return ", ".join(kind.label for kind in kinds[:_MAX_LABELS])


def seconds(time: float) -> str:
    """Return a time in ns as `2.0 s` or `5.3 ms`."""
    return f"{time / 1e6:.3g} ms" if time < 1e9 else f"{time / 1e9:.1f} s"


class Query(NamedTuple):
    """A request and what became of it. Times are in ns, NO_TIME where they are not known.

    `row` and `reply` are rows of the session's messages (`reply` -1: there is none on the wire); `row` is
    negative where the request was sent as a bad frame: -1 for the first of `Session.bad`, -2 for the next.
    `next_time` is when the client did something next: sent, or closed the connection. `expects` says whether
    a reply can be expected at all, `lost` that the recording has a gap where the reply would be.
    """

    kind: QueryKind
    time: int
    row: int
    reply: int
    reply_time: int
    next_time: int
    expects: bool
    lost: bool = False

    @property
    def wait(self) -> int | None:
        """Return how many ns the client sent nothing after this request."""
        return None if NO_TIME in (self.time, self.next_time) else self.next_time - self.time

    @property
    def latency(self) -> int | None:
        """Return after how many ns the reply was on the wire."""
        return None if NO_TIME in (self.time, self.reply_time) else self.reply_time - self.time

    @property
    def answered(self) -> bool:
        """Tell whether the reply is on the wire."""
        return self.reply >= 0


class HubLogin(NamedTuple):
    """A client's login at a hub; `problem` says what is wrong with the line itself.

    `alone` is False where more bytes follow it in the same segment, which a hub may swallow.
    """

    login: Login | None
    problem: str
    time: int
    alone: bool
    caller: Caller | None = None


class SessionEnd(NamedTuple):
    """How the connection ended: `by` the client, the device (or the hub for it), or nobody ("").

    `displaced_by` is the client that had just logged in with the same id. `heard` tells whether the device's
    side had sent anything.
    """

    by: str = ""
    time: int = NO_TIME
    displaced_by: str = ""
    heard: bool = True


class Arrived(NamedTuple):
    """What is known about the bytes from the device, as far as it says something about the way they took.

    In bytes: `missing` from the recording, `unacknowledged` by the client's computer, `junk` in no frame.
    `damaged` counts frames with wrong checksums. `waiting` is (arrived, expected) of a last frame cut short.
    """

    missing: int = 0
    unacknowledged: int = 0
    junk: int = 0
    damaged: int = 0
    waiting: tuple[int, int] | None = None


def observer_of(model: str) -> Observer:
    """Return what is known of a protocol by those who only hear it; with no name, nothing."""
    return observer(model) if model else NothingKnown()


@dataclass(frozen=True)
class ClientSession:
    """One session. `number` counts the connections of the file as `packwire decode` does, from 1.

    `first` and `last` are the times of the file's first and last packet; shown times are relative to `first`.
    `bad` is what the client sent that is no right frame; `sent` counts its bytes, `lost` those that are not
    in the file. `unasked` counts messages of the device that answer nothing. `bus` are the CAN ids that
    answered a PING_CAN (None: not known). `begun` says that the session began before the recording; `notes`
    are what else a reader has to know about the recording, in words. `starts` are the exchanges that are the
    first of a connection, where the client made one after the other. `model` is the protocol that the
    device's replies fit, by its name in the registry. Of a session with a model, `refused` are the exchanges
    whose replies refuse, `foreign` the families of those that are in frames of another protocol; `writes`
    counts its writes to a Bluetooth device by opcode.
    """

    file: str
    number: int
    protocol: str
    label: str
    first: int
    begin: int
    end: int
    last: int
    messages: Messages
    queries: tuple[Query, ...]
    sent: int = 0
    bad: tuple[BadFrame, ...] = ()
    unasked: int = 0
    login: HubLogin | None = None
    hub: bool = False
    ending: SessionEnd = field(default_factory=SessionEnd)
    arrived: Arrived = field(default_factory=Arrived)
    nodes: dict[int | None, Introduced] = field(default_factory=dict)
    bus: tuple[int, ...] | None = None
    lost: int = 0
    begun: bool = False
    notes: tuple[str, ...] = ()
    starts: tuple[int, ...] = (0,)
    model: str = ""
    refused: frozenset[int] = frozenset()
    foreign: dict[int, str] = field(default_factory=dict)
    writes: dict[int, int] = field(default_factory=dict)

    @property
    def examined_with(self) -> str:
        """Return the command that examines such a client, where there is one."""
        if self.model == "vesc":
            return "packwire doctor --my-client 65101"
        transports = {each.transport for each in self.messages.channels}
        if not self.model or transports & {Transport.RFCOMM, Transport.CAN}:
            return ""
        where = (
            "bluetooth"
            if Transport.ATT in transports
            else "18899"
            if Transport.TCP in transports
            else "serial"
        )
        return f"packwire doctor --my-client '{where}?model={self.model}'"

    @property
    def asked(self) -> int:
        """Return how many requests a reply can be expected to, or came to."""
        return sum(1 for query in self.queries if query.expects or query.answered)

    @property
    def answered(self) -> int:
        """Return how many requests have their reply on the wire."""
        return sum(1 for query in self.queries if query.answered)

    def by_kind(self) -> dict[QueryKind, list[int]]:
        """Return the exchanges (their numbers) by kind, in the order in which the kinds first came."""
        result: dict[QueryKind, list[int]] = {}
        for number, query in enumerate(self.queries):
            result.setdefault(query.kind, []).append(number)
        return result

    def numbers(self, holds: Callable[[Query], object]) -> tuple[int, ...]:
        """Return the exchanges of which something holds."""
        return tuple(number for number, each in enumerate(self.queries) if holds(each))

    def kinds_of(self, numbers: Iterable[int]) -> tuple[QueryKind, ...]:
        """Return the kinds of some exchanges, each once."""
        return tuple(dict.fromkeys(self.queries[number].kind for number in numbers))

    def waits(self, numbers: Iterable[int]) -> list[int]:
        """Return for how many ns the client sent nothing after some requests, where that is known."""
        return [wait for number in numbers if (wait := self.queries[number].wait) is not None]

    def replies(self, kind: QueryKind) -> Iterator[Query]:
        """Yield the answered exchanges of a kind."""
        return (each for each in self.queries if each.answered and each.kind == kind)

    @cached_property
    def observer(self) -> Observer:
        """Return what is known of the protocol that is spoken."""
        return observer_of(self.model)

    @property
    def described_by(self) -> ModelProtocol | None:
        """Return the model that the device's replies fit."""
        found = protocol(self.model) if self.model else None
        return found if isinstance(found, ModelProtocol) else None

    def framed(self, payload: bytes) -> bytes:
        """Return a message as it was sent: those of most protocols are whole frames."""
        return self.observer.protocol.frame(Request(payload)) if self.observer.trailer else payload

    def asks_for_values(self, number: int) -> bool:
        """Tell whether a request is known to ask for what a pack measures."""
        payload = self.payload(number)
        return bool(payload) and self.observer.asks_for_values(payload)

    def answered_payloads(self, kind: QueryKind) -> set[bytes]:
        """Return the payloads of the answered requests of a kind; of many, the first."""
        some = islice(self.replies(kind), _MAX_PAYLOADS)
        return {self.messages.payload(each.row) for each in some if each.row >= 0}

    def payload(self, number: int) -> bytes:
        """Return the payload of a request; empty where it was sent as a bad frame."""
        row = self.queries[number].row
        return self.messages.payload(row) if row >= 0 else b""

    def shares_packet(self, row: int) -> bool:
        """Tell whether a message came in one packet with the message before it."""
        here = self.messages.packets_of(row)
        before = self.messages.packets_of(row - 1) if row else ()
        return bool(len(here) and len(before)) and here[0] == before[-1]

    def packet(self, row: int) -> int:
        """Return the packet in which a message was whole, as Wireshark counts; 0: the file has none."""
        if row < 0:
            return self.bad[-1 - row].number
        numbers = self.messages.packets_of(row)
        return numbers[-1] if numbers else 0

    def at(self, time: int) -> str:
        """Return `at 5.0163 s`, seconds since the file's first packet; empty where that is not known."""
        return "" if NO_TIME in (time, self.first) else f"at {(time - self.first) / 1e9:.4f} s"


class Aside(NamedTuple):
    """A connection of the file that is no session of a client, and why."""

    number: int
    label: str
    why: str
