"""Wireshark's "Export Packet Dissections" as plain text, with the details: the values of ATT.

The first line of a packet has its time; the value stands below `Bluetooth Attribute Protocol`, with its
opcode and handle.
"""

import re

from packwire.capture.packets import NO_TIME
from packwire.capture.text.att import OPCODES
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "Wireshark dissection"
EXAMPLES = (
    """\
      1 0.120000       remote ()       localhost ()       ATT      12     Rcvd Handle Value Notification
Bluetooth Attribute Protocol
    Opcode: Handle Value Notification (0x1b)
    Handle: 0x000d (Unknown)
    Value: dd03001b""",
)

_SUMMARY = re.compile(
    r"\s{0,8}\d{1,9}\s+(?P<time>(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{1,9}|\d{1,10}\.\d{1,9})\s+\S.*"
    r"\sATT\s+\d+\s.*"
)
_LAYER = re.compile(r"Bluetooth Attribute Protocol\s*")
_OPCODE = re.compile(r"\s+Opcode: [\w ]{3,40} \((?P<code>0x[0-9a-f]{2})\)\s*")
_HANDLE = re.compile(r"\s+Handle: (?P<handle>0x[0-9a-f]{4})\b.*")
_VALUE = re.compile(r"\s+Value(?P<cut> \[truncated\])?: (?P<hex>(?:[0-9a-f]{2})+)(?P<rest>\S*)\s*")
_CUT = Unread("values that Wireshark shows in part", damaged=True)


class Grammar:
    """Takes the lines of packets."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._time = NO_TIME
        self._inside = False
        self._code = 0
        self._handle = ""

    def take(self, line: str) -> Row | Unread | None:
        """Return the value that a line shows; None for lines of another form."""
        if _LAYER.fullmatch(line):
            self._inside, self._code, self._handle = True, 0, ""
            return NO_BYTES
        if not line[:1].isspace():
            self._inside = False
        if found := _SUMMARY.fullmatch(line) if " ATT " in line else None:
            self._time = self._clock.time(found["time"])
            self._inside = False
            return NO_BYTES
        return self._detail(line) if self._inside else None

    def _detail(self, line: str) -> Row | Unread:
        if found := _OPCODE.fullmatch(line):
            self._code = int(found["code"], 16)
        elif (found := _HANDLE.fullmatch(line)) and not self._handle:
            self._handle = found["handle"]
        elif (found := _VALUE.fullmatch(line)) and self._code in OPCODES:
            way, kind = OPCODES[self._code]
            self._code = 0
            if found["cut"] or found["rest"]:
                return _CUT
            channel = " ".join(filter(None, ("att", self._handle, kind)))
            return Row(bytes.fromhex(found["hex"]), way, channel, self._time)
        return NO_BYTES
