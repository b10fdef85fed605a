"""One link of a simulated device: a parser of its own, and whoever is attached to it."""

import math
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from packwire.sim.faults import Faults
from packwire.sim.outgoing import SimulatedOutgoing
from packwire.wire.frame import StreamFramer


class Served(Protocol):
    """A device that answers requests."""

    faults: Faults
    wedged: bool
    encoded: dict[bytes, bytes]
    """Frames of replies by request, for those that need no thought."""

    def request(self, port: "Port", payload: bytes) -> None:
        """Answer one request that came in at `port`, now, later or never."""

    def unsolicited(self) -> Iterable[bytes]:
        """Return the next frames that nobody asked for."""


class Attachable(Protocol):
    """What a link of a device serves: at most one client is attached to it."""

    @property
    def faults(self) -> Faults:
        """The faults of the link."""

    def attach(self, write: Callable[[bytes], None], close: Callable[[], None]) -> None:
        """Begin to serve a client."""

    def detach(self) -> None:
        """Stop serving the client."""

    def received(self, data: bytes) -> None:
        """Take bytes from the client."""


class Port:
    """One link of the device. At most one client is attached; without one, what it sends is lost."""

    def __init__(self, device: Served, name: str, framer: StreamFramer, half_frame: bytes = b"") -> None:
        self.name = name
        self.framer = framer
        self.outgoing: SimulatedOutgoing | None = None
        self.on_wedge: Callable[[bool], None] = lambda _: None
        """Called with True when the device hangs, and with False when it is revived."""
        self.on_attach: Callable[[], None] = lambda: None
        """Called when a client is attached."""
        self._device = device
        self._close: Callable[[], None] = lambda: None
        self._half_frame = half_frame
        self._attached = 0.0
        self._last = -math.inf
        """When the last request was heard."""

    @property
    def faults(self) -> Faults:
        """The faults of the device."""
        return self._device.faults

    @property
    def wedged(self) -> bool:
        """Whether the device hangs."""
        return self._device.wedged

    def attach(self, write: Callable[[bytes], None], close: Callable[[], None]) -> None:
        """Begin to serve a client; the parser stays as the client before left it."""
        self.detach()
        faults = self._device.faults
        self._close = close
        self._attached, self._last = time.monotonic(), -math.inf
        self.outgoing = SimulatedOutgoing(write, close, faults, self._device.unsolicited)
        if "cold-parser" in faults:
            self.framer.reset()
            self.framer.feed(self._half_frame)
        self.on_attach()

    def hang_up(self) -> None:
        """Close the connection to whoever is attached now."""
        if self.outgoing is not None:
            self._close()

    def detach(self) -> None:
        """Stop serving the client."""
        if self.outgoing is not None:
            self.outgoing.stop()
            self.outgoing = None

    def received(self, data: bytes) -> None:
        """Take bytes from the client and answer the requests in them."""
        device, faults = self._device, self._device.faults
        (deaf,) = faults.get("deaf-at-first") or (0.0,)
        if "echo" in faults or time.monotonic() < self._attached + deaf:
            if "echo" in faults:
                self.send(data)
            return
        for frame in self.framer.feed(data):
            if self._hurries():
                continue
            reply = device.encoded.get(frame.payload)
            if reply is not None and self.outgoing is not None:
                self.outgoing.send(reply)
            else:
                device.request(self, frame.payload)

    def _hurries(self) -> bool:
        """Tell whether a request comes sooner than the device can hear it."""
        (least,) = self._device.faults.get("hurried") or (0.0,)
        now = time.monotonic()
        early, self._last = bool(least) and now < self._last + least, now
        return early

    def send(self, frame: bytes) -> None:
        """Send a frame to whoever is attached now."""
        if self.outgoing is not None:
            self.outgoing.send(frame)
