r"""Tasmota's console and MQTT: `CMD: SerialSend5 DDA503..`, `RESULT = {"SerialReceived":"DD0300.."}`.

In hex, which SerialSend5 or SerialDelimiter 254 switches on; texts that are no hex are left out, but for
those of a battery that speaks in text (`~2001..`). SerialSend6 has decimal numbers. A command is printed
once more in detail at a higher log level.
"""

import re

from packwire.capture.formats.ascii_frames import framed
from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.doubt import doubt
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "Tasmota log"
EXAMPLES = (
    '12:00:01.250 MQT: tele/tasmota/RESULT = {"SerialReceived":"DD03001B"}',
    '12:00:01.250 RSL: RESULT = {"SSerialReceived":{"Data":"DD03001B"}}',
    "12:00:01.000 CMD: SerialSend5 DDA50300FFFD77",
)
ADVICE = "set SerialDelimiter to 254 and send with SerialSend5, so that Tasmota shows hex"

_TIME = re.compile(
    r"\s{0,8}(?:\[?(?P<time>(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:-\d{1,4})?\]?\s{1,8})?"
)
_RECEIVED = re.compile(
    r"(?:[\w/.-]{0,100}\s{0,3}[=:]?\s{0,3}|(?:MQT|RSL|RUL): [\w/.-]{0,100}RESULT = )"
    r"\{(?:\"Time\":\"[^\"]{1,40}\",\s?)?\"S?SerialReceived\":\s?"
    r"(?:\{\s?\"Data\":\s?\"(?P<inner>[^\"]*)\"\s?\}|\"(?P<data>[^\"]*)\")\s?\}(?: \(retained\))?",
)
_SENT = re.compile(
    r"(?:CMD: |cmnd/[\w/.-]{1,100}/|RUL: .{1,120} performs \")S?SerialSend(?P<way>[56])(?: = | |: ?)"
    r"(?P<data>[0-9A-Fa-f](?:[0-9A-Fa-f, ]*[0-9A-Fa-f])?)\"?",
    re.IGNORECASE,
)
#: The same once more, with what the command is made of.
_AGAIN = re.compile(
    r"(?:CMD|RSL): (?:Grp \d, Cmd 'S?SERIALSEND5?', Idx|Group \d, Index) (?P<index>\d),.{0,80}\bData '?"
    r"(?P<data>[0-9A-Fa-f]+)'?"
)
_TEXT = Unread("texts that Tasmota received, not in hex (set SerialDelimiter 254, send with SerialSend5)")


class Grammar:
    """Takes what Tasmota sends and receives over a serial line."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent = b""

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        if "erial" not in line and "SERIALSEND" not in line:
            return None
        head = _TIME.match(line)
        at, time = (head.end(), head["time"]) if head else (0, None)
        if found := _RECEIVED.fullmatch(line, at):
            text = found["inner"] if found["inner"] is not None else found["data"]
            return self._received(text, time)
        if found := _SENT.fullmatch(line, at):
            payload = _numbers(found["data"]) if found["way"] == "6" else _hex(found["data"])
            self._sent = payload or b""
            return Row(payload, PacketDirection.SENT, "uart", self._clock.time(time)) if payload else NO_BYTES
        if (found := _AGAIN.fullmatch(line, at)) and found["index"] == "5":
            payload, before = _hex(found["data"]), self._sent
            self._sent = b""
            if payload and payload != before:
                return Row(payload, PacketDirection.SENT, "uart", self._clock.time(time))
            return NO_BYTES
        return NO_BYTES if "SerialSend" in line and at else None

    def _received(self, text: str, time: str | None) -> Row | Unread:
        payload = framed(text.removesuffix("\\r")) if text.startswith("~") else _hex(text)
        if not payload:
            return _TEXT
        why = "" if text.startswith("~") else doubt(text, marked=True)
        return Row(
            payload, PacketDirection.RECEIVED, "uart", self._clock.time(time), doubt=why, shape="tasmota"
        )


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _numbers(text: str) -> bytes | None:
    numbers = text.split(",")
    if not all(each.strip().isdigit() and len(each.strip()) <= 3 and int(each) <= 0xFF for each in numbers):
        return None
    return bytes(int(each) for each in numbers)
