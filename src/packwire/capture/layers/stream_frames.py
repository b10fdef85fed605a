"""Frames in a stream: nearly every piece of it is exactly one frame, and those are found all at once.

Everything else (frames over several segments, several in one, junk) goes through the same Framer as live
bytes do, with the same result as if all had gone through it. Nothing is put together across a gap.
"""

from array import array
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from packwire.capture.layers.tcp_stream import Stream
from packwire.messages import Int64s
from packwire.protocol.observing import Columns, Observer
from packwire.wire.frame import Frame, FrameStats, StreamFramer


@dataclass(frozen=True, slots=True)
class StreamFrames:
    """The frames of one stream; `start` and `size` count recorded bytes of the stream (gaps left out).

    `payload_size` is int64 too. `payloads` holds the payloads, by row, of the frames that did not come in one
    piece. `stats` accounts for all bytes behind the hub line.
    """

    start: Int64s
    size: Int64s
    payload_size: Int64s
    payloads: dict[int, bytes]
    stats: FrameStats

    def __len__(self) -> int:
        return len(self.start)


def find_frames(stream: Stream, skip: int, observer: Observer) -> StreamFrames:
    """Find all frames of a stream behind its first `skip` bytes, which are a line for a hub."""
    columns = observer.columns
    exact = np.zeros(len(stream.size), dtype=np.bool_)
    if columns is not None:
        exact = columns.exact(stream.data, stream.start, stream.size)
    if skip:
        exact[: int(np.searchsorted(np.cumsum(stream.size), skip, side="right")) + 1] = False
    reader = _Reader(stream, skip, observer.protocol.framer(), columns)
    # Where a run of exact frames begins or ends, and where bytes are missing, the way of reading changes.
    missing = stream.position[1:] != stream.position[:-1] + stream.size[:-1]
    changes = np.flatnonzero(missing | (exact[1:] != exact[:-1])) + 1
    bounds = [0, *changes.tolist(), len(exact)] if len(exact) else []
    for begin, end in pairwise(bounds):
        if begin and missing[begin - 1]:
            reader.break_off()
        while begin < end and not (exact[begin] and reader.at_boundary):
            reader.feed(begin)
            begin += 1  # noqa: PLW2901 - what is left of the run
        reader.take_exact(begin, end)
    return reader.result()


@dataclass(slots=True)
class _Columns:
    start: "array[int]" = field(default_factory=lambda: array("q"))
    size: "array[int]" = field(default_factory=lambda: array("q"))
    payload_size: "array[int]" = field(default_factory=lambda: array("q"))


class _Reader:
    """Takes the pieces of a stream in order, those that are exact frames many at a time."""

    def __init__(self, stream: Stream, skip: int, framer: StreamFramer, columns: Columns | None) -> None:
        self._stream = stream
        self._view = memoryview(stream.data)
        self._skip = skip
        self._begins: Int64s = np.concatenate(([0], np.cumsum(stream.size)))
        self._framer = framer
        self._looks = columns
        self._past = FrameStats()
        """What went past the framer."""
        self._columns = _Columns()
        self._payloads: dict[int, bytes] = {}

    @property
    def at_boundary(self) -> bool:
        """Whether no frame has begun, so that an exact frame is one."""
        return self._framer.stats.waiting is None

    @property
    def _ahead(self) -> int:
        """How many bytes of the stream the framer did not see: what its positions are short of."""
        return self._skip + self._past.received

    def feed(self, index: int) -> None:
        """Give one piece to the framer."""
        start, size = int(self._stream.start[index]), int(self._stream.size[index])
        skipped = min(max(self._skip - int(self._begins[index]), 0), size)
        self._add(self._framer.feed(bytes(self._view[start + skipped : start + size])))

    def take_exact(self, begin: int, end: int) -> None:
        """Take pieces that are exactly one frame each, with nothing begun before them."""
        if begin >= end or self._looks is None:
            return
        start, size = self._stream.start[begin:end], self._stream.size[begin:end]
        message = self._looks.message_sizes(self._stream.data, start, size)
        self._columns.start.frombytes(self._begins[begin:end].tobytes())
        self._columns.size.frombytes(size.tobytes())
        self._columns.payload_size.frombytes(message.tobytes())
        self._past.frames += end - begin
        self._past.received += int(size.sum())

    def break_off(self) -> None:
        """Forget a frame that has begun: bytes are missing here."""
        self._rescue()
        self._framer.reset()

    def result(self) -> StreamFrames:
        """Return the frames; what the framer still waits for is in `stats`."""
        self._rescue()
        seen = self._framer.stats
        waiting = seen.waiting
        stats = replace(
            seen,
            received=seen.received + self._past.received,
            frames=seen.frames + self._past.frames,
            waiting=waiting._replace(since=waiting.since + self._ahead) if waiting else None,
        )
        columns = (self._columns.start, self._columns.size, self._columns.payload_size)
        start, size, payload_size = (np.array(column, dtype=np.int64) for column in columns)
        return StreamFrames(start, size, payload_size, self._payloads, stats)

    def _rescue(self) -> None:
        """Take the frames behind a false header: all bytes are known, so nothing else can come."""
        while more := self._framer.rescue():
            self._add(more)

    def _add(self, frames: list[Frame]) -> None:
        for frame in frames:
            start = frame.start + self._ahead
            piece = int(np.searchsorted(self._begins, start, side="right"))
            if start + frame.size > self._begins[piece]:
                self._payloads[len(self._columns.start)] = frame.payload
            self._columns.start.append(start)
            self._columns.size.append(frame.size)
            self._columns.payload_size.append(len(frame.payload))
