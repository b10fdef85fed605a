"""What a user types, on simulated Bluetooth devices of every model; the devices live in a thread of their own."""

import asyncio
import json
import threading
from contextlib import AsyncExitStack

import pytest

from packwire.cli.main import _called
from packwire.models.load import model
from packwire.models.store import library
from packwire.sim.air import Air
from packwire.sim.by_name import simulation
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions

FAMILIES = [*(name for name in library() if model(name).gatt), "vesc"]
ADDRESSES = {name: f"C8:47:8C:00:01:{number:02X}" for number, name in enumerate(FAMILIES)} | {
    "jbd": "A4:C1:38:00:00:01"
}


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
            await stack.enter_async_context(simulation(name, options))
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


def values(out):
    """Return the values by node of the JSON of `read`."""
    records = [json.loads(line) for line in out.splitlines()]
    return {record["node"]: record["values"] for record in records if record.get("kind") == "sample"}


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", FAMILIES)
def test_read(adapter, run, name, named):
    out = run("read", url(adapter, name, named=named))
    assert "8 cells" in out
    assert "SoC 76 %" in out


@pytest.mark.parametrize("name", FAMILIES)
def test_watch(adapter, run, name):
    out = run("watch", url(adapter, name), "--count", "3", "--rate", "5")
    assert out.count("8 cells") == 3


@pytest.mark.parametrize("name", FAMILIES)
def test_log(adapter, run, name, tmp_path):
    run("log", url(adapter, name), "--for", "1.5", "--every", "0.5", "--out", tmp_path / "log.csv")
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert len(rows) >= 3
