"""Looking at a device of unknown kind, step by step."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from packwire.address import Address
from packwire.advertisement import Advertisement
from packwire.errors import GoneError
from packwire.link.ble.discovery import find
from packwire.link.ble.exploring import LikelyPair, Service, likely_pairs, listen, look_at, notifying
from packwire.link.ble.observed import ObservedClient, Watch, connect, disconnect, who
from packwire.link.ble.probing import Answered, probe
from packwire.link.ble.proxy import held
from packwire.models.aiobmsble_plugins import Plugin, plugin_for
from packwire.models.protocol import ModelProtocol
from packwire.protocol.base import Protocol
from packwire.protocols import protocol, recognised, usable


@dataclass(slots=True)
class Explored:
    """What was found out about a device.

    `families` are those whose frames its notifications hold; `asked` is None where nothing was asked; `lost`
    tells that it ended the connection before all was done.
    """

    address: Address
    advertisement: Advertisement
    plugin: Plugin | None
    protocols: tuple[Protocol, ...]
    services: list[Service]
    seconds: float
    pairs: list[LikelyPair] = field(default_factory=list)
    families: dict[int, str] = field(default_factory=dict)
    asked: list[Answered] | None = None
    lost: bool = False

    @property
    def answered(self) -> Answered | None:
        """Return the protocol that was answered."""
        return next((each for each in self.asked or () if each.reply), None)


async def explored(
    address: Address, seconds: float, *, probe: bool, tell: Callable[[str], object]
) -> Explored:
    """Find a device, connect, read what can be read, listen, and ask where that is wanted.

    Raises UnreachableError, GoneError.
    """
    async with held(address.radio):
        return await _explored(address, seconds, probe=probe, tell=tell)


async def _explored(
    address: Address, seconds: float, *, probe: bool, tell: Callable[[str], object]
) -> Explored:
    seen = await find(address.target, address.radio, enough=lambda _: False)
    said = seen.advertisement
    tell(f"connecting to {who(seen)}")
    over = asyncio.Event()
    client = await connect(seen, Watch(), lambda _: over.set())
    try:
        tell("reading its services and their values")
        found = Explored(address, said, plugin_for(said), recognised(said), await look_at(client), seconds)
        if not found.services:
            raise GoneError(f"{who(seen)} has no services, or ended the connection while they were read")
        tell(f"listening to its notifications for {seconds:g} s")
        await listen(client, found.services)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await over.wait()
        known = tuple(usable())
        found.pairs = likely_pairs(found.services, known, found.protocols)
        if probe and client.is_connected:
            found.asked = await _probed(client, found, known, tell)
            if found.answered is not None:
                found.pairs = likely_pairs(found.services, known, (found.answered.protocol,))
        found.families = _families(found.services)
        found.lost = not client.is_connected
        return found
    finally:
        await disconnect(client)


async def _probed(
    client: ObservedClient, found: Explored, known: tuple[Protocol, ...], tell: Callable[[str], object]
) -> list[Answered]:
    first = sorted(known, key=lambda each: each not in found.protocols)
    asked = await probe(client, found.services, found.pairs, tuple(first), tell)
    for each in asked:
        if each.reply and isinstance(each.protocol, ModelProtocol):
            each.protocol = protocol(each.protocol.read_with(each.reply))
    return asked


def _families(services: list[Service]) -> dict[int, str]:
    """Return the family whose frames a characteristic's notifications hold, by its handle."""
    from packwire.capture.framings import family_of, recognise  # noqa: PLC0415 - numpy

    result = {}
    for own in notifying(services):
        framings = recognise(b"".join(own.heard))
        if framings:
            result[own.handle] = family_of(framings[0])
    return result
