"""What btmon prints: ATT values below the lines of the packets that carry them.

A packet's line (`> ACL Data RX: Handle 3 .. [hci0] 12.345678`) says which way it went and when, the line of
its ATT PDU (`ATT: Handle Value Notification (0x1b) len 4`) what it is, `Handle: 0x000f` where, `Data: 01ab`
the bytes.
"""

import re

from packwire.att import Opcode
from packwire.capture.packets import NO_TIME
from packwire.capture.text.att import OPCODES
from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "btmon output"
EXAMPLES = (
    """\
> ACL Data RX: Handle 3 flags 0x02 dlen 9    #12 [hci0] 3.250000
      ATT: Handle Value Notification (0x1b) len 4
        Handle: 0x000f
          Data: 01ab""",
)
ADVICE = "start btmon before the connection is made, or record with `btmon -w file.btsnoop`"

_PACKET = re.compile(
    r"(?P<mark>[<>@=]) (?P<what>[A-Z][\w ]+)(?P<way>RX|TX)?:? ?.*?(?:\[hci\d+\] (?P<date>\d{4}-\d\d-\d\d )?"
    rf"(?P<time>{STAMP}|\d+\.\d+))?"
)
_PDU = re.compile(r"\s+ATT: (?P<what>.+?) \(0x(?P<code>[0-9a-f]{2})\) len (?P<length>\d+)")
_HANDLE = re.compile(r"\s+Handle: 0x(?P<handle>[0-9a-f]{4})(?: .*)?")
_DATA = re.compile(r"\s+(?:Data|Value)(?:\[\d+\])?: ?(?P<hex>(?:[0-9a-f]{2}){1,512})")
_DUMP = re.compile(r"\s+(?P<hex>[0-9a-f]{2}(?: [0-9a-f]{2}){0,15}) {2,}.{1,17}")
#: How long the handle is that stands before the value, where there is one.
_HANDLE_SIZE = 2
_SHORT = Unread("ATT values that are shorter than btmon says", damaged=True)


class Grammar:
    """Takes the lines of packets, of ATT PDUs, and what stands below those."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._time = NO_TIME
        self._open = False
        self._code: int | None = None
        self._length = 0
        self._handle = ""
        self._shown = 0

    def take(self, line: str) -> Row | Unread | None:
        """Return the value that a line shows; None for lines of another form."""
        if not line[0].isspace():
            return self._packet(line)
        if not self._open:
            return None
        if pdu := _PDU.fullmatch(line):
            self._code, self._length = int(pdu["code"], 16), int(pdu["length"])
            self._handle, self._shown = "", 0
        elif self._code is None:
            return NO_BYTES
        elif found := _HANDLE.fullmatch(line):
            self._handle = found["handle"]
        elif found := _DATA.fullmatch(line) or _DUMP.fullmatch(line):
            return self._value(bytes.fromhex(found["hex"]))
        return NO_BYTES

    def _packet(self, line: str) -> Unread | None:
        found = _PACKET.fullmatch(line) if line[1:2] == " " and line[0] in "<>@=" else None
        self._open = bool(found and (found["time"] or found["what"].startswith(("ACL", "HCI"))))
        self._code = None
        if not self._open or found is None:
            return None
        text = f"{found['date'] or ''}{found['time'] or ''}"
        self._time = self._clock.time(text)
        return NO_BYTES

    def _value(self, payload: bytes) -> Row | Unread:
        told = OPCODES.get(self._code or 0)
        if told is None:
            return NO_BYTES
        way, kind = told
        wanted = self._length - (0 if self._code == Opcode.READ_RSP else _HANDLE_SIZE)
        joins = self._shown > 0
        self._shown += len(payload)
        if self._shown > wanted or (self._shown < wanted and len(payload) != 16):
            return _SHORT
        channel = " ".join(filter(None, ("att", f"0x{self._handle}" if self._handle else "", kind)))
        return Row(payload, way, channel, self._time, joins=joins)
