"""Every command of the tree, and a line that runs each to its end with something to show."""

import asyncio
import atexit
import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache

import pytest
from cyclopts import App

from packwire.cli.main import COMMANDS, app
from packwire.models.store import library
from tests.cli.running import COMMAND

#: All models are simulated by one command; that of JBD stands for it.
_LIKE_JBD = set(library()) - {"jbd"}


def commands() -> Iterator[tuple[str, App]]:
    """Yield each command with its name, those of commands with commands of their own too."""
    for name in COMMANDS:
        yield from _with_below(name, app[name])


def _with_below(name: str, command: App) -> Iterator[tuple[str, App]]:
    below = [each for each in command if not each.startswith("-") and each not in _LIKE_JBD]
    if command.default_command is not None:
        yield name, command
    for each in below:
        yield from _with_below(f"{name} {each}", command[each])


@cache
def on_the_air() -> str:
    """Return the address of a pack on a virtual air, which a process of its own serves until the tests end."""
    words = (*COMMAND, "sim", "jbd", "--bluetooth", "--speed", "0")
    served = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    atexit.register(served.kill)
    assert served.stdout is not None
    said = (re.search("ble://[^']+", line) for line in served.stdout)
    return next(found[0] for found in said if found)


def lines(folder: str) -> dict[str, str]:
    """Return a command line for each command; `folder` holds session.pcap, app.apk, ON_THE_AIR is a pack there."""
    file = f"{folder}/session.pcap"
    return {
        "read": "read sim:vesc",
        "watch": "watch sim:vesc --count 2",
        "log": f"log sim:vesc -o {folder}/log.csv --for 0.5 --every 0.2",
        "settings": "settings sim:jbd --allow factory-mode",
        "events": "events sim:jbd",
        "scan": "scan --for 0.1",
        "name": "name",
        "doctor": "doctor sim:vesc --quick",
        "compare": f"compare {file} {file}",
        "tap": "tap --upstream 127.0.0.1:9 --listen 0 --for 0.2",
        "decode": f"decode {file}",
        "capture": "capture ios",
        "explore": "explore ON_THE_AIR --for 0.1",
        "record": f"record sim:vesc -o {folder}/recorded.pcapng --count 2 --every 0.1",
        "info": f"info {file}",
        "messages": f"messages {file}",
        "groups": f"groups {file}",
        "pairs": f"pairs {file}",
        "diff": f"diff {file} {file}",
        "fields": f"fields {file}",
        "checksum": "checksum dda50300fffd77 dda50400fffc77",
        "find": f"find {file} 80.0V",
        "draft": f"draft {file} --out {folder}/draft.yaml --force",
        "plot": f"plot {file} 60 1-4:i32",
        "apk": f"apk {folder}/app.apk",
        "convert": f"convert {file} {folder}/out.csv --force",
        "model list": "model list",
        "model show": "model show jbd",
        "model check": "model check src/packwire/models/library/jbd.yaml",
        "model test": "model test jbd",
        "model export": f"model export jbd --format wireshark --out {folder}/jbd.lua --force",
        "model new": f"model new acme --out {folder}/new/acme.yaml",
        "share": "share sim:vesc --listen 0 --for 0.3",
        "hub": "hub --listen 127.0.0.1:0 --open --for 0.2",
        "hub password": f"hub password TESTPACK --credentials {folder}/credentials",
        "sim": "sim",
        "sim jbd": "sim jbd --listen 0 --for 0.2",
        "sim vesc": "sim vesc --listen 0 --for 0.2",
        "sim hub": "sim hub --listen 0 --for 0.2",
        "sim faults": "sim faults",
        "demo": "demo --for 3",
    }


#: Of all commands.
NAMES = [name for name, _ in commands()]


async def run(line, folder, stdout=subprocess.PIPE, *, closed=False, stdin=b"", **variables):
    """Return the exit code and what was said on standard output and error."""
    if "ON_THE_AIR" in line:
        pytest.importorskip("bumble")
        line = line.replace("ON_THE_AIR", on_the_air())
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *line.split(),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | {"XDG_CONFIG_HOME": str(folder)} | variables,
        preexec_fn=(lambda: os.close(1)) if closed else None,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate(stdin)
    return process.returncode, out or b"", err.decode("utf-8", "replace")
