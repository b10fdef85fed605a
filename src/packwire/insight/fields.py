"""The fields of a device's messages: where they are, how wide, in which byte order, and what they do.

Nothing here knows a protocol: only what the bytes do over time. What never changes leaves no trace of where
it ends, so borders between constants say little.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packwire.insight.checksums import FoundChecksum, find_checksum, fits
from packwire.insight.code_length import as_float, over_time
from packwire.insight.counters import Ticking, find_counters
from packwire.insight.digits import Digits, find_digits
from packwire.insight.segmentation import Cutting, Piece, confidence, cut
from packwire.messages import Bytes, Int64s
from packwire.wire.fields import Type

#: So many values at most are names of states, where each comes back; none of them is larger.
_NAMES, _HIGHEST_NAME = 8, 255
#: Of very many messages so many stretches of so many are looked at.
_STRETCHES, _STRETCH = 4, 1024
#: So many bits BCD must save beside a plain integer.
_BCD = 12.0
_FLOAT_BITS = 32
#: The byte order of one kind counts for itself where it saves so many bits.
_OWN_ORDER = 60.0
#: A checksum of two bytes says something of the fields' byte order, as so many bits; Modbus's is little.
_ORDER_OF_CHECKSUM, _MODBUS = 8.0, "CRC-16/MODBUS"
_LETTERS = frozenset(range(0x20, 0x7F))
_SHORTEST_TEXT = 4
#: Fewer messages do not tell noise from numbers.
_TELLING = 20
#: How sure one is of a border that either of two ways explains.
_OPEN = 0.5
#: And of a wide number that hardly moves, as measured.
_HARDLY = 0.2
#: A clock goes on so often at least.
_CLOCK = 8
#: A byte jumps about where its usual step is so much of its range, and that is so large.
_JUMP, _WIDE_RANGE = 0.2, 8


class FieldRole(StrEnum):
    """What a field does over time."""

    KIND = "kind"
    """It is one of the first bytes, which tell kinds of messages apart."""
    CONSTANT = "constant"
    TEXT = "text"
    CHECKSUM = "checksum"
    COUNTER = "counter"
    CLOCK = "clock"
    STATES = "states"
    """A few values that come back: an enumeration, or flags."""
    NUMBER = "number"
    NOISE = "noise"
    """It moves as chance does (encrypted, a key, an unknown checksum); where it ends nothing tells."""


@dataclass(frozen=True, slots=True)
class Frames:
    """The messages of one kind: `(n, width)` bytes, the first `header` of which say it; `time` in ns.

    Of decimal text there are no bytes, but `numbers`: a column for each that is written there, NaN: it is
    missing.
    """

    matrix: Bytes
    header: int = 0
    time: Int64s | None = None
    numbers: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class FoundField:
    """A field: `width` bytes from `at`, as `type` in `order` ("big" or "little"); written in `digits`.

    `moves`: it changes. `confidence` is how likely it is that the field is just these bytes; where it never
    changes, or nothing but its role was looked at, it is None. `of` says which checksum it is.
    """

    at: int
    width: int
    type: Type = Type.UINT
    order: str = "big"
    role: FieldRole = FieldRole.NUMBER
    moves: bool = True
    confidence: float | None = None
    digits: bool = False
    of: FoundChecksum | None = None

    @property
    def end(self) -> int:
        """Return where the next field begins."""
        return self.at + self.width

    @property
    def doubted(self) -> bool:
        """Tell whether other borders are likelier than these."""
        return self.confidence is not None and self.confidence < _OPEN

    @property
    def wide(self) -> bool:
        """Tell whether its bytes have an order."""
        return self.width > 1 + self.digits

    def values(self, matrix: Bytes) -> NDArray[Any]:
        """Return what the field reads in each message: int64, or float64; where it is no number, 0."""
        cells = matrix[:, self.at : self.end]
        if self.digits:
            cells = Digits.read(cells)
        cells = cells[:, ::-1] if self.order == "little" else cells
        return read(cells, self.type)


def read(cells: Bytes, kind: Type) -> NDArray[Any]:
    """Return the numbers in `(n, width)` bytes, the highest byte first."""
    width = cells.shape[1]
    if kind is Type.FLOAT:
        with np.errstate(invalid="ignore"):
            return np.ascontiguousarray(cells).view(f">f{width}").ravel().astype(np.float64)
    if kind is Type.BCD:
        return from_bcd(cells)[0]
    if not kind.numeric or width > 8:
        return np.zeros(len(cells), dtype=np.int64)
    wide = np.zeros((len(cells), 8), dtype=np.uint8)
    if kind is Type.INT:
        wide[(cells[:, 0] & 0x80) != 0] = 0xFF
    wide[:, 8 - width :] = cells
    return wide.view(">i8").ravel().astype(np.int64)


def from_bcd(cells: Bytes) -> tuple[Int64s, bool]:
    """Return what `(n, width)` bytes are as binary-coded decimals, and whether all of them are some."""
    result = np.zeros(len(cells), dtype=np.int64)
    right = True
    for column in cells.T.astype(np.int64):
        right = right and bool((column >> 4 <= 9).all() and (column & 15 <= 9).all())
        result = result * 100 + (column >> 4) * 10 + (column & 15)
    return result, right


def find_fields(kinds: Sequence[Frames]) -> list[tuple[FoundField, ...]]:
    """Find the fields of each kind of a device's messages; one byte order is found for all together.

    Of decimal text there are none: where its numbers end is written there.
    """
    found = iter(_find_fields([kind for kind in kinds if kind.numbers is None]))
    return [next(found) if kind.numbers is None else () for kind in kinds]


def _find_fields(kinds: Sequence[Frames]) -> list[tuple[FoundField, ...]]:
    checks = find_checksums([kind.matrix for kind in kinds])
    written = [find_digits(kind.matrix) for kind in kinds]
    both = [
        [_cut(kind, check, digits, little=little) for little in (False, True)]
        for kind, check, digits in zip(kinds, checks, written, strict=True)
    ]
    ahead = sum(big.bits - small.bits for big, small in both)
    for check in checks:
        if check is not None and check.size > 1 and check.name != _MODBUS:
            ahead += _ORDER_OF_CHECKSUM if check.little_endian else -_ORDER_OF_CHECKSUM
    result = []
    for kind, check, digits, (big, small) in zip(kinds, checks, written, both, strict=True):
        own = big.bits - small.bits
        little = own > 0 if abs(own) > _OWN_ORDER else ahead > 0
        result.append(_fields(kind, small if little else big, check, digits))
    return result


def find_checksums(kinds: Sequence[Bytes]) -> list[FoundChecksum | None]:
    """Return the checksum of each kind; where too few messages differ, the one of another kind that fits."""
    found = [find_checksum(matrix) for matrix in kinds]
    known = {
        (check.begin, matrix.shape[1] - check.at): check
        for matrix, check in zip(kinds, found, strict=True)
        if check is not None
    }
    for number, matrix in enumerate(kinds):
        for (begin, tail), check in known.items() if found[number] is None else ():
            other = replace(check, at=matrix.shape[1] - tail)
            if other.at > begin and fits(other, matrix):
                found[number] = other
                break
    return found


def _cut(kind: Frames, check: FoundChecksum | None, digits: Digits | None, *, little: bool) -> Cutting:
    """Cut what is behind the header and beside the checksum, of digits what they stand for."""
    width = kind.matrix.shape[1]
    head = min(kind.header, width)
    if digits is not None:
        parts = [(head, digits.begin, 1), (max(digits.begin, head), digits.end, 2), (digits.end, width, 1)]
    elif check is not None:
        parts = [(min(head, check.at), check.at, 1), (check.at + check.size, width, 1)]
    else:
        parts = [(head, width, 1)]
    pieces: list[Piece] = []
    bits = 0.0
    matrix = _stretches(kind.matrix)
    for at, stop, times in parts:
        if stop <= at:
            continue
        cells = matrix[:, at:stop]
        part = cut(Digits.read(cells) if times == 2 else cells, little=little)
        pieces += [Piece(at + times * piece.at, piece.form, piece.share, times) for piece in part.pieces]
        bits += part.bits
    return Cutting(tuple(pieces), bits, little)


def _stretches(matrix: Bytes) -> Bytes:
    """Return some stretches of messages that follow one another, where there are very many."""
    if len(matrix) <= _STRETCHES * _STRETCH:
        return matrix
    begins = np.linspace(0, len(matrix) - _STRETCH, _STRETCHES).astype(np.int64)
    return np.concatenate([matrix[begin : begin + _STRETCH] for begin in begins])


def _fields(
    kind: Frames, found: Cutting, check: FoundChecksum | None, digits: Digits | None
) -> tuple[FoundField, ...]:
    matrix = kind.matrix
    moves = (matrix != matrix[:1]).any(axis=0)
    ticks = {} if kind.time is None else {tick.low: tick for tick in find_counters(matrix, kind.time)}
    result = [
        FoundField(at, 1, role=FieldRole.KIND, moves=bool(moves[at]))
        for at in range(min(kind.header, matrix.shape[1]))
    ]
    for piece in found.pieces:
        moving = bool(moves[piece.at : piece.end].any())
        field = FoundField(
            piece.at,
            piece.end - piece.at,
            Type.FLOAT if piece.form.is_float else Type.UINT,
            "little" if found.little else "big",
            moves=moving,
            confidence=confidence(piece.share, piece.form.width) if moving else None,
            digits=piece.times == 2,
        )
        low = field.at if found.little else field.end - 1
        if not moving:
            result.append(replace(field, role=FieldRole.CONSTANT))
        elif _is_noise(field, matrix):
            result.append(replace(field, role=FieldRole.NOISE, confidence=None))
        elif low in ticks:
            counts = ticks[low].kind is Ticking.COUNTER
            result.append(replace(field, role=FieldRole.COUNTER if counts else FieldRole.CLOCK))
        else:
            result.append(_doubted(_typed(field, matrix), matrix))
    if check is not None and digits is None:
        own = "little" if check.little_endian else "big"
        changes = bool(moves[check.at : check.at + check.size].any())
        result.append(FoundField(check.at, check.size, Type.UINT, own, FieldRole.CHECKSUM, changes, of=check))
    return tuple(_texts(sorted(result, key=lambda each: each.at), matrix))


def _doubted(field: FoundField, matrix: Bytes) -> FoundField:
    """Return a field as less sure of which the bytes say less: a jumping byte, noise as half of a number.

    A byte that jumps is mostly one of several with flags, each of which moves on its own.
    """
    if field.type is not Type.UINT or field.confidence is None:
        return field
    values = field.values(matrix)
    most = 1.0
    if field.width == 1:
        most = _OPEN if _jumps_about(values) else most
    elif field.width > 2:
        half = field.width // 2
        low = replace(field, at=field.at if field.order == "little" else field.at + half, width=half)
        noisy = field.width > 3 and _is_noise(low, matrix)
        bits = 8 * field.width // (1 + field.digits)
        most = _HARDLY if _hardly_moves(values, bits) else _OPEN if noisy else most
    return replace(field, confidence=min(field.confidence, most))


def _hardly_moves(values: Int64s, bits: int) -> bool:
    """Say whether a number moves by a part of itself that no sensor tells apart, and is no clock.

    It is mostly a small number beside constants.
    """
    low, high = int(values.min()), int(values.max())
    if low >> bits - 8 <= 0 or high - low >= 1 << bits - 16:
        return False
    steps = np.diff(values)
    return bool((steps < 0).any()) or int((steps > 0).sum()) < _CLOCK


def _jumps_about(values: Int64s) -> bool:
    """Say whether the usual step is a good part of the whole range, and there are many values."""
    steps = np.abs(np.diff(values))
    size = int(values.max() - values.min())
    return size >= _WIDE_RANGE and float(np.median(steps[steps > 0])) > _JUMP * size


def _is_noise(field: FoundField, matrix: Bytes) -> bool:
    """Tell whether nothing is gained where bytes are read as numbers: any other borders say as much."""
    if field.digits or len(matrix) < _TELLING:
        return False
    bits = 8 * field.width
    values = (
        field.values(matrix) if field.type is Type.UINT else replace(field, type=Type.UINT).values(matrix)
    )
    return bool(over_time(values[:, None], bits)[0] >= bits * (len(matrix) - 1))


def _typed(field: FoundField, matrix: Bytes) -> FoundField:
    """Return a field that moves with its sign, or as BCD, or as one of states."""
    if field.type is Type.FLOAT:
        return field
    values = field.values(matrix)
    bits = 8 * field.width // (1 + field.digits)
    # Integers of this size are rare, and floats of usual numbers look like them.
    if bits == _FLOAT_BITS and as_float(values[:, None])[0][0]:
        return replace(field, type=Type.FLOAT)
    high, top = 1 << bits - 1, 1 << bits
    # A negative number is near 0 from below: values at both ends of the range, and none in the middle.
    if (values >= high).any() and (np.abs(np.where(values >= high, values - top, values)) < high // 2).all():
        field = replace(field, type=Type.INT)
    elif _is_bcd(field, matrix, bits):
        return replace(field, type=Type.BCD)
    seen = len(np.unique(values))
    changes = int(np.count_nonzero(values[1:] != values[:-1]))
    if (
        field.type is Type.UINT
        and (seen == 2 or (2 < seen <= _NAMES and changes >= 2 * seen))
        and _jumps(values)
    ):
        return replace(field, role=FieldRole.STATES)
    return field


def _jumps(values: Int64s) -> bool:
    """Say whether the values are not just neighbours, between which a number wavers."""
    seen = np.unique(values)
    if seen[-1] > _HIGHEST_NAME:
        return False
    return bool(seen[-1] - seen[0] > len(seen) + 1) or (len(seen) == 2 and seen[0] < 2)


def _is_bcd(field: FoundField, matrix: Bytes, bits: int) -> bool:
    if field.width > 4 or field.digits:
        return False
    cells = matrix[:, field.at : field.end]
    values, right = from_bcd(cells[:, ::-1] if field.order == "little" else cells)
    if not right:
        return False
    plain = field.values(matrix)
    lengths = over_time(np.column_stack((plain, values)), bits)
    return bool(lengths[0] - lengths[1] > _BCD)


def _texts(fields: list[FoundField], matrix: Bytes) -> list[FoundField]:
    """Put neighbours together that are constant, printable text of some length, with the NULs behind it."""
    first = matrix[0]
    result: list[FoundField] = []
    number = 0
    while number < len(fields):
        end = number
        while end < len(fields) and fields[end].role is FieldRole.CONSTANT:
            end += 1
        at, stop = fields[number].at, fields[end - 1].end if end > number else 0
        text = bytes(first[at:stop]).split(b"\0", 1)[0] if end > number else b""
        if len(text) >= _SHORTEST_TEXT and set(text) <= _LETTERS:
            taken = [each for each in fields[number:end] if each.at < at + len(text)]
            result.append(FoundField(at, taken[-1].end - at, Type.TEXT, role=FieldRole.TEXT, moves=False))
            number += len(taken)
        else:
            result.append(fields[number])
            number += 1
    return result
