"""Finding devices by what they advertise: all that are in the air for some seconds, or one of them."""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import bleak
from bleak.backends import BleakBackend
from bleak.exc import BleakDBusError

from packwire.address import BluetoothProxy, Radio, is_bluetooth_address
from packwire.advertisement import Advertisement
from packwire.errors import BadAddressError, Reason, UnreachableError
from packwire.link.ble.failures import FAILURES, no_scan
from packwire.link.ble.proxy import listening
from packwire.visible import printable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

#: Seconds; packs that save power advertise every few seconds.
FIND_TIMEOUT = 10.0
#: Seconds from the first advertisement until all that it and its scan response say is there.
GRACE = 1.5
START_TIMEOUT = 10.0
STOP_TIMEOUT = 5.0
#: Another program that just starts or ends a scan of its own is over soon.
_BUSY_TRIES, _BUSY_PAUSE = 4, 0.7
#: Devices that are kept of one scan: anybody may advertise as any number of them.
MOST_SEEN = 1024
#: What BlueZ says where it knows no strength.
_NO_RSSI = -127
_SYSTEM_ADAPTER = re.compile(r"hci\d{1,3}")
_NAMED_AS_SEEN = 5
#: Advertisements of one device whose strength is kept.
_MOST_STRENGTHS = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """A device that was seen: what bleak connects to, and what it advertises.

    `connected` tells that this computer is connected to it already: by another program, or since one ended
    without closing.
    """

    device: "BLEDevice"
    advertisement: Advertisement
    connected: bool = False


def identity_of(seen: Advertisement) -> str:
    """Return what names a Bluetooth device in the world: `ble-a4c138000001`."""
    return f"ble-{seen.address.replace(':', '').lower()}"


class _Air:
    """What is seen while a scanner runs."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.strengths: dict[str, list[int]] = {}
        """dBm of each advertisement of a device."""
        self.connectable: dict[str, bool] = {}
        """Where the system tells it."""
        self.heard = asyncio.Event()

    def take(self, device: "BLEDevice", data: "AdvertisementData") -> None:
        """Take an advertisement: a detection callback of bleak's."""
        earlier = self.seen.get(device.address)
        if earlier is None and len(self.seen) >= MOST_SEEN:
            return
        said = _advertisement(device, data, earlier.advertisement if earlier else None)
        self.seen[device.address] = Seen(device, said)
        now = time.monotonic()
        self.first.setdefault(device.address, now)
        self.last[device.address] = now
        strengths = self.strengths.setdefault(device.address, [])
        if said.rssi is not None and len(strengths) < _MOST_STRENGTHS:
            strengths.append(said.rssi)
        connectable = _connectable(data.platform_data)
        if connectable is not None:
            self.connectable[device.address] = connectable or self.connectable.get(device.address, False)
        self.heard.set()


def _advertisement(
    device: "BLEDevice", data: "AdvertisementData", earlier: Advertisement | None
) -> Advertisement:
    """Join an advertisement with those before it: name and services may come in the scan response alone."""
    before = earlier or Advertisement(device.address)
    return replace(
        before,
        # Spaces at the beginning belong to it: RoyPow's packs are known by one.
        name=(data.local_name or "").rstrip("\0 ") or before.name,
        rssi=before.rssi if data.rssi in {None, _NO_RSSI} else data.rssi,
        service_uuids=tuple(dict.fromkeys((*before.service_uuids, *map(str.lower, data.service_uuids)))),
        manufacturer_data={**before.manufacturer_data, **data.manufacturer_data},
        service_data={**before.service_data, **data.service_data},
    )


@asynccontextmanager
async def _scanning(radio: Radio) -> "AsyncGenerator[tuple[_Air, Any | None]]":
    """Listen, with bounded waits at both ends, by bleak's scanner or by a proxy, which has none.

    Raises UnreachableError where there is no Bluetooth.
    """
    air = _Air()
    if isinstance(radio, BluetoothProxy):
        async with listening(radio, air.take):
            yield air, None
        return
    scanner = bleak.BleakScanner(air.take, bluez=_bluez(radio))
    for attempt in range(_BUSY_TRIES):
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await scanner.start()
            break
        except FAILURES as error:
            busy = isinstance(error, BleakDBusError) and error.dbus_error == "org.bluez.Error.InProgress"
            if not busy or attempt == _BUSY_TRIES - 1:
                raise no_scan(error, radio) from error
            await asyncio.sleep(_BUSY_PAUSE)
    try:
        yield air, scanner
    finally:
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await scanner.stop()
        except FAILURES:  # an adapter that was unplugged no longer scans either
            pass


def _bluez(adapter: str) -> Any:
    if not adapter or not _is_default_backend():
        return {}
    if not _SYSTEM_ADAPTER.fullmatch(adapter):
        raise BadAddressError(f"{adapter} is no adapter of this system, such as hci1")
    return {"adapter": adapter}


def _is_default_backend() -> bool:
    chosen: Any = getattr(bleak, "get_platform_scanner_backend_type")()  # noqa: B009 - it is no export
    return isinstance(chosen[1], BleakBackend)


async def scan(seconds: float, radio: Radio = "") -> list[Seen]:
    """Return what is in the air within some seconds, the strongest first. Raises UnreachableError."""
    async with _scanning(radio) as (air, _):
        await asyncio.sleep(seconds)
    return sorted(air.seen.values(), key=_strength)


def _strength(seen: Seen) -> tuple[int, str]:
    return -(seen.advertisement.rssi or _NO_RSSI), seen.advertisement.address


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a device was heard: `seen` None is not at all.

    `times` are its advertisements within `seconds`, `strengths` theirs in dBm, `age` is for how long (s) the
    last one was past. `connectable` None: the system does not tell. `others` are all others, the strongest
    first.
    """

    seen: Seen | None
    seconds: float
    times: int = 0
    strengths: tuple[int, ...] = ()
    age: float = 0.0
    connectable: bool | None = None
    others: tuple[Seen, ...] = ()


async def hear(
    target: str, radio: Radio, seconds: float, enough: Callable[[Advertisement, int], bool]
) -> Hearing:
    """Listen for a device by its address or name, until it said `enough` in so many advertisements.

    Raises UnreachableError where nothing can be listened for.
    """
    begun = time.monotonic()
    async with _scanning(radio) as (air, scanner):
        held = await _known_as_connected(target, scanner)
        while held is None and (left := begun + seconds - time.monotonic()) > 0:
            found = _wanted(target, air)
            if found is not None and enough(
                found.advertisement, len(air.strengths.get(found.device.address, ()))
            ):
                break
            air.heard.clear()
            try:
                async with asyncio.timeout(left):
                    await air.heard.wait()
            except TimeoutError:
                break
    listened = time.monotonic() - begun
    found = held or _wanted(target, air)
    others = [each for each in air.seen.values() if each is not found]
    others.sort(key=_strength)
    if found is None or held is not None:
        return Hearing(found, listened, others=tuple(others))
    address = found.device.address
    strengths = air.strengths[address]
    age = time.monotonic() - air.last[address]
    return Hearing(
        found,
        listened,
        max(len(strengths), 1),
        tuple(strengths),
        age,
        air.connectable.get(address),
        tuple(others),
    )


def _connectable(platform_data: object) -> bool | None:
    """Return whether a system says that an advertisement may be connected to; BlueZ does not."""
    if isinstance(platform_data, tuple):
        return next((said for each in platform_data if (said := _connectable(each)) is not None), None)
    if isinstance(platform_data, dict):
        said = platform_data.get("kCBAdvDataIsConnectable")
        return None if said is None else bool(said)
    said = getattr(platform_data, "is_connectable", None)
    return said if isinstance(said, bool) else None


async def find(
    target: str,
    radio: Radio = "",
    *,
    enough: Callable[[Advertisement], bool] = lambda _: True,
    timeout: float | None = None,  # noqa: ASYNC109 - the error tells it
) -> Seen:
    """Return a device by its address or its name, as soon as it said `enough`, or GRACE after it was heard.

    Raises UnreachableError, which names what was seen instead.
    """
    loop = asyncio.get_running_loop()
    timeout = FIND_TIMEOUT if timeout is None else timeout
    deadline = loop.time() + timeout
    async with _scanning(radio) as (air, scanner):
        if known := await _known_as_connected(target, scanner):
            return known
        while (wait := deadline - loop.time()) > 0:
            found = _wanted(target, air)
            if found is not None:
                left = air.first[found.device.address] + GRACE - time.monotonic()
                if enough(found.advertisement) or left <= 0:
                    return found
                wait = min(wait, left)
            air.heard.clear()
            try:
                async with asyncio.timeout(wait):
                    await air.heard.wait()
            except TimeoutError:
                continue
        if found := _wanted(target, air):
            return found
    raise _not_seen(target, air, timeout)


def _wanted(target: str, air: _Air) -> Seen | None:
    """Return the device that is meant; of several with one name the strongest."""
    if is_bluetooth_address(target):
        return air.seen.get(target) or next(
            (each for each in air.seen.values() if each.device.address.upper() == target), None
        )
    named = [each for each in air.seen.values() if each.advertisement.name.strip() == target.strip()]
    return min(named, key=_strength, default=None)


async def _known_as_connected(target: str, scanner: Any | None) -> Seen | None:
    """Return a device that BlueZ is connected to already: it advertises no longer, so no scan shows it."""
    if (
        scanner is None
        or scanner.backend_id is not BleakBackend.BLUEZ_DBUS
        or not is_bluetooth_address(target)
    ):
        return None
    from bleak_retry_connector import get_device  # noqa: PLC0415 - BlueZ alone
    from bleak_retry_connector.bluez import get_connected_devices  # noqa: PLC0415

    device = await get_device(target)
    if device is None or not (connected := await get_connected_devices(device)):
        return None
    props = connected[0].details["props"]
    said = Advertisement(
        address=connected[0].address,
        name=props.get("Name", ""),
        service_uuids=tuple(props.get("UUIDs", ())),
        manufacturer_data={key: bytes(value) for key, value in props.get("ManufacturerData", {}).items()},
        service_data={key: bytes(value) for key, value in props.get("ServiceData", {}).items()},
    )
    return Seen(connected[0], said, connected=True)


def _not_seen(target: str, air: _Air, seconds: float) -> UnreachableError:
    """Say what was seen instead: the strongest by name."""
    shown = [
        f"{printable(each.advertisement.name) or each.advertisement.address} ({each.advertisement.rssi} dBm)"
        for each in sorted(air.seen.values(), key=_strength)
    ]
    others = len(shown) - _NAMED_AS_SEEN
    more = f" and {others} more" if others > 0 else ""
    instead = f"seen were {', '.join(shown[:_NAMED_AS_SEEN])}{more}" if shown else "nothing else was seen"
    return UnreachableError(
        f"{printable(target)} was not seen within {seconds:g} s; {instead}. Is it on, near, and not "
        "connected to an app? A pack that is connected is not seen by others",
        reason=Reason.NOT_THERE,
    )
