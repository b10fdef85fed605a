"""Which bits and fields are constant within each state and differ between states.

The plain method, which `plain_differences` is: group messages by their first bytes, keep the bits that do not
change inside a segment, report those that only changed between segments.

`find_differences` goes further. Every segment has a state, and a bit must have the same value in all segments
of a state, so that repeated sessions (on, off, on, off) are evidence. The first messages of a segment may
still show the state before (they were measured earlier): up to `MAX_LAG` of them are passed over, where that
is what makes a bit agree. Where writes cut the recording, a bit that only ever changes right after writes of
its own is a finding as well, even if some of these writes did not take effect.

What says nothing is set aside: checksums, counters, clocks, and the echo of what was written. Numbers that
move anyway, and of which some bit agrees, come last. Bits that are one field are put together, and where the
value that was written is what is read back, that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from packwire.channel import Channel
from packwire.columns import distinct
from packwire.direction import Direction
from packwire.insight.bits import count_bits
from packwire.insight.checksums import FoundChecksum, find_checksum
from packwire.insight.counters import Counter, Ticking, find_counters
from packwire.insight.evidence import (
    MAX_CHANCE,
    Bit,
    Scale,
    Tier,
    by_reaction,
    by_state,
    extremes,
    places,
    slow_bits,
)
from packwire.insight.explain import explain
from packwire.insight.grouped import Headers, KindTable, MessageKind, tables
from packwire.insight.groups import Lane, lane_rows, lasting
from packwire.insight.numbers import Number, NumberField, fields_of, fields_read_back, moves_below, numbers_of
from packwire.insight.segments import Cut
from packwire.messages import Messages

__all__ = ["MAX_CHANCE", "Bit", "Differences", "FrameDifferences", "Tier", "find_differences",
           "find_in_cuts",
           "plain_differences"]  # fmt: skip

#: So many messages show whether a byte counts them.
_COUNTED = 4096
#: Below this, one finding is as good as another.
_BEYOND_DOUBT = 0.01


@dataclass(frozen=True, slots=True)
class FrameDifferences:
    """What differs in the messages of one group.

    bits      what may be a switch, put together as `fields`
    moving    bits of `numbers` that move anyway
    aside     bits in checksums, counters, clocks and echoes
    echoes    bytes that repeat the write which they answer
    asked     the registers that were asked for, where the messages do not say it themselves
    skipped   places of a sequence number in the header
    """

    direction: Direction
    channel: Channel
    size: int
    header: bytes
    asked: bytes
    count: int
    bits: tuple[Bit, ...]
    fields: tuple[NumberField, ...]
    moving: tuple[Bit, ...]
    numbers: tuple[Number, ...]
    aside: tuple[Bit, ...]
    checksum: FoundChecksum | None
    counters: tuple[Counter, ...]
    echoes: tuple[int, ...]
    skipped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """All findings; `before_first` is the state that the time before the first write looks like."""

    cut: Cut
    frames: tuple[FrameDifferences, ...]
    looked_at: int
    before_first: str | None = None

    @property
    def chance(self) -> float:
        """Return the chance of the best finding, 1 where there is none."""
        return min((field.chance for frame in self.frames for field in frame.fields), default=1.0)

    @property
    def found(self) -> bool:
        """Say whether there is any finding.

        In a recording that was cut, one that chance gives in one of twenty cases at most. Between recordings,
        whatever tells the states apart.
        """
        if not self.cut.marks:
            return any(frame.fields for frame in self.frames)
        return self.chance <= MAX_CHANCE

    @property
    def is_sure(self) -> bool:
        """Say whether there is any finding that chance gives in one of twenty cases at most."""
        return self.chance <= MAX_CHANCE


def find_in_cuts(
    recordings: Sequence[Messages], cuts: Sequence[Cut], header: Headers = None
) -> list[Differences]:
    """Try each of several cuts: those with findings first, the surest before others."""
    tried = [find_differences(recordings, cut, header, cuts=len(cuts)) for cut in cuts]
    return sorted(tried, key=lambda each: (not each.found, each.chance if each.found else 0.0))


def find_differences(
    recordings: Sequence[Messages], cut: Cut, header: Headers = None, *, cuts: int = 1
) -> Differences:
    """Find the bits that tell the states of a cut apart, best evidence first.

    `recordings` are in the order that `cut` counts them, each in the order of time; `cuts` is how many cuts
    are tried, which makes chance likelier.
    """
    kinds = tables(recordings, cut, header)
    most = Scale(cut, cuts, 1).most
    slow = [slow_bits(table, most) for table in kinds]
    running = _running_bytes(recordings)
    scale = Scale(cut, cuts, sum(int(np.count_nonzero(each)) for each in slow))
    frames = [_frame(table, scale, running.get(table.kind[:2], frozenset())) for table in kinds]
    frames = [frame for frame in frames if frame.bits or frame.moving or frame.aside]
    frames.sort(key=lambda frame: min((_rank(bit) for bit in frame.bits), default=(True, 9, 0.0, 0, 0, 0, 0)))
    return Differences(
        cut, tuple(frames), int(sum(each.sum() for each in slow)), _before_first(kinds, frames, cut)
    )


def plain_differences(
    recordings: Sequence[Messages], cut: Cut, header: Headers = None
) -> tuple[tuple[Lane, int, bytes, tuple[tuple[int, int], ...]], ...]:
    """Return, by group, the (byte, bit) that never change inside a segment but do change between segments."""
    result = []
    for table in tables(recordings, cut, header):
        low, high, _ = extremes(table, 0)
        steady = ~np.bitwise_or.reduce(low ^ high, axis=0)
        differs = np.bitwise_and.reduce(low, axis=0) ^ np.bitwise_or.reduce(low, axis=0)
        found = places(steady & differs)
        if found:
            result.append((*table.kind[:3], tuple(found)))
    return tuple(result)


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


def _frame(table: KindTable, scale: Scale, running: frozenset[int]) -> FrameDifferences:
    cut = scale.cut
    checksum = find_checksum(table.matrix)
    counters = [find_counters(table.matrix[part], table.time[part]) for part in table.parts]
    ticking = max(counters, key=len)
    set_aside = {at for counter in ticking for at in counter.at} | running
    if checksum is not None:
        set_aside |= set(range(checksum.at, checksum.at + checksum.size))
    bits = by_state(table, scale)
    if cut.by_writes:
        bits += by_reaction(table, scale, bits)
    crowd = (count_bits(table.matrix).flips > 0).sum(axis=1)
    bits = [replace(bit, crowd=int(crowd[bit.byte])) for bit in explain_all(bits, cut)]
    answers = cut.by_writes and table.is_acknowledgement()
    echoes = tuple(
        at for at in sorted({bit.byte for bit in bits} - set_aside) if answers or table.is_echo(at)
    )
    set_aside |= set(echoes)
    left = [bit for bit in bits if bit.byte not in set_aside]
    read_back = fields_read_back(table, left, cut)
    whole = {place: field.chance for field in read_back for place in field.bits}
    left = [
        replace(bit, chance=min(bit.chance, whole.get((bit.byte, bit.bit), 1.0)))
        for bit in left
        # What agrees only when messages are passed over must be unlikely by chance.
        if bit.lag == 0 or bit.chance <= MAX_CHANCE or (bit.byte, bit.bit) in whole
    ]
    moving = {
        (bit.byte, bit.bit): below
        for bit in left
        if (bit.byte, bit.bit) not in whole and (below := moves_below(table, bit, cut)) is not None
    }
    good = sorted((bit for bit in left if (bit.byte, bit.bit) not in moving), key=_rank)
    (direction, channel), size, header, asked, skipped = table.kind
    return FrameDifferences(
        direction,
        channel,
        size,
        header,
        asked,
        len(table.matrix),
        tuple(good),
        fields_of(good, read_back, cut),
        tuple(sorted((bit for bit in left if (bit.byte, bit.bit) in moving), key=_rank)),
        numbers_of(table, moving, cut),
        tuple(sorted((bit for bit in bits if bit.byte in set_aside), key=_rank)),
        checksum,
        ticking,
        echoes,
        skipped,
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


def _rank(bit: Bit) -> tuple[bool, int, float, int, int, int, int]:
    """Order by what leaves a doubt, what is tied to a write, what looks like a switch, then by place."""
    strength = 0.0 if bit.chance < _BEYOND_DOUBT else bit.chance
    return (bit.chance > MAX_CHANCE, bit.tier, strength, bit.lag, bit.crowd, bit.byte, bit.bit)


def _before_first(kinds: list[KindTable], frames: list[FrameDifferences], cut: Cut) -> str | None:
    """Return the state whose values the time before the first write shows in every bit that was found."""
    left = {number for number, _ in enumerate(cut.states)}
    seen = False
    by_kind: dict[MessageKind, KindTable] = {table.kind: table for table in kinds}
    for frame in frames:
        lane = (frame.direction, frame.channel)
        table = by_kind[MessageKind(lane, frame.size, frame.header, frame.asked, frame.skipped)]
        low, _, used = extremes(table, 0)
        first = [place for place, index in enumerate(used) if table.segments[int(index)].state is None]
        for bit in frame.bits if first else ():
            if bit.tier is not Tier.REACTS and bit.chance <= MAX_CHANCE:
                seen = True
                value = int(low[first[0], bit.byte]) >> bit.bit & 1
                left = {number for number in left if bit.values[number] == value}
    return cut.states[left.pop()] if seen and len(left) == 1 else None
