"""A frame found in a stream of bytes, and the account of every byte that was not part of one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from packwire.phrases import counted


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
    looked at again, and are in `junk` or in a frame.
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
    def damaged(self) -> int:
        """Return how many frames had a wrong checksum or stop byte."""
        return self.crc_errors + self.bad_stops

    def add(self, more: "FrameStats") -> None:
        """Count what another framer was fed, too."""
        for each in fields(self):
            if each.name != "waiting":
                setattr(self, each.name, getattr(self, each.name) + getattr(more, each.name))
        self.waiting = more.waiting or self.waiting

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
        return [counted(number, name) for number, name in counts if number]

    def summary(self) -> str:
        """Say in one line what arrived: `312 bytes, 2 frames, 4 junk bytes, waiting for ...`."""
        parts = [counted(self.received, "byte"), counted(self.frames, "frame"), *self.oddities()]
        if self.waiting:
            parts.append(
                f"waiting for {self.waiting.missing} more bytes of the {self.waiting.expected} that a header "
                f"at byte {self.waiting.since} announces"
            )
        return ", ".join(parts)


class StreamFramer(ABC):
    """Finds frames in a stream of bytes that comes in pieces of any size.

    After garbage it tries again one byte further. A false header makes it wait for as many bytes as that
    header claims: `stats.waiting` shows it, `rescue()` and `give_up()` end it.
    """

    __slots__ = ("_buffer", "stats")

    def __init__(self) -> None:
        self.stats = FrameStats()
        self._buffer = bytearray()
        """What came and is neither in a frame nor known to be junk."""

    @abstractmethod
    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes of the stream; return the frames that they complete."""

    @abstractmethod
    def rescue(self) -> list[Frame]:
        """Look for whole frames behind a header that is still waited for.

        For a clock to call when nothing has come for a while. If there is one, the header was a false one
        and is dropped; if not, nothing changes: the rest of a slow frame may still come.
        """

    @abstractmethod
    def _scan(self) -> list[Frame]:
        """Return the frames in the buffer; what is left of it begins one, or may."""

    def give_up(self) -> list[Frame]:
        """Stop waiting for the frame that a header announced; look again one byte behind that header.

        Does nothing where nothing is waited for.
        """
        return [] if self.stats.waiting is None else self._abandon(1)

    def reset(self) -> None:
        """Forget a frame that has begun (a new connection starts a new stream); its bytes count as junk."""
        self._drop(len(self._buffer))
        self.stats.waiting = None

    def _abandon(self, until: int) -> list[Frame]:
        """Take the header that is waited for, and all before a place of the buffer, for junk."""
        self.stats.abandoned += 1
        self._drop(until)
        return self._scan()

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self.stats.junk += count
