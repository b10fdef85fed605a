"""`packwire share`: where to connect, who comes and goes, what is refused, and a clean end."""

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.vesc.commands import Command
from packwire.vesc.requests import request
from tests.cli.records import checked
from tests.cli.running import COMMAND, packwire
from tests.sim.raw import raw

PATIENCE = 90.0


@contextlib.asynccontextmanager
async def sharing(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """Run `packwire share` on a simulated VESC; gives the process and a way to its next line that matches."""
    async with SimulatedVesc(SimOptions(scenario="rest", speed=0.0)) as simulation:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            "share",
            str(simulation.address),
            "--listen",
            "0",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout
        said = process.stdout

        async def line(pattern: str) -> re.Match[str]:
            async with asyncio.timeout(PATIENCE):
                while text := (await said.readline()).decode():
                    if match := re.search(pattern, text):
                        return match
            raise AssertionError(f"no line with {pattern}")

        try:
            yield process, line
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_says_where_to_connect_who_comes_and_goes_and_what_is_refused():
    async with sharing() as (process, line):
        assert "VESC Express T, firmware 7.00" in (await line("is there")).string
        port = int((await line(r"is shared on 127\.0\.0\.1:(\d+)"))[1])
        await line("Reading alone passes")
        async with raw(port) as client:
            await line(r"127\.0\.0\.1:\d+ came")
            client.send(bytes((Command.SET_CURRENT, 0, 0, 1, 0)))
            await line(r"SET_CURRENT refused: not a reading command; --allow control lets it pass")
            reply = await client.ask_past_prints(request(Command.BMS_GET_VALUES))
            assert reply[0] == Command.BMS_GET_VALUES
        await line(r"127\.0\.0\.1:\d+ left: 2 requests, 1 replies")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            _, account = await process.communicate()
        assert process.returncode == 0
        assert account.decode().startswith("2 requests   1 sent to the device")
        assert "1 refused" in account.decode()


async def test_json_lines_tell_the_age_of_what_is_given_out():
    async with sharing("--json", "--max-age", "10", "--allow", "config,lisp") as (_, line):
        listening = checked((await line('"listening"')).string)[0]
        assert listening["allowed"] == ["config", "lisp"]
        async with raw(listening["port"]) as client:
            await client.ask(request(Command.BMS_GET_VALUES))
            status = checked((await line('"status".*"kept": .{"command": 96')).string)[0]
            assert 0 <= status["kept"][0]["age"] < 10
            assert status["seats"][0]["replies"] == 1


async def test_json_lines_name_a_client_alike_when_it_comes_and_when_it_leaves():
    async with sharing("--json") as (_, line):
        listening = checked((await line('"listening"')).string)[0]
        async with raw(listening["port"]):
            came = checked((await line('"came"')).string)[0]
        left = checked((await line('"left"')).string)[0]
        assert came["name"] == left["name"]


async def test_clients_that_come_by_the_hundred_are_told_by_their_number():
    async with sharing("--json") as (_, line):
        port = checked((await line('"listening"')).string)[0]["port"]
        for _ in range(100):
            async with raw(port):
                pass
        untold = checked((await line('"untold"')).string)[0]
        assert untold["came"] + untold["left"] > 0


async def test_an_output_that_nobody_reads_holds_up_nobody():
    async with sharing("--json") as (process, line):
        port = checked((await line('"listening"')).string)[0]["port"]
        stdout: Any = process.stdout
        output = stdout._transport
        output.pause_reading()
        for _ in range(120):
            async with raw(port) as client:
                # Each is refused with a line of its own.
                client.send(*(bytes((Command.FORWARD_CAN, 84, number)) for number in range(5, 12)))
                reply = await client.ask_past_prints(request(Command.BMS_GET_VALUES))
                assert reply[0] == Command.BMS_GET_VALUES
        output.resume_reading()


async def test_a_reader_that_has_seen_enough_ends_it_quietly():
    async with sharing("--json") as (process, line):
        port = checked((await line('"listening"')).string)[0]["port"]
        assert process.stderr
        stdout: Any = process.stdout
        stdout._transport.close()
        async with raw(port), asyncio.timeout(PATIENCE):
            errors = await process.stderr.read()
            assert await process.wait() == 0
        assert "Traceback" not in errors.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("vesc://127.0.0.1:1",), 3, "refused the connection"),
        (("sim:vesc", "--allow", "motor"), 2, "the words are control, config"),
        (("sim:vesc/can/84",), 2, "leave out /can/"),
        (("sim:vesc", "--listen", "70000"), 2, "a port is 0 to 65535"),
        (("sim:vesc", "--max-age", "99"), 2, "give 0 to 10 seconds"),
        (("sim:vesc", "--announce"), 2, "add --listen 0.0.0.0:65102"),
        (("sim:vesc", "--announce", "--host", "localhost"), 2, "add --listen 0.0.0.0:65102"),
        (("sim:vesc", "--announce", "--host", "127.0.0.2"), 2, "add --listen 0.0.0.0:65102"),
        (("sim:vesc", "--announce", "--host", "::"), 2, "broadcast of IPv4"),
        (("sim:vesc", "--host", "nowhere.example"), 2, "name one with --host"),
    ],
)
async def test_what_cannot_be_is_said_in_a_line(arguments, code, words):
    result = await packwire("share", *arguments, "--for", "1")
    assert result.code == code
    assert words in result.err
    assert result.out == ""
