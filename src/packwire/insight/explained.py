"""How much of a recording a model explains, and whether it reads there what an app showed."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from packwire.capture.packets import NO_TIME
from packwire.direction import Direction
from packwire.insight.draft import field_name, quantity_of
from packwire.insight.groups import lane_rows
from packwire.insight.observations import Measured, Observation, Way
from packwire.insight.values import FRAMES
from packwire.messages import Messages
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply
from packwire.wire.codec import Span
from packwire.wire.finding import frames_in
from packwire.wire.framing import Framing

type Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FrameSays:
    """A frame of a model with its time (ns), and what it says by quantity and by field."""

    time: int
    says: Values


@dataclass(frozen=True, slots=True)
class Explained:
    """How much is explained.

    known, frames    frames of which the model says what they are, and all that have its framing
    damaged          frames with a wrong checksum
    meant, bytes     bytes that the framing or a quantity takes, and all bytes of known frames
    outside          bytes on the device's channels that are in no frame
    right, notes     notes that the model gives at their times, and all of them
    wrong            the notes that it does not give, with what it gives instead (empty: nothing)
    """

    known: int
    frames: int
    damaged: int
    meant: int
    bytes: int
    outside: int
    right: int
    notes: int
    wrong: tuple[tuple[Observation, str], ...]


def explained(
    protocol: ModelProtocol, tables: Sequence[Messages], notes: Sequence[Observation], seconds: float
) -> Explained:
    """Return how much of the messages of some recordings a model explains."""
    known = frames = damaged = meant = whole = outside = 0
    heard: list[FrameSays] = []
    for table in tables:
        for stream, begins, times in _streams(table):
            found = list(frames_in(stream, protocol.framings))
            if not any(
                each.ok and protocol.reply_of(stream[each.start : each.start + each.size]) for each in found
            ):
                continue  # not where this model is spoken
            outside += len(stream) - sum(each.size for each in found)
            for each in found:
                frames += each.ok
                damaged += not each.ok
                frame = stream[each.start : each.start + each.size]
                reply = protocol.reply_of(frame) if each.ok else None
                if reply is None:
                    continue
                known += 1
                spans, data = protocol.spans(frame), protocol.data(frame)
                tail = each.framing.tail
                whole += len(data) + tail
                meant += _meant(reply, each.framing, data, spans) + tail
                when = times[bisect_right(begins, each.start + each.size - 1) - 1]
                heard.append(FrameSays(when, _says(protocol, frame, spans)))
    heard.sort(key=lambda each: each.time)
    wrong = [(each, said) for each in notes if (said := _differs(each, heard, seconds)) is not None]
    right = len(notes) - len(wrong)
    return Explained(known, frames, damaged, meant, whole, outside, right, len(notes), tuple(wrong))


def _streams(table: Messages) -> list[tuple[bytes, list[int], list[int]]]:
    """Return what a device said on each channel, where each message begins in it, and the times."""
    result = []
    for lane, rows in lane_rows(table).items():
        if lane[0] is Direction.TO_DEVICE or lane[1].subscribes:
            continue
        parts = [table.payload(row) for row in rows.tolist()]
        begins = [0, *accumulate(len(each) for each in parts)][:-1]
        result.append((b"".join(parts), begins, table.time[rows].tolist()))
    return result


def _meant(reply: Reply, framing: Framing, data: bytes, spans: Sequence[Span]) -> int:
    """Return how many bytes of a frame have a meaning: its head, its end, and fields with a quantity."""
    layout = reply.layout(data, {})
    meaning = {each.name for each in layout.sayings} if layout is not None else set()
    taken = set(range(len(reply.begins)))
    for size in framing.sizes:
        taken |= set(range(size.at, size.at + size.width)) if size.at is not None else set()
    if framing.check is not None and framing.check.at >= 0:
        taken |= set(range(framing.check.at, framing.check.at + framing.check.size))
    for span in spans:
        if span.name.partition("[")[0] in meaning:
            taken |= set(range(span.offset, span.offset + span.width))
    return sum(at < len(data) for at in taken)


def _says(protocol: ModelProtocol, frame: bytes, spans: Sequence[Span]) -> Values:
    """Return what a frame says by quantity, and by field: what stands there goes before quantities."""
    by_field: dict[str, Any] = {}
    for span in spans:
        name, bracket, _ = span.name.partition("[")
        if bracket:
            by_field.setdefault(name, []).append(span.value)
        else:
            by_field[name] = span.value
    return {**protocol.values(frame), **by_field}


def _differs(note: Observation, heard: Sequence[FrameSays], seconds: float) -> str | None:
    """Return what a model gives instead of what was noted; None where it gives that."""
    keys = (field_name(note.name), quantity_of(note))
    own = [(each.time, each.says[key]) for each in heard for key in keys[:1] if key in each.says]
    own = own or [(each.time, each.says[keys[1]]) for each in heard if keys[1] in each.says]
    if not own:
        return ""
    near = _near(own, note.time, seconds)
    if note.way is not None:
        first, last = (_numbers(near), _numbers(_near(own, note.until, seconds)))
        if not first or not last:
            return ""
        went = Way.ROSE if last[-1] > first[0] else Way.FELL if last[-1] < first[0] else Way.STAYED
        return None if went is note.way else str(went)
    if note.subject is Measured.CELLS:
        counts = {len(value) for _, value in near if isinstance(value, (list, tuple))}
        return None if note.low in counts else ", ".join(map(str, sorted(counts)))
    numbers = _numbers(near)
    if any(note.low - 1e-9 <= value <= note.high + 1e-9 for value in numbers):
        return None
    return f"{min(numbers):.6g} .. {max(numbers):.6g}" if numbers else ""


def _near(own: Sequence[tuple[int, Any]], moment: int | None, seconds: float) -> list[tuple[int, Any]]:
    """Return what was said around a moment: within some seconds, and a few frames before and behind it."""
    if moment is None or any(time == NO_TIME for time, _ in own):
        return list(own)
    reach = int(seconds * 1e9)
    at = bisect_right(own, moment, key=lambda each: each[0])
    return [
        each
        for number, each in enumerate(own)
        if abs(each[0] - moment) <= reach or at - FRAMES <= number <= at + FRAMES
    ]


def _numbers(said: Sequence[tuple[int, Any]]) -> list[float]:
    values = [each for _, value in said for each in (value if isinstance(value, (list, tuple)) else [value])]
    return [float(each) for each in values if isinstance(each, (int, float)) and not isinstance(each, bool)]
