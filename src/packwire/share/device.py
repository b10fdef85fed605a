"""One VESC for many clients at once: who asks what, and to whom each reply goes. No sockets.

The protocol has no sequence numbers and no addresses in replies. So each request of a client is matched here
with its reply, and only what is asked one after the other can be told apart:

- of each command one request is under way at a time, and one of all that are forwarded over CAN;
- a client that asks what another has just asked gets the same reply; so does one that asks again within
  `max_age` seconds;
- the clients take turns; of each client the requests to the same node keep their order, so that a client may
  use a request as a fence;
- a reply that is late still goes to those who asked; the same command is asked again when no late reply can
  come any more (see `packwire.share.pending`);
- frames that nobody asked for go to all where they are of a kind that devices send of their own accord, or of
  no known command; to nobody where they look like a reply, which a client could take for its own.

Bytes come in by `SharedClient.received` and `SharedDevice.device_received`, and go out by the callables
given; timers run on the asyncio loop. Everything is bounded: open requests of a client, requests under way,
remembered frames.
"""

import asyncio
from binascii import crc_hqx
from collections import Counter
from collections.abc import Callable
from itertools import islice

from packwire.protocol.exchange import STALL
from packwire.share.alarm import Alarm
from packwire.share.client import SharedClient
from packwire.share.outgoing import Outgoing
from packwire.share.pending import PER_CLIENT, PendingRequest, PendingRequests, Waiter, Waiters
from packwire.share.permissions import Effect, Policy
from packwire.share.questions import CAN_BUS, DIRECT, SharedQuestion, is_for_all, own_question
from packwire.share.queue import Queue, drop, is_reading
from packwire.share.stats import OF_CLIENTS, KeptReply, SharingStats, account
from packwire.share.stops import Stops
from packwire.share.stream import DeviceStream
from packwire.vesc.commands import Command
from packwire.vesc.framing import MAX_PAYLOAD, STOP

type Write = Callable[[bytes], None]
type Tell = Callable[[str], None]

#: A client may have so many requests open; more are dropped.
MAX_OPEN = 64
#: So many distinct frames are remembered.
MAX_KNOWN = 256
#: Of which so many are looked at, from the oldest, for one to forget.
LOOKED_AT = 8
#: So many bytes wait for a device that does not read; then requests wait here, and what acts is dropped.
UNSENT = 8 * 1024
#: A device that takes nothing for so many seconds is cut off, or dialled anew.
STUCK = 10.0
#: How often what waits is looked at.
GLANCE = 0.1


class SharedDevice:
    """A device that several clients use at once.

    `device_connected` gives it its connection, `device_received` what comes from it, and `device_gone` ends
    it; the clients stay. All methods are called on the asyncio loop's thread, and none blocks.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        max_age: float = 0.0,
        name: str = "device",
        timeout: float = 0.75,
        keep: float = 5.0,
        tell: Tell | None = None,
        max_payload: int = MAX_PAYLOAD,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """`max_age`: seconds for which a reading is given to whoever asks the same.

        `timeout`: seconds after which a reply is late. `keep`: seconds that a request waits at most, such as
        for a device that is away. `tell` gets a line about each refusal, once a client and command (for a
        log; it holds no payload). `max_payload`: bytes of the device's longest frame. `loop`
        is the clock: its `time()` and `call_at()` are used.
        """
        self._policy = policy
        self.name = name
        self.refused: Counter[Effect] = Counter()
        self.fw_version = b""
        """The last reply to FW_VERSION on this connection, as a payload; empty before there was one."""
        self.max_age = max_age
        self._timeout = timeout
        self._keep = keep
        self._tell = tell
        loop = loop or asyncio.get_running_loop()
        self.now = loop.time
        self._alarm = Alarm(loop, self._on_time)
        self._outgoing = Outgoing()
        self.ready = False
        """Whether clients' requests go to the device now."""
        self._there = False
        """Whether this connection's beginning is over."""
        self._full = False
        self._greetings = 0
        self._stream = DeviceStream(self._take, self.now, max_payload)
        self._silent_since: float | None = None
        self._probed: float | None = None
        """Since when the device was silent that was asked whether it is there."""
        self._known: dict[bytes, SharedQuestion] = {}
        self._clients: set[SharedClient] = set()
        self._stalled_clients: set[SharedClient] = set()
        self._queue = Queue(self)
        self._stops = Stops(self.write, lambda: self.counts.update(dropped=1))
        self.pending = PendingRequests()
        self.counts: Counter[str] = Counter()
        self._closed = False

    @property
    def policy(self) -> Policy:
        """What clients may ask. A new one holds at once, also for what waits to be sent."""
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._policy = policy
        for client in self._clients:
            self._queue.drop_unless(client, lambda known: policy.permits(known.kind))

    @property
    def several(self) -> bool:
        """Whether there is more than one client."""
        return len(self._clients) > 1

    def join(self, write: Write, name: str) -> SharedClient:
        """Take a client: `write` gets whole frames for it, now or later; `name` is for the account."""
        client = SharedClient(self, write, name, self._known)
        self._clients.add(client)
        return client

    def device_connected(self, write: Write, *, flush: bool = True, shared: bool = False) -> None:
        """Begin to use a connection to the device.

        `flush` first sends filler, which ends a frame that a client before us broke off, and asks
        FW_VERSION: what waits is sent when that was answered (or is late). `shared`: replies for another
        client may come at the beginning (a hub), so it is asked twice.
        """
        if self._outgoing.open:
            self.device_gone()
        self.counts["connections"] += 1
        self.fw_version = b""
        self._known.clear()
        self._greetings = (2 if shared else 1) if flush else 0
        self._outgoing.begin(write, flush=flush)
        self._stops.open = True
        self._stops.on_time(self.now(), self.now() - self._keep)
        if flush:
            self._greet()
        else:
            self._begin()

    def device_received(self, data: bytes) -> None:
        """Take bytes from the device."""
        self._silent_since = None
        if self._stream.clean:
            # This, `ask` and `SharedClient.received` know the usual poll at a glance: without them the hub
            # takes 49 us of processor time a request instead of 37, and misses its goal beside a bare
            # forwarder (benchmarks/relaying.py). Nearly always a piece is one short frame, whole: the reply
            # to the one request under way.
            size = len(data)
            if size > 5 and data[0] == 2 and data[1] == size - 5 and data[-1] == STOP:
                checked = data[2:-1]
                if crc_hqx(checked, 0) == 0:  # over payload and CRC together it is 0
                    if not self._took_quickly(data):
                        self._take(checked[:-2], data)
                    return
        if self._outgoing.open:
            self._stream.feed(data)
            self._set_alarm()

    def device_gone(self) -> None:
        """Learn that the connection has ended. Reading requests are kept for `keep` seconds."""
        self._outgoing.end()
        self.ready = self._there = self._full = self._stops.open = False
        self._silent_since = None
        self._stream.reset()
        pending = self.pending.in_order()
        self.pending.clear()
        for request in reversed(pending):
            for client, times in request.waiters.items():
                for asked in reversed(times):
                    self._queue.give_back(client, request.question, asked)
        for client in self._clients:
            self._queue.drop_unless(client, is_reading)
        self._set_alarm()

    def device_full(self, full: bool) -> None:
        """Learn that the connection takes no more for now, or that it does again.

        Meanwhile readings wait, as they do for a device that is away, and what acts is dropped and counted;
        of MOTOR_ESTOP the last one waits.
        """
        if not self._outgoing.open or full is self._full:
            return
        self._full = full
        self._stops.open = not full
        self.ready = self._there and not full
        # Not now: this is called from within a write, with a client's turn half taken.
        self._alarm.by(self.now())

    def probe(self) -> None:
        """Ask a device that is silent who it is, once a silence, for its reply ends the silence."""
        if not self.ready or self._silent_since is None or self._probed == self._silent_since:
            return
        known = own_question(Command.FW_VERSION, DIRECT)
        asked = self.pending.busy.get(Command.FW_VERSION)
        if asked is not None and asked.question.way == DIRECT:
            self._probed = self._silent_since  # a client has asked the same
        elif self.pending.free(known.needs):
            self._probed = self._silent_since
            self.send(known, self.now(), {})
            self._set_alarm()

    @property
    def probed(self) -> bool:
        """Tell whether the device was asked in this silence who it is."""
        return self._silent_since is not None and self._probed == self._silent_since

    def close(self) -> None:
        """End all timers; nothing is written any more. The clients' connections are the caller's to close."""
        self._closed = True
        for client in tuple(self._clients):
            client.leave()
        self.device_gone()
        self._alarm.close()

    @property
    def silent(self) -> float:
        """Seconds since a request was sent after which no byte has come; 0 where nothing is waited for."""
        return 0.0 if self._silent_since is None else self.now() - self._silent_since

    def stats(self) -> SharingStats:
        """Return the account as it is now."""
        now = self.now()
        kept = [known for known in self._known.values() if known.kept is not None]
        return account(
            self.name,
            [client.stats() for client in self._clients],
            self.counts,
            refused={str(kind): count for kind, count in self.refused.items()},
            connected=self._there,
            device_junk=self._stream.junk,
            silent=self.silent,
            kept=[
                KeptReply(known.command, known.can_id, now - known.kept_at)
                for known in kept
                if now - known.kept_at <= self.max_age
            ],
        )

    # What a client calls.

    def ask(self, client: SharedClient, known: SharedQuestion) -> None:
        """Take a request that may pass."""
        if (
            self.ready
            and not client.queue
            and known.plain
            and known.kept is None
            and known.command not in self.pending.busy
            and len(self.pending.open) < PER_CLIENT
            and client.open < MAX_OPEN
        ):
            client.open += 1
            now = self.now()
            self.pending.asked(known, now)
            self.send(known, now, {client: [now]}, client).quick = known.accepts is None
            return
        if known.kind is Effect.STOP:
            if not self._closed:
                self._stops.take(known, self.now())
                self._set_alarm()
            return
        away = not self.ready and known.kind is not Effect.READ
        self.pending.asked(known, self.now())
        client.open += 1
        if client.open > MAX_OPEN or away or self._closed:
            drop(client)
            return
        self._queue.add(client, known, self.now())
        if self._queue.line:
            self._alarm.by(self.now() + GLANCE)

    def remember(self, known: SharedQuestion) -> None:
        """Keep what is known of a frame that may pass, for when it comes again."""
        remembered = self._known
        for frame in tuple(islice(remembered, LOOKED_AT)) if len(remembered) >= MAX_KNOWN else ():
            oldest = remembered.pop(frame)
            if oldest.kept is None or self.now() - oldest.kept_at > self.max_age:
                break
            remembered[frame] = oldest  # it is given out now: another goes
        if len(remembered) >= MAX_KNOWN:
            del remembered[next(iter(remembered))]
        remembered[known.frame] = known

    def stalled(self, client: SharedClient, *, waits: bool) -> None:
        """Learn that a client's frame has begun and is not whole, or that no frame has."""
        if waits:
            client.stalled_since = self.now()
            self._stalled_clients.add(client)
            self._alarm.by(client.stalled_since + STALL)
        elif client.stalled_since is not None:
            client.stalled_since = None
            self._stalled_clients.discard(client)

    def tell(self, line: str) -> None:
        """Hand on a line for the log."""
        if self._tell is not None:
            self._tell(line)

    def left(self, client: SharedClient) -> None:
        """Learn that a client has left."""
        self._clients.discard(client)
        self._stalled_clients.discard(client)
        self.pending.forget(client)
        account = client.stats()
        for of_client, name in OF_CLIENTS.items():
            self.counts[name] += getattr(account, of_client)

    # What is under way.

    def write(self, known: SharedQuestion) -> None:
        """Send a client's request for which no reply is waited for."""
        if self._outgoing.open:
            self.counts["forwarded"] += 1
            self._outgoing.send(known.frame)

    def send(
        self,
        known: SharedQuestion,
        now: float,
        waiters: Waiters,
        owner: Waiter | None = None,
        bus_for: float | None = None,
    ) -> PendingRequest:
        """Send a request for those who ask it; nobody does where it is a fence.

        `bus_for`: seconds after which others may use the CAN bus, where it shall not be as long as usual.
        """
        request = self.pending.add(known, now, now + self._timeout, waiters, owner)
        if bus_for is not None:
            request.last, request.due = request.due, now + bus_for
        if known.timeout is not None:
            request.last = now + known.timeout
            if known.way < 0:
                request.due = request.last
        if self._silent_since is None:
            self._silent_since = now
        if request.due < self._alarm.due:
            self._alarm.by(request.due)
        self.counts["forwarded" if waiters else "fences"] += 1
        self._outgoing.send(known.frame)
        return request

    def _greet(self) -> None:
        self._greetings -= 1
        self.send(own_question(Command.FW_VERSION, DIRECT), self.now(), {}).greeting = True

    def _begin(self) -> None:
        """Let the clients' requests go to the device."""
        self._there = True
        self.ready = not self._full
        self._queue.pump()
        self._set_alarm()

    def fence(self, overdue: PendingRequest) -> None:
        """Ask something whose reply proves that the overdue one can come no more."""
        way = self.pending.fence_way(overdue)
        if overdue.fenced or way is None or not overdue.question.ordered:
            return
        other = overdue.question.command == Command.FW_VERSION
        known = own_question(Command.BMS_GET_VALUES if other else Command.FW_VERSION, way)
        if self.pending.free(known.needs):
            overdue.fenced = True
            self.send(known, self.now(), {})

    def _took_quickly(self, frame: bytes) -> bool:
        """Take the reply to a poll where there is nothing else to think of; tell whether it was one."""
        pending = self.pending
        request = pending.busy.get(frame[2])
        if request is None or not request.quick or pending.overdue or self._queue.line or self.max_age:
            return False
        del pending.busy[frame[2]]
        pending.open.discard(request)
        for client, times in request.waiters.items():
            for _ in times:
                if not client.gone:
                    client.open -= 1
                    client.replies += 1
                    client.write(frame)
        return True

    def _take(self, payload: bytes, frame: bytes) -> None:
        """Take a frame from the device: an answer, a packet for all, or one that nobody asked for."""
        command = payload[0]
        request = self.pending.hear(command, payload)
        if request is not None:
            self._answered(request, payload, frame)
            return
        if is_for_all(command):
            self.counts["unsolicited"] += 1
            for client in tuple(self._clients):
                client.unsolicited += 1
                client.write(frame)
        else:
            self.counts["unasked"] += 1

    def _answered(self, request: PendingRequest, payload: bytes, frame: bytes) -> None:
        pending, known = self.pending, request.question
        if request.overdue:
            self.counts["late"] += 1
        if self.max_age and known.reading:
            known.kept = frame
            known.kept_at = self.now()
        if known.way >= 0 and request.owner is not None:
            request.owner.found()
        self._learn_from(known, payload)
        for client, times in request.waiters.items():
            for _ in times:
                self.reply(client, frame)
        if pending.overdue:
            for lost in pending.proved_lost(request):
                self._lost(lost)
        if request.greeting:
            self._greeted()
        elif self._queue.line:
            self._queue.pump()

    def _learn_from(self, known: SharedQuestion, payload: bytes) -> None:
        if known.command == Command.FILE_READ:
            self._queue.files.answered(payload)
        if known.way >= 0:
            self.pending.answered(known.way, known.command, self.now())
        elif known.command == Command.FW_VERSION:
            self.fw_version = payload
        elif known.command == Command.PING_CAN:
            self.pending.found(payload[1:], self.now())

    def _greeted(self) -> None:
        if self._greetings > 0:
            self._greet()
        else:
            self._begin()

    def reply(self, client: Waiter, frame: bytes) -> None:
        """Give a client the reply to one of its requests."""
        if not client.gone:
            client.open -= 1
            client.replies += 1
            client.write(frame)

    def _lost(self, request: PendingRequest) -> None:
        """Give up a reply; who asked well after the request was sent gets a request of their own."""
        now = self.now()
        self.pending.lost(request, now)
        for client, times in request.waiters.items():
            for asked in reversed(times):
                if asked > request.sent and request.question.kind is Effect.READ:
                    self._queue.give_back(client, request.question, asked)
                elif not client.gone:
                    client.open -= 1
                    client.unanswered += 1

    # The clock.

    def _set_alarm(self) -> None:
        """Have the clock look again when something is due next; not at all where nothing is under way."""
        if self.pending.open:
            self._alarm.by(min(request.due for request in self.pending.open))
        if self._queue.line or self._stalled_clients or not self._stream.clean:
            self._alarm.by(self.now() + GLANCE)
        if (stop := self._stops.due) is not None:
            self._alarm.by(max(stop, self.now()) if self._stops.open else self.now() + GLANCE)

    def _on_time(self) -> None:
        now = self.now()
        self._look_behind_headers(now)
        for request in self.pending.in_order():
            if now >= request.due and request in self.pending.open:
                self._expire(request)
        self._stops.on_time(now, now - self._keep)
        if self._full:
            for client in self._clients:
                self._queue.drop_unless(client, is_reading)
        self._queue.expire(now - self._keep)
        self._queue.pump()
        self._set_alarm()

    def _expire(self, request: PendingRequest) -> None:
        """Act on a reply that is late, or that is waited for no more."""
        if request.due < request.last:  # such as a search of another bus: it takes its time
            request.due = request.last
            self.pending.let_go(CAN_BUS, request)
            return
        if request.overdue:
            self._lost(request)
            return
        self.counts["timeouts"] += 1
        if request.question.kind is Effect.READ and request.question.timeout is None:
            self.pending.expire(request, self.now())
        else:
            self._lost(request)
        self._stream.give_up()
        if any(times[-1] > request.sent for times in request.waiters.values()):
            self.fence(request)
        if request.greeting:
            self._greetings = 0
            self._begin()

    def _look_behind_headers(self, now: float) -> None:
        self._stream.look_behind(now)
        for client in tuple(self._stalled_clients):
            since = client.stalled_since
            if since is not None and now - since >= STALL:
                client.look_behind(give_up=now - since >= 5 * STALL)
