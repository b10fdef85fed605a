"""A bleak client that lets others watch what passes; packwire and aiobmsble connect through it alike."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, override

import bleak
from bleak.backends import BleakBackend
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak_retry_connector import establish_connection

from packwire.att import Opcode
from packwire.direction import Direction
from packwire.errors import UnreachableError
from packwire.event import Event, EventKind
from packwire.link.base import Listener
from packwire.link.ble.discovery import Seen
from packwire.link.ble.failures import FAILURES, code_of, no_connection, words_of
from packwire.link.ble.proxy import backend_of, wait_for_slot
from packwire.link.gatt_traffic import Attribute, GattConnected, GattObserver, Passed, ServiceTree
from packwire.visible import printable

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient

#: Seconds for everything from the first attempt to the list of services: the retry connector's own waits,
#: which may add up to minutes, are cut off.
CONNECT_TIMEOUT = 30.0
ATTEMPTS = 3
CLOSE_TIMEOUT = 5.0
#: Client Characteristic Configuration [Vol 3, Part G, 3.3.3.3].
CCCD = "00002902-0000-1000-8000-00805f9b34fb"


@dataclass(slots=True)
class Watch:
    """Who watches the clients that are made within `watched`, and the back end that these have.

    `observers` see the values that pass, `listeners` learn what happens: each try to connect, what is
    written and refused. `backend` None is bleak's own choice, or a proxy's; a recording has one of its own.
    """

    observers: list[GattObserver] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    backend: "type[BaseBleakClient] | None" = None


_current: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let clients that are made meanwhile be watched."""
    token = _current.set(watch)
    try:
        yield
    finally:
        _current.reset(token)


class ObservedClient(bleak.BleakClient):
    """A `bleak.BleakClient` that tells the observers of its watch what passes."""

    def __init__(
        self,
        address_or_ble_device: Any,
        disconnected_callback: Callable[[bleak.BleakClient], None] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self._watch = _current.get() or Watch()
        self._connected = False
        backend = self._watch.backend or backend_of(address_or_ble_device)
        if backend is not None:
            kwargs["backend"] = backend
        self._when_over = disconnected_callback
        super().__init__(address_or_ble_device, _told_over, *args, **kwargs)

    @override
    async def connect(self, **kwargs: Any) -> None:
        self._happens(EventKind.CONNECTING, "connecting")
        try:
            await super().connect(**kwargs)
        except FAILURES as error:
            late = isinstance(error, TimeoutError)
            self._failed(EventKind.FAILED, error, "connect-timeout" if late else "connect-failed")
            raise
        except UnreachableError as error:  # a proxy is connected, and does not say what the device has
            self._failed(EventKind.FAILED, error, "discovery-failed")
            raise
        self._connected = True
        mtu = self._mtu()
        self._happens(EventKind.CONNECTED, "connected", f"connected, MTU {mtu}", mtu=str(mtu))
        now = time.time_ns()
        if self._watch.observers:
            connected = GattConnected(now, self.address, self._mtu(), self._trees())
            for observer in self._watch.observers:
                observer.connected(connected)

    def _happens(self, kind: EventKind, code: str, words: str = "", **values: str) -> None:
        event = Event(kind, time.time_ns(), self.address, words=words, code=code, values=values)
        for listen in self._watch.listeners:
            listen(event)

    def _failed(self, kind: EventKind, error: BaseException, otherwise: str) -> None:
        code, values = code_of(error, otherwise)
        if code == "not-permitted" and otherwise == "notify-failed":  # that is said of writes
            code = otherwise
        self._happens(kind, code, words_of(error), **values)

    def over(self) -> None:
        """Tell, once, that the connection is over."""
        if self._connected:
            self._connected = False
            self._happens(EventKind.LOST, "disconnected", "the connection is over")
            for observer in self._watch.observers:
                observer.disconnected(time.time_ns())
        if self._when_over is not None:
            self._when_over(self)

    @override
    async def write_gatt_char(self, char_specifier: Any, data: Any, response: bool | None = None) -> None:
        found = self._characteristic(char_specifier)
        content = bytes(data)
        confirmed = response if response is not None else found is not None and "write" in found.properties
        handle = self._handle(found)
        self._tell(Direction.TO_DEVICE, Opcode.WRITE_REQ if confirmed else Opcode.WRITE_CMD, handle, content)
        mode = "with response" if confirmed else "without response"
        self._happens(EventKind.WRITTEN, "sent", f"{len(content)} bytes written {mode}", mode=mode)
        try:
            await super().write_gatt_char(char_specifier, data, response)
        except FAILURES as error:
            self._failed(EventKind.REFUSED, error, "write-failed")
            if isinstance(error, bleak.exc.BleakGATTProtocolError):
                self._tell_refused(Opcode.WRITE_REQ, handle, error)
            raise
        if confirmed:
            self._tell(Direction.FROM_DEVICE, Opcode.WRITE_RSP, handle)

    @override
    async def read_gatt_char(self, char_specifier: Any, **kwargs: Any) -> bytearray:
        return await self._read(
            self._handle(self._characteristic(char_specifier)), super().read_gatt_char, char_specifier, kwargs
        )

    @override
    async def read_gatt_descriptor(self, desc_specifier: Any, **kwargs: Any) -> bytearray:
        handle = getattr(desc_specifier, "handle", desc_specifier)
        return await self._read(handle, super().read_gatt_descriptor, desc_specifier, kwargs)

    async def _read(self, handle: int, read: Any, which: Any, kwargs: dict[str, Any]) -> bytearray:
        self._tell(Direction.TO_DEVICE, Opcode.READ_REQ, handle)
        try:
            value: bytearray = await read(which, **kwargs)
        except bleak.exc.BleakGATTProtocolError as error:
            self._tell_refused(Opcode.READ_REQ, handle, error)
            raise
        self._tell(Direction.FROM_DEVICE, Opcode.READ_RSP, handle, bytes(value))
        return value

    @override
    async def start_notify(self, char_specifier: Any, callback: Any, **kwargs: Any) -> None:
        found = self._characteristic(char_specifier)
        indicates = found is not None and "notify" not in found.properties
        opcode = Opcode.INDICATION if indicates else Opcode.NOTIFICATION
        handle = self._handle(found)

        def came(data: bytearray) -> None:
            self._tell(Direction.FROM_DEVICE, opcode, handle, bytes(data))
            if self._watch.listeners:
                self._happens(EventKind.NOTIFIED, "received", f"{len(data)} bytes came")

        def heard(sender: Any, data: bytearray) -> None:
            came(data)
            callback(sender, data)

        async def heard_later(sender: Any, data: bytearray) -> None:
            came(data)
            await callback(sender, data)

        later = inspect.iscoroutinefunction(callback)
        try:
            await super().start_notify(char_specifier, heard_later if later else heard, **kwargs)
        except FAILURES as error:
            self._failed(EventKind.REFUSED, error, "notify-failed")
            raise
        self._happens(EventKind.SUBSCRIBED, "subscribed")
        self._tell_subscribed(found, b"\2\0" if indicates else b"\1\0")

    @override
    async def stop_notify(self, char_specifier: Any) -> None:
        await super().stop_notify(char_specifier)
        self._tell_subscribed(self._characteristic(char_specifier), b"\0\0")

    def _tell(self, direction: Direction, opcode: Opcode, handle: int, value: bytes = b"") -> None:
        if self._watch.observers:
            passed = Passed(time.time_ns(), direction, opcode, handle, value)
            for observer in self._watch.observers:
                observer.passed(passed)

    def _tell_refused(self, request: Opcode, handle: int, error: Any) -> None:
        self._tell(Direction.FROM_DEVICE, Opcode.ERROR_RSP, handle, bytes((request, int(error.code) & 0xFF)))

    def _tell_subscribed(self, found: BleakGATTCharacteristic | None, value: bytes) -> None:
        if found is None:
            return
        own = (each.handle for each in found.descriptors if each.uuid == CCCD)
        handle = next(own, self._handle(found) + 1)
        self._tell(Direction.TO_DEVICE, Opcode.WRITE_REQ, handle, value)
        self._tell(Direction.FROM_DEVICE, Opcode.WRITE_RSP, handle)

    def _characteristic(self, which: Any) -> BleakGATTCharacteristic | None:
        if isinstance(which, BleakGATTCharacteristic):
            return which
        try:
            return self.services.get_characteristic(which)
        except (bleak.exc.BleakError, ValueError):  # the call itself will say what is wrong
            return None

    def _handle(self, found: BleakGATTCharacteristic | None) -> int:
        """Return the handle of a value; BlueZ counts from the declaration, which is just before it."""
        if found is None:
            return 0
        return found.handle + (self.backend_id is BleakBackend.BLUEZ_DBUS)

    def _mtu(self) -> int:
        sizes = [
            each.max_write_without_response_size for each in self.services.characteristics.values()
        ]  # BlueZ says its MTU by its characteristics alone
        return max(sizes, default=20) + 3

    def _trees(self) -> tuple[ServiceTree, ...]:
        services = sorted(self.services, key=lambda each: each.handle)
        ends = [each.handle - 1 for each in services[1:]] + [0xFFFF]
        return tuple(
            ServiceTree(
                Attribute(service.handle, service.uuid, end=end),
                tuple(
                    (
                        Attribute(self._handle(each), each.uuid, tuple(each.properties)),
                        tuple(Attribute(below.handle, below.uuid) for below in each.descriptors),
                    )
                    for each in sorted(service.characteristics, key=lambda each: each.handle)
                ),
            )
            for service, end in zip(services, ends, strict=True)
        )


def _told_over(client: bleak.BleakClient) -> None:
    if isinstance(client, ObservedClient):
        client.over()


def who(seen: Seen) -> str:
    """Return how a device is called in words for a user: name and address."""
    name = printable(seen.advertisement.name)
    return f"{name} ({seen.advertisement.address})" if name else seen.advertisement.address


async def connect(
    seen: Seen, watch: Watch, lost: Callable[[bleak.BleakClient], None], services: list[str] | None = None
) -> ObservedClient:
    """Connect within CONNECT_TIMEOUT; `services` are those that matter. Raises UnreachableError."""
    options: dict[str, Any] = {} if services is None else {"services": services}
    await wait_for_slot(seen.device)
    with watched(watch):
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await establish_connection(
                    ObservedClient,
                    seen.device,
                    seen.device.address,
                    disconnected_callback=lost,
                    max_attempts=ATTEMPTS,
                    **options,
                )
        except FAILURES as error:
            raise no_connection(error, who(seen), seen.advertisement.rssi, CONNECT_TIMEOUT) from error


async def disconnect(client: bleak.BleakClient) -> None:
    """End a connection, within CLOSE_TIMEOUT: one that cannot be ended is left to the system."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await client.disconnect()
    except FAILURES:
        return
