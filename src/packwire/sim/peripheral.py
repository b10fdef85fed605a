"""A simulated device's Bluetooth: what it advertises, its GATT table, and the one client that it serves."""

import asyncio
import contextlib
import logging
from asyncio import CancelledError
from collections.abc import Sequence

from bumble import hci
from bumble.att import AttributeValue
from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, Descriptor, Service

from packwire.advertisement import Advertisement
from packwire.protocol.base import Gatt, WriteType
from packwire.sim.faults import Faults
from packwire.sim.port import Port
from packwire.sim.radio import Radio

log = logging.getLogger("packwire.sim")

INTERVAL = 100.0
"""ms between two advertisements."""
_PACKET = 31
"""Bytes that an advertisement and a scan response hold each."""
_FLAGS = b"\x06"
"""Generally discoverable, no classic Bluetooth."""
_BASE = "-0000-1000-8000-00805f9b34fb"
_WRITES = {
    WriteType.WITH_RESPONSE: Characteristic.Properties.WRITE,
    WriteType.WITHOUT_RESPONSE: Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
}


class Peripheral:
    """Serves the port of a simulated device over GATT: one client, as boards do.

    A frame is cut into notifications that the client's MTU holds. While a client is connected, nothing is
    advertised.
    """

    def __init__(self, port: Port, faults: Faults, radio: Radio) -> None:
        self.radio = radio
        self.connection: Connection | None = None
        self._port = port
        self._faults = faults
        self._device: Device
        self._notifying: list[Characteristic[bytes]] = []
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def start(self, device: Device) -> None:
        """Put the device on the air."""
        self._device = device
        device.gatt_server.max_mtu = self.radio.mtu
        device.add_services(self._services())
        device.on("connection", self._connected)
        advertising, response = advertising_data(self.radio.advertisement)
        await device.start_advertising(
            own_address_type=hci.OwnAddressType.PUBLIC,
            auto_restart=True,
            advertising_data=advertising,
            scan_response_data=response,
            advertising_interval_min=INTERVAL,
            advertising_interval_max=INTERVAL,
        )

    async def stop(self) -> None:
        """Leave the air."""
        if self.connection is not None:
            with contextlib.suppress(BaseBumbleError, CancelledError):
                await self.connection.disconnect()
        with contextlib.suppress(BaseBumbleError):
            await self._device.stop_advertising()
        await self._end_client()

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
        services = [self._service(gatt) for gatt in self.radio.gatt]
        return [*([Service(UUID.from_16_bits(0x180A), information)] if information else []), *services]

    def _service(self, gatt: Gatt) -> Service:
        notify = Characteristic.Properties.NOTIFY
        writes = Characteristic.Properties(0)
        for kind in WriteType if gatt.write_type is None else (gatt.write_type,):
            writes |= _WRITES[kind]
        value: AttributeValue[bytes] = AttributeValue(read=lambda _: b"", write=self._written)
        if gatt.write == gatt.notify:
            both = [self._characteristic(gatt.notify, notify | writes, value)]
            self._notifying += both
            return Service(UUID(gatt.service), both)
        characteristics = [self._characteristic(gatt.notify, notify, value)]
        self._notifying += characteristics
        if gatt.write:
            characteristics.append(self._characteristic(gatt.write, writes, value))
        return Service(UUID(gatt.service), characteristics)

    def _characteristic(
        self,
        uuid: str,
        properties: Characteristic.Properties,
        value: AttributeValue[bytes],
        descriptors: Sequence[Descriptor] = (),
    ) -> Characteristic[bytes]:
        permissions = Characteristic.READABLE | Characteristic.WRITEABLE
        return Characteristic(UUID(uuid), properties, permissions, value, descriptors)

    def _connected(self, connection: Connection) -> None:
        log.info("%s connected over Bluetooth", connection.peer_address.to_string(with_type_qualifier=False))
        self.connection = connection
        self._sender = asyncio.get_running_loop().create_task(self._send())
        self._port.attach(self._write, self._close)
        connection.on("disconnection", self._disconnected)

    def _disconnected(self, _reason: int) -> None:
        log.info("the Bluetooth client left")
        self.connection = None
        self._port.detach()
        if self._sender is not None:
            self._sender.cancel()

    async def _end_client(self) -> None:
        self._port.detach()
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
            self._sender = None

    def _close(self) -> None:
        if self.connection is not None:
            self._closing = asyncio.get_running_loop().create_task(self.break_link())

    def _written(self, _connection: Connection, value: bytes) -> None:
        self._port.received(value)

    def _write(self, data: bytes) -> None:
        """Cut a frame into notifications."""
        if self.connection is None:
            return
        size = self.connection.att_mtu - 3
        for at in range(0, len(data), size):
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
