"""The Bluetooth devices that a recording shows: who advertised, who was connected, what they call themselves.

Facts from the Bluetooth Core Specification, Vol 4, Part E 7.7 (events) and Vol 3, Part C 11 (advertising
data).
"""

from dataclasses import dataclass

import numpy as np

from packwire.capture.advertised import reports, structures
from packwire.capture.layers.hci import HciKind, HciPackets, joined, located
from packwire.capture.layers.link import Counts
from packwire.capture.links import HCI, reader
from packwire.capture.packets import Packets
from packwire.messages import Bytes

#: More devices than any street has; a file with more was made to use up memory.
MAX_DEVICES = 20_000

_CONNECTION, _NAME, _LE_META = 0x03, 0x07, 0x3E
_LE_CONNECTIONS = (0x01, 0x0A, 0x29)
_LOCAL_NAMES = (0x08, 0x09)


@dataclass(slots=True)
class SeenDevice:
    """A Bluetooth device: `transport` is LE or BR/EDR; `adverts` counts its advertising reports."""

    address: str
    transport: str
    name: str = ""
    connections: int = 0
    adverts: int = 0


def hci_packets(packets: Packets) -> HciPackets:
    """Return the HCI packets of all link types that carry them, in the order of the file."""
    parts = [located(packets, np.zeros(0, dtype=np.int64))]
    for number in np.unique(packets.link_type).tolist():
        row = np.flatnonzero(packets.link_type == number)
        find = reader(number, *HCI)
        if find is not None:
            parts.append(find(packets, row, Counts()))
    return joined(parts)


def find_devices(packets: Packets) -> tuple[SeenDevice, ...]:
    """Return the devices that events speak of: those that were connected first, then by how often seen."""
    found = hci_packets(packets)
    events = found.where(found.kind == HciKind.EVENT)
    seen = _Devices(packets.data)
    telling = np.isin(packets.data[events.at[events.end > events.at]], (_CONNECTION, _NAME, _LE_META))
    events = events.where(events.end > events.at).where(telling)
    for at, end in zip(events.at.tolist(), events.end.tolist(), strict=True):
        seen.event(packets.data[at:end].tobytes())
    return tuple(sorted(seen.devices.values(), key=lambda each: (-each.connections, -each.adverts)))


class _Devices:
    def __init__(self, data: Bytes) -> None:
        self.data = data
        self.devices: dict[bytes, SeenDevice] = {}

    def event(self, event: bytes) -> None:
        body = event[2:]
        if event[0] == _CONNECTION and len(body) >= 9 and not body[0]:
            self._of(body[3:9], "BR/EDR").connections += 1
        elif event[0] == _NAME and len(body) > 7 and not body[0]:
            self._of(body[1:7], "BR/EDR").name = _text(body[7:])
        elif event[0] == _LE_META and len(body) > 1:
            self._le(body)

    def _le(self, body: bytes) -> None:
        if body[0] in _LE_CONNECTIONS and len(body) >= 12 and not body[1]:
            self._of(body[6:12], "LE").connections += 1
        for address, _, data in reports(body):
            device = self._of(address, "LE")
            device.adverts += 1
            device.name = _local_name(data) or device.name

    def _of(self, raw: bytes, transport: str) -> SeenDevice:
        if raw not in self.devices:
            device = SeenDevice(raw[::-1].hex(":").upper(), transport)
            if len(self.devices) >= MAX_DEVICES:
                return device
            self.devices[raw] = device
        return self.devices[raw]


def _local_name(data: bytes) -> str:
    names = (content for kind, content in structures(data) if kind in _LOCAL_NAMES)
    return _text(next(names, b""))


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")
