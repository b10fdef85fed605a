"""Dialling works on every event loop that packwire is run with."""

import asyncio

import pytest

from packwire.errors import Reason, UnreachableError
from packwire.link.hub import Presence, ping_hub
from packwire.link.tcp import TcpLink
from tests.link.test_events import Deaf

uvloop = pytest.importorskip("uvloop")


async def knows_nobody(reader, writer):
    if await reader.readline():
        writer.write(b"NULL\n")
        await writer.drain()
    writer.close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_dialling(new_loop):
    async def dial():
        server = await asyncio.start_server(knows_nobody, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            assert await ping_hub("127.0.0.1", port, "NOBODY") is Presence.NOT_THERE
            link = TcpLink("127.0.0.1", port)
            await link.open(Deaf())
            await link.close()
        with pytest.raises(UnreachableError) as caught:
            await TcpLink("127.0.0.1", 1).open(Deaf())
        assert caught.value.reason is Reason.PORT_REFUSED

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(dial())


class Listener:
    """Keeps what comes."""

    def __init__(self):
        self.came = bytearray()
        self.closed = asyncio.Event()

    def data_received(self, data):
        assert isinstance(data, bytes)
        self.came += data

    def link_closed(self, error):
        self.closed.set()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_is_longer_than_the_buffer_comes_whole_and_in_order(new_loop):
    sent = bytes(range(256)) * 1000

    async def serve(reader, writer):
        writer.write(sent)
        await writer.drain()
        writer.close()

    async def receive():
        listener = Listener()
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            await TcpLink("127.0.0.1", server.sockets[0].getsockname()[1]).open(listener)
            await listener.closed.wait()
        assert listener.came == sent

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(receive())
