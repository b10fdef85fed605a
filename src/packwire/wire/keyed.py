"""Texts of keys and values, one a line, as VE.Direct has them: a key, a tab, a value.

Fields name their keys instead of places. The engine is that of `packwire.wire.codec` otherwise: the same
fields give values, spans, and a text again.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, override

from packwire.wire.codec import Codec, DecodedValues, Span, is_there, reader_of
from packwire.wire.fields import Field, Order, Type

_LINE, _TAB = b"\r\n", b"\t"
#: More lines than any device sends in one block.
_MOST_LINES = 256
_NUMBER = re.compile(rb"[+-]?[0-9]{1,20}|0x[0-9A-Fa-f]{1,16}")


def lines(text: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield the keys of a text, each with its value and where that begins; what is no such line is none."""
    before, *rest = text.split(_LINE, _MOST_LINES + 1)
    at = len(before)
    for line in rest[:_MOST_LINES]:
        key, tab, value = line.partition(_TAB)
        at += len(_LINE) + len(line)
        if tab:
            yield key, value, at - len(value)


class KeyedCodec(Codec):
    """Fields behind keys, compiled. The first line of a key counts."""

    __slots__ = ("_by_key",)

    def __init__(self, fields: Iterable[Field], order: Order = "big") -> None:
        super().__init__(fields, order)
        self._by_key = tuple((field, _key(field), _reader(field)) for field in self.fields)

    @override
    def decode(self, data: bytes, at: int = 0, known: Mapping[str, float] = {}) -> DecodedValues:
        said: dict[bytes, bytes] = {}
        for key, text, _ in lines(data[at:] if at else data):
            said.setdefault(key, text)
        values: dict[str, Any] = {}
        raws: dict[str, Any] = dict(known)
        for field, key, read in self._by_key:
            # Devices differ in what they have.
            if key not in said or not is_there(field, raws):
                continue
            raw, value = read(said[key])
            if raw is not None:
                raws[field.name] = raw
            if value is not None:
                values[field.name] = value
        return DecodedValues(values)

    @override
    def spans(self, data: bytes, at: int = 0, known: Mapping[str, float] = {}) -> list[Span]:
        said: dict[bytes, tuple[bytes, int]] = {}
        for key, text, place in lines(data[at:]):
            said.setdefault(key, (text, at + place))
        spans, values = [], self.decode(data, at, known).values
        for field, key, read in self._by_key:
            if key in said and (field.name in values or not field.when):
                text, place = said[key]
                spans.append(Span(field.name, place, len(text), *read(text)))
        return spans

    @override
    def encode(self, values: Mapping[str, Any], *, size: int = 0, known: Mapping[str, float] = {}) -> bytes:
        """Encode a text; keys whose values are not known are left out."""
        said = bytearray()
        for field in self.fields:
            value = values.get(field.name)
            if value is not None:
                text = str(int(field.raw(value))) if field.type.numeric else str(value)
                said += _LINE + _key(field) + _TAB + text.encode()
        return bytes(said)


def _key(field: Field) -> bytes:
    return (field.key or "").encode()


def _reader(field: Field) -> Callable[[bytes], tuple[int | None, Any]]:
    """Return what reads the raw number that stands there, where it is one, and the value."""
    if field.type is not Type.DECIMAL:
        return lambda text: (None, text.decode("utf-8", "backslashreplace") or None)
    value = reader_of(field)

    def number(text: bytes) -> tuple[int | None, Any]:
        if not _NUMBER.fullmatch(text):
            return None, None
        raw = int(text, 16 if text.startswith(b"0x") else 10)
        return raw, value(raw)

    return number
