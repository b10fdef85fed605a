"""Requests and replies with a device over any link, in any protocol.

Which reply answers which request is `packwire.protocol.exchange`'s to say; here are the clock and the link:

- one request at a time is under way, but for those that may run beside others (PING_CAN takes seconds);
- after a timeout the reply may still come. Before a request of the same kind is asked again, a fence
  (another request, on the same way) is waited for, so that a late reply is never taken for the answer;
- all else that arrives is counted and handed to the subscribers.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from packwire.errors import GoneError, NoAnswerError, NotAVescError, PackwireError, Reason
from packwire.link.base import Link
from packwire.protocol.base import Protocol, ProtocolRule, Request, Session
from packwire.protocol.exchange import LATEST, STALL, Exchange, Patience, Replied
from packwire.protocol.no_reply import Evidence, NoReplyError, tries_of
from packwire.wire.frame import Frame, FrameStats

#: Seconds; over the public hub the slowest of one owner's replies took 0.48.
TIMEOUT = 1.0
TRIES = 3
FENCE_TIMEOUT = 0.5
#: So many of the first bytes are kept, to show what answers where no such device does.
HEAD = 64

_SECOND = 1_000_000_000


@dataclass(slots=True)
class ClientStats:
    """What became of the requests, and of the messages that were no answer."""

    requests: int = 0
    replies: int = 0
    timeouts: int = 0
    late: int = 0
    """Replies that came after their request had been given up."""
    unasked: int = 0
    """Replies to no request of ours: meant for a client before us, or from another node."""
    unsolicited: int = 0
    """What devices send of their own accord (a VESC's PRINT and its kin)."""
    streamed: int = 0
    """What a device goes on sending once it was asked: as it should be."""

    def oddities(self) -> list[str]:
        """Say what arrived that was no answer: `2 late replies`; empty where all is usual."""
        counts = (
            (self.late, "late reply", "late replies"),
            (self.unasked, "reply that nobody asked for", "replies that nobody asked for"),
            (self.unsolicited, "unsolicited packet", "unsolicited packets"),
        )
        return [f"{number} {one if number == 1 else many}" for number, one, many in counts if number]


@dataclass(slots=True, eq=False)
class _Pending:
    """One request that is waited for; `request` is what the exchange knows it by."""

    request: Request
    reply: asyncio.Future[bytes]
    started: float
    deadline: float
    received_before: int
    damaged_before: int
    others: dict[tuple[bytes, str], int] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None


class Client:
    """A client of one device and, through it, of the nodes behind it."""

    def __init__(
        self, link: Link, protocol: Protocol, *, timeout: float = TIMEOUT, tries: int = TRIES
    ) -> None:
        self.link = link
        self.protocol = protocol
        self.timeout = timeout
        self.tries = tries
        self.stats = ClientStats()
        self.latencies: deque[float] = deque(maxlen=1000)
        """Seconds that the last replies took."""
        self._framer = protocol.framer()
        self._head = b""
        self._exchange: Exchange[Request, bytes] = Exchange(
            ProtocolRule(protocol), Patience(due=int(LATEST * _SECOND), limit=int(LATEST * _SECOND))
        )
        self._pending: dict[int, _Pending] = {}
        """By the identity of the request."""
        self._echoes = 0
        self._subscribers: list[Callable[[bytes], None]] = []
        self._heard = asyncio.Event()
        self._turn = asyncio.Lock()
        self._beside = asyncio.Lock()
        self._last_data = 0.0
        self._closed = True
        self._closed_here = False
        self._close_error: Exception | None = None

    @property
    def shared(self) -> bool:
        """Whether replies meant for another client may come at the beginning."""
        return self.link.shared

    @property
    def place(self) -> str:
        """Return where the device was reached."""
        return self.link.name

    @property
    def identity(self) -> str:
        """Return what the link knows of who it leads to; empty where it knows nothing."""
        return self.link.identity

    @property
    def frame_stats(self) -> FrameStats:
        """Return the account of all bytes received."""
        return self._framer.stats

    def now(self) -> float:
        """Return the event loop's time in s."""
        return asyncio.get_running_loop().time()

    def _clock(self) -> int:
        return int(self.now() * _SECOND)

    def oddities(self) -> list[str]:
        """Say what else arrived than answers, bytes and packets alike; empty where all is usual."""
        asked = self.stats.oddities() if self.stats.requests else []  # who only hears awaits no replies
        return self.frame_stats.oddities() + asked

    def subscribe(self, receive: Callable[[bytes], None]) -> None:
        """Hand `receive` every message that answers no request of ours."""
        self._subscribers.append(receive)

    async def connect(self, session: Session) -> None:
        """Open the link, end what a client before us left half said, and learn who answers.

        Raises UnreachableError, RefusedError, NotAVescError (something else answers) or NoAnswerError
        (nothing comes back).
        """
        self._closed = False
        await self.link.open(self)
        if self.protocol.preamble:
            self.link.write(self.protocol.preamble)
        try:
            await session.start()
        except NoReplyError as error:
            raise (await self._explain_no_start(error)) from error

    async def close(self) -> None:
        """Close the link; a request that waits ends with GoneError."""
        self._closed_here = True
        await self.link.close()
        self.link_closed(None)

    async def request(
        self,
        request: Request,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of one try; the error tells it
        tries: int | None = None,
    ) -> bytes:
        """Send a request and return the reply's message.

        Raises NoReplyError after the last try, and GoneError or DisplacedError when the connection ends.
        """
        beside = self.protocol.beside(request)
        async with self._beside if beside else self._turn, self.link.turn():
            if not beside and (late := self._outstanding(request)):
                await self._settle(late)
            return await self._try(request, timeout or self.timeout, tries or self.tries)

    def tell(self, request: Request) -> None:
        """Send a request to which nothing is answered."""
        if not self._closed:
            self.stats.requests += 1
            self.link.write(self.protocol.frame(request))

    async def unasked(self, seconds: float) -> bool:
        """Wait for the next message that answers no request; tell whether one came in that time."""
        if self._closed:
            raise await self._gone()
        self._heard.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        except TimeoutError:
            return False
        return not self._closed

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def distrust(self, request: Request) -> None:
        """Take no reply to such a request for the answer that may be on its way already."""
        self._exchange.ask(self._clock(), request)

    async def _try(self, request: Request, timeout: float, tries: int) -> bytes:  # noqa: ASYNC109
        attempt = 1
        while isinstance(answer := await self._ask(request, timeout), Evidence):
            self.stats.timeouts += 1
            if attempt == tries:
                raise self._no_reply(request, tries_of(tries, timeout), answer)
            attempt += 1
        return answer

    def _no_reply(self, request: Request, waited: str, evidence: Evidence) -> NoReplyError:
        who = "the device" if request.node is None else f"CAN id {request.node}"
        name = self.protocol.describe(request.payload)
        what = "" if name == "FW_VERSION" else f" {name}"
        reason = request.hopeless or str(evidence)
        return NoReplyError(f"{who} did not answer{what} ({waited}): {reason}", evidence)

    async def _ask(self, request: Request, timeout: float) -> bytes | Evidence:  # noqa: ASYNC109
        """Send once and wait; return the reply, or what came instead (then the reply may still come)."""
        if self._closed:
            raise await self._gone()
        loop, beside = asyncio.get_running_loop(), self.protocol.beside(request)
        now = loop.time()
        pending = _Pending(
            request,
            loop.create_future(),
            now,
            now + timeout,
            self.frame_stats.received,
            self.frame_stats.damaged,
        )
        pending.timer = loop.call_at(now + min(STALL, timeout), self._watch, pending)
        self._pending[id(request)] = pending
        self._exchange.ask(int(now * _SECOND), request, limit=int(max(timeout, LATEST) * _SECOND))
        self.stats.requests += 1
        self.link.write(self.protocol.frame(request))
        try:
            reply = await pending.reply
        except TimeoutError:
            if beside:  # whenever its reply comes, it is a good one
                self._exchange.release(request)
            return self._evidence(pending)
        except ConnectionError:
            raise (await self._gone()) from None
        finally:
            pending.timer.cancel()
            del self._pending[id(request)]
        if not beside:  # its seconds say nothing about the link
            self.latencies.append(loop.time() - pending.started)
        self.stats.replies += 1
        return reply

    def _watch(self, pending: _Pending) -> None:
        """On the clock while a reply is awaited: see through false headers, and end the wait in time."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now - self._last_data >= STALL:
            self._take_all(self._framer.rescue(), now)
        if pending.reply.done():
            return
        if now >= pending.deadline:
            pending.reply.set_exception(TimeoutError())
            return
        pending.timer = loop.call_at(min(now + STALL, pending.deadline), self._watch, pending)

    def _evidence(self, pending: _Pending) -> Evidence:
        evidence = Evidence(
            self.frame_stats.received - pending.received_before,
            self.frame_stats.damaged - pending.damaged_before,
            tuple((name, count) for (_, name), count in sorted(pending.others.items())),
            self.frame_stats.waiting,
        )
        self._take_all(
            self._framer.give_up(), self.now()
        )  # the next reply shall not be hidden behind a false header
        return evidence

    def _outstanding(self, request: Request) -> list[tuple[Request, int]]:
        """Return the requests of the same kind whose replies may still come, and until when (ns)."""
        return self._exchange.outstanding(self._clock(), self.protocol.kind(request.payload))

    async def _settle(self, outstanding: list[tuple[Request, int]]) -> None:
        """Let late replies of a kind pass by, so that none is taken for the next answer."""
        for late, until in outstanding:
            if not await self._fence(late):
                # Nothing more comes on that way for now. Too late is too late: after a while it never comes.
                await asyncio.sleep(until / _SECOND - self.now())
            self._exchange.release(late)

    async def _fence(self, request: Request) -> bool:
        """Ask something else on the same way, where replies keep their order; tell whether it answered."""
        fence = self.protocol.fence(request)
        if fence is None or self._outstanding(fence):
            return False  # its own late reply would open the fence
        return isinstance(await self._ask(fence, max(self.timeout, FENCE_TIMEOUT)), bytes)

    async def _gone(self) -> PackwireError:
        if self._closed_here:
            return GoneError(
                f"the connection to {self.link.name} was closed on this side", reason=Reason.CLOSED_HERE
            )
        answered = self.frame_stats.frames > 0
        if self.frame_stats.received and not answered:
            return self._another_protocol()
        return await self.link.explain_close(answered=answered, error=self._close_error)

    async def _explain_no_start(self, error: NoReplyError) -> PackwireError:
        """Say why the very first request got no reply."""
        if self._echoes:
            return NotAVescError(
                f"{self.link.name} sends back what is sent to it: no {self.protocol.title} does that; an "
                "echo service, or a serial line whose RX and TX are joined",
                reason=Reason.ECHO,
            )
        if self.frame_stats.frames:
            return error
        if self.frame_stats.received:
            return self._another_protocol()
        silence = await self.link.explain_silence()
        if silence or not self.stats.requests:
            return silence or error
        return NoAnswerError(
            f"{self.link.name} took the connection, but nothing comes back "
            f"({tries_of(self.tries, self.timeout)}). {self.protocol.silence}"
        )

    def _another_protocol(self) -> NotAVescError:
        title = self.protocol.title
        return NotAVescError(
            f"{self.link.name} is no {title}: it sent {self.frame_stats.received} bytes without one {title} "
            f"frame, beginning {self._head[:40]!r}; check host, port and (serial) baud rate"
        )

    def data_received(self, data: bytes) -> None:
        """Take bytes from the link."""
        now = self._last_data = self.now()
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        self._take_all(self._framer.feed(data), now)

    def link_closed(self, error: Exception | None) -> None:
        """Learn from the link that nothing more will come."""
        if self._closed:
            return
        self._closed = True
        self._heard.set()
        self._close_error = error
        for pending in self._pending.values():
            if not pending.reply.done():
                pending.reply.set_exception(ConnectionError())

    def _take_all(self, frames: list[Frame], now: float) -> None:
        for frame in frames:
            self._take(frame.payload, int(now * _SECOND))

    def _take(self, message: bytes, time: int) -> None:
        late = False
        for pending in self._pending.values():
            self._echoes += message == pending.request.payload
        for event in self._exchange.hear(time, message):
            if not isinstance(event, Replied):
                continue
            waiting = self._pending.get(id(event.request))
            if waiting and not waiting.reply.done():
                waiting.reply.set_result(message)
                return
            late = True
        self._heard.set()
        if self.protocol.streams(message):
            self.stats.streamed += 1
        elif self.protocol.spontaneous(message):
            self.stats.unsolicited += 1
        elif late:
            self.stats.late += 1
        else:
            self.stats.unasked += 1
        name = self.protocol.describe(message)
        for pending in self._pending.values():
            other = message[:1], name
            pending.others[other] = pending.others.get(other, 0) + 1
        for receive in self._subscribers:
            receive(message)
