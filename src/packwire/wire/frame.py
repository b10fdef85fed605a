"""A frame found in a stream of bytes, and the account of every byte that was not part of one."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Frame(NamedTuple):
    """An application message after framing.

    `start` is the position of the frame's first byte in the stream (from 0), `size` how many bytes it took
    there; `payload` is what lies between header and checksum.
    """

    payload: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Return the position of the first byte behind the frame."""
        return self.start + self.size


class Waiting(NamedTuple):
    """A header that was read and has not been followed by its whole frame yet.

    `since` is the position of that header in the stream, `expected` the size of the frame that it
    announces, `arrived` how many bytes of it are there.
    """

    since: int
    expected: int
    arrived: int

    @property
    def missing(self) -> int:
        """Return how many bytes have not come."""
        return self.expected - self.arrived


@dataclass(slots=True)
class FrameStats:
    """What became of every byte fed to a framer: in a frame, junk, or still waited with.

    `crc_errors`, `bad_stops` and `oversize` count headers that were given up; their bytes were then
    looked at again, and are in `junk` or in `in_frames`.
    """

    received: int = 0
    frames: int = 0
    junk: int = 0
    crc_errors: int = 0
    bad_stops: int = 0
    oversize: int = 0
    abandoned: int = 0
    """Headers given up by the clock: see `Framer.give_up`."""
    unchecked: int = 0
    """Bytes of the junk in which no frame was looked for, behind very many false headers."""
    waiting: Waiting | None = field(default=None)

    @property
    def in_frames(self) -> int:
        """Return how many bytes were parts of frames."""
        return self.received - self.junk - (self.waiting.arrived if self.waiting else 0)

    def oddities(self) -> list[str]:
        """Say what was no frame: `4 junk bytes`, `1 checksum error`; empty where all was."""
        counts = (
            (self.junk, "junk byte"),
            (self.crc_errors, "checksum error"),
            (self.bad_stops, "wrong stop byte"),
            (self.oversize, "oversize header"),
            (self.abandoned, "abandoned header"),
            (self.unchecked, "unchecked byte"),
        )
        return [_count(number, name) for number, name in counts if number]

    def summary(self) -> str:
        """Say in one line what arrived: `312 bytes, 2 frames, 4 junk bytes, waiting for ...`."""
        parts = [_count(self.received, "byte"), _count(self.frames, "frame"), *self.oddities()]
        if self.waiting:
            parts.append(
                f"waiting for {self.waiting.missing} more bytes of the {self.waiting.expected} that a header "
                f"at byte {self.waiting.since} announces"
            )
        return ", ".join(parts)


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
