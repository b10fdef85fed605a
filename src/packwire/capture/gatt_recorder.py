"""Records Bluetooth connections as a btsnoop file, which Wireshark and every packwire command open.

What bleak tells is no HCI traffic: packets are made of it as a controller would have sent them, with the
times at which values passed. Facts from the Bluetooth Core Specification: Vol 4, Part E 5.4 and 7.7 (ACL data
and events), Vol 3, Part A 3.1 (L2CAP), Part F 3.4 (ATT), Part G 4 (discovery), Part C 11 (advertising data).
"""

import struct
from typing import Final, override

from packwire.advertisement import Advertisement
from packwire.att import Opcode
from packwire.capture.sink import Sink, SinkRecorder
from packwire.capture.writers.btsnoop import file_header, packet_record
from packwire.direction import Direction
from packwire.link.gatt_traffic import Attribute, GattConnected, GattObserver, Passed, ServiceTree

_ACL, _EVENT = 2, 4
_DISCONNECTION_COMPLETE, _LE_META = 0x05, 0x3E
_CONNECTION_COMPLETE, _EXTENDED_ADVERTISING_REPORT = 0x01, 0x0D
#: Of connection handles and channels: ours, and that of ATT.
_HANDLE, _ATT = 0x0040, 0x0004
_FIRST_FRAGMENT, _FROM_CONTROLLER = 0, 2
_PRIMARY_SERVICE, _CHARACTERISTIC = b"\x00\x28", b"\x03\x28"
_REMOTE_USER_ENDED = 0x13
#: Bytes of advertising data that one report holds.
_MOST_ADVERTISED = 229
_PROPERTIES: Final = {
    "broadcast": 0x01,
    "read": 0x02,
    "write-without-response": 0x04,
    "write": 0x08,
    "notify": 0x10,
    "indicate": 0x20,
    "authenticated-signed-writes": 0x40,
    "extended-properties": 0x80,
}
_BASE = "-0000-1000-8000-00805f9b34fb"


class GattRecorder(SinkRecorder, GattObserver):
    """Writes one file; see `SinkRecorder`.

    `secret` (a PIN) is overwritten in what is written to the device; `values` counts what passed.
    """

    def __init__(self, file: Sink, *, secret: str = "") -> None:
        super().__init__(file)
        self.values = 0
        self.connections = 0
        self._secret = secret.encode()
        self._open = False
        self._write(file_header())

    @override
    def seen(self, time: int, advertisement: Advertisement) -> None:
        address, strength = _address(advertisement.address), advertisement.rssi
        head = b"\x00\x00" + bytes((_address_type(address),)) + address + b"\x01\x00\xff\x7f"
        head += struct.pack("<b", 127 if strength is None else strength) + bytes(9)
        for data in _in_reports(_advertised(advertisement)):
            self._event(time, _LE_META, bytes((_EXTENDED_ADVERTISING_REPORT, 1)) + head + data)

    @override
    def connected(self, connected: GattConnected) -> None:
        self._open = True
        self.connections += 1
        time, address = connected.time, _address(connected.address)
        body = struct.pack("<BBHBB", _CONNECTION_COMPLETE, 0, _HANDLE, 0, _address_type(address)) + address
        self._event(time, _LE_META, body + struct.pack("<HHHB", 24, 0, 500, 0))
        mtu = struct.pack("<H", max(connected.mtu, 23))
        self._exchange(time, bytes((Opcode.EXCHANGE_MTU_REQ,)) + mtu, bytes((Opcode.EXCHANGE_MTU_RSP,)) + mtu)
        for tree in connected.services:
            self._discovered(time, tree)

    @override
    def passed(self, passed: Passed) -> None:
        value = passed.value
        if self._secret and passed.direction is Direction.TO_DEVICE:
            value = value.replace(self._secret, b"*" * len(self._secret))
        handle = struct.pack("<H", passed.handle & 0xFFFF)
        match passed.opcode:
            case Opcode.WRITE_RSP:
                pdu = b""
            case Opcode.READ_RSP:
                pdu = value
            case Opcode.ERROR_RSP:
                pdu = value[:1] + handle + value[1:2]
            case _:
                pdu = handle + value
        self.values += bool(value)
        received = passed.direction is Direction.FROM_DEVICE
        self._att(passed.time, bytes((passed.opcode,)) + pdu, received=received)

    @override
    def disconnected(self, time: int) -> None:
        if self._open:
            self._open = False
            body = struct.pack("<BHB", 0, _HANDLE, _REMOTE_USER_ENDED)
            self._event(time, _DISCONNECTION_COMPLETE, body)

    def _discovered(self, time: int, tree: ServiceTree) -> None:
        """Write how a client would have learnt of a service: one attribute a PDU, which fits every MTU."""
        first, last = tree.service.handle, max(tree.service.end, tree.service.handle)
        uuid, span = _uuid(tree.service.uuid), struct.pack("<HH", first, last)
        self._exchange(
            time,
            bytes((Opcode.READ_BY_GROUP_TYPE_REQ,)) + span + _PRIMARY_SERVICE,
            bytes((Opcode.READ_BY_GROUP_TYPE_RSP, 4 + len(uuid))) + span + uuid,
        )
        for characteristic, descriptors in tree.characteristics:
            self._characteristic(time, characteristic)
            for each in descriptors:
                self._descriptor(time, each)

    def _characteristic(self, time: int, each: Attribute) -> None:
        properties = sum(_PROPERTIES.get(name, 0) for name in each.properties)
        declaration = struct.pack("<HBH", max(each.handle - 1, 1), properties, each.handle & 0xFFFF)
        found = declaration + _uuid(each.uuid)
        span = struct.pack("<HH", max(each.handle - 1, 1), each.handle & 0xFFFF)
        self._exchange(
            time,
            bytes((Opcode.READ_BY_TYPE_REQ,)) + span + _CHARACTERISTIC,
            bytes((Opcode.READ_BY_TYPE_RSP, len(found))) + found,
        )

    def _descriptor(self, time: int, each: Attribute) -> None:
        handle, uuid = struct.pack("<H", each.handle & 0xFFFF), _uuid(each.uuid)
        self._exchange(
            time,
            bytes((Opcode.FIND_INFORMATION_REQ,)) + handle + handle,
            bytes((Opcode.FIND_INFORMATION_RSP, 1 if len(uuid) == 2 else 2)) + handle + uuid,
        )

    def _exchange(self, time: int, request: bytes, response: bytes) -> None:
        self._att(time, request, received=False)
        self._att(time, response, received=True)

    def _att(self, time: int, pdu: bytes, *, received: bool) -> None:
        flags = _FROM_CONTROLLER if received else _FIRST_FRAGMENT
        l2cap = struct.pack("<HH", len(pdu), _ATT) + pdu
        header = struct.pack("<BHH", _ACL, _HANDLE | flags << 12, len(l2cap))
        self._write(packet_record(time, header + l2cap, received=received))

    def _event(self, time: int, code: int, body: bytes) -> None:
        self._write(packet_record(time, bytes((_EVENT, code, len(body))) + body, received=True))


def _address(text: str) -> bytes:
    """Return an address as it is sent; of a UUID, which macOS gives instead, the last 6 bytes."""
    digits = "".join(each for each in text if each in "0123456789abcdefABCDEF")
    return bytes.fromhex(digits[-12:].rjust(12, "0"))[::-1]


def _address_type(address: bytes) -> int:
    """Return 1 (random) for addresses whose highest two bits say that they are, else 0."""
    return int(address[5] >> 6 == 3)


def _uuid(text: str) -> bytes:
    """Return a UUID as it is sent: 2 bytes for those of the Bluetooth SIG, else 16."""
    if text.startswith("0000") and text.endswith(_BASE):
        return bytes.fromhex(text[4:8])[::-1]
    return bytes.fromhex(text.replace("-", ""))[::-1]


def _advertised(seen: Advertisement) -> list[bytes]:
    """Return the structures of advertising data: length, type, content."""
    short = [uuid for uuid in map(_uuid, seen.service_uuids) if len(uuid) == 2]
    long = [uuid for uuid in map(_uuid, seen.service_uuids) if len(uuid) == 16]
    parts = [(0x09, seen.name.encode()[:200])] if seen.name else []
    parts += [(0x03, b"".join(short[:60]))] if short else []
    parts += [(0x07, uuid) for uuid in long]
    parts += [(0xFF, struct.pack("<H", key) + data) for key, data in seen.manufacturer_data.items()]
    for uuid, data in seen.service_data.items():
        raw = _uuid(uuid)
        parts.append((0x16 if len(raw) == 2 else 0x21, raw + data))
    return [bytes((len(content) + 1, kind)) + content for kind, content in parts if len(content) <= 226]


def _in_reports(structures: list[bytes]) -> list[bytes]:
    """Return the data of as many reports as are needed, each with its length in front."""
    reports = [b""]
    for each in structures:
        if len(reports[-1]) + len(each) > _MOST_ADVERTISED:
            reports.append(b"")
        reports[-1] += each
    return [bytes((len(data),)) + data for data in reports]
