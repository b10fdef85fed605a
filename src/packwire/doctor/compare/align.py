"""Aligning two sessions, step by step, by what is asked: in linear time but for a bounded part.

Rounds of a polling are folded to one block first, so that what is compared is short even in long recordings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, repeat

from packwire.doctor.compare.session import ClientSession, QueryKind
from packwire.insight.rounds import Fold, folds

#: A round of a polling has at most so many steps; one request alone need not come so often.
_MAX_PERIOD, _ROUNDS, _TWICE = 8, 3, 2
#: So many blocks of each session are aligned; what comes behind them is counted.
MAX_BLOCKS = 1500


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
    blocks = [list(folds(kinds, _MAX_PERIOD, _ROUNDS, least_alone=_TWICE)) for kinds in sides]
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


def _steps(keys: list[list[tuple[QueryKind, ...]]], blocks: list[list[Fold]]) -> Iterator[AlignedStep]:
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for what, begin, end, other_begin, other_end in matcher.get_opcodes():
        asked, left = keys[0][begin:end], blocks[0][begin:end]
        others, right = keys[1][other_begin:other_end], blocks[1][other_begin:other_end]
        rows: Iterable[tuple[tuple[QueryKind, ...], Fold | None, Fold | None]] = (
            zip(asked, left, right, strict=True)
            if what == "equal"
            else chain(zip(asked, left, repeat(None)), zip(others, repeat(None), right))
        )
        for key, there, here in rows:
            for place, kind in enumerate(key):
                yield AlignedStep(
                    kind, there.numbers(place) if there else None, here.numbers(place) if here else None
                )
