"""`import packwire`: instant, and all that one needs for live devices from Python."""

import asyncio
import contextlib
import pydoc
import subprocess
import sys
from typing import Any

import pytest

import packwire
from packwire.errors import BadAddressError, Reason, RefusedError, UnreachableError
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions, SimulatedVesc

PASSWORD = "of-the-hub"


def _modules_after(code):
    out = subprocess.check_output(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], text=True
    )
    return set(out.split())


def test_import_is_instant():
    loaded = _modules_after("import packwire")
    assert not loaded & {"numpy", "pydantic", "yaml", "asyncio", "rich", "cyclopts"}
    assert {name for name in loaded if name.startswith("packwire")} == {"packwire"}


def test_a_live_device_needs_no_numpy_and_no_simulator():
    loaded = _modules_after("import packwire; packwire.open_device; packwire.watch; packwire.Sample")
    assert not loaded & {"numpy", "pydantic", "yaml", "packwire.sim"}


def test_every_name_is_there_and_others_are_refused():
    for name in packwire.__all__:
        assert getattr(packwire, name) is not None
        assert name in dir(packwire)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        packwire.nonsense  # noqa: B018 - that it raises is the point


def test_help_is_a_table_of_contents():
    text = pydoc.plain(pydoc.render_doc(packwire))
    for name in packwire.__all__:
        assert name in text
    assert all(len(line) <= 110 for line in (packwire.__doc__ or "").splitlines())


@pytest.mark.parametrize(("address", "keys"), [("sim:vesc", {"vesc", "bms"}), ("sim:jbd", {"bms"})])
async def test_a_simulated_device(address, keys):
    async with packwire.open_device(address, can_ids=()) as device:
        samples = await device.read()
    assert {sample.node for sample in samples} == keys
    sample = next(sample for sample in samples if sample.node == "bms")
    assert sample.condition is packwire.Condition.FRESH
    assert sample.when.tzinfo is not None
    assert packwire.quantities["voltage"].unit == "V"


async def test_a_hub_with_its_password():
    async with SimulatedHub(port=0) as hub:
        there = SimOptions(port=None, hub=("127.0.0.1", hub.port), hub_id="TESTPACK", hub_password=PASSWORD)
        async with SimulatedVesc(there):
            await hub.device_connected("TESTPACK")
            address = f"veschub://TESTPACK@127.0.0.1:{hub.port}"
            async with packwire.open_device(address, password=PASSWORD, can_ids=()) as device:
                assert len(await device.read()) == 2
            with pytest.raises(RefusedError) as caught:
                async with packwire.open_device(address, password="wrong", can_ids=()):
                    pass
    assert caught.value.reason is Reason.WRONG_PASSWORD or "password is wrong" in str(caught.value)
    assert "wrong" not in str(address)


async def test_watch_goes_on_through_an_outage_and_says_so():
    quiet: dict[str, Any] = {"ping_time": 0.05, "scenario": "rest"}
    async with SimulatedVesc(SimOptions(**quiet)) as simulated:
        port = simulated.port
        stream = packwire.watch(f"vesc://127.0.0.1:{port}", every=0.05, timeout=0.3)
        seen = [await anext(stream) for _ in range(4)]
    assert {sample.condition for sample in seen} == {packwire.Condition.FRESH}
    async with asyncio.timeout(90):
        while (sample := await anext(stream)).condition is packwire.Condition.FRESH:
            pass
        assert sample.reason
        assert sample.values == {}
        assert sample.node in {"vesc", "bms"}
        async with SimulatedVesc(SimOptions(port=port, **quiet)):
            while (sample := await anext(stream)).condition is not packwire.Condition.FRESH:
                pass
            await stream.aclose()


async def test_watch_waits_for_a_device_that_never_was_there_and_raises_what_time_does_not_mend():
    async with contextlib.aclosing(packwire.watch("vesc://127.0.0.1:9")) as stream:
        sample = await anext(stream)
    assert (sample.node, sample.condition) == ("", packwire.Condition.SILENT)
    assert "refused" in sample.reason
    with pytest.raises(BadAddressError):
        await anext(packwire.watch("vesc:/nonsense"))


async def test_what_raises_carries_a_reason():
    with pytest.raises(UnreachableError) as caught:
        async with packwire.open_device("vesc://127.0.0.1:9"):
            pass
    assert caught.value.reason is packwire.errors.Reason.PORT_REFUSED


async def test_diagnose_a_simulated_device():
    assert (await packwire.diagnose("sim:vesc")).verdict.key == "ok"


async def test_scan_finds_a_vesc_that_announces_itself(monkeypatch):
    from packwire.link import scan

    async with SimulatedVesc(SimOptions(broadcast="127.0.0.1")) as simulated:
        finds = await packwire.scan(1.5)
    assert str(simulated.address) in {find.address for find in finds}
    assert scan.SECONDS > 1
