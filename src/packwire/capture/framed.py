"""Raw messages to application messages: frames put together where a channel's framing is known."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from packwire.capture.framings import TRIAL, Found, Framing, frames_in, recognise
from packwire.messages import Int64s, Messages

#: One direction of one channel: index into `Messages.channels`, and the direction.
type Way = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Framed:
    """Application messages with their framing: columns for the rows of `messages`.

    `framing` is an index into `framings`, -1 where a message is in no frame; `checksum_ok` is False where the
    frame's checksum is wrong (and where there is no frame).
    """

    messages: Messages
    framing: NDArray[np.int16]
    checksum_ok: NDArray[np.bool_]
    framings: tuple[Framing, ...]
    by_way: dict[Way, tuple[Framing, ...]]


class _Output:
    """Collects rows for the new table."""

    def __init__(self, raw: Messages) -> None:
        self.raw = raw
        self.joined = bytearray(raw.joined.tobytes())
        self.rows: list[tuple[int, int, int, int, int, bool]] = []
        """Last raw row, start, size, number of the framing, order, whether the checksum is right."""
        self.framings: dict[Framing, int] = {}
        self.sources: list[list[int]] = []

    def add(self, sources: list[int], start: int, size: int, found: Found | None) -> None:
        """Take one message that comes from some raw rows."""
        number = self.framings.setdefault(found.framing, len(self.framings)) if found else -1
        self.rows.append((sources[-1], start, size, number, len(self.rows), bool(found and found.ok)))
        self.sources.append(sources)


def put_together(raw: Messages) -> Framed:
    """Recognise the framing of each channel and direction, and put its frames together."""
    output = _Output(raw)
    by_way: dict[Way, tuple[Framing, ...]] = {}
    kept = np.ones(len(raw), dtype=np.bool_)
    ways = raw.channel.astype(np.int64) * 4 + raw.direction + 1
    for way in _distinct(ways):
        rows = np.flatnonzero(ways == way)
        if raw.channels[way >> 2].startswith("tcp "):
            continue
        framings = recognise(_stream(raw, rows[:TRIAL], TRIAL))
        if framings:
            by_way[way >> 2, (way & 3) - 1] = framings
            kept[rows] = False
            _frames_of_way(output, rows, framings)
    if not by_way:
        none = np.full(len(raw), -1, dtype=np.int16)
        return Framed(raw, none, np.zeros(len(raw), dtype=np.bool_), (), {})
    return _table(output, np.flatnonzero(kept), by_way)


def _distinct(ways: Int64s) -> list[int]:
    if not len(ways):
        return []
    present = np.zeros(int(ways.max()) + 1, dtype=np.bool_)
    present[ways] = True
    result: list[int] = np.flatnonzero(present).tolist()
    return result


def _stream(raw: Messages, rows: Int64s, limit: int | None = None) -> bytes:
    """Return the payloads of some rows in one piece, or about the first `limit` bytes of it."""
    ends = np.cumsum(raw.size[rows])
    if limit is not None:
        rows = rows[: int(np.searchsorted(ends, limit)) + 1]
    return b"".join(raw.payload(row) for row in rows.tolist())


def _frames_of_way(output: _Output, rows: Int64s, framings: tuple[Framing, ...]) -> None:
    """Cut one way's stream into frames; what lies between them stays as it came."""
    raw = output.raw
    stream = _stream(raw, rows)
    begins = np.concatenate(([0], np.cumsum(raw.size[rows])))
    done = 0
    for found in frames_in(stream, framings):
        _between(output, rows, begins, done, found.start)
        begin, end, _ = found.framing.payload.indices(found.size)
        first, last = _pieces(begins, found.start, found.start + found.size)
        sources = rows[first : last + 1].tolist()
        piece = int(np.searchsorted(begins, found.start + begin, side="right")) - 1
        if found.start + end <= begins[piece + 1]:
            start = int(raw.start[rows[piece]]) + found.start + begin - int(begins[piece])
        else:
            start = len(raw.data) + len(output.joined)
            output.joined += stream[found.start + begin : found.start + end]
        output.add(sources, start, end - begin, found)
        done = found.start + found.size
    _between(output, rows, begins, done, len(stream))


def _pieces(begins: Int64s, start: int, end: int) -> tuple[int, int]:
    first, last = np.searchsorted(begins, (start, end - 1), side="right") - 1
    return int(first), int(last)


def _between(output: _Output, rows: Int64s, begins: Int64s, start: int, end: int) -> None:
    """Add the bytes that are in no frame, chunk by chunk."""
    if start >= end:
        return
    first, last = _pieces(begins, start, end)
    for piece in range(first, last + 1):
        begin = max(start, int(begins[piece]))
        size = min(end, int(begins[piece + 1])) - begin
        if size > 0:
            row = int(rows[piece])
            output.add([row], int(output.raw.start[row]) + begin - int(begins[piece]), size, None)


def _table(output: _Output, kept: Int64s, by_way: dict[Way, tuple[Framing, ...]]) -> Framed:
    """Make the table: frames, and the raw messages of all other channels, in the order of time."""
    raw = output.raw
    rows = np.array(output.rows, dtype=np.int64).reshape(-1, 6)
    source = np.concatenate((rows[:, 0], kept))
    counts = np.array([len(each) for each in output.sources], dtype=np.int64)
    flat = np.array([row for each in output.sources for row in each], dtype=np.int64)
    order = np.argsort(source, kind="stable")
    counts = np.concatenate((counts, np.ones_like(kept)))
    packets, offsets = _packets(raw, np.concatenate((flat, kept)), counts)
    table = Messages(
        time=raw.time[source],
        direction=raw.direction[source],
        channel=raw.channel[source],
        start=np.concatenate((rows[:, 1], raw.start[kept])),
        size=np.concatenate((rows[:, 2], raw.size[kept])),
        packets=packets,
        packet_offsets=offsets,
        channels=raw.channels,
        data=raw.data,
        joined=np.frombuffer(bytes(output.joined), dtype=np.uint8),
    )
    return Framed(
        messages=table.select(order),
        framing=np.concatenate((rows[:, 3], np.full(len(kept), -1)))[order].astype(np.int16),
        checksum_ok=np.concatenate((rows[:, 5], np.zeros(len(kept))))[order].astype(np.bool_),
        framings=tuple(output.framings),
        by_way=by_way,
    )


def _packets(raw: Messages, sources: Int64s, counts: Int64s) -> tuple[Int64s, Int64s]:
    """Return the packets of messages that come from several raw rows each, every number once."""
    begins = np.concatenate(([0], np.cumsum(counts))).tolist()
    rows = sources.tolist()
    numbers: list[int] = []
    offsets = [0]
    for begin, end in pairwise(begins):
        several = [number for row in rows[begin:end] for number in raw.packets_of(row)]
        numbers += dict.fromkeys(several)
        offsets.append(len(numbers))
    return np.array(numbers, dtype=np.int64), np.array(offsets, dtype=np.int64)
