"""UART bytes that PulseView and sigrok-cli decoded: `1000-1086 UART: RX data: DD`, `uart-1: rx-data: DD`.

Each byte stands on a line of its own; those that follow each other closely, by the numbers of the samples,
are one message. The decoder must show hex, which a letter or a leading zero proves.
"""

import re

from packwire.capture.text.can import way_of_letter
from packwire.capture.text.clock import Clock, seconds
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "sigrok annotations"
EXAMPLES = (
    "1000-1086 UART: RX data: DD\n1087-1173 UART: RX data: 03",
    "uart-1: rx-data: DD",
    "uart_packet-1:    0.103 RX: DD 03 00 1B",
)
ADVICE = "set the decoder's data format to hex, and export the rows of data"

_VALUE = r"(?P<hex>[0-9A-F]{2}(?: [0-9A-F]{2})*)|(?P<other>\S.{0,60}))\s*"
_FORMS = (
    re.compile(
        r"(?P<from>\d{1,15})-(?P<to>\d{1,15}) UART(?: \(\w{1,20}\))?: (?P<side>[RT]X)"
        rf"(?: (?P<row>data|packets?|bits|warnings?|breaks?))?: \"?(?:{_VALUE}"
    ),
    re.compile(
        r"(?:(?P<from>\d{1,15})-(?P<to>\d{1,15}) )?uart-\d{1,2}: "
        rf"(?:(?P<side>[rt]x)(?:-(?P<row>data|packet))?: )?\"?(?:{_VALUE}"
    ),
    re.compile(
        rf"uart_packet-\d{{1,2}}:\s{{1,6}}(?P<time>\d{{1,9}}\.\d{{1,6}}) (?P<side>[RT]X): (?:{_VALUE}"
    ),
)
#: A gap of more than so many bytes ends a message.
_GAP = 4
_ROWS = {"": "data", "data": "data", "packet": "packets", "packets": "packets"}
_NOT_HEX = Unread("UART bytes that are not shown in hex", damaged=True)
_EITHER = Unread("UART bytes that may be decimal or hexadecimal", damaged=True)
_WORD = re.compile(r"(?:[A-Z][a-z]+|[01STPEFB]|[A-Z][a-z]+ .*)\"?")


class Grammar:
    """Takes annotations of the UART decoder."""

    def __init__(self, _clock: Clock) -> None:
        self._is_hex = self._not_hex = self._going_on = False
        self._kind = ""
        self._held = b""
        """Bytes of digits alone at the beginning of a message, as long as no byte has told the base."""
        self._side = ""
        self._end = -1

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        if "UART" not in line and "uart" not in line:
            return None
        found = next((each for form in _FORMS if (each := form.fullmatch(line))), None)
        if found is None:
            return None
        said = found.groupdict()
        kind = _ROWS.get(said.get("row") or "", "")
        if not kind or said["hex"] is None:
            if not kind or _WORD.fullmatch(said["other"] or ""):
                return NO_BYTES
            self._not_hex = True
            return _NOT_HEX
        self._kind = self._kind or kind
        if kind != self._kind:
            return NO_BYTES  # the same bytes once more
        return _NOT_HEX if self._not_hex else self._bytes(said, bytes.fromhex(said["hex"]))

    def _bytes(self, said: dict[str, str | None], payload: bytes) -> Row | Unread:
        side, text = (said["side"] or "").upper(), said["hex"] or ""
        joins = self._joins(side, said)
        self._held = self._held * (joins or not said.get("from")) + payload
        self._is_hex = self._is_hex or not text.replace(" ", "").isdigit() or "0" in text[::3]
        if not self._is_hex:
            self._going_on = False
            return _EITHER
        going_on = joins and self._going_on
        self._going_on = True
        payload, self._held = (payload if going_on else self._held), b""
        time = seconds(said["time"] or "") if said.get("time") else None
        row = Row(payload, way_of_letter(side), "uart", joins=going_on)
        return row if time is None else row._replace(time=time)

    def _joins(self, side: str, said: dict[str, str | None]) -> bool:
        """Tell whether a byte follows the one before closely, on the same line."""
        if not said.get("from"):
            return False
        begin, end = int(said["from"] or 0), int(said["to"] or 0)
        close = side == self._side and 0 <= begin - self._end <= _GAP * max(1, end - begin)
        self._side, self._end = side, end
        return close
