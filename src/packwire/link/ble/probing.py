"""Putting harmless questions to a device of unknown kind: who answers speaks that protocol."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from packwire.link.ble.exploring import LikelyPair, Service
from packwire.link.ble.failures import FAILURES
from packwire.link.ble.observed import ObservedClient
from packwire.protocol.base import Protocol, Request, WriteType

#: Seconds until the answer to a question is there; a board that is asked over Bluetooth needs less.
ANSWER = 0.8
_BOTH_WAYS = 0.3
WRITE_TIMEOUT = 3.0
#: Pairs of characteristics that are tried.
MOST_PAIRS = 3


@dataclass(slots=True)
class Answered:
    """A protocol that was asked for: `reply` is what answered, empty where nothing did.

    `others` counts the bytes that came instead.
    """

    protocol: Protocol
    pair: LikelyPair
    asked: str
    reply: bytes = b""
    others: int = 0


class _Ear:
    """What comes while one protocol is asked for."""

    def __init__(self, protocol: Protocol, request: Request) -> None:
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.others = 0
        self._protocol = protocol
        self._request = request
        self._framer = protocol.framer()

    def hear(self, _: object, data: bytearray) -> None:
        """Take a notification."""
        self.others += len(data)
        for frame in self._framer.feed(bytes(data)):
            if self._protocol.answers(self._request, frame.payload) and not self.reply.done():
                self.reply.set_result(frame.payload)


async def probe(
    client: ObservedClient,
    services: list[Service],
    pairs: list[LikelyPair],
    protocols: tuple[Protocol, ...],
    tell: Callable[[str], object] = lambda _: None,
) -> list[Answered]:
    """Ask for each protocol in turn, where it is spoken or else at the likeliest pairs; return what came.

    Ends with the first that answers: whoever else is asked for would only be disturbed. `tell` hears what is
    tried.
    """
    results: list[Answered] = []
    trials = [each for each in _trials(pairs, protocols) if each[0].harmless]
    for number, (protocol, pair) in enumerate(trials, 1):
        tell(f"asking as {protocol.title} ({number} of {len(trials)})")
        results.append(await _ask(client, services, pair, protocol))
        if results[-1].reply:
            break
    return results


def _trials(pairs: list[LikelyPair], protocols: tuple[Protocol, ...]) -> list[tuple[Protocol, LikelyPair]]:
    """Return what is tried: protocols at their own places first, then all at the likeliest pairs."""
    pairs = [each for each in pairs if each.gatt.write]
    own = [
        (protocol, pair)
        for protocol in protocols
        for pair in pairs
        if any((gatt.notify, gatt.write) == (pair.gatt.notify, pair.gatt.write) for gatt in protocol.gatt)
    ]
    others = [
        (protocol, pair)
        for pair in pairs[:MOST_PAIRS]
        for protocol in protocols
        if (protocol, pair) not in own
    ]
    return own + others


async def _ask(
    client: ObservedClient, services: list[Service], pair: LikelyPair, protocol: Protocol
) -> Answered:
    request = protocol.harmless[0]
    asked = protocol.describe(request.payload)
    ear = _Ear(protocol, request)
    notify, write = _handle(services, pair, pair.gatt.notify), _handle(services, pair, pair.gatt.write)
    frame = protocol.frame(request)
    try:
        async with asyncio.timeout(WRITE_TIMEOUT + ANSWER):
            await client.stop_notify(notify)
            await client.start_notify(notify, ear.hear)
            ways = [pair.gatt.write_type] if pair.gatt.write_type else list(WriteType)[::-1]
            for way in ways:
                await _write(client, write, frame, way)
                await asyncio.wait([ear.reply], timeout=_BOTH_WAYS)
                if ear.reply.done():
                    break
            await asyncio.wait([ear.reply], timeout=ANSWER - _BOTH_WAYS)
    except FAILURES:  # what one question met says nothing about the next
        pass
    reply = ear.reply.result() if ear.reply.done() else b""
    ear.reply.cancel()
    return Answered(protocol, pair, asked, reply, ear.others)


async def _write(client: ObservedClient, handle: int, frame: bytes, way: WriteType | None) -> None:
    characteristic = client.services.get_characteristic(handle)
    size = max(characteristic.max_write_without_response_size, 20) if characteristic else 20
    for at in range(0, len(frame), size):
        await client.write_gatt_char(handle, frame[at : at + size], way is WriteType.WITH_RESPONSE)


def _handle(services: list[Service], pair: LikelyPair, uuid: str) -> int:
    """Return the handle of a characteristic of the pair's services."""
    return next(
        own.handle
        for service in services
        if service.uuid in pair.gatt.services
        for own in service.characteristics
        if own.uuid == uuid
    )
