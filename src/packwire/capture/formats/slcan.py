"""Serial-line CAN (LAWICEL, slcan, CANtact): `t3554` and the bytes, `T` for 29 bits, `r`, `R`, `d`, `D`, `b`, `B`.

Four digits behind the bytes are the adapter's time in ms, which begins anew after a minute.
"""

import re

from packwire.capture.formats.can_rows import FD_FORMAT, FD_SIZES, FD_SWITCHED, LARGEST, CanRow, can_frame, row_of
from packwire.capture.formats.text_lines import Clock
from packwire.capture.packets import NO_TIME, PacketDirection

NAME = "slcan log"

_FRAME = re.compile(
    r"\s*(?:(?P<clock>[\d:.-]{8,30})[\s>-]+)?(?P<kind>[tTrRdDbB])(?P<rest>[0-9A-Fa-f]{4,142})", re.ASCII
)
#: Answers of the adapter and its settings: version, status, speed, open, close, what was sent.
_OTHER = re.compile(r"[ \a]*(?:[zZ]\r?|[OCLFVNvX]|[VNF][0-9A-Fa-f]{2,8}|[SXZMm][0-9A-Fa-f]{1,8})[ \a]*")
_MINUTE = 60_000_000_000


class Grammar:
    """The lines of one file."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._minutes, self._last = 0, 0

    def row(self, text: str) -> CanRow | str | None:
        """Return the frame of a line, the reason where it is none, or None for another line."""
        found = _FRAME.fullmatch(text)
        if found is None:
            return "commands and answers of the adapter" if _OTHER.fullmatch(text) else None
        kind, rest = found["kind"], found["rest"]
        width = 8 if kind.isupper() else 3
        fd = {"d": FD_FORMAT, "b": FD_FORMAT | FD_SWITCHED}.get(kind.lower(), 0)
        if len(rest) <= width:
            return None
        code = int(rest[width], 16)
        size = FD_SIZES[code] if fd else code
        remote = kind in "rR"
        digits = rest[width + 1 :]
        left = len(digits) - (0 if remote else 2 * size)
        if left not in {0, 4} or (not fd and size > LARGEST):
            return None
        data = b"" if remote else bytes.fromhex(digits[: 2 * size])
        time = self._adapter_time(digits[-4:]) if left else NO_TIME
        if found["clock"]:
            time = self._clock.time(found["clock"])
        frame = can_frame(int(rest[:width], 16), data, extended=width == 8, remote=remote, fd=fd)
        return row_of(time, PacketDirection.UNKNOWN, "slcan", frame)

    def _adapter_time(self, digits: str) -> int:
        time = int(digits, 16) * 1_000_000
        if time < self._last:
            self._minutes += 1
        self._last = time
        return self._minutes * _MINUTE + time
