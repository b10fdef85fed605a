"""Clients that are none: silent, endless, something else altogether. Each ends with a clear word."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from packwire.doctor.client_test import asking, judge
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.trials import NO_FRAMER
from packwire.doctor.vesc.client_test import lengths
from packwire.doctor.vesc.client_test.dialects import DIALECTS
from packwire.doctor.vesc.client_test.played import VESC
from packwire.doctor.vesc.misreadings import RULES
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from tests.doctor.client_test import clients

ROOT = Path(__file__).parents[3]
ASK = encode_frame(bytes((Command.BMS_GET_VALUES,)))


async def met(send: bytes):
    """Let a client send this and then nothing; return the verdict and what was told meanwhile."""
    told: list[str] = []
    async with ClientTest(told.append, VESC, patience=0.1) as test:
        _, writer = await asyncio.open_connection("127.0.0.1", test.port)
        writer.write(send)
        async with asyncio.timeout(90):
            verdict = await test.run()
        writer.close()
    return verdict, told


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "sent no request"),
        (b"VESCTOOL:MYPACK:secret42\n", "sent no request"),
        (b"VESC:MYPACK:secret42\n\0", "logged in as a device"),
        (b"GET / HTTP/1.1\r\nHost: packwire.example\r\n\r\n", "speaks HTTP"),
    ],
    ids=["nothing", "login only", "device", "HTTP"],
)
async def test_who_sends_no_request_is_told_so_and_then_it_ends(sent, words):
    verdict, told = await met(sent)
    assert verdict.key == "undecided"
    assert words in verdict.undecided[0]
    assert any("waiting for a request" in line for line in told)
    assert "secret42" not in f"{verdict}{told}"


@pytest.mark.parametrize("begin", [b"", b"VESC", b"PING"])
async def test_a_megabyte_without_a_frame_ends_too(begin):
    verdict, _ = await met(begin + bytes((0x55,)) * (1 << 20))
    assert verdict.key == ("undecided" if begin else "requests-broken") or verdict.findings


async def test_only_what_nobody_answers_ends():
    async with ClientTest(lambda _: None, VESC) as test:
        _, writer = await asyncio.open_connection("127.0.0.1", test.port)
        writer.write(encode_frame(bytes((Command.GET_CUSTOM_CONFIG, 0))) * 60)
        async with asyncio.timeout(90):
            verdict = await test.run()
        writer.close()
    assert "it asked only what is not played here: GET_CUSTOM_CONFIG" in verdict.undecided


async def test_who_begins_with_something_else_is_examined_by_what_it_asks_then():
    class FirmwareFirst(clients.Client):
        async def talk(self, reader, writer):
            for _ in range(5):
                writer.write(encode_frame(bytes((Command.FW_VERSION,))))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.timeout):
                        await self.reply(reader, Command.FW_VERSION)
            await super().talk(reader, writer)

    told: list[str] = []
    async with ClientTest(told.append, VESC) as test:
        running = asyncio.create_task(FirmwareFirst(test.port).run())
        async with asyncio.timeout(90):
            verdict = await test.run()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert "what it does after a reply to BMS_GET_VALUES, and after none" in told
    assert verdict.ok, verdict


async def test_who_asks_and_never_reads_is_not_read_either():
    async with ClientTest(lambda _: None, VESC) as test:
        _, writer = await asyncio.open_connection("127.0.0.1", test.port)
        transport: Any = writer.transport
        transport.pause_reading()
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 60_000_000:
                writer.write(ASK * 20_000)
                async with asyncio.timeout(1):
                    await writer.drain()
                sent += 20_000 * len(ASK)
        session: Any = test._session
        assert session is None or session._transport.get_write_buffer_size() < 4 << 20
        assert sent < 60_000_000
        writer.transport.abort()


async def test_thousands_of_connections_leave_one():
    async with ClientTest(lambda _: None, VESC) as test:
        for _ in range(2000):
            _, writer = await asyncio.open_connection("127.0.0.1", test.port)
            writer.transport.abort()
        verdict, found = await run_beside(test)
    assert verdict.ok, verdict
    assert found.done


async def run_beside(test):
    """Let a right client be examined, whatever came before."""
    running = asyncio.create_task(clients.OneTry(test.port).run())
    async with asyncio.timeout(90):
        verdict = await test.run()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return verdict, test.findings


def test_every_verdict_is_documented():
    page = (
        (ROOT / "docs/reference/verdicts.md")
        .read_text()
        .partition("## `doctor --my-client`")[2]
        .partition("\n## ")[0]
    )
    listed = {
        key
        for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
        for key in re.findall("`([^`]+)`", row)
    }
    written = set()
    for module in (asking, judge, lengths):
        source = Path(str(module.__file__)).read_text()
        written |= set(re.findall(r'fault\(\s*"([\w-]+)"', source))
    by_rule = {rule.key for rule in RULES} | (DIALECTS.keys() - {"right"}) | NO_FRAMER.keys()
    assert listed >= written | {"ok", "undecided"}
    assert listed <= written | by_rule | {"ok", "undecided"}
    assert by_rule <= listed
