"""An ESPHome device with a Bluetooth proxy, on loopback: its native API, and the virtual air as its radio.

It does what ESPHome's bluetooth_proxy does: one client of its API at a time is given advertisements, the
state of the scanner and connections; whoever asks is told of the slots.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, Self

from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO
from aioesphomeapi.model import BluetoothProxyFeature
from bleak.assigned_numbers import CHARACTERISTIC_PROPERTIES
from bleak.backends.service import BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError
from cryptography.exceptions import InvalidTag
from noise.connection import NoiseConnection

from packwire.address import BluetoothProxy
from packwire.sim.air import Air
from packwire.sim.bleak_bumble import BumbleClient, BumbleScanner

pb: Any = import_module("aioesphomeapi.api_pb2")  # its classes are made as it is imported
NUMBERS = {kind: number for number, kind in MESSAGE_TYPE_TO_PROTO.items()}
ALL = (
    BluetoothProxyFeature.PASSIVE_SCAN
    | BluetoothProxyFeature.ACTIVE_CONNECTIONS
    | BluetoothProxyFeature.REMOTE_CACHING
    | BluetoothProxyFeature.PAIRING
    | BluetoothProxyFeature.CACHE_CLEARING
    | BluetoothProxyFeature.RAW_ADVERTISEMENTS
    | BluetoothProxyFeature.FEATURE_STATE_AND_MODE
)
#: With `active: false`.
PASSIVE = (
    BluetoothProxyFeature.PASSIVE_SCAN
    | BluetoothProxyFeature.RAW_ADVERTISEMENTS
    | BluetoothProxyFeature.FEATURE_STATE_AND_MODE
)
_BITS = {name: bit for bit, name in CHARACTERISTIC_PROPERTIES.items()}
#: ESP_GATT_ERROR
GATT_ERROR = 133


@dataclass
class Esphome:
    """What the device is like, to be spoilt. `held` are connections of somebody else's."""

    features: int = ALL
    api: tuple[int, int] = (1, 12)
    version: str = "2026.10.0"
    name: str = "esp32-garage"
    key: bytes | None = None
    slots: int = 3
    held: list[int] = field(default_factory=list)
    tells_slots: bool = True
    taken: bool = False
    """Another client has its Bluetooth, and keeps it, as before 2026.7."""
    had_by: str = ""
    """Another client has its Bluetooth, and loses it to the newest."""
    deaf: bool = False
    connect_error: int = 0
    """Every connection fails with this."""
    ignores_connect: bool = False
    hides_services: bool = False


class FakeProxy:
    """Serves an `Esphome` on a free port; use as an async context manager."""

    def __init__(self, esphome: Esphome, air: Air | None = None) -> None:
        self.esphome = esphome
        self._air = air
        self.clients: list[_Client] = []
        self.subscriber: _Client | None = None
        self.connected: dict[int, BumbleClient] = {}
        self.asked: list[str] = []
        """The names of all messages that came."""

    async def __aenter__(self) -> Self:
        if self._air is not None:
            central = await self._air.device("proxy")
            self.client_class = type("Client", (BumbleClient,), {"central": central, "longest_connect": 2})
            scanner = type("Scanner", (BumbleScanner,), {"central": central})
            self._scanner = scanner(self._heard, None)
            await self._scanner.start()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for client in tuple(self.clients):
            client.task.cancel()
        await asyncio.gather(*(client.task for client in tuple(self.clients)), return_exceptions=True)
        if self._air is not None:
            await self._scanner.stop()

    def proxy(self, key: bytes | None = None, *, takes: bool = True) -> BluetoothProxy:
        """Return where it is, with a key."""
        secret = base64.b64encode(key).decode() if key else None
        return BluetoothProxy("127.0.0.1", self.port, takes, secret)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        client = _Client(self, reader, writer, task)
        self.clients.append(client)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await client.serve()
        finally:
            self.clients.remove(client)
            if self.subscriber is client:
                self.subscriber = None
                for address in tuple(self.connected):
                    await self.connected.pop(address).disconnect()
            writer.close()

    def _heard(self, device: Any, data: Any) -> None:
        if self.subscriber is None or self.esphome.deaf:
            return
        said = data.platform_data[0]
        self.subscriber.send(
            pb.BluetoothLERawAdvertisementsResponse(
                advertisements=[
                    pb.BluetoothLERawAdvertisement(
                        address=number_of(device.address),
                        rssi=data.rssi,
                        address_type=0,
                        data=bytes(said.data),
                    )
                ]
            )
        )

    def free(self) -> Any:
        """Return what is told of the slots."""
        held = [*self.esphome.held, *self.connected]
        return pb.BluetoothConnectionsFreeResponse(
            free=self.esphome.slots - len(held), limit=self.esphome.slots, allocated=held
        )

    def lose(self) -> None:
        """End the API's connections without a word, as a device does that restarts."""
        for client in self.clients:
            client.writer.transport.abort()


class _Client:
    """One client of the API."""

    def __init__(
        self,
        server: FakeProxy,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: "asyncio.Task[Any]",
    ) -> None:
        self.server = server
        self.task = task
        self.reader = reader
        self.writer = writer
        self._noise: NoiseConnection | None = None

    async def serve(self) -> None:
        """Shake hands and answer until the client goes."""
        first = (await self.reader.readexactly(1))[0]
        key = self.server.esphome.key
        if first != (key is not None):
            said = b"\x01Bad indicator byte" if key else b"Bad indicator byte"
            self.writer.write((b"\x01" + len(said).to_bytes(2) if key else b"\x00") + said)
            await self.writer.drain()
            return
        if key is not None and not await self._shaken(key):
            return
        while True:
            number, content = await self._receive(first)
            first = -1
            message = MESSAGE_TYPE_TO_PROTO[number]()
            message.ParseFromString(content)
            name = type(message).__name__
            self.server.asked.append(name)
            if name == "DisconnectRequest":
                self.send(pb.DisconnectResponse())
                await self.writer.drain()
                return
            answer = self.ANSWERS.get(name)
            if answer is not None and (waits := answer(self, message)) is not None:
                await waits

    async def _shaken(self, key: bytes) -> bool:
        await self._frame(1)  # its hello is empty
        hello = await self._frame()
        noise = NoiseConnection.from_name(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256")
        noise.set_as_responder()
        noise.set_psks(key)
        noise.set_prologue(b"NoiseAPIInit\x00\x00")
        noise.start_handshake()
        self._write_frame(b"\x01" + self.server.esphome.name.encode() + b"\x00aabbccddeeff\x00")
        try:
            noise.read_message(hello[1:])
        except InvalidTag:
            self._write_frame(b"\x01Handshake MAC failure")
            await self.writer.drain()
            return False
        self._write_frame(b"\x00" + noise.write_message())
        self._noise = noise
        return True

    async def _frame(self, first: int = -1) -> bytes:
        if first < 0:
            await self.reader.readexactly(1)
        size = int.from_bytes(await self.reader.readexactly(2))
        return await self.reader.readexactly(size)

    def _write_frame(self, content: bytes) -> None:
        self.writer.write(b"\x01" + len(content).to_bytes(2) + content)

    async def _receive(self, first: int) -> tuple[int, bytes]:
        if self._noise is not None:
            said = self._noise.decrypt(await self._frame())
            return int.from_bytes(said[:2]), said[4:]
        if first < 0:
            await self.reader.readexactly(1)
        size = await self._varint()
        return await self._varint(), await self.reader.readexactly(size)

    async def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def send(self, message: Any) -> None:
        """Send a message, unless the client went."""
        content, number = message.SerializeToString(), NUMBERS[type(message)]
        if self.writer.is_closing():
            return
        if self._noise is not None:
            head = number.to_bytes(2) + len(content).to_bytes(2)
            self._write_frame(self._noise.encrypt(head + content))
        else:
            self.writer.write(b"\x00" + _varint(len(content)) + _varint(number) + content)

    def _greet(self, _: Any) -> None:
        esphome = self.server.esphome
        major, minor = esphome.api
        self.send(
            pb.HelloResponse(
                api_version_major=major, api_version_minor=minor, server_info="fake", name=esphome.name
            )
        )

    def _let_in(self, _: Any) -> None:
        self.send(pb.AuthenticationResponse())

    def _answer_ping(self, _: Any) -> None:
        self.send(pb.PingResponse())

    def _tell_device(self, _: Any) -> None:
        esphome = self.server.esphome
        self.send(
            pb.DeviceInfoResponse(
                name=esphome.name,
                mac_address="AA:BB:CC:DD:EE:FF",
                esphome_version=esphome.version,
                bluetooth_proxy_feature_flags=esphome.features,
                bluetooth_mac_address="AA:BB:CC:DD:EE:01" if esphome.features else "",
            )
        )

    def _subscribe(self, _: Any) -> None:
        if self.server.esphome.taken or self.server.subscriber not in {None, self}:
            return
        self.server.subscriber = self
        if self.server.esphome.had_by and "SubscribeLogsRequest" in self.server.asked:
            said = f"Subscription from packwire (127.0.0.1) replaces {self.server.esphome.had_by}"
            text = f"\x1b[0;33m[12:00:00][W][bluetooth_proxy:750]: {said}\x1b[0m"
            self.send(pb.SubscribeLogsResponse(level=pb.LOG_LEVEL_WARN, message=text.encode()))
        if self.server.esphome.features & BluetoothProxyFeature.FEATURE_STATE_AND_MODE:
            self.send(pb.BluetoothScannerStateResponse(state=pb.BLUETOOTH_SCANNER_STATE_RUNNING, mode=1))

    def _unsubscribe(self, _: Any) -> None:
        if self.server.subscriber is self:
            self.server.subscriber = None

    def _tell_slots(self, _: Any) -> None:
        if self.server.esphome.tells_slots:
            self.send(self.server.free())

    async def _take_device_request(self, said: Any) -> None:
        connected = self.server.connected
        if said.request_type == pb.BLUETOOTH_DEVICE_REQUEST_TYPE_DISCONNECT:
            client = connected.pop(said.address, None)
            if client is not None:
                await client.disconnect()
            self._tell(said.address, connected=False)
        elif self.server.subscriber is self and not self.server.esphome.ignores_connect:
            asyncio.get_running_loop().create_task(self._connect(said.address))

    async def _connect(self, address: int) -> None:
        esphome = self.server.esphome
        if esphome.connect_error or self.server.free().free <= 0:
            self._tell(address, connected=False, error=esphome.connect_error or GATT_ERROR)
            return

        def over() -> None:
            if self.server.connected.pop(address, None) is not None:
                self._tell(address, connected=False, error=0x13)

        client = self.server.client_class(address_of(address), disconnected_callback=over, timeout=2)
        try:
            await client.connect(pair=False)
        except (BleakError, TimeoutError):
            self._tell(address, connected=False, error=GATT_ERROR)
            return
        self.server.connected[address] = client
        self._tell(address, connected=True, mtu=client.mtu_size)

    def _tell(self, address: int, *, connected: bool, mtu: int = 0, error: int = 0) -> None:
        self.send(
            pb.BluetoothDeviceConnectionResponse(address=address, connected=connected, mtu=mtu, error=error)
        )
        self.send(self.server.free())

    def _tell_services(self, said: Any) -> None:
        if self.server.esphome.hides_services:
            return
        for service in self.server.connected[said.address].services or ():
            own = pb.BluetoothGATTService(uuid=_halves(service.uuid), handle=service.handle)
            for each in service.characteristics:
                told = own.characteristics.add(
                    uuid=_halves(each.uuid),
                    handle=each.handle,
                    properties=sum(_BITS[name] for name in each.properties),
                )
                for below in each.descriptors:
                    told.descriptors.add(uuid=_halves(below.uuid), handle=below.handle)
            self.send(pb.BluetoothGATTGetServicesResponse(address=said.address, services=[own]))
        self.send(pb.BluetoothGATTGetServicesDoneResponse(address=said.address))

    async def _read(self, said: Any) -> None:
        client = self.server.connected[said.address]
        with self._refusals(said):
            value = await client.read_gatt_char(self._characteristic(said))
            self.send(
                pb.BluetoothGATTReadResponse(address=said.address, handle=said.handle, data=bytes(value))
            )

    async def _write(self, said: Any) -> None:
        client = self.server.connected[said.address]
        with self._refusals(said):
            await client.write_gatt_char(self._characteristic(said), said.data, said.response)
            self.send(pb.BluetoothGATTWriteResponse(address=said.address, handle=said.handle))

    async def _write_descriptor(self, said: Any) -> None:
        client = self.server.connected[said.address]
        with self._refusals(said):
            found = self._services(said).get_descriptor(said.handle)
            assert found is not None
            await client.write_gatt_descriptor(found, said.data)
            self.send(pb.BluetoothGATTWriteResponse(address=said.address, handle=said.handle))

    async def _notify(self, said: Any) -> None:
        client = self.server.connected.get(said.address)
        if client is None:
            return

        def notified(data: bytearray) -> None:
            self.send(
                pb.BluetoothGATTNotifyDataResponse(address=said.address, handle=said.handle, data=bytes(data))
            )

        with self._refusals(said):
            if said.enable:
                await client.start_notify(self._characteristic(said), notified)
            else:
                await client.stop_notify(self._characteristic(said))
            self.send(pb.BluetoothGATTNotifyResponse(address=said.address, handle=said.handle))

    def _characteristic(self, said: Any) -> Any:
        return self._services(said).get_characteristic(said.handle)

    def _services(self, said: Any) -> BleakGATTServiceCollection:
        services = self.server.connected[said.address].services
        assert services is not None
        return services

    def _refusals(self, said: Any) -> "_Refusals":
        return _Refusals(self, said)

    #: What is done at each message; at others, nothing.
    ANSWERS: ClassVar[dict[str, Callable[["_Client", Any], Awaitable[None] | None]]] = {
        "HelloRequest": _greet,
        "AuthenticationRequest": _let_in,
        "PingRequest": _answer_ping,
        "DeviceInfoRequest": _tell_device,
        "SubscribeBluetoothLEAdvertisementsRequest": _subscribe,
        "UnsubscribeBluetoothLEAdvertisementsRequest": _unsubscribe,
        "SubscribeBluetoothConnectionsFreeRequest": _tell_slots,
        "BluetoothDeviceRequest": _take_device_request,
        "BluetoothGATTGetServicesRequest": _tell_services,
        "BluetoothGATTReadRequest": _read,
        "BluetoothGATTWriteRequest": _write,
        "BluetoothGATTWriteDescriptorRequest": _write_descriptor,
        "BluetoothGATTNotifyRequest": _notify,
    }


class _Refusals:
    """Tells the client what the device refuses."""

    def __init__(self, client: _Client, said: Any) -> None:
        self._client, self._said = client, said

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, BleakError | KeyError):
            return False
        code = int(error.code) if isinstance(error, BleakGATTProtocolError) else -1
        self._client.send(
            pb.BluetoothGATTErrorResponse(address=self._said.address, handle=self._said.handle, error=code)
        )
        return True


def _varint(value: int) -> bytes:
    content = bytearray()
    while value >= 0x80:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*content, value))


def _halves(uuid: str) -> tuple[int, int]:
    whole = int(uuid.replace("-", ""), 16)
    return whole >> 64, whole & (1 << 64) - 1


def number_of(address: str) -> int:
    """Return an address as the API writes it."""
    return int(address.replace(":", ""), 16)


def address_of(number: int) -> str:
    """Return an address as bleak writes it."""
    return ":".join(f"{each:02X}" for each in number.to_bytes(6))
