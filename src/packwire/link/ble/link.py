"""A device's GATT as a two-way stream: one characteristic is written, another notifies."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, override

from packwire.address import Address
from packwire.att import short_uuid
from packwire.direction import Direction
from packwire.errors import GoneError, NoAnswerError, NotAVescError, PackwireError, Reason
from packwire.event import EventKind
from packwire.link.base import Link, Receiver
from packwire.link.ble.discovery import Seen, find, identity_of
from packwire.link.ble.failures import FAILURES, broken
from packwire.link.ble.observed import ObservedClient, Watch, connect, disconnect, who
from packwire.link.ble.proxy import held
from packwire.link.ble.write_types import WriteTypeFinder
from packwire.protocol.base import Gatt, Protocol, WriteType

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.service import BleakGATTServiceCollection

SUBSCRIBE_TIMEOUT = 10.0
WRITE_TIMEOUT = 5.0
#: Bytes that fit into one write at the least: an MTU of 23.
_LEAST = 20
_MOST_WAITING = 256


class BleLink(Link):
    """A connection to a device by a protocol's GATT; `seen` saves looking for it.

    `on` is a connection that is there already, and stays when this ends; `place` is where on it is spoken,
    with the one way of writing that is tried.
    """

    preposition = "over"

    def __init__(
        self,
        address: Address,
        protocol: Protocol,
        seen: Seen | None = None,
        watch: Watch | None = None,
        *,
        on: ObservedClient | None = None,
        place: Gatt | None = None,
    ) -> None:
        super().__init__()
        self.address = address
        self.seen = seen
        self.watch = watch or Watch()
        self.name = f"Bluetooth {address.target}"
        self._protocol = protocol
        self._receiver: Receiver | None = None
        self._client: ObservedClient | None = None
        self._on, self._place = on, place
        self._notify_from: BleakGATTCharacteristic | None = None
        self._write_to: BleakGATTCharacteristic | None = None
        self._types: WriteTypeFinder | None = None
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(_MOST_WAITING)
        self._writer: asyncio.Task[None] | None = None
        self._held = contextlib.AsyncExitStack()

    @override
    def where(self, title: str) -> str:
        return f"Bluetooth, {title}"

    @override
    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.tell(EventKind.CONNECTING)
        try:
            await self._open()
        except PackwireError as error:
            await self.close()
            self.tell(EventKind.FAILED, error.reason, str(error))
            raise
        self.tell(EventKind.CONNECTED)

    async def _open(self) -> None:
        if self._on is None:
            await self._held.enter_async_context(held(self.address.radio))
        if self.seen is None:
            self.seen = await find(self.address.target, self.address.radio)
        self.identity = identity_of(self.seen.advertisement)
        self.device_name = self.seen.advertisement.name
        services = [each for gatt in self._protocol.gatt for each in gatt.services]
        self._client = self._on or await connect(self.seen, self.watch, self._lost, services)
        gatt = self._place or self.place_on(self._client.services)
        if gatt.write:
            self._write_to = _characteristic(self._client.services, gatt, gatt.write)
            self._types = None if self._place else self._type_finder(gatt)
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                self._notify_from = _characteristic(self._client.services, gatt, gatt.notify)
                await self._client.start_notify(self._notify_from, self._heard)
                await self._unlock(gatt)
        except FAILURES as error:
            raise broken(error, who(self.seen)) from error
        self._writer = asyncio.create_task(self._write_all())

    async def _unlock(self, gatt: Gatt) -> None:
        assert self._client is not None
        uuid, data = gatt.unlock or ("", b"")
        characteristic = _characteristic(self._client.services, gatt, uuid) if uuid else None
        if characteristic is not None:
            confirmed = "write" in characteristic.properties
            await self._client.write_gatt_char(characteristic, data, confirmed)

    def place_on(self, services: "BleakGATTServiceCollection") -> Gatt:
        """Return the first of the protocol's places that the device has. Raises NotAVescError."""
        for gatt in self._protocol.gatt:
            if all(_characteristic(services, gatt, uuid) for uuid in (gatt.notify, gatt.write) if uuid):
                return gatt
        wanted = ", ".join(short_uuid(gatt.service) for gatt in self._protocol.gatt)
        if not wanted:
            raise NotAVescError(
                f"{self._protocol.title} is not spoken over Bluetooth, as far as is known here"
            )
        raise NotAVescError(
            f"{self._who} has not the service {wanted} of a {self._protocol.title}: it speaks something "
            f"else; packwire explore ble://{self.address.target} shows what it has"
        )

    def _type_finder(self, gatt: Gatt) -> WriteTypeFinder:
        assert self._write_to is not None
        properties = self._write_to.properties
        usual = gatt.write_type
        if usual is None:
            without = "write-without-response" in properties
            usual = WriteType.WITHOUT_RESPONSE if without else WriteType.WITH_RESPONSE
        return WriteTypeFinder(f"{self.address.target}|{short_uuid(gatt.write)}", usual)

    @override
    def write(self, data: bytes) -> None:
        if self._writer is None or self._writer.done() or self._waiting.full():
            return
        for observe in self.observers:
            observe(Direction.TO_DEVICE, data)
        self._waiting.put_nowait(data)

    async def _write_all(self) -> None:
        """Write what waits, each in as many pieces as the connection wants."""
        while True:
            data = await self._waiting.get()
            try:
                async with asyncio.timeout(WRITE_TIMEOUT):
                    await self._write(data)
            except FAILURES as error:
                self._end(error)
                return

    async def _write(self, data: bytes) -> None:
        from bleak.exc import BleakGATTProtocolError  # noqa: PLC0415 - loaded already

        if self._client is None or self._write_to is None:
            return
        size = max(self._write_to.max_write_without_response_size, _LEAST)
        way = self._types.next() if self._types else self._place.write_type if self._place else None
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            try:
                await self._client.write_gatt_char(self._write_to, piece, way is WriteType.WITH_RESPONSE)
            except BleakGATTProtocolError:
                way = self._types.refused() if self._types else None
                if way is None:
                    raise
                await self._client.write_gatt_char(self._write_to, piece, way is WriteType.WITH_RESPONSE)

    def _heard(self, _: "BleakGATTCharacteristic", data: bytearray) -> None:
        content = bytes(data)
        if self._types is not None:
            self._types.answered()
        for observe in self.observers:
            observe(Direction.FROM_DEVICE, content)
        if self._receiver is not None:
            self._receiver.data_received(content)

    def _lost(self, _: "BleakClient") -> None:
        if self._client is not None:  # else the connection is only being made, and that will tell
            self._end(None)

    def _end(self, error: BaseException | None) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        why = None if error is None else broken(error, self._who)
        self.tell(EventKind.LOST, why.reason if why else Reason.CLOSED, str(why or ""))
        receiver.link_closed(why)

    @property
    def _who(self) -> str:
        return who(self.seen) if self.seen is not None else self.address.target

    @override
    async def close(self) -> None:
        was_open, self._receiver = self._receiver is not None, None
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        client, self._client = self._client, None
        if client is not None and self._on is not None:
            await self._unsubscribe(client)
        elif client is not None:
            await disconnect(client)
            if was_open:
                self.tell(EventKind.LEFT)
        await self._held.aclose()

    async def _unsubscribe(self, client: ObservedClient) -> None:
        if client.is_connected and self._notify_from is not None:
            with contextlib.suppress(*FAILURES):
                async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                    await client.stop_notify(self._notify_from)

    def dropped(self) -> None:
        """Learn that the connection which it was on is over."""
        self._end(None)

    @override
    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        if isinstance(error, PackwireError):
            return error
        when = "" if answered else " before it answered anything"
        return GoneError(f"{self._who} ended the connection{when}{self._weak()}; is it still on, and near?")

    @override
    async def explain_silence(self) -> PackwireError | None:
        title = self._protocol.title
        return NoAnswerError(
            f"{self._who} is connected, but answers nothing{self._weak()}. Is it a {title}, does it want a "
            "PIN (pin= in the address), or does an app use it? Switching it off and on may help"
        )

    def _weak(self) -> str:
        return "" if self.seen is None else self.seen.advertisement.weakness


def _characteristic(
    services: "BleakGATTServiceCollection", gatt: Gatt, uuid: str
) -> "BleakGATTCharacteristic | None":
    """Return a characteristic within the services: others may have one of the same UUID."""
    found = (
        each for service in services if service.uuid in gatt.services for each in service.characteristics
    )
    return next((each for each in found if each.uuid == uuid), None)
