"""Bits that belong together: numbers that move anyway, and fields in which a state shows as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np

from packwire.insight.bits import bit_values
from packwire.insight.chance import Gaps, chance_of
from packwire.insight.evidence import MAX_CHANCE, MAX_LAG, Bit, Tier
from packwire.insight.grouped import KindTable
from packwire.insight.segments import Cut

#: So many of a bit's changes are carries of the bits below it, where it is part of a number.
_CARRIES = 0.6
#: A value read back has so many bytes at most.
_LONGEST = 4
#: In so many segments at least, and for so many values, what was written must be what is read back.
_MIN_SEGMENTS, _MIN_VALUES = 3, 2


@dataclass(frozen=True, slots=True)
class NumberField:
    """Bits that show the state together, in `size` bytes from `byte`.

    bits     the (byte, bit) in it that differ between states
    values   for each state the bytes of the field, those bits alone; None where no message shows it
    order    how the bytes make a number: "big" or "little"
    read_back   in how many segments of how many what was written is what is read back; None: it is not that
    chance   that of the best bit; read back, that of the whole
    """

    byte: int
    size: int
    bits: tuple[tuple[int, int], ...]
    values: tuple[int | None, ...]
    chance: float
    order: str = "big"
    read_back: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number of `size` bytes from `byte` that moves anyway; for each state its lowest and highest value."""

    byte: int
    size: int
    order: str
    ranges: tuple[tuple[int, int] | None, ...]


def numbers_of(table: KindTable, moving: Mapping[tuple[int, int], int], cut: Cut) -> tuple[Number, ...]:
    """Return the numbers that bits belong to; `moving` has for each (byte, bit) the byte that moves below."""
    result = []
    for byte, low in sorted({(byte, low) for (byte, _), low in moving.items()}):
        first, last = min(byte, low), max(byte, low)
        order = "little" if low < byte else "big"
        cells = table.matrix[:, first : last + 1].astype(np.int64)
        value = cells[:, 0] if first == last else cells @ ([256, 1] if order == "big" else [1, 256])
        ranges: list[tuple[int, int] | None] = []
        for state in cut.states:
            parts = [
                value[begin:end]
                for segment, begin, end in zip(table.segments, table.begin, table.end, strict=True)
                if segment.state == state and end > begin
            ]
            shown = np.concatenate(parts) if parts else value[:0]
            ranges.append((int(shown.min()), int(shown.max())) if len(shown) else None)
        result.append(Number(first, last - first + 1, order, tuple(ranges)))
    return tuple(result)


def moves_below(table: KindTable, bit: Bit, cut: Cut) -> int | None:
    """Return the byte whose lower bits make a bit part of a number that changes away from the marks, too.

    It is the bit's own byte or one beside it; None: the bit is part of no such number.

    When a number moves a little, a bit of it changes only as the bits below carry. So the number up to this
    bit, taken with the byte below it in either order, makes small steps where the bit changes.
    """
    if bit.tier is Tier.REACTS or not cut.marks:
        return None
    flags = bit_values(table.matrix[:, bit.byte], bit.bit)
    rows = np.flatnonzero(flags[1:] != flags[:-1])
    if not len(rows):
        return None
    marks = table.marks(MAX_LAG)
    own = table.matrix[:, bit.byte].astype(np.int64) & ((2 << bit.bit) - 1)
    for other in (None, bit.byte + 1, bit.byte - 1):
        if other is None:
            value, unit = own, 1 << bit.bit
        elif 0 <= other < table.matrix.shape[1]:
            value, unit = own << 8 | table.matrix[:, other], 1 << (bit.bit + 8)
        else:
            continue
        below = value & (unit - 1)
        alone = (below[1:] != below[:-1]) & ~marks
        small = 2 * np.abs(np.diff(value))[rows] <= unit
        if other is not None:
            # One more or one less, in either direction round: the byte itself only takes the carry.
            small &= np.isin(np.diff(table.matrix[:, bit.byte])[rows], (1, 255))
        if alone.any() and np.count_nonzero(small) >= _CARRIES * len(rows):
            return bit.byte if other is None else other
    return None


def fields_of(bits: Sequence[Bit], read_back: Sequence[NumberField], cut: Cut) -> tuple[NumberField, ...]:
    """Put bits together that show the state as one field, in the order of the best bit of each.

    What is read back as it was written is one field. Else bits of one byte that tell the same states apart
    are, or that only together tell all states apart; bits that are tied to a write each stay switches of
    their own. So are the same in neighbouring bytes, where one of them holds three or more.
    """
    left = [bit for bit in bits if bit.tier is not Tier.REACTS]
    groups: list[list[Bit]] = [[bit] for bit in bits if bit.tier is Tier.REACTS]
    inside = {place for field in read_back for place in field.bits}
    left = [bit for bit in left if (bit.byte, bit.bit) not in inside]
    by_byte: dict[int, list[list[Bit]]] = {}
    for bit in sorted(left, key=lambda bit: bit.tier, reverse=True):
        here = by_byte.setdefault(bit.byte, [])
        mate = next((group for group in here if _together(group[0], bit)), None)
        if mate is None:
            here.append([bit])
        else:
            mate.append(bit)
    for lower, upper in pairwise(sorted(by_byte)):
        if upper == lower + 1 and len(by_byte[lower]) == len(by_byte[upper]) == 1:
            joined = by_byte[lower][0] + by_byte[upper][0]
            if max(len(by_byte[lower][0]), len(by_byte[upper][0])) >= 3:
                by_byte[lower], by_byte[upper] = [], [joined]
    groups += [group for here in by_byte.values() for group in here]
    order = {(bit.byte, bit.bit): place for place, bit in enumerate(bits)}
    fields = [*read_back] + [_field(group, cut) for group in groups]
    return tuple(
        sorted(
            fields, key=lambda one: (one.read_back is None, min(order.get(at, len(order)) for at in one.bits))
        )
    )


def _together(first: Bit, second: Bit) -> bool:
    """Say whether bits of a byte are one field: alike or opposite in all states, or not tied to writes."""
    if (first.chance > MAX_CHANCE) != (second.chance > MAX_CHANCE):
        return False
    pairs = [(a, b) for a, b in zip(first.values, second.values, strict=True) if a is not None]
    if len({a == b for a, b in pairs}) == 1:
        return True
    return None in {first.tied_to, second.tied_to}


def _field(bits: Sequence[Bit], cut: Cut) -> NumberField:
    first, last = min(bit.byte for bit in bits), max(bit.byte for bit in bits)
    values: list[int | None] = []
    for number in range(len(cut.states)):
        shown = [bit.values[number] for bit in bits]
        values.append(
            None
            if None in shown
            else sum(
                (value or 0) << 8 * (last - bit.byte) + bit.bit
                for value, bit in zip(shown, bits, strict=True)
            )
        )
    chance = min(bit.chance for bit in bits)
    places = tuple(sorted((bit.byte, bit.bit) for bit in bits))
    return NumberField(first, last - first + 1, places, tuple(values), chance)


def fields_read_back(table: KindTable, bits: Sequence[Bit], cut: Cut) -> list[NumberField]:
    """Find fields that hold what was written, in every segment that shows them."""
    if len(cut.written) < _MIN_VALUES or len({len(one) for one in cut.written}) != 1:
        return []
    result: list[NumberField] = []
    taken: set[int] = set()
    own = _own_place(table, cut)
    lag = {bit.byte: bit.lag for bit in bits}
    for width, values in _widths(cut.written):
        for order in ("big", "little") if width > 1 else ("big",):
            said = {s: v if order == "big" else v[::-1] for s, v in zip(cut.states, values, strict=True)}
            for at in range(table.matrix.shape[1] - width + 1):
                inside = [bit for bit in bits if at <= bit.byte < at + width]
                if not inside or taken & set(range(at, at + width)):
                    continue
                agreed = _agreed(table, at, said, max(lag[bit.byte] for bit in inside))
                if (
                    agreed is None
                    or (agreed < _MIN_SEGMENTS and at != own)
                    or any(bit.byte not in taken and not _reads(bit, at, said) for bit in inside)
                ):
                    continue
                taken |= set(range(at, at + width))
                numbers = tuple(int.from_bytes(value) for value in values)
                places = _moving(table, at, width)
                tried = 1 if at == own else int((table.matrix != table.matrix[0]).any(axis=0).sum())
                whole = _chance(table, at, width, len(set(values)), tried)
                chance = min(whole, *(bit.chance for bit in inside))
                result.append(NumberField(at, width, places, numbers, chance, order, (agreed, agreed)))
    return result


def _moving(table: KindTable, at: int, width: int) -> tuple[tuple[int, int], ...]:
    """Return the bits of a field that ever change."""
    cells = table.matrix[:, at : at + width]
    moved = np.bitwise_or.reduce(cells ^ cells[0], axis=0)
    return tuple((at + byte, bit) for byte in range(width) for bit in range(8) if moved[byte] >> bit & 1)


def _chance(table: KindTable, at: int, width: int, values: int, tried: int) -> float:
    """Return the chance that a field changes at the marks alone, and each time to the one value of all seen.

    That the values are those written leaves one way, for each of the bytes that were tried.
    """
    cells = table.matrix[:, at : at + width]
    rows = np.flatnonzero((cells[1:] != cells[:-1]).any(axis=1))
    right = -len(rows) * log(max(values - 1, 1))
    return chance_of(Gaps.between(table.time).of_changes(rows) + right, tried)


def _widths(written: Sequence[bytes]) -> list[tuple[int, tuple[bytes, ...]]]:
    """Return the written values in all widths that hold them, the widest first."""
    size = len(written[0])
    result = []
    for width in range(min(size, _LONGEST), 0, -1):
        if all(not any(one[:-width]) for one in written):
            result.append((width, tuple(one[-width:] for one in written)))
        elif all(not any(one[width:]) for one in written):
            result.append((width, tuple(one[:width][::-1] for one in written)))
    return result


def _own_place(table: KindTable, cut: Cut) -> int | None:
    """Return where in replies to a read of registers the one lies that was written; None: not there."""
    kind = table.kind
    if not (cut.register and kind.asked and kind.header[:1] == cut.register[:1]):
        return None
    at = int.from_bytes(cut.register[1:]) - int.from_bytes(kind.asked[:2])
    return 3 + 2 * at if 0 <= at < int.from_bytes(kind.asked[2:]) else None


def _reads(bit: Bit, at: int, said: dict[str, bytes]) -> bool:
    values = zip(bit.values, said.values(), strict=True)
    return all(shown is None or shown == value[bit.byte - at] >> bit.bit & 1 for shown, value in values)


def _agreed(table: KindTable, at: int, said: dict[str, bytes], lag: int) -> int | None:
    """Return in how many segments the bytes are what was written; None: in one they are not, or too few."""
    count, seen = 0, set()
    for segment, begin, end in zip(table.segments, table.begin, table.end, strict=True):
        if segment.state is None or end - begin <= lag:
            continue
        value = said[segment.state]
        rows = table.matrix[begin + lag : end, at : at + len(value)]
        if not (rows == np.frombuffer(value, dtype=np.uint8)).all():
            return None
        count += 1
        seen.add(value)
    return count if len(seen) >= _MIN_VALUES else None
