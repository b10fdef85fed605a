r"""ESPHome's logs of battery components: the lines that show what was sent and what came as notification.

Such as `[15:36:28][D][jk_bms_ble:220]: Notification received: 55.AA.EB.90 (4)` and
`[00:14:36][V][basen_bms_ble:401]: Send command (handle 0x15): 3A.16.24.01 (4)`. The number in brackets is
how many bytes there were: ESPHome's logger cuts long lines, and a message that came short is counted.
"""

import re

from packwire.capture.formats.text_lines import HEX, Clock, Table, head_lines, hex_bytes, lines, way_of
from packwire.capture.packets import NO_TIME, PacketDirection, Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "ESPHome component log"

_LINE = re.compile(
    r"(?:.*?\[(?P<time>\d\d:\d\d:\d\d(?:\.\d+)?)\])?\s*\[[A-Z]{1,2}\]\[[\w.]+(?::\d+)?\]:? ?(?P<text>.*)"
)
_SENT = re.compile(r"\b(?:send|sending|sent|write|writing|request|tx)\b", re.IGNORECASE)
_RECEIVED = re.compile(r"\b(?:notif\w+|received?|rx|response)\b", re.IGNORECASE)
_HANDLE = re.compile(r"handle[ :=]+(0x[0-9A-Fa-f]{1,4}|\d{1,5})\b", re.IGNORECASE)
_COUNT = re.compile(r"\((\d{1,5})(?: bytes)?\)$")
_HEX = re.compile(HEX)
#: Fewer bytes than this behind a word may as well be a number.
_FEWEST = 3


def matches(head: bytes) -> bool:
    """Tell whether one of the first lines shows bytes that a component sent or received."""
    return any(_traffic(line) for line in head_lines(head))


def read(data: Bytes) -> Packets:
    """Find the messages. Raises BadFileError where the log has none."""
    table, clock = Table(NAME), Clock()
    for at, text in lines(data, table):
        if table.comment(at, text) or not (found := _traffic(text)):
            continue
        time, way, channel, payload, count = found
        if count is not None and count != len(payload):
            table.bad(at)
            continue
        table.add(clock.time(time) if time else NO_TIME, way, channel, payload)
    if not len(table):
        raise BadFileError("this ESPHome log shows no bytes: set `logger:` with `level: VERY_VERBOSE`")
    return table.packets()


def _traffic(text: str) -> tuple[str | None, PacketDirection, str, bytes, int | None] | None:
    """Return time, way, channel, bytes, and how many bytes the line says there were; None for other lines."""
    line = _LINE.fullmatch(text)
    if line is None:
        return None
    said = _COUNT.search(line["text"])
    words = (line["text"][: said.start()] if said else line["text"]).split()
    first = len(words)
    while first and _HEX.fullmatch(words[first - 1]):
        first -= 1
    payload = hex_bytes(" ".join(words[first:]))
    way = way_of(before := " ".join(words[:first]), _SENT, _RECEIVED)
    if payload is None or len(payload) < _FEWEST or way is PacketDirection.UNKNOWN:
        return None
    handle = _HANDLE.search(before)
    named = ("att", f"0x{int(handle[1], 0):04x}" if handle else "")
    channel = " ".join(filter(None, (*named, "write" if way is PacketDirection.SENT else "notify")))
    return line["time"], way, channel, payload, int(said[1]) if said else None
