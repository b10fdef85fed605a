"""The messages of one kind over all recordings, in segments: what differences are looked for in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packwire.capture.framings import request_of
from packwire.direction import Direction
from packwire.insight.groups import Group, Lane, group_messages, header_lengths, lane_rows, lasting, sequences
from packwire.insight.segments import Cut, Segment
from packwire.messages import Bytes, Int64s, Messages

#: The length of the header: for all messages, or for each message of each recording; None: it is found.
type Headers = int | Sequence[Int64s] | None

#: Replies to these Modbus functions do not say which registers they hold [Modbus protocol V1.1b3, 6.3, 6.4].
_READS = (3, 4)
#: So many of an echo's messages come each right behind a write of its own, and repeat its byte.
_NEARLY_ALL = 0.95
#: So many messages show whether they are echoes.
_LOOKED_AT = 2048


class MessageKind(NamedTuple):
    """What tells kinds of messages apart; `asked`: the registers asked for, where only that does.

    `skipped` are the places of a sequence number in the header.
    """

    lane: Lane
    size: int
    header: bytes
    asked: bytes = b""
    skipped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KindTable:
    """The messages of one kind: `(n, width)` bytes, and where each segment begins and ends among them.

    `behind` has for each message the row of the last write before it in its recording, -1 where there is
    none; `parts` are the rows of each recording.
    """

    kind: MessageKind
    matrix: Bytes
    time: Int64s
    packets: Int64s
    segments: tuple[Segment, ...]
    begin: Int64s
    end: Int64s
    parts: tuple[slice, ...] = field(repr=False)
    behind: Int64s = field(repr=False)
    sources: tuple[Messages, ...] = field(repr=False)

    def marks(self, late: int) -> NDArray[np.bool_]:
        """Return which gaps between messages lie at a mark or up to `late` messages behind one."""
        result = np.zeros(max(len(self.matrix) - 1, 0), dtype=np.bool_)
        for begin, end, segment in zip(self.begin, self.end, self.segments, strict=True):
            if segment.packet or begin:
                result[max(int(begin) - 1, 0) : min(int(begin) + late, max(int(end) - 1, int(begin)))] = True
        return result

    def is_acknowledgement(self) -> bool:
        """Say whether these messages only ever come right behind writes that cut, one behind each.

        What is in them may be read from the write as well as from a state.
        """
        marks = {segment.begin for segment in self.segments if segment.packet}
        behind = self.behind.tolist()
        at_marks = sum(row in marks for row in behind)
        return (
            len(self.parts) == 1 and at_marks >= _NEARLY_ALL * len(behind) and len(set(behind)) == len(behind)
        )

    def is_echo(self, byte: int) -> bool:
        """Say whether a byte only repeats the write that its message answers, at the same place."""
        rows = np.flatnonzero(self.behind >= 0)[:_LOOKED_AT]
        behind = self.behind[rows]
        if len(rows) < _NEARLY_ALL * min(len(self.matrix), _LOOKED_AT):
            return False
        if len(np.unique(behind)) < _NEARLY_ALL * len(rows):
            return False
        same = 0
        for part, source in zip(self.parts, self.sources, strict=True):
            for row in rows[(rows >= part.start) & (rows < part.stop)]:
                said = source.payload(int(self.behind[row]))
                same += len(said) > byte and said[byte] == self.matrix[row, byte]
        return same >= _NEARLY_ALL * len(rows)


def tables(recordings: Sequence[Messages], cut: Cut, header: Headers) -> list[KindTable]:
    """Return the kinds of messages that a device sends more than once."""
    lengths = _found_headers(recordings) if header is None else header
    found: dict[MessageKind, list[tuple[int, Int64s]]] = {}
    writes = [np.flatnonzero(messages.direction == Direction.TO_DEVICE) for messages in recordings]
    skipped: dict[Lane, frozenset[int]] = {}
    for messages in () if isinstance(header, int) else recordings:
        for lane, counting in sequences(messages).items():
            skipped[lane] = skipped.get(lane, frozenset()) | counting
    for index, messages in enumerate(recordings):
        own = lengths if isinstance(lengths, int) else lengths[index]
        for group in group_messages(messages, own, skipped):
            if group.direction != Direction.TO_DEVICE:
                for asked, rows in _by_question(messages, group, writes[index]):
                    lane = lasting((group.direction, group.channel))
                    kind = MessageKind(lane, group.size, group.header, asked, group.skipped)
                    found.setdefault(kind, []).append((index, rows))
    return [
        _table(kind, parts, recordings, cut, writes)
        for kind, parts in found.items()
        if kind.size and sum(len(rows) for _, rows in parts) > 1
    ]


def _found_headers(recordings: Sequence[Messages]) -> list[Int64s]:
    """Return the header's length of each message, the longest that is found for its lane in any recording."""
    lengths: dict[Lane, int] = {}
    for messages in recordings:
        for lane, length in header_lengths(messages).items():
            lengths[lasting(lane)] = max(lengths.get(lasting(lane), 0), length)
    result = []
    for messages in recordings:
        own = np.zeros(len(messages), dtype=np.int64)
        for lane, rows in lane_rows(messages).items():
            own[rows] = lengths[lasting(lane)]
        result.append(own)
    return result


def _by_question(messages: Messages, group: Group, writes: Int64s) -> list[tuple[bytes, Int64s]]:
    """Split replies to reads of Modbus registers by the registers that the request before them asked for."""
    first = messages.payload(int(group.rows[0]))
    if len(first) < 5 or first[1] not in _READS or first[2] + 5 != len(first) or not request_of(first).known:
        return [(b"", group.rows)]
    asked: dict[bytes, list[int]] = {}
    for row, at in zip(group.rows, np.searchsorted(writes, group.rows), strict=True):
        said = messages.payload(int(writes[at - 1])) if at else b""
        matches = len(said) == 8 and said[:2] == first[:2] and 2 * said[5] + 5 == group.size
        asked.setdefault(said[2:6] if matches else b"", []).append(int(row))
    return [(registers, np.array(rows, dtype=np.int64)) for registers, rows in asked.items()]


def _table(
    kind: MessageKind,
    parts: list[tuple[int, Int64s]],
    recordings: Sequence[Messages],
    cut: Cut,
    writes: list[Int64s],
) -> KindTable:
    rows = {
        index: np.sort(np.concatenate([own for other, own in parts if other == index]))
        for index in dict.fromkeys(index for index, _ in parts)
    }
    offsets, total = {}, 0
    slices = []
    for index, own in rows.items():
        offsets[index] = total
        slices.append(slice(total, total + len(own)))
        total += len(own)
    segments = tuple(segment for segment in cut.segments if segment.recording in rows)
    begin = [
        offsets[one.recording] + int(np.searchsorted(rows[one.recording], one.begin)) for one in segments
    ]
    end = [offsets[one.recording] + int(np.searchsorted(rows[one.recording], one.end)) for one in segments]
    return KindTable(
        kind,
        np.concatenate([recordings[index].matrix(own) for index, own in rows.items()]),
        np.concatenate([recordings[index].time[own] for index, own in rows.items()]),
        np.concatenate([_last_packets(recordings[index], own) for index, own in rows.items()]),
        segments,
        np.array(begin, dtype=np.int64),
        np.array(end, dtype=np.int64),
        tuple(slices),
        np.concatenate([_behind(writes[index], own) for index, own in rows.items()]),
        tuple(recordings[index] for index in rows),
    )


def _behind(writes: Int64s, rows: Int64s) -> Int64s:
    at = np.searchsorted(writes, rows)
    return np.where(at > 0, np.concatenate((writes, [-1]))[at - 1], -1)


def _last_packets(messages: Messages, rows: Int64s) -> Int64s:
    """Return the number of the last packet of each message, 0 where it has none."""
    first, end = messages.packet_offsets[rows], messages.packet_offsets[rows + 1]
    numbers = np.concatenate((messages.packets, [0]))
    return np.where(end > first, numbers[end - 1], 0)
