"""To add a check is one function where its link or its protocol lives."""

import sys
from types import ModuleType

from packwire.address import parse_address
from packwire.check import (
    CheckResult,
    Confidence,
    Depth,
    Fact,
    Facts,
    Outcome,
    Rank,
    Rule,
    Stage,
    Verdict,
    check,
    odd,
)
from packwire.doctor import registry
from packwire.doctor.examination import Examination, ExaminationOptions
from packwire.doctor.examine import examine
from packwire.doctor.verdicts import decide, judge
from packwire.sim.server import SimulatedVesc
from packwire.vesc.protocol import VescProtocol

QUICK = ExaminationOptions(depth=Depth.QUICK)


class NoiseFacts(Fact):
    """What a new check learns: a subject of its own."""

    def __init__(self) -> None:
        self.bytes = 0


@check("noise", "Is the line quiet?", Stage.CONTACT, depth=Depth.QUICK)
async def is_it_quiet(exam: Examination) -> CheckResult:
    line = await exam.line()
    exam.facts[NoiseFacts].bytes = 7 + line.stats.junk
    return odd("7 bytes of noise", excludes="a quiet line")


def _noisy(facts: Facts) -> Confidence | None:
    return Confidence.LIKELY if facts[NoiseFacts].bytes else None


NOISY = Rule(
    "noisy", Rank.CONNECTION, _noisy, lambda facts: f"{facts[NoiseFacts].bytes} bytes.", "Ground it.", None
)


async def test_a_protocol_brings_a_check_its_facts_and_its_rule(monkeypatch):
    monkeypatch.setattr(VescProtocol, "checks", (is_it_quiet,))
    monkeypatch.setattr(VescProtocol, "rules", (NOISY,))
    async with SimulatedVesc() as device:
        diagnosis = await examine(parse_address(f"vesc://127.0.0.1:{device.port}"), QUICK)
    assert (diagnosis.verdict.key, diagnosis.verdict.words) == ("noisy", "7 bytes.")
    names = [each.name for each in diagnosis.checks]
    assert names.index("connect") < names.index("noise") < names.index("pack")
    (noise,) = (each for each in diagnosis.checks if each.name == "noise")
    assert (noise.outcome, noise.excludes) == (Outcome.ODD, "a quiet line")


def test_a_function_in_the_module_of_a_link_is_a_check_of_it(monkeypatch):
    module = ModuleType(is_it_quiet.run.__module__)
    module.__dict__.update(is_it_quiet=is_it_quiet, RULES=(NOISY,))
    monkeypatch.setitem(sys.modules, "packwire.doctor.checks.tcp_noise", module)
    (link,) = (link for link, modules in registry._LINKS.items() if "checks.tcp" in modules)
    monkeypatch.setitem(registry._LINKS, link, ("checks.tcp", "checks.tcp_noise"))
    direct, through_hub = parse_address("vesc://127.0.0.1"), parse_address("veschub://ID@127.0.0.1")
    assert is_it_quiet in registry.checks_for(direct, VescProtocol())
    assert NOISY in registry.rules_for(direct, VescProtocol())
    assert is_it_quiet not in registry.checks_for(through_hub, VescProtocol())


def test_only_what_a_link_needs_is_run():
    def names(address: str) -> set[str]:
        return {each.name for each in registry.checks_for(parse_address(address), VescProtocol())}

    assert {"hub-id", "login"} <= names("veschub://ID@127.0.0.1")
    assert not {"hub-id", "login", "served?"} & names("serial:/dev/ttyACM0")
    assert "served?" in names("vesc://127.0.0.1")


def _verdict(key: str, rank: int, *excludes: str, alone: bool = False) -> Verdict:
    return Verdict(key, Confidence.LIKELY, "", "", rank=rank, excludes=frozenset(excludes), alone=alone)


def test_the_lowest_rank_is_told_first_and_what_it_excludes_is_not_told():
    found = [_verdict("ok", 9, alone=True), _verdict("c", 2), _verdict("b", 1, "c"), _verdict("a", 1)]
    assert [each.key for each in decide(found)] == ["b", "a"]
    assert [each.key for each in decide(found[:1])] == ["ok"]
    assert [each.key for each in judge([NOISY], Facts())] == []
