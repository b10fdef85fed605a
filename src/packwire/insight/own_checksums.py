"""Checksums in no catalogue: sums that begin with a constant, and CRCs with a polynomial of their own."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from packwire.insight.checksums import checksums
from packwire.messages import Bytes
from packwire.wire.checksum import Checksum, ChecksumKind

#: So many different messages tell a polynomial.
_LEAST = 5
_POLYNOMIAL_BITS = (8, 16, 32)


def own_checksums(covered: Bytes, stored: NDArray[np.uint32], size: int) -> Iterator[tuple[Checksum, float]]:
    """Yield checksums in no catalogue that fit, with how many bits of them were chosen to fit.

    `covered` are the bytes of some messages of one length, `stored` what stands in each as a checksum of
    `size` bytes. Messages of one length do not tell the initial value of a CRC from its final XOR.
    """
    bits = 8 * size
    mask = (1 << bits) - 1
    rows = covered.astype(np.int64)
    if size < 4:
        rest = (stored.astype(np.int64) - rows.sum(axis=1)) & mask
        if (rest == rest[0]).all() and rest[0]:
            yield (
                Checksum(
                    f"sum{bits} plus {int(rest[0]):0{2 * size}x}", ChecksumKind.SUM, bits, init=int(rest[0])
                ),
                bits,
            )
    if size == 1:
        rest = stored.astype(np.int64) ^ np.bitwise_xor.reduce(rows, axis=1)
        if (rest == rest[0]).all() and rest[0]:
            yield Checksum(f"xor8 of {int(rest[0]):02x}", ChecksumKind.XOR, 8, init=int(rest[0])), bits
    if len(covered) < _LEAST or bits not in _POLYNOMIAL_BITS:
        return
    for reflected in (False, True):
        poly = _polynomial(covered, stored, bits, reflected=reflected)
        if poly is not None:
            name = f"CRC-{bits}, polynomial {poly:#0{2 * size + 2}x}"
            entry = Checksum(name, ChecksumKind.CRC, bits, poly, reflected=reflected)
            last = int(checksums(entry, covered[:1], (0,))[-1, 0, 0]) ^ int(stored[0])
            yield Checksum(name, ChecksumKind.CRC, bits, poly, 0, reflected, last), 2.0 * bits


def _polynomial(covered: Bytes, stored: NDArray[np.uint32], bits: int, *, reflected: bool) -> int | None:
    """Return the polynomial by which all divide that messages of one length differ in, with their CRCs.

    None where there is none of that many bits.
    """
    common = 0
    first, *others = [_read(row.tobytes(), reflected=reflected) for row in covered]
    for row, data in enumerate(others, start=1):
        check = int(stored[row]) ^ int(stored[0])
        check = _reversed(check, bits) if reflected else check
        common = _divisor(common, (data ^ first) << bits ^ check)
        if 0 < common.bit_length() <= bits:
            return None
    if common.bit_length() != bits + 1 or not common & 1:
        return None
    return common ^ 1 << bits


def _read(data: bytes, *, reflected: bool) -> int:
    return int.from_bytes(bytes(_reversed(byte, 8) for byte in data) if reflected else data)


def _reversed(number: int, bits: int) -> int:
    return int(f"{number:0{bits}b}"[::-1], 2)


def _divisor(one: int, other: int) -> int:
    """Return the greatest common divisor of polynomials over GF(2)."""
    while other:
        size = other.bit_length()
        while (left := one.bit_length()) >= size:
            one ^= other << left - size
        one, other = other, one
    return one
