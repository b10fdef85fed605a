"""The interface of every live link, and the asyncio plumbing that stream links share."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol, cast, override

from packwire.direction import Direction
from packwire.errors import GoneError, PackwireError, Reason
from packwire.event import Event, EventKind
from packwire.link.echo import EchoFilter

#: Learns what the link lives through.
type Listener = Callable[[Event], None]
#: Sees all bytes that pass a link, with their direction, before anything else does.
type Observer = Callable[[Direction, bytes], None]


class Receiver(Protocol):
    """Who gets what a link receives."""

    def data_received(self, data: bytes) -> None:
        """Take bytes, in pieces of any size."""

    def link_closed(self, error: Exception | None) -> None:
        """Learn that nothing more will come: the peer closed (None) or the link broke."""


_NOT_SHARED = nullcontext()


class Link(ABC):
    """A two-way stream of bytes to a device. Opened once; a new connection is a new Link."""

    name: str
    """Where it leads, for a user: `hub 127.0.0.1:65101`."""
    shared = False
    """Whether replies meant for another client may come on it, at its beginning."""
    preposition = "at"
    """How to say that a device is there: at a host, through a hub, on a port."""
    identity = ""
    """What names the device in the world, where the link knows it: `ble-a4c138000001`."""
    device_name = ""
    """What the device calls itself on this link; empty where it says nothing there."""

    def __init__(self) -> None:
        self.observers: list[Observer] = []
        self.listeners: list[Listener] = []

    def tell(self, kind: EventKind, reason: Reason | None = None, words: str = "", code: str = "") -> None:
        """Tell the listeners what happened now; `code` is that of the same sentence in a log."""
        event = Event(kind, time.time_ns(), self.name, reason, words, code)
        for listen in self.listeners:
            listen(event)

    def where(self, title: str) -> str:  # noqa: ARG002 - for those that say what is spoken
        """Return where a device that speaks `title` is, for a user."""
        return f"{self.preposition} {self.name}"

    @abstractmethod
    async def open(self, receiver: Receiver) -> None:
        """Connect; raise UnreachableError (and its kin) with what to do next."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send bytes; does nothing on a link that is closed."""

    @abstractmethod
    async def close(self) -> None:
        """Close; may be called at any time and more than once."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Return what is held from a request to its reply: on a line that others share, only one speaks."""
        return _NOT_SHARED

    def limit_unsent(self, size: int, full: Callable[[bool], None]) -> None:  # noqa: B027 - not all can tell
        """Call `full` with True when more than `size` bytes wait to be sent, with False when few do again."""

    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        """Find out why the peer closed; `answered` tells whether a frame ever came on this link."""
        detail = f" ({error})" if error else ""
        when = "" if answered else " before it answered anything"
        return GoneError(f"{self.name} closed the connection{when}{detail}; is the device still on?")

    async def explain_silence(self) -> PackwireError | None:
        """Find out why nothing comes although the link is open; None where there is no way to know."""
        return None


class StreamLink(Link, asyncio.Protocol):
    """A link over an asyncio transport."""

    def __init__(self) -> None:
        super().__init__()
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._closed = asyncio.Event()
        self._echo: EchoFilter | None = None
        self._full: Callable[[bool], None] | None = None

    def remove_echo(self) -> None:
        """Take the echo of what is sent out of what is received: see `packwire.link.echo`."""
        self._echo = EchoFilter(self._deliver)

    @abstractmethod
    async def connect(self) -> None:
        """Make the transport, with `self` as its protocol; raise UnreachableError with what to do next."""

    @override
    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.tell(EventKind.CONNECTING)
        try:
            await self.connect()
        except PackwireError as error:
            self.tell(EventKind.FAILED, error.reason, str(error))
            raise
        self.tell(EventKind.CONNECTED)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._echo is not None:
            self._echo.received(data)
        else:
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        for observe in self.observers:
            observe(Direction.FROM_DEVICE, data)
        if self._receiver:
            self._receiver.data_received(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed.set()
        if self._echo is not None:
            self._echo.stop()
        if self._receiver is None:
            self.tell(EventKind.LEFT)
        else:
            self.tell(EventKind.LOST if exc else EventKind.CLOSED, words=str(exc or ""))
        if self._receiver:
            self._receiver.link_closed(exc)

    @override
    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for observe in self.observers:
            observe(Direction.TO_DEVICE, data)
        if self._echo is not None:
            self._echo.sent(data)
        self._transport.write(data)

    @override
    def limit_unsent(self, size: int, full: Callable[[bool], None]) -> None:
        self._full = full
        if self._transport is not None:
            self._transport.set_write_buffer_limits(size)

    @override
    def pause_writing(self) -> None:
        if self._full is not None:
            self._full(True)

    @override
    def resume_writing(self) -> None:
        if self._full is not None:
            self._full(False)

    @override
    async def close(self) -> None:
        if self._transport is None:
            return
        self._receiver = None
        self._transport.abort()
        await self._closed.wait()
