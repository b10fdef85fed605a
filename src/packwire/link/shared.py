"""One open port for several devices on one line: they are asked in turn, each by its own address.

A port is opened by the first who speaks on it and closed by the last. Bytes go to whose turn it is, and to
those who only listen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import override
from weakref import WeakKeyDictionary

from packwire.direction import Direction
from packwire.errors import PackwireError, Reason, UnreachableError
from packwire.event import EventKind
from packwire.link.base import Link, Receiver


@dataclass(frozen=True, slots=True)
class SharedLine:
    """Which port, and how it is set; ports of one key with other settings cannot be shared."""

    key: Hashable
    settings: Hashable
    words: str
    """The settings, for a user: `9600 baud`."""


@dataclass(eq=False)
class _Port:
    """An open port and those who speak on it."""

    line: SharedLine
    link: Link
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    members: "list[SharedLink]" = field(default_factory=list)
    speaker: "SharedLink | None" = None
    open: bool = False

    def data_received(self, data: bytes) -> None:
        """Hand bytes to whose turn it is, or was last; and to those who listen."""
        for member in tuple(self.members):
            if member is self.speaker or member.listens or len(self.members) == 1:
                member.take(data)

    def link_closed(self, error: Exception | None) -> None:
        """Tell all that nothing more comes."""
        self.open = False
        _ports().pop(self.line.key, None)
        for member in tuple(self.members):
            member.lost(error)
        self.members.clear()


_OPEN: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Port]] = WeakKeyDictionary()


def _ports() -> dict[Hashable, _Port]:
    return _OPEN.setdefault(asyncio.get_running_loop(), {})


class SharedLink(Link):
    """A part in a port that others may have a part in; `make` makes the link that is shared."""

    def __init__(self, line: SharedLine, make: Callable[[], Link], *, listens: bool = False) -> None:
        super().__init__()
        self.listens = listens
        self._line = line
        self._make = make
        self._like = make()
        self.name = self._like.name
        self.preposition = self._like.preposition
        self._port: _Port | None = None
        self._receiver: Receiver | None = None

    @override
    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.tell(EventKind.CONNECTING)
        try:
            await self._join()
        except PackwireError as error:
            self.tell(EventKind.FAILED, error.reason, str(error))
            raise
        self.tell(EventKind.CONNECTED)

    async def _join(self) -> None:
        port = _ports().get(self._line.key)
        if port is None:
            port = _ports()[self._line.key] = _Port(self._line, self._make())
        if port.line.settings != self._line.settings:
            raise UnreachableError(
                f"{self.name} is open already, at {port.line.words}; all who share it have the same",
                reason=Reason.BUSY,
            )
        port.members.append(self)
        try:
            async with port.opening:
                if not port.open:
                    await port.link.open(port)
                    port.open = True
        except BaseException:
            port.members.remove(self)
            if not port.members:
                _ports().pop(self._line.key, None)
            raise
        self._port = port

    @override
    def turn(self) -> AbstractAsyncContextManager[None]:
        return self._turn()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        port = self._port
        if port is None:
            yield
            return
        async with port.turn:
            port.speaker = self
            yield

    def take(self, data: bytes) -> None:
        """Take bytes that are for this one."""
        for observe in self.observers:
            observe(Direction.FROM_DEVICE, data)
        if self._receiver is not None:
            self._receiver.data_received(data)

    def lost(self, error: Exception | None) -> None:
        """Learn that the port is closed."""
        receiver, self._receiver, self._port = self._receiver, None, None
        self.tell(EventKind.LOST if error else EventKind.CLOSED, words=str(error or ""))
        if receiver is not None:
            receiver.link_closed(error)

    @override
    def write(self, data: bytes) -> None:
        if self._port is None or self.listens:
            return
        for observe in self.observers:
            observe(Direction.TO_DEVICE, data)
        self._port.link.write(data)

    @override
    async def close(self) -> None:
        port, self._port, self._receiver = self._port, None, None
        if port is None:
            return
        if self in port.members:
            port.members.remove(self)
        if port.speaker is self:
            port.speaker = None
        if not port.members:
            _ports().pop(self._line.key, None)
            port.open = False
            await port.link.close()

    @override
    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        return await self._like.explain_close(answered=answered, error=error)

    @override
    async def explain_silence(self) -> PackwireError | None:
        return await self._like.explain_silence()
