"""A bleak back end of its own, by bleak's abstract classes: packs in the air that answer as a test says."""

import asyncio
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bleak
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from bleak.uuids import normalize_uuid_str

JBD_SERVICE, JBD_NOTIFY, JBD_WRITE = (normalize_uuid_str(each) for each in ("ff00", "ff01", "ff02"))


def jbd_frame(register: int, data: bytes) -> bytes:
    body = bytes((0, len(data))) + data
    return bytes((0xDD, register)) + body + (0x10000 - sum(body)).to_bytes(2) + b"\x77"


def jbd_basic(volts=13.32, amps=-2.87, soc=76, cells=4) -> bytes:
    data = round(volts * 100).to_bytes(2) + round(amps * 100).to_bytes(2, signed=True)
    data += (7600).to_bytes(2) + (10000).to_bytes(2) + (117).to_bytes(2) + b"\x2c\x5a" + bytes(4) + bytes(2)
    data += bytes((0x21, soc, 3, cells, 2)) + (2731 + 213).to_bytes(2) + (2731 + 220).to_bytes(2)
    return jbd_frame(3, data)


def jbd_cells(*millivolts: int) -> bytes:
    return jbd_frame(4, b"".join(each.to_bytes(2) for each in millivolts))


@dataclass
class Pack:
    """A device in the air; `answer` gives the notifications that follow a write."""

    address: str = "A4:C1:38:00:00:01"
    name: str = "JBD-SP15S004"
    rssi: int = -61
    uuids: tuple[str, ...] = (JBD_SERVICE,)
    manufacturer: dict[int, bytes] = field(default_factory=dict)
    service: str = JBD_SERVICE
    notify: str = JBD_NOTIFY
    write: str = JBD_WRITE
    properties: tuple[str, ...] = ("write", "write-without-response")
    answer: Callable[[bytes], list[bytes]] = lambda data: []
    mtu: int = 23
    #: What it does wrong.
    takes: tuple[bool, ...] = (True, False)
    refuses: tuple[bool, ...] = ()
    connect: Callable[[], None] = lambda: None
    subscribe: Callable[[], None] = lambda: None
    hang: bool = False
    late_name: float = 0.0
    clients: list[Any] = field(default_factory=list)
    written: list[tuple[bytes, bool]] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict)
    replies: dict[int, bytes] = field(default_factory=dict)

    def drop(self) -> None:
        """Break all connections."""
        for client in list(self.clients):
            client.drop()

    def push(self, data: bytes) -> None:
        """Notify."""
        for client in self.clients:
            client.push(data)


def jbd_pack(**options: Any) -> Pack:
    """Return a JBD pack; what it answers to each register may be changed in `replies`."""
    replies = {3: jbd_basic(), 4: jbd_cells(3328, 3330, 3331, 3332), 5: jbd_frame(5, b"JBD-SP15S004")}

    def answer(data: bytes) -> list[bytes]:
        frame = replies.get(data[2]) if data[:2] == b"\xdd\xa5" else None
        return [] if frame is None else [frame[at : at + 20] for at in range(0, len(frame), 20)]

    return Pack(**{"answer": answer, "replies": replies, **options})


class Air:
    def __init__(self, *packs: Pack) -> None:
        self.packs = list(packs)
        self.scan_error: list[BaseException] = []


class FakeScanner(BaseBleakScanner):
    air: Air

    def __init__(self, detection_callback, service_uuids, scanning_mode, **kwargs):
        super().__init__(detection_callback, service_uuids)
        self._timers = []

    async def start(self):
        if self.air.scan_error:
            raise self.air.scan_error.pop(0)
        loop = asyncio.get_running_loop()
        for pack in self.air.packs:
            if pack.clients:
                continue
            self._timers.append(loop.call_later(0.001, self._advertise, pack, not pack.late_name))
            if pack.late_name:
                self._timers.append(loop.call_later(pack.late_name, self._advertise, pack, True))

    def _advertise(self, pack, named):
        data = AdvertisementData(
            pack.name if named else None, pack.manufacturer, {}, list(pack.uuids), None, pack.rssi, ()
        )
        device = self.create_or_update_device(pack.address, pack.address, pack.name, None, data)
        self.call_detection_callbacks(device, data)

    async def stop(self):
        for timer in self._timers:
            timer.cancel()


class FakeClient(BaseBleakClient):
    air: Air

    def __init__(self, address_or_ble_device, **kwargs):
        super().__init__(address_or_ble_device, **kwargs)
        self._callbacks = {}
        self._up = False
        self.pack = next(each for each in self.air.packs if each.address == self.address)

    @property
    def name(self):
        return self.pack.name

    @property
    def mtu_size(self):
        return self.pack.mtu

    @property
    def is_connected(self):
        return self._up

    async def connect(self, pair, **kwargs):
        if self.pack.hang:
            await asyncio.sleep(3600)
        self.pack.connect()
        self.services = self._collection()
        self._up = True
        self.pack.clients.append(self)

    def _collection(self):
        services = BleakGATTServiceCollection()
        pack, size = self.pack, lambda: self.pack.mtu - 3
        service = BleakGATTService(None, 1, pack.service)
        services.add_service(service)
        rows: list[Any] = [(3, pack.notify, ["notify"]), (6, pack.write, list(pack.properties))]
        rows += [(8 + 2 * n, uuid, ["read"]) for n, uuid in enumerate(pack.values)]
        for handle, uuid, properties in rows:
            char = BleakGATTCharacteristic(None, handle, uuid, properties, size, service)
            services.add_characteristic(char)
            if "notify" in properties:
                services.add_descriptor(
                    BleakGATTDescriptor(None, handle + 1, normalize_uuid_str("2902"), char)
                )
        return services

    async def disconnect(self):
        self.drop()

    def drop(self):
        if self._up:
            self._up = False
            self.pack.clients.remove(self)
            if self._disconnected_callback:
                self._disconnected_callback()

    async def pair(self, *args, **kwargs):
        raise NotImplementedError

    unpair = pair

    async def read_gatt_char(self, characteristic, **kwargs):
        return bytearray(self.pack.values[characteristic.uuid])

    async def read_gatt_descriptor(self, descriptor, **kwargs):
        return bytearray(b"\0\0")

    async def write_gatt_char(self, characteristic, data, response):
        if not self._up:
            raise BleakError("Not connected")
        if response in self.pack.refuses:
            raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.WRITE_NOT_PERMITTED)
        self.pack.written.append((bytes(data), response))
        if response in self.pack.takes:
            for each in self.pack.answer(bytes(data)):
                asyncio.get_running_loop().call_soon(self.push, each)

    async def write_gatt_descriptor(self, descriptor, data):
        return

    async def start_notify(self, characteristic, callback, **kwargs):
        self.pack.subscribe()
        self._callbacks[characteristic.uuid] = callback

    async def stop_notify(self, characteristic):
        self._callbacks.pop(characteristic.uuid, None)

    def push(self, data):
        if callback := self._callbacks.get(self.pack.notify):
            callback(bytearray(data))


@contextmanager
def installed(*packs: Pack):
    """Let bleak use these packs instead of the system's Bluetooth."""
    air = Air(*packs)
    scanner = type("Scanner", (FakeScanner,), {"air": air})
    client = type("Client", (FakeClient,), {"air": air})
    names = {
        "get_platform_scanner_backend_type": lambda: (scanner, "fake"),
        "get_platform_client_backend_type": lambda: (client, "fake"),
    }
    before = {name: getattr(bleak, name) for name in names}
    for name, value in names.items():
        setattr(bleak, name, value)
    try:
        yield air
    finally:
        for name, value in before.items():
            setattr(bleak, name, value)
