"""Compiled JavaScript of the Hermes engine: its texts, and lists of numbers.

The texts lie side by side without anything between them: only the table tells where one ends. The form is
that of Hermes's own BytecodeFileFormat.h and SerializedLiteralGenerator.h; what its compilers of versions 84
and 96 write was read with it.
"""

import struct
from collections.abc import Iterator
from typing import Final

#: How such a file begins.
HERMES: Final = bytes.fromhex("c61fbc03c103191f")
#: Where the header has the version, and from where on it counts its sections; it is padded to so many bytes.
_VERSION, _COUNTS, _HEADER = 8, 40, 128
#: From this version on large integers are counted, too.
_BIG_INTEGERS = 87
_NEWEST, _OLDEST = 96, 76
_FUNCTION, _WORD, _OVERFLOW = 16, 4, 8
#: A length of a short text that says: it is in the other table.
_IS_LONG = 0xFF
#: So many texts are read, of so many bytes together, and so many lists.
_MOST_TEXTS, _MOST_BYTES, _MOST_LISTS = 1_000_000, 1 << 26, 100_000
#: How wide the literals of each type are: null, true, false, number, texts of three sizes, integer.
_WIDTHS: Final = (0, 0, 0, 8, 4, 2, 1, 4)
_INTEGER, _SEVERAL = 7, 0x80


class HermesFile:
    """The sections of such a file that hold texts and literals. Raises ValueError where they are not told."""

    def __init__(self, data: bytes) -> None:
        if not data.startswith(HERMES) or len(data) < _HEADER:
            raise ValueError("no compiled JavaScript of Hermes")
        self._data = data
        (version,) = struct.unpack_from("<I", data, _VERSION)
        if not _OLDEST <= version <= _NEWEST:
            raise ValueError(f"compiled by Hermes in version {version}, which is not known")
        functions, kinds, identifiers, self._count, overflow, self._size, *rest = struct.unpack_from(
            "<11I", data, _COUNTS
        )
        self._lists_size = rest[4 if version >= _BIG_INTEGERS else 2]
        self._table = _HEADER + _FUNCTION * functions + _WORD * (kinds + identifiers)
        self._overflow = self._table + _WORD * self._count
        self._overflow_count = overflow
        self._texts = self._overflow + _OVERFLOW * overflow
        self._lists = -(-(self._texts + self._size) // _WORD) * _WORD
        if self._lists + self._lists_size > len(data):
            raise ValueError("compiled JavaScript of Hermes that is cut, or of another form")

    def texts(self) -> Iterator[str]:
        """Yield the texts, which are bounded together; what lies outside of their section is left out."""
        data, room = self._data, _MOST_BYTES
        for number in range(min(self._count, _MOST_TEXTS)):
            (entry,) = struct.unpack_from("<I", data, self._table + _WORD * number)
            wide, at, many = entry & 1, entry >> 1 & 0x7FFFFF, entry >> 24
            if many == _IS_LONG:
                if at >= self._overflow_count:
                    continue
                at, many = struct.unpack_from("<2I", data, self._overflow + _OVERFLOW * at)
            size = many << wide
            room -= size
            if room < 0:
                return
            if at + size <= self._size:
                said = data[self._texts + at : self._texts + at + size]
                yield said.decode("utf-16-le" if wide else "latin-1", "replace")

    def lists(self) -> Iterator[tuple[int, ...]]:
        """Yield the lists of whole numbers; of one that holds other things too, the parts between them."""
        at, end = self._lists, self._lists + self._lists_size
        for _ in range(_MOST_LISTS):
            if at >= end:
                return
            tag = self._data[at]
            many, at = tag & 0x0F, at + 1
            if tag & _SEVERAL:
                if at >= end:
                    return
                many, at = many << 8 | self._data[at], at + 1
            kind = tag >> 4 & 7
            size = many * _WIDTHS[kind]
            if at + size > end:
                return
            if kind == _INTEGER:
                yield struct.unpack_from(f"<{many}i", self._data, at)
            at += size
