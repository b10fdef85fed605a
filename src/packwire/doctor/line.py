"""One connection under observation: what was asked, what came back, in how many pieces, and how it ended.

The reading side (`packwire.device.vesc_client`) hides trouble by asking again; here trouble is what is looked
for, so that a request is sent once and everything that happens until its reply, or instead of it, is kept.
"""

import asyncio
import bisect
import time
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from packwire.direction import Direction
from packwire.doctor.tape import Tape
from packwire.link.base import Link
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.matching import Accepts, acceptance
from packwire.vesc.requests import FILLER, forward_can
from packwire.vesc.traits import unsolicited
from packwire.wire.frame import Frame, FrameStats, Waiting

#: When a frame has begun and nothing more came for this long (s), its header may be a false one.
STALL = 0.15
#: So many of the first bytes are kept, to show what answers where no VESC does.
HEAD = 160
#: Boundaries of the pieces in which bytes arrived; enough for the longest frame in pieces of one byte.
_MAX_BOUNDARIES = 20_000
#: PRINT and its kin, and what else arrived: so many are remembered.
_MAX_OTHERS = 1000


class Exchange(NamedTuple):
    """A request and what came of it.

    `asked` is when (s since the doctor began), `latency` how long the reply took (s), `pieces` in how many
    reads its frame arrived, `read` the number of the last of them on this connection, `frame` its bytes.
    `received`, `damaged`, `others` and `cut` tell what arrived meanwhile: bytes, frames with a wrong checksum
    or stop byte, the commands of other packets, and the frame that had begun and was never completed.
    `closed`: the other end closed the connection meanwhile.
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
    others: tuple[int, ...] = ()
    cut: Waiting | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection was closed by the other end.

    `age` is how long it was open (s), `answered` whether a frame ever came on it, `mid_frame` the frame that
    had begun and was cut off, `at` when that was (s since the doctor began).
    """

    age: float
    answered: bool
    mid_frame: Waiting | None
    reset: bool
    at: float = 0.0


class Line:
    """A link with a framer, a clock and a notebook. Opened once."""

    def __init__(self, link: Link, number: int, tape: Tape) -> None:
        self.link = link
        self.number = number
        self.head = b""
        self.close_seen: Close | None = None
        self.unsolicited: deque[int] = deque(maxlen=_MAX_OTHERS)
        self.echoes = 0
        self.surplus = 0
        """Replies to nothing that waits: late ones, or meant for a client before us."""
        self.secret = False
        """While set, bytes are counted and not kept."""
        self._tape = tape
        self._framer = Framer()
        self._recent = bytearray()
        self._recent_from = 0
        self._boundaries: list[int] = []
        self._reads = 0
        self._sent: set[bytes] = set()
        self._waiting: list[_Wait] = []
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

    def send_filler(self) -> None:
        """Send zeros, which can never be a frame: they push out a half frame that a client left behind."""
        self.link.write(FILLER)

    async def wait_closed(self, seconds: float) -> bool:
        """Wait at most so long for the other end to close; tell whether it did."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    async def ask(
        self, request: bytes, can_id: int | None, patience: float, accepts: Accepts | None = None
    ) -> Exchange:
        """Send a request once and wait at most `patience` s for its reply."""
        return await self.await_reply(self.send(request, can_id, accepts), patience)

    def send(self, request: bytes, can_id: int | None = None, accepts: Accepts | None = None) -> "_Wait":
        """Send a request; `await_reply` waits for what comes of it."""
        stats = self.stats
        wait = _Wait(
            request,
            can_id,
            accepts or acceptance(request, can_id),
            time.monotonic(),
            stats.received,
            stats.crc_errors + stats.bad_stops,
        )
        self._waiting.append(wait)
        payload = request if can_id is None else forward_can(can_id, request)
        self._sent.add(payload)
        self.link.write(encode_frame(payload))
        return wait

    def rewait(self, wait: "_Wait") -> "_Wait":
        """Wait for a reply again whose waiting has ended; its time still counts from when it was sent."""
        self._waiting.append(wait)
        return wait

    async def await_reply(self, wait: "_Wait", patience: float) -> Exchange:
        """Wait for the reply to a request that was sent, at most `patience` s from when it was sent."""
        deadline = wait.asked + patience
        while not wait.done.is_set() and not self.closed:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            await self._pause(wait, min(left, STALL))
            if time.monotonic() - self._last_data >= STALL:
                self._take(self._framer.rescue())
        if wait in self._waiting:
            self._waiting.remove(wait)
        exchange = self._exchange(wait)
        if exchange.cut is not None and not self.closed:
            while self.stats.waiting is not None:  # the next reply shall not be hidden behind it
                self._take(self._framer.give_up())
        return exchange

    async def _pause(self, wait: "_Wait", seconds: float) -> None:
        waits = [asyncio.ensure_future(wait.done.wait()), asyncio.ensure_future(self._ended.wait())]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _exchange(self, wait: "_Wait") -> Exchange:
        stats = self.stats
        return Exchange(
            wait.request,
            wait.can_id,
            wait.asked - self._tape.started,
            wait.reply,
            wait.latency,
            wait.pieces,
            wait.read,
            wait.frame,
            stats.received - wait.received_before,
            stats.crc_errors + stats.bad_stops - wait.damaged_before,
            tuple(wait.others),
            stats.waiting if wait.reply is None else None,
            self.closed and wait.reply is None,
        )

    def _observe(self, direction: Direction, data: bytes) -> None:
        self._tape.add(self.number, direction, data, secret=self.secret)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the link."""
        self._last_data = time.monotonic()
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
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

    def link_closed(self, error: Exception | None) -> None:
        """Learn from the link that nothing more will come."""
        if not self.closed:
            at = time.monotonic() - self._tape.started
            self.close_seen = Close(
                self.age, self.stats.frames > 0, self.stats.waiting, error is not None, at
            )
        self._ended.set()

    def _take(self, frames: list[Frame]) -> None:
        for frame in frames:
            payload = frame.payload
            if payload in self._sent and len(payload) == 1:
                self.echoes += 1
            wait = next(
                (each for each in self._waiting if each.reply is None and each.accepts(payload)), None
            )
            if wait is not None:
                self._answer(wait, frame)
                continue
            if unsolicited(payload[0]):
                self.unsolicited.append(payload[0])
            else:
                self.surplus += 1
            for each in self._waiting:
                if len(each.others) < _MAX_OTHERS:
                    each.others.append(payload[0])

    def _answer(self, wait: "_Wait", frame: Frame) -> None:
        wait.reply = frame.payload
        wait.latency = self._last_data - wait.asked
        wait.pieces = self._pieces(frame)
        begin = frame.start - self._recent_from
        wait.frame = bytes(self._recent[max(0, begin) : begin + frame.size])
        wait.read = self._reads
        wait.done.set()

    def _pieces(self, frame: Frame) -> int:
        """Return in how many reads a frame arrived."""
        boundaries = self._boundaries
        return bisect.bisect_left(boundaries, frame.end) - max(
            0, bisect.bisect_right(boundaries, frame.start) - 1
        )


class _Wait:
    """A request that was sent."""

    __slots__ = (
        "accepts", "asked", "can_id", "damaged_before", "done", "frame", "latency", "others", "pieces",
        "read", "received_before", "reply", "request",
    )  # fmt: skip

    def __init__(
        self,
        request: bytes,
        can_id: int | None,
        accepts: Accepts,
        asked: float,
        received_before: int,
        damaged_before: int,
    ) -> None:
        self.request = request
        self.can_id = can_id
        self.accepts = accepts
        self.asked = asked
        self.received_before = received_before
        self.damaged_before = damaged_before
        self.done = asyncio.Event()
        self.reply: bytes | None = None
        self.latency = 0.0
        self.pieces = 0
        self.read = 0
        self.frame = b""
        self.others: list[int] = []
