"""The load on a relay: devices that answer each request with the same frame, and clients that ask."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, override

from benchmarks.relays import PASSWORD, device_id
from packwire.link.hub import Presence, ping_hub
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame

REQUEST = encode_frame(bytes([Command.BMS_GET_VALUES]))
#: As long as a real reply of a pack of 20 cells.
REPLY = encode_frame(bytes([Command.BMS_GET_VALUES]) + bytes(range(129)))
TICK = 0.002
#: So many connections are made at one time.
AT_ONCE = 200
LOGIN_PATIENCE = 20.0


class Device(asyncio.Protocol):
    """Answers every request; knows nothing of frames but their size."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(f"VESC:{device_id(self.number)}:{PASSWORD}\n\0".encode())

    @override
    def data_received(self, data: bytes) -> None:
        self.transport.write(REPLY if len(data) == len(REQUEST) else REPLY * (len(data) // len(REQUEST)))


class Client(asyncio.Protocol):
    """Asks; `again` asks anew as soon as the reply is there. Latencies go to `latencies`, in s."""

    def __init__(self, number: int, latencies: list[float]) -> None:
        self.number = number
        self.latencies = latencies
        self.again = False
        self.answered = asyncio.Event()
        self.transport: asyncio.Transport
        self.skipped = 0
        self._missing = 0
        self._asked = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(f"VESCTOOL:{device_id(self.number)}:{PASSWORD}\n".encode())

    def ask(self) -> None:
        """Send a request, unless the last has not been answered yet."""
        if self._missing:
            self.skipped += 1
            return
        self._missing = len(REPLY)
        self._asked = time.perf_counter()
        self.transport.write(REQUEST)

    @override
    def data_received(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing == 0:
            self.latencies.append(time.perf_counter() - self._asked)
            if self.again:
                self.ask()
            else:
                self.answered.set()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._missing = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load came to: requests, seconds, latencies in s, requests that found the last one unanswered."""

    requests: int
    seconds: float
    latencies: Sequence[float]
    skipped: int = 0

    @property
    def rate(self) -> float:
        """Return requests a second."""
        return self.requests / self.seconds

    def quantile(self, share: float) -> float:
        """Return a quantile of the latencies in ms."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else float("nan")


class Load:
    """Pairs of a device and its client at a relay."""

    def __init__(self, port: int, *, knows_ping: bool) -> None:
        self._knows_ping = knows_ping
        self.clients: list[Client] = []
        self.devices: list[Device] = []
        self._latencies: list[float] = []
        self._port = port

    async def grow(self, pairs: int) -> None:
        """Connect devices and clients until there are so many pairs, each asked once."""
        loop = asyncio.get_running_loop()
        while len(self.clients) < pairs:
            first = len(self.clients)
            numbers = range(first, min(pairs, first + AT_ONCE))
            devices = [Device(number) for number in numbers]
            for device in devices:
                await loop.create_connection(lambda device=device: device, "127.0.0.1", self._port)  # type: ignore[misc]
            if self._knows_ping:
                for number in numbers:
                    await self._logged_in(number)
            clients = [Client(number, self._latencies) for number in numbers]
            for client in clients:
                await loop.create_connection(lambda client=client: client, "127.0.0.1", self._port)  # type: ignore[misc]
            await asyncio.sleep(0.05)
            for client in clients:
                client.ask()
            async with asyncio.timeout(60):
                for client in clients:
                    await client.answered.wait()
            self.devices += devices
            self.clients += clients

    async def _logged_in(self, number: int) -> None:
        """Wait until the hub knows a device; it closes a client that comes before it."""
        async with asyncio.timeout(LOGIN_PATIENCE):
            while await ping_hub("127.0.0.1", self._port, device_id(number)) is not Presence.THERE:  # noqa: ASYNC110 - a process apart
                await asyncio.sleep(0.02)

    async def flat_out(self, seconds: float) -> Outcome:
        """Let every client ask again as soon as it is answered."""
        self._latencies.clear()
        began = time.perf_counter()
        for client in self.clients:
            client.again = True
            client.ask()
        await asyncio.sleep(seconds)
        outcome = Outcome(len(self._latencies), time.perf_counter() - began, tuple(self._latencies))
        for client in self.clients:
            client.again = False
        await asyncio.sleep(0.2)
        return outcome

    async def at_rate(self, hertz: float, seconds: float, clients: int | None = None) -> Outcome:
        """Let clients ask so often each, spread evenly; nobody asks while the last is unanswered."""
        asking = self.clients[:clients]
        self._latencies.clear()
        for client in asking:
            client.skipped = 0
        began = time.perf_counter()
        asked, total = 0, int(len(asking) * hertz * seconds)
        while asked < total:
            due = min(total, int((time.perf_counter() - began) * len(asking) * hertz))
            while asked < due:
                asking[asked % len(asking)].ask()
                asked += 1
            await asyncio.sleep(TICK)
        took = time.perf_counter() - began
        await asyncio.sleep(0.3)
        skipped = sum(client.skipped for client in asking)
        return Outcome(len(self._latencies), took, tuple(self._latencies), skipped)

    async def close(self) -> None:
        """Cut all connections."""
        for device in self.devices:
            device.transport.abort()
        for client in self.clients:
            client.transport.abort()
        await asyncio.sleep(0.1)
