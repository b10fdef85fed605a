"""What a link says of its life."""

import asyncio

import pytest

from packwire.errors import Reason, UnreachableError
from packwire.event import Event, EventKind
from packwire.link.tcp import TcpLink


class Deaf:
    def __init__(self):
        self.ended = asyncio.Event()

    def data_received(self, data):
        pass

    def link_closed(self, error):
        self.ended.set()


async def server(serve):
    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def test_a_link_that_is_closed_by_the_other_end_and_one_that_is_left():
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.close()

    listening = await server(hang_up)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        for leaves in (False, True):
            link, receiver, events = TcpLink("127.0.0.1", port), Deaf(), list[Event]()
            link.listeners.append(events.append)
            await link.open(receiver)
            if leaves:
                await link.close()
            else:
                link.write(b"x")
                await asyncio.wait_for(receiver.ended.wait(), 20)
            assert [event.kind for event in events] == [
                EventKind.CONNECTING,
                EventKind.CONNECTED,
                EventKind.LEFT if leaves else EventKind.CLOSED,
            ]
            assert {event.link for event in events} == {link.name}
            assert [event.time for event in events] == sorted(event.time for event in events)
            await link.close()


async def test_a_link_that_cannot_be_opened_says_why():
    listening = await server(lambda *_: None)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    link, events = TcpLink("127.0.0.1", port), list[Event]()
    link.listeners.append(events.append)
    with pytest.raises(UnreachableError):
        await link.open(Deaf())
    assert [event.kind for event in events] == [EventKind.CONNECTING, EventKind.FAILED]
    assert events[-1].reason is Reason.PORT_REFUSED
    assert "refused the connection" in events[-1].words
