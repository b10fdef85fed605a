"""The bytes of both directions, kept for the report: bounded, and shown without secrets."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from packwire.direction import Direction
from packwire.protocol.base import Protocol
from packwire.vesc.framing import TRAILER, Framer
from packwire.vesc.replies import LAYOUTS
from packwire.vesc.requests import inner_at, unwrap
from packwire.vesc.secrets import mask_payload, secret_of
from packwire.vesc.traits import unsolicited
from packwire.wire.frame import Frame, StreamFramer

#: Bytes kept in all; what comes later is counted.
MAX_KEPT = 256 * 1024
_MASK = ord("*")
#: Commands whose replies hold nothing but numbers.
_NUMBERS = frozenset(
    command for command, layout in LAYOUTS.items() if not unsolicited(command) and "uuid" not in layout.bits
)


class TranscriptSegment(NamedTuple):
    """Bytes that passed at once: which connection (from 1), when (s since the doctor began), and which way.

    `size` tells how many there were where `data` was not kept.
    """

    connection: int
    time: float
    direction: Direction
    data: bytes
    size: int


@dataclass(slots=True)
class Transcript:
    """What passed, in order; `lost` counts the bytes that were too many to keep."""

    started: float = field(default_factory=time.monotonic)
    segments: list[TranscriptSegment] = field(default_factory=list)
    kept: int = 0
    lost: int = 0
    protocol: Protocol | None = None
    """What is spoken, where it is not VESC's protocol: it says what of its messages is secret."""

    def add(self, connection: int, direction: Direction, data: bytes, *, secret: bool = False) -> None:
        """Keep bytes; of `secret` ones only how many they were."""
        if self.kept + len(data) > MAX_KEPT:
            self.lost += len(data)
            return
        self.kept += len(data)
        now = time.monotonic() - self.started
        self.segments.append(
            TranscriptSegment(connection, now, direction, b"" if secret else data, len(data))
        )

    def redacted(self) -> Iterator[TranscriptSegment]:
        """Yield what passed with every secret overwritten with `*`; sizes and times stay true.

        Of a broken reply the bytes are shown where the request's replies are nothing but numbers.
        """
        streams = {(each.connection, each.direction) for each in self.segments}
        clean = {key: self._clean(*key) for key in streams}
        places = dict.fromkeys(clean, 0)
        asked: dict[int, int] = {}
        for each in self.segments:
            key = each.connection, each.direction
            begin = places[key]
            places[key] = begin + len(each.data)
            data, whole = clean[key]
            shown, framed = data[begin : places[key]], whole[begin : places[key]]
            if each.direction is Direction.TO_DEVICE:
                asked[each.connection] = _command(each.data)
            elif self.protocol is None and _begins_numbers(each.data, asked.get(each.connection, -1)):
                shown = _uncovered(each.data, shown, framed)
            yield each._replace(data=shown)

    def _clean(self, connection: int, direction: Direction) -> tuple[bytes, bytes]:
        stream = self._stream(connection, direction)
        return _clean(stream, direction) if self.protocol is None else (_clean_of(self.protocol, stream), b"")

    def _stream(self, connection: int, direction: Direction) -> bytes:
        return b"".join(
            each.data
            for each in self.segments
            if each.connection == connection and each.direction is direction
        )


def without_secrets(frame: bytes) -> bytes:
    """Return a frame from a device as it may be shown."""
    return _clean(frame, Direction.FROM_DEVICE)[0]


def _clean(stream: bytes, direction: Direction) -> tuple[bytes, bytes]:
    """Mask the secrets in the frames of a stream, and all that could be text in what is no whole frame.

    Also return, byte by byte, whether it lies in a whole frame.
    """
    frames = _frames(Framer(), stream)
    result, framed = bytearray(_without_text(stream, direction)), bytearray(len(stream))
    ends = [0, *(frame.end for frame in frames)]
    for begin, end in zip(ends, [*(frame.start for frame in frames), len(stream)], strict=True):
        head = stream[begin : begin + 1]
        if head in (b"\2", b"\3", b"\4") and secret_of(stream[begin + head[0] : end]):
            keep = begin + head[0] + inner_at(stream[begin + head[0] : end]) + 1
            result[keep:end] = bytes((_MASK,)) * (end - keep)  # of a torn frame: numbers may be secret too
    for frame in frames:
        begin = frame.start + stream[frame.start]
        result[frame.start : frame.end] = stream[frame.start : frame.end]
        result[begin : begin + len(frame.payload)] = mask_payload(frame.payload)
        framed[frame.start : frame.end] = b"\1" * frame.size
    return bytes(result), bytes(framed)


def _clean_of(spoken: Protocol, stream: bytes) -> bytes:
    """Return a stream in which frames are masked by their protocol, and what is in none by caution."""
    result = bytearray(_without_text(stream, Direction.FROM_DEVICE))
    for frame in _frames(spoken.framer(), stream):
        masked = spoken.mask(frame.payload)
        if len(masked) == frame.size:
            result[frame.start : frame.end] = masked
    return bytes(result)


def _frames(framer: StreamFramer, stream: bytes) -> list[Frame]:
    frames = framer.feed(stream)
    while framer.stats.waiting is not None:
        frames += framer.give_up()
    return frames


def _command(sent: bytes) -> int:
    """Return the command of a request frame, the inner one where it is forwarded; -1 for other bytes."""
    frames = Framer().feed(sent)
    return unwrap(frames[0].payload).command if frames else -1


def _begins_numbers(data: bytes, asked: int) -> bool:
    """Tell whether bytes begin as the short frame of a reply to `asked` that holds nothing but numbers."""
    return asked in _NUMBERS and len(data) > 2 and data[0] == 2 and data[2] == asked


def _uncovered(data: bytes, masked: bytes, framed: bytes) -> bytes:
    """Return the bytes of one broken frame as they are, and what follows it, or is whole, masked."""
    size = data[1] + 2 + TRAILER
    return bytes(data[at] if at < size and not framed[at] else masked[at] for at in range(len(data)))


def _without_text(data: bytes, direction: Direction) -> bytes:
    """Mask printable bytes; on the way to the device (a login) whatever is not 0."""
    login = direction is Direction.TO_DEVICE or b"VESCTOOL:" in data.upper()  # an echo sends a login back
    low, high = (0x01, 0xFF) if login else (0x20, 0x7E)
    return bytes(_MASK if low <= byte <= high else byte for byte in data)
