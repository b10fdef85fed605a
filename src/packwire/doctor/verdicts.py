"""One way of choosing a verdict: for a live device, for a comparison of recordings, for a client's test."""

from collections.abc import Iterable
from dataclasses import replace

from packwire.check import Confidence, Facts, Rule, Verdict
from packwire.errors import Reason

_ORDER = {Confidence.CERTAIN: 0, Confidence.LIKELY: 100, Confidence.POSSIBLE: 200}


def decide[V: Verdict](found: Iterable[V]) -> list[V]:
    """Order verdicts, the one to tell first; leave out what a graver one excludes.

    Those of one rank stay in the order in which they were found. One that holds `alone` is left out where
    there is another.
    """
    decided: list[V] = []
    excluded: set[str] = set()
    for each in sorted(found, key=lambda verdict: verdict.rank):
        if each.key in excluded or (decided and each.alone):
            continue
        decided.append(each)
        excluded |= each.excludes
    return decided


def judge(rules: Iterable[Rule], facts: Facts) -> list[Verdict]:
    """Return the verdicts that facts lead to, the one to tell first."""
    return decide(verdict for rule in rules if (verdict := rule.verdict(facts)) is not None)


def judge_surest_first(rules: Iterable[Rule], facts: Facts) -> list[Verdict]:
    """Return the verdicts that facts lead to, the one to tell first: what is surer comes first."""
    found = (verdict for rule in rules if (verdict := rule.verdict(facts)) is not None)
    return decide(replace(each, rank=each.rank + _order(each), reason=reason_of(each)) for each in found)


def _order(verdict: Verdict) -> int:
    """Return what sets the surer one before the other; what holds only where no other does comes last."""
    return 1000 if verdict.alone else _ORDER[verdict.confidence]


def reason_of(verdict: Verdict) -> Reason | None:
    """Return why a command that tells this ends: something was found, or it cannot be told."""
    if verdict.ok or verdict.reason is not None:
        return verdict.reason
    told = verdict.confidence in (Confidence.CERTAIN, Confidence.LIKELY)
    return Reason.DISTURBED if told else Reason.NO_DATA
