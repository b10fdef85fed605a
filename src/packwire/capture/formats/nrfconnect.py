"""Logs of nRF Connect and nRF Logger: values written, and the notifications, indications and reads received.

The app writes each value twice, as `I` (with the characteristic) and as `A` (its own summary): the second is
left out. Tabs between level, time and text are often lost when a log is pasted. The app of iOS says `Updated
Value of Characteristic FF01 to 0x..` and `Writing Value 0x.. to Characteristic FF02`, newer ones with the
level behind the time (`[18:27:49.6910] Normal: Updated Value ..`).
"""

import re

from packwire.att import short_uuid
from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, Unread
from packwire.capture.text.tokens import TOKENS, hex_bytes

NAME = "nRF Connect log"
EXAMPLES = (
    "I 18:27:49.691 Notification received from 0000ff01-0000-1000-8000-00805f9b34fb, value: (0x) 7B-78-00-7D",
    "I 18:27:49.691 Data written to 0000ff02-0000-1000-8000-00805f9b34fb, value: (0x) DD-A5-03",
    "[18:27:49.691] Updated Value of Characteristic FF01 to 0xDD03001B.",
)
ADVICE = "enable the notifications (the three arrows) in the app before saving the log"

_TITLE = re.compile(r"nRF (?:Connect|Logger)(?:, | )(\d{4}-\d\d-\d\d)")
_LINE = re.compile(
    r"(?:\[?(?P<level>[VDIWEA]|Verbose|Debug|Info|Warning|Error|Application)\]?\s+)?"
    r"\[?(?P<time>(?:\d{4}-\d\d-\d\d )?\d\d?:\d\d:\d\d(?:[.,]\d{1,6})?)\]?\s*[:|]?\s+"
    r"(?:(?P<ios>Verbose|Debug|Normal|Warning|Error|Application): )?(?P<text>.*)"
)
_UUID = r"(?P<uuid>(?:0x)?[0-9a-fA-F-]{4,36})"
_VALUE = re.compile(
    r"(?P<what>Notification|Indication|Read [Rr]esponse|Data) (?P<way>received from|written to) "
    rf"{_UUID}, value: (?:\(0x\) ?(?P<hex>{TOKENS})?|(?P<text>.*))(?:, \".*\")?\s*(?:\".*\")?"
)
_UPDATED = re.compile(
    rf"(?:Updated Value of|Value of|Read Response received from) [Cc]haracteristic {_UUID}"
    rf"(?: (?:was )?(?:updated|changed))? to (?P<hex>{TOKENS})\.?.*"
)
_WRITING = re.compile(rf"Writing [Vv]alue (?P<hex>{TOKENS}) to [Cc]haracteristic {_UUID}\.?.*")
_SUMMARY = re.compile(rf'"(?:\(0x\) ?(?P<hex>{TOKENS})?|(?P<text>.*))" (?P<way>received|sent)')
_KINDS = {"Notification": "notify", "Indication": "indicate", "Read Response": "read", "Data": "write"}
#: Seconds from a value to its summary.
_SUMMARY_WITHIN = 0.1
_NONE = Unread("values that cannot be read", damaged=True)
_TEXT = Unread("values that the app showed as something else than hex (choose `Byte array` in the app)")


def _soon(first: str, second: str) -> bool:
    """Tell whether the summary of a value that was shown first may have the second time."""
    one, two = (float(each.rpartition(":")[2].replace(",", ".")) for each in (first, second))
    return (two - one) % 60 <= _SUMMARY_WITHIN


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
        text, time = found["text"], found["time"]
        if value := _VALUE.fullmatch(text):
            if value["text"]:
                return _TEXT
            payload = hex_bytes(value["hex"] or "") or b""
            self._pending = (time, payload)
            return self._row(time, value["what"], value["uuid"], value["way"], payload)
        if summary := _SUMMARY.fullmatch(text):
            return self._summary(time, summary)
        if updated := _UPDATED.fullmatch(text):
            payload = hex_bytes(updated["hex"]) or b""
            return self._row(time, "Notification", updated["uuid"], "received from", payload)
        if writing := _WRITING.fullmatch(text):
            return self._row(time, "Data", writing["uuid"], "written to", hex_bytes(writing["hex"]) or b"")
        if found["level"] is None and found["ios"] is None:
            return None
        if found["ios"] in {"Debug", "Application"}:
            return NO_BYTES  # the same once more, as a call or as the app's own summary
        return _NONE if "value:" in text or "(0x)" in text else NO_BYTES

    def _summary(self, time: str, summary: re.Match[str]) -> Row | Unread:
        if summary["text"]:
            return NO_BYTES
        payload = hex_bytes(summary["hex"] or "") or b""
        again = self._pending is not None and self._pending[1] == payload and _soon(self._pending[0], time)
        self._pending = None
        way = "received from" if summary["way"] == "received" else "written to"
        return NO_BYTES if again else self._row(time, "Notification", "", way, payload)

    def _row(self, time: str, what: str, uuid: str, way: str, payload: bytes) -> Row:
        to_device = way == "written to"
        kind = "write" if to_device else _KINDS.get(what.title(), "read")
        channel = " ".join(filter(None, ("att", short_uuid(uuid.removeprefix("0x")), kind)))
        direction = PacketDirection.SENT if to_device else PacketDirection.RECEIVED
        return Row(payload, direction, channel, self._clock.time(time.replace(",", ".")))
