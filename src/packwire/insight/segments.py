"""Cutting recordings into segments, each in one state: at times, at the app's own writes, or by file."""

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from packwire.capture.framings import Request, request_of
from packwire.direction import Direction
from packwire.messages import Messages

#: A poll comes at least so many times ...
_POLL_COUNT = 8
#: ... at least this share as often as the most frequent write ...
_POLL_SHARE = 0.3
#: ... and among so many of ten equal parts of all writes: a pause in the recording is no part.
_POLL_PARTS = 7
#: Where writes have rubbish behind them, it begins within so many bytes.
_LONGEST_KIND = 32
#: Fewer writes than this show no noise.
_NOISE_WRITES = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows `begin` to `end` (exclusive) of one recording; `state` is None before the first write.

    `packet` is that of the write which began it, 0 where there is none.
    """

    recording: int
    begin: int
    end: int
    state: str | None
    packet: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """A kind of write of the app: its channel, the bytes that make the kind, and how often it came."""

    channel: str
    payload: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Segments and what they were cut at.

    `states` are in the order of their names; `pattern` is what the writes begin with (`XX` stands for the
    bytes that name the state) and empty where no writes cut; `channel` is theirs; `other_writes` are kinds
    that are neither polls nor marks.
    """

    segments: tuple[Segment, ...]
    states: tuple[str, ...]
    pattern: str = ""
    channel: str = ""
    other_writes: tuple[Write, ...] = ()

    @property
    def by_writes(self) -> bool:
        """Say whether writes cut the recording."""
        return bool(self.pattern)

    @property
    def marks(self) -> int:
        """Return at how many writes or marks it was cut."""
        return len(self.segments) - len({segment.recording for segment in self.segments})


def by_recording(recordings: Sequence[Messages], states: Sequence[str]) -> Cut:
    """Take each recording as one segment; `states[i]` is the state of `recordings[i]`."""
    segments = [
        Segment(index, 0, len(messages), state)
        for index, (messages, state) in enumerate(zip(recordings, states, strict=True))
    ]
    return Cut(tuple(segments), tuple(dict.fromkeys(states)))


def at_times(messages: Messages, seconds: Sequence[float], states: Sequence[str] = ()) -> Cut:
    """Cut at seconds since the first message; without names, the states alternate: A, B, A, B...

    `states` names them in turn and is begun again when it is used up.
    """
    names = list(states) or ["A", "B"]
    start = int(messages.time[0]) if len(messages) else 0
    borders = [start + round(second * 1e9) for second in sorted(seconds)]
    rows = [0, *(int(row) for row in np.searchsorted(messages.time, borders)), len(messages)]
    segments = [
        Segment(0, begin, end, names[index % len(names)]) for index, (begin, end) in enumerate(pairwise(rows))
    ]
    return Cut(tuple(segments), tuple(dict.fromkeys(segment.state or "" for segment in segments)))


def at_writes(messages: Messages, prefix: bytes | None = None) -> Cut | None:
    """Cut at the app's writes; None where there is no write that could be a mark.

    With `prefix`, the writes that begin with it. Without, those of one control: polls (what recurs all the
    time) and what its framing says only asks are left out, the rest is put into families (same channel,
    length and first bytes), and of the families with at least two different writes the one with most writes
    is taken, one of a known framing before others (a phone says much to headsets, too). What is only ever
    written in one way (a login, a confirmation) makes no difference between states and is no mark. Writes
    with equal payload mean the same state; rubbish that some apps send behind what they say does not count.
    """
    rows = np.flatnonzero(messages.direction == Direction.TO_DEVICE)
    payloads = [messages.payload(int(row)) for row in rows]
    requests = {payload: request_of(payload) for payload in set(payloads)}
    kinds = _kinds(payloads, requests)
    writes = [
        (messages.channels[int(messages.channel[row])], kind) for row, kind in zip(rows, kinds, strict=True)
    ]
    tally = Tally(writes)
    if prefix is not None:
        family = {write for write in tally if write[1].startswith(prefix)}
        others: set[tuple[str, bytes]] = set()
    else:
        asking = {kind for kind, payload in zip(kinds, payloads, strict=True) if requests[payload].query}
        known = {kind for kind, payload in zip(kinds, payloads, strict=True) if requests[payload].known}
        marks = {write for write in set(tally) - _polls(writes, tally) if write[1] not in asking}

        def evidence(family: set[tuple[str, bytes]]) -> tuple[bool, int]:
            return all(kind in known for _, kind in family), sum(tally[write] for write in family)

        family = max(_families(marks), key=evidence, default=set())
        others = marks - family
    if not family:
        return None
    pattern, names = _name(family)
    segments = _segments(
        messages,
        [(int(row), names[write]) for row, write in zip(rows, writes, strict=True) if write in family],
    )
    return Cut(
        segments,
        tuple(sorted(set(names.values()))),
        pattern,
        ", ".join(sorted({channel for channel, _ in family})),
        tuple(Write(*write, tally[write]) for write in sorted(others)),
    )


def _segments(messages: Messages, marks: list[tuple[int, str]]) -> tuple[Segment, ...]:
    result = [Segment(0, 0, marks[0][0], None)]
    ends = [row for row, _ in marks[1:]] + [len(messages)]
    for (row, state), end in zip(marks, ends, strict=True):
        packets = messages.packets_of(row)
        result.append(Segment(0, row, end, state, packets[0] if packets else 0))
    return tuple(result)


def _kinds(payloads: list[bytes], requests: dict[bytes, Request]) -> list[bytes]:
    """Return each write without the rubbish behind it.

    Where the framing does not say where that begins, it is a tail that is different in nearly every write of
    a length.
    """
    result = [requests[payload].meaning for payload in payloads]
    by_size: dict[int, list[int]] = {}
    for index, payload in enumerate(payloads):
        if len(result[index]) < len(payload):
            continue
        by_size.setdefault(len(payload), []).append(index)
    for size, here in by_size.items():
        if len(here) < _NOISE_WRITES or len({payloads[index] for index in here}) * 5 < len(here) * 4:
            continue
        lengths = range(min(size, _LONGEST_KIND), 0, -1)
        keep = next((n for n in lengths if len({payloads[i][:n] for i in here}) * 2 <= len(here)), size)
        counts = Tally(payloads[index][:n] for index in here for n in range(1, keep + 1))
        for index in here:
            # A command of its own may have its rubbish begin earlier: go back to where it recurs.
            recurs = (n for n in range(keep, 0, -1) if 1 < counts[payloads[index][:n]] <= len(here) // 2)
            result[index] = payloads[index][: next(recurs, size)]
    return result


def _polls(writes: list[tuple[str, bytes]], tally: Tally[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Return the kinds that recur all the time."""
    most = max(tally.values(), default=0)
    if most < _POLL_COUNT:
        return set()
    seen: dict[tuple[str, bytes], set[int]] = {}
    for number, write in enumerate(writes):
        seen.setdefault(write, set()).add(number * 10 // len(writes))
    return {
        write
        for write, count in tally.items()
        if count >= max(_POLL_COUNT, most * _POLL_SHARE) and len(seen[write]) >= _POLL_PARTS
    }


def _families(kinds: set[tuple[str, bytes]]) -> list[set[tuple[str, bytes]]]:
    """Put kinds of writes into families that differ in what a control is set to, each of two at least."""
    lots: dict[tuple[str, int], set[bytes]] = {}
    for channel, kind in kinds:
        lots.setdefault((channel, len(kind)), set()).add(kind)
    result = []
    for (channel, _), members in lots.items():
        result += [{(channel, kind) for kind in family} for family in _apart(members)]
    return result


def _apart(members: set[bytes]) -> list[set[bytes]]:
    """Split at the first byte that differs while a part keeps two members; else they are one family."""
    if len(members) < 2:
        return []
    at = next(n for n in range(len(min(members))) if len({kind[n] for kind in members}) > 1)
    parts: dict[int, set[bytes]] = {}
    for kind in members:
        parts.setdefault(kind[at], set()).add(kind)
    if max(len(part) for part in parts.values()) < 2:
        return [members]
    return [family for part in parts.values() for family in _apart(part)]


def _name(family: set[tuple[str, bytes]]) -> tuple[str, dict[tuple[str, bytes], str]]:
    """Name the states by the first run of bytes in which the writes differ; return the pattern and names."""
    kinds = sorted(kind for _, kind in family)
    width = min(len(kind) for kind in kinds)
    differ = [len({kind[at] for kind in kinds}) > 1 for at in range(width)]
    if not any(differ):
        text = kinds[0].hex(" ")
        return text, {write: write[1].hex() for write in family}
    first = differ.index(True)
    last = next((at for at in range(first, width) if not differ[at]), width)
    if len({kind[first:last] for kind in kinds}) < len(kinds):
        last = max(len(kind) for kind in kinds)
    pattern = f"{kinds[0][:first].hex(' ')} {'XX ' * min(last - first, 4)}".strip()
    return pattern, {write: write[1][first:last].hex() for write in family}
