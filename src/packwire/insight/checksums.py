"""Which bytes of a group of messages are a checksum over the others.

Tried are those of the catalogue (`packwire.wire.checksum`), over every range that begins in the first bytes
and ends right before the checksum, in both byte orders; a checksum counts only where all messages agree.
Messages of several lengths that end alike, such as an app's writes, are looked at by `find_closing`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packwire.columns import distinct, distinct_rows
from packwire.messages import Bytes
from packwire.wire.checksum import CATALOGUE, CHECKSUMS, Checksum, ChecksumKind, table_of

type Values = NDArray[np.uint32]

#: A checksum begins at most so far before the end (trailing marks such as JBD's 77 stand behind it) ...
_TAIL = 6
#: ... and what it covers begins at most so far behind the start.
_STARTS = 8
#: So many different messages are tried first; what fits these is checked against all.
_SAMPLE = 12
#: What closes messages of several lengths closes so many of them.
_AGREE = 0.75


@dataclass(frozen=True, slots=True)
class FoundChecksum:
    """A checksum at `at` (with `size` bytes) over the bytes from `begin` up to it."""

    name: str
    at: int
    size: int
    begin: int
    little_endian: bool

    @property
    def rank(self) -> tuple[int, int]:
        """Return what is lower for a likelier one: it ends later, or covers more."""
        return -self.at - self.size, self.begin

    def __str__(self) -> str:
        order = "" if self.size == 1 else (" little endian" if self.little_endian else " big endian")
        return f"{self.name}{order} of bytes {self.begin}..{self.at - 1}"


def find_checksum(matrix: Bytes) -> FoundChecksum | None:
    """Find the checksum of `(n, width)` messages; None where there is none, or too few differ to tell.

    All messages must agree, and enough of them must differ that chance would not: with `t` ranges and kinds
    tried and `m` different messages, chance fits `t * 2 ** (-bits * (m - 1))` times. At least three
    different messages are needed for a checksum of one byte and two for one of two bytes. The one that ends
    last is taken: of flags that follow each other, one may be the sum of the others.
    """
    width = matrix.shape[1]
    distinct = _distinct(matrix)
    if len(distinct) < 2 or width < 3:
        return None
    last = int(np.flatnonzero((distinct != distinct[0]).any(axis=0)).max(initial=-1)) + 1
    best: FoundChecksum | None = None
    for entry in sorted(CATALOGUE, key=lambda entry: -entry.bits):
        if len(distinct) < (3 if entry.bits == 8 else 2):
            continue
        for found in _fits(entry, distinct):
            if (best is None or found.rank < best.rank) and fits(found, matrix):
                best = found
        if best is not None and best.at + best.size == last:
            break
    return best


def fits(found: FoundChecksum, matrix: Bytes) -> bool:
    """Say whether all of `(n, width)` messages have this checksum."""
    entry = CHECKSUMS[found.name]
    whole = checksums(entry, matrix[:, : found.at], (found.begin,))[-1, :, 0]
    return bool((whole == _stored(matrix, found)).all())


@dataclass(frozen=True, slots=True, order=True)
class Closing:
    """A checksum over the bytes from `begin` on, with `size` bytes and then `tail` marks at the end."""

    begin: int
    tail: int
    name: str
    size: int
    little_endian: bool

    def __str__(self) -> str:
        return f"{self.name} of the bytes from {self.begin} on"

    @property
    def length(self) -> int:
        """Return how many bytes at the end tell nothing: the checksum and the marks behind it."""
        return self.size + self.tail


def find_closing(messages: Sequence[bytes], others: Sequence[bytes] = ()) -> tuple[Closing | None, bool]:
    """Find the checksum at the end of messages of any lengths, and say whether it is beyond doubt.

    Three quarters of the different messages must agree, so many as `find_checksum` needs. Where there are
    fewer, one that closes the `others` (of the same device, the other way) as well is beyond doubt.
    """
    fitting = _closings(messages)
    best: tuple[tuple[bool, int, int], Closing] | None = None
    known = _closings(others) if fitting else Counter()
    several = min(len(set(others)), _SAMPLE)
    for closing, count in sorted(fitting.items()):
        confirmed = several > 2 and known[closing] >= _AGREE * several
        proven = confirmed or count > (2 if closing.size == 1 else 1)
        rank = (proven, count, closing.size)
        if best is None or rank > best[0]:
            best = rank, closing
    return (best[1], best[0][0]) if best else (None, False)


def _closings(messages: Sequence[bytes]) -> Counter[Closing]:
    """Return what may close three quarters of the messages, two at least, and how many of them it does."""
    different = list(dict.fromkeys(messages))
    different = different[:: max(len(different) // _SAMPLE, 1)][:_SAMPLE]
    met: dict[Closing, list[tuple[int, bytes]]] = {}
    for size in sorted({len(each) for each in different if len(each) > 2}):
        lot = [each for each in different if len(each) == size]
        matrix = np.frombuffer(b"".join(lot), dtype=np.uint8).reshape(len(lot), size)
        for entry in CATALOGUE:
            for closing, rows in _closing_rows(entry, matrix):
                at = size - closing.length
                met.setdefault(closing, []).extend(
                    (int.from_bytes(lot[row][at : at + closing.size]), lot[row][at + closing.size :])
                    for row in rows
                )
    least = max(2, _AGREE * len(different))
    return Counter(
        {
            closing: len(ends)
            for closing, ends in met.items()
            if len(ends) >= least
            and len({check for check, _ in ends}) > 1
            and len({marks for _, marks in ends}) == 1
        }
    )


def _closing_rows(entry: Checksum, matrix: Bytes) -> list[tuple[Closing, list[int]]]:
    """Return the closings of one kind that fit some messages of a length, with their rows."""
    width, size = matrix.shape[1], entry.bits // 8
    if width <= size:
        return []
    begins = tuple(range(min(_STARTS, width - size)))
    computed = checksums(entry, matrix, begins)
    result = []
    for at in range(max(width - _TAIL, 1), width - size + 1):
        for little in (False, True)[:size]:
            stored = _stored(matrix, FoundChecksum(entry.name, at, size, 0, little))
            agrees = computed[at] == stored[:, None]
            result += [
                (Closing(begin, width - size - at, entry.name, size, little), rows)
                for begin in begins
                if begin < at and (rows := np.flatnonzero(agrees[:, begin]).tolist())
            ]
    return result


def checksums(entry: Checksum, matrix: Bytes, begins: tuple[int, ...]) -> Values:
    """Return `(width + 1, n, len(begins))`: the checksum of each message from `begins[j]` up to byte `i`."""
    rows, width = matrix.shape
    state = np.full((rows, len(begins)), entry.init, dtype=np.uint32)
    starts = np.array(begins)
    result = np.zeros((width + 1, rows, len(begins)), dtype=np.uint32)
    table = np.array(table_of(entry) if entry.kind is ChecksumKind.CRC else (), dtype=np.uint32)
    for at in range(width):
        result[at] = state
        column = matrix[:, at, None].astype(np.uint32)
        state = np.where(starts <= at, _step(entry, table, state, column), state)
    result[width] = state
    mask = np.uint32((1 << entry.bits) - 1)
    result = (result ^ np.uint32(entry.xorout)) & mask
    return (np.uint32(1 << entry.bits) - result) & mask if entry.negate else result


def _step(entry: Checksum, table: Values, state: Values, column: Values) -> Values:
    if entry.kind is ChecksumKind.SUM:
        return state + column
    if entry.kind is ChecksumKind.XOR:
        return state ^ column
    if entry.kind is ChecksumKind.FLETCHER:
        low = ((state & np.uint32(0xFF)) + column) % np.uint32(entry.poly)
        return np.asarray(((state >> np.uint32(8)) + low) % np.uint32(entry.poly) << np.uint32(8) | low)
    if entry.reflected:
        return np.asarray((state >> np.uint32(8)) ^ table[(state ^ column) & np.uint32(0xFF)])
    top = np.uint32(entry.bits - 8)
    mask = np.uint32((1 << entry.bits) - 1)
    return np.asarray(((state << np.uint32(8)) & mask) ^ table[((state >> top) ^ column) & np.uint32(0xFF)])


def _distinct(matrix: Bytes) -> Bytes:
    """Return up to `_SAMPLE` different messages, from all over the table."""
    if len(matrix) == 0:
        return matrix
    picked = matrix[distinct(np.linspace(0, len(matrix) - 1, 16 * _SAMPLE).astype(np.int64))]
    different = distinct_rows(picked)
    return different[:: max(len(different) // _SAMPLE, 1)][:_SAMPLE]


def _fits(entry: Checksum, sample: Bytes) -> list[FoundChecksum]:
    width, size = sample.shape[1], entry.bits // 8
    begins = tuple(range(min(_STARTS, width - size)))
    computed = checksums(entry, sample, begins)
    result = []
    for at in range(max(width - _TAIL, 1), width - size + 1):
        for little in (False, True)[:size]:
            here = FoundChecksum(entry.name, at, size, 0, little)
            stored = _stored(sample, here)
            if (stored == stored[0]).all():
                continue  # it never changes: nothing is learnt from it
            fitting = np.flatnonzero((computed[at] == stored[:, None]).all(axis=0)).tolist()
            result += [
                FoundChecksum(entry.name, at, size, begin, little)
                for begin in fitting
                if begin < at and not _repeats(entry, sample[:, begin:at], stored)
            ]
    return result


def _repeats(entry: Checksum, covered: Bytes, stored: Values) -> bool:
    """Tell whether a sum only repeats the one byte that moves, as a number that is sent twice does."""
    if entry.kind not in {ChecksumKind.SUM, ChecksumKind.XOR}:
        return False
    moving = np.flatnonzero((covered != covered[:1]).any(axis=0))
    return len(moving) == 1 and bool((covered[:, moving[0]] == stored).all())


def _stored(matrix: Bytes, found: FoundChecksum) -> Values:
    return values_at(matrix, found.at, found.size, little=found.little_endian)


def values_at(matrix: Bytes, at: int, size: int, *, little: bool) -> Values:
    """Return what stands in each message at a place, as a number of `size` bytes (4 at most)."""
    result = np.zeros(len(matrix), dtype=np.uint32)
    for byte in range(size):
        shift = np.uint32(8 * (byte if little else size - 1 - byte))
        result |= matrix[:, at + byte].astype(np.uint32) << shift
    return result
