"""Tables and polynomials of checksums in code."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache
from typing import Final

from packwire.wire.checksum import CHECKSUMS, ChecksumKind, table_of, written_polynomial

_ENTRIES: Final = 256
#: A loop over the bits of a byte has one of these, and such polynomials are too small to be sure alone.
_BITS = 8
#: The highest bit of a byte or the lowest one is looked at.
_TOP, _BOTTOM = {0x80, -0x80}, {1}


def table_names(values: Sequence[int | None]) -> tuple[str, ...]:
    """Return the CRCs whose table some integers are; their low or high bytes count, too (Modbus)."""
    if len(values) not in {_ENTRIES, 2 * _ENTRIES} or None in values:
        return ()
    whole = tuple(each for each in values[:_ENTRIES] if each is not None)
    for bits in (32, 24, 16, 8):
        own = tuple(each & (1 << bits) - 1 for each in whole)
        if found := _tables().get((bits, own)):
            return found
    return ()


@cache
def _tables() -> dict[tuple[int, tuple[int, ...]], tuple[str, ...]]:
    found: dict[tuple[int, tuple[int, ...]], list[str]] = defaultdict(list)
    for entry in CHECKSUMS.values():
        if entry.kind is not ChecksumKind.CRC:
            continue
        table = table_of(entry)
        found[entry.bits, table].append(entry.name)
        if entry.bits == 16:
            for half in ("low", "high"):
                part = tuple(each & 0xFF if half == "low" else each >> 8 for each in table)
                found[8, part].append(f"{entry.name} ({half} bytes)")
    return {key: tuple(names) for key, names in found.items()}


def polynomial_names(numbers: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the polynomials among the integers of a method that shifts and takes XOR, with their CRCs."""
    found = {}
    for number in numbers:
        for bits in (8, 16, 32):
            value = number & (1 << bits) - 1
            if value != number and number + (1 << bits) != value:
                continue
            if bits == 8 and not (_BITS in numbers and (_TOP | _BOTTOM) & set(numbers)):
                continue
            if names := _polynomials().get((bits, value)):
                found[value] = names
    return found


@cache
def _polynomials() -> dict[tuple[int, int], tuple[str, ...]]:
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for entry in CHECKSUMS.values():
        if entry.kind is ChecksumKind.CRC:
            found[entry.bits, written_polynomial(entry)].append(entry.name)
    return {key: tuple(names) for key, names in found.items()}
