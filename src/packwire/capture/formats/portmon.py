"""Portmon of Sysinternals: `0  0.00000000  app.exe  IRP_MJ_WRITE  COM3  SUCCESS  Length 7: DD A5 03 ..`."""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.said import SHORT

NAME = "Portmon log"
EXAMPLES = ("12  0.00002514  app.exe  IRP_MJ_READ  VCP0  SUCCESS  Length 4: DD 03 00 1B",)

_LINE = re.compile(
    r"\s{0,16}\d{1,9}\s{1,16}(?P<time>\d\d?:\d\d:\d\d(?: [AP]M)?|\d{1,9}\.\d{1,9})\s{1,16}"
    r"(?P<process>\S.{0,60}?)\s{1,16}(?P<request>IRP_MJ_\w{3,24}|IOCTL_\w{3,40})\s{1,16}(?P<port>\S{1,40})"
    r"\s{1,16}(?P<result>[A-Z_]{3,24})(?P<rest>.*)"
)
_DATA = re.compile(
    r"\s{1,16}Length:? (?P<count>\d{1,5})(?:: (?P<hex>[0-9A-F]{2}(?: [0-9A-F]{2})*)?)? ?\.{0,3}"
)
_WAYS = {"IRP_MJ_WRITE": PacketDirection.SENT, "IRP_MJ_READ": PacketDirection.RECEIVED}


class Grammar:
    """Takes the lines of reads and writes; the time of a request says how long it took, or when it was."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        if "IRP_MJ_" not in line and "IOCTL_" not in line:
            return None
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        way, data = _WAYS.get(found["request"]), _DATA.fullmatch(found["rest"])
        if way is None or data is None or data["hex"] is None or found["result"] != "SUCCESS":
            return NO_BYTES
        payload = bytes.fromhex(data["hex"])
        if len(payload) != int(data["count"]):
            return SHORT
        # Seconds in this column are the duration of the request.
        time = self._clock.time(found["time"] if ":" in found["time"] else "")
        return Row(payload, way, "uart", time)
