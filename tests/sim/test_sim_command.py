"""`packwire sim` as a user runs it: what it prints, how it ends, and what it says when it cannot start."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from packwire.errors import BadAddressError, BadOptionError
from packwire.sim.faults import FAULTS
from tests.sim.raw import PATIENCE, raw

cli = pytest.importorskip("packwire.cli.commands.sim", reason="the command line needs cyclopts and rich")

SOURCES = Path(__file__).resolve().parents[2] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONUNBUFFERED": "1"}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str]:
    code = cli.app(list(arguments), result_action="return_value", exit_on_error=False)
    return code, capsys.readouterr().out


def test_it_says_where_it_listens_and_ends_in_time(capsys):
    code, printed = run(
        capsys, "vesc", "--listen", "0", "--for", "0.05", "--fault", "delay:0.4", "--fault", "prints"
    )
    assert code == 0
    assert re.search(r"packwire read vesc://127\.0\.0\.1:\d+", printed)
    assert f"Fault delay:0.4,1: {FAULTS['delay'].summary}." in printed
    assert "Fault prints" in printed


def test_a_hub_with_its_device(capsys):
    code, printed = run(capsys, "hub", "--listen", "0", "--vesc", "--for", "0.1")
    assert code == 0
    assert re.search(r"packwire read veschub://SIMPACK@127\.0\.0\.1:\d+", printed)
    assert "a device logged in" in printed


def test_a_chosen_password_is_not_shown(capsys):
    hub = ("--hub", "127.0.0.1:9", "--hub-id", "MYPACK", "--hub-password", "hush77")
    _, printed = run(capsys, "vesc", "--listen", "0", "--for", "0.05", *hub)
    assert "veschub://MYPACK@127.0.0.1:9" in printed
    assert "hush77" not in printed


def test_the_list_of_faults(capsys):
    _, printed = run(capsys, "faults")
    assert all(kind.usage in printed and kind.summary in printed for kind in FAULTS.values())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["vesc", "--fault", "nonsense"], BadOptionError),
        (["vesc", "--scenario", "fly"], BadOptionError),
        (["vesc", "--for", "-1"], BadOptionError),
        (["vesc", "--soc", "120"], BadOptionError),
        (["vesc", "--hub", "a b:c"], BadAddressError),
        (["hub", "--fault", "http"], BadOptionError),
    ],
)
def test_wrong_use(capsys, arguments, error):
    with pytest.raises(error):
        run(capsys, *arguments)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly(number):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "packwire", "sim", "vesc", "--listen", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(6 * PATIENCE):
            await process.stdout.readline()
            port = int((await process.stdout.readline()).rpartition(b":")[2])
            async with raw(port) as client:
                assert len(await client.ask(b"\x60")) == 130
            process.send_signal(number)
            printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    assert complaints == b""
    assert b"connected" in printed


def test_neither_numpy_nor_pydantic_is_loaded():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, packwire.sim.server, packwire.sim.hub; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    ).stdout.split()
    assert not {"numpy", "pydantic", "cyclopts", "rich", "serialx"} & set(loaded)
