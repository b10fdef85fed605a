r"""Debug logs of Home Assistant's battery integrations: the lines that show bytes sent and received.

aiobmsble and BMS_BLE-HA write `TX BLE req #1 (W): aa 55 ..`, `RX BLE data: ..` and, in older versions,
`Rx BLE data (start): bytearray(b'\xdd..')`. The characteristic is known where the log names it (`start notify
on RX characteristic ffe1`, a GATT profile).
"""

import re
from dataclasses import dataclass, field

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.tokens import TOKENS, hex_bytes, literal_bytes, short_uuid

NAME = "Home Assistant log"
EXAMPLES = (
    "2026-01-02 09:01:19.015 DEBUG (MainThread) [aiobmsble.bms.jk_bms] pack: TX BLE req #1 (W): aa 55 90 eb",
    "2026-01-02 09:01:19.115 DEBUG (MainThread) [aiobmsble.bms.jk_bms] pack: RX BLE data: 55 aa eb 90",
)

_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?) (?P<level>[A-Z]+) (?:\([^)]*\) )?"
    r"\[(?P<logger>[^\]]*)\] ?(?P<text>.*)"
)
_TRAFFIC = re.compile(r"\b(?P<way>TX|RX)\b(?P<what>[^:]*):(?P<rest>.*)", re.IGNORECASE)
_HEX = re.compile(rf"\s*{TOKENS}")
_DEVICE = re.compile(r"\((?P<bracketed>[^)]+)\) |(?P<plain>[^\s:][^:]{0,40}?): ")
_NOTIFY_ON = re.compile(r"RX characteristic ([0-9a-fA-F-]{4,36})")
_HANDLES = re.compile(r"characteristic handles #(\d+) \([^)]*\), #(\d+) ")
_PROFILE = re.compile(r"\s+CHR ([0-9a-fA-F-]{36}) \(Handle: (\d+)\)")


@dataclass(slots=True)
class _Names:
    """The characteristics that the log has named so far."""

    by_handle: dict[str, str] = field(default_factory=dict)
    notify: str = ""
    write: str = ""

    def look(self, text: str) -> bool:
        """Take in a line that names characteristics; tell whether it was one."""
        if found := _PROFILE.match(text):
            self.by_handle[found[2]] = short_uuid(found[1])
        elif found := _NOTIFY_ON.search(text):
            self.notify = short_uuid(found[1])
        elif found := _HANDLES.search(text):
            self.notify = self.by_handle.get(found[1], "")
            self.write = self.by_handle.get(found[2], "")
        return found is not None


class Grammar:
    """Takes lines of Python's logging in Home Assistant's form."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._names = _Names()

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes that a line shows; None for lines of another form."""
        if self._names.look(line):
            return NO_BYTES
        found = _LINE.fullmatch(line)
        if not found:
            return None
        traffic = _TRAFFIC.search(found["text"])
        payload = _payload(traffic["rest"]) if traffic else None
        if traffic is None or payload is None:
            return NO_BYTES
        sent = traffic["way"].upper() == "TX"
        uuid = self._names.write if sent else self._names.notify
        channel = " ".join(filter(None, ("att", uuid, "write" if sent else "notify")))
        way = PacketDirection.SENT if sent else PacketDirection.RECEIVED
        return Row(payload, way, channel, self._clock.time(found["time"]), device=_device(found["text"]))


def _payload(text: str) -> bytes | None:
    """Return the bytes that a text shows: a bytes literal anywhere, or hex."""
    literal = literal_bytes(text)
    if literal is not None:
        return literal
    return hex_bytes(text) if _HEX.fullmatch(text) else None


def _device(text: str) -> str:
    found = _DEVICE.match(text)
    return (found["bracketed"] or found["plain"]) if found else ""
