"""What an app sent before a device first said something by itself, and whether it can have set anything.

A switch is moved by somebody who sees it. What an app sends right after it has switched notifications on, and
before the first reading ever came, nobody asked it for: it starts the stream, or belongs to its beginning.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from packwire.capture.framings import request_of
from packwire.capture.packets import NO_TIME
from packwire.capture.redact.families import holds_password
from packwire.channel import Channel
from packwire.direction import Direction
from packwire.insight.groups import lane_rows
from packwire.messages import Messages

#: What starts a stream was sent so shortly before it, ns. So short is also the time from the subscription.
_WITHIN = 5_000_000_000
#: So many different frames at most belong to a beginning.
_FEW = 3
#: As long as the app waited between two of them a model waits too, up to so many seconds.
_LONGEST_PAUSE = 2.0
#: What looks like a password: digits, or a word.
_TEXT = re.compile(rb"[0-9]{4}|[\x20-\x7e]{6}")
#: The value that switches notifications or indications on [Core 3.G.3.3.3.3].
_ON = (b"\x01\x00", b"\x02\x00")


@dataclass(frozen=True, slots=True)
class SentBefore:
    """A frame that was sent `seconds` before a stream began.

    `asks`: it was sent by the app's own doing, and holds no password and no time of day.
    """

    frame: bytes
    seconds: float
    asks: bool


def sent_before(messages: Messages, channel: Channel, first: int) -> tuple[SentBefore, ...]:
    """Return what was sent shortly before `first` (ns), when a device's stream on a channel first came."""
    subscribed = NO_TIME
    sent: dict[bytes, int] = {}
    for (direction, lane), rows in lane_rows(messages).items():
        if direction is not Direction.TO_DEVICE or lane.device != channel.device or first == NO_TIME:
            continue
        near = rows[(messages.time[rows] <= first) & (messages.time[rows] > first - _WITHIN)]
        for row in near.tolist():
            payload, time = messages.payload(row), int(messages.time[row])
            if lane.subscribes or (not lane.name and payload in _ON):  # of a descriptor that nobody named
                subscribed = max(subscribed, time if payload in _ON else NO_TIME)
            else:
                sent.setdefault(payload, time)
    latest = sorted(sent.items(), key=lambda each: each[1])[-_FEW:]
    return tuple(
        SentBefore(frame, (first - time) / 1e9, subscribed != NO_TIME and time >= subscribed
                   and len(sent) <= _FEW and _is_plain(frame, time))
        for frame, time in latest
    )  # fmt: skip


def _is_plain(frame: bytes, time: int) -> bool:
    """Say whether a frame only asks, as far as its bytes tell."""
    known = request_of(frame)
    asks = known.query or not known.told
    return asks and not holds_password(frame) and not _TEXT.search(frame) and not _holds_clock(frame, time)


def _holds_clock(frame: bytes, time: int) -> bool:
    """Say whether a frame holds the day on which it was sent: sent again it would set a clock wrong."""
    day = datetime.fromtimestamp(time // 10**9, UTC)
    for near in (day - timedelta(days=1), day, day + timedelta(days=1)):
        parts = [near.year % 100, near.month, near.day]
        plain = bytes(parts)
        decimal = bytes.fromhex("".join(f"{part:02d}" for part in parts))
        if any(each in frame for each in (plain, plain[::-1], decimal, decimal[::-1])):
            return True
    numbers = np.frombuffer(frame, dtype=np.uint8).astype(np.int64)
    windows: Sequence[int] = ()
    if len(numbers) >= 4:
        four = np.lib.stride_tricks.sliding_window_view(numbers, 4)
        powers = 256 ** np.arange(4)
        windows = np.concatenate((four @ powers, four @ powers[::-1])).tolist()
    return any(abs(each - time // 10**9) <= timedelta(days=1).total_seconds() for each in windows)


@dataclass(frozen=True, slots=True)
class StartedStream:
    """What comes by itself: the reply's name, what was sent before, how long a silence (s) is none."""

    name: str
    before: tuple[SentBefore, ...]
    silence: int


def start_lines(streams: Sequence[StartedStream], is_frame: Callable[[bytes], bool]) -> Iterator[str]:
    """Yield the lines of a model that start what comes by itself; of `streams` the earliest is first.

    Once a reading came, somebody may have moved a switch: only what was sent before the first of all is sent
    again. What may set something, or is no frame of the model's, is left in a comment.
    """
    first = streams[0].before if streams else ()
    asking = [each for each in first if each.asks and is_frame(each.frame)]
    if asking and asking[-1] is first[-1]:
        frames = [each.frame for each in asking]
        last = frames[-1]
        started = [each for each in streams if last in [one.frame for one in each.before]]
        yield "# The app sent this after it had switched notifications on, before anything came by itself."
        yield "requests:"
        for number, frame in enumerate(frames[:-1], start=1):
            yield f"  start {number}: {{send: {frame.hex(' ')}, once: true}}"
        replies = ", ".join(each.name for each in started)
        silence = max(each.silence for each in started)
        rest = f"reply: [{replies}], streams: {silence}"
        yield f"  start {len(frames)}: {{send: {last.hex(' ')}, {rest}}}"
        steps = ["start 1"]
        for number, (one, other) in enumerate(pairwise(asking), start=2):
            pause = min(max(one.seconds - other.seconds, 0.1), _LONGEST_PAUSE)
            steps += [f"{{pause: {pause:.1f}}}", f"start {number}"]
        yield f"start: [{', '.join(steps)}]"
    else:
        asking = []
    asked = {each.frame for each in asking}
    doubtful = {each.frame: one.name for one in streams for each in one.before if each.frame not in asked}
    if doubtful:
        yield "# This was sent before what comes by itself first came, and may have started it. It is left"
        yield "# out, for it may set something; where it only starts the stream, make requests of it."
        yield "# requests:"
        for frame, name in doubtful.items():
            yield f"#   start: {{send: {frame.hex(' ')}, reply: {name}}}"
