"""A back end of bleak over bumble: what reads Bluetooth through bleak reads simulated devices, unmodified.

    async with Air() as air:
        with installed(await air.device("central")):
            async with BleakClient(address) as client: ...

Bumble's device may hang on a virtual air, on one in another process, or on a real adapter.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, override
from uuid import UUID
from weakref import WeakKeyDictionary

import bleak
from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName, gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from bleak.uuids import normalize_uuid_str
from bumble import hci
from bumble.att import ATT_Error
from bumble.core import AdvertisingData, BaseBumbleError
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy, ServiceProxy

BACKEND = "bumble"
MTU = 517
"""What is asked for; the device has its say."""
RESET_TIMEOUT = 5.0

#: Width in bytes of the UUIDs in each list of an advertisement, and of the UUID before service data.
_UUID_LISTS = {2: 2, 3: 2, 4: 4, 5: 4, 6: 16, 7: 16}
_SERVICE_DATA = {0x16: 2, 0x20: 4, 0x21: 16}


class _Central:
    """What the clients and scanners of one device share: who scans, whose turn it is to connect."""

    def __init__(self) -> None:
        self.connecting = asyncio.Lock()
        self.scanners = 0
        self.known: dict[str, hci.Address] = {}
        """Addresses that were heard, with their type; an address alone does not tell it."""


_CENTRALS: WeakKeyDictionary[Device, _Central] = WeakKeyDictionary()


def _central(device: Device) -> _Central:
    return _CENTRALS.setdefault(device, _Central())


class BumbleScanner(BaseBleakScanner):
    """Scans by a bumble device."""

    central: Device

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._scanning = False

    @override
    async def start(self) -> None:
        self.seen_devices = {}
        self.central.on("advertisement", self._heard)
        shared = _central(self.central)
        shared.scanners += 1
        self._scanning = True
        if shared.scanners == 1:
            with _as_bleak_errors():
                await self.central.start_scanning(active=self._active)

    @override
    async def stop(self) -> None:
        if not self._scanning:
            return
        self._scanning = False
        self.central.remove_listener("advertisement", self._heard)
        shared = _central(self.central)
        shared.scanners -= 1
        if shared.scanners == 0:
            with _as_bleak_errors():
                await self.central.stop_scanning()

    def _heard(self, advertisement: Advertisement) -> None:
        data = advertisement_data(advertisement.data, advertisement.rssi)
        address = advertisement.address.to_string(with_type_qualifier=False)
        _central(self.central).known[address] = advertisement.address
        earlier = self.seen_devices.get(address)
        if earlier is not None:
            data = _with_earlier(data, earlier[1])
        if not self.is_allowed_uuid(data.service_uuids):
            return
        data = data._replace(platform_data=(advertisement,))
        device = self.create_or_update_device(address, address, data.local_name, advertisement.address, data)
        self.call_detection_callbacks(device, data)


def advertisement_data(said: AdvertisingData, rssi: int) -> AdvertisementData:
    """Return an advertisement as bleak gives it; parts that are cut short are left out."""
    name: str | None = None
    uuids: dict[str, None] = {}
    manufacturer: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    power: int | None = None
    for kind, data in said.ad_structures:
        if kind in {8, 9}:
            name = data.decode("utf-8", "backslashreplace")
        elif width := _UUID_LISTS.get(kind):
            uuids |= {_uuid(data[at : at + width]): None for at in range(0, len(data) - width + 1, width)}
        elif kind == 0xFF and len(data) >= 2:
            manufacturer[int.from_bytes(data[:2], "little")] = data[2:]
        elif (width := _SERVICE_DATA.get(kind)) and len(data) >= width:
            service_data[_uuid(data[:width])] = data[width:]
        elif kind == 0x0A and data:
            power = int.from_bytes(data[:1], "little", signed=True)
    return AdvertisementData(name, manufacturer, service_data, list(uuids), power, rssi, ())


def _with_earlier(new: AdvertisementData, old: AdvertisementData) -> AdvertisementData:
    """Keep what an earlier packet said, as systems do: name and services may come in different packets."""
    return new._replace(
        local_name=new.local_name or old.local_name,
        manufacturer_data=old.manufacturer_data | new.manufacturer_data,
        service_data=old.service_data | new.service_data,
        service_uuids=list(dict.fromkeys((*old.service_uuids, *new.service_uuids))),
    )


def _uuid(little_endian: bytes) -> str:
    digits = little_endian[::-1].hex()
    return normalize_uuid_str(str(UUID(digits)) if len(digits) == 32 else digits)


class BumbleClient(BaseBleakClient):
    """A GATT client by a bumble device."""

    central: Device
    longest_connect: float | None = None
    """Seconds that a connection may take at most, whatever the caller says: tests need no patience."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None = None,
        services: set[str] | None = None,
        timeout: float = 10.0,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._device = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._wanted = None if services is None else {normalize_uuid_str(each) for each in services}
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._callbacks: dict[int, Callable[[bytes], None]] = {}

    @property
    @override
    def name(self) -> str:
        return (self._device.name if self._device else None) or self.address

    @property
    @override
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection is not None else 23

    @property
    @override
    def is_connected(self) -> bool:
        return self._connection is not None

    @override
    async def connect(self, pair: bool, **kwargs: Any) -> None:
        timeout = min(
            kwargs.get("timeout", self._timeout) or self._timeout, self.longest_connect or float("inf")
        )
        shared = _central(self.central)
        try:
            address = await self._address(shared, within=timeout)
            async with asyncio.timeout(timeout):
                async with shared.connecting:
                    connection = await self._connect(address)
                self._connection = connection
                connection.on("disconnection", self._disconnected)
                await self._discover(connection)
                if pair:
                    await self.pair()
        except BaseException:
            await self._give_up()
            raise

    async def _address(self, shared: _Central, within: float) -> hci.Address:
        if self._device is not None and isinstance(self._device.details, hci.Address):
            return self._device.details
        known = shared.known.get(self.address.upper())
        if known is None:
            found = await bleak.BleakScanner.find_device_by_address(self.address, within)
            if found is None:
                raise BleakDeviceNotFoundError(self.address, f"{self.address} was not found")
            known = found.details
        return known

    async def _connect(self, address: hci.Address) -> Connection:
        with _as_bleak_errors():
            try:
                return await self.central.connect_le(address, timeout=None)
            except asyncio.CancelledError:
                # Bumble leaves the controller at it, which would then refuse the next connection.
                with contextlib.suppress(BaseBumbleError, TimeoutError):
                    async with asyncio.timeout(RESET_TIMEOUT):
                        await self.central.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
                raise

    async def _discover(self, connection: Connection) -> None:
        with _as_bleak_errors():
            self._peer = peer = Peer(connection)
            await peer.request_mtu(MTU)
            await peer.discover_services()
            services = BleakGATTServiceCollection()
            for service in peer.services:
                if self._wanted is None or _long(service.uuid) in self._wanted:
                    await self._discover_service(peer, service, services)
            self.services = services

    async def _discover_service(
        self, peer: Peer, found: ServiceProxy, services: BleakGATTServiceCollection
    ) -> None:
        service = BleakGATTService(found, found.handle, _long(found.uuid))
        services.add_service(service)
        for each in await peer.discover_characteristics(service=found):
            characteristic = BleakGATTCharacteristic(
                each,
                each.handle,
                _long(each.uuid),
                _properties(int(each.properties)),
                lambda: self.mtu_size - 3,
                service,
            )
            services.add_characteristic(characteristic)
            for descriptor in await peer.discover_descriptors(each):
                services.add_descriptor(
                    BleakGATTDescriptor(descriptor, descriptor.handle, _long(descriptor.type), characteristic)
                )

    @override
    async def disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(BaseBumbleError, asyncio.CancelledError):
                await self._connection.disconnect()
            self._disconnected(0)

    async def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        self._peer = None
        if connection is not None:
            connection.remove_listener("disconnection", self._disconnected)
            with contextlib.suppress(BaseBumbleError, asyncio.CancelledError):
                await connection.disconnect()

    def _disconnected(self, _reason: int) -> None:
        if self._connection is None:
            return
        self._connection = self._peer = None
        self._callbacks.clear()
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    @override
    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        with _as_bleak_errors():
            await self._live.connection.pair()

    @override
    async def unpair(self) -> None:
        raise BleakError("unpairing is not simulated")

    @property
    def _live(self) -> Peer:
        if self._peer is None:
            raise BleakError("Not connected")
        return self._peer

    @override
    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        with _as_bleak_errors():
            return bytearray(await self._live.read_value(characteristic.obj))

    @override
    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        with _as_bleak_errors():
            return bytearray(await self._live.read_value(descriptor.obj))

    @override
    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        value = bytes(data)
        if not response and len(value) > self.mtu_size - 3:
            raise BleakError(f"{len(value)} bytes are more than a write without response holds")
        with _as_bleak_errors():
            await self._live.write_value(characteristic.obj, value, with_response=response)

    @override
    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        with _as_bleak_errors():
            await self._live.write_value(descriptor.obj, bytes(data), with_response=True)

    @override
    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        def notified(value: bytes) -> None:
            callback(bytearray(value))

        proxy: CharacteristicProxy[bytes] = characteristic.obj
        self._callbacks[characteristic.handle] = notified
        with _as_bleak_errors():
            await self._live.subscribe(proxy, notified)

    @override
    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        notified = self._callbacks.pop(characteristic.handle, None)
        with _as_bleak_errors():
            await self._live.unsubscribe(characteristic.obj, notified)


def _properties(said: int) -> list[CharacteristicPropertyName]:
    """Return the names of a characteristic's properties, in the order of their bits."""
    return [name for bit in range(8) for name in gatt_char_props_to_strs(said & 1 << bit)]


def _long(uuid: Any) -> str:
    """Return a UUID of bumble's in its long form."""
    return _uuid(uuid.to_bytes(force_128=True))


@contextlib.contextmanager
def _as_bleak_errors() -> Iterator[None]:
    """Raise bleak's errors for bumble's."""
    try:
        yield
    except ATT_Error as error:
        try:
            code = BleakGATTProtocolErrorCode(error.error_code)
        except ValueError:
            raise BleakError(f"ATT error 0x{error.error_code:02x}") from error
        raise BleakGATTProtocolError(code) from error
    except BumbleTimeoutError as error:
        raise TimeoutError(str(error)) from error
    except BaseBumbleError as error:
        raise BleakError(str(error)) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Bumble cancels what waits for a reply when the connection goes.
        raise BleakError("Disconnected") from error


@contextlib.contextmanager
def installed(central: Device, *, longest_connect: float | None = None) -> Iterator[None]:
    """Let bleak reach what `central` reaches, until the context ends; whatever imported bleak before."""
    client = type("Client", (BumbleClient,), {"central": central, "longest_connect": longest_connect})
    scanner = type("Scanner", (BumbleScanner,), {"central": central})
    module: Any = bleak
    earlier = module.get_platform_client_backend_type, module.get_platform_scanner_backend_type
    module.get_platform_client_backend_type = lambda: (client, BACKEND)
    module.get_platform_scanner_backend_type = lambda: (scanner, BACKEND)
    try:
        yield
    finally:
        module.get_platform_client_backend_type, module.get_platform_scanner_backend_type = earlier
