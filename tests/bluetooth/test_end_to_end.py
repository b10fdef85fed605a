"""What a user types, on simulated Bluetooth devices of every model; the devices live in a thread of their own."""

import asyncio
import json
import re
import threading
from contextlib import AsyncExitStack
from typing import Any

import pytest

from packwire.att import short_uuid
from packwire.cli.main import _called
from packwire.models.load import model
from packwire.models.store import library
from packwire.protocols import protocol
from packwire.sim.air import Air
from packwire.sim.by_name import simulation
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions

FAMILIES = [*(name for name in library() if model(name).gatt), "vesc"]
RECOGNISED = [name for name in FAMILIES if name == "vesc" or "recognise" in model(name).content]
#: By what the device advertises, and by a model that is named.
WAYS = [*((name, False) for name in RECOGNISED), *((name, True) for name in FAMILIES if name != "vesc")]
ADDRESSES = {name: f"C8:47:8C:00:01:{number:02X}" for number, name in enumerate(FAMILIES)} | {
    "jbd": "A4:C1:38:00:00:01",
    "greenway": "C4:A9:B8:00:00:01",  # recognised by how it begins
}


DEVICES: dict[str, Any] = {}
#: Packs that tell no single cells.
WITHOUT_CELLS = {"lipower"}


@pytest.fixture(scope="module")
def adapter():
    """All families on one air, in a thread: the adapter that leads there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = AsyncExitStack()

    async def start():
        air = await stack.enter_async_context(Air())
        for name, address in ADDRESSES.items():
            bluetooth = BluetoothOptions(air=air, address=address)
            options = SimOptions(port=None, speed=0, soc=0.76, cells=8, bluetooth=bluetooth)
            DEVICES[name] = (await stack.enter_async_context(simulation(name, options))).device
        return f"tcp-client:127.0.0.1:{await air.serve()}"

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(30)
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def run(capsys):
    """Return what calls the command line here and returns what it printed."""

    def run(*words, code=0):
        assert _called([str(word) for word in words]) == code, capsys.readouterr()
        return capsys.readouterr().out

    return run


def url(adapter, name, *, named=False):
    model = f"&model={name}" if named and name != "vesc" else ""
    return f"ble://{ADDRESSES[name]}?adapter={adapter}{model}"


@pytest.mark.parametrize(("name", "named"), WAYS)
def test_read(adapter, run, name, named):
    out = run("read", url(adapter, name, named=named))
    assert "8 cells" in out or name in WITHOUT_CELLS
    assert "SoC 76 %" in out or name in {"jk04", "neey", "renogy"}, "they do not say it"


@pytest.mark.parametrize(("name", "named"), WAYS)
def test_watch(adapter, run, name, named):
    out = run("watch", url(adapter, name, named=named), "--count", "3", "--rate", "5")
    readings = [line for line in out.splitlines() if " V " in line]
    assert len(readings) == 3
    assert "8 cells" in readings[-1] or name in WITHOUT_CELLS


@pytest.mark.parametrize(("name", "named"), WAYS)
def test_log(adapter, run, name, named, tmp_path):
    address = url(adapter, name, named=named)
    run("log", address, "--for", "4", "--every", "0.5", "--out", tmp_path / "log.csv")
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert len(rows) >= 3


def test_scan_names_each_and_what_to_type(adapter, run):
    out = run("scan", "--adapter", adapter, "--for", "1", "--json", "--udp-port", "45310")
    finds = {find["address"].partition("?")[0]: find for find in map(json.loads, out.splitlines())}
    for name, address in ADDRESSES.items():
        assert f"ble://{address}" in finds, name
    text = run("scan", "--adapter", adapter, "--for", "1", "--udp-port", "45310")
    assert "A4:C1:38:00:00:01" in text


@pytest.mark.parametrize("name", FAMILIES)
def test_explore_says_where_it_is_spoken_and_who_answers(adapter, run, name):
    out = run("explore", url(adapter, name), "--probe", "--for", "0.5")
    spoken = protocol(name)
    notify = spoken.gatt[0].notify
    assert f"notify {short_uuid(notify)}" in out
    assert f"\n{spoken.title} answered " in out or name == "vesc" or not spoken.harmless
    assert f"; {spoken.title} is spoken there" in out


def sample(out):
    """Return the values of the JSON of `read` that a pack itself says."""
    (record,) = map(json.loads, out.splitlines())
    samples = record["samples"]
    return next(each["values"] for each in samples if "cell_voltages" in each["values"] or len(samples) == 1)


@pytest.mark.parametrize(("name", "named"), WAYS)
def test_record_replay_and_messages(adapter, run, name, named, tmp_path):
    file = tmp_path / "session.btsnoop"
    live = sample(run("read", "--json", url(adapter, name, named=named)))
    run("record", url(adapter, name, named=named), "--out", file, "--count", "2", "--every", "0.2")
    model = f"?model={name}" if named else ""
    again = sample(run("read", "--json", f"replay:{file}{model}"))
    assert {key: again[key] for key in live.keys() & again.keys()} == live
    messages = run("messages", file)
    assert len(messages.splitlines()) > 3
    decoded = run("messages", file, "--decode")
    cells = [f"{each:.3f}"[:4] for each in live.get("cell_voltages", ())[:1]]
    shown = *cells, f"{live.get('voltage', 0):.1f}"
    assert any(each in decoded for each in shown) or name == "vesc", "it is no model"


def has_a_switch(name):
    """Tell whether a switch of a model shows in what it says."""
    switches = model(name).switches if name != "vesc" else ()
    return any(switch.read_back or switch.name in {"charging", "discharging"} for switch in switches[:1])


@pytest.mark.parametrize("name", [name for name in FAMILIES if has_a_switch(name)])
def test_diff_finds_what_a_switch_changes(adapter, run, name, tmp_path):
    device = DEVICES[name]
    switch = device.protocol.switches[0]
    files: dict[str, list[str]] = {}
    for state in list(switch.values)[:2]:
        for number in (1, 2):
            device.switched[switch.name] = switch.values[state]
            device.moved()
            file = tmp_path / f"{state}{number}.btsnoop".replace(" ", "-")
            files.setdefault(state.replace(" ", "-"), []).append(str(file))
            run("record", url(adapter, name, named=True), "--out", file, "--count", "4", "--every", "0.1")
    states = [word for state, paths in files.items() for word in ("--state", f"{state}={','.join(paths)}")]
    device.switched.clear()
    out = run("diff", *states)
    assert re.search(r"byte \d+ bit 0 .*every segment agrees", out), out
