"""`packwire hub` and `packwire hub password` as a user runs them."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.hub.hubs import DEVICE, PASSWORD
from tests.sim.raw import raw

COMMAND = (sys.executable, "-m", "packwire", "hub")


def run(*arguments, said="", folder=None):
    return subprocess.run(
        [*COMMAND, *arguments],
        input=said,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=30,
        check=False,
    )


def test_a_password_is_asked_for_and_kept_hashed(tmp_path):
    done = run("password", "test pack", said="secret42\n", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "The password of TESTPACK is set in hub.credentials.\n")
    assert "secret42" not in (tmp_path / "hub.credentials").read_text()
    done = run("password", "TESTPACK", "--remove", folder=tmp_path)
    assert done.stdout == "TESTPACK is removed from hub.credentials.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name the passwords with --credentials FILE"),
        (("--credentials", "nowhere"), 9, "there is no credentials file nowhere"),
        (("--open", "--tls-port", "1"), 2, "TLS needs both --tls-port and --certificate"),
        (
            ("--open", "--listen", "127.0.0.1:0", "--tls-port", "0", "--certificate", "x"),
            9,
            "TLS certificate x",
        ),
        (("--open", "--allow", "fly"), 2, "'fly'"),
        (("password", "AB"), 2, "at least 3 characters"),
        (("password", "TESTPACK"), 2, "an empty password lets everybody in"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(tmp_path, arguments, code, said):
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_it_logs_json_reloads_and_stops(tmp_path):
    assert run("password", "TESTPACK", said=PASSWORD, folder=tmp_path).returncode == 0
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--listen", "127.0.0.1:0", "--credentials", "hub.credentials", "--http-port", "0", "--log-json",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines = process.stdout
    assert lines is not None

    async def event(name):
        async with asyncio.timeout(20):
            while True:
                line = json.loads(await lines.readline())
                assert PASSWORD not in str(line)
                if line["event"] == name:
                    return line

    port = (await event("hub listens"))["port"]
    assert "metrics" in (await event("metrics and health"))["url"]
    assert (await event("ready"))["loop"] in {"uvloop", "asyncio.unix_events"}
    async with raw(port, DEVICE) as device:
        assert (await event("device logged in"))["id"] == "TESTPACK"
        os.kill(process.pid, signal.SIGHUP)
        assert (await event("reloaded"))["devices_ended"] == 0
        (tmp_path / "hub.credentials").write_text("TESTPACK:secret42\n")
        os.kill(process.pid, signal.SIGHUP)
        assert "line 1" in (await event("not reloaded"))["reason"]
        assert await device.is_silent()
        os.kill(process.pid, signal.SIGTERM)
        assert await device.until_closed() == b""
    assert await process.wait() == 0
