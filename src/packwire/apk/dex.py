"""A reader of DEX files: strings, classes, methods and their code, as Android's documents describe them.

Only what a look for a protocol needs. No count and no offset is trusted: tables are cut to what lies in the
file, and all work together is bounded by the file's length, however often the file points to one place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

#: Numbers of types and of methods have 16 bits, and each is defined once.
_MOST = 1 << 16
#: Equal code may be shared by several methods: so often may the whole file be read.
_SHARED = 4
#: Characters of a string that are read.
_LONGEST_STRING = 1 << 14
_HEADER: Final = 0x70
_NO_INDEX: Final = 0xFFFFFFFF
_STRING_VALUE, _NULL_VALUE, _BOOLEAN_VALUE = 0x17, 0x1E, 0x1F


class MethodName(NamedTuple):
    """A method: its class as in `Lcom/acme/Ble;`, its name, and what it takes and returns, in short."""

    owner: str
    name: str
    shorty: str = ""


class FieldName(NamedTuple):
    """A field of a class."""

    owner: str
    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method that is defined here, with its instructions in units of 16 bits."""

    name: MethodName
    code: list[int]


@dataclass(frozen=True, slots=True)
class ClassDefinition:
    """A class: what it is made from, its methods with code, and its constant texts."""

    name: str
    above: tuple[str, ...]
    methods: tuple[Method, ...]
    texts: tuple[tuple[str, str], ...]


class Dex:
    """One DEX file. Raises ValueError where it is none."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER or data[:4] != b"dex\n" or data[0x28:0x2C] != b"\x78\x56\x34\x12":
            raise ValueError("no DEX file of a form that is known")
        self.data = data
        self.cut = False
        """Something in it points out of the file."""
        self._strings = self._table(0x38, 1)[:, 0]
        self._types = self._table(0x40, 1)[:_MOST, 0]
        self._protos = self._table(0x48, 3)[:_MOST]
        self._fields = self._table(0x50, 2)
        self._methods = self._table(0x58, 2)
        self._classes = self._table(0x60, 8)[:_MOST]
        self._known: dict[int, str] = {}
        self._left = _SHARED * len(data)

    def _table(self, at: int, width: int) -> np.ndarray:
        """Return a table whose size and place stand at `at`: rows of so many numbers of 32 bits."""
        count, begin = (int.from_bytes(self.data[at + 4 * n : at + 4 * n + 4], "little") for n in (0, 1))
        room = max(len(self.data) - begin, 0) // (4 * width)
        self.cut = self.cut or count > room
        count = min(count, room)
        if not count:
            return np.zeros((0, width), dtype=np.uint32)
        return np.frombuffer(self.data, dtype="<u4", count=count * width, offset=begin).reshape(count, width)

    @property
    def string_count(self) -> int:
        """Return how many strings there are."""
        return len(self._strings)

    def string(self, number: int) -> str:
        """Return a string; empty where there is none."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._read_string(number)
        return known

    def _read_string(self, number: int) -> str:
        if not 0 <= number < len(self._strings):
            return ""
        at = int(self._strings[number])
        # The number of characters comes first, in up to five bytes; the string ends with a NUL anyway.
        for _ in range(5):
            if at >= len(self.data):
                return ""
            at += 1
            if self.data[at - 1] < 0x80:
                break
        end = self.data.find(b"\0", at, at + _LONGEST_STRING)
        raw = self.data[at : end if end >= 0 else min(at + _LONGEST_STRING, len(self.data))]
        return raw.decode("utf-8", "replace")

    def type(self, number: int) -> str:
        """Return a type as in `Lcom/acme/Ble;` or `[B`; empty where there is none."""
        return self.string(int(self._types[number])) if 0 <= number < len(self._types) else ""

    def method(self, number: int) -> MethodName:
        """Return a method that is defined here or called."""
        if not 0 <= number < len(self._methods):
            return MethodName("", "")
        packed, name = self._methods[number].tolist()
        proto = packed >> 16
        shorty = self.string(int(self._protos[proto][0])) if proto < len(self._protos) else ""
        return MethodName(self.type(packed & 0xFFFF), self.string(name), shorty)

    def field(self, number: int) -> FieldName:
        """Return a field that is defined here or used."""
        if not 0 <= number < len(self._fields):
            return FieldName("", "")
        packed, name = self._fields[number].tolist()
        return FieldName(self.type(packed & 0xFFFF), self.string(name))

    def classes(self, passed_over: tuple[str, ...] = ()) -> Iterator[ClassDefinition]:
        """Yield the classes but those whose names begin so."""
        for row in self._classes.tolist():
            name = self.type(row[0])
            if self._left <= 0:
                self.cut = True
                return
            if name.startswith(passed_over):
                continue
            above = self._above(row[2], row[3])
            fields, methods = self._members(row[6])
            yield ClassDefinition(name, above, methods, tuple(self._texts(row[7], fields)))

    def _above(self, parent: int, interfaces: int) -> tuple[str, ...]:
        result = [] if parent == _NO_INDEX else [self.type(parent)]
        if interfaces:
            count = min(self._u32(interfaces), 256)
            result += [self.type(self._u16(interfaces + 4 + 2 * number)) for number in range(count)]
        return tuple(each for each in result if each)

    def _u16(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 2], "little")

    def _u32(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 4], "little")

    def _uleb(self, at: int) -> tuple[int, int]:
        """Return a number of variable length, and where the next one begins. Raises IndexError at the end."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        self._left -= 1
        if self._left <= 0:
            raise IndexError
        return value, at

    def _members(self, at: int) -> tuple[list[int], tuple[Method, ...]]:
        """Return the numbers of the static fields of a class, and its methods with code."""
        fields: list[int] = []
        methods: list[Method] = []
        if not at:
            return fields, ()
        try:
            counts = []
            for _ in range(4):
                count, at = self._uleb(at)
                counts.append(count)
            for kind in (0, 1):
                number = 0
                for _ in range(counts[kind]):
                    step, at = self._uleb(at)
                    _, at = self._uleb(at)
                    number += step
                    if not kind:
                        fields.append(number)
            for kind in (2, 3):
                number = 0
                for _ in range(counts[kind]):
                    step, at = self._uleb(at)
                    _, at = self._uleb(at)
                    code, at = self._uleb(at)
                    number += step
                    if code and (units := self._code(code)):
                        methods.append(Method(self.method(number), units))
        except IndexError:
            self.cut = True
        return fields, tuple(methods)

    def _code(self, at: int) -> list[int]:
        count = self._u32(at + 12)
        begin = at + 16
        room = min((len(self.data) - begin) // 2, self._left // 2)
        if count > room:
            self.cut = True
            return []
        self._left -= 2 * count + 16
        return np.frombuffer(self.data, dtype="<u2", count=count, offset=begin).tolist() if count else []

    def _texts(self, at: int, fields: list[int]) -> Iterator[tuple[str, str]]:
        """Yield the names and values of static fields whose initial value is a text."""
        if not at:
            return
        try:
            count, at = self._uleb(at)
            for number in fields[:count]:
                head = self.data[at]
                kind, size = head & 0x1F, (head >> 5) + 1
                at += 1
                if kind in {_NULL_VALUE, _BOOLEAN_VALUE}:
                    continue
                if kind > _STRING_VALUE + 4:  # an array or an annotation, whose end is not known
                    return
                value = int.from_bytes(self.data[at : at + size], "little")
                at += size
                if kind == _STRING_VALUE:
                    yield self.field(number).name, self.string(value)
        except IndexError:
            self.cut = True
