"""How many pairs are found, and found right: `python -m tests.insight.bench_pairs [sessions a family]`.

right      messages given to the very request that they answer, of all that answer one
alike      given to it or to another request with the same bytes
missed     answer a request, and were given to none
invented   answer none, and were given to one
"""

import struct
import sys
from collections import Counter
from typing import NamedTuple

import numpy as np

from packwire.capture import Capture
from packwire.capture.formats import read_packets
from packwire.cli.headers import known_headers, row_families
from packwire.insight.pairs import find_pairs
from tests.insight.sessions import FAMILIES, Session, session
from tests.insight.tables import table

#: A pcap file without packets.
EMPTY_PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


class Score(NamedTuple):
    """Counts of messages."""

    answers: int
    right: int
    alike: int
    missed: int
    invented: int

    def __add__(self, other: "Score") -> "Score":  # type: ignore[override]
        return Score(*(one + two for one, two in zip(self, other, strict=True)))


def score(one: Session) -> Score:
    """Compare what `find_pairs` says with the truth."""
    capture = Capture("made up", read_packets(np.frombuffer(EMPTY_PCAP, np.uint8)))
    capture.__dict__["raw_messages"] = table(one.said)  # as if a file had held them
    messages = capture.messages
    assert list(messages.payloads()) == [message for _, _, message in one.said]
    partner = find_pairs(messages, known_headers([capture])[0], row_families(capture)).partner.tolist()
    counts: Counter[str] = Counter()
    for truth, found in zip(one.answers, partner, strict=True):
        if truth >= 0:
            counts["answers"] += 1
            counts["right"] += found == truth
            counts["alike"] += found >= 0 and one.said[found][2] == one.said[truth][2]
            counts["missed"] += found < 0
        else:
            counts["invented"] += found >= 0
    return Score(*(counts[name] for name in Score._fields))


def main(sessions: int) -> None:
    """Print a line a family."""
    print(f"{'family':26} {'answers':>8} {'right':>8} {'alike':>8} {'missed':>7} {'invented':>9}")
    total = Score(0, 0, 0, 0, 0)
    for family in FAMILIES:
        own = Score(0, 0, 0, 0, 0)
        for seed in range(sessions):
            own += score(session(seed, family))
        _print(family.name, own)
        total += own
    _print("all", total)


def _print(name: str, own: Score) -> None:
    shares = " ".join(f"{value / max(own.answers, 1):8.2%}" for value in (own.right, own.alike))
    print(f"{name:26} {own.answers:8} {shares} {own.missed:7} {own.invented:9}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
