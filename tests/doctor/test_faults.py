"""Every fault of the simulator has a verdict of its own, found over real TCP; and none is called well."""

import re
from dataclasses import replace
from typing import Any

import pytest

from packwire.doctor.case import Depth, Options
from packwire.doctor.evidence import Confidence, Diagnosis
from packwire.doctor.examination import examine
from packwire.doctor.verdicts import RULES
from packwire.errors import ExitCode
from packwire.sim.faults import FAULTS
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.shared_data import ROOT

QUICK: dict[str, Any] = {"ping_time": 0.3, "can_delay": 0.001}
#: Long enough for a BMS to move on a busy machine: the simulated one moves ten times a second.
BRISK = Options(listen=0.05, poll=0.8, patience=0.5)

#: Each fault, in the form that shows in a second or two, and its verdict.
VERDICTS = {
    "silence": "mute",
    "silence:3": "falls-silent",
    "silence:30": "falls-silent",
    "delay:0.31": "slow-link",
    "corrupt": "corrupt",
    "truncate": "truncated",
    "junk": "junk",
    "split": "split",
    "join": "joined",
    "old-firmware:109": "old-firmware",
    "old-firmware:110": "old-firmware",
    "old-firmware:126": "old-firmware",
    "old-firmware:128": "old-firmware",
    "old-firmware:129": "old-firmware",
    "no-bms": "no-bms",
    "script-bms": "scripted-bms",
    "frozen-bms": "frozen-bms",
    "displaced:0.5": "cut-off",
    "slow-can:0.15,0.3": "slow-can",
    "dead-node:84": "dead-node",
    "dead-node:10": "bms-gone",
    "prints": "chatter",
    "close-in-the-middle": "cut-mid-reply",
    "cold-parser": "cold-parser",
    "http": "not-a-vesc",
    "one-way": "unserved",
    "wedge": "mute",
}


#: Verdicts that a quick look finds, too.
FOUND_QUICKLY = {
    *("mute", "slow-link", "old-firmware", "no-bms", "scripted-bms", "cold-parser", "not-a-vesc", "unserved"),
    *("corrupt", "truncated"),
}
HASTY = replace(BRISK, depth=Depth.QUICK)


async def diagnosed(*faults: str, options: Options = BRISK, **settings: Any) -> Diagnosis:
    async with SimulatedVesc(SimOptions(faults=faults, **(QUICK | settings))) as simulated:
        return await examine(simulated.address, options)


def test_every_fault_is_tried():
    assert {name.partition(":")[0] for name in VERDICTS} == set(FAULTS)


@pytest.mark.parametrize(("fault", "key"), VERDICTS.items(), ids=VERDICTS)
async def test_each_fault_has_its_verdict(fault: str, key: str):
    diagnosis = await diagnosed(fault, options=HASTY if key in FOUND_QUICKLY else BRISK)
    assert (diagnosis.verdict.key, diagnosis.complete) == (key, True)
    assert diagnosis.verdict.exit_code != ExitCode.OK
    assert diagnosis.verdict.remedy
    assert "ok" not in {remark.key for remark in diagnosis.remarks}


@pytest.mark.parametrize("scenario", ["rest", "ride", "charge", "cycle"])
async def test_no_fault_is_well_with_the_cells(scenario: str):
    diagnosis = await diagnosed(scenario=scenario, options=replace(BRISK, patience=1.0))
    assert (diagnosis.verdict.key, diagnosis.verdict.confidence) == ("ok", Confidence.CERTAIN)
    assert diagnosis.verdict.exit_code == ExitCode.OK
    assert diagnosis.remarks == ()
    assert diagnosis.pack["cell_count"] == 20
    low, high = diagnosis.pack["cell_voltage_min"], diagnosis.pack["cell_voltage_max"]
    assert f"20 cells, {low:.3f}..{high:.3f} V" in diagnosis.verdict.words


async def test_a_pack_of_which_nothing_moves_is_not_called_frozen_without_proof():
    diagnosis = await diagnosed(scenario="rest", speed=0.0)
    assert diagnosis.verdict.key == "ok"
    assert next(rung for rung in diagnosis.rungs if rung.name == "movement").outcome == "odd"


async def test_frozen_while_the_motor_draws_is_certain():
    diagnosis = await diagnosed("frozen-bms", scenario="ride", speed=5.0)
    assert (diagnosis.verdict.key, diagnosis.verdict.confidence) == ("frozen-bms", Confidence.CERTAIN)


def test_keys_are_unique():
    keys = [rule.key for rule in RULES]
    assert len(set(keys)) == len(keys)
    assert {key for rule in RULES for key in rule.instead_of} <= set(keys)


def test_every_verdict_is_documented_with_its_exit_code():
    page = (ROOT / "docs/reference/verdicts.md").read_text()
    listed = re.findall(r"^\| `([\w-]+)` \|.*\| (\d+) \|$", page, re.MULTILINE)
    assert listed == [(rule.key, str(int(rule.exit_code))) for rule in RULES]
