"""Serial-line CAN (LAWICEL, slcan, CANtact): `t3554` and the bytes, `T` for 29 bits, also r, R, d, D, b, B.

Four digits behind the bytes are the adapter's time in ms, which begins anew after a minute.
"""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.can import FD_FORMAT, FD_SIZES, FD_SWITCHED, LARGEST, can_frame, can_row
from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.grammar import Row, Unread

NAME = "slcan log"
EXAMPLES = ("t35543E006400", "T18FF50E580011223344556677", "t35543E0064001F40")

_FRAME = re.compile(
    rf"\s*(?:(?P<clock>{STAMP}|\d+\.\d+)[\s>,-]+)?(?P<kind>[tTrRdDbB])(?P<rest>[0-9A-Fa-f]{{4,142}})"
)
#: What else is said: a command or its answer. Each is as short as a word, so they count behind a frame only.
_OTHER = re.compile(r"[ \a]*(?:[zZOCLFVNvX]|[VNFSXZMmQW][0-9A-Fa-f]{1,8})?[ \a]*")
_COMMANDS = Unread("commands to the adapter and its answers")
_MINUTE, _MILLISECOND = 60_000_000_000, 1_000_000


class Grammar:
    """Takes frames, and what an adapter says between them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minutes, self._last, self._met = 0, 0, False

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        found = _FRAME.fullmatch(line)
        if found is None:
            return _COMMANDS if self._met and _OTHER.fullmatch(line) else None
        kind, rest = found["kind"], found["rest"]
        width = 8 if kind.isupper() else 3
        if len(rest) <= width:
            return None
        fd = {"d": FD_FORMAT, "b": FD_FORMAT | FD_SWITCHED}.get(kind.lower(), 0)
        code, digits = int(rest[width], 16), rest[width + 1 :]
        size = FD_SIZES[code] if fd else code
        remote = kind in "rR"
        left = len(digits) - (0 if remote else 2 * size)
        # A frame without data is as short as a word: the first one must have some.
        if left not in {0, 4} or (not fd and size > LARGEST) or not (self._met or digits):
            return None
        frame = can_frame(
            int(rest[:width], 16),
            b"" if remote else bytes.fromhex(digits[: 2 * size]),
            extended=width == 8,
            remote=remote,
            fd=fd,
        )
        self._met = True
        time = self._adapter_time(digits[-4:]) if left else NO_TIME
        if found["clock"]:
            time = self._clock.time(found["clock"])
        return can_row(frame, PacketDirection.UNKNOWN, "slcan", time)

    def _adapter_time(self, digits: str) -> int:
        time = int(digits, 16) * _MILLISECOND
        self._minutes += time < self._last
        self._last = time
        return self._minutes * _MINUTE + time
