"""Every fault of the simulator has a verdict of its own, found over real TCP; and none is called well."""

import asyncio
import re
from dataclasses import replace
from itertools import batched
from typing import Any

import pytest

from packwire.check import CheckResult, Confidence, Depth
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.examination import Examination, ExaminationOptions
from packwire.doctor.examine import examine
from packwire.doctor.facts import RunFacts
from packwire.doctor.order import run_checks
from packwire.doctor.registry import every_rule
from packwire.sim.faults import FAULTS, Of
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.shared_data import ROOT

QUICK: dict[str, Any] = {"ping_time": 0.3, "can_delay": 0.001}
#: Long enough for a BMS to move on a busy machine: the simulated one moves ten times a second.
BRISK = ExaminationOptions(listen=0.05, poll=0.8, patience=0.5)

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
    "one-way": "unread",
    "wedge": "unserved",
}


#: Verdicts that a quick look finds, too.
FOUND_QUICKLY = {
    *("mute", "slow-link", "old-firmware", "no-bms", "scripted-bms", "cold-parser", "not-a-vesc", "unserved"),
    "unread",
    *("corrupt", "truncated"),
}
HASTY = replace(BRISK, depth=Depth.QUICK)


async def diagnosed(*faults: str, options: ExaminationOptions = BRISK, **settings: Any) -> Diagnosis:
    async with SimulatedVesc(SimOptions(faults=faults, **(QUICK | settings))) as simulated:
        return await examine(simulated.address, options)


def test_every_fault_of_a_vesc_is_tried():
    of_a_vesc = {name for name, kind in FAULTS.items() if kind.of in {Of.ALL, Of.VESC, Of.TCP}}
    assert {name.partition(":")[0] for name in VERDICTS} == of_a_vesc


async def several(*faults: str, options: ExaminationOptions = BRISK) -> dict[str, Diagnosis]:
    """Examine a device for each, all at the same time: most of an examination is waiting."""
    looks = (diagnosed(*fault.split("+"), options=options) for fault in faults)
    return dict(zip(faults, await asyncio.gather(*looks), strict=True))


def groups(wanted: dict[str, str], size: int) -> list[dict[str, str]]:
    return [dict(group) for group in batched(wanted.items(), size)]


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        *((group, HASTY) for group in groups({f: k for f, k in VERDICTS.items() if k in FOUND_QUICKLY}, 8)),
        *(
            (group, BRISK)
            for group in groups({f: k for f, k in VERDICTS.items() if k not in FOUND_QUICKLY}, 6)
        ),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, dict) else given.depth.name.lower(),
)
async def test_each_fault_has_its_verdict(expected: dict[str, str], options: ExaminationOptions):
    found = await several(*expected, options=options)
    assert {fault: diagnosis.verdict.key for fault, diagnosis in found.items()} == expected
    for diagnosis in found.values():
        assert diagnosis.complete
        assert exit_code_of(diagnosis.verdict.reason) != ExitCode.OK
        assert diagnosis.verdict.remedy
        assert "ok" not in {remark.key for remark in diagnosis.remarks}


def test_no_two_faults_share_a_verdict():
    of_each: dict[str, set[str]] = {}
    for fault, key in VERDICTS.items():
        of_each.setdefault(key, set()).add(fault)
    shared = {
        key: faults for key, faults in of_each.items() if len({f.partition(":")[0] for f in faults}) > 1
    }
    assert shared == {}


#: The gravest is the verdict, the others are remarks, and nothing else is made up.
TOGETHER: dict[str, tuple[str, set[str]]] = {
    "delay:0.45+junk": ("slow-link", {"junk"}),
    "split+prints": ("split", {"chatter"}),
    "old-firmware:109+corrupt": ("corrupt", {"old-firmware"}),
    "no-bms+delay:0.45": ("no-bms", {"slow-link"}),
    "frozen-bms+prints": ("frozen-bms", {"chatter"}),
    "cold-parser+delay:0.45": ("cold-parser", set()),
}


async def test_several_faults_at_once():
    found = await several(*TOGETHER)
    assert {
        faults: (diagnosis.verdict.key, {remark.key for remark in diagnosis.remarks})
        for faults, diagnosis in found.items()
    } == TOGETHER
    slow = found["delay:0.45+junk"]
    assert {"answers", "own-id", "config"} <= {
        check.name for check in slow.checks if check.outcome == "skipped"
    }, "a slow device is asked less"


async def test_an_examination_that_is_left_early_says_nothing_wrong():
    said: list[tuple[str, Confidence]] = []
    async with SimulatedVesc(SimOptions(**QUICK)) as simulated:
        exam = Examination(simulated.address, BRISK)
        exam.facts[RunFacts].interrupted = True
        await run_checks(exam, ended=lambda _: said.append((exam.judge()[0].key, exam.judge()[0].confidence)))
        await exam.leave()
    assert {key for key, _ in said} == {"inconclusive", "ok"}
    assert Confidence.CERTAIN not in {confidence for _, confidence in said}


async def test_it_can_be_ended_at_any_rung():
    ends: list[Any] = []

    def ended(check: CheckResult) -> None:
        if check.name == "pack":
            ends[0]()

    async with SimulatedVesc(SimOptions(**QUICK)) as simulated:
        diagnosis = await examine(simulated.address, BRISK, stopper=ends.append, ended=ended)
    assert not diagnosis.complete
    assert diagnosis.verdict.key == "inconclusive"
    assert diagnosis.pack["cell_count"] == 20
    assert "20 cells" in diagnosis.verdict.words
    ends[0]()


async def test_no_fault_is_well_with_the_cells():
    scenarios = ("rest", "ride", "charge", "cycle")
    patient = replace(BRISK, patience=1.0)
    looks = (diagnosed(scenario=scenario, options=patient) for scenario in scenarios)
    for diagnosis in await asyncio.gather(*looks):
        assert_well(diagnosis)


def assert_well(diagnosis: Diagnosis) -> None:
    assert (diagnosis.verdict.key, diagnosis.verdict.confidence) == ("ok", Confidence.CERTAIN)
    assert exit_code_of(diagnosis.verdict.reason) == ExitCode.OK
    assert diagnosis.remarks == ()
    assert diagnosis.pack["cell_count"] == 20
    low, high = diagnosis.pack["cell_voltage_min"], diagnosis.pack["cell_voltage_max"]
    assert f"20 cells, {low:.3f}..{high:.3f} V" in diagnosis.verdict.words


async def test_a_pack_of_which_nothing_moves_is_not_called_frozen_without_proof():
    diagnosis = await diagnosed(scenario="rest", speed=0.0)
    assert diagnosis.verdict.key == "ok"
    assert next(check for check in diagnosis.checks if check.name == "movement").outcome == "odd"


async def test_frozen_while_the_motor_draws_is_certain_after_long_enough(monkeypatch):
    """A BMS that renews its values every few seconds looks the same for a while."""
    diagnosis = await diagnosed("frozen-bms", scenario="ride", speed=5.0)
    assert (diagnosis.verdict.key, diagnosis.verdict.confidence) == ("frozen-bms", Confidence.LIKELY)
    monkeypatch.setattr("packwire.doctor.vesc.battery_rules.SURE_SECONDS", 0.2)
    diagnosis = await diagnosed("frozen-bms", scenario="ride", speed=5.0)
    assert (diagnosis.verdict.key, diagnosis.verdict.confidence) == ("frozen-bms", Confidence.CERTAIN)


def test_keys_are_unique():
    keys = [rule.key for rule in every_rule()]
    assert len(set(keys)) == len(keys)
    assert {key for rule in every_rule() for key in rule.excludes} <= set(keys)


def test_every_verdict_is_documented_with_its_exit_code():
    page = (ROOT / "docs/reference/verdicts.md").read_text()
    listed = re.findall(r"^\| `([\w-]+)` \|.*\| (\d+) \|$", page, re.MULTILINE)
    assert listed == [(rule.key, str(int(exit_code_of(rule.reason)))) for rule in every_rule()]
