"""How often `packwire diff` finds a switch that is there, and one that is not: python -m tests.insight.bench_differences

Prints the share of sessions without a switch in which something is found that chance is said to give in one
of twenty cases at most, and the share of sessions with a switch where that is found first, as one field.
"""

import sys
from collections import Counter as Tally
from dataclasses import dataclass

from packwire.insight.differences import MAX_CHANCE, Differences, find_in_cuts
from packwire.insight.writes import cuts_at_writes
from tests.insight.switch_sessions import Session, session

SESSIONS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a session: the best chance, whether the planted field is first and whole."""

    chance: float
    first: bool


def examine(session: Session) -> Outcome:
    """Look for a switch as the command line does, and compare with what was planted."""
    cuts = cuts_at_writes(session.messages)
    found = find_in_cuts([session.messages], cuts, session.header)
    chance = min((each.chance for each in found), default=1.0)
    return Outcome(chance, bool(found) and session.planted is not None and _is_first(found[0], session))


def _is_first(found: Differences, session: Session) -> bool:
    planted = session.planted
    if planted is None or not found.found:
        return False
    best = found.frames[0]
    field = best.fields[0]
    size = min(len(best.header), len(planted.header))
    return best.header[:size] == planted.header[:size] and set(field.bits) == planted.bits


def main(count: int = SESSIONS) -> int:
    """Print the figures; return 1 where they are worse than they should be."""
    outcomes = {
        switch: [(one, examine(one)) for one in (session(seed, switch=switch) for seed in range(count))]
        for switch in (False, True)
    }
    for most in (MAX_CHANCE, 0.01, 0.001):
        wrong = sum(outcome.chance <= most for _, outcome in outcomes[False])
        sys.stdout.write(
            f"without a switch, found at a chance of {most}: {wrong} of {count} ({wrong / count:.1%})\n"
        )
    right = sum(outcome.first for _, outcome in outcomes[True])
    sys.stdout.write(f"with a switch, first and as one field: {right} of {count} ({right / count:.1%})\n")
    missed = Tally(f"{one.protocol} {one.how}" for one, outcome in outcomes[True] if not outcome.first)
    total = Tally(f"{one.protocol} {one.how}" for one, _ in outcomes[True])
    for kind, number in sorted(missed.items()):
        sys.stdout.write(f"  {kind}: {number} of {total[kind]} not\n")
    wrong = sum(outcome.chance <= MAX_CHANCE for _, outcome in outcomes[False])
    return int(wrong > 0.05 * count or right < 0.95 * count)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS))
