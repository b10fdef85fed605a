"""A recorded Bluetooth device as a back end of bleak's: whoever reads a live pack reads it unchanged."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, override

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError

from packwire.capture.replay.bluetooth import CCCD, RecordedCharacteristic, RecordedDevice
from packwire.capture.replay.script import Due
from packwire.protocol.base import Gatt

#: Bytes of a write: recordings tell pieces, not what would have fitted.
_LARGEST_WRITE = 512


class ReplayedClient(BaseBleakClient):
    """A connection to a recorded device; `recorded` and `gatt` are set by `backend_of`."""

    recorded: RecordedDevice
    gatt: Sequence[Gatt]

    def __init__(self, address_or_ble_device: Any, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._connected = False
        self._heard: dict[int, Callable[[bytearray], None]] = {}
        self._playing: set[asyncio.Task[None]] = set()

    @property
    @override
    def name(self) -> str:
        return self.recorded.advertisement.name

    @property
    @override
    def mtu_size(self) -> int:
        return _LARGEST_WRITE + 3

    @property
    @override
    def is_connected(self) -> bool:
        return self._connected

    @override
    async def connect(self, pair: bool, **kwargs: Any) -> None:
        self.services = BleakGATTServiceCollection()
        handle = 0
        for uuid, characteristics in self.recorded.shaped(self.gatt):
            service = BleakGATTService(None, handle := handle - 1, uuid)
            self.services.add_service(service)
            for each in characteristics:
                self._add(service, each)
        self._connected = True

    def _add(self, service: BleakGATTService, each: RecordedCharacteristic) -> None:
        properties: Any = sorted(each.properties)
        own = BleakGATTCharacteristic(
            None, each.handle, each.uuid or CCCD, properties, lambda: _LARGEST_WRITE, service
        )
        self.services.add_characteristic(own)  # type: ignore[union-attr]
        if each.handle + 1 in self.recorded.cccd:
            self.services.add_descriptor(  # type: ignore[union-attr]
                BleakGATTDescriptor(None, each.handle + 1, CCCD, own)
            )

    @override
    async def disconnect(self) -> None:
        for task in list(self._playing):
            task.cancel()
        self._over()

    def _over(self) -> None:
        if self._connected:
            self._connected = False
            if self._disconnected_callback is not None:
                self._disconnected_callback()

    @override
    async def pair(self, *args: Any, **kwargs: Any) -> None:
        return

    @override
    async def unpair(self) -> None:
        return

    @override
    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **kwargs: Any) -> bytearray:
        answer = self.recorded.script.answer((characteristic.handle, "read"))
        if not answer:
            raise BleakError("the recording has no such value")
        return bytearray(answer[0].data)

    @override
    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **kwargs: Any) -> bytearray:
        return bytearray(2)

    @override
    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: Any, response: bool
    ) -> None:
        if not self._connected:
            raise BleakError("Not connected")
        self._ask((characteristic.handle, bytes(data)))

    @override
    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: Any) -> None:
        return

    @override
    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: Callable[[bytearray], None], **kwargs: Any
    ) -> None:
        self._heard[characteristic.handle] = callback
        for handle in (characteristic.handle + 1, characteristic.handle + 2):
            if handle in self.recorded.cccd:
                self._ask((handle, b"\1\0"))
                return
        self._play(self.recorded.script.unasked)

    @override
    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self._heard.pop(characteristic.handle, None)

    def _ask(self, key: tuple[int, bytes]) -> None:
        answer = self.recorded.script.answer(key)
        if answer is None:
            asyncio.get_running_loop().call_soon(self._over)
        else:
            self._play(answer)

    def _play(self, answer: tuple[Due, ...]) -> None:
        if answer:
            task = asyncio.ensure_future(self._say(answer))
            self._playing.add(task)
            task.add_done_callback(self._playing.discard)

    async def _say(self, answer: tuple[Due, ...]) -> None:
        for due in answer:
            await asyncio.sleep(due.after)
            heard = self._heard.get(due.handle)
            if heard is not None and self._connected:
                heard(bytearray(due.data))


def backend_of(recorded: RecordedDevice, gatt: Sequence[Gatt]) -> type[BaseBleakClient]:
    """Return the back end that plays a recorded device to whoever speaks `gatt`."""
    return type("ReplayedDevice", (ReplayedClient,), {"recorded": recorded, "gatt": gatt})
