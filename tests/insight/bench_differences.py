"""How often `packwire diff` finds a switch that is there, and one that is not: python -m tests.insight.bench_differences

Prints the share of sessions without a switch in which something is found that chance is said to give in one
of twenty cases at most, and the share of sessions with a switch where that is found first, as one field.
"""

import sys
from collections import Counter as Tally
from dataclasses import dataclass

import numpy as np

from packwire.capture import Capture
from packwire.capture.formats import read_packets
from packwire.cli.headers import known_headers
from packwire.insight.differences import MAX_CHANCE, Differences, find_in_cuts
from packwire.insight.writes import cuts_at_writes
from packwire.messages import Int64s
from tests.insight.bench_pairs import EMPTY_PCAP
from tests.insight.shaped_sessions import SHAPES, session_of
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
    found = find_in_cuts([session.messages], cuts, session.header or _headers(session))
    chance = min((each.chance for each in found), default=1.0)
    return Outcome(chance, bool(found) and session.planted is not None and _is_first(found[0], session))


def _headers(session: Session) -> list[Int64s]:
    """Find the headers as the command line does."""
    capture = Capture("made up", read_packets(np.frombuffer(EMPTY_PCAP, np.uint8)))
    capture.__dict__["raw_messages"] = session.messages  # as if a file had held them
    return known_headers([capture])


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
    sys.stdout.write("known and unknown protocols\n")
    worse = _report({s: [session(seed, switch=s) for seed in range(count)] for s in (False, True)})
    sys.stdout.write("further shapes of unknown ones\n")
    names, each = [*SHAPES], max(count // len(SHAPES), 1)
    further = {
        s: [session_of(name, n, switch=s) for name in names for n in range(each)] for s in (False, True)
    }
    return int(_report(further) or worse)


def _report(sessions: dict[bool, list[Session]]) -> bool:
    """Print the figures of some sessions; return whether they are worse than they should be."""
    outcomes = {switch: [(one, examine(one)) for one in own] for switch, own in sessions.items()}
    count = len(outcomes[False])
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
    return wrong > 0.05 * count or right < 0.95 * count


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS))
