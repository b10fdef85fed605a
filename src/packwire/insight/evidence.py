"""The bits that agree with the states of a cut, or react to its writes, and how likely chance does it."""

from dataclasses import dataclass, replace
from enum import IntEnum
from math import comb

import numpy as np
from numpy.typing import NDArray

from packwire.insight.bits import bit_values, count_bits
from packwire.insight.chance import Gaps, chance_of, of_hits, of_pattern, ways_to_depend
from packwire.insight.grouped import KindTable
from packwire.insight.segments import Cut
from packwire.messages import Bytes, Int64s

#: So many messages of a segment may still show the state before.
MAX_LAG = 2
#: A bit that reacts to writes changes so many times at least, and so many of its changes follow them.
_MIN_REACTIONS = 3
_MIN_SHARE = 0.75
#: How many messages after a write a reaction may come, and what each costs: together they are one try.
_DELAYS = (((0, 1), 2.0), ((0,), 4.0), ((1,), 4.0))
#: Above this, passing over messages or not counting some writes proves nothing.
MAX_CHANCE = 0.05


class Tier(IntEnum):
    """How good the evidence of a bit is; lower is better."""

    OWN = 0
    FOLLOWS = 1
    REACTS = 2


@dataclass(frozen=True, slots=True)
class Change:
    """A bit became `value`: the packets of the last message before and the first message after."""

    value: int
    before: int
    after: int
    state: str | None


@dataclass(frozen=True, slots=True)
class Bit:
    """A bit that tells states apart.

    values     for each state 0 or 1, or None where no message shows it
    segments   for each state the number of segments that agree
    messages   how many messages the evidence rests on
    lag        how many messages at the start of a segment may still show the state before
    chance     how likely chance does the same, see `packwire.insight.chance`
    crowd      how many bits of its byte ever change: 1 speaks for a switch, more for a number
    tied_to    the one state (or write) that it differs in from all others; None where it follows others
    why        the explanation, empty where there is nothing to explain
    """

    byte: int
    bit: int
    tier: Tier
    values: tuple[int | None, ...]
    segments: tuple[int, ...]
    messages: int
    lag: int
    chance: float
    changes: tuple[Change, ...]
    crowd: int = 1
    tied_to: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the chances are worked out with: the cut, and how many cuts and bytes could show something."""

    cut: Cut
    cuts: int
    bytes: int

    @property
    def most(self) -> int:
        """Return how often a bit may change that follows the state."""
        return max(2 * self.cut.marks, 1)

    def tried(self, crowd: int) -> float:
        """Return in how many places something could be found.

        All bytes count alike; where several bits of one change, each of them has a part of its weight, since
        a switch is seldom one of the bits of a number.
        """
        return float(max(self.cuts * self.bytes * crowd, 1))


def slow_bits(table: KindTable, most: int) -> Int64s:
    """Return for each byte how many of its bits change, but at most so often."""
    flips = count_bits(table.matrix).flips
    return np.asarray(((flips > 0) & (flips <= most)).sum(axis=1), dtype=np.int64)


def extremes(table: KindTable, lag: int) -> tuple[Bytes, Bytes, Int64s]:
    """Return for each segment that has messages after `lag` the bits set in all and in any, and its index."""
    used = np.flatnonzero(table.end - table.begin > lag)
    if len(used) == 0:
        empty = np.zeros((0, table.matrix.shape[1]), dtype=np.uint8)
        return empty, empty, used
    matrix = np.concatenate((table.matrix, table.matrix[-1:]))
    borders = np.column_stack((table.begin[used] + lag, table.end[used])).ravel()
    low = np.bitwise_and.reduceat(matrix, borders, axis=0)[::2]
    high = np.bitwise_or.reduceat(matrix, borders, axis=0)[::2]
    return low, high, used


def by_state(table: KindTable, scale: Scale) -> list[Bit]:
    """Find bits that agree with the states in every segment, passing over as few messages as possible."""
    result: list[Bit] = []
    taken: set[tuple[int, int]] = set()
    cut = scale.cut
    gaps: Gaps | None = None
    crowd = slow_bits(table, scale.most)
    for lag in range(MAX_LAG + 1 if cut.marks else 1):
        low, high, used = extremes(table, lag)
        states = [table.segments[int(index)].state for index in used]
        if len({state for state in states if state is not None}) < 2:
            break
        # A switch rests before the first write, too: what moves there by itself is none.
        steady = ~np.bitwise_or.reduce(low ^ high, axis=0)
        good = steady.copy()
        value = np.zeros((len(cut.states), low.shape[1]), dtype=np.uint8)
        present = [number for number, state in enumerate(cut.states) if state in states]
        for number in present:
            here = np.array([state == cut.states[number] for state in states])
            value[number] = np.bitwise_and.reduce(low[here], axis=0)
            good &= ~(value[number] ^ np.bitwise_or.reduce(high[here], axis=0))
        differs = np.bitwise_and.reduce(value[present], axis=0) ^ np.bitwise_or.reduce(value[present], axis=0)
        counts = tuple(states.count(state) for state in cut.states)
        found = [place for place in places(good & differs) if place not in taken]
        taken.update(found)
        differing = len(places(steady & (np.bitwise_or.reduce(low) ^ np.bitwise_and.reduce(low))))
        gaps = gaps or (Gaps.between(table.time) if found and cut.marks else None)
        for byte, bit in found:
            values = tuple(
                int(value[number, byte]) >> bit & 1 if number in present else None
                for number in range(len(cut.states))
            )
            rows = _rows(table, byte, bit)
            ways = float(ways_to_depend(len(present)))
            if gaps is None:
                chance = chance_of(of_pattern(len(used) - 1, len(rows)), ways * differing)
            else:
                ways *= scale.tried(int(crowd[byte])) * (lag + 1.0) ** len(rows)
                chance = chance_of(gaps.of_changes(rows - 1), ways)
            changes = _changes(table, byte, bit, rows)
            result.append(
                Bit(byte, bit, Tier.OWN, values, counts, len(table.matrix), lag, chance, tuple(changes))
            )
    if cut.marks:
        sure = {bit.byte for bit in result if bit.chance <= MAX_CHANCE}
        result = [_beside(bit, scale) if bit.byte in sure else bit for bit in result]
    return result


def _beside(bit: Bit, scale: Scale) -> Bit:
    """Return a bit in whose byte another was found: it is tried in its place, as are no other bytes."""
    if bit.chance <= MAX_CHANCE:
        return bit
    return replace(bit, chance=bit.chance / scale.tried(1))


def by_reaction(table: KindTable, scale: Scale, agreeing: list[Bit]) -> list[Bit]:
    """Find bits that change right after writes of their own, each kind always in the same direction.

    Where one bit of a byte was found, the others of this byte are tried in its place, without regard to other
    bytes: switches lie side by side.
    """
    taken = {(bit.byte, bit.bit) for bit in agreeing}
    sure = {bit.byte for bit in agreeing if bit.chance <= MAX_CHANCE}
    flips = table.matrix[1:] ^ table.matrix[:-1]
    crowd = slow_bits(table, scale.most)
    gaps: Gaps | None = None
    result: list[Bit] = []
    for byte in np.flatnonzero(crowd):
        changes = {bit: np.flatnonzero(bit_values(flips[:, byte], bit)) + 1 for bit in range(8)}
        left = {
            bit: rows
            for bit, rows in changes.items()
            if _MIN_REACTIONS <= len(rows) <= scale.most and (int(byte), bit) not in taken
        }
        gaps = gaps or (Gaps.between(table.time) if left else None)
        if gaps is None:
            continue
        tries = [float(crowd[byte])] if byte in sure else [scale.tried(int(crowd[byte])), float(crowd[byte])]
        for tried in tries:
            found = [_reaction(table, scale.cut, tried, gaps, int(byte), bit, left[bit]) for bit in left]
            result += [bit for bit in found if bit is not None]
            left = {bit: rows for (bit, rows), one in zip(left.items(), found, strict=True) if one is None}
            if not any(found):
                break
    return result


def _reaction(
    table: KindTable, cut: Cut, tried: float, gaps: Gaps, byte: int, bit: int, rows: Int64s
) -> Bit | None:
    segment = np.searchsorted(table.begin, rows, side="right") - 1
    late = rows - table.begin[segment]
    value = bit_values(table.matrix[rows, byte], bit)
    pushes: dict[str, list[int]] = {}
    for index, behind, now in zip(segment, late, value, strict=True):
        state = table.segments[int(index)].state
        if behind < MAX_LAG and state is not None:
            pushes.setdefault(state, []).append(int(now))
    steady = {state: set(seen).pop() for state, seen in pushes.items() if len(set(seen)) == 1}
    hits = sum(len(pushes[state]) for state in steady)
    if hits < _MIN_REACTIONS or hits < _MIN_SHARE * len(rows) or len(set(steady.values())) < 2:
        return None
    counts = tuple(sum(one.state == state for one in table.segments) for state in cut.states)
    ways = tried * _assignments(len(cut.states), len(steady))
    chance = _chance_of_reaction(table, ways, gaps, rows, steady, byte, bit)
    if chance > MAX_CHANCE:
        return None
    values = tuple(steady.get(state) for state in cut.states)
    took = tuple(len(pushes[state]) if state in steady else 0 for state in cut.states)
    said = ", ".join(
        f"{state} {'sets' if steady[state] else 'clears'} it ({took[number]} of {counts[number]} writes)"
        for number, state in enumerate(cut.states)
        if state in steady
    )
    alone = len(rows) - hits
    why = f"{hits} of {len(rows)} changes come right after: {said}" + (
        f"; {alone} by itself" if alone else ""
    )
    changes = tuple(_changes(table, byte, bit, rows))
    lag = MAX_LAG - 1
    return Bit(byte, bit, Tier.REACTS, values, took, len(table.matrix), lag, chance, changes, why=why)


def _chance_of_reaction(
    table: KindTable, ways: float, gaps: Gaps, rows: Int64s, steady: dict[str, int], byte: int, bit: int
) -> float:
    """Return the chance that changes hit the windows behind writes that set the bit or clear it."""
    shown = bit_values(table.matrix[:, byte], bit)
    best = 1.0
    for delays, weight in _DELAYS:
        windows = np.zeros((2, len(gaps.share)), dtype=np.bool_)
        for segment, begin, end in zip(table.segments, table.begin, table.end, strict=True):
            if segment.state in steady and begin:
                at = begin - 1 + np.array(delays)
                windows[steady[segment.state], at[at < end - 1]] = True
        right = windows[shown[rows].astype(np.int64), rows - 1]
        if np.count_nonzero(right) >= _MIN_SHARE * len(rows):
            misses = int(np.count_nonzero(~right))
            best = min(
                best, weight * of_hits(gaps.share, windows, len(rows), misses, first=int(shown[rows[0]]))
            )
    return min(1.0, best * ways)


def _assignments(kinds: int, used: int) -> float:
    """Return in how many ways so many kinds of writes set or clear a bit and the others do nothing.

    That few are used is tried before that many are, so each number of them has the same weight.
    """
    return float(max(kinds - 1, 1) * comb(kinds, used) * (2**used - 2))


def _rows(table: KindTable, byte: int, bit: int) -> Int64s:
    """Return the rows that show another value of a bit than the row before."""
    flag = bit_values(table.matrix[:, byte], bit)
    return np.asarray(np.flatnonzero(flag[1:] != flag[:-1]) + 1, dtype=np.int64)


def _changes(table: KindTable, byte: int, bit: int, rows: Int64s) -> list[Change]:
    segment = np.searchsorted(table.begin, rows, side="right") - 1
    return [
        Change(
            int(table.matrix[row, byte]) >> bit & 1,
            int(table.packets[row - 1]),
            int(table.packets[row]),
            table.segments[int(index)].state if len(table.segments) else None,
        )
        for row, index in zip(rows, segment, strict=True)
    ]


def places(mask: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return the (byte, bit) of the set bits of `(width,)` uint8."""
    return [(int(byte), bit) for byte in np.flatnonzero(mask) for bit in range(8) if mask[byte] >> bit & 1]
