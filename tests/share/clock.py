"""A clock that a test turns, in the place of the asyncio loop's, and ends without sockets."""

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from packwire.share.device import SharedDevice
from packwire.share.permissions import READ_ONLY, Policy
from packwire.vesc.framing import Framer, encode_frame


class Handle:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """`time()` and `call_at()` as an asyncio loop has them; `advance` lets time pass."""

    def __init__(self) -> None:
        self.now = 100.0
        self._calls: list[tuple[float, int, Handle]] = []
        self._number = itertools.count()

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> Handle:
        handle = Handle(call)
        heapq.heappush(self._calls, (when, next(self._number), handle))
        return handle

    def call_later(self, delay: float, call: Callable[[], None]) -> Handle:
        return self.call_at(self.now + delay, call)

    @property
    def pending(self) -> int:
        return sum(not handle.cancelled for _, _, handle in self._calls)

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._calls and self._calls[0][0] <= end:
            when, _, handle = heapq.heappop(self._calls)
            if not handle.cancelled:
                self.now = max(self.now, when)
                handle.call()
        self.now = end


class Client:
    """A client without a socket; `got` lists the payloads that it was sent."""

    def __init__(self, device: SharedDevice, name: str = "client") -> None:
        self.got: list[bytes] = []
        self._framer = Framer()
        self.seat = device.join(self._write, name)

    def _write(self, data: bytes) -> None:
        self.got += [frame.payload for frame in self._framer.feed(data)]

    def ask(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.seat.received(encode_frame(payload))

    def take(self) -> list[bytes]:
        got, self.got = self.got, []
        return got


class Bench:
    """A shared device on a clock of its own: `asked` lists the payloads that it got, `answer` replies."""

    def __init__(self, policy: Policy = READ_ONLY, *, flush: bool = False, **options: Any) -> None:
        self.clock = Clock()
        self.asked: list[bytes] = []
        self.written: list[bytes] = []
        self.told: list[str] = []
        self.device = SharedDevice(policy, loop=self.clock, tell=self.told.append, **options)  # type: ignore[arg-type]
        self._framer = Framer()
        self.connect(flush=flush)

    def connect(self, **options: Any) -> None:
        self.device.device_connected(self._write, **options)

    def _write(self, data: bytes) -> None:
        self.written.append(data)
        self.asked += [frame.payload for frame in self._framer.feed(data)]

    def client(self, name: str = "client") -> Client:
        return Client(self.device, name)

    def clients(self, count: int) -> list[Client]:
        return [self.client(f"client {number}") for number in range(count)]

    def answer(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.device.device_received(encode_frame(payload))

    def take(self) -> list[bytes]:
        asked, self.asked = self.asked, []
        return asked
