"""A simulated device's Bluetooth: what it advertises, its GATT table, and the one client that it serves."""

import asyncio
import contextlib
import logging
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from bumble import hci
from bumble.att import ATT_Error, AttributeValue, ErrorCode
from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.device import Connection, Device
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    Descriptor,
    Service,
)

from packwire.advertisement import Advertisement
from packwire.protocol.base import Gatt, WriteType
from packwire.sim.faults import Faults
from packwire.sim.port import Attachable
from packwire.sim.radio import Radio

log = logging.getLogger("packwire.sim")

INTERVAL = 100.0
"""ms between two advertisements."""
_PACKET = 31
"""Bytes that an advertisement and a scan response hold each."""
_FLAGS = b"\x06"
"""Generally discoverable, no classic Bluetooth."""
_BASE = "-0000-1000-8000-00805f9b34fb"
_NUS = Gatt(
    "6e400001-b5a3-f393-e0a9-e50e24dcca9e",
    "6e400003-b5a3-f393-e0a9-e50e24dcca9e",
    "6e400002-b5a3-f393-e0a9-e50e24dcca9e",
)
"""Nordic's UART service: what `other-services` has instead of the model's."""
_OTHER = Gatt(f"0000ffe0{_BASE}", f"0000ffe1{_BASE}", f"0000ffe1{_BASE}")
_WRITES = {
    WriteType.WITH_RESPONSE: Characteristic.Properties.WRITE,
    WriteType.WITHOUT_RESPONSE: Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
}


class Peripheral:
    """Serves the port of a simulated device over GATT: one client, as boards do.

    A frame is cut into notifications that the client's MTU holds. While a client is connected, nothing is
    advertised.
    """

    def __init__(self, port: Attachable, faults: Faults, radio: Radio) -> None:
        self.radio = radio
        self.connection: Connection | None = None
        self._port = port
        self.faults = faults
        self._device: Device
        self._address_type = hci.OwnAddressType.PUBLIC
        self._notifying: list[Characteristic[bytes]] = []
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loss: asyncio.TimerHandle | None = None
        self._notified = 0
        self._writable: list[Characteristic[bytes]] = []
        self._write_types: deque[WriteType] = deque()
        """How what was just written was written, where that is of interest."""

    async def start(self, device: Device, *, random: bool = False) -> None:
        """Put the device on the air, under its public or its random address."""
        self._device = device
        self._address_type = hci.OwnAddressType.RANDOM if random else hci.OwnAddressType.PUBLIC
        self._set_mtu()
        if "other-write-type" in self.faults or "with-response" in self.faults:
            self._tell_writes_apart()
        device.add_services(self._services())
        device.on("connection", self._connected)
        self.faults.on_change.append(self._fault_changed)
        if "second-client" not in self.faults:
            await self._advertise()

    async def stop(self) -> None:
        """Leave the air."""
        self.faults.on_change.remove(self._fault_changed)
        await self.break_link()
        with contextlib.suppress(BaseBumbleError):
            await self._device.stop_advertising()
        self._end_client()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _advertise(self) -> None:
        advertising, response = advertising_data(self.radio.advertisement)
        await self._device.start_advertising(
            own_address_type=self._address_type,
            auto_restart=True,
            advertising_data=advertising,
            scan_response_data=response,
            advertising_interval_min=INTERVAL,
            advertising_interval_max=INTERVAL,
        )

    def _set_mtu(self) -> None:
        (wanted,) = self.faults.get("mtu") or (self.radio.mtu,)
        self._device.gatt_server.max_mtu = int(wanted)

    def _fault_changed(self, name: str) -> None:
        match name:
            case "mtu":
                self._set_mtu()
            case "second-client":
                self._do(self._shut_out() if name in self.faults else self._advertise())
            case "link-loss":
                self._schedule_loss()

    async def _shut_out(self) -> None:
        await self.break_link()
        await self._device.stop_advertising()

    def _schedule_loss(self) -> None:
        if self._loss is not None:
            self._loss.cancel()
        values = self.faults.get("link-loss")
        if values and self.connection is not None:
            self._loss = asyncio.get_running_loop().call_later(values[0], self._close)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell_writes_apart(self) -> None:
        """Let `_written` know how it was written to; bumble does not say."""
        server: Any = self._device.gatt_server
        for name, kind in (
            ("on_att_write_request", WriteType.WITH_RESPONSE),
            ("on_att_write_command", WriteType.WITHOUT_RESPONSE),
        ):
            setattr(server, name, partial(self._handle_write, kind, getattr(server, name)))

    def _handle_write(self, kind: WriteType, handle: Callable[..., Any], bearer: Any, pdu: Any) -> Any:
        if (
            pdu.attribute_handle in {each.handle for each in self._writable}
            and len(pdu.attribute_value) <= 512
        ):
            self._write_types.append(kind)  # bumble handles each in a task of its own, in their order
        return handle(bearer, pdu)

    async def break_link(self) -> None:
        """Lose the client, as when the device is switched off."""
        if self.connection is not None:
            with contextlib.suppress(BaseBumbleError, CancelledError):
                await self.connection.disconnect(
                    hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR
                )

    def _services(self) -> list[Service]:
        information = [
            Characteristic[bytes](
                UUID.from_16_bits(number),
                Characteristic.Properties.READ,
                Characteristic.READABLE,
                text.encode(),
            )
            for number, text in self.radio.information.items()
        ]
        services = [each for gatt in self.radio.gatt for each in self._spoken(gatt)]
        if "duplicate-uuid" in self.faults:
            services.append(self._twin(self.radio.gatt[0]))
        return [*([Service(UUID.from_16_bits(0x180A), information)] if information else []), *services]

    def _twin(self, gatt: Gatt) -> Service:
        """Return a service that nothing is spoken by, with the characteristic that notifies in another."""
        own = self._characteristic(
            gatt.notify, Characteristic.Properties.READ, AttributeValue(read=lambda _: b"")
        )
        return Service(UUID(_NUS.service), [own])

    def _spoken(self, gatt: Gatt) -> list[Service]:
        """Return the services by which it is spoken to."""
        notify = Characteristic.Properties.NOTIFY
        if "no-notify" in self.faults:
            notify = Characteristic.Properties.READ
        kinds = tuple(WriteType) if gatt.write_type is None else (gatt.write_type,)
        heeded = frozenset(kinds)
        if "other-write-type" in self.faults:
            kinds = tuple(WriteType)
            heeded = frozenset({WriteType.WITHOUT_RESPONSE})
            if gatt.write_type is WriteType.WITHOUT_RESPONSE:
                heeded = frozenset({WriteType.WITH_RESPONSE})
        if "with-response" in self.faults:
            kinds, heeded = tuple(WriteType), frozenset({WriteType.WITH_RESPONSE})
        if "other-services" in self.faults:
            gatt = _NUS if gatt.service != _NUS.service else _OTHER
        writes = Characteristic.Properties(0)
        for kind in kinds:
            writes |= _WRITES[kind]
        value: AttributeValue[bytes] = AttributeValue(
            read=lambda _: b"", write=partial(self._written, heeded)
        )
        if gatt.write == gatt.notify:
            both = [self._characteristic(gatt.notify, notify | writes, value)]
            self._notifying += both
            self._writable += both
            return [Service(UUID(gatt.service), both)]
        services = {gatt.service: [self._characteristic(gatt.notify, notify, value)]}
        self._notifying += services[gatt.service]
        if gatt.write:
            self._writable.append(self._characteristic(gatt.write, writes, value))
            services.setdefault(gatt.services[-1], []).append(self._writable[-1])
        if gatt.unlock:
            services[gatt.service].append(self._lock(*gatt.unlock))
        return [Service(UUID(uuid), characteristics) for uuid, characteristics in services.items()]

    def _lock(self, uuid: str, key: bytes) -> Characteristic[bytes]:
        """Return the characteristic that says 1 once it was unlocked; the simulated device answers anyway."""
        said = bytearray(1)

        def write(_connection: Connection, value: bytes) -> None:
            said[0] = value == key

        value: AttributeValue[bytes] = AttributeValue(read=lambda _: bytes(said), write=write)
        return self._characteristic(
            uuid, Characteristic.Properties.READ | Characteristic.Properties.WRITE, value
        )

    def _characteristic(
        self, uuid: str, properties: Characteristic.Properties, value: AttributeValue[bytes]
    ) -> Characteristic[bytes]:
        permissions = Characteristic.READABLE | Characteristic.WRITEABLE
        notifies = bool(properties & Characteristic.Properties.NOTIFY)
        descriptors = [_refusing()] if notifies and "notify-refused" in self.faults else []
        return Characteristic(UUID(uuid), properties, permissions, value, descriptors)

    def _connected(self, connection: Connection) -> None:
        log.info("%s connected over Bluetooth", connection.peer_address.to_string(with_type_qualifier=False))
        self.connection = connection
        self._sender = asyncio.get_running_loop().create_task(self._send())
        self._port.attach(self._write, self._close)
        connection.on("disconnection", self._disconnected)
        self._schedule_loss()

    def _disconnected(self, _reason: int) -> None:
        log.info("the Bluetooth client left")
        self.connection = None
        self._end_client()

    def _end_client(self) -> None:
        self._port.detach()
        if self._loss is not None:
            self._loss.cancel()
        if self._sender is not None:
            self._sender.cancel()

    def _close(self) -> None:
        self._do(self.break_link())

    def _written(self, heeded: frozenset[WriteType], _connection: Connection, value: bytes) -> None:
        kind = self._write_types.popleft() if self._write_types else None
        if "pairing" in self.faults:
            raise ATT_Error(ErrorCode.INSUFFICIENT_AUTHENTICATION)
        if kind is None or kind in heeded:
            self._port.received(value)

    def _write(self, data: bytes) -> None:
        """Cut a frame into notifications."""
        if self.connection is None:
            return
        size = self.connection.att_mtu - 3
        if "cut-frames" in self.faults:
            data = data[:size]
        (every,) = self.faults.get("lost-notifications") or (0,)
        for at in range(0, len(data), size):
            self._notified += 1
            if not every or self._notified % every:
                self._outgoing.put_nowait(data[at : at + size])

    async def _send(self) -> None:
        while True:
            piece = await self._outgoing.get()
            connection = self.connection
            if connection is None:
                continue
            for characteristic in self._notifying:
                with contextlib.suppress(BaseBumbleError):  # the client left meanwhile
                    await self._device.notify_subscriber(connection, characteristic, piece)


def _refusing() -> Descriptor:
    """Return the descriptor that switches notifications on, refusing each write; else bumble adds one."""

    def refused(_connection: Connection, _value: bytes) -> None:
        raise ATT_Error(ErrorCode.WRITE_NOT_PERMITTED)

    value: AttributeValue[bytes] = AttributeValue(read=lambda _: b"\0\0", write=refused)
    permissions = Characteristic.READABLE | Characteristic.WRITEABLE
    return Descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, permissions, value)


def advertising_data(seen: Advertisement) -> tuple[bytes, bytes]:
    """Return the two packets of an advertisement; the name goes into the scan response where one is full."""
    first: list[tuple[int, bytes]] = [(AdvertisingData.FLAGS, _FLAGS)]
    short = [uuid[4:8] for uuid in seen.service_uuids if uuid.endswith(_BASE) and uuid.startswith("0000")]
    long = [uuid for uuid in seen.service_uuids if uuid[4:8] not in short or not uuid.endswith(_BASE)]
    if short:
        packed = b"".join(bytes.fromhex(digits)[::-1] for digits in short)
        first.append((AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, packed))
    if long:
        packed = b"".join(bytes.fromhex(uuid.replace("-", ""))[::-1] for uuid in long)
        first.append((AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, packed))
    for company, data in seen.manufacturer_data.items():
        first.append((AdvertisingData.MANUFACTURER_SPECIFIC_DATA, company.to_bytes(2, "little") + data))
    if seen.name:
        first.append((AdvertisingData.COMPLETE_LOCAL_NAME, seen.name.encode()[: _PACKET - 2]))
    second: list[tuple[int, bytes]] = []
    while len(first) > 1 and _size(first) > _PACKET:
        second.append(first.pop())
    return bytes(AdvertisingData(first)), bytes(AdvertisingData(second))


def _size(structures: list[tuple[int, bytes]]) -> int:
    return sum(2 + len(data) for _, data in structures)
