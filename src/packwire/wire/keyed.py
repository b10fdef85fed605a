"""Texts of keys and values, one a line, as VE.Direct has them: a key, a tab, a value.

Fields name their keys instead of places. The engine is that of `packwire.wire.codec` otherwise: the same
fields give values, spans, and a text again.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, override

from packwire.wire.codec import Codec, DecodedValues, Span
from packwire.wire.fields import Field, Type

_LINE, _TAB = b"\r\n", b"\t"
#: More lines than any device sends in one block.
_MOST_LINES = 256
_NUMBER = re.compile(rb"[+-]?[0-9]{1,20}|0x[0-9A-Fa-f]{1,16}")


class _Place(NamedTuple):
    start: int
    end: int


def lines(text: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the keys of a text, each with where its value begins and ends; what is no such line is none."""
    at = 0
    for _ in range(_MOST_LINES):
        at = text.find(_LINE, at)
        if at < 0:
            return
        at += len(_LINE)
        end = text.find(_LINE, at)
        end = len(text) if end < 0 else end
        tab = text.find(_TAB, at, end)
        if tab >= 0:
            yield text[at:tab], tab + len(_TAB), end


class KeyedCodec(Codec):
    """Fields behind keys, compiled. The first line of a key counts."""

    __slots__ = ()

    @override
    def decode(self, data: bytes, at: int = 0, known: Mapping[str, float] = {}) -> DecodedValues:
        places = _places(data, at)
        values: dict[str, Any] = {}
        raws: dict[str, Any] = dict(known)
        for field in self.fields:
            if not all(each.holds(raws.get(each.field, 0)) for each in field.when):
                continue
            place = places.get(_key(field))
            if place is None:
                continue  # devices differ in what they have
            raw, value = _read(field, data[place.start : place.end])
            if raw is not None:
                raws[field.name] = raw
            if value is not None:
                values[field.name] = value
        return DecodedValues(values)

    @override
    def spans(self, data: bytes, at: int = 0, known: Mapping[str, float] = {}) -> list[Span]:
        places = _places(data, at)
        spans = []
        for field in self.fields:
            place = places.get(_key(field))
            if place is not None:
                raw, value = _read(field, data[place.start : place.end])
                spans.append(Span(field.name, place.start, place.end - place.start, raw, value))
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


def _places(data: bytes, at: int) -> dict[bytes, _Place]:
    places: dict[bytes, _Place] = {}
    for key, start, end in lines(data[at:] if at else data):
        places.setdefault(key, _Place(start + at, end + at))
    return places


def _read(field: Field, text: bytes) -> tuple[int | None, Any]:
    """Return the raw number that stands there, where it is one, and the value."""
    if field.type is Type.DECIMAL:
        if not _NUMBER.fullmatch(text):
            return None, None
        raw = int(text, 16 if text.startswith(b"0x") else 10)
        value = field.value(raw)
        return raw, value
    return None, text.decode("utf-8", "backslashreplace") or None
