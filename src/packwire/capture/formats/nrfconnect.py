"""Logs of nRF Connect for Android: what was written, and the notifications, indications and reads received.

The app writes each value twice, as `I` (with the characteristic) and as `A` (its own summary): the second is
left out. Tabs between level, time and text are often lost when a log is pasted.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, Unread
from packwire.capture.text.tokens import TOKENS, hex_bytes, short_uuid

NAME = "nRF Connect log"
EXAMPLES = (
    "I 18:27:49.691 Notification received from 0000ff01-0000-1000-8000-00805f9b34fb, value: (0x) 7B-78-00-7D",
    "I 18:27:49.691 Data written to 0000ff02-0000-1000-8000-00805f9b34fb, value: (0x) DD-A5-03",
)

_TITLE = re.compile(r"nRF Connect, (\d{4}-\d\d-\d\d)")
_LINE = re.compile(r"([VDIWEA])\s+(\d\d:\d\d:\d\d\.\d{3})\s+(.*)")
_VALUE = re.compile(
    r"(?P<what>Notification|Indication|Read [Rr]esponse|Data) (?P<way>received from|written to) "
    rf"(?P<uuid>[0-9a-fA-F-]{{4,36}}), value: (?:\(0x\) ?(?P<hex>{TOKENS})?)?"
)
_SUMMARY = re.compile(rf'"(?:\(0x\) ?(?P<hex>{TOKENS})?)?" (?P<way>received|sent)')
_KINDS = {"Notification": "notify", "Indication": "indicate", "Read Response": "read", "Data": "write"}
_NONE = Unread("values that cannot be read", damaged=True)


class Grammar:
    """Takes the app's lines."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending: tuple[str, bytes] | None = None

    def take(self, line: str) -> Row | Unread | None:
        """Return the value that a line shows; None for lines of another form."""
        if title := _TITLE.match(line):
            self._clock.start(title[1])
            return BEGINS
        found = _LINE.fullmatch(line)
        if not found:
            return None
        if value := _VALUE.match(found[3]):
            payload = hex_bytes(value["hex"] or "") or b""
            self._pending = (found[2], payload)
            return self._row(found[2], value["what"], value["uuid"], value["way"], payload)
        if summary := _SUMMARY.fullmatch(found[3]):
            payload = hex_bytes(summary["hex"] or "") or b""
            again = self._pending == (found[2], payload)
            self._pending = None
            way = "received from" if summary["way"] == "received" else "written to"
            return NO_BYTES if again else self._row(found[2], "Notification", "", way, payload)
        return _NONE if "value:" in found[3] or "(0x)" in found[3] else NO_BYTES

    def _row(self, time: str, what: str, uuid: str, way: str, payload: bytes) -> Row:
        to_device = way == "written to"
        kind = "write" if to_device else _KINDS.get(what.title(), "read")
        channel = " ".join(filter(None, ("att", short_uuid(uuid), kind)))
        direction = PacketDirection.SENT if to_device else PacketDirection.RECEIVED
        return Row(payload, direction, channel, self._clock.time(time))
