"""Which bits are constant within each state and differ between states.

The plain method, which `plain_differences` is: group messages by their first bytes, keep the bits that do not
change inside a segment, report those that only changed between segments.

`find_differences` goes further. Every segment has a state, and a bit must have the same value in all segments
of a state, so that repeated sessions (on, off, on, off) are evidence. The first messages of a segment may
still show the state before (they were measured earlier): up to `MAX_LAG` of them are passed over, where that
is what makes a bit agree. Checksum, counter and clock bytes are set aside. Where writes cut the recording,
a bit that only ever changes right after writes of its own is a finding as well, even if some of these writes
did not take effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from packwire.columns import distinct
from packwire.direction import Direction
from packwire.insight.bits import bit_values, count_bits
from packwire.insight.chance import of_changes_at_marks, of_hits, of_values_by_recording
from packwire.insight.checksums import FoundChecksum, find_checksum
from packwire.insight.counters import Counter, Ticking, find_counters
from packwire.insight.explain import explain
from packwire.insight.groups import Group, Lane, group_messages, header_lengths, lane_rows, lasting
from packwire.insight.segments import Cut, Segment
from packwire.messages import Bytes, Int64s, Messages

#: So many messages of a segment may still show the state before.
MAX_LAG = 2
#: A bit that reacts to writes changes so many times at least, and so many of its changes follow them.
_MIN_REACTIONS = 3
_MIN_SHARE = 0.75
#: Above this, passing over messages or not counting some writes proves nothing.
MAX_CHANCE = 0.05
#: Above this, noise does the same: no finding.
NO_FINDING = 0.5
#: So many messages show whether a byte counts them.
_COUNTED = 4096
#: Below this, one finding is as good as another.
_BEYOND_DOUBT = 0.01


#: The length of the header: for all messages, or for each message of each recording; None: it is found.
type Headers = int | Sequence[Int64s] | None


class Tier(IntEnum):
    """How good the evidence of a bit is; lower is better."""

    OWN = 0
    FOLLOWS = 1
    REACTS = 2


@dataclass(frozen=True, slots=True)
class Change:
    """A bit became `value`: the packets of the last message before and the first message after."""

    value: int
    before: int
    after: int
    state: str | None


@dataclass(frozen=True, slots=True)
class Bit:
    """A bit that tells states apart.

    values     for each state 0 or 1, or None where no message shows it
    segments   for each state the number of segments that agree
    messages   how many messages the evidence rests on
    lag        how many messages at the start of a segment may still show the state before
    chance     how likely noise does the same, see `packwire.insight.chance`
    crowd      how many bits of its byte ever change: 1 speaks for a switch, more for a number
    tied_to    the one state (or write) that it differs in from all others; None where it follows others
    why        the explanation, empty where there is nothing to explain
    """

    byte: int
    bit: int
    tier: Tier
    values: tuple[int | None, ...]
    segments: tuple[int, ...]
    messages: int
    lag: int
    chance: float
    changes: tuple[Change, ...]
    crowd: int = 1
    tied_to: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class FrameDifferences:
    """What differs in the messages of one group; `aside` are bits in checksums, counters and clocks."""

    direction: Direction
    channel: str
    size: int
    header: bytes
    count: int
    bits: tuple[Bit, ...]
    aside: tuple[Bit, ...]
    checksum: FoundChecksum | None
    counters: tuple[Counter, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """All findings; `before_first` is the state that the time before the first write looks like."""

    cut: Cut
    frames: tuple[FrameDifferences, ...]
    looked_at: int
    before_first: str | None = None

    @property
    def found(self) -> bool:
        """Say whether there is any finding that noise would hardly make."""
        return any(bit.chance <= NO_FINDING for frame in self.frames for bit in frame.bits)

    @property
    def is_sure(self) -> bool:
        """Say whether there is any finding that noise makes in one of twenty cases at most."""
        return any(bit.chance <= MAX_CHANCE for frame in self.frames for bit in frame.bits)


@dataclass(frozen=True, slots=True)
class _Table:
    """The messages of one group over all recordings, in segments: `(n, width)` and a segment's rows."""

    key: tuple[Lane, int, bytes]
    matrix: Bytes
    time: Int64s
    packets: Int64s
    segments: tuple[Segment, ...]
    begin: Int64s
    end: Int64s
    parts: tuple[slice, ...] = field(repr=False)


def find_differences(recordings: Sequence[Messages], cut: Cut, header: Headers = None) -> Differences:
    """Find the bits that tell the states of a cut apart, best evidence first.

    `recordings` are in the order that `cut` counts them, each in the order of time.
    """
    tables = _tables(recordings, cut, header)
    moving = sum(_slow_bits(table, max(2 * cut.marks, 1)) for table in tables)
    running = _running_bytes(recordings)
    frames = [
        _frame(table, cut, _Scale(cut, moving), running.get(table.key[:2], frozenset())) for table in tables
    ]
    frames = [frame for frame in frames if frame.bits or frame.aside]
    frames.sort(key=lambda frame: min((_rank(bit) for bit in frame.bits), default=(True, 9, 0.0, 0, 0, 0, 0)))
    return Differences(cut, tuple(frames), moving, _before_first(tables, frames, cut))


def plain_differences(
    recordings: Sequence[Messages], cut: Cut, header: Headers = None
) -> tuple[tuple[Lane, int, bytes, tuple[tuple[int, int], ...]], ...]:
    """Return, by group, the (byte, bit) that never change inside a segment but do change between segments."""
    result = []
    for table in _tables(recordings, cut, header):
        low, high, _ = _extremes(table, 0)
        steady = ~np.bitwise_or.reduce(low ^ high, axis=0)
        differs = np.bitwise_and.reduce(low, axis=0) ^ np.bitwise_or.reduce(low, axis=0)
        places = _places(steady & differs)
        if places:
            result.append((*table.key, tuple(places)))
    return tuple(result)


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the chances are worked out with."""

    cut: Cut
    bits: int


def _tables(recordings: Sequence[Messages], cut: Cut, header: Headers) -> list[_Table]:
    lengths = _found_headers(recordings) if header is None else header
    found: dict[tuple[Lane, int, bytes], list[tuple[int, Group]]] = {}
    for index, messages in enumerate(recordings):
        for group in group_messages(messages, lengths if isinstance(lengths, int) else lengths[index]):
            if group.direction != Direction.TO_DEVICE:
                key = (lasting((group.direction, group.channel)), group.size, group.header)
                found.setdefault(key, []).append((index, group))
    return [
        _table(key, parts, recordings, cut)
        for key, parts in found.items()
        if key[1] and sum(len(group) for _, group in parts) > 1
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


def _slow_bits(table: _Table, most: int) -> int:
    """Return how many bits change, but not more often than a bit that follows the state could."""
    flips = count_bits(table.matrix).flips
    return int(np.count_nonzero((flips > 0) & (flips <= most)))


def _table(
    key: tuple[Lane, int, bytes], parts: list[tuple[int, Group]], recordings: Sequence[Messages], cut: Cut
) -> _Table:
    rows = {
        index: np.sort(np.concatenate([group.rows for other, group in parts if other == index]))
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
    return _Table(
        key,
        np.concatenate([recordings[index].matrix(own) for index, own in rows.items()]),
        np.concatenate([recordings[index].time[own] for index, own in rows.items()]),
        np.concatenate([_last_packets(recordings[index], own) for index, own in rows.items()]),
        segments,
        np.array(begin, dtype=np.int64),
        np.array(end, dtype=np.int64),
        tuple(slices),
    )


def _last_packets(messages: Messages, rows: Int64s) -> Int64s:
    """Return the number of the last packet of each message, 0 where it has none."""
    first, end = messages.packet_offsets[rows], messages.packet_offsets[rows + 1]
    numbers = np.concatenate((messages.packets, [0]))
    return np.where(end > first, numbers[end - 1], 0)


def _running_bytes(recordings: Sequence[Messages]) -> dict[tuple[Lane, int], frozenset[int]]:
    """Return, by lane and size, the bytes that count all messages of a device, of whatever kind."""
    found: dict[tuple[Lane, int], frozenset[int]] = {}
    for messages in recordings:
        for lane, rows in lane_rows(messages).items():
            if lane[0] == Direction.TO_DEVICE:
                continue
            for size in distinct(messages.size[rows]):
                own = rows[messages.size[rows] == size][:_COUNTED]
                counters = find_counters(messages.matrix(own), messages.time[own]) if len(own) > 2 else ()
                key = (lasting(lane), int(size))
                counting = {
                    at for counter in counters if counter.kind is Ticking.COUNTER for at in counter.at
                }
                found[key] = found.get(key, frozenset()) | counting
    return found


def _frame(table: _Table, cut: Cut, scale: _Scale, running: frozenset[int]) -> FrameDifferences:
    checksum = find_checksum(table.matrix)
    counters = [find_counters(table.matrix[part], table.time[part]) for part in table.parts]
    ticking = max(counters, key=len)
    set_aside = {at for counter in ticking for at in counter.at} | running
    if checksum is not None:
        set_aside |= set(range(checksum.at, checksum.at + checksum.size))
    bits = _by_state(table, cut, scale)
    if cut.by_writes:
        taken = {(bit.byte, bit.bit) for bit in bits}
        bits += _by_reaction(table, cut, scale, taken)
    moving = (count_bits(table.matrix).flips > 0).sum(axis=1)
    bits = [replace(bit, crowd=int(moving[bit.byte])) for bit in explain_all(bits, cut)]
    (direction, channel), size, header = table.key
    return FrameDifferences(
        direction,
        channel,
        size,
        header,
        len(table.matrix),
        tuple(sorted((bit for bit in bits if bit.byte not in set_aside), key=_rank)),
        tuple(sorted((bit for bit in bits if bit.byte in set_aside), key=_rank)),
        checksum,
        ticking,
    )


def explain_all(bits: list[Bit], cut: Cut) -> list[Bit]:
    """Say of each bit which write it is tied to, or which other bits it follows."""
    agreeing = [bit for bit in bits if bit.tier is not Tier.REACTS]
    rest = _rest_state(cut)
    notes = explain([bit.values for bit in agreeing], cut.states, rest)
    done = [
        replace(
            bit,
            tier=Tier.OWN if note.tied_to is not None else Tier.FOLLOWS,
            tied_to=note.tied_to,
            why=note.why,
        )
        for bit, note in zip(agreeing, notes, strict=True)
    ]
    return done + [bit for bit in bits if bit.tier is Tier.REACTS]


def _rest_state(cut: Cut) -> int:
    """Return the index of the state with most segments: the one that the others are left for."""
    counts = [sum(segment.state == state for segment in cut.segments) for state in cut.states]
    return counts.index(max(counts))


def _extremes(table: _Table, lag: int) -> tuple[Bytes, Bytes, Int64s]:
    """Return for each segment that has messages after `lag` the bits set in all and in any, and its index."""
    used = np.flatnonzero(table.end - table.begin > lag)
    if len(used) == 0:
        empty = np.zeros((0, table.matrix.shape[1]), dtype=np.uint8)
        return empty, empty, used
    matrix = np.concatenate((table.matrix, table.matrix[-1:]))
    borders = np.column_stack((table.begin[used] + lag, table.end[used])).ravel()
    low = np.bitwise_and.reduceat(matrix, borders, axis=0)[::2]
    high = np.bitwise_or.reduceat(matrix, borders, axis=0)[::2]
    return low, high, used


def _by_state(table: _Table, cut: Cut, scale: _Scale) -> list[Bit]:
    """Find bits that agree with the states in every segment, passing over as few messages as possible."""
    result: list[Bit] = []
    taken: set[tuple[int, int]] = set()
    for lag in range(MAX_LAG + 1 if cut.marks else 1):
        low, high, used = _extremes(table, lag)
        states = [table.segments[int(index)].state for index in used]
        known = np.array([state is not None for state in states], dtype=bool)
        if len({state for state in states if state is not None}) < 2:
            break
        good = ~np.bitwise_or.reduce((low ^ high)[known], axis=0)
        value = np.zeros((len(cut.states), low.shape[1]), dtype=np.uint8)
        present = [number for number, state in enumerate(cut.states) if state in states]
        for number in present:
            here = np.array([state == cut.states[number] for state in states])
            value[number] = np.bitwise_and.reduce(low[here], axis=0)
            good &= ~(value[number] ^ np.bitwise_or.reduce(high[here], axis=0))
        differs = np.bitwise_and.reduce(value[present], axis=0) ^ np.bitwise_or.reduce(value[present], axis=0)
        counts = tuple(states.count(state) for state in cut.states)
        for byte, bit in _places(good & differs):
            if (byte, bit) not in taken:
                taken.add((byte, bit))
                values = tuple(
                    int(value[number, byte]) >> bit & 1 if number in present else None
                    for number in range(len(cut.states))
                )
                found = _bit(table, byte, bit, lag, values, counts, scale)
                if found is not None:
                    result.append(found)
    return result


def _bit(
    table: _Table,
    byte: int,
    bit: int,
    lag: int,
    values: tuple[int | None, ...],
    counts: tuple[int, ...],
    scale: _Scale,
) -> Bit | None:
    changes = _changes(table, byte, bit)
    states = sum(value is not None for value in values)
    if scale.cut.marks:
        chance = of_changes_at_marks(len(table.matrix) - 1, len(changes), lag + 1, states, scale.bits)
        if chance > MAX_CHANCE and lag:
            return None
    else:
        chance = of_values_by_recording(sum(counts), states, 1)
    return Bit(byte, bit, Tier.OWN, values, counts, len(table.matrix), lag, chance, tuple(changes))


def _changes(table: _Table, byte: int, bit: int) -> list[Change]:
    flag = bit_values(table.matrix[:, byte], bit)
    rows = np.flatnonzero(flag[1:] != flag[:-1]) + 1
    segment = np.searchsorted(table.begin, rows, side="right") - 1
    return [
        Change(
            int(flag[row]),
            int(table.packets[row - 1]),
            int(table.packets[row]),
            table.segments[int(index)].state if len(table.segments) else None,
        )
        for row, index in zip(rows, segment, strict=True)
    ]


def _by_reaction(table: _Table, cut: Cut, scale: _Scale, taken: set[tuple[int, int]]) -> list[Bit]:
    """Find bits that change right after writes of their own, each kind always in the same direction."""
    flips = table.matrix[1:] ^ table.matrix[:-1]
    result = []
    limit = 2 * max(cut.marks, 1)
    for byte in np.flatnonzero(flips.any(axis=0)):
        for bit in range(8):
            rows = np.flatnonzero(bit_values(flips[:, byte], bit)) + 1
            if _MIN_REACTIONS <= len(rows) <= limit and (int(byte), bit) not in taken:
                found = _reaction(table, cut, scale, int(byte), bit, rows)
                if found is not None:
                    result.append(found)
    return result


def _reaction(table: _Table, cut: Cut, scale: _Scale, byte: int, bit: int, rows: Int64s) -> Bit | None:
    segment = np.searchsorted(table.begin, rows, side="right") - 1
    soon = rows - table.begin[segment] <= MAX_LAG - 1
    value = bit_values(table.matrix[rows, byte], bit)
    pushes: dict[str, list[int]] = {}
    for index, is_soon, now in zip(segment, soon, value, strict=True):
        state = table.segments[int(index)].state
        if is_soon and state is not None:
            pushes.setdefault(state, []).append(int(now))
    steady = {state: set(seen).pop() for state, seen in pushes.items() if len(set(seen)) == 1}
    hits = sum(len(pushes[state]) for state in steady)
    if hits < _MIN_REACTIONS or hits < _MIN_SHARE * len(rows) or len(set(steady.values())) < 2:
        return None
    counts = tuple(sum(one.state == state for one in table.segments) for state in cut.states)
    share = {
        now: MAX_LAG * sum(counts[cut.states.index(state)] for state in steady if steady[state] == now)
        for now in (0, 1)
    }
    gaps = max(len(table.matrix) - 1, 1)
    mean = float(np.sqrt(min(share[0] / gaps, 1.0) * min(share[1] / gaps, 1.0)))
    chance = of_hits(len(rows), hits, min(mean, 1.0), 3 ** len(steady), scale.bits)
    if chance > MAX_CHANCE:
        return None
    values = tuple(steady.get(state) for state in cut.states)
    took = tuple(len(pushes[state]) if state in steady else 0 for state in cut.states)
    said = ", ".join(
        f"{state} {'sets' if steady[state] else 'clears'} it ({took[number]} of {counts[number]} writes)"
        for number, state in enumerate(cut.states)
        if state in steady
    )
    alone = len(rows) - hits
    why = f"{hits} of {len(rows)} changes come right after: {said}" + (
        f"; {alone} by itself" if alone else ""
    )
    return Bit(
        byte,
        bit,
        Tier.REACTS,
        values,
        took,
        len(table.matrix),
        MAX_LAG - 1,
        chance,
        tuple(_changes(table, byte, bit)),
        why=why,
    )


def _places(mask: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return the (byte, bit) of the set bits of `(width,)` uint8."""
    return [(int(byte), bit) for byte in np.flatnonzero(mask) for bit in range(8) if mask[byte] >> bit & 1]


def _rank(bit: Bit) -> tuple[bool, int, float, int, int, int, int]:
    """Order by what leaves a doubt, what is tied to a write, what looks like a switch, then by place."""
    strength = 0.0 if bit.chance < _BEYOND_DOUBT else bit.chance
    return (bit.chance > MAX_CHANCE, bit.tier, strength, bit.lag, bit.crowd, bit.byte, bit.bit)


def _before_first(tables: list[_Table], frames: list[FrameDifferences], cut: Cut) -> str | None:
    """Return the state whose values the time before the first write shows in every bit that was found."""
    left = {number for number, _ in enumerate(cut.states)}
    seen = False
    by_key = {table.key: table for table in tables}
    for frame in frames:
        table = by_key[(frame.direction, frame.channel), frame.size, frame.header]
        low, _, used = _extremes(table, 0)
        first = [place for place, index in enumerate(used) if table.segments[int(index)].state is None]
        for bit in frame.bits if first else ():
            if bit.tier is not Tier.REACTS:
                seen = True
                value = int(low[first[0], bit.byte]) >> bit.bit & 1
                left = {number for number in left if bit.values[number] == value}
    return cut.states[left.pop()] if seen and len(left) == 1 else None
