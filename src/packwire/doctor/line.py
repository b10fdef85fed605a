"""One connection under observation: what was asked, what came back, in how many pieces, and how it ended.

The reading side (`packwire.device.client`) hides trouble by asking again; here trouble is what is looked for,
so that a request is sent once and everything that happens until its reply, or instead of it, is kept. Which
reply answers which request is `packwire.protocol.exchange`'s to say, for both.
"""

import asyncio
import bisect
import time
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from packwire.direction import Direction
from packwire.doctor.transcript import Transcript
from packwire.link.base import Link
from packwire.protocol.base import Protocol, ProtocolRule, Request
from packwire.protocol.exchange import Exchange, Patience, Replied
from packwire.wire.frame import Frame, FrameStats, Waiting

#: When a frame has begun and nothing more came for this long (s), its header may be a false one.
STALL = 0.15
#: A request waits until it is given up here: how long, its check knows.
_UNTIL_RELEASED = Patience(due=1 << 62, limit=1 << 62)
#: So many of the first bytes are kept, to show what answers where no VESC does.
HEAD = 160
#: The same of one answer: room for two of the longest frames of packs.
_PROBE_HEAD = 1024
#: Boundaries of the pieces in which bytes arrived; enough for the longest frame in pieces of one byte.
_MAX_BOUNDARIES = 20_000
#: PRINT and its kin, and what else arrived: so many are remembered.
_MAX_OTHERS = 1000
#: Messages that answered nothing, of which all bytes are kept.
_MAX_STRAYS = 16


class Unasked(NamedTuple):
    """A message that answers nothing: its first byte, and its name for a user."""

    begin: bytes
    name: str


class Probe(NamedTuple):
    """A request and what came of it.

    `asked` is when (s since the doctor began), `latency` how long the reply took (s), `pieces` in how many
    reads its frame arrived, `read` the number of the last of them on this connection, `frame` its bytes.
    `received`, `damaged`, `others` and `cut` tell what arrived meanwhile: bytes, frames with a wrong checksum
    or stop byte, the other messages, and the frame that had begun and was never completed; `sent` are the
    bytes of the question, `head` the first of what came back.
    `closed`: the other end closed the connection meanwhile. `takes_long`: its reply always does.
    """

    request: bytes
    can_id: int | None
    asked: float
    reply: bytes | None = None
    latency: float = 0.0
    pieces: int = 0
    read: int = 0
    frame: bytes = b""
    received: int = 0
    damaged: int = 0
    others: tuple[Unasked, ...] = ()
    cut: Waiting | None = None
    closed: bool = False
    takes_long: bool = False
    sent: bytes = b""
    head: bytes = b""

    @property
    def echoed(self) -> bool:
        """Whether what came back begins with the question itself."""
        return bool(self.sent) and self.head.startswith(self.sent)


@dataclass(frozen=True, slots=True)
class Disconnect:
    """How a connection was closed by the other end.

    `age` is how long it was open (s), `answered` whether a frame ever came on it, `mid_frame` the frame that
    had begun and was cut off, `at` when that was (s since the doctor began).
    """

    age: float
    answered: bool
    mid_frame: Waiting | None
    at: float = 0.0


class Line:
    """A link with a framer, a clock and a notebook. Opened once."""

    def __init__(self, link: Link, number: int, transcript: Transcript, protocol: Protocol) -> None:
        self.link = link
        self.protocol = protocol
        self.number = number
        self.head = b""
        self.disconnect: Disconnect | None = None
        self.unsolicited: deque[Unasked] = deque(maxlen=_MAX_OTHERS)
        self.strays: deque[bytes] = deque(maxlen=_MAX_STRAYS)
        """The last messages that answered nothing."""
        self.echoes = 0
        self.surplus = 0
        """Replies to nothing that waits: late ones, or meant for a client before us."""
        self.secret = False
        """While set, bytes are counted and not kept."""
        self._transcript = transcript
        self._framer = protocol.framer()
        self._exchange: Exchange[Request, bytes] = Exchange(ProtocolRule(protocol), _UNTIL_RELEASED)
        self._recent = bytearray()
        self._recent_from = 0
        self._boundaries: list[int] = []
        self._reads = 0
        self._sent: set[bytes] = set()
        self._pending: list[PendingProbe] = []
        self._last_data = 0.0
        self._opened = 0.0
        self._ended = asyncio.Event()
        link.observers.append(self._observe)

    @property
    def stats(self) -> FrameStats:
        """Return the account of all bytes received."""
        return self._framer.stats

    @property
    def closed(self) -> bool:
        """Whether it is over, whoever ended it."""
        return self._ended.is_set()

    @property
    def age(self) -> float:
        """Return for how long it is open, in s."""
        return time.monotonic() - self._opened

    async def open(self) -> None:
        """Connect (and log in). Raises UnreachableError and its kin."""
        self._opened = time.monotonic()
        self.secret = self.link.shared  # a login is not kept
        await self.link.open(self)
        self.secret = False

    async def close(self) -> None:
        """Close from this side."""
        await self.link.close()
        self._ended.set()

    def speak(self, protocol: Protocol) -> None:
        """Ask in another protocol from here on; what was heard so far is no part of its frames."""
        self.protocol = protocol
        self._framer = protocol.framer()
        self._exchange = Exchange(ProtocolRule(protocol), _UNTIL_RELEASED)
        self._recent.clear()
        self._boundaries.clear()
        self._recent_from = 0
        self.send_filler()

    def send_filler(self) -> None:
        """Send what can never be a frame (zeros): it pushes out a half frame that a client left behind."""
        self.link.write(self.protocol.preamble)

    async def wait_closed(self, seconds: float) -> bool:
        """Wait at most so long for the other end to close; tell whether it did."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    async def ask(self, payload: bytes | Request, node: int | None, patience: float) -> Probe:
        """Send a request once and wait at most `patience` s for its reply."""
        return await self.await_reply(self.send(payload, node), patience)

    def send(self, payload: bytes | Request, node: int | None = None) -> "PendingProbe":
        """Send a request, or the message of one; `await_reply` waits for what comes of it."""
        stats = self.stats
        request = payload if isinstance(payload, Request) else Request(payload, node)
        pending = PendingProbe(
            request,
            time.monotonic(),
            stats.received,
            stats.damaged,
            self.protocol.frame(request),
        )
        if request.node is None:
            self._sent.add(request.payload)
        self._expect(pending)
        self.link.write(pending.sent)
        return pending

    def expect_again(self, pending: "PendingProbe") -> None:
        """Wait for a reply again that was given up; its time still counts from when it was sent."""
        self._expect(pending)

    def _expect(self, pending: "PendingProbe") -> None:
        self._pending.append(pending)
        self._exchange.ask(time.monotonic_ns(), pending.request)

    async def await_reply(self, pending: "PendingProbe", patience: float) -> Probe:
        """Wait for the reply to a request that was sent, at most `patience` s from when it was sent."""
        deadline = pending.asked + patience
        while not pending.done.is_set() and not self.closed:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            await self._pause(pending, min(left, STALL))
            if time.monotonic() - self._last_data >= STALL:
                self._take(self._framer.rescue())
        if not pending.done.is_set():  # it may have come just now, behind a false header
            self._take(self._framer.rescue())
        if pending in self._pending:
            self._pending.remove(pending)
            self._exchange.release(pending.request)
        probe = self._probe(pending)
        if probe.cut is not None and not self.closed:
            while self.stats.waiting is not None:  # the next reply shall not be hidden behind it
                self._take(self._framer.give_up())
        return probe

    async def _pause(self, pending: "PendingProbe", seconds: float) -> None:
        waits = [asyncio.ensure_future(pending.done.wait()), asyncio.ensure_future(self._ended.wait())]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _probe(self, pending: "PendingProbe") -> Probe:
        stats = self.stats
        return Probe(
            pending.request.payload,
            pending.request.node,
            pending.asked - self._transcript.started,
            pending.reply,
            pending.latency,
            pending.pieces,
            pending.read,
            pending.frame,
            stats.received - pending.received_before,
            stats.damaged - pending.damaged_before,
            tuple(pending.others),
            stats.waiting if pending.reply is None else None,
            self.closed and pending.reply is None,
            self.protocol.beside(pending.request),
            pending.sent,
            pending.head,
        )

    def _observe(self, direction: Direction, data: bytes) -> None:
        self._transcript.add(self.number, direction, data, secret=self.secret)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the link."""
        self._last_data = time.monotonic()
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        for each in self._pending:
            if len(each.head) < _PROBE_HEAD:
                each.head += data[: _PROBE_HEAD - len(each.head)]
        self._reads += 1
        self._boundaries.append(self.stats.received)
        if len(self._boundaries) > _MAX_BOUNDARIES:
            del self._boundaries[: _MAX_BOUNDARIES // 2]
        self._recent += data
        self._take(self._framer.feed(data))
        waiting = self.stats.waiting
        keep_from = waiting.since if waiting else self.stats.received
        del self._recent[: max(0, keep_from - self._recent_from)]
        self._recent_from = max(self._recent_from, keep_from)

    def link_closed(self, error: Exception | None) -> None:  # noqa: ARG002 - as links tell it
        """Learn from the link that nothing more will come."""
        if not self.closed:
            at = time.monotonic() - self._transcript.started
            self.disconnect = Disconnect(self.age, self.stats.frames > 0, self.stats.waiting, at)
        self._ended.set()

    def _take(self, frames: list[Frame]) -> None:
        for frame in frames:
            message = frame.payload
            if message in self._sent:
                self.echoes += 1
                if self.protocol.on_a_line:
                    continue  # a line on which one hears oneself: neither a reply nor one too many
            events = self._exchange.hear(time.monotonic_ns(), message)
            reply = next((each for each in events if isinstance(each, Replied)), None)
            if reply is not None:
                self._answer(reply.request, frame)
                continue
            self.strays.append(message)
            unasked = Unasked(message[:1], self.protocol.describe(message))
            if self.protocol.spontaneous(message):
                self.unsolicited.append(unasked)
            else:
                self.surplus += 1
            for pending in self._pending:
                if len(pending.others) < _MAX_OTHERS:
                    pending.others.append(unasked)

    def _answer(self, request: Request, frame: Frame) -> None:
        pending = next(each for each in self._pending if each.request is request)
        pending.reply = frame.payload
        pending.latency = self._last_data - pending.asked
        pending.pieces = self._pieces(frame)
        begin = frame.start - self._recent_from
        pending.frame = bytes(self._recent[max(0, begin) : begin + frame.size])
        pending.read = self._reads
        pending.done.set()

    def _pieces(self, frame: Frame) -> int:
        """Return in how many reads a frame arrived."""
        boundaries = self._boundaries
        return bisect.bisect_left(boundaries, frame.end) - max(
            0, bisect.bisect_right(boundaries, frame.start) - 1
        )


@dataclass(slots=True, eq=False)
class PendingProbe:
    """A request that was sent, and what came of it so far; see `Probe`."""

    request: Request
    asked: float
    received_before: int
    damaged_before: int
    sent: bytes = b""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    reply: bytes | None = None
    latency: float = 0.0
    pieces: int = 0
    read: int = 0
    frame: bytes = b""
    head: bytes = b""
    others: list[Unasked] = field(default_factory=list)
