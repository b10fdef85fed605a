"""What a Bluetooth device has and says: services, values, notifications; where it may be spoken with."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from bleak.uuids import uuid16_dict, uuid128_dict

from packwire.link.ble.failures import FAILURES, words_of
from packwire.link.ble.observed import ObservedClient
from packwire.protocol.base import Gatt, Protocol, WriteType

if TYPE_CHECKING:
    from bleak.backends.characteristic import BleakGATTCharacteristic

#: Seconds for one value: reading one that wants pairing may take the system long.
READ_TIMEOUT = 3.0
SUBSCRIBE_TIMEOUT = 5.0
#: Attributes that are looked at, and notifications that are kept of one characteristic.
MOST_ATTRIBUTES, MOST_KEPT = 256, 64
#: Characters of why there is no value: it stands on one line with it.
_SHOWN = 80
_BASE: Final = "-0000-1000-8000-00805f9b34fb"
#: Services that say how a device is managed, updated or how full a small battery is: no BMS speaks there
#: [Assigned Numbers, 3.4; UUIDs of Nordic's, TI's and Silicon Labs' update services].
NOT_SPOKEN: Final = frozenset(
    f"0000{each}{_BASE}" for each in ("1800", "1801", "180a", "180f", "1804", "1805", "fe59", "fe58")
) | {
    "1d14d6ee-fd63-4fa1-bfa4-8f47b42119f0",
    "f000ffc0-0451-4000-b000-000000000000",
    "00001530-1212-efde-1523-785feabcd123",
    "8e400001-f315-4f60-9fb8-838830daea50",
}


@dataclass(slots=True)
class Described:
    """A descriptor with its value; `refused` says why there is none."""

    handle: int
    uuid: str
    value: bytes | None = None
    refused: str = ""


@dataclass(slots=True)
class Characteristic:
    """A characteristic: what can be done with it, its value, and what it notified."""

    handle: int
    uuid: str
    properties: tuple[str, ...]
    descriptors: list[Described] = field(default_factory=list)
    value: bytes | None = None
    refused: str = ""
    heard: list[bytes] = field(default_factory=list)
    notifications: int = 0

    @property
    def notifies(self) -> bool:
        """Tell whether it says something of its own accord."""
        return bool({"notify", "indicate"} & set(self.properties))

    @property
    def writable(self) -> bool:
        """Tell whether it can be written to."""
        return bool({"write", "write-without-response"} & set(self.properties))


@dataclass(slots=True)
class Service:
    """A service with its characteristics."""

    handle: int
    uuid: str
    characteristics: list[Characteristic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LikelyPair:
    """A pair by which the device may be spoken with; `why` says what speaks for it.

    Of devices that only send, and whose model is known, it is what notifies alone.
    """

    gatt: Gatt
    why: str


def name_of(uuid: str) -> str:
    """Return what the Bluetooth SIG, or its maker, calls a UUID; empty where it is nobody's known."""
    if uuid.endswith(_BASE) and uuid.startswith("0000"):
        return uuid16_dict.get(int(uuid[4:8], 16), "")
    return uuid128_dict.get(uuid, "")


async def look_at(client: ObservedClient) -> list[Service]:
    """Read everything that can be read. Values that are refused, or do not come in time, say so."""
    services, left = [], MOST_ATTRIBUTES
    for each in sorted(client.services, key=lambda each: each.handle):
        service = Service(each.handle, each.uuid)
        services.append(service)
        for own in sorted(each.characteristics, key=lambda own: own.handle):
            if left <= 0:
                return services
            left -= 1 + len(own.descriptors)
            service.characteristics.append(await _looked_at(client, own))
    return services


async def _looked_at(client: ObservedClient, own: "BleakGATTCharacteristic") -> Characteristic:
    result = Characteristic(own.handle, own.uuid, tuple(own.properties))
    if "read" in own.properties:
        result.value, result.refused = await _read(client.read_gatt_char, own)
    for each in own.descriptors:
        described = Described(each.handle, each.uuid)
        described.value, described.refused = await _read(client.read_gatt_descriptor, each)
        result.descriptors.append(described)
    return result


async def _read(read: Callable[[Any], Awaitable[bytearray]], which: object) -> tuple[bytes | None, str]:
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            return bytes(await read(which)), ""
    except TimeoutError:
        return None, "no answer"
    except FAILURES as error:
        return None, words_of(error)[:_SHOWN]


async def listen(client: ObservedClient, services: list[Service]) -> None:
    """Subscribe to all that notifies; what comes is kept in the characteristics, from now on."""
    for own in notifying(services):

        def heard(_: object, data: bytearray, own: Characteristic = own) -> None:
            own.notifications += 1
            if len(own.heard) < MOST_KEPT:
                own.heard.append(bytes(data))

        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT):
                await client.start_notify(own.handle, heard)
        except FAILURES as error:
            own.refused = own.refused or words_of(error)[:_SHOWN]


def notifying(services: list[Service]) -> Iterator[Characteristic]:
    """Yield what says something of its own accord."""
    return (own for service in services for own in service.characteristics if own.notifies)


def likely_pairs(
    services: list[Service], protocols: tuple[Protocol, ...], told: tuple[Protocol, ...] = ()
) -> list[LikelyPair]:
    """Return the pairs of characteristics by which the device may be spoken with, the likeliest first.

    Many protocols share a service; those that the device `told` of (it advertised or answered so) are named
    alone.
    """
    sure = {each.title for each in told}
    known: dict[Gatt, list[str]] = {}
    for each in protocols:
        for gatt in each.gatt:
            known.setdefault(replace(gatt, write_type=None), []).append(each.title)
    found: list[tuple[int, LikelyPair]] = []
    own_services = [each for each in services if each.uuid not in NOT_SPOKEN and each.characteristics]
    for service in own_services:
        found += [
            _pair(service, notify, write, known, sure, alone=len(own_services) == 1)
            for notify in service.characteristics
            if notify.notifies
            for write in service.characteristics
            if write.writable
        ]
    found += _pairs_of_models(own_services, known, sure)
    return [pair for _, pair in sorted(found, key=lambda each: -each[0])]


def _pairs_of_models(
    services: list[Service], known: dict[Gatt, list[str]], sure: set[str]
) -> Iterator[tuple[int, LikelyPair]]:
    """Weigh the pairs of models that lie in two services, or of which nothing is written."""
    there = {(service.uuid, own.uuid): own for service in services for own in service.characteristics}
    for gatt, titles in known.items():
        notify, write = there.get((gatt.service, gatt.notify)), there.get((gatt.write_service, gatt.write))
        if notify is None or not notify.notifies:
            continue
        if write is not None and write.writable:
            service = Service(notify.handle, gatt.service)
            yield _pair(service, notify, write, known, sure, alone=False, write_service=gatt.write_service)
        told = [each for each in titles if each in sure]
        if not gatt.write and told:
            yield 8, LikelyPair(gatt, _spoken(told))


def _pair(
    service: Service,
    notify: Characteristic,
    write: Characteristic,
    known: dict[Gatt, list[str]],
    sure: set[str],
    *,
    alone: bool,
    write_service: str = "",
) -> tuple[int, LikelyPair]:
    """Weigh a pair: how much speaks for it, and what."""
    points, reasons = 0, []
    titles = known.get(Gatt(service.uuid, notify.uuid, write.uuid, write_service=write_service), [])
    if titles:
        points += 8
        reasons.append(_spoken([each for each in titles if each in sure] or titles))
    if notify.notifications:
        points += 4
        reasons.append(f"it notified {notify.notifications} times unasked")
    if alone:
        points += 2
        reasons.append("it is the only service of the maker's own")
    if "notify" in notify.properties:
        points += 1
    distance = abs(write.handle - notify.handle)
    if 0 < distance <= 4:
        points += 1
        reasons.append("both lie side by side")
    if write.handle == notify.handle:
        reasons.append("one characteristic does both")
    return points, LikelyPair(
        Gatt(service.uuid, notify.uuid, write.uuid, write_type(write), write_service=write_service),
        ", ".join(reasons),
    )


def _spoken(titles: list[str]) -> str:
    *others, last = titles
    return f"{', '.join(others)} and {last} are all spoken there" if others else f"{last} is spoken there"


def write_type(write: Characteristic) -> WriteType | None:
    """Return how it is written where there is only one way; None where both are."""
    confirmed = "write" in write.properties
    quick = "write-without-response" in write.properties
    if confirmed == quick:
        return None
    return WriteType.WITH_RESPONSE if confirmed else WriteType.WITHOUT_RESPONSE
