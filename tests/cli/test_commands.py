"""The other commands, help, completion, and what holds for all of them."""

import asyncio
import re
import subprocess
import sys

import pytest

from packwire.sim.server import SimOptions, SimulatedVesc
from tests.cli.records import checked
from tests.cli.running import packwire


async def test_scan_finds_an_announced_vesc():
    options = SimOptions(broadcast="127.0.0.1", broadcast_port=45109, ping_time=0.05)
    async with SimulatedVesc(options) as simulation:
        result = await packwire("scan", "--for", "1.6", "--port", "45109")
        as_json = await packwire("scan", "--for", "1.6", "--port", "45109", "--json")
    assert result.code == 0
    assert f"vesc://127.0.0.1:{simulation.port}" in result.out
    finds = checked(as_json.out)
    assert {"tcp"} <= {find["link"] for find in finds}


async def test_help_names_every_command():
    result = await packwire("--help")
    assert result.code == 0
    for command in ("read", "watch", "scan", "decode", "sim", "demo"):
        assert re.search(rf"^│ {command} ", result.out, re.MULTILINE), command
    assert "exit codes" in result.out


@pytest.mark.parametrize("command", ["read", "watch", "scan", "decode", "sim vesc", "sim hub", "demo"])
async def test_each_command_has_help(command):
    result = await packwire(*command.split(), "--help")
    assert result.code == 0
    assert "Usage: packwire" in result.out


async def test_version():
    result = await packwire("--version")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", result.out)


async def test_an_unknown_command_or_option_is_wrong_use():
    assert (await packwire("reed")).code == 2
    assert (await packwire("read", "sim:vesc", "--speed")).code == 2


async def test_a_reader_that_goes_early_is_no_error():
    async with SimulatedVesc(SimOptions(ping_time=0.05)) as simulation:
        command = f"{sys.executable} -m packwire watch {simulation.address} --count 30 --rate 100 --json | head -n 1"
        process = await asyncio.create_subprocess_shell(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, executable="/bin/bash"
        )
        out, err = await process.communicate()
    assert len(out.splitlines()) == 1
    assert err == b""


def test_reading_a_vesc_loads_no_models():
    code = (
        "import sys, packwire.cli.main\n"
        "sys.argv = ['packwire', 'read', 'vesc://127.0.0.1:9']\n"
        "try: packwire.cli.main.main()\n"
        "except SystemExit: print([name for name in sys.modules if name.startswith('packwire.models.')])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, stderr=subprocess.DEVNULL)
    assert out == "['packwire.models.store']\n"


def test_reading_a_vesc_loads_neither_numpy_nor_pydantic():
    code = (
        "import sys, packwire.cli.main, packwire.cli.commands.read, packwire.cli.commands.watch, packwire.link.tcp, packwire.link.hub\n"
        "print([name for name in ('numpy', 'pydantic', 'serialx', 'keyring', 'yaml') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
