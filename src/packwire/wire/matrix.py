"""Thousands of messages of one length at once: a `(n, width)` matrix of bytes to the values of each field.

The same fields give the same values as `packwire.wire.codec`, message by message; a test holds that.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packwire.wire.block import single_bits
from packwire.wire.codec import Codec, reader_of
from packwire.wire.fields import TO_THE_END, Field, FieldCondition, Operator, Order, Type

type _Bytes = NDArray[np.uint8]
type _Column = NDArray[np.float64]
"""Raw numbers or values, message by message; NaN where there is none."""
type _Places = NDArray[np.int64]
type _There = NDArray[np.bool_]


def values_of(codec: Codec, matrix: _Bytes) -> dict[str, list[Any]] | None:
    """Return by field what `Codec.decode` gives of each message; None in place of what it does not give.

    A message that was cut short says nothing at all. None for layouts that have what is read one by one:
    texts, numbers of more than six bytes, signs and lists that are no plain numbers. Its figure is
    `messages --decode` in `benchmarks/models.py`.
    """
    if not all(_is_said(field) for field in codec.fields):
        return None
    reader = _Reader(matrix, codec.order)
    said: dict[str, list[Any]] = {}
    for field in codec.fields:
        reader.read(field)
        values, there = reader.said(field), reader.ends[field.name][1]
        if there.all():
            said[field.name] = list(values)
        else:
            pairs = zip(there.tolist(), values, strict=True)
            said[field.name] = [value if is_there else None for is_there, value in pairs]
    for index in np.flatnonzero(reader.cut).tolist():
        for column in said.values():
            column[index] = None
    return said


def _is_said(field: Field) -> bool:
    if (
        not field.type.numeric
        or (field.width or 0) > _MOST_EXACT
        or field.negative
        or field.key
        or field.column is not None
    ):
        return False
    return field.count is None or (field.plain and field.type in {Type.UINT, Type.INT, Type.SIGN_MAGNITUDE})


#: A column holds numbers of so many bytes exactly.
_MOST_EXACT = 6


class _Reader:
    """Where decoding is, message by message."""

    def __init__(self, matrix: _Bytes, order: Order) -> None:
        # Numbers are read where they stand, and for that a message's bytes lie side by side.
        self.matrix = matrix if matrix.strides[1] == 1 else np.ascontiguousarray(matrix)
        self.order: Order = order
        self.end: _Places | int = 0
        """Where the field before ends: a number where that is the same in all messages.

        Beyond a message where that field was cut or is not there at all: what follows has no place.
        """
        self.cut: _There = np.zeros(len(matrix), dtype=np.bool_)
        """Messages that are too short for a field that should be there."""
        self.ends: dict[str, tuple[_Places | int, _There]] = {}
        self.raws: dict[str, _Column] = {}
        """Of fields that are one number."""
        self.lists: dict[str, _Column] = {}
        """The values, scaled, of fields that are counted: one row a message."""
        self._whole: dict[str, _Places] = {}
        """Raw numbers that other fields asked for, as whole ones."""

    def read(self, field: Field) -> None:
        there = self._everywhere
        for condition in field.when:
            there = there & self._holds(condition)
        if self._read_alike(field, there):
            return
        begin, placed = self._begin(field)
        reads = there & placed & (begin >= 0) & (begin <= self.matrix.shape[1])
        end, whole = self._numbers(field, begin, reads)
        self.cut |= there & ~whole
        before = self._spread(self.end)
        self.end = np.where(whole, end, np.where(there, self.matrix.shape[1] + 1, before))
        self.ends[field.name] = end, whole

    @cached_property
    def _everywhere(self) -> _There:
        return np.ones(len(self.matrix), dtype=np.bool_)

    def said(self, field: Field) -> Iterable[Any]:
        """Return the values of a field that was read, message by message, as numbers and words of Python."""
        if field.count is not None:
            column = self.lists[field.name]
            whole_numbers = field.steps()[1:] == (1, 0.0, 0.0)
            listed = (np.nan_to_num(column).astype(np.int64) if whole_numbers else column).tolist()
            if not np.isnan(column).any():
                return map(tuple, listed)
            sizes = (~np.isnan(column)).sum(axis=1).tolist()
            return (tuple(items[:size]) for items, size in zip(listed, sizes, strict=True))
        raw = self.raws[field.name]
        if field.type is Type.FLOAT:
            return map(reader_of(field), raw.tolist())
        numbers = np.nan_to_num(raw).astype(np.int64).tolist()
        if isinstance(field.each_bit, str):
            pairs = list(zip(numbers, self._raw_of(field.each_bit).tolist(), strict=True))
            bits = {pair: single_bits(*pair) for pair in set(pairs)}
            return map(bits.__getitem__, pairs)
        many, value = field.each_bit, reader_of(field)
        of = {each: value(each) if many is None else single_bits(each, many) for each in set(numbers)}
        if field.type is Type.BCD:
            return (None if none else of[each] for none, each in zip(np.isnan(raw), numbers, strict=True))
        return map(of.__getitem__, numbers)

    def _spread(self, place: _Places | int) -> _Places:
        """Return a place message by message."""
        return np.full(len(self.matrix), place, dtype=np.int64) if isinstance(place, int) else place

    def _read_alike(self, field: Field, there: _There) -> bool:
        """Read numbers that lie at one place, and are as many, in all messages; tell whether they do."""
        if field.at is None or not there.all():
            return False
        size, width, many = self.matrix.shape[1], field.width or 0, 1
        place = field.at if field.at >= 0 else size + field.at
        if field.count is not None:
            counts = self._count(field, np.array([max((size - place - width) // field.step + 1, 0)]))
            many = int(counts[0]) if len(counts) and (counts == counts[0]).all() else -1
        end = place + (many - 1) * field.step + width if many > 0 else place
        if many < 0 or place < 0 or end > size:
            return False
        if field.count is None:
            number = self.matrix[:, place : place + width]
            self.raws[field.name] = _number(field, number, field.order or self.order)
        else:
            shown = many if field.most is None else min(many, field.most)
            self.lists[field.name] = field.scaled(self._items(field, place, shown))
        self.end = place + many * field.step if field.count is not None else end
        self.ends[field.name] = self.end, self._everywhere
        return True

    def _items(self, field: Field, place: int, many: int) -> _Column:
        """Return the raw numbers of a list that lies at one place in all messages."""
        order, width = field.order or self.order, field.width or 0
        if field.step == width and _numpy_reads(field, order):
            block = self.matrix[:, place : place + many * width]
            return block.view(_dtype(field, order)).astype(np.float64)
        items = [
            _number(field, self.matrix[:, at : at + width], order)
            for at in range(place, place + many * field.step, field.step)
        ]
        return np.stack(items, axis=1) if items else np.zeros((len(self.matrix), 0))

    def _compared(self, condition: FieldCondition) -> _Places | _Column:
        """Return the raw numbers of a field: whole ones where single bits are looked at."""
        if condition.comparison in {Operator.BIT, Operator.NO_BIT}:
            return self._raw_of(condition.field)
        raw = self.raws.get(condition.field)
        return np.zeros(len(self.matrix)) if raw is None else np.nan_to_num(raw)

    def _raw_of(self, name: str) -> _Places:
        """Return the raw numbers of an earlier field; 0 where they are not known."""
        if name not in self._whole:
            raw = self.raws.get(name)
            there = np.zeros(len(self.matrix)) if raw is None else np.nan_to_num(raw)
            self._whole[name] = there.astype(np.int64)
        return self._whole[name]

    def _holds(self, condition: FieldCondition) -> _There:
        held: _There = condition.holds(self._compared(condition))
        return held

    def _begin(self, field: Field) -> tuple[_Places, _There]:
        if field.at is not None:
            place = field.at if field.at >= 0 else self.matrix.shape[1] + field.at
            return self._spread(place), self._everywhere
        end, known = (self.end, self._everywhere) if field.after is None else self.ends[field.after]
        return self._spread(end), known

    def _numbers(self, field: Field, begin: _Places, reads: _There) -> tuple[_Places, _There]:
        width, size = field.width or 0, self.matrix.shape[1]
        room = np.maximum((size - begin - width) // field.step + 1, 0) * (size - begin >= width)
        if field.count is None:
            whole = reads & (room > 0)
            self.raws[field.name] = self._raw(field, begin, whole)
            return begin + width, whole
        count = self._count(field, room)
        taken = np.where(reads, np.minimum(count, room), 0)
        shown = (
            int(taken.max(initial=0)) if field.most is None else min(int(taken.max(initial=0)), field.most)
        )
        result = np.full((len(self.matrix), shown), np.nan)
        for index in range(shown):
            result[:, index] = field.scaled(self._raw(field, begin + index * field.step, taken > index))
        self.lists[field.name] = result
        return begin + taken * field.step, reads & (taken == count)

    def _count(self, field: Field, room: _Places) -> _Places:
        if isinstance(field.count, str):
            return np.maximum(self._raw_of(field.count), 0) // field.counts
        if field.count == TO_THE_END:
            return room
        return np.full(len(self.matrix), field.count or 0, dtype=np.int64)

    def _raw(self, field: Field, begin: _Places, whole: _There) -> _Column:
        """Return the raw numbers at these places; NaN where `whole` is False."""
        width, order = field.width or 0, field.order or self.order
        if not whole.any():
            return np.full(len(begin), np.nan)
        if whole.all() and (begin == begin[0]).all():
            item = self.matrix[:, int(begin[0]) : int(begin[0]) + width]
        else:
            rows = np.arange(len(begin))[:, None]
            place = np.where(whole, begin, 0)[:, None] + np.arange(width)
            item = self.matrix[rows, np.minimum(place, max(self.matrix.shape[1] - 1, 0))]
        raw = _number(field, item, order)
        return raw if whole.all() else np.where(whole, raw, np.nan)


def _numpy_reads(field: Field, order: Order) -> bool:
    """Tell whether numpy itself knows such numbers."""
    if field.bits or field.ones or (field.width or 0) not in _WIDTHS or order == "low word first":
        return False
    return field.type in {Type.UINT, Type.INT}


def _dtype(field: Field, order: Order) -> str:
    sign = "i" if field.type is Type.INT else "u"
    return f"{'<' if order == 'little' else '>'}{sign}{field.width}"


def _number(field: Field, item: _Bytes, order: Order) -> _Column:
    """Return the raw number that each row of bytes is."""
    if field.type is Type.FLOAT:
        highest_first = _in_order(item, order)
        with np.errstate(invalid="ignore"):  # a NaN that signals
            return np.ascontiguousarray(highest_first).view(f">f{item.shape[1]}")[:, 0].astype(np.float64)
    if _numpy_reads(field, order):
        return item.view(_dtype(field, order))[:, 0].astype(np.float64)
    return _whole_number(field, item, order)


def _in_order(item: _Bytes, order: Order) -> _Bytes:
    """Return the bytes of numbers with the highest first; see `packwire.wire.fields.in_order`."""
    if order == "big":
        return item
    if order == "little":
        return item[:, ::-1]
    return item.reshape(len(item), -1, 2)[:, ::-1].reshape(len(item), -1)


def _whole_number(field: Field, item: _Bytes, order: Order) -> _Column:
    if field.type is Type.DECIMAL:
        return _decimal(item)
    item = _in_order(item, order)
    if field.type is Type.BCD:
        high, low = item >> 4, item & 15
        digits = np.stack((high, low), axis=2).reshape(len(item), -1).astype(np.float64)
        number = digits @ (10.0 ** np.arange(digits.shape[1] - 1, -1, -1))
        return np.where((digits > 9).any(axis=1), np.nan, number)
    raw = np.zeros(len(item), dtype=np.uint64)
    for column in item.T:
        raw = raw << np.uint64(8) | column
    bits = 8 * item.shape[1]
    if field.bits:
        lowest, bits = field.bits
        raw = raw >> np.uint64(lowest) & np.uint64((1 << bits) - 1)
    if field.type is Type.UINT:
        return (np.bitwise_count(raw) if field.ones else raw).astype(np.float64)
    if field.type is Type.INT:
        spare = np.uint64(64 - bits)
        return ((raw << spare).view(np.int64) >> spare.astype(np.int64)).astype(np.float64)
    magnitude = (raw & np.uint64((1 << bits - 1) - 1)).astype(np.float64)
    return np.where(raw >> np.uint64(bits - 1) & np.uint64(1), -magnitude, magnitude)


#: Numbers of so many bytes numpy reads itself.
_WIDTHS = frozenset({1, 2, 4, 8})


def _decimal(item: _Bytes) -> _Column:
    """Return the numbers that begin with a digit, up to what is none."""
    number = np.where((item[:, 0] < 0x30) | (item[:, 0] > 0x39), np.nan, 0.0)
    going = ~np.isnan(number)
    for column in item.T:
        going = going & (column >= 0x30) & (column <= 0x39)
        number = np.where(going, number * 10 + (column.astype(np.float64) - 0x30), number)
    return number
