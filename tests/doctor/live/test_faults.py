"""Every fault over Bluetooth has its verdict, over bleak and real attribute packets; none is falsely certain."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from packwire.address import parse_address
from packwire.check import Confidence, Outcome
from packwire.cli.views.doctor import diagnosis_record
from packwire.doctor.ble import air, answers, link
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from packwire.doctor.report import markdown_report
from packwire.link.ble import discovery, observed
from packwire.models.load import model
from packwire.sim.air import Air
from packwire.sim.bleak_bumble import installed
from packwire.sim.model import SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.doctor.live.faults import FAULTS, HEALTHY, LiveFault, arranged, is_falsely_certain, is_right
from tests.link.ble.fake_bluez import needs_daemon

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
BRISK = ExaminationOptions(listen=0.8, poll=0.6)
#: Faults whose usual form takes longer than the patience here.
SHORTER = {"late": ("delay:1.9",), "slow": ("delay:1.25",), "deaf at first": ("deaf-at-first:1.2",)}
#: Faults of which another row is tested: the bench runs them all.
LEFT_TO_THE_BENCH = {
    *("silent JK", "only with response, JK", "cut JK at MTU 23", "another checksum, JK", "truncated"),
    *("no password given", "blocked by a switch", "named as another family"),
}
#: Nothing moves, or breaks, in so few readings of a moment.
LONGER = {
    "drops when read": ExaminationOptions(listen=0.8, poll=2.5),
    "values frozen": ExaminationOptions(listen=0.8, poll=2.5),
    "healthy, slow": ExaminationOptions(listen=0.8, poll=2.5),
}


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(observed, "ATTEMPTS", 2)
    monkeypatch.setattr(discovery, "_BUSY_PAUSE", 0.01)
    monkeypatch.setattr(air, "LISTEN", 0.8)
    monkeypatch.setattr(link, "AGAIN", 0.8)
    monkeypatch.setattr(link, "_HOLD", 0.25)
    for name, seconds in (("QUIET", 0.3), ("PATIENCE", 1.2), ("LONG", 3.5), ("BRIEF", 0.7), ("_SETTLE", 0.8)):
        monkeypatch.setattr(answers, name, seconds)
    monkeypatch.setattr(answers, "_LEISURE", 0.6)
    monkeypatch.setattr(answers, "_MOST_ASKED", 2)


def _runs(fault: LiveFault):
    return pytest.param(fault, id=fault.name, marks=[needs_daemon] if fault.bluez is not None else [])


@pytest.mark.parametrize("fault", [_runs(each) for each in FAULTS if each.name not in LEFT_TO_THE_BENCH])
async def test_each_fault_has_its_verdict(fault, tmp_path, monkeypatch):
    fault = replace(fault, faults=SHORTER.get(fault.name, fault.faults))
    async with arranged(fault, tmp_path, monkeypatch.setenv) as address:
        found = await examine(address, LONGER.get(fault.name, BRISK))
    told = [(each.name, each.outcome.value, each.answer) for each in found.checks]
    assert is_right(fault, found), (found.verdict, told)
    assert not is_falsely_certain(fault, found), (found.verdict, told)
    assert found.verdict.remedy


@pytest.mark.parametrize("fault", [*map(_runs, HEALTHY)])
async def test_healthy_packs_are_well(fault, tmp_path, monkeypatch):
    async with arranged(fault, tmp_path, monkeypatch.setenv) as address:
        found = await examine(address, LONGER.get(fault.name, BRISK))
    told = [(each.name, each.outcome.value, each.answer) for each in found.checks]
    assert is_right(fault, found), (found.verdict, told)
    assert found.pack["voltage"] > 0


@asynccontextmanager
async def served(spoken: str, *faults: str):
    """Serve a simulated pack on an air, and yield it with its address."""
    async with Air() as own:
        options = SimOptions(cells=4, speed=0, faults=faults, bluetooth=BluetoothOptions(air=own))
        simulated = SimulatedVesc(options) if spoken == "vesc" else SimulatedModel(model(spoken), options)
        with installed(await own.device("central"), longest_connect=2):
            async with simulated:
                assert simulated.bluetooth is not None
                yield simulated, f"ble://{simulated.bluetooth.address}"


async def test_a_vesc_over_bluetooth_is_asked_as_packs_are():
    async with served("vesc") as (_, address):
        found = await examine(parse_address(address), BRISK)
    told = [(each.name, each.outcome.value, each.answer) for each in found.checks]
    assert found.verdict.ok, (found.verdict, told)


async def test_a_pin_is_in_no_report():
    async with served("lolan", "pin:87654321") as (_, address):
        found = await examine(parse_address(f"{address}?pin=87654321"), BRISK)
        wrong = await examine(parse_address(f"{address}?pin=11112222"), BRISK)
    assert found.verdict.ok, found.verdict
    assert not wrong.verdict.ok
    for each, pin in ((found, 87654321), (wrong, 11112222)):
        text = markdown_report(each) + json.dumps(diagnosis_record(each))
        assert str(pin) not in text
        for order in ("little", "big"):
            assert pin.to_bytes(4, order).hex(" ") not in text


async def test_only_what_reads_is_written():
    written = []
    async with served("jbd") as (simulated, address):
        port = simulated.bluetooth.peripheral._port
        usual = port.received

        def received(data):
            written.append(data)
            usual(data)

        port.received = received
        await examine(parse_address(address), BRISK)
    assert written
    assert {each[:2] for each in written} == {b"\xdd\xa5"}


async def test_what_was_not_tried_is_said(tmp_path, monkeypatch):
    fault = next(each for each in FAULTS if each.name == "held by an app")
    async with arranged(fault, tmp_path, monkeypatch.setenv) as address:
        found = await examine(address, BRISK)
    outcomes = {each.name: each.outcome for each in found.checks}
    assert outcomes["seen"] is Outcome.FAILED
    assert {outcomes[name] for name in ("connect", "table", "answer", "values")} == {Outcome.SKIPPED}
    assert found.verdict.confidence is Confidence.POSSIBLE
    assert sum(each.share for each in found.verdict.causes) == pytest.approx(1, abs=0.05)
