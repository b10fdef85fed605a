"""What goes to a shared device: whole frames, of which no two together read as a third.

Each frame that may pass holds no other one. But a device that lost its place, for a byte was damaged on the
line, may begin within one frame and end in a later one. Where that would be a frame, filler is sent between.
"""

from collections.abc import Callable

from packwire.share.embedded import REACH, completes_frame, has_tail, nearly_completes_frame
from packwire.vesc.requests import FILLER

_START = 2


class Outgoing:
    """The bytes to one device, over all its connections."""

    __slots__ = ("_begun", "_sent", "_used", "_write")

    def __init__(self) -> None:
        self._write: Callable[[bytes], None] | None = None
        self._used = False
        self._sent = b""
        """What was sent last, and may be the beginning of a frame."""
        self._begun = 0
        """For how many more bytes a start byte within a frame, and not at its beginning, matters."""

    @property
    def open(self) -> bool:
        """Whether there is a connection."""
        return self._write is not None

    def begin(self, write: Callable[[bytes], None], *, flush: bool) -> None:
        """Use a new connection; `flush` ends a frame that whoever was here before broke off.

        A device does not forget a frame of ours that the last connection took only in part.
        """
        self._write = write
        if flush or self._used:
            self._fill()
        self._used = True

    def end(self) -> None:
        """Learn that the connection has ended."""
        self._write = None

    def send(self, frame: bytes) -> None:
        """Send one frame, where there is a connection."""
        if self._write is None:
            return
        sent = self._sent
        stream = sent + frame
        if sent and (
            completes_frame(stream, len(sent))
            or (self._begun > 0 and nearly_completes_frame(stream, len(sent)))
            or has_tail(frame)
        ):
            self._fill()
            stream = frame
        self._sent = stream[-REACH:]
        self._begun = REACH if frame.find(_START, 1) > 0 else self._begun - len(frame)
        self._write(frame)

    def _fill(self) -> None:
        """End each frame that may have begun; filler has no stop byte, so it is the end of none."""
        assert self._write is not None
        self._sent = b""
        self._begun = 0
        self._write(FILLER)
