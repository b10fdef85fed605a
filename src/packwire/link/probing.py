"""Who is on a serial port: models and baud rates are tried, with questions that only ask.

At each rate the port is listened to first: packs that only send need not be asked. What was found is tried
first the next time.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from packwire import user_cache
from packwire.address import VESC, serial_address
from packwire.link.serial import SerialLink
from packwire.protocol.base import Protocol, Request
from packwire.protocols import protocol, usable

#: Seconds: packs that only send do so once a second; replies of slow boards begin within a third.
_LISTEN: Final = 1.3
_ANSWER: Final = 0.4
_BETWEEN: Final = 0.05
_FILE: Final = "serial-ports.json"
_MOST_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Hit:
    """A protocol that something on a port speaks, at a baud rate."""

    path: str
    model: str
    title: str
    baud: int

    @property
    def address(self) -> str:
        """Return the address that reads it."""
        usual = self.baud == protocol(self.model).baud
        return str(serial_address(self.path, None if usual else self.baud, model=self.model))


async def probe(path: str, tell: Callable[[str], None] = lambda _: None) -> Hit | None:
    """Return what is on a port; None where nothing that is known answers.

    `tell` hears what is tried. Raises UnreachableError where the port cannot be opened.
    """
    known = user_cache.load(_FILE).get(path)
    for baud, spoken in _tries(known):
        tell(f"{path} at {baud} baud: {', '.join(each.title for each in spoken)}")
        found = await _at(path, baud, spoken)
        if found is not None:
            kept = user_cache.load(_FILE) | {path: {"model": found.name, "baud": baud}}
            user_cache.store(_FILE, dict(list(kept.items())[-_MOST_KEPT:]))
            return Hit(path, found.name, found.title, baud)
    return None


def candidates() -> list[Protocol]:
    """Return what may be tried on a line: of packwire's own, without a write."""
    return [each for each in usable() if _may_be_tried(each)]


def _tries(known: object) -> Iterator[tuple[int, list[Protocol]]]:
    """Yield baud rates with the protocols that are tried at each: what was found before comes first."""
    there = candidates()
    match known:
        case {"model": str(name), "baud": int(baud)} if any(each.name == name for each in there):
            yield baud, [each for each in there if each.name == name]
    for baud in dict.fromkeys(each.baud for each in there):
        yield baud, [each for each in there if each.baud == baud]
    for baud in dict.fromkeys(other for each in there for other in each.other_bauds):
        yield baud, [each for each in there if baud in each.other_bauds]


def _may_be_tried(spoken: Protocol) -> bool:
    """Tell whether a protocol may be tried: of packwire's own, on a serial line, without a write."""
    if spoken.origin or not (spoken.on_a_line or spoken.name == VESC):
        return False
    return bool(spoken.harmless) or not spoken.asks


async def _at(path: str, baud: int, spoken: Sequence[Protocol]) -> Protocol | None:
    """Listen, then ask in each protocol."""
    heard = _Heard(spoken)
    link = SerialLink(path, baud)
    link.remove_echo()
    await link.open(heard)
    try:
        if (silent := [each for each in spoken if not each.asks]) and await heard.hears(
            silent, None, _LISTEN
        ):
            return heard.found
        for each in (one for one in spoken if one.asks):
            request = each.harmless[0]
            link.write(each.preamble + each.frame(request))
            if await heard.hears([each], request, _ANSWER):
                return each
            await asyncio.sleep(_BETWEEN)
    finally:
        await link.close()
    return None


class _Heard:
    """Finds frames of some protocols in what comes."""

    def __init__(self, spoken: Sequence[Protocol]) -> None:
        self.found: Protocol | None = None
        self._framers = {each.name: each.framer() for each in spoken}
        self._wanted: Sequence[Protocol] = ()
        self._request: Request | None = None
        self._came = asyncio.Event()

    async def hears(self, wanted: Sequence[Protocol], request: Request | None, seconds: float) -> bool:
        """Wait for a frame that answers a request, or that a protocol's devices send by themselves."""
        self._wanted, self._request = wanted, request
        self._came.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._came.wait()
        except TimeoutError:
            return False
        return self.found is not None

    def data_received(self, data: bytes) -> None:
        """Take bytes from the port."""
        for each in self._wanted:
            for frame in self._framers[each.name].feed(data):
                if self._is_told_by(each, frame.payload):
                    self.found = each
                    self._came.set()

    def _is_told_by(self, spoken: Protocol, message: bytes) -> bool:
        if self._request is None:
            return spoken.streams(message)
        # Where an adapter hears itself and nobody answers, the request comes back.
        return message != self._request.payload and spoken.answers(self._request, message)

    def link_closed(self, error: Exception | None) -> None:  # noqa: ARG002 - then nothing answers
        """Learn that the port is gone."""
        self._came.set()
