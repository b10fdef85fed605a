"""A client that sees every byte, for tests of what the simulator puts on the wire."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.vesc.commands import Command
from packwire.vesc.framing import Framer, encode_frame

#: Long enough for a reply on a busy machine; a test that waits for so long fails.
PATIENCE = 90.0
#: Long enough for a reply that must not come.
QUIET = 0.06

QUICK: dict[str, Any] = {"ping_time": 0.05, "can_delay": 0.001, "speed": 0.0}


class Raw:
    """One TCP connection; `received` holds all bytes that came, `chunks` as they came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.framer = Framer()
        self.chunks: list[bytes] = []
        self.payloads: list[bytes] = []
        self.closed = False

    @classmethod
    async def open(cls, port: int, first: bytes = b"") -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        return cls(reader, writer)

    @property
    def received(self) -> bytes:
        return b"".join(self.chunks)

    def send(self, *payloads: bytes) -> None:
        self.writer.write(b"".join(encode_frame(payload) for payload in payloads))

    async def read(self) -> bytes:
        """Return the next bytes, empty where the other end has closed; raise ConnectionResetError."""
        async with asyncio.timeout(PATIENCE):
            data = await self.reader.read(65536)
        self.chunks.append(data)
        self.closed = not data
        self.payloads += [frame.payload for frame in self.framer.feed(data)]
        return data

    async def reply(self) -> bytes:
        """Return the next frame's payload."""
        while not self.payloads:
            assert await self.read(), "closed instead of a reply"
        return self.payloads.pop(0)

    async def replies(self, count: int) -> list[bytes]:
        return [await self.reply() for _ in range(count)]

    async def ask(self, payload: bytes) -> bytes:
        self.send(payload)
        return await self.reply()

    async def ask_past_prints(self, payload: bytes) -> bytes:
        """Ask, and pass over the texts in which a refusal is said."""
        self.send(payload)
        while (reply := await self.reply())[0] == Command.PRINT:
            pass
        return reply

    async def is_silent(self, seconds: float = QUIET) -> bool:
        """Tell that nothing comes, and that the connection stays open."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                data = await self.reader.read(65536)
                self.chunks.append(data)
                return False
        return True

    async def until_closed(self) -> bytes:
        """Read to the end of the connection (a reset counts) and return all that came."""
        with contextlib.suppress(ConnectionError):
            while await self.read():
                pass
        self.closed = True
        return self.received

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def raw(port: int, first: bytes = b"") -> AsyncIterator[Raw]:
    client = await Raw.open(port, first)
    try:
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def simulated(*faults: str, **options: Any) -> AsyncIterator[SimulatedVesc]:
    """Start a simulation with small times whose physics stands still, and see that nothing of it remains."""
    before = asyncio.all_tasks()
    settings = {"scenario": "rest", **QUICK, **options}
    async with SimulatedVesc(SimOptions(faults=faults, **settings)) as sim:
        yield sim
    assert asyncio.all_tasks() == before


@contextlib.asynccontextmanager
async def vesc_and_client(*faults: str, **options: Any) -> AsyncIterator[tuple[SimulatedVesc, Raw]]:
    async with simulated(*faults, **options) as sim, raw(sim.port) as client:
        yield sim, client


@contextlib.asynccontextmanager
async def hub_with_device(**options: Any) -> AsyncIterator[tuple[SimulatedHub, SimulatedVesc]]:
    """A hub, and a device TESTPACK with the password secret42 logged in at it."""
    async with SimulatedHub(**options) as hub:
        vesc = {
            "port": None,
            "hub": ("127.0.0.1", hub.port),
            "hub_id": "TESTPACK",
            "hub_password": "secret42",
        }
        async with simulated(**vesc) as sim:
            async with asyncio.timeout(PATIENCE):
                await hub.device_connected("TESTPACK")
            yield hub, sim


async def eventually(condition: Any) -> None:
    """Wait until `condition()` is true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)
