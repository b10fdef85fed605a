"""Messages that write their bytes as hexadecimal digits: which part of them does, and what it says."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from packwire.messages import Bytes

#: So many digits at least, of which some are letters: less may be bytes that happen to look so.
_SHORTEST = 12
_VALUES = np.full(256, 255, dtype=np.uint8)
_VALUES[np.frombuffer(b"0123456789", dtype=np.uint8)] = np.arange(10)
_VALUES[np.frombuffer(b"ABCDEF", dtype=np.uint8)] = np.arange(10, 16)
_VALUES[np.frombuffer(b"abcdef", dtype=np.uint8)] = np.arange(10, 16)


@dataclass(frozen=True, slots=True)
class Digits:
    """The bytes from `begin` to `end` are digits, two a byte."""

    begin: int
    end: int

    @classmethod
    def of(cls, begin: int, end: int) -> Self:
        """Return the whole pairs from a place on."""
        return cls(begin, end - (end - begin) % 2)

    @staticmethod
    def read(cells: Bytes) -> Bytes:
        """Return the `(n, width / 2)` bytes that digits stand for."""
        values = _VALUES[cells]
        return np.asarray(values[:, ::2] << 4 | values[:, 1::2] & 15, dtype=np.uint8)


def find_digits(matrix: Bytes) -> Digits | None:
    """Return the longest part of `(n, width)` messages that is nothing but digits; None where there is none.

    Of the digits some are letters, all of one case, and there are many of them: numbers alone may be text.
    """
    if not matrix.size:
        return None
    values = _VALUES[matrix]
    right = (values < 16).all(axis=0)
    lower = ((matrix >= 0x61) & (matrix <= 0x66)).any(axis=0)
    upper = ((matrix >= 0x41) & (matrix <= 0x46)).any(axis=0)
    best: Digits | None = None
    begin = 0
    for at in range(len(right) + 1):
        if at < len(right) and right[at]:
            continue
        letters = (lower[begin:at].any(), upper[begin:at].any())
        if (
            at - begin >= _SHORTEST
            and sum(letters) == 1
            and (best is None or at - begin > best.end - best.begin)
        ):
            best = Digits.of(begin, at)
        begin = at + 1
    return best
