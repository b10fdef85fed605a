"""Where an app's own writes cut a recording: which of them set something, and what each says.

Polls (what recurs all the time), what a framing says only asks, and logins set nothing. The rest is put into
controls: writes to the same register or command, or else of the same channel, length and first bytes.
Sequence numbers and checksums say nothing of what is set.
"""

from collections import Counter as Tally
from dataclasses import dataclass, field

import numpy as np

from packwire.capture.framings import RequestMeaning, Written, request_of, written
from packwire.capture.redact.families import holds_password
from packwire.channel import Channel
from packwire.direction import Direction
from packwire.insight.checksums import find_closing
from packwire.insight.groups import header_text, sequences
from packwire.insight.segments import Cut, Segment, Write
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
#: Where a device says so many times as much as the app writes, it is not asked for it.
_SELDOM = 4
#: So many of a device's messages may confirm the checksum of writes.
_SAID = 64
#: So many controls are looked at, those with most writes.
_MAX_CONTROLS = 4

#: A kind of write: its channel, and what it says without rubbish.
type Kind = tuple[Channel, bytes]


def cuts_at_writes(messages: Messages, prefix: bytes | None = None) -> tuple[Cut, ...]:
    """Cut at the app's writes, once for each control, the one that is written most first.

    With `prefix`, at all writes that begin with it. Without, at those of each control that is written in two
    ways at least: what is only ever written in one way (a confirmation) makes no difference between states.
    Controls of a known framing come before others (a phone says much to headsets, too). Writes with equal
    payload mean the same state; rubbish that some apps send behind what they say does not count, nor does
    a checksum.
    """
    rows = np.flatnonzero(messages.direction == Direction.TO_DEVICE)
    payloads = [messages.payload(int(row)) for row in rows]
    channels = [messages.channels[int(messages.channel[row])] for row in rows]
    requests = {payload: request_of(payload) for payload in set(payloads)}
    plain = _plain(messages, payloads, channels, requests)
    kinds = _kinds(plain.payloads, requests, payloads)
    writes = [*zip(channels, kinds, strict=True)]
    tally = Tally(writes)
    parts = {kind: written(payload) for kind, payload in zip(kinds, payloads, strict=True)}
    if prefix is not None:
        families = [
            {
                write
                for write, payload in zip(writes, payloads, strict=True)
                if plain.unnumbered(write[0], payload).startswith(plain.unnumbered(write[0], prefix))
            }
        ]
        setting: set[Kind] = set()
    else:
        asking = {kind for kind, payload in zip(kinds, payloads, strict=True) if requests[payload].query}
        logins = {
            write
            for write, payload in zip(writes, payloads, strict=True)
            if holds_password(payload) or holds_password(write[1])
        }
        setting = {write for write in set(tally) - _polls(writes, tally) if write[1] not in asking}
        marks = _marks(setting) - logins
        said = int(np.count_nonzero(messages.direction == Direction.FROM_DEVICE))
        if not _families(marks, parts) and len(rows) * _SELDOM <= said:
            # A device that speaks by itself is not polled: what recurs is a switch moved many times.
            setting = {write for write in tally if write[1] not in asking}
            marks = _marks(setting) - logins

        def order(family: set[Kind]) -> tuple[bool, int, list[Kind]]:
            unknown = any(parts[kind] is None for _, kind in family)
            return unknown, -sum(tally[write] for write in family), sorted(family)

        families = sorted(_families(marks, parts), key=order)[:_MAX_CONTROLS]
    result = []
    for family in filter(None, families):
        pattern, names, place = _name(family, parts, plain)
        segments = _segments(
            messages,
            [
                (int(row), names[write].hex())
                for row, write in zip(rows, writes, strict=True)
                if write in family
            ],
        )
        values = sorted(set(names.values()), key=bytes.hex)
        others = tuple(
            Write(*write, tally[write], plain.skipped.get(write[0], ())) for write in sorted(setting - family)
        )
        result.append(
            Cut(
                segments,
                tuple(map(bytes.hex, values)),
                pattern,
                tuple(sorted({channel for channel, _ in family})),
                others,
                tuple(values),
                place,
                _register(family, parts),
                _doubt(family, parts, plain),
            )
        )
    return tuple(result)


def _marks(kinds: set[Kind]) -> set[Kind]:
    """Return the kinds that may set something: no subscriptions."""
    return {(channel, kind) for channel, kind in kinds if not channel.subscribes}


def count_logins(messages: Messages) -> int:
    """Return how many of the app's writes carry a password."""
    rows = np.flatnonzero(messages.direction == Direction.TO_DEVICE)
    tally = Tally(messages.payload(int(row)) for row in rows)
    return sum(count for payload, count in tally.items() if holds_password(payload))


def _segments(messages: Messages, marks: list[tuple[int, str]]) -> tuple[Segment, ...]:
    result = [Segment(0, 0, marks[0][0], None)]
    ends = [row for row, _ in marks[1:]] + [len(messages)]
    for (row, state), end in zip(marks, ends, strict=True):
        packets = messages.packets_of(row)
        result.append(Segment(0, row, end, state, packets[0] if packets else 0))
    return tuple(result)


@dataclass(slots=True)
class _Plain:
    """Writes without their checksums, and with 0 for their sequence numbers, which lie at `skipped`.

    `closed` are the (channel, first byte) of those whose checksum is known.
    """

    skipped: dict[Channel, tuple[int, ...]]
    payloads: list[bytes] = field(default_factory=list)
    closed: set[tuple[Channel, bytes]] = field(default_factory=set)

    def unnumbered(self, channel: Channel, payload: bytes) -> bytes:
        """Return a write, or its begin, with 0 for its sequence number."""
        skipped = self.skipped.get(channel, ())
        return bytes(0 if at in skipped else byte for at, byte in enumerate(payload)) if skipped else payload


def _plain(
    messages: Messages, payloads: list[bytes], channels: list[Channel], requests: dict[bytes, RequestMeaning]
) -> _Plain:
    """Take away what says nothing of what is set, where the framing is not known.

    Writes that begin with the same byte have the same checksum; what the same device says may confirm it.
    """
    counting = sequences(messages)
    to_device = {
        channel: counting.get((Direction.TO_DEVICE, channel.lasting), ()) for channel in set(channels)
    }
    result = _Plain({channel: tuple(sorted(places)) for channel, places in to_device.items() if places})
    lots: dict[tuple[Channel, bytes], list[bytes]] = {}
    for channel, payload in zip(channels, payloads, strict=True):
        if not requests[payload].known:
            lots.setdefault((channel, payload[:1]), []).append(payload)
    lengths: dict[tuple[Channel, bytes], int] = {}
    for lot, members in lots.items():
        closing, proven = find_closing(members, _said(messages, lot[0].device))
        if closing is not None and proven:
            lengths[lot] = closing.length
            result.closed.add(lot)
    for channel, payload in zip(channels, payloads, strict=True):
        length = 0 if requests[payload].known else lengths.get((channel, payload[:1]), 0)
        number = payload if requests[payload].known else result.unnumbered(channel, payload)
        result.payloads.append(number[: max(len(number) - length, 1)])
    return result


def _said(messages: Messages, device: str) -> list[bytes]:
    """Return some of what a device says, from all over the recording."""
    own = [number for number, channel in enumerate(messages.channels) if channel.device == device]
    rows = np.flatnonzero((messages.direction == Direction.FROM_DEVICE) & np.isin(messages.channel, own))
    return [messages.payload(int(row)) for row in rows[:: max(len(rows) // _SAID, 1)]]


def _kinds(payloads: list[bytes], requests: dict[bytes, RequestMeaning], whole: list[bytes]) -> list[bytes]:
    """Return each write without the rubbish behind it; `whole` are the writes with their checksums.

    Where the framing does not say where that begins, it is a tail that is different in nearly every write of
    a length.
    """
    result = [
        requests[own].meaning if requests[own].known else payload
        for payload, own in zip(payloads, whole, strict=True)
    ]
    by_size: dict[int, list[int]] = {}
    for index, payload in enumerate(payloads):
        if requests[whole[index]].known:
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


def _polls(
    writes: list[tuple[Channel, bytes]], tally: Tally[tuple[Channel, bytes]]
) -> set[tuple[Channel, bytes]]:
    """Return the kinds that recur all the time."""
    most = max(tally.values(), default=0)
    if most < _POLL_COUNT:
        return set()
    seen: dict[tuple[Channel, bytes], set[int]] = {}
    for number, write in enumerate(writes):
        seen.setdefault(write, set()).add(number * 10 // len(writes))
    return {
        write
        for write, count in tally.items()
        if count >= max(_POLL_COUNT, most * _POLL_SHARE) and len(seen[write]) >= _POLL_PARTS
    }


def _families(kinds: set[Kind], parts: dict[bytes, Written | None]) -> list[set[Kind]]:
    """Put kinds of writes into families that differ in what a control is set to, each of two at least.

    A known framing says what the control is. Other writes, and commands that are controls by themselves (one
    for on, one for off), go together where they begin alike.
    """
    controls: dict[tuple[Channel, bytes], set[Kind]] = {}
    for channel, kind in kinds:
        part = parts[kind]
        if part is not None:
            controls.setdefault((channel, kind[: part.control]), set()).add((channel, kind))
    result = [family for family in controls.values() if len(family) > 1]
    left = kinds - {kind for family in result for kind in family}
    lots: dict[tuple[Channel, int], set[bytes]] = {}
    for channel, kind in left:
        lots.setdefault((channel, len(kind)), set()).add(kind)
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


def _name(
    family: set[Kind], parts: dict[bytes, Written | None], plain: _Plain
) -> tuple[str, dict[Kind, bytes], tuple[int, int] | None]:
    """Return the pattern of a family's writes, what each says, and the one bit in which they differ.

    They are named by the value that they write where all write to the same control and the framing says where
    the value lies, else by the first run of bytes in which they differ.
    """
    kinds = sorted(kind for _, kind in family)
    skipped = plain.skipped.get(min(family)[0], ())
    ends = {kind: part.end if (part := parts[kind]) else len(kind) for kind in kinds}
    width = min(ends.values())
    differ = [at for at in range(width) if len({kind[at] for kind in kinds}) > 1]
    if not differ:
        return (
            header_text(kinds[0], skipped),
            {write: write[1][: ends[write[1]]] or write[1] for write in family},
            None,
        )
    first, last = _value(kinds, parts, ends, differ)
    pattern = f"{header_text(kinds[0][:first], skipped)} {'XX ' * min(last - first, 4)}".strip()
    place = None
    changed = kinds[0][differ[0]] ^ kinds[-1][differ[0]]
    if len(kinds) == 2 and len(differ) == 1 and len(kinds[0]) == len(kinds[1]) and changed.bit_count() == 1:
        place = differ[0], changed.bit_length() - 1
    return pattern, {write: write[1][first : min(last, ends[write[1]])] for write in family}, place


def _doubt(family: set[Kind], parts: dict[bytes, Written | None], plain: _Plain) -> str:
    """Say which checksum the writes may end with, where they are too few to tell."""
    kinds = [kind for _, kind in family]
    closed = any((channel, kind[:1]) in plain.closed for channel, kind in family)
    if closed or len(kinds) < 2 or any(parts[kind] is not None for kind in kinds):
        return ""
    closing, _ = find_closing(kinds)
    if closing is None or closing.tail:
        return ""
    last = "the last byte" if closing.size == 1 else f"the last {closing.size} bytes"
    return f"{last} may be a checksum ({closing}): too few different writes to tell"


def _register(family: set[Kind], parts: dict[bytes, Written | None]) -> bytes:
    """Return the address and the number of the one register that a family writes, else nothing."""
    found = {
        kind[:1] + kind[2:4] if (part := parts[kind]) is not None and part.begin else b""
        for _, kind in family
    }
    return found.pop() if len(found) == 1 else b""


def _value(
    kinds: list[bytes], parts: dict[bytes, Written | None], ends: dict[bytes, int], differ: list[int]
) -> tuple[int, int]:
    """Return where the bytes begin and end that name what each write says."""
    begins = {kind[: part.begin] if (part := parts[kind]) else b"" for kind in kinds}
    if len(begins) == 1 and b"" not in begins:
        return len(begins.pop()), max(ends.values())
    first = differ[0]
    last = next((at for at in range(first, min(ends.values())) if at not in differ), min(ends.values()))
    if len({kind[first:last] for kind in kinds}) < len(kinds):
        last = max(ends.values())
    return first, last
