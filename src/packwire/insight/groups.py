"""Messages grouped by direction, channel, length and header: what kinds of messages there are.

The header is the first N bytes. `header_length` finds N, or the user gives it. A sequence number among them
tells nothing and is left out, but where the user gave N.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packwire.capture.framings import request_of
from packwire.capture.packets import NO_TIME
from packwire.channel import Channel, Transport
from packwire.columns import distinct, distinct_rows
from packwire.direction import Direction
from packwire.insight.sequences import sequence_places
from packwire.messages import Bytes, Int64s, Messages

#: Messages that went the same way on the same channel.
type Lane = tuple[Direction, Channel]

#: A header may have so many bytes, and is looked for in so many first ones ...
MAX_HEADER, _LOOKED_AT = 16, 8
#: ... of so many messages of one direction and channel.
_SAMPLE = 4096
#: Whether a framing is known is told by so many messages from all over.
_LOOKED_INTO = 15
#: So many kinds of messages may be told apart, and on average each comes so often ...
_MAX_KINDS, _LEAST_EACH = 128, 2
#: ... or there are only so few kinds that it does not matter how often.
_FEW_KINDS = 32
#: A split that matters is one of this part of the messages at least, and so many of them must tell something.
_LEAST_SPLIT, _LEAST_TELLING = 0.1, 0.67
#: So many bytes become constant by it, on average: one, but for what is rare.
_LEAST_GAIN = 0.9
#: So many bytes, and such a part of those that never change, are others in a message of another kind.
_LEAST_DIFFERENT, _PART_DIFFERENT = 8, 0.1
#: So many messages are of the one kind that most are of.
_USUAL, _CARRIED, _MANY_CARRIED = 0.75, 2, 4
#: Without any byte that tells kinds of messages apart, so many leading bytes are the header, where nearly all
#: messages have the same ones.
_PLAIN_HEADER, _NEARLY_ALL = 2, 0.9


@dataclass(frozen=True, slots=True)
class Group:
    """Messages of one direction, channel, length and header.

    rows      their rows in the table, ascending
    skipped   places in the header of a sequence number: they are 0 there, whatever the messages have
    """

    direction: Direction
    channel: Channel
    size: int
    header: bytes
    rows: Int64s
    skipped: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What `packwire groups` says about a group.

    per_second       the median rate, messages a second; None for fewer than two
    constant         which bytes never change, one flag a byte
    example          the first message
    first, last      numbers of the first and the last packet, as Wireshark counts them
    """

    per_second: float | None
    constant: tuple[bool, ...]
    example: bytes
    first_packet: int
    last_packet: int


def header_text(header: bytes, skipped: Sequence[int], separator: str = " ") -> str:
    """Return a header in hex, dots for the bytes of a sequence number."""
    return separator.join("··" if at in skipped else f"{byte:02x}" for at, byte in enumerate(header))


def group_messages(
    messages: Messages,
    header: int | Int64s | None = None,
    skipped: Mapping[Lane, frozenset[int]] | None = None,
) -> tuple[Group, ...]:
    """Group messages: requests before replies, and within a channel the largest groups first.

    `header` is the number of first bytes that tell kinds of messages apart, for all or for each; None: found
    by `header_length`, for each direction and channel. `skipped` are the places of sequence numbers, by lane;
    None: found by `sequences`, but where one number for all was given.
    """
    groups: list[Group] = []
    if skipped is None:
        skipped = {} if isinstance(header, int) else sequences(messages)
    for lane, rows in lane_rows(messages).items():
        if header is None:
            lengths = np.full(len(rows), header_length(messages, rows))
        else:
            lengths = np.full(len(rows), header) if isinstance(header, int) else header[rows]
        for length in distinct(np.minimum(lengths, MAX_HEADER)):
            own = rows[np.minimum(lengths, MAX_HEADER) == length]
            groups += _split(messages, own, length, skipped.get(lasting(lane), frozenset()))
    return tuple(
        sorted(groups, key=lambda group: (-group.direction, group.channel, -len(group), group.header))
    )


def header_lengths(messages: Messages) -> dict[Lane, int]:
    """Return the length of the header for each direction and channel."""
    return {lane: header_length(messages, rows) for lane, rows in lane_rows(messages).items()}


def sequences(messages: Messages) -> dict[Lane, frozenset[int]]:
    """Return the places of sequence numbers by lane, without what may change from recording to recording.

    A known framing has none in its header.
    """
    result: dict[Lane, frozenset[int]] = {}
    for lane, rows in lane_rows(messages).items():
        if not _known(messages, rows):
            found = sequence_places(leading_bytes(messages, rows, MAX_HEADER), messages.size[rows])
            result[lasting(lane)] = result.get(lasting(lane), frozenset()) | found
    return result


def _known(messages: Messages, rows: Int64s) -> bool:
    """Tell whether most messages are of a known framing: a login in its form may stand among others."""
    looked_at = rows[:: -(-len(rows) // _LOOKED_INTO)].tolist()
    return 2 * sum(request_of(messages.payload(row)).known for row in looked_at) > len(looked_at)


def lasting(lane: Lane) -> Lane:
    """Return what stays of a lane's name from recording to recording."""
    return lane[0], lane[1].lasting


def lane_rows(messages: Messages) -> dict[Lane, Int64s]:
    """Return the rows of each direction of each channel, ascending."""
    code = messages.channel.astype(np.int64) * 4 + messages.direction + 1
    order = np.argsort(code, kind="stable")
    borders = np.flatnonzero(np.diff(code[order])) + 1
    result: dict[Lane, Int64s] = {}
    for rows in np.split(order, borders) if len(order) else ():
        number = int(code[rows[0]])
        result[Direction(number % 4 - 1), messages.channels[number // 4]] = rows
    return result


def facts(messages: Messages, group: Group) -> GroupFacts:
    """Work out what is shown about one group."""
    matrix = messages.matrix(group.rows)
    known = messages.time[group.rows]
    seconds = np.diff(known[known != NO_TIME]) / 1e9
    typical = float(np.median(seconds)) if len(seconds) else 0.0
    constant = (matrix == matrix[0]).all(axis=0)
    first, last = (messages.packets_of(int(group.rows[row])) for row in (0, -1))
    return GroupFacts(
        per_second=1 / typical if typical > 0 else None,
        constant=tuple(bool(flag) for flag in constant),
        example=matrix[0].tobytes(),
        first_packet=first[0] if first else 0,
        last_packet=last[-1] if last else 0,
    )


def header_length(messages: Messages, rows: Int64s) -> int:
    """Find how many first bytes tell the kinds of messages of one direction and channel apart.

    Byte after byte, the messages are split by its value. A split is useful where all of this holds, and the
    header ends with the last byte whose split is useful:

    - there are few kinds (at most 32), or each comes twice or more on average (at most 128: a byte with more
      values is a counter or something measured), and most messages have one that occurs more than once;
    - the values take turns: they change at least a third as often as if they were shuffled. Kinds of messages
      alternate as they are polled; a state (a switch, an alarm) stays for a while, and must not split;
    - in the messages that it splits (one of ten at least), something becomes constant that was not before:
      on average at least one byte behind it, or the length.

    Without any useful split, the header is the first bytes that nearly all have alike, two at most; on a CAN
    bus it is nothing, because there the id tells the kind.
    """
    channel = messages.channels[int(messages.channel[rows[0]])] if len(rows) else None
    rows = rows[:_SAMPLE]
    sizes = messages.size[rows]
    widest = min(int(sizes.max()), 64) if len(sizes) else 0
    cells = leading_bytes(messages, rows, widest).astype(np.int32)
    cells[np.arange(widest) >= sizes[:, None]] = -1
    every = np.column_stack((cells, sizes.astype(np.int32)))
    # What is said again as it was tells nothing: that it is the same each time is no kind of its own.
    cells = every[np.concatenate(([True], (every[1:] != every[:-1]).any(axis=1)))] if len(every) else every
    part = np.zeros(len(cells), dtype=np.int64)
    found = 0
    counting = sequence_places(every[:, : min(_LOOKED_AT, widest)], sizes)
    for at in sorted({*range(min(_LOOKED_AT, widest))} - counting):
        finer = np.unique(np.column_stack((part, cells[:, at])), axis=0, return_inverse=True)[1].ravel()
        if _too_many(int(finer.max(initial=0)) + 1, len(cells)):
            continue
        splits = finer.max(initial=0) > part.max(initial=0)
        if splits and _takes_turns(cells[:, at], part) and _explains(cells[:, at + 1 :], part, finer):
            found = at + 1
            part = finer
    if found or (channel is not None and channel.transport is Transport.CAN):
        return found
    first = every[:, : min(_PLAIN_HEADER, widest)]
    same = (first == np.median(first, axis=0)).mean(axis=0) >= _NEARLY_ALL
    return max(int(np.cumprod(same).sum()), _rare_kinds(every[:, :-1], counting))


def _rare_kinds(cells: NDArray[np.int32], counting: Collection[int]) -> int:
    """Return how many first bytes tell nearly all messages from a few that are quite others; 0: none are.

    A flag or an alarm changes a few bytes more; what differs in many that never change else is another kind.
    """
    found = 0
    for at in range(min(_LOOKED_AT, cells.shape[1])):
        values, counts = np.unique(cells[:, at], return_counts=True)
        usual = cells[:, at] == values[counts.argmax()]
        if at in counting or usual.all() or usual.mean() < _USUAL:
            continue
        behind, pattern = cells[:, at + 1 :], cells[usual][0, at + 1 :]
        constant = (behind[usual] == pattern).all(axis=0)
        differ = (np.abs(behind[~usual][:, constant] - pattern[constant]) > _CARRIED).sum(axis=1)
        if differ.min() >= max(_LEAST_DIFFERENT, _PART_DIFFERENT * np.count_nonzero(constant)):
            found, cells = at + 1, cells[usual]
    return found


def _too_many(kinds: int, messages: int) -> bool:
    """Say whether there are more kinds of messages than a header tells apart."""
    return kinds > _FEW_KINDS and (kinds > _MAX_KINDS or kinds * _LEAST_EACH > messages)


def _explains(cells: NDArray[np.int32], coarse: Int64s, fine: Int64s) -> bool:
    """Say whether a split makes something constant behind it, in the messages that it splits.

    Those that end up in parts of one or two tell nothing, so they may not be many. What a split into parts of
    the same sizes, but with the messages shuffled, makes constant as well is chance; and what one into parts
    that follow one another makes constant is only slow.
    """
    pairs = distinct_rows(np.column_stack((coarse, fine)))
    split = (np.bincount(pairs[:, 0]) > 1)[coarse]
    telling = split & (np.bincount(fine)[fine] > 2)
    count = np.count_nonzero(telling)
    if count < max(_LEAST_SPLIT * len(cells), _LEAST_TELLING * np.count_nonzero(split)):
        return False
    cells, coarse, fine = cells[telling], coarse[telling], fine[telling]
    # High bytes of many cells go up or down by one, all at once.
    ranges = np.ptp(cells, axis=0)
    carried = (ranges > 0) & (ranges <= _CARRIED)
    if np.count_nonzero(carried) >= _MANY_CARRIED:
        cells = cells[:, ~carried]
    shuffled = np.empty_like(fine)
    mixed = np.random.default_rng(0).permutation(len(fine))
    shuffled[np.argsort(coarse, kind="stable")] = fine[mixed[np.argsort(coarse[mixed], kind="stable")]]
    following = np.empty_like(fine)
    following[np.argsort(coarse, kind="stable")] = fine[np.lexsort((fine, coarse))]
    by_chance = max(_constant_cells(cells, shuffled), _constant_cells(cells, following))
    return _constant_cells(cells, fine) - by_chance >= _LEAST_GAIN


def leading_bytes(messages: Messages, rows: Int64s, count: int) -> Bytes:
    """Return the first `count` bytes of each message as `(n, count)`, with zeros behind shorter ones."""
    result = np.zeros((len(rows), count), dtype=np.uint8)
    start, size = messages.start[rows], messages.size[rows]
    for segment, base in ((messages.data, 0), (messages.joined, len(messages.data))):
        here = (start >= base) if segment is messages.joined else (start < len(messages.data))
        for at in range(count):
            there = np.flatnonzero(here & (size > at))
            if len(there):
                result[there, at] = segment[start[there] - base + at]
    return result


def _split(messages: Messages, rows: Int64s, length: int, skipped: frozenset[int]) -> list[Group]:
    first = leading_bytes(messages, rows, MAX_HEADER)
    first[:, length:] = 0
    first[:, sorted(skipped)] = 0
    packed = np.ascontiguousarray(first).view(np.uint64)
    keys = np.column_stack((messages.size[rows].astype(np.uint64), packed))
    order = np.lexsort(keys.T[::-1])
    keys = keys[order]
    borders = np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1
    return [
        _group(messages, np.sort(rows[part]), length, skipped)
        for part in np.split(order, borders)
        if len(part)
    ]


def _group(messages: Messages, rows: Int64s, length: int, skipped: frozenset[int]) -> Group:
    first = int(rows[0])
    header = messages.payload(first)[:length]
    left_out = tuple(at for at in sorted(skipped) if at < len(header))
    return Group(
        Direction(int(messages.direction[first])),
        messages.channels[int(messages.channel[first])],
        int(messages.size[first]),
        bytes(0 if at in left_out else byte for at, byte in enumerate(header)),
        rows,
        left_out,
    )


def _takes_turns(values: NDArray[np.int32], part: Int64s) -> bool:
    """Say whether within the parts the values recur and change a third as often as if shuffled."""
    recurring = changes = total = 0
    shuffled = 0.0
    for number in distinct(part):
        here = values[part == number]
        counts = np.unique(here, return_counts=True)[1]
        if len(counts) > 1:
            total += len(here)
            recurring += int(counts[counts > 1].sum())
            changes += int((here[1:] != here[:-1]).sum())
            shuffled += (len(here) - 1) * (1 - float(((counts / len(here)) ** 2).sum()))
    return recurring * 2 >= total > 0 and changes * 3 >= shuffled


def _constant_cells(cells: NDArray[np.int32], part: Int64s) -> float:
    """Return how many cells of a message are constant in its part, on average."""
    total = 0
    for number in distinct(part):
        here = cells[part == number]
        total += len(here) * int((here == here[0]).all(axis=0).sum())
    return total / max(len(cells), 1)
