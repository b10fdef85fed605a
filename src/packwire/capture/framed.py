"""Raw messages to application messages: frames put together where a channel's framing is known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packwire.att import long_uuid
from packwire.capture.framings import TRIAL, Found, Framing, frames_in, recognise, recognise_at
from packwire.capture.inferred import infer
from packwire.channel import Channel, Transport
from packwire.columns import spans
from packwire.messages import Int64s, Messages
from packwire.wire.family import Family

#: Up to so many ways, looking for each by itself is faster than sorting.
_FEW_WAYS = 8

#: So many frames are put into the table at a time: they take more memory than its rows.
_BATCH = 1 << 12

#: So many of what an app wrote are looked at.
_FEW_WRITES = 50

#: One direction of one channel: index into `Messages.channels`, and the direction.
type Way = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Framed:
    """Application messages with their framing: columns for the rows of `messages`.

    `framing` is an index into `framings`, -1 where a message is in no frame; `checksum_ok` is False where the
    frame's checksum is wrong (and where there is no frame). A framing that was `inferred` may have none.
    """

    messages: Messages
    framing: NDArray[np.int16]
    checksum_ok: NDArray[np.bool_]
    framings: tuple[Framing, ...]
    by_way: dict[Way, tuple[Framing, ...]]


class _Rows(NamedTuple):
    """Rows of the new table: columns of equal length.

    `source` is the last raw row that a message comes from; `first` and `last` are the first and the last by
    their place among the rows of the way. `framing` and `ok` (1: the checksum is right) as in `Framed`.
    """

    source: Int64s
    first: Int64s
    last: Int64s
    start: Int64s
    size: Int64s
    framing: Int64s
    ok: Int64s


class _Output:
    """Collects rows for the new table, way by way."""

    def __init__(self, raw: Messages) -> None:
        self.raw = raw
        self.joined = bytearray(raw.joined.tobytes())
        self.rows: list[_Rows] = []
        self.framings: dict[Framing, int] = {}
        self.sources: list[Int64s] = []
        """All raw rows that the messages of `rows` come from."""

    def numbers(self, found: list[Found]) -> Int64s:
        """Return the number of each frame's framing."""
        number: dict[int, int] = {}
        for each in found:
            if id(each.framing) not in number:
                number[id(each.framing)] = self.framings.setdefault(each.framing, len(self.framings))
        return np.array([number[id(each.framing)] for each in found], dtype=np.int64)


def put_together(raw: Messages, known: Mapping[Channel, Family] = MappingProxyType({})) -> Framed:
    """Recognise the framing of each channel and direction, and put its frames together.

    On the channels that are `known`, each message is the payload of a right frame of that family already.
    """
    output = _Output(raw)
    by_way: dict[Way, tuple[Framing, ...]] = {}
    kept = np.ones(len(raw), dtype=np.bool_)
    framing = np.full(len(raw), -1, dtype=np.int64)
    ways = list(_rows_by_way(raw.channel.astype(np.int64) * 4 + raw.direction + 1))
    recognised = _recognised(raw, ways, known)
    for way, rows in ways:
        family = known.get(raw.channels[way >> 2])
        if family is not None:
            by_way[way >> 2, (way & 3) - 1] = family.framings
            framing[rows] = output.framings.setdefault(family.framings[0], len(output.framings))
            continue
        framings = recognised[way]
        if not framings and raw.channels[way >> 2].transport is not Transport.CAN:
            found = infer(raw, rows)
            framings = (found,) if found else ()
        if framings:
            by_way[way >> 2, (way & 3) - 1] = framings
            kept[rows] = False
            _frames_of_way(output, rows, framings)
    if kept.all():
        return Framed(raw, framing.astype(np.int16), framing >= 0, tuple(output.framings), by_way)
    return _table(output, np.flatnonzero(kept), framing, by_way)


def _recognised(
    raw: Messages, ways: Sequence[tuple[int, Int64s]], known: Mapping[Channel, Family]
) -> dict[int, tuple[Framing, ...]]:
    """Return the framings of each way that is not `known`.

    Where a device notifies without checksums, what is written to it for that has the same ones.
    """
    found = {}
    for way, rows in ways:
        if raw.channels[way >> 2] not in known:
            begin = _begin(raw, rows[:TRIAL])
            found[way] = recognise(begin)
            if not found[way]:
                found[way], places = _at_its_place(raw, raw.channels[way >> 2], begin)
                if places:  # a file may name thousands of channels
                    found |= {each: found[way] for each, _ in ways if each >> 2 in places}
    return found


def _at_its_place(raw: Messages, channel: Channel, begin: bytes) -> tuple[tuple[Framing, ...], Sequence[int]]:
    """Return the framings without checksums that a channel speaks, and the channels of its requests."""

    def places(uuid: str) -> list[int]:
        return [
            number
            for number, each in enumerate(raw.channels)
            if each.kind == "write" and each.device == channel.device and long_uuid(each.name) == uuid
        ]

    def written(uuid: str) -> list[bytes]:
        rows = np.flatnonzero(np.isin(raw.channel, places(uuid)))[:_FEW_WRITES]
        return [raw.payload(row) for row in rows.tolist()]

    framings, write = recognise_at(channel, begin, written)
    return framings, places(write) if framings else ()


def _rows_by_way(ways: Int64s) -> Iterator[tuple[int, Int64s]]:
    """Yield each way, as a number, with its rows in ascending order."""
    if not len(ways):
        return
    present = np.zeros(int(ways.max()) + 1, dtype=np.bool_)
    present[ways] = True
    distinct: list[int] = np.flatnonzero(present).tolist()
    if len(distinct) <= _FEW_WAYS:
        yield from ((way, np.flatnonzero(ways == way)) for way in distinct)
        return
    order = np.argsort(ways, kind="stable")
    borders = np.flatnonzero(np.diff(ways[order])) + 1
    yield from zip(distinct, np.split(order, borders), strict=True)


def _begin(raw: Messages, rows: Int64s) -> bytes:
    """Return about the first TRIAL bytes of the payloads of some rows, in one piece."""
    return raw.stream(rows[: int(np.searchsorted(np.cumsum(raw.size[rows]), TRIAL)) + 1])


class _Way(NamedTuple):
    """One way's raw rows, their payloads in one piece, and where in that each begins (and the last ends)."""

    rows: Int64s
    stream: bytes
    begins: Int64s


def _frames_of_way(output: _Output, rows: Int64s, framings: tuple[Framing, ...]) -> None:
    """Cut one way's stream into frames; what lies between them stays as it came."""
    begins = np.concatenate(([0], np.cumsum(output.raw.size[rows])))
    way = _Way(rows, output.raw.stream(rows), begins)
    frames = frames_in(way.stream, framings)
    done, found = 0, list(islice(frames, _BATCH))
    while found or done < len(way.stream):
        at = np.array([each.start for each in found], dtype=np.int64)
        end = at + np.array([each.size for each in found], dtype=np.int64)
        last = int(end[-1]) if len(found) == _BATCH else len(way.stream)
        low, between = _between(output.raw, way, np.insert(end, 0, done), np.append(at, last))
        order = np.argsort(np.concatenate((at, low)))
        both = zip(_frames(output, way, at, end, found), between, strict=True)
        output.rows.append(table := _Rows(*(np.concatenate(pair)[order] for pair in both)))
        output.sources.append(rows[spans(table.first, table.last - table.first + 1)])
        done, found = last, list(islice(frames, _BATCH))


def _frames(output: _Output, way: _Way, at: Int64s, end: Int64s, found: list[Found]) -> _Rows:
    """Return frames as rows; a payload that lies in several pieces is put together."""
    first, last = _pieces(way.begins, at), _pieces(way.begins, end - 1)
    inner = np.array([slice(*each.framing.payload).indices(each.size)[:2] for each in found], dtype=np.int64)
    low, high = at + inner.reshape(-1, 2)[:, 0], at + inner.reshape(-1, 2)[:, 1]
    piece = _pieces(way.begins, low)
    start = output.raw.start[way.rows[piece]] + low - way.begins[piece]
    torn = high > way.begins[piece + 1]
    ends = np.cumsum((high - low)[torn])
    start[torn] = len(output.raw.data) + len(output.joined) + ends - (high - low)[torn]
    spans_torn = zip(low[torn].tolist(), high[torn].tolist(), strict=True)
    output.joined += b"".join([way.stream[begin:behind] for begin, behind in spans_torn])
    ok = np.array([each.ok for each in found], dtype=np.int64)
    return _Rows(way.rows[last], first, last, start, high - low, output.numbers(found), ok)


def _pieces(begins: Int64s, position: Int64s) -> Int64s:
    """Return which piece of the stream each position is in."""
    return np.searchsorted(begins, position, side="right") - 1


def _between(raw: Messages, way: _Way, start: Int64s, end: Int64s) -> tuple[Int64s, _Rows]:
    """Return the bytes that are in no frame, chunk by chunk, and where in the stream each begins."""
    start, end = start[start < end], end[start < end]
    first = _pieces(way.begins, start)
    count = _pieces(way.begins, end - 1) - first + 1
    piece = spans(first, count)
    low = np.maximum(np.repeat(start, count), way.begins[piece])
    size = np.minimum(np.repeat(end, count), way.begins[piece + 1]) - low
    piece, low, size = piece[size > 0], low[size > 0], size[size > 0]
    row = way.rows[piece]
    at = raw.start[row] + low - way.begins[piece]
    return low, _Rows(row, piece, piece, at, size, np.full_like(piece, -1), np.zeros_like(piece))


def _table(output: _Output, kept: Int64s, framing: Int64s, by_way: dict[Way, tuple[Framing, ...]]) -> Framed:
    """Make the table: frames, and the raw messages of all other channels, in the order of time.

    `framing` is that of each raw message which is kept as it is.
    """
    raw = output.raw
    rows = _Rows(*(np.concatenate(columns) for columns in zip(*output.rows, strict=True)))
    source = np.concatenate((rows.source, kept))
    order = np.argsort(source, kind="stable")
    counts = np.concatenate((rows.last - rows.first + 1, np.ones_like(kept)))
    flat = np.concatenate((*output.sources, kept))
    packets, offsets = _packets(raw, flat, counts)
    table = Messages(
        time=raw.time[source],
        direction=raw.direction[source],
        channel=raw.channel[source],
        start=np.concatenate((rows.start, raw.start[kept])),
        size=np.concatenate((rows.size, raw.size[kept])),
        packets=packets,
        packet_offsets=offsets,
        channels=raw.channels,
        data=raw.data,
        joined=np.frombuffer(bytes(output.joined), dtype=np.uint8),
    )
    return Framed(
        messages=table.select(order),
        framing=np.concatenate((rows.framing, framing[kept]))[order].astype(np.int16),
        checksum_ok=np.concatenate((rows.ok, framing[kept] >= 0))[order].astype(np.bool_),
        framings=tuple(output.framings),
        by_way=by_way,
    )


def _packets(raw: Messages, sources: Int64s, counts: Int64s) -> tuple[Int64s, Int64s]:
    """Return the packets of messages that come from several raw rows each, every number once."""
    owner = np.repeat(np.arange(len(counts)), counts)
    each = np.diff(raw.packet_offsets)[sources]
    owner, number = np.repeat(owner, each), raw.packets[spans(raw.packet_offsets[:-1][sources], each)]
    key = owner * (int(number.max(initial=0)) + 1) + number
    once = np.sort(np.unique(key, return_index=True)[1])
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owner[once], minlength=len(counts)))))
    return number[once], offsets.astype(np.int64)
