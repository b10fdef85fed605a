"""A line's probes: which message answers which request, and what is kept of all else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from packwire.doctor.line import Line
from packwire.doctor.transcript import Transcript
from packwire.link.tcp import TcpLink
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.protocol import VescProtocol
from packwire.vesc.requests import request

VERSION, PACK = request(Command.FW_VERSION), request(Command.BMS_GET_VALUES)
VERSION_REPLY, PACK_REPLY = bytes((Command.FW_VERSION, 6, 5)), bytes((Command.BMS_GET_VALUES, *range(50)))
PRINT = encode_frame(bytes((Command.PRINT,)) + b"hello")

type Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def line_to(talk: Talk) -> AsyncIterator[Line]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        await reader.read()  # until the line leaves
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = Line(TcpLink("127.0.0.1", port), 1, Transcript(), VescProtocol())
    await line.open()
    try:
        yield line
    finally:
        await line.close()
        server.close()
        await server.wait_closed()


async def test_two_requests_are_answered_in_the_other_order_and_in_one_read():
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(encode_frame(VERSION)) + len(encode_frame(PACK)))
        writer.write(PRINT + encode_frame(PACK_REPLY) + encode_frame(VERSION_REPLY))

    async with line_to(talk) as line:
        version, pack = line.send(VERSION), line.send(PACK)
        one, two = await line.await_reply(version, 5), await line.await_reply(pack, 5)
    assert (one.reply, two.reply) == (VERSION_REPLY, PACK_REPLY)
    assert one.read == two.read
    assert one.frame == encode_frame(VERSION_REPLY)
    assert [each.name for each in one.others] == ["PRINT"]
    assert (line.surplus, len(line.unsolicited)) == (0, 1)


async def test_a_reply_to_what_was_given_up_is_surplus_and_answers_when_it_is_expected_again():
    may_answer = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(encode_frame(VERSION)))
        await may_answer.wait()
        writer.write(encode_frame(VERSION_REPLY) * 2)

    async with line_to(talk) as line:
        pending = line.send(VERSION)
        assert (await line.await_reply(pending, 0.01)).reply is None
        line.expect_again(pending)
        may_answer.set()
        assert (await line.await_reply(pending, 5)).reply == VERSION_REPLY
        await asyncio.sleep(0.05)
        assert line.surplus == 1


async def test_an_echo_is_no_reply():
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(len(encode_frame(VERSION))))

    async with line_to(talk) as line:
        probe = await line.ask(VERSION, None, 0.2)
    assert probe.reply is None
    assert line.echoes == 1


async def test_a_frame_that_is_cut_off_by_the_end_is_told():
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(encode_frame(PACK)))
        writer.write(encode_frame(PACK_REPLY)[:20])
        await writer.drain()
        writer.close()

    async with line_to(talk) as line:
        probe = await line.ask(PACK, None, 5)
    assert probe.closed
    assert probe.cut is not None
    assert (probe.cut.arrived, probe.cut.expected) == (20, len(encode_frame(PACK_REPLY)))
    assert line.disconnect is not None
    assert line.disconnect.mid_frame == probe.cut
