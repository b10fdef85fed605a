"""One way of choosing a verdict: for a live device, for a comparison of recordings, for a client's test."""

from collections.abc import Iterable

from packwire.check import Facts, Rule, Verdict


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
