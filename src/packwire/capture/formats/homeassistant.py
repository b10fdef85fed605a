r"""Debug logs of Home Assistant's battery integrations: the lines that show bytes sent and received.

aiobmsble and BMS_BLE-HA write `TX BLE req #1 (W): aa 55 ..`, `RX BLE data: ..` and, in older versions,
`Rx BLE data (start): bytearray(b'\xdd..')`; batmon and others have lines of the same kind. The
characteristic is known where the log names it (`start notify on RX characteristic ffe1`, a GATT profile).
"""

import re
from dataclasses import dataclass, field

from packwire.capture.formats.text_lines import (
    HEX,
    Clock,
    Table,
    head_lines,
    hex_bytes,
    lines,
    literal_bytes,
    short_uuid,
)
from packwire.capture.packets import PacketDirection, Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "Home Assistant log"

_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?) (?P<level>[A-Z]+) (?:\([^)]*\) )?"
    r"\[(?P<logger>[^\]]*)\] ?(?P<text>.*)"
)
_TRAFFIC = re.compile(
    r"\b(?P<way>TX|RX|sending|sent|received?|write|writing|notification|notify)\b(?P<rest>.*)", re.IGNORECASE
)
_TO_DEVICE = ("tx", "send", "sent", "writ")
_HEX = re.compile(HEX)
_BETWEEN_WORDS = re.compile(r"[\s=()\[\]'\"]+")
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


def matches(head: bytes) -> bool:
    """Tell whether the file has lines of Python's logging in Home Assistant's form."""
    return any(_LINE.fullmatch(line) for line in head_lines(head)[:50])


def read(data: Bytes) -> Packets:
    """Find the messages. Raises BadFileError where the log has none."""
    table, clock, names = Table(NAME), Clock(), _Names()
    found: list[tuple[int, bool, str, str, bytes]] = []
    for at, text in lines(data, table):
        if names.look(text) or table.comment(at, text) or not (line := _LINE.fullmatch(text)):
            continue
        traffic = _TRAFFIC.search(line["text"])
        payload = _payload(traffic["way"], traffic["rest"]) if traffic else None
        if traffic is None or payload is None:
            if re.search(r"\b[TR]X BLE\b", line["text"], re.IGNORECASE):
                table.bad(at)
            continue
        sent = traffic["way"].lower().startswith(_TO_DEVICE)
        uuid = names.write if sent else names.notify
        found.append((clock.time(line["time"]), sent, uuid, _device(line["text"]), payload))
    if not found:
        raise BadFileError(
            "this Home Assistant log shows no bytes sent or received: enable debug logging for the"
            " integration, wait a minute, and give the log again"
        )
    several = len({device for *_, device, _ in found if device}) > 1
    for time, sent, uuid, device, payload in found:
        words = ("att", uuid, "write" if sent else "notify", f"of {device}" if several and device else "")
        way = PacketDirection.SENT if sent else PacketDirection.RECEIVED
        table.add(time, way, " ".join(filter(None, words)), payload)
    return table.packets()


def _payload(way: str, text: str) -> bytes | None:
    """Return the bytes that a text shows: a bytes literal anywhere, or hex at its end.

    Behind words of plain English, one or two bytes may as well be a number.
    """
    literal = literal_bytes(text)
    if literal is not None:
        return literal
    words = [word.strip(",:;") for word in _BETWEEN_WORDS.split(text) if word]
    last = len(words)
    while last and _HEX.fullmatch(words[last - 1]):
        last -= 1
    payload = hex_bytes(" ".join(words[last:]))
    return payload if payload and (len(payload) > 2 or way.lower() in {"tx", "rx"}) else None


def _device(text: str) -> str:
    found = _DEVICE.match(text)
    return (found["bracketed"] or found["plain"]) if found else ""
