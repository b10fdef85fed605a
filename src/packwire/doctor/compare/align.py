"""Aligning two sessions, step by step, by what is asked: in linear time but for a bounded part.

Rounds of a polling are folded to one block first, so that what is compared is short even in long recordings.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, repeat

from packwire.doctor.compare.session import ClientSession, QueryKind

#: A round of a polling has at most so many steps, and at least so often it must come.
_MAX_PERIOD = 8
_MIN_ROUNDS = 2
#: So many blocks of each session are aligned; what comes behind them is counted.
MAX_BLOCKS = 1500


@dataclass(frozen=True, slots=True)
class Block:
    """Exchanges `first` to `first + period * rounds` of a session: one round, and how often it came."""

    first: int
    period: int
    rounds: int

    def numbers(self, step: int) -> range:
        """Return the exchanges of one step of the round."""
        return range(self.first + step, self.first + self.period * self.rounds, self.period)


@dataclass(frozen=True, slots=True)
class AlignedStep:
    """One kind of request at one place of both sessions: the exchanges there, none where it was not sent."""

    kind: QueryKind
    reference: range | None
    mine: range | None


@dataclass(frozen=True, slots=True)
class Alignment:
    """The steps in order, and how many exchanges at the end of each session are not among them."""

    steps: tuple[AlignedStep, ...]
    left_out: tuple[int, int] = (0, 0)


def align(reference: ClientSession, mine: ClientSession) -> Alignment:
    """Align the requests of two sessions."""
    sides = [[each.kind for each in session.queries] for session in (reference, mine)]
    blocks = [list(_blocks(kinds)) for kinds in sides]
    left = [
        len(kinds) - (each[MAX_BLOCKS].first if len(each) > MAX_BLOCKS else len(kinds))
        for kinds, each in zip(sides, blocks, strict=True)
    ]
    shown = [each[:MAX_BLOCKS] for each in blocks]
    keys = [
        [tuple(kinds[block.first : block.first + block.period]) for block in some]
        for kinds, some in zip(sides, shown, strict=True)
    ]
    steps = tuple(_steps(keys, shown))
    return Alignment(steps, (left[0], left[1]))


def _steps(keys: list[list[tuple[QueryKind, ...]]], blocks: list[list[Block]]) -> Iterator[AlignedStep]:
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for what, begin, end, other_begin, other_end in matcher.get_opcodes():
        asked, left = keys[0][begin:end], blocks[0][begin:end]
        others, right = keys[1][other_begin:other_end], blocks[1][other_begin:other_end]
        rows: Iterable[tuple[tuple[QueryKind, ...], Block | None, Block | None]] = (
            zip(asked, left, right, strict=True)
            if what == "equal"
            else chain(zip(asked, left, repeat(None)), zip(others, repeat(None), right))
        )
        for key, there, here in rows:
            for place, kind in enumerate(key):
                yield AlignedStep(
                    kind, there.numbers(place) if there else None, here.numbers(place) if here else None
                )


def _blocks(kinds: Sequence[Hashable]) -> Iterator[Block]:
    """Fold rounds that follow each other, the shortest period first."""
    runs = [_repeats(kinds, period) for period in range(1, _MAX_PERIOD + 1)]
    at = 0
    while at < len(kinds):
        best = Block(at, 1, 1)
        for period, same in enumerate(runs, 1):
            rounds = same[at] // period + 1
            if rounds >= _MIN_ROUNDS + (period > 1) and rounds * period > best.period * best.rounds:
                best = Block(at, period, rounds)
        yield best
        at += best.period * best.rounds


def _repeats(kinds: Sequence[Hashable], period: int) -> list[int]:
    """Return for each item how many from there on equal the one a period later."""
    result = [0] * len(kinds)
    for at in range(len(kinds) - period - 1, -1, -1):
        result[at] = result[at + 1] + 1 if kinds[at] == kinds[at + period] else 0
    return result
