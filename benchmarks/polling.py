"""BMS_GET_VALUES polls a second over loopback, beside the least that an asyncio client can do."""

import asyncio
import time

from benchmarks.figure import Figure
from benchmarks.simulator import simulator
from packwire.device.client import Client
from packwire.link.tcp import TcpLink
from packwire.protocol.base import Options
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.protocol import VescProtocol
from packwire.vesc.replies import BMS_GET_VALUES
from packwire.vesc.requests import request
from packwire.vesc.session import VescSession

POLLS = 3000
ROUNDS = 5
POLL = request(Command.BMS_GET_VALUES)


def measure() -> list[Figure]:
    """Return polls a second for both."""
    with simulator() as port:
        ours, least = asyncio.run(_rounds(port))
    return [
        Figure("BMS_GET_VALUES polls, checked and decoded, packwire", ours, "a second", at_least=4000),
        Figure("the same bytes by a bare asyncio Protocol that looks at none of them", least, "a second"),
        Figure("packwire's rate / the bare one's", ours / least, "times"),
    ]


async def _rounds(port: int) -> tuple[float, float]:
    ours = least = 0.0
    for _ in range(ROUNDS):
        ours = max(ours, await _packwire(port))
        least = max(least, await _bare(port))
    return ours, least


async def _packwire(port: int) -> float:
    client = Client(TcpLink("127.0.0.1", port), VescProtocol())
    session = VescSession(client, Options())
    await client.connect(session)
    started = time.perf_counter()
    for _ in range(POLLS):
        reply = BMS_GET_VALUES.decode(await session.ask(POLL)).reply
        assert reply.cell_num == 20
    rate = POLLS / (time.perf_counter() - started)
    assert client.stats.timeouts == 0
    await client.close()
    await asyncio.sleep(0.05)  # the device takes one client at a time
    return rate


class _Bare(asyncio.Protocol):
    """Asks again whenever a whole reply has come, by its size alone."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.left = POLLS
        self.pending = size
        self.done = asyncio.get_running_loop().create_future()
        self.frame = encode_frame(POLL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.frame)

    def data_received(self, data: bytes) -> None:
        self.pending -= len(data)
        if self.pending > 0:
            return
        self.pending = self.size
        self.left -= 1
        if self.left:
            self.transport.write(self.frame)
        elif not self.done.done():
            self.done.set_result(None)


async def _bare(port: int) -> float:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    transport, protocol = await loop.create_connection(lambda: _Bare(135), "127.0.0.1", port)
    await protocol.done
    rate = POLLS / (time.perf_counter() - started)
    transport.abort()
    await asyncio.sleep(0.05)
    return rate
