"""Recordings in segments, each in one state: cut at times, or one a file (at writes: see `writes`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from packwire.channel import Channel
from packwire.messages import Messages


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
    """A kind of write of the app: its channel, the bytes that make the kind, and how often it came.

    `skipped` are the places of a sequence number.
    """

    channel: Channel
    payload: bytes
    count: int
    skipped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """Segments and what they were cut at.

    states        in the order of their names
    pattern       what the writes begin with (`XX`: the bytes that name the state), empty where none cut
    channels      theirs
    other_writes  kinds that are neither polls nor marks
    written       the value that was written for each state, empty where no writes cut
    register      the Modbus register that was written (address and number, 3 bytes), where it is one
    place         the byte and the bit in which alone the writes differ, None where they differ in more
    doubt         what may be no part of the value, empty where there is no doubt
    """

    segments: tuple[Segment, ...]
    states: tuple[str, ...]
    pattern: str = ""
    channels: tuple[Channel, ...] = ()
    other_writes: tuple[Write, ...] = ()
    written: tuple[bytes, ...] = ()
    place: tuple[int, int] | None = None
    register: bytes = b""
    doubt: str = ""

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
