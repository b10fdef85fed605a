"""`packwire watch` and `packwire demo`: lines in a pipe, a card on a terminal, and coming back by itself."""

import asyncio
import io
import itertools
import os
import re
import signal
import sys
from typing import Any

import pexpect
import pyte
import pytest
from rich.console import Console

from packwire.cli.views.live import LineView
from packwire.device.follow import Outage, retry_delay
from packwire.errors import UnreachableError
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.cli.records import checked
from tests.cli.running import COMMAND, packwire

QUICK: dict[str, Any] = {"ping_time": 0.05, "can_delay": 0.001, "scenario": "rest"}


async def test_lines_in_a_pipe():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        result = await packwire("watch", str(simulation.address), "--count", "5", "--rate", "20")
    assert result.code == 0, result
    connected, *lines = result.out.splitlines()
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3}  connected at 127\.0\.0\.1:\d+: VESC Express T, BMS$", connected)
    assert len(lines) == 5
    for line in lines:
        assert re.search(
            r"  BMS  can 10   83\.9\d V .* 20 cells   4\.\d{3} V \.\. 4\.\d{3} V   spread \d+ mV", line
        )
    assert "|  Controller  can 84" in lines[-1]
    assert "\x1b" not in result.out
    assert re.search(r"^5 readings .* lost 0 of \d+ ", result.err)


async def test_json_lines():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        result = await packwire("watch", str(simulation.address), "--count", "2", "--json", "--node", "bms")
    records = checked(result.out)
    connected, node, units = records[:3]
    samples = [record for record in records if record["kind"] == "sample"]
    assert connected["kind"] == "connected"
    assert (node["kind"], node["key"], node["role"]) == ("node", "bms", "battery")
    assert units["units"]["cell_voltages"] == "V"
    assert [sample["node"] for sample in samples] == ["bms"] * 2
    assert {sample["identity"] for sample in samples} == {node["identity"]}
    assert len(samples[0]["values"]["cell_voltages"]) == 20


async def test_every_node_is_named_when_it_is_found_and_each_unit_is_said_once():
    """The controller is on the CAN bus, which is searched while the battery is read already."""
    async with SimulatedVesc(SimOptions(ping_time=0.5, can_delay=0.001, scenario="rest")) as simulation:
        watched = await packwire("watch", str(simulation.address), "--for", "2.5", "--json")
        read = await packwire("read", str(simulation.address), "--json")
    records = checked(watched.out)
    (reading,) = checked(read.out)
    kinds = [record["kind"] for record in records]
    named = {record["key"]: record for record in records if record["kind"] == "node"}
    assert kinds.index("sample") < kinds.index("node", kinds.index("sample"))
    assert {"bms", "vesc", "can/84"} <= named.keys()
    known = set()
    for record in records:
        if record["kind"] == "node":
            known.add(record["key"])
        elif record["kind"] == "sample":
            assert record["node"] in known
    said = [key for record in records if record["kind"] == "units" for key in record["units"]]
    assert len(said) == len(set(said))
    assert {node["key"]: node["identity"] for node in reading["nodes"]} == {
        key: node["identity"] for key, node in named.items()
    }


async def test_for_some_seconds():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        result = await packwire("watch", str(simulation.address), "--for", "0.5", "--json")
    assert result.code == 0
    assert len(result.out.splitlines()) > 3


async def test_it_waits_for_a_device_that_is_not_there_yet():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        pass
    result = await packwire("watch", str(simulation.address), "--for", "1")
    assert result.code == 3
    assert "refused" in result.out
    assert "trying again" in result.out


def test_an_outage_that_lasts_is_said_once_and_then_now_and_again(monkeypatch):
    console = Console(file=io.StringIO(), width=200)
    view, clock = LineView(console, lambda _: True), itertools.count(0.0, 10.0)
    monkeypatch.setattr("packwire.cli.views.live.time.monotonic", lambda: next(clock))
    for attempt in range(100):
        view.show(Outage(UnreachableError("nobody there"), retry_delay(UnreachableError(""), attempt)))
    view.show(Outage(UnreachableError("another reason"), 10.0))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split("  ", 1)[1] for line in console.file.getvalue().splitlines()]
    assert lines == [
        *(f"nobody there (trying again in {seconds} s)" for seconds in ("0.5", "1", "2", "5", "10")),
        "nobody there (65 tries; trying again in 10 s)",
        "another reason (101 tries; trying again in 10 s)",
    ]


async def test_it_comes_back_when_the_device_does():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        port = simulation.port
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            "watch",
            str(simulation.address),
            "--json",
            "--timeout",
            "0.2",
            stdout=asyncio.subprocess.PIPE,
        )
        await until(process, "sample")
    outage = await until(process, "outage")
    assert "closed the connection" in outage["error"] or "refused" in outage["error"]
    async with SimulatedVesc(SimOptions(port=port, **QUICK)):
        await until(process, "connected")
        await until(process, "sample")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def until(process, event):
    """Read JSON lines up to an event."""
    async with asyncio.timeout(90):
        while line := await process.stdout.readline():
            (record,) = checked(line.decode())
            if record["kind"] == event:
                return record
    raise AssertionError(f"no {event}")


async def test_an_outage_that_is_not_over_at_the_end_is_in_the_exit_code():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "watch", str(simulation.address), "--json", "--for", "3", stdout=asyncio.subprocess.PIPE
        )
        await until(process, "sample")
    await until(process, "outage")
    await process.communicate()
    assert process.returncode in {3, 8}


def on_terminal(arguments, seconds):
    """Run `packwire` on a terminal of 110 x 40; return the screen it left and its exit code."""
    screen = pyte.Screen(110, 40)
    stream = pyte.ByteStream(screen)
    child: Any = pexpect.spawn(
        sys.executable,
        ["-m", "packwire", *arguments],
        dimensions=(40, 110),
        timeout=20,
        env=os.environ | {"TERM": "xterm-256color"},
    )
    child.expect("20 cells")
    stream.feed(child.before + child.after)
    with pytest.raises(pexpect.TIMEOUT):
        child.expect(pexpect.EOF, timeout=seconds)
    child.sendintr()
    child.expect(pexpect.EOF)
    stream.feed(child.before)
    child.close()
    return [line.rstrip() for line in screen.display], screen, child.exitstatus


async def test_a_card_with_bars_on_a_terminal():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        lines, screen, code = await asyncio.to_thread(on_terminal, ["watch", str(simulation.address)], 1.5)
    assert code == 0, "Ctrl-C is the usual end"
    text = "\n".join(lines)
    assert text.startswith("VESC Express T  fw 7.00  at 127.0.0.1:"), text
    assert len(re.findall(r"\d 4\.\d{3} \N{FULL BLOCK}+", text)) == 20
    assert re.search(r"lowest .* highest .* spread \d+ mV", text)
    assert "Controller  can 84" in text
    assert re.search(r"\d+ readings +\d+\.\d a second +lost 0 of \d+", text)
    assert not screen.cursor.hidden, "the cursor is given back"


async def test_the_demo_with_a_terminal():
    lines, _, code = await asyncio.to_thread(on_terminal, ["demo"], 4.0)
    assert code == 0
    assert "through hub 127.0.0.1:" in lines[0]
    assert any("Bluetooth, Jiabaida smart BMS" in line for line in lines), lines
    assert len([line for line in lines if line]) < 24, "both cards fit a usual terminal"


async def test_the_demo_without_a_terminal_ends_by_itself():
    result = await packwire("demo", DEMO_SECONDS="4")
    assert result.code == 0, result
    assert " 4 cells" in result.out
    assert "20 cells" in result.out
    assert "connected through hub 127.0.0.1:" in result.out


async def test_options_that_make_no_sense():
    for arguments in (
        ("watch", "sim:vesc", "--rate", "nan"),
        ("watch", "sim:vesc", "--count", "0"),
        ("watch", "sim:vesc", "--timeout", "inf"),
        ("demo", "--for", "-1"),
        ("scan", "--for", "nan"),
        ("read", "sim:vesc/can/84", "--node", "bms"),
    ):
        result = await packwire(*arguments)
        assert (result.code, len(result.err.splitlines())) == (2, 1), result


async def test_a_device_that_does_not_answer_within_the_time_given():
    async with SimulatedVesc(SimOptions(faults=("silence",), **QUICK)) as simulation:
        result = await packwire("watch", str(simulation.address), "--for", "0.5")
    assert result.code == 7
    assert "no reading within the 0.5 s" in result.err


async def test_a_name_that_looks_like_markup():
    from tests.device.scripted import EXPRESS, framed, scripted, usual

    odd = EXPRESS.replace(b"VESC Express T", b"X[/b]Y[red]ZZZ")

    async with scripted(lambda payload: framed(odd) if payload[0] == 0 else usual(payload)) as server:
        result = await packwire("watch", f"vesc://127.0.0.1:{server.port}", "--count", "1")
    assert result.code == 0
    assert "X[/b]Y[red]ZZZ" in result.out


async def test_a_reader_of_lines_that_goes_early_is_no_error():
    async with SimulatedVesc(SimOptions(**QUICK)) as simulation:
        command = f"{sys.executable} -m packwire watch {simulation.address} --count 20 --rate 50 | head -n 2; echo ${{PIPESTATUS[0]}}"
        process = await asyncio.create_subprocess_shell(
            command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, executable="/bin/bash"
        )
        out, err = await process.communicate()
    assert out.splitlines()[-1] == b"0"
    assert b"Traceback" not in err
