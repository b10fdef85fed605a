"""What the code of one method does, as far as it tells of a protocol: calls, texts, arrays, numbers.

Registers are followed along the code in its order. Where code may be entered from elsewhere, what is known of
them is forgotten: an element of an array that nobody is sure of is unknown, and never guessed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from packwire.apk.dex import Dex

#: Longer arrays are no frames and no tables of checksums; those put together piece by piece are no tables.
_LONGEST_ARRAY, _LONGEST_PIECED = 1024, 64
#: So many elements of arrays and cases of jumps a unit of code may lead to, and so many in any case.
_PER_UNIT, _LEAST_ROOM = 8, 4096


def _lengths() -> tuple[int, ...]:
    """Return the units that each instruction has, by its first byte."""
    result = [1] * 256
    for first, last, units in (
        (0x02, 0x02, 2), (0x03, 0x03, 3), (0x05, 0x05, 2), (0x06, 0x06, 3), (0x08, 0x08, 2), (0x09, 0x09, 3),
        (0x13, 0x13, 2), (0x14, 0x14, 3), (0x15, 0x16, 2), (0x17, 0x17, 3), (0x18, 0x18, 5), (0x19, 0x1A, 2),
        (0x1B, 0x1B, 3), (0x1C, 0x1C, 2), (0x1F, 0x20, 2), (0x22, 0x23, 2), (0x24, 0x26, 3), (0x29, 0x29, 2),
        (0x2A, 0x2C, 3), (0x2D, 0x3D, 2), (0x44, 0x6D, 2), (0x6E, 0x72, 3), (0x74, 0x78, 3), (0x90, 0xAF, 2),
        (0xD0, 0xE2, 2), (0xFA, 0xFB, 4), (0xFC, 0xFD, 3), (0xFE, 0xFF, 2),
    ):  # fmt: skip
        result[first : last + 1] = [units] * (last + 1 - first)
    return tuple(result)


_LENGTH: Final = _lengths()
#: Instructions whose result is put into the register that the whole second byte names, or half of it.
_TO_BYTE: Final = frozenset(
    (0x02, 0x05, 0x08, *range(0x0A, 0x0E), *range(0x13, 0x1D), 0x22, *range(0x2D, 0x32), *range(0x44, 0x4B),
     *range(0x60, 0x67), *range(0x90, 0xB0), *range(0xD8, 0xE3))
)  # fmt: skip
_TO_HALF: Final = frozenset(
    (0x01, 0x04, 0x07, 0x12, 0x20, 0x21, 0x23, *range(0x52, 0x59), *range(0x7B, 0x90), *range(0xB0, 0xD8))
)
#: Those whose result takes the next register as well.
_WIDE: Final = frozenset(
    (0x04, 0x05, 0x06, 0x0B, *range(0x16, 0x1A), 0x45, 0x53, 0x61, 0x7D, 0x7E, 0x80, 0x81, 0x83, 0x86, 0x88,
     0x89, 0x8B, *range(0x9B, 0xA6), *range(0xAB, 0xB0), *range(0xBB, 0xC6), *range(0xCB, 0xD0))
)  # fmt: skip
_XOR: Final = frozenset((0x97, 0xB7, 0xD7, 0xDF))
_SHIFT: Final = frozenset((0x98, 0x99, 0x9A, 0xB8, 0xB9, 0xBA, 0xE0, 0xE1, 0xE2))
_INTO_ARRAYS: Final = frozenset((0x24, 0x25, 0x26, 0x4B, 0x4C, 0x4E, 0x4F, 0x50, 0x51))
#: From one register into another, and cut to fewer bits: what is known of the one is known of the other.
_MOVES: Final = frozenset((0x01, 0x04, 0x07, 0x8D, 0x8E, 0x8F))
_LONG_MOVES: Final = frozenset((0x02, 0x05, 0x08))
_CALLS: Final = frozenset((*range(0x6E, 0x73), *range(0x74, 0x79)))
_WIDTHS: Final = {"[B": 1, "[S": 2, "[C": 2, "[I": 4, "[J": 8}
_PACKED, _SPARSE, _DATA = 0x0100, 0x0200, 0x0300


@dataclass(slots=True)
class ArrayMade:
    """An array of integers that a method makes; an element that is not known is None. `name`: its field."""

    width: int
    values: list[int | None]
    field: int | None = None


@dataclass(slots=True)
class Doings:
    """What a method does: numbers of methods, strings and fields in its file; and integers that it uses."""

    calls: list[int] = field(default_factory=list)
    strings: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    arrays: list[ArrayMade] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)
    uuids: list[tuple[int, int]] = field(default_factory=list)
    xors: bool = False
    shifts: bool = False


def doings(units: Sequence[int], dex: Dex) -> Doings:
    """Return what the code of a method does."""
    return _Walk(units, dex).walk()


class _Walk:
    def __init__(self, units: Sequence[int], dex: Dex) -> None:
        self.units, self.dex = units, dex
        self.found = Doings()
        self.numbers: dict[int, int] = {}
        self.arrays: dict[int, ArrayMade] = {}
        self.room = _PER_UNIT * len(units) + _LEAST_ROOM
        self.made: ArrayMade | None = None
        """What the last instruction made and the next one puts into a register."""

    def walk(self) -> Doings:
        """Go over all instructions."""
        units, found = self.units, self.found
        entered = self._entered()
        for at, code in self._instructions():
            if at in entered or code == 0x0D:
                self.numbers.clear()
            if code in _CALLS:
                found.calls.append(units[at + 1])
                self._call(at, code)
            elif code == 0x1A or code == 0x1B:  # noqa: PLR1714 - twice as fast as a set, of millions
                found.strings.append(units[at + 1] if code == 0x1A else units[at + 1] | units[at + 2] << 16)
            elif code == 0x62 or code == 0x54:  # noqa: PLR1714
                found.reads.append(units[at + 1])
            self._use(at, code)
            self._follow(at, code)
            found.xors = found.xors or code in _XOR
            found.shifts = found.shifts or code in _SHIFT
        return found

    def _instructions(self) -> Iterator[tuple[int, int]]:
        """Yield where each instruction stands, and its opcode; the tables between them are passed over."""
        units = self.units
        at, size = 0, len(units)
        while at < size:
            code = units[at] & 0xFF
            if code == 0 and units[at]:
                at += self._payload(at)
                continue
            length = _LENGTH[code]
            if at + length > size:
                return
            yield at, code
            at += length

    def _entered(self) -> set[int]:
        """Return where code may be entered by a jump."""
        units = self.units
        result: set[int] = set()
        for at, code in self._instructions():
            if code == 0x28:
                result.add(at + _signed(units[at] >> 8, 8))
            elif code == 0x29 or 0x32 <= code <= 0x3D:
                result.add(at + _signed(units[at + 1], 16))
            elif code in {0x2A, 0x2B, 0x2C}:
                offset = at + _signed_wide(units, at + 1)
                if code == 0x2A:
                    result.add(offset)
                else:
                    result |= self._cases(at, offset)
        return result

    def _cases(self, at: int, payload: int) -> set[int]:
        units = self.units
        if not 0 <= payload < len(units) - 1 or units[payload] not in {_PACKED, _SPARSE}:
            return set()
        count = units[payload + 1]
        if not self._has_room(count):
            return set()
        begin = payload + (4 if units[payload] == _PACKED else 2 + 2 * count)
        part = units[begin : begin + 2 * count]
        return {at + _signed(low | high << 16, 32) for low, high in zip(part[::2], part[1::2], strict=False)}

    def _payload(self, at: int) -> int:
        """Return how many units data between the code have; at least one."""
        units, kind = self.units, self.units[at]
        count = units[at + 1] if at + 1 < len(units) else 0
        if kind == _PACKED:
            return 4 + 2 * count
        if kind == _SPARSE:
            return 2 + 4 * count
        if kind == _DATA and at + 3 < len(units):
            return 4 + (count * (units[at + 2] | units[at + 3] << 16) + 1) // 2
        return 1

    def _use(self, at: int, code: int) -> None:
        """Note what an instruction puts into arrays and fields, and the number that it computes with."""
        units = self.units
        whole, half = units[at] >> 8, units[at] >> 8 & 0xF
        if code in _INTO_ARRAYS:
            self._into_array(at, code)
        elif code in {0x69, 0x5B}:  # into a field
            kept = self.arrays.get(whole if code == 0x69 else half)
            if kept is not None and kept.field is None:
                kept.field = units[at + 1]
        elif 0xD0 <= code <= 0xD7:
            self.found.numbers.add(_signed(units[at + 1], 16))
        elif 0xD8 <= code <= 0xE2:
            self.found.numbers.add(_signed(units[at + 1] >> 8, 8))

    def _follow(self, at: int, code: int) -> None:
        """Note what an instruction puts into a register."""
        units = self.units
        unit = units[at]
        whole, half = unit >> 8, unit >> 8 & 0xF
        to = whole if code in _TO_BYTE else half if code in _TO_HALF else None
        if to is None:
            return
        number, array = self._constant(at, code), None
        source = unit >> 12 if code in _MOVES else units[at + 1] if code in _LONG_MOVES else None
        if source is not None:
            number, array = self.numbers.get(source), self.arrays.get(source)
        elif code == 0x23:
            array = self._new(self.dex.type(units[at + 1]), self.numbers.get(unit >> 12))
        elif code == 0x0C:
            array, self.made = self.made, None
        for each in (to, to + 1)[: 1 + (code in _WIDE)]:
            self.numbers.pop(each, None)
            self.arrays.pop(each, None)
        if number is not None:
            self.numbers[to] = number
            self.found.numbers.add(number)
        if array is not None:
            self.arrays[to] = array

    def _constant(self, at: int, code: int) -> int | None:
        """Return the number that an instruction puts into a register, as it has it in itself."""
        units = self.units
        match code:
            case 0x12:
                return _signed(units[at] >> 12, 4)
            case 0x13 | 0x16:
                return _signed(units[at + 1], 16)
            case 0x14 | 0x17:
                return _signed_wide(units, at + 1)
            case 0x15:
                return _signed(units[at + 1] << 16, 32)
            case 0x18:
                return _signed(sum(units[at + 1 + n] << 16 * n for n in range(4)), 64)
            case 0x19:
                return _signed(units[at + 1] << 48, 64)
        return None

    def _into_array(self, at: int, code: int) -> None:
        units = self.units
        if code in {0x24, 0x25}:
            self._filled(at, code)
        elif code == 0x26:
            self._fill(units[at] >> 8, at + _signed_wide(units, at + 1))
        else:
            self._put(units[at] >> 8, units[at + 1])

    def _has_room(self, count: int) -> bool:
        """Take so much of what a method may lead to: hostile code points to one place again and again."""
        self.room -= count
        return self.room >= 0

    def _new(self, kind: str, size: int | None) -> ArrayMade | None:
        """Return an array of zeros; one that is filled later is made then."""
        if kind not in _WIDTHS or size is None or not 0 < size <= _LONGEST_PIECED or not self._has_room(size):
            return None
        made = ArrayMade(_WIDTHS[kind], [0] * size)
        self.found.arrays.append(made)
        return made

    def _filled(self, at: int, code: int) -> None:
        units = self.units
        kind = self.dex.type(units[at + 1])
        if code == 0x24:
            count, last, packed = units[at] >> 12, units[at] >> 8 & 0xF, units[at + 2]
            registers = [*(packed >> 4 * n & 0xF for n in range(4)), last][:count]
        else:
            registers = list(range(units[at + 2], units[at + 2] + (units[at] >> 8)))
        self.made = self._new(kind, len(registers))
        if self.made is not None:
            self.made.values[:] = [self.numbers.get(each) for each in registers]

    def _fill(self, register: int, at: int) -> None:
        units, array = self.units, self.arrays.get(register)
        if not 0 <= at < len(units) - 3 or units[at] != _DATA:
            return
        width, count = units[at + 1], units[at + 2] | units[at + 3] << 16
        if width not in {1, 2, 4, 8} or not 0 < count <= _LONGEST_ARRAY or not self._has_room(count):
            return
        raw = b"".join(
            each.to_bytes(2, "little") for each in units[at + 4 : at + 4 + (count * width + 1) // 2]
        )
        if len(raw) < count * width:
            return
        values: list[int | None] = [
            int.from_bytes(raw[n * width : (n + 1) * width], "little", signed=True) for n in range(count)
        ]
        if array is None or len(array.values) != count:
            array = self.arrays[register] = ArrayMade(width, values)
            self.found.arrays.append(array)
        array.values[:] = values

    def _put(self, value: int, place: int) -> None:
        array, index = self.arrays.get(place & 0xFF), self.numbers.get(place >> 8)
        if array is None:
            return
        if index is None:  # it may be any of them
            array.values[:] = [None] * len(array.values)
        elif 0 <= index < len(array.values):
            array.values[index] = self.numbers.get(value)

    def _call(self, at: int, code: int) -> None:
        """Note a UUID that is made of two numbers of 64 bits: its object, then two pairs of registers."""
        method = self.dex.method(self.units[at + 1])
        if method.owner != "Ljava/util/UUID;" or method.name != "<init>":
            return
        if code == 0x70:
            packed = self.units[at + 2]
            high, low = packed >> 4 & 0xF, packed >> 12
        else:
            high, low = self.units[at + 2] + 1, self.units[at + 2] + 3
        if high in self.numbers and low in self.numbers:
            self.found.uuids.append((self.numbers[high], self.numbers[low]))


def _signed_wide(units: Sequence[int], at: int) -> int:
    return _signed(units[at] | units[at + 1] << 16, 32)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value
