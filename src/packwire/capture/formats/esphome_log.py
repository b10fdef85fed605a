r"""ESPHome's logs of battery components: the lines that show what was sent and what came as notification.

Such as `[15:36:28][D][jk_bms_ble:220]: Notification received: 55.AA.EB.90 (4)` and
`[00:14:36][V][basen_bms_ble:401]: Send command (handle 0x15): 3A.16.24.01 (4)`. The number in brackets is
how many bytes there were: ESPHome's logger cuts long lines, and a message that came short is counted.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.said import Said, said

NAME = "ESPHome component log"
EXAMPLES = (
    "[15:36:28][D][jk_bms_ble:220]: Notification received: 55.AA.EB.90 (4)",
    "[00:14:36][V][basen_bms_ble:401]: Send command (handle 0x15): 3A.16.24.01 (4)",
    "[15:36:28][D][ble_client:120]: Received: [0xAA, 0x55, 0x90]",
)
ADVICE = "set `logger:` with `level: VERY_VERBOSE`"

_LINE = re.compile(
    rf"(?:(?:.{{0,60}}?\s)?\[(?P<time>{STAMP})\])?\s*\[(?P<level>[A-Z]{{1,2}})\]\[[\w.]+(?::\d+)?\]:? ?"
    r"(?:\[\d\] ?\[[0-9A-Fa-f:]{17}\] ?)?(?:'[^']{1,40}' ?[-:] ?)?"
)
#: Fewer bytes than this behind words may as well be a number.
_FEWEST = 3


class Grammar:
    """Takes lines of ESPHome's logger."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes that a component shows; None for lines of another form."""
        head = _LINE.match(line)
        if head is None:
            return None
        found = said(line, head.end(), loud=head["level"] in {"E", "W"})
        if not isinstance(found, Said):
            return found or NO_BYTES
        way = found.direction
        if found.doubt or len(found.payload) < _FEWEST or way is PacketDirection.UNKNOWN:
            return NO_BYTES
        kind = "write" if way is PacketDirection.SENT else "notify"
        channel = " ".join(filter(None, ("att", found.name, kind)))
        return Row(found.payload, way, channel, self._clock.time(head["time"]), device=found.device)
