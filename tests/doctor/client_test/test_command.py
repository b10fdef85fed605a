"""`packwire doctor --my-client` as a user runs it."""

import asyncio
import contextlib
import signal
import sys
from typing import Any

import pytest

from tests.cli.records import checked
from tests.doctor.client_test import clients


class Quick(clients.FifteenBits):
    timeout = 0.15


@contextlib.asynccontextmanager
async def examined(*arguments, client=None):
    """Run the command on a free port, let a client connect; yield the process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "packwire", "doctor", "--my-client", "127.0.0.1:0", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    running = None
    try:
        async with asyncio.timeout(90):
            out: Any = process.stderr if "--json" in arguments else process.stdout
            words = (await out.readline()).decode().split()
        port = int(next(word for word in words if word.startswith("127.0.0.1:")).rpartition(":")[2])
        if client is not None:
            running = asyncio.create_task(client(port).run())
        yield process
    finally:
        if running:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_it_shows_each_trial_and_ends_with_the_verdict_and_a_report(tmp_path):
    report = tmp_path / "client.md"
    async with examined("--report", str(report), client=Quick) as process:
        async with asyncio.timeout(90):
            out, err = (each.decode() for each in await process.communicate())
    assert process.returncode == 11, err
    assert "a client connected" in out
    assert "NOT taken" in out
    assert "VERDICT (certain): It took 80 to 127 bytes and 256 to 511 bytes of payload" in out
    assert "remedy: start byte 02 is followed by ONE length byte" in out
    assert "| a reply of 128 bytes | 128 | no |" in report.read_text()
    assert "secret42" not in out + report.read_text()


async def test_json_for_a_script():
    async with examined("--json", client=clients.Client) as process:
        async with asyncio.timeout(90):
            out, _ = await process.communicate()
    (record,) = checked(out.decode() if isinstance(out, bytes) else out)
    assert record["verdict"] == "ok"
    assert record["findings"] == []
    assert record["command"] == "BMS_GET_VALUES"
    assert {each["size"] for each in record["trials"] if each["purpose"] == "length"} >= {127, 128, 255, 256}


@pytest.mark.parametrize("how", ["ctrl-c", "limit"])
async def test_it_can_be_ended_and_says_what_is_known(how):
    arguments = ("--limit", "0.2") if how == "limit" else ()
    async with examined(*arguments) as process:
        if how == "ctrl-c":
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(90):
            out, _ = await process.communicate()
    assert "VERDICT: cannot tell." in out.decode()
    assert "no client connected" in out.decode()
    assert process.returncode == 7
