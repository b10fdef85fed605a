"""Who reads a file of a shared device: one client at a time.

The firmware keeps the file open that it read last, and reads on in it where the next offset fits, whatever
path was asked [vesc_express main/commands.c, COMM_FILE_READ]. Two clients that read by turns would get pieces
of each other's file.
"""

from enum import Enum, auto

from packwire.share.pending import Waiter
from packwire.share.questions import SharedQuestion
from packwire.vesc.requests import inner_at

#: Seconds without a request after which reading a file is another client's.
FILE_TURN = 1.0
#: Seconds after which it is another's that waits for it, also where the first reads on and on.
LONGEST_FILE_TURN = 20.0


class Turn(Enum):
    """What becomes of a request to read a file."""

    NOW = auto()
    WAITS = auto()
    NEVER = auto()
    """The device would read on in the other client's file."""


class FileTurn:
    """Whose turn it is."""

    __slots__ = ("_at", "_began", "_reader", "_until", "_wanted")

    def __init__(self) -> None:
        self._reader: Waiter | None = None
        self._began = self._until = 0.0
        self._wanted = float("-inf")
        """When another client was last kept waiting."""
        self._at: int | None = 0
        """Where the device would read on; 0: it has no file open, None: that is not known."""

    def take(self, client: Waiter, known: SharedQuestion, now: float) -> Turn:
        """Take the turn, where it is free, to send a client's request."""
        reader = self._reader
        if reader is client:
            if now - self._began >= LONGEST_FILE_TURN and now - self._wanted < FILE_TURN:
                return Turn.WAITS
        elif reader is not None and not reader.gone and now < min(self._until, self._ends):
            self._wanted = now
            return Turn.WAITS
        else:
            offset = offset_asked(known.frame)
            if offset and self._at in {None, offset}:
                return Turn.NEVER
            self._reader, self._began, self._wanted = client, now, float("-inf")
        self._until = now + FILE_TURN
        self._at = None
        return Turn.NOW

    @property
    def _ends(self) -> float:
        return self._began + LONGEST_FILE_TURN

    def answered(self, reply: bytes) -> None:
        """Learn how far the device has read: at the file's end it is another's turn."""
        if len(reply) < 9:
            return
        after, size = int.from_bytes(reply[1:5]) + len(reply) - 9, int.from_bytes(reply[5:9])
        if after >= size:
            self._at, self._until = 0, 0.0
        else:
            self._at = after


def offset_asked(frame: bytes) -> int:
    """Return the offset of a FILE_READ, forwarded or not."""
    at = inner_at(frame, frame[0])  # behind the header, whose size that is
    end = frame.index(0, at + 1) + 1
    return int.from_bytes(frame[end : end + 4])
