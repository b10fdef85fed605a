"""The framing of a channel that nobody knows, found in its pieces: start, length and end of a frame.

Bluetooth cuts long frames into pieces. They are put together only where the frames themselves say how long
they are: behind the same first bytes, a number at one place (a byte, or two in either order) is the size of
all pieces up to the next start, less a constant. Innocent explanations are ruled out one by one:

- kinds of messages that take turns have sizes, too: each piece but a frame's last must be as large as pieces
  get, and several frames must have several pieces;
- any constant fits frames that are all alike: there must be frames of different sizes, or a number of two
  bytes that says more than one byte can;
- a piece that was lost makes two frames one: no frame goes on over the start of the next.

Frames that do not say how long they are, as those that are all of one size, belong together where a checksum
over all their pieces is right.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from packwire.messages import Int64s, Messages
from packwire.wire.checksum import CHECKSUMS
from packwire.wire.finding import frames_in
from packwire.wire.framing import FrameCheck, Framing, Size

if TYPE_CHECKING:
    from packwire.wire.fields import ByteOrder

#: So many pieces are looked at, and of so many possible starts.
_LOOKED_AT, _STARTS = 2048, 6
#: A start is so often seen, and so many frames are in several pieces.
_LEAST_STARTS, _LEAST_TORN = 5, 3
#: The length is one of so many first bytes, and leaves out so many of a frame at most.
_LENGTH_WITHIN, _MAX_LEFT_OUT = 10, 16
#: So many stretches between two starts must be as long as they say, and so much of the stream be in frames.
_MOST, _HELD = 0.75, 0.7
#: Where no number says how long frames are, a piece ends at their size behind so many starts, and a checksum
#: is right in so many that differ. So many sizes are tried.
_ONE_SIZE, _LEAST_CHECKED, _SIZES = 0.5, 5, 3
#: Behind a checksum stand so many bytes that are the same in all frames at most.
_LONGEST_END = 2
#: A size that is met so often counts.
_TWICE = 2
#: Only so many first bytes are common to all frames by design.
_LONGEST_START = 3
#: A frame is no longer than this.
_MAX_FRAME = 1 << 14


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The pieces from one start up to the next."""

    data: bytes
    sizes: tuple[int, ...]


def infer(raw: Messages, rows: Int64s) -> Framing | None:
    """Return the framing of one direction of a channel; None: it cannot be told, or nothing is torn."""
    rows = rows[:_LOOKED_AT]
    if len(rows) < _LEAST_STARTS + _LEAST_TORN or int(raw.size[rows].max()) == int(raw.size[rows].sum()):
        return None
    pieces = [raw.payload(row) for row in rows.tolist()]
    largest = max(len(piece) for piece in pieces)
    best: tuple[tuple[int, int, int], Framing] | None = None
    for start in _starts(pieces):
        stretches = _stretches(pieces, start)
        for length, fits in _lengths(stretches, largest):
            framing = _framing(start, length, fits)
            if framing is None:
                continue
            rank = (sum(len(each) for each in fits), length.width, -length.add)
            if best is None or rank > best[0]:
                best = rank, framing
    framing = best[1] if best is not None else _of_one_size(pieces)
    if framing is None:
        return None
    stream = b"".join(pieces)
    held = sum(found.size for found in frames_in(stream, (framing,)))
    return framing if held >= _HELD * len(stream) else None


def _of_one_size(pieces: list[bytes]) -> Framing | None:
    """Return the framing of frames that say nothing of their length, and all have the same one.

    Only a checksum over all their pieces shows that they belong together: it is right in many frames that
    differ, and not in the last piece alone, which might be a message of its own.
    """
    for start in _starts(pieces):
        stretches = _stretches(pieces, start)
        ends = Counter(end for each in stretches for end in list(accumulate(each.sizes))[1:])
        often = sorted(end for end, count in ends.items() if count >= _ONE_SIZE * len(stretches))
        for size in often[: -_SIZES - 1 : -1]:
            framing = _of_size(size, start, stretches)
            if framing is not None:
                return framing
    return None


def _of_size(size: int, start: bytes, stretches: list[_Stretch]) -> Framing | None:
    """Return the framing of frames of a size, if all pieces up to there together have a checksum."""
    whole = [(each.data[:size], list(accumulate(each.sizes))) for each in stretches]
    torn = [(frame, ends[ends.index(size) - 1]) for frame, ends in whole if size in ends[1:]]
    frames = list(dict.fromkeys(frame for frame, _ in torn))
    if len(frames) < _LEAST_CHECKED or size > _MAX_FRAME:
        return None
    tail = next(
        end for end in range(_LONGEST_END, -1, -1) if len({each[size - end :] for each in frames}) == 1
    )
    found = ((end, check) for end in range(tail + 1) if (check := _checksum(frames, end)) is not None)
    end, check = next(found, (0, None))
    if check is None:
        return None
    last = list({frame[begin:] for frame, begin in torn if size - begin > check.size + end})
    if last and _checksum(last, end, (check.checksum,)) is not None:
        return None
    common = len(start)
    while common < _LONGEST_START and len({each[common] for each in frames}) == 1:
        common += 1
    name = f"unknown, {frames[0][:common].hex(' ')}"
    ending = frames[0][size - end :]
    return Framing(name, frames[0][:common], (Size(size),), check, ending, header=0, inferred=True)


def _starts(pieces: list[bytes]) -> Iterator[bytes]:
    """Yield what many pieces begin with, two bytes or one."""
    for width in (2, 1):
        counts = Counter(piece[:width] for piece in pieces if len(piece) >= width)
        for start, count in counts.most_common(_STARTS):
            if count >= _LEAST_STARTS and start.strip(b"\0") and start.strip(b"\xff"):
                yield start


def _stretches(pieces: list[bytes], start: bytes) -> list[_Stretch]:
    begins = [number for number, piece in enumerate(pieces) if piece.startswith(start)]
    return [
        _Stretch(b"".join(pieces[begin:end]), tuple(len(piece) for piece in pieces[begin:end]))
        for begin, end in pairwise(begins)
    ]


def _lengths(stretches: list[_Stretch], largest: int) -> Iterator[tuple[Size, list[bytes]]]:
    """Yield each place that says how long the stretches are, with the frames that are as long as it says."""
    whole = [
        each
        for each in stretches
        if len(each.data) >= _LENGTH_WITHIN and len(each.data) <= _MAX_FRAME and _cut(each, largest)
    ]
    if len(whole) < max(_LEAST_STARTS - 1, _MOST * len(stretches)):
        return
    heads = b"".join(each.data[:_LENGTH_WITHIN] for each in whole)
    table = np.frombuffer(heads, np.uint8).reshape(len(whole), _LENGTH_WITHIN)
    total = np.array([len(each.data) for each in whole])
    torn = np.array([len(each.sizes) > 1 for each in whole])
    forms: tuple[tuple[int, ByteOrder], ...] = ((2, "little"), (2, "big"), (1, "little"))
    for width, order in forms:
        for at in range(1, _LENGTH_WITHIN - width + 1):
            field = table[:, at : at + width].astype(np.int64)
            weights = (1, 256) if order == "little" else (256, 1)
            value = field @ np.array(weights[:width])
            rest = total - value
            around = int(np.bincount(rest[(rest >= 0) & (rest <= _MAX_LEFT_OUT)], minlength=1).argmax())
            fits = rest == around
            if fits.sum() < _MOST * len(stretches) or (fits & torn).sum() < _LEAST_TORN:
                continue
            if _says(value[fits], total[fits], width):
                frames = [each.data for each, fit in zip(whole, fits.tolist(), strict=True) if fit]
                yield Size(around, at, width, order, least=1, most=_MAX_FRAME - around), frames


def _cut(stretch: _Stretch, largest: int) -> bool:
    """Say whether all pieces but the last are as large as pieces get."""
    return all(size == largest for size in stretch.sizes[:-1])


def _says(value: Int64s, total: Int64s, width: int) -> bool:
    """Say whether the numbers are sizes: of several sizes, or too large to be anything by accident."""
    counts = Counter(total.tolist())
    several = sum(count >= _TWICE for count in counts.values()) > 1
    return several or (width > 1 and int(value.min()) > 0xFF)


def _framing(start: bytes, length: Size, frames: list[bytes]) -> Framing | None:
    """Describe the frames, if something besides their length tells them: two bytes at the start, an end."""
    first = frames[0]
    common = len(start)
    while common < min(_LONGEST_START, length.at or 0) and all(
        each[common] == first[common] for each in frames
    ):
        common += 1
    end = first[-1:] if all(each[-1:] == first[-1:] for each in frames) else b""
    check = _checksum(frames, len(end))
    if common == 1 and not end and check is None:
        return None
    name = f"unknown, {first[:common].hex(' ')}"
    return Framing(name, first[:common], (length,), check, end, header=0, inferred=True)


def _checksum(frames: list[bytes], end: int, names: Iterable[str] = CHECKSUMS) -> FrameCheck | None:
    """Return a checksum of the catalogue, one of some names, that is right in all frames."""
    if len(set(frames)) <= _TWICE:
        return None
    for name in names:
        checksum = CHECKSUMS[name]
        at = -end - checksum.size
        orders: tuple[ByteOrder, ...] = ("little", "big") if checksum.size > 1 else ("big",)
        for order in orders:
            for skipped in range(5):
                check = FrameCheck(name, skipped, at, at, order)
                if all(check.stored(each) == check.right(each) for each in frames):
                    return check
    return None
