r"""Debug logs of Home Assistant's battery integrations: the lines that show bytes sent and received.

aiobmsble and BMS_BLE-HA write `TX BLE req #1 (W): aa 55 ..`, `RX BLE data: ..` and, in older versions,
`Rx BLE data (start): bytearray(b'\xdd..')`. The characteristic is known where the log names it (`start notify
on RX characteristic ffe1`, a GATT profile).
"""

import re
from dataclasses import dataclass, field

from packwire.att import short_uuid
from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.tokens import LITERAL, TOKENS, hex_bytes, literal_bytes

NAME = "Home Assistant log"
EXAMPLES = (
    "2026-01-02 09:01:19.015 DEBUG (MainThread) [aiobmsble.bms.jk_bms] pack: TX BLE req #1 (W): aa 55 90 eb",
    "2026-01-02 09:01:19.115 DEBUG (MainThread) [aiobmsble.bms.jk_bms] pack: RX BLE data: 55 aa eb 90",
    r"2026-01-02 09:01:19.115 DEBUG (MainThread) [x] (pack) Rx BLE data (start): bytearray(b'\xdd\x03')",
)
ADVICE = "enable debug logging for the integration, wait a minute, and give the log again"

_TRAFFIC = re.compile(
    r"(?P<device>.{0,60}?)(?<!\w)(?P<way>TX|RX) BLE(?: (?!data)\w+)?(?: (?:data|req|cmd))?(?: ?#\d+)?"
    rf"(?: ?\([\w.:/ -]{{1,20}}\))*:? (?P<bytes>(?P<literal>{LITERAL})|(?P<hex>{TOKENS}))(?P<rest>.*)",
    re.IGNORECASE,
)
_CUT = re.compile(r"\b[TR]X BLE (?:data|req)[^:]*: ?(?:bytearray\()?b['\"]", re.IGNORECASE)
_REST = re.compile(r"\s*(?:\(\d+(?: bytes)?\))?[\s,;.]*")
_DEVICE = re.compile(r"\((?P<bracketed>[^)]{1,60})\) ?|(?P<plain>[^\s:][^:]{0,50}?): ?")
_NOTIFY_ON = re.compile(r"RX characteristic ([0-9a-fA-F-]{4,36})")
_HANDLES = re.compile(r"characteristic handles #(\d+) \([^)]*\), #(\d+) ")
_PROFILE = re.compile(r"\s+CHR ([0-9a-fA-F-]{36}) \(Handle: (\d+)\)")
_SHORT = Unread("messages whose bytes the log cuts short", damaged=True)


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
    """Takes lines of aiobmsble, whichever logger wrote them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._names = _Names()

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes that a line shows; None for lines of another form."""
        if "aracteristic" in line or "CHR" in line:
            return NO_BYTES if self._names.look(line) else None
        if "X BLE" not in line and "x BLE" not in line:
            return None
        head = prefix(line)
        found = _TRAFFIC.fullmatch(line, head.at)
        if found is None or not _REST.fullmatch(found["rest"]):
            return _SHORT if _CUT.search(line) else NO_BYTES
        payload = literal_bytes(found["literal"]) if found["literal"] else hex_bytes(found["hex"])
        if not payload:
            return NO_BYTES
        sent = found["way"].upper() == "TX"
        uuid = self._names.write if sent else self._names.notify
        channel = " ".join(filter(None, ("att", uuid, "write" if sent else "notify")))
        way = PacketDirection.SENT if sent else PacketDirection.RECEIVED
        return Row(payload, way, channel, head.when(self._clock), device=_device(found["device"]))


def _device(text: str) -> str:
    found = _DEVICE.match(text)
    return (found["bracketed"] or found["plain"]).strip() if found else ""
