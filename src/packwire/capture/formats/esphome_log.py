r"""ESPHome's logs of battery components: the lines that show what was sent and what came as notification.

Such as `[15:36:28][D][jk_bms_ble:220]: Notification received: 55.AA.EB.90 (4)` and
`[00:14:36][V][basen_bms_ble:401]: Send command (handle 0x15): 3A.16.24.01 (4)`. The number in brackets is
how many bytes there were: ESPHome's logger cuts long lines, and a message that came short is counted.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.tokens import TOKENS, hex_bytes, way_of

NAME = "ESPHome component log"
EXAMPLES = (
    "[15:36:28][D][jk_bms_ble:220]: Notification received: 55.AA.EB.90 (4)",
    "[00:14:36][V][basen_bms_ble:401]: Send command (handle 0x15): 3A.16.24.01 (4)",
)

_LINE = re.compile(rf"(?:.*?\[(?P<time>{STAMP})\])?\s*\[[A-Z]{{1,2}}\]\[[\w.]+(?::\d+)?\]:? ?(?P<text>.*)")
_SENT = re.compile(r"\b(?:send|sending|sent|write|writing|request|tx)\b", re.IGNORECASE)
_RECEIVED = re.compile(r"\b(?:notif\w+|received?|rx|response)\b", re.IGNORECASE)
_HANDLE = re.compile(r"handle[ :=]+(0x[0-9A-Fa-f]{1,4}|\d{1,5})\b", re.IGNORECASE)
_COUNT = re.compile(r"\((\d{1,5})(?: bytes)?\)$")
_BYTES = re.compile(rf"(?P<before>.*?[\w)][:=]\s*)(?P<hex>{TOKENS})")
#: Fewer bytes than this behind a word may as well be a number.
_FEWEST = 3
_SHORT = Unread("messages that the logger cut short", damaged=True)


class Grammar:
    """Takes lines of ESPHome's logger."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes that a component shows; None for lines of another form."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        text = found["text"]
        said = _COUNT.search(text)
        shown = _BYTES.fullmatch(text[: said.start()].rstrip() if said else text)
        if shown is None:
            return NO_BYTES
        before = shown["before"]
        payload = hex_bytes(shown["hex"])
        way = way_of(before, _SENT, _RECEIVED)
        if payload is None or len(payload) < _FEWEST or way is PacketDirection.UNKNOWN:
            return NO_BYTES
        if said and int(said[1]) != len(payload):
            return _SHORT
        handle = _HANDLE.search(before)
        named = ("att", f"0x{int(handle[1], 0):04x}" if handle else "")
        channel = " ".join(filter(None, (*named, "write" if way is PacketDirection.SENT else "notify")))
        return Row(payload, way, channel, self._clock.time(found["time"]))
