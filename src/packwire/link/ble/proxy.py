"""Bluetooth through an ESPHome device: its advertisements, its slots, and connections by its native API.

aioesphomeapi speaks the API, bleak-esphome is bleak's back end over it; both are loaded for a proxy alone.
One connection to an ESPHome device serves all that listen and connect through it: it gives its Bluetooth to
one client of its API at a time. Since 2026.7 that is the newest, and the one before, such as Home Assistant,
hears nothing more through it and is not told so [esphome pull request 17423]: it is only taken from others
where the user said so. Of its slots it tells everybody.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partialmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from packwire.address import BluetoothProxy, Radio
from packwire.errors import Reason, UnreachableError, missing_extra
from packwire.link.ble.proxy_failures import services_in_time, told_as_of_bluez, unreachable
from packwire.visible import printable

if TYPE_CHECKING:
    from aioesphomeapi.client import APIClient
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData
    from bleak_esphome.backend.device import ESPHomeBluetoothDevice

#: Seconds for its name, which it may have to tell itself (mDNS); for a connection and a handshake.
RESOLVE_TIMEOUT, OPEN_TIMEOUT = 8.0, 10.0
#: Seconds for what it says of its slots and its scanner; it does so at once.
SAID_TIMEOUT = 2.0
#: Seconds for a connection that just ends.
SLOT_TIMEOUT = 3.0
CLOSE_TIMEOUT = 3.0
#: What it is called in the ESPHome device's own log.
_CLIENT = "packwire"
#: How a base64 key of 32 bytes looks.
_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")
#: What it logs where its Bluetooth goes from one client to another.
_REPLACES = re.compile(rf"Subscription from {_CLIENT} .{{1,80}} replaces ([^\x1b]{{1,120}})")
_LONGEST_LINE = 400
#: ESPHome allows 31 characters of a name.
_LONGEST_NAME = 64
#: An ESP32 has nine at the most.
_MOST_SLOTS = 16

type Hears = Callable[["BLEDevice", "AdvertisementData"], None]


@dataclass(frozen=True, slots=True)
class Slots:
    """The connections that a proxy can hold: `held` are the addresses that have one, where it tells them."""

    free: int
    limit: int
    held: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class OpenProxy:
    """An ESPHome device whose API is open.

    `has_proxy`, `active` and `is_recent`: it has a Bluetooth proxy at all, one that makes connections, and a
    version of it that can be used for that (`sends_raw`: it sends advertisements as they are). `slots` None:
    it does not tell. `subscribed`: it gives its Bluetooth to this client; None where that was not asked for,
    or its version does not tell. `taken_from`: who had it before, as it logs that.
    """

    proxy: BluetoothProxy
    client: "APIClient"
    name: str = ""
    version: str = ""
    has_proxy: bool = False
    active: bool = False
    is_recent: bool = False
    sends_raw: bool = False
    slots: Slots | None = None
    subscribed: bool | None = None
    taken_from: str = ""
    lost: bool = False
    hears: set[Hears] = field(default_factory=set)
    over: set[Callable[[], None]] = field(default_factory=set)
    """Told that the API is closed by the other end."""
    holders: int = 0
    backend: "type[BaseBleakClient] | None" = None
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _bluetooth: "ESPHomeBluetoothDevice | None" = None

    async def open(self) -> None:
        """Connect, and ask for advertisements and slots. Raises UnreachableError."""
        from aioesphomeapi.core import APIConnectionError  # noqa: PLC0415 - an extra, and slow to import

        try:
            await self._resolve()
            async with asyncio.timeout(OPEN_TIMEOUT):
                await self.client.start_connection()
                await self.client.finish_connection(login=True)
                await self._look()
        except (APIConnectionError, OSError, TimeoutError, ValueError) as error:
            await self.close()
            raise unreachable(error, self.proxy) from error
        except BaseException:
            await self.close()
            raise

    async def _resolve(self) -> None:
        from aioesphomeapi.core import ResolveTimeoutAPIError  # noqa: PLC0415 - loaded already

        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT):
                await self.client.start_resolve_host(self._stopped, log_errors=False)
        except TimeoutError as error:
            raise ResolveTimeoutAPIError from error

    async def _look(self) -> None:
        from aioesphomeapi.model import APIVersion, BluetoothProxyFeature, LogLevel  # noqa: PLC0415
        from bleak_esphome.backend.client import ESPHomeClient, ESPHomeClientData  # noqa: PLC0415
        from bleak_esphome.backend.device import ESPHomeBluetoothDevice  # noqa: PLC0415

        info = await self.client.device_info()
        version = self.client.api_version or APIVersion()
        features = BluetoothProxyFeature(info.bluetooth_proxy_feature_flags_compat(version))
        self.name, self.version = (
            printable(each[:_LONGEST_NAME]) for each in (info.name, info.esphome_version)
        )
        self.has_proxy = bool(features)
        self.active = BluetoothProxyFeature.ACTIVE_CONNECTIONS in features
        # One that listens only has no use for services that are kept, and does not say that it keeps them.
        keeps = BluetoothProxyFeature.REMOTE_CACHING in features or not self.active
        self.sends_raw = BluetoothProxyFeature.RAW_ADVERTISEMENTS in features
        self.is_recent = keeps and self.sends_raw
        source = info.bluetooth_mac_address or info.mac_address
        self._bluetooth = ESPHomeBluetoothDevice(info.name, source, available=True)
        scanner: Any = _NeverPaused()
        data = ESPHomeClientData(self._bluetooth, self.client, info, version, info.name, scanner, self.over)
        made = partialmethod(ESPHomeClient.__init__, client_data=data)
        self.backend = type(
            "ProxiedClient", (ESPHomeClient,), {"__init__": made, **told_as_of_bluez(ESPHomeClient)}
        )
        if not self.is_recent:
            return
        if self.active:
            self.client.subscribe_bluetooth_connections_free(self._slots)
        if self.proxy.takes:
            if BluetoothProxyFeature.FEATURE_STATE_AND_MODE in features:
                self.subscribed = False
                self.client.subscribe_bluetooth_scanner_state(self._scanner)
            self.client.subscribe_logs(self._logged, LogLevel.LOG_LEVEL_WARN)
            self.client.subscribe_bluetooth_le_raw_advertisements(self._heard)
        await self._wait_while(
            lambda: (self.active and self.slots is None) or self.subscribed is False, SAID_TIMEOUT
        )
        if self.lost:
            raise ConnectionResetError
        if self.slots is None:
            self._bluetooth.ble_connections_free = 1  # it is not known, and so it is tried

    def _scanner(self, _state: Any) -> None:
        """Take the scanner's state, which only the client is told that has the advertisements."""
        self.subscribed = True
        self._told.set()

    def _logged(self, said: Any) -> None:
        found = _REPLACES.search(said.message[:_LONGEST_LINE].decode(errors="replace"))
        if found is not None:
            self.taken_from = printable(found[1])

    def _slots(self, free: int, limit: int, held: list[int]) -> None:
        from bluetooth_data_tools import int_to_bluetooth_address  # noqa: PLC0415 - an extra

        if limit > 0:
            named = [each for each in held[:_MOST_SLOTS] if each]
            self.slots = Slots(free, limit, tuple(map(int_to_bluetooth_address, named)))
        if self._bluetooth is not None:
            self._bluetooth.async_update_ble_connection_limits(free, limit, held)
        self._told.set()

    def _heard(self, said: Any) -> None:
        from bleak.backends.device import BLEDevice  # noqa: PLC0415 - an extra
        from bleak.backends.scanner import AdvertisementData  # noqa: PLC0415
        from bluetooth_data_tools import int_to_bluetooth_address, parse_advertisement_data_bytes  # noqa: PLC0415

        for each in said.advertisements:
            name, uuids, service_data, manufacturer_data, power = parse_advertisement_data_bytes(each.data)
            details = {"source": str(self.proxy), "address_type": each.address_type, "proxy": self}
            device = BLEDevice(int_to_bluetooth_address(each.address), name, details)
            data = AdvertisementData(
                name, dict(manufacturer_data), dict(service_data), list(uuids), power, each.rssi, ()
            )
            for hears in tuple(self.hears):
                hears(device, data)

    async def _stopped(self, expected: bool) -> None:
        """Learn that the API is closed: so are all connections through it."""
        self.lost = True
        if expected and not self.holders:
            return
        if self._bluetooth is not None:
            self._bluetooth.async_set_unavailable()
        for over in tuple(self.over):
            over()
        self._told.set()

    @property
    def who(self) -> str:
        """Return how it is called in words for a user."""
        host = str(self.proxy)
        return f"{self.name} ({host})" if self.name and not host.startswith(self.name) else host

    @property
    def went(self) -> str:
        """Return what is told where it ends the connection to this program."""
        return f"the proxy {self.who} ended the connection: did it restart, or lose its Wi-Fi?"

    def refusal(self) -> UnreachableError | None:
        """Say why it answers and gives nobody its Bluetooth, if that is so."""
        if not self.has_proxy:
            return UnreachableError(
                f"{self.who} is an ESPHome device without Bluetooth proxy: add bluetooth_proxy: to its "
                "configuration",
                reason=Reason.NO_BLUETOOTH,
            )
        if not self.is_recent:
            return UnreachableError(
                f"{self.who} has ESPHome {self.version}, whose Bluetooth proxy is too old: update it",
                reason=Reason.NO_BLUETOOTH,
            )
        if not self.proxy.takes:
            return UnreachableError(
                f"{self.who} gives its Bluetooth to one program at a time: {self._had_by()}. With &take in "
                "the address (scan: --take) it is taken, and Home Assistant, if it has it, hears nothing "
                "through it until its ESPHome entry is reloaded",
                reason=Reason.NOT_ALLOWED,
            )
        if self.subscribed is False:
            return UnreachableError(
                f"{self.who} gives its Bluetooth to one program at a time, and another one has it, most "
                "often Home Assistant: disable the device there meanwhile, or take an ESP32 of its own",
                reason=Reason.BUSY,
            )
        return None

    def _had_by(self) -> str:
        if self.slots is not None and self.slots.held:
            return f"another one has it now, with connections to {', '.join(self.slots.held)}"
        return "another one may have it now"

    @property
    def remark(self) -> str:
        """Return whom it was taken from, with what to do; empty where nobody is known."""
        if not self.taken_from:
            return ""
        return f"{self.who} was taken from {self.taken_from}: reload its ESPHome entry there afterwards"

    async def settle_slots(self) -> None:
        """Wait for a free slot no longer than a connection takes that just ends: then `slots` tell."""
        await self._wait_while(lambda: self.slots is not None and self.slots.free <= 0, SLOT_TIMEOUT)

    async def _wait_while(self, holds: Callable[[], bool], seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while holds() and not self.lost:
                    self._told.clear()
                    await self._told.wait()

    async def wait_for_slot(self) -> None:
        """Wait until one more connection can be made: one may just be ending. Raises UnreachableError."""
        if not self.active:
            raise UnreachableError(
                f"the proxy {self.who} listens only: set active: true under bluetooth_proxy: in its "
                "configuration",
                reason=Reason.NO_BLUETOOTH,
            )
        await self.settle_slots()
        if self.lost:
            raise UnreachableError(self.went, reason=Reason.CLOSED)
        if self.slots is not None and self.slots.free <= 0:
            by = f" by {', '.join(self.slots.held)}" if self.slots.held else ""
            raise UnreachableError(
                f"the proxy {self.who} has no free slot: all {self.slots.limit} connections are taken{by}; "
                "end one, or add a proxy",
                reason=Reason.BUSY,
            )

    async def close(self) -> None:
        """Take leave of it: it ends what it holds for this client."""
        from aioesphomeapi.core import APIConnectionError  # noqa: PLC0415 - loaded already

        with suppress(APIConnectionError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self.client.disconnect()


class _NeverPaused:
    """What bleak-esphome wants of a scanner: to be told while a connection is made."""

    def connecting(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which nothing is done."""
        return nullcontext()


@dataclass(eq=False, slots=True)
class _Place:
    """Where an ESPHome device is, and its open API; it is opened by one at a time."""

    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened: OpenProxy | None = None


_PLACES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[BluetoothProxy, _Place]] = WeakKeyDictionary()


@asynccontextmanager
async def opened(proxy: BluetoothProxy) -> AsyncIterator[OpenProxy]:
    """Have the API of an ESPHome device open meanwhile, by the one connection that all share.

    Raises UnreachableError, MissingExtraError.
    """
    place = _PLACES.setdefault(asyncio.get_running_loop(), {}).setdefault(proxy, _Place())
    async with place.opening:
        if place.opened is None or place.opened.lost:
            found = _made(proxy)
            await found.open()
            place.opened = found
        found = place.opened
        found.holders += 1
    try:
        yield found
    finally:
        found.holders -= 1
        if found.holders == 0:
            if place.opened is found:
                place.opened = None
            await found.close()


def held(radio: Radio) -> AbstractAsyncContextManager[OpenProxy | None]:
    """Return what keeps a proxy's API open meanwhile, so that it is not opened anew for each step."""
    return opened(radio) if isinstance(radio, BluetoothProxy) else nullcontext(None)


@asynccontextmanager
async def listening(proxy: BluetoothProxy, hears: Hears) -> AsyncIterator[None]:
    """Hear what the proxy hears, meanwhile. Raises UnreachableError where it gives nothing."""
    async with opened(proxy) as found:
        if (error := found.refusal()) is not None:
            raise error
        found.hears.add(hears)
        try:
            yield
        except UnreachableError:
            if not found.lost:
                raise
        finally:
            found.hears.discard(hears)
        if found.lost:
            raise UnreachableError(found.went, reason=Reason.CLOSED)


def _made(proxy: BluetoothProxy) -> OpenProxy:
    if find_spec("aioesphomeapi") is None or find_spec("bleak_esphome") is None:
        raise missing_extra("proxies", "a Bluetooth proxy")
    from aioesphomeapi.client import APIClient  # noqa: PLC0415 - an extra, and slow to import

    if proxy.key is not None and not _KEY.fullmatch(proxy.key):
        raise UnreachableError(
            f"the key for {proxy} is none: it is 44 characters long, and stands in its configuration (api: "
            "encryption: key:)",
            reason=Reason.WRONG_PASSWORD,
        )
    for name in ("aioesphomeapi", "bleak_esphome"):  # what they warn of is told in words of our own
        log = logging.getLogger(name)
        if not log.handlers:
            log.addHandler(logging.NullHandler())
    client = type("Client", (APIClient,), services_in_time(APIClient, proxy))(
        proxy.host, proxy.port, None, client_info=_CLIENT, noise_psk=proxy.key, provide_time=False
    )
    return OpenProxy(proxy, client)


async def wait_for_slot(device: "BLEDevice") -> None:
    """Wait until a proxy that heard a device can connect; at once for all others. Raises UnreachableError."""
    if (found := _heard_by(device)) is not None:
        await found.wait_for_slot()


def backend_of(device: Any) -> "type[BaseBleakClient] | None":
    """Return by what bleak connects to a device that a proxy heard; None for all others."""
    return getattr(_heard_by(device), "backend", None)


def _heard_by(device: Any) -> OpenProxy | None:
    details = getattr(device, "details", None)
    found = details.get("proxy") if isinstance(details, dict) else None
    return found if isinstance(found, OpenProxy) else None
