"""What a VESC client sent outside of frames, looked at segment by segment, and where its stream has gaps.

A segment beside a gap of the recording says nothing about the client: what makes it a frame may be what is
missing. Such segments, and those beyond the limits, are counted and not judged.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from packwire.capture.layers.spoken import SpokenStream
from packwire.capture.layers.tcp_stream import Stream
from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.bad_frames import BadFrame, Wrong
from packwire.doctor.vesc.bad_frames import MAX_SEGMENT, bad_vesc_frames

#: After so many segments without any frame in them the others are not looked at.
_MAX_IN_VAIN = 20
_NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Outside:
    """The bad frames of a client, and how many bytes in no frame were not looked at.

    `beside_gaps` were left alone because the recording has a gap there, `skipped` because they are too many.
    """

    bad: tuple[BadFrame, ...] = ()
    beside_gaps: int = 0
    skipped: int = 0


def look_outside(stream: Stream, report: SpokenStream) -> Outside:
    """Say what is wrong with the bytes of a stream that are in no frame."""
    bad: list[BadFrame] = []
    in_vain = seen = beside = 0
    for position, size in _segments(stream, report):
        if _beside_gap(stream, position, size):
            beside += size
            continue
        if in_vain == _MAX_IN_VAIN:
            break
        found = list(placed(stream, position, bytes_at(stream, position, min(size, MAX_SEGMENT))))
        bad += found
        seen += min(size, MAX_SEGMENT)
        in_vain += any(each.wrong is Wrong.NO_FRAME for each in found)
    waiting = report.stats.waiting
    outside = report.stats.junk + (waiting.arrived if waiting else 0)
    return Outside(tuple(bad), beside, max(outside - seen - beside, 0))


def _segments(stream: Stream, report: SpokenStream) -> list[tuple[int, int]]:
    """Return the bytes outside of frames: position and size; what a false header waits with goes on there."""
    segments = [(junk.position, junk.size) for junk in report.junk]
    waiting = report.stats.waiting
    if waiting is None:
        return segments
    tail = (stream.end - waiting.arrived, waiting.arrived)
    if segments and sum(segments[-1]) == tail[0]:
        position, size = segments.pop()
        return [*segments, (position, size + tail[1])]
    return [*segments, tail]


def _beside_gap(stream: Stream, position: int, size: int) -> bool:
    return any(
        position <= gap.position <= position + size or gap.position + gap.missing == position
        for gap in stream.gaps
    )


class GapTimes:
    """Between which times (ns) the bytes were sent that are missing from a stream."""

    def __init__(self, stream: Stream) -> None:
        times = list(_gap_times(stream))
        self._begins = [begin for begin, _ in times]
        self._ends = list(accumulate((end for _, end in times), max))

    def touch(self, begin: int, end: int) -> bool:
        """Tell whether bytes may be missing that were sent between two times."""
        first = bisect_left(self._ends, begin)
        return first < len(self._ends) and self._begins[first] < end


def _gap_times(stream: Stream) -> Iterator[tuple[int, int]]:
    for gap in stream.gaps:
        before = stream.piece_at(gap.position)
        begin = int(stream.time[before]) if before >= 0 else NO_TIME
        end = int(stream.time[before + 1]) if before + 1 < len(stream.time) else _NEVER
        yield begin, begin if gap.cut and before >= 0 else end


def placed(stream: Stream, position: int, segment: bytes) -> Iterator[BadFrame]:
    """Say what is wrong with a segment of a stream, and in which packet each bad frame is."""
    for found in bad_vesc_frames(segment):
        if found.wrong is Wrong.NO_FRAME and not found.size:
            continue
        piece = max(stream.piece_at(position + found.offset), 0)
        yield found._replace(number=int(stream.number[piece]), time=int(stream.time[piece]))


def bytes_at(stream: Stream, position: int, size: int) -> bytes:
    """Return recorded bytes of a stream from a position on."""
    result = bytearray()
    piece = max(stream.piece_at(position), 0)
    while len(result) < size and piece < len(stream.position):
        skip = max(position - int(stream.position[piece]), 0)
        start, end = int(stream.start[piece]) + skip, int(stream.start[piece] + stream.size[piece])
        result += stream.data[start : min(end, start + size - len(result))].tobytes()
        piece += 1
    return bytes(result)
