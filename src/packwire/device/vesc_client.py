"""Requests and replies with a VESC over any link.

The protocol has no sequence numbers, no addresses in replies and no errors, so this is where it is decided
which reply belongs to which request:

- one request at a time is under way (PING_CAN alone, which takes seconds, runs beside others);
- a reply is taken by its command and by what else it carries (see `packwire.vesc.matching`);
- after a timeout the reply may still come. Before the same command is asked again, a fence (another command,
  on the same way) is waited for, so that a late reply is never taken for the answer;
- all else that arrives is counted and handed to the subscribers.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from packwire.device.no_reply import Evidence, NoReplyError, no_reply, tries_of
from packwire.errors import GoneError, NoAnswerError, NotAVescError, PackwireError, Reason
from packwire.link.base import Link
from packwire.vesc.commands import UNSOLICITED, Command
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.matching import Accepts, acceptance
from packwire.vesc.replies import FW_VERSION, GET_VALUES, PING_CAN, FwVersion
from packwire.vesc.requests import FILLER, forward_can, request
from packwire.wire.frame import Frame, FrameStats

#: Seconds; over the public hub the slowest of one owner's replies took 0.48.
TIMEOUT = 1.0
TRIES = 3
#: PING_CAN asks all 255 ids in turn; the firmware takes 2.5 to 5 s.
PING_CAN_TIMEOUT = 8.0
#: When a frame has begun and nothing more came for this long, its header is taken for a false one.
STALL = 0.2
FENCE_TIMEOUT = 0.5
#: A reply that has not come after this long never comes.
LATEST = 3.0
#: So many of the first bytes are kept, to show what answers where no VESC does.
HEAD = 64


@dataclass(slots=True)
class ClientStats:
    """What became of the requests, and of the packets that were no answer."""

    requests: int = 0
    replies: int = 0
    timeouts: int = 0
    late: int = 0
    """Replies that came after their request had been given up."""
    unasked: int = 0
    """Replies to no request of ours: meant for a client before us, or from another node."""
    unsolicited: int = 0
    """PRINT and its kin, which devices send of their own accord."""

    def oddities(self) -> list[str]:
        """Say what arrived that was no answer: `2 late replies`; empty where all is usual."""
        counts = (
            (self.late, "late reply", "late replies"),
            (self.unasked, "reply that nobody asked for", "replies that nobody asked for"),
            (self.unsolicited, "unsolicited packet", "unsolicited packets"),
        )
        return [f"{number} {one if number == 1 else many}" for number, one, many in counts if number]


@dataclass(slots=True)
class _Pending:
    accepts: Accepts
    reply: asyncio.Future[bytes]
    started: float
    deadline: float
    received_before: int
    damaged_before: int
    others: Counter[int] = field(default_factory=Counter)
    timer: asyncio.TimerHandle | None = None


class VescClient:
    """A client of one VESC device and, through it, of the nodes on its CAN bus."""

    def __init__(self, link: Link, *, timeout: float = TIMEOUT, tries: int = TRIES) -> None:
        self.link = link
        self.timeout = timeout
        self.tries = tries
        self.stats = ClientStats()
        self.latencies: deque[float] = deque(maxlen=1000)
        """Seconds that the last replies took."""
        self.known: dict[int | None, FwVersion] = {}
        """Who answered FW_VERSION, by CAN id; None is the device that we are connected to."""
        self._framer = Framer()
        self._head = b""
        self._pending: dict[int, _Pending] = {}
        self._owed: dict[int, dict[int | None, float]] = {}
        """By command and CAN id: when a request was sent whose reply may still come."""
        self._own_id: int | None = None
        """The controller id of the device that we are connected to, once a reply told it."""
        self._echoes = 0
        self._subscribers: list[Callable[[bytes], None]] = []
        self._turn = asyncio.Lock()
        self._pinging = asyncio.Lock()
        self._last_data = 0.0
        self._closed = True
        self._closed_here = False
        self._close_error: Exception | None = None

    @property
    def frame_stats(self) -> FrameStats:
        """Return the account of all bytes received."""
        return self._framer.stats

    def oddities(self) -> list[str]:
        """Say what else arrived than answers, bytes and packets alike; empty where all is usual."""
        return self.frame_stats.oddities() + self.stats.oddities()

    def subscribe(self, receive: Callable[[bytes], None]) -> None:
        """Hand `receive` the payload of every packet that answers no request of ours."""
        self._subscribers.append(receive)

    async def connect(self) -> FwVersion:
        """Open the link, flush the device's parser, and learn who answers.

        Raises UnreachableError, RefusedError, NotAVescError (something answers that is no VESC) or
        NoAnswerError (nothing comes back).
        """
        self._closed = False
        await self.link.open(self)
        self.link.write(FILLER)
        try:
            version = await self.fw_version()
            if not self.link.shared:
                return version
            # That may have been a reply on its way to the client before us. Behind a fence, ask again.
            self.known.clear()
            self._owe(Command.FW_VERSION, None)
            return await self.fw_version()
        except NoReplyError as error:
            raise (await self._explain_no_start(error)) from error

    async def close(self) -> None:
        """Close the link; a request that waits ends with GoneError."""
        self._closed_here = True
        await self.link.close()
        self.link_closed(None)

    async def fw_version(self, can_id: int | None = None, *, tries: int | None = None) -> FwVersion:
        """Ask a node who it is."""
        payload = await self.request(request(Command.FW_VERSION), can_id, tries=tries)
        self.known[can_id] = FW_VERSION.decode(payload).reply
        return self.known[can_id]

    async def ping_can(self) -> tuple[int, ...]:
        """Ask who is on the CAN bus; takes 2.5 to 5 s. The device that we are connected to is not in it."""
        async with self._pinging:
            payload = await self._try(request(Command.PING_CAN), None, PING_CAN_TIMEOUT, 2)
        return PING_CAN.decode(payload).reply.ids or ()

    async def request(
        self,
        payload: bytes,
        can_id: int | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of one try; the error tells it
        tries: int | None = None,
    ) -> bytes:
        """Send a request and return the reply's payload.

        `can_id` forwards it over the device's CAN bus. Raises NoReplyError after the last try, and GoneError
        or DisplacedError when the connection ends.
        """
        async with self._turn:
            if payload[0] in self._owed:
                await self._settle(payload[0])
            return await self._try(payload, can_id, timeout or self.timeout, tries or self.tries)

    async def _try(self, payload: bytes, can_id: int | None, timeout: float, tries: int) -> bytes:  # noqa: ASYNC109
        frame = encode_frame(payload if can_id is None else forward_can(can_id, payload))
        node = self.known.get(can_id)
        accepts = self._acceptance(payload, can_id)
        attempt = 1
        while isinstance(
            answer := await self._ask_or_owe(payload[0], can_id, frame, accepts, timeout), Evidence
        ):
            self.stats.timeouts += 1
            if attempt == tries:
                hardware = node.hw_type if node else None
                raise no_reply(payload[0], can_id, hardware, tries_of(tries, timeout), answer)
            attempt += 1
        return answer

    def _acceptance(self, payload: bytes, can_id: int | None) -> Accepts:
        node = self.known.get(can_id)
        others = {known.uuid for route, known in self.known.items() if route != can_id}
        sender = self._own_id if can_id is None else can_id
        return acceptance(payload, sender, node.uuid if node else None, others)

    async def _ask_or_owe(
        self,
        command: int,
        can_id: int | None,
        frame: bytes,
        accepts: Accepts,
        timeout: float,  # noqa: ASYNC109
    ) -> bytes | Evidence:
        """Ask; where that ends without the reply, note that it may still come."""
        try:
            answer = await self._ask(command, frame, accepts, timeout)
        except asyncio.CancelledError:
            self._owe(command, can_id)
            raise
        if isinstance(answer, Evidence):
            self._owe(command, can_id)
        elif can_id is None and command == Command.GET_VALUES:
            self._own_id = GET_VALUES.decode(answer).reply.controller_id
        return answer

    def _owe(self, command: int, can_id: int | None) -> None:
        if command != Command.PING_CAN:  # whenever its reply comes, it is a good one
            self._owed.setdefault(command, {})[can_id] = asyncio.get_running_loop().time()

    async def _ask(self, command: int, frame: bytes, accepts: Accepts, timeout: float) -> bytes | Evidence:  # noqa: ASYNC109
        """Send once and wait; return the reply, or what came instead."""
        if self._closed:
            raise await self._gone()
        loop = asyncio.get_running_loop()
        now = loop.time()
        pending = _Pending(
            accepts, loop.create_future(), now, now + timeout, self.frame_stats.received, self._damaged()
        )
        pending.timer = loop.call_at(now + min(STALL, timeout), self._watch, pending)
        self._pending[command] = pending
        self.stats.requests += 1
        self.link.write(frame)
        try:
            reply = await pending.reply
        except TimeoutError:
            return self._evidence(pending)
        except ConnectionError:
            raise (await self._gone()) from None
        finally:
            pending.timer.cancel()
            del self._pending[command]
        if command != Command.PING_CAN:  # its seconds say nothing about the link
            self.latencies.append(loop.time() - pending.started)
        self.stats.replies += 1
        return reply

    def _watch(self, pending: _Pending) -> None:
        """On the clock while a reply is awaited: see through false headers, and end the wait in time."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now - self._last_data >= STALL:
            self._take_all(self._framer.rescue())
        if pending.reply.done():
            return
        if now >= pending.deadline:
            pending.reply.set_exception(TimeoutError())
            return
        pending.timer = loop.call_at(min(now + STALL, pending.deadline), self._watch, pending)

    def _damaged(self) -> int:
        return self.frame_stats.crc_errors + self.frame_stats.bad_stops

    def _evidence(self, pending: _Pending) -> Evidence:
        evidence = Evidence(
            self.frame_stats.received - pending.received_before,
            self._damaged() - pending.damaged_before,
            tuple(sorted(pending.others.items())),
            self.frame_stats.waiting,
        )
        self._take_all(self._framer.give_up())  # the next reply shall not be hidden behind a false header
        return evidence

    async def _settle(self, command: int) -> None:
        """Let late replies to `command` pass by, so that none is taken for the next answer."""
        for can_id, asked in tuple(self._owed[command].items()):
            if not await self._fence(command, can_id):
                # Nothing more comes on that way for now. Too late is too late: after a while it never comes.
                await asyncio.sleep(asked + LATEST - asyncio.get_running_loop().time())
        del self._owed[command]

    async def _fence(self, command: int, can_id: int | None) -> bool:
        """Ask something else on the same way, where replies keep their order; tell whether it answered."""
        other = Command.BMS_GET_VALUES if command == Command.FW_VERSION else Command.FW_VERSION
        if other in self._owed:
            return False  # its own late reply would open the fence
        payload = request(other)
        frame = encode_frame(payload if can_id is None else forward_can(can_id, payload))
        accepts = self._acceptance(payload, can_id)
        answer = await self._ask_or_owe(other, can_id, frame, accepts, max(self.timeout, FENCE_TIMEOUT))
        return isinstance(answer, bytes)

    async def _gone(self) -> PackwireError:
        if self._closed_here:
            return GoneError(
                f"the connection to {self.link.name} was closed on this side", reason=Reason.CLOSED_HERE
            )
        answered = self.frame_stats.frames > 0
        if self.frame_stats.received and not answered:
            return self._not_a_vesc()
        return await self.link.explain_close(answered=answered, error=self._close_error)

    async def _explain_no_start(self, error: NoReplyError) -> PackwireError:
        """Say why the very first request got no reply."""
        if self._echoes:
            return NotAVescError(
                f"{self.link.name} sends back what is sent to it: no VESC does that; an echo service, or a "
                "serial line whose RX and TX are joined",
                reason=Reason.ECHO,
            )
        if self.frame_stats.frames:
            return error
        if self.frame_stats.received:
            return self._not_a_vesc()
        return await self.link.explain_silence() or NoAnswerError(
            f"{self.link.name} took the connection, but nothing comes back "
            f"({tries_of(self.tries, self.timeout)}). A VESC Express serves one client at a time and leaves "
            "the next in silence: close VESC Tool and other clients. If there are none, it is no VESC's port"
        )

    def _not_a_vesc(self) -> NotAVescError:
        return NotAVescError(
            f"{self.link.name} is no VESC: it sent {self.frame_stats.received} bytes without one VESC frame, "
            f"beginning {self._head[:40]!r}; check host, port and (serial) baud rate"
        )

    def data_received(self, data: bytes) -> None:
        """Take bytes from the link."""
        self._last_data = asyncio.get_running_loop().time()
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        self._take_all(self._framer.feed(data))

    def link_closed(self, error: Exception | None) -> None:
        """Learn from the link that nothing more will come."""
        if self._closed:
            return
        self._closed = True
        self._close_error = error
        for pending in self._pending.values():
            if not pending.reply.done():
                pending.reply.set_exception(ConnectionError())

    def _take_all(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._take(frame.payload)

    def _take(self, payload: bytes) -> None:
        command = payload[0]
        pending = self._pending.get(command)
        if len(payload) == 1 and command == Command.FW_VERSION:
            self._echoes += 1
        if pending and not pending.reply.done() and pending.accepts(payload):
            pending.reply.set_result(payload)
            return
        if command in UNSOLICITED:
            self.stats.unsolicited += 1
        elif command in self._owed:
            self.stats.late += 1
        else:
            self.stats.unasked += 1
        for waiting in self._pending.values():
            waiting.others[command] += 1
        for receive in self._subscribers:
            receive(payload)
