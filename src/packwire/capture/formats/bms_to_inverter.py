"""bms-to-inverter's log: `.. | DEBUG | .. | ..Processor:85 | RECEIVED: Buffer (HEX): [0xA5, 0x01, ..]`.

What a processor for CAN shows is a frame as Linux hands it to programs: identifier (little-endian), length,
three bytes without meaning, data.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.can import EXTENDED, MAX_EXTENDED, WRONG_SIZE, can_frame, can_row
from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "bms-to-inverter log"
EXAMPLES = (
    "2024-09-08 20:15:40.806 | DEBUG | Thread-2 | BmsRS485Processor:85 | RECEIVED: Buffer (HEX): [0xA5, 0x01]",
)

_LINE = re.compile(rf"(?P<time>{STAMP}) \| [A-Z]+ +\| [^|]*\| (?P<logger>[^|]*)\| (?P<text>.*)")
_BUFFER = re.compile(
    r"(?:(?P<sent>SEND|SENT|WRITE)|(?P<received>RECEIVED?|READ))\b[^\[]{0,40}\(HEX\): "
    r"\[(?P<hex>[0-9A-Fa-fx, ]*)\]",
    re.IGNORECASE,
)
_BYTE = re.compile(r"\s*0x([0-9A-Fa-f]{2})\s*")


class Grammar:
    """Takes lines of its logger."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        shown = _BUFFER.match(found["text"])
        if shown is None:
            return NO_BYTES
        cells = [_BYTE.fullmatch(each) for each in shown["hex"].split(",")] if shown["hex"].strip() else []
        data = bytes(int(each[1], 16) for each in cells if each)
        if len(data) != len(cells) or not data:
            return WRONG_SIZE
        way = PacketDirection.SENT if shown["sent"] else PacketDirection.RECEIVED
        time = self._clock.time(found["time"])
        if "can" not in found["logger"].lower():
            return Row(data, way, "rs485" if "rs485" in found["logger"].lower() else "buffer", time)
        if len(data) < 8 or data[4] > 8 or len(data) < 8 + data[4]:
            return WRONG_SIZE
        word = int.from_bytes(data[:4], "little")
        identifier = word & MAX_EXTENDED
        frame = can_frame(
            identifier, data[8 : 8 + data[4]], extended=bool(word & EXTENDED) or identifier > 0x7FF
        )
        return can_row(frame, way, "can", time)
