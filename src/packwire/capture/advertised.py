"""What Bluetooth devices advertised in a recording.

Facts from the Bluetooth Core Specification, Vol 4, Part E 7.7.65.2 and 7.7.65.13 (advertising reports), and
the Supplement, Part A 1 (advertising data).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from packwire.advertisement import Advertisement
from packwire.capture.layers.att import uuid_text
from packwire.capture.layers.hci import HciKind, HciPackets
from packwire.messages import Bytes

_LE_META, _LEGACY, _EXTENDED = 0x3E, 0x02, 0x0D
_MOST = 4096
_NO_RSSI = 127
_NAMES, _MANUFACTURER = (0x08, 0x09), 0xFF
#: Type of a list of UUIDs, or of service data -> bytes of each UUID.
_LISTS = {0x02: 2, 0x03: 2, 0x06: 16, 0x07: 16}
_SERVICE_DATA = {0x16: 2, 0x21: 16}


def reports(event: bytes) -> Iterator[tuple[bytes, int | None, bytes]]:
    """Yield address (as sent), strength in dBm and data of each report of an LE Meta event, without its code.

    Ends where an event is cut short.
    """
    if len(event) < 2 or event[0] not in (_LEGACY, _EXTENDED):
        return
    legacy = event[0] == _LEGACY
    address, size_at, behind = (2, 8, 1) if legacy else (3, 23, 0)
    at = 2
    for _ in range(event[1]):
        if at + size_at >= len(event):
            return
        begin = at + size_at + 1
        end = begin + event[begin - 1]
        strength = event[end : end + 1] if legacy else event[at + 13 : at + 14]
        rssi = int.from_bytes(strength, signed=True) if strength else _NO_RSSI
        yield event[at + address : at + address + 6], None if rssi == _NO_RSSI else rssi, event[begin:end]
        at = end + behind


def structures(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each structure of advertising data."""
    at = 0
    while at + 1 < len(data) and data[at]:
        yield data[at + 1], data[at + 2 : at + 1 + data[at]]
        at += 1 + data[at]


@dataclass(slots=True)
class _Said:
    """What one device has advertised so far."""

    name: str = ""
    rssi: int | None = None
    uuids: dict[str, None] = field(default_factory=dict)
    manufacturer: dict[int, bytes] = field(default_factory=dict)
    services: dict[str, bytes] = field(default_factory=dict)

    def take(self, kind: int, content: bytes) -> None:
        """Take one structure."""
        if kind in _NAMES:
            self.name = content.split(b"\0", 1)[0].decode("utf-8", "replace") or self.name
        elif kind == _MANUFACTURER and len(content) >= 2:
            self.manufacturer[int.from_bytes(content[:2], "little")] = content[2:]
        elif size := _LISTS.get(kind):
            for begin in range(0, len(content) - size + 1, size):
                self.uuids[_long(content[begin : begin + size])] = None
        elif (size := _SERVICE_DATA.get(kind)) and len(content) >= size:
            self.services[_long(content[:size])] = content[size:]


def advertisements(data: Bytes, found: HciPackets) -> dict[str, Advertisement]:
    """Return what each device of a recording advertised, all its reports together, by its address."""
    events = found.where(found.kind == HciKind.EVENT)
    events = events.where(events.end - events.at >= 4)
    events = events.where(np.isin(data[events.at], (_LE_META,)))
    said: dict[bytes, _Said] = {}
    for at, end in zip(events.at.tolist(), events.end.tolist(), strict=True):
        for address, rssi, advertised in reports(data[at + 2 : end].tobytes()):
            if address not in said and len(said) >= _MOST:
                continue
            device = said.setdefault(address, _Said())
            device.rssi = rssi if rssi is not None else device.rssi
            for kind, content in structures(advertised):
                device.take(kind, content)
    return {_text(address): _advertisement(_text(address), each) for address, each in said.items()}


def _advertisement(address: str, said: _Said) -> Advertisement:
    return Advertisement(
        address, said.name, said.rssi, tuple(said.uuids), dict(said.manufacturer), dict(said.services)
    )


def _text(address: bytes) -> str:
    return address[::-1].hex(":").upper()


def _long(little: bytes) -> str:
    short = uuid_text(little)
    return f"0000{short}-0000-1000-8000-00805f9b34fb" if len(short) == 4 else short
