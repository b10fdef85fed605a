"""From a recording of a pack that nobody knows to a model that reads it live, as a user types it.

The pack is simulated in a process of its own. Whoever drafts does not have its model: it is no model of
packwire's, or packwire's is taken out of the library first.
"""

import asyncio
import json
import os
import re
import socket
import sys
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.cli.running import COMMAND, Result
from tests.following import steps
from tests.shared_data import ROOT

PAGE = ROOT / "docs/how-to/work-out-a-simulated-bms.md"
#: A command line without some models of the library.
HIDING = """
import os, sys
from packwire.models import store
own = store.library()
store.library = lambda: tuple(name for name in own if name not in os.environ["HIDDEN"].split(","))
from packwire.cli.main import main
sys.argv[0] = "packwire"
main()
"""
#: A family, and whose frames are like its own.
FAMILIES = {"jbd": "jbd,tianpower", "basen": "basen", "jk02": "jk02,jk04,jk-uart,jk-rs485,neey"}
#: What is not polled, but goes on by itself once it was started.
STREAMS = {"jk02"}


@pytest.fixture
def run(tmp_path):
    """Return what runs the command line in a folder, with a home of its own; `hidden` models are not there."""
    pytest.importorskip("bumble")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    # What models look like once they are checked may be kept from one test to the next.
    homes = {"XDG_CONFIG_HOME": str(tmp_path / "config")}

    async def run(*words, hidden=""):
        command = (sys.executable, "-c", HIDING) if hidden else COMMAND
        process = await asyncio.create_subprocess_exec(
            *command,
            *words,
            cwd=tmp_path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | homes | {"HIDDEN": hidden},
        )
        async with asyncio.timeout(90):
            out, err = await process.communicate()
        assert b"Traceback" not in err, err.decode()
        return Result(process.returncode or 0, out.decode(), err.decode())

    return run


@asynccontextmanager
async def served(folder, *words):
    """Serve a simulated pack until the block ends; gives its Bluetooth address as it is printed."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *words, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (found := re.search("ble://[^']+", line := (await process.stdout.readline()).decode())):
                assert line, "it ended"
        yield found[0]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def notes_of(screen, moments=5):
    """Return notes of what an app showed, at moments that are spread over all."""
    rows = [line for line in screen.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d+ .* V ", line)]
    assert len(rows) > 20
    notes = []
    for number in range(moments):
        line = rows[(2 * number + 1) * len(rows) // (2 * moments)]
        shown = {
            "voltage": r"(-?[\d.]+) V ",
            "current": r"(-?[\d.]+) A ",
            "soc": r"SoC (\d+)",
            "cells": r"(\d+) cells",
        }
        found = {name: re.search(pattern, line) for name, pattern in shown.items()}
        units = {"voltage": "V", "current": "A", "soc": "%", "cells": "cells"}
        notes.append(f'- at: "{line.split()[0]}"\n')
        notes += [f"  {name}: {each[1]}{units[name]}\n" for name, each in found.items() if each]
    return "".join(notes)


def values_of(out):
    (record,) = map(json.loads, out.splitlines())
    values: dict[str, Any] = {}
    for sample in record["samples"]:
        values |= sample["values"]
    return [values["voltage"], values["current"], values["soc"], *values["cell_voltages"]]


@pytest.mark.parametrize("name", FAMILIES)
async def test_a_family_whose_model_is_hidden_is_read_by_its_draft(run, tmp_path, name):
    hidden = FAMILIES[name]
    pack = ("sim", name, "--bluetooth", "--cells", "8")
    # One frame a second shows a charge as nearly the same current all the time: that may be anything.
    lives = ("--scenario", "ride", "--speed", "300") if name in STREAMS else ("--speed", "1000")
    async with served(tmp_path, *pack, "--soc", "90", *lives) as url:
        shown = await run(
            "record", f"{url}&model={name}", "-o", "s.btsnoop", "--every", "0.1", "--count", "100"
        )
    # A frame a second, not ten: so few need more notes until chance does not explain a place as well.
    (tmp_path / "notes.yaml").write_text(notes_of(shown.out, 9 if name in STREAMS else 5))
    noted = ("--notes", "notes.yaml", "--within", "0.3")
    drafted = await run("draft", "s.btsnoop", *noted, "-o", "mybms.yaml", "--json", hidden=hidden)
    record = json.loads(drafted.out)
    assert record["model"] == (tmp_path / "mybms.yaml").read_text()
    assert not [each for each in record["noted"] if not each["placed"]]
    assert any(each["request"] for each in record["kinds"]) == (name not in STREAMS)
    assert not record["remarks"] or "packwire knows" not in record["remarks"][0]
    tested = await run("model", "test", "mybms.yaml", "s.btsnoop", *noted, hidden=hidden)
    assert tested.code == 0, tested.out
    # Another day: the pack is elsewhere, and is read live.
    async with served(tmp_path, *pack, "--soc", "60", "--speed", "0") as url:
        wanted = values_of((await run("read", f"{url}&model={name}", "--json")).out)
        got = await run("read", f"{url}&model=mybms.yaml", "--json", "--trust", hidden=hidden)
        assert got.code == 0, got.err
        assert values_of(got.out) == pytest.approx(wanted, abs=0.006)


async def test_the_page_of_a_simulated_bms_is_followed(run, tmp_path):
    """Each command runs as it is written; of the port alone it is another one, which is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sim, record, *rest = ([each.replace("7000", str(port)) for each in step.words] for step in steps(PAGE))
    assert sim[0] == "sim"
    done = set()
    async with served(tmp_path, *sim) as url:
        assert url in record
        shown = await run(*record)
        assert shown.code == 0, shown.err
        (tmp_path / "notes.yaml").write_text(notes_of(shown.out))
        for words in rest:
            result = await run(*words)
            assert result.code == 0, (words, result.out, result.err)
            done.add(words[0])
            match words[0]:
                case "find":
                    assert "nothing that chance" not in result.out
                case "checksum":
                    assert "CRC-16/XMODEM little-endian at byte -2, over bytes from 2" in result.out
                case "model":
                    assert "frames explained 100 %" in result.out
                    assert "notes 20 of 20" in result.out
                case "read":
                    assert "8 cells" in result.out
                    assert "SoC" in result.out
    assert done == {"info", "groups", "checksum", "fields", "find", "draft", "model", "read"}
