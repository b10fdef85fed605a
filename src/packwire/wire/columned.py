"""Lines of text whose values stand in columns, as Lithionics sends them: `1399,350,349,-3`.

Fields name their columns, from 0, instead of places. The engine is that of `packwire.wire.codec` otherwise.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, override

from packwire.wire.codec import Codec, DecodedValues, Span, is_there, reader_of
from packwire.wire.fields import TO_THE_END, Field, FieldError, Order, Type

#: More columns than any device sends in one line.
_MOST_COLUMNS = 256
_DECIMAL = re.compile(rb"[+-]?[0-9]{1,18}(\.[0-9]{1,9})?")
_HEXADECIMAL = re.compile(rb"[+-]?[0-9A-Fa-f]{1,16}")
_NOTHING = b"0"

type _Text = tuple[bytes, int]
"""What stands in a column, and where it begins."""
type _Read = Callable[[bytes], tuple[float | None, Any]]


class ColumnCodec(Codec):
    """Fields in columns, compiled. Lines that have not `columns` of them (where it is given) are others."""

    __slots__ = ("_readers", "columns", "separator")

    def __init__(
        self, fields: Iterable[Field], order: Order, separator: str, columns: int | None = None
    ) -> None:
        super().__init__(fields, order)
        self.separator = separator.encode()
        self.columns = columns
        for field in self.fields:
            problem = _problem(field)
            if problem:
                raise FieldError(f"{field.name}: {problem}")
        self._readers: tuple[tuple[Field, _Read], ...] = tuple(
            (field, _reader(field)) for field in self.fields
        )

    def fits(self, data: bytes) -> bool:
        """Tell whether a line has as many columns as it should."""
        return self.columns is None or data.count(self.separator) + 1 == self.columns

    @override
    def decode(self, data: bytes, at: int = 0, known: Mapping[str, float] = {}) -> DecodedValues:
        values: dict[str, Any] = {}
        missing: list[str] = []
        for field, texts, missed, read in self._there(data, at, known):
            if missed:
                missing.append(field.name)
            if field.count is not None:
                values[field.name] = tuple([read(text)[1] for text, _ in texts])
            elif texts:
                value = read(texts[0][0])[1]
                if value is not None:
                    values[field.name] = value
        return DecodedValues(values, tuple(missing))

    @override
    def spans(self, data: bytes, at: int = 0, known: Mapping[str, float] = {}) -> list[Span]:
        spans = []
        for field, texts, _, read in self._there(data, at, known):
            for index, (text, place) in enumerate(texts):
                raw, value = read(text)
                name = field.name if field.count is None else f"{field.name}[{index}]"
                spans.append(Span(name, place, len(text), None if raw is None else int(raw), value))
        return spans

    @override
    def encode(self, values: Mapping[str, Any], *, size: int = 0, known: Mapping[str, float] = {}) -> bytes:
        """Encode a line; columns that no field fills are 0."""
        values = dict(values)
        for field in self.fields:
            if isinstance(field.count, str) and values.get(field.name) is not None:
                values[field.count] = len(values[field.name])
        written: dict[int, bytes] = {}
        numbers: dict[int, int] = {}
        raws: dict[str, float] = dict(known)
        for field in self.fields:
            value = values.get(field.name)
            if value is None or not is_there(field, raws):
                continue
            for column, item in enumerate((value,) if field.count is None else value, field.column or 0):
                if not field.type.numeric:
                    written[column] = str(item).encode()
                    continue
                raw = int(field.raw(item))
                raws[field.name] = raw
                shifted = raw << (field.bits or (0,))[0]
                numbers[column] = numbers[column] | shifted if column in numbers else shifted
                written[column] = _written(field, numbers[column])
        many = max([self.columns or 0, *(column + 1 for column in written)])
        return self.separator.join(written.get(column, _NOTHING) for column in range(many))

    def _there(
        self, data: bytes, at: int, known: Mapping[str, float]
    ) -> Iterator[tuple[Field, list[_Text], bool, _Read]]:
        """Yield the fields that are there, what stands in their columns, and whether some are missing."""
        columns = list(self._columns(data, at))
        raws: dict[str, float] = dict(known)
        for field, read in self._readers:
            if not is_there(field, raws):
                continue
            first = field.column or 0
            many = _many(field, raws, len(columns))
            texts = columns[first : first + many]
            if field.count is None and texts:
                raws[field.name] = read(texts[0][0])[0] or 0
            yield field, texts, len(texts) < many, read

    def _columns(self, data: bytes, at: int) -> Iterator[_Text]:
        for text in data[at:].rstrip(b"\r\n").split(self.separator, _MOST_COLUMNS)[:_MOST_COLUMNS]:
            yield text, at
            at += len(text) + len(self.separator)


def _problem(field: Field) -> str:
    if field.column is None:
        return "say its column, as others of this reply do"
    if field.type not in {Type.DECIMAL, Type.HEXADECIMAL, Type.TEXT}:
        return "what stands in a column is a decimal, a hexadecimal or a text"
    if field.ones or field.negative or field.each_bit is not None or field.stride is not None:
        return "of a column there are no ones, negative, each_bit and stride"
    return ""


def _many(field: Field, raws: Mapping[str, float], columns: int) -> int:
    """Return how many columns a field has in a line of so many."""
    count = field.count
    if count is None:
        return 1
    if count == TO_THE_END:
        many = columns - (field.column or 0)
    else:
        many = int(raws.get(count, 0)) if isinstance(count, str) else count
    return max(0, many if field.most is None else min(many, field.most))


def _written(field: Field, raw: int) -> bytes:
    form = "X" if field.type is Type.HEXADECIMAL else "d"
    return f"{raw:0{field.width or 1}{form}}".encode()


def _reader(field: Field) -> _Read:
    """Return what reads the raw number that stands there, where it is one, and the value."""
    if not field.type.numeric:
        return lambda text: (None, text.decode("utf-8", "backslashreplace").strip() or None)
    value = reader_of(field)
    pattern, base = (_HEXADECIMAL, 16) if field.type is Type.HEXADECIMAL else (_DECIMAL, 10)

    def number(text: bytes) -> tuple[float | None, Any]:
        text = text.strip()
        if not pattern.fullmatch(text):
            return None, None
        raw = float(text) if b"." in text else int(text, base)
        if field.bits:
            lowest, many = field.bits
            raw = int(raw) >> lowest & (1 << many) - 1
        return raw, value(raw)

    return number
