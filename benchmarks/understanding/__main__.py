"""How well unknown protocols are understood: `python -m benchmarks.understanding`; prints a table."""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.understanding.exchanges import exchange_sessions
from benchmarks.understanding.models import model_sessions
from benchmarks.understanding.noted import accidents, measure_notes
from benchmarks.understanding.score import Score, score
from benchmarks.understanding.sessions import random_sessions
from benchmarks.understanding.truth import Session, TrueField, captures
from packwire.insight.checksum_search import find
from packwire.insight.fields import FoundField, Frames, find_fields

FIRST = (10, 100, 1000)
#: A session with fewer moving fields says nothing.
LEAST = 3


@dataclass(slots=True)
class Means:
    """Scores of sessions, one after the other, and how sure the detector was of each field."""

    scores: list[Score] = field(default_factory=list)
    sure: list[tuple[float, bool]] = field(default_factory=list)
    few: int = 0
    seconds: float = 0.0

    def row(self, name: str) -> str:
        """Return a row of the table."""

        def mean(values: Iterable[float]) -> str:
            return f"{np.mean(list(values)):.2f}"

        if not self.scores:
            return f"| {name} | none |"
        right, orders = sum(one.right_orders for one in self.scores), sum(one.orders for one in self.scores)
        figures = " | ".join(
            mean(getattr(one, key) for one in self.scores)
            for key in ("f1", "border_f1", "precision", "recall")
        )
        each = self.seconds / len(self.scores)
        return f"| {name} | {len(self.scores)} | {figures} | {right} of {orders} | {each:.2f} |"


def measure(sessions: Iterable[Session], first: int) -> Means:
    """Score what is found in the first messages of each kind of some sessions."""
    means = Means()
    for session in sessions:
        kinds = [Frames(kind.matrix[:first], kind.header, None) for kind in session.all]
        begun = time.perf_counter()
        found = find_fields(kinds)
        means.seconds += time.perf_counter() - begun
        total = Score()
        for known in session.known:
            number = next(index for index, kind in enumerate(session.all) if kind is known.frames)
            total.add(score(kinds[number].matrix, known.fields, found[number]))
            means.sure += list(_sure(known.fields, found[number]))
        if total.true < LEAST:
            means.few += 1
            continue
        means.scores.append(total)
    return means


def _sure(true: Sequence[TrueField], found: Sequence[FoundField]) -> Iterable[tuple[float, bool]]:
    known = {at for each in true for at in range(each.at, each.end)}
    right = {(each.at, each.end) for each in true}
    for each in found:
        if each.confidence is not None and known & set(range(each.at, each.end)):
            yield each.confidence, (each.at, each.end) in right


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.understanding", description=__doc__)
    parser.add_argument("--sessions", type=int, default=40, help="made-up sessions of each length")
    count = parser.parse_args().sessions
    print("| first frames | sessions | EXACT F1 | border F1 | precision | equal values | byte order | s |")
    print("|---|---|---|---|---|---|---|---|")
    sure: list[tuple[float, bool]] = []
    few = 0
    for first in FIRST:
        for half in ("tune", "held"):
            means = measure((each for each in captures() if each.half == half), first)
            print(means.row(f"{first}, real captures, {half}"), flush=True)
            sure += means.sure
        for name, sessions in (
            ("models of the library, simulated", model_sessions(first)),
            ("made-up layouts", random_sessions(count, first)),
        ):
            means = measure(sessions, first)
            print(means.row(f"{first}, {name}"), flush=True)
            sure += means.sure
            few += means.few
    exchanges = exchange_sessions()
    means = measure(exchanges.sessions, max(FIRST))
    print(means.row("all, exchanges of aiobmsble's tests"), flush=True)
    for session, own in zip(exchanges.sessions, means.scores, strict=True):
        print(f"  {session.name}: EXACT F1 {own.f1:.2f}, border F1 {own.border_f1:.2f}, {own.true} fields")
    print(f"  too few different frames, or too little that moves: {', '.join(exchanges.few) or 'none'}")
    print(f"  no model that knows their fields: {', '.join(exchanges.unknown) or 'none'}")
    print(f"\n{few} sessions had fewer than {LEAST} fields that moved: not scored")
    _confidence(sure)
    _notes(count)
    _checksums(count)


def _confidence(sure: Sequence[tuple[float, bool]]) -> None:
    print("\n| confidence | fields | right |\n|---|---|---|")
    for low, high in ((0.5, 0.7), (0.7, 0.8), (0.8, 0.85), (0.85, 0.95), (0.95, 1.0)):
        inside = [right for said, right in sure if low <= said < high]
        if inside:
            print(f"| {low} to {high} | {len(inside)} | {np.mean(inside):.2f} |")


def _notes(count: int) -> None:
    notes = measure_notes(count, 200)
    print(f"\nnoted three times, moving: {notes.moving} values")
    for name in ("listed", "one_series", "first"):
        print(f"  {name.replace('_', ' ')}: {getattr(notes, name) / max(notes.moving, 1):.2f}")
    print(f"constants: {notes.ties_listed} of {notes.constants} listed, with the number of ties")
    for many in (1, 3):
        chances = np.array(accidents(5 * count, 100, many))
        said = ", ".join(f"1 in {number}: {int((chances <= 1 / number).sum())}" for number in (20, 100, 1000))
        print(f"of {5 * count} values of nothing, noted {many} times, found with a chance of {said}")


def _checksums(count: int) -> None:
    right = total = claimed = none = 0
    for session in random_sessions(count, 3, seed=5):
        known = session.known[0]
        found = find([row.tobytes() for row in known.frames.matrix])
        true = next((each for each in known.fields if each.name == "checksum"), None)
        if true is None:
            none += 1
            claimed += bool(found)
            continue
        total += 1
        width = known.frames.matrix.shape[1]
        right += any((one.place.at % width, one.checksum.size) == (true.at, true.width) for one in found)
    print(f"\nchecksums from three frames: {right} of {total} right or in a tie")
    print(f"claimed where there is none: {claimed} of {none}")


if __name__ == "__main__":
    main()
