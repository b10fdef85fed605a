"""Logs of bms-to-inverter: `SEND: Buffer (HEX): [0xA5, ..]` and `RECEIVED: ..`, of serial ports and CAN.

The buffers of its CAN processors are Linux's `struct can_frame`: identifier (little-endian), length, 3 bytes
of padding, 8 of data. What the port says of the same frame (`CAN frame sending: ..`) is left out.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.can import WRONG_SIZE, can_frame, can_row
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.tokens import TOKENS, hex_bytes

NAME = "bms-to-inverter log"
EXAMPLES = (
    "2026-01-02 20:15:40.806 | DEBUG | Thread-2 | BmsProcessor:85 | RECEIVED: Buffer (HEX): [0xA5, 0x01]",
    (
        "2026-01-02 20:15:40.806 | DEBUG | Thread-2 | .DalyBmsCANProcessor:46 | SEND: Buffer (HEX):"
        " [0x40, 0x01, 0x50, 0x18, 0x02, 0x00, 0x00, 0x00, 0xAA, 0xBB, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]"
    ),
)

_BUFFER = re.compile(
    rf"(?P<what>SEND|RECEIVED|CAN frame [\w .]{{1,20}}): Buffer \(HEX\): \[(?P<hex>{TOKENS})\]\s*"
)
_FRAME, _FLAGS = 16, 0xE000_0000


class Grammar:
    """Takes lines with buffers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a buffer; None for lines of another form."""
        if "Buffer (HEX)" not in line:
            return None
        head = prefix(line)
        found = _BUFFER.fullmatch(line, head.at)
        payload = hex_bytes(found["hex"]) if found else None
        if found is None or not payload:
            return None
        if found["what"].startswith("CAN"):
            return NO_BYTES
        way = PacketDirection.SENT if found["what"] == "SEND" else PacketDirection.RECEIVED
        time = head.when(self._clock)
        if "CAN" not in line[: head.at]:
            return Row(payload, way, "uart", time)
        word, size = int.from_bytes(payload[:4], "little"), payload[4] if len(payload) == _FRAME else _FRAME
        frame = can_frame(word & ~_FLAGS, payload[8 : 8 + size]) if size <= _FRAME // 2 else None
        return WRONG_SIZE if frame is None else can_row(frame, way, "can", time)
