"""A connection after its login: a device's, or a client's. Bytes go to the shared device and come from there.

A client that does not read is cut off when its buffer has reached the limit: nobody else waits for it. Of a
device that does not read the shared device learns: requests wait there, bounded, and are dropped and counted
when they have waited long enough; the device is cut off where it goes on.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from packwire.hub.registry import HubDevice
from packwire.share.device import STUCK, UNSENT

#: Of what one client sent, so many bytes are looked at before the others have their turn.
AT_ONCE = 2048


class Account(Protocol):
    """What a relay tells the hub."""

    def device_left(self, device: HubDevice, relay: "DeviceRelay", error: Exception | None) -> None:
        """Learn that a device's connection has ended."""

    def client_left(self, device: HubDevice, relay: "ClientRelay", error: Exception | None) -> None:
        """Learn that a client's connection has ended."""

    def cut_off(self, device: HubDevice, relay: "Relay", reason: str) -> None:
        """Learn that one was cut off because it does not read."""

    def takes_nothing(self, device: HubDevice, relay: "DeviceRelay") -> None:
        """Learn that a device takes nothing for now, so that requests to it wait or are dropped."""


class Relay(asyncio.BaseProtocol):
    """What a device's and a client's connection have in common."""

    role = ""

    def __init__(
        self,
        hub: Account,
        device: HubDevice,
        transport: asyncio.Transport,
        name: str,
        unread_bytes: int,
        ended: Callable[[], None],
    ) -> None:
        self.name = name
        self.transport = transport
        self.hub = hub
        self.device = device
        self.told_why = False
        """Whether the log has already said why it ends."""
        self._ended = ended
        self.unread_bytes = unread_bytes
        transport.set_write_buffer_limits(unread_bytes)

    def cut_off(self, reason: str) -> None:
        """End it, for it does not read."""
        if not self.transport.is_closing():
            self.told_why = True
            self.hub.cut_off(self.device, self, reason)
            self.transport.abort()

    def eof_received(self) -> None:
        """Close when the peer has."""

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the hub."""
        self.leave(error)
        self._ended()

    def leave(self, error: Exception | None) -> None:
        """Give up the place at the device."""
        raise NotImplementedError


class DeviceRelay(Relay):
    """A device's connection."""

    role = "device"

    def begin(self, rest: bytes) -> None:
        """Give the shared device its connection, and what came with the login."""
        self._stuck: asyncio.TimerHandle | None = None
        self.unread_bytes = min(self.unread_bytes, UNSENT)
        self.transport.set_write_buffer_limits(self.unread_bytes)
        # The login line of a device ends with a NUL behind the newline; it is no part of a frame.
        self.data_received: Callable[[bytes], None] = self._first_received
        self.device.connection = self.transport
        self.device.shared.device_connected(self._write, flush=False)
        if rest:
            self.data_received(rest)
        self.transport.resume_reading()

    def pause_writing(self) -> None:
        """Let requests wait in the shared device, and cut it off where it goes on taking nothing."""
        if self._is_current and self._stuck is None:
            self.hub.takes_nothing(self.device, self)
            self._stuck = asyncio.get_running_loop().call_later(STUCK, self._stays_stuck)
            self.device.shared.device_full(True)

    def resume_writing(self) -> None:
        """Let requests go to the device again."""
        self._forget_stuck()
        if self._is_current:
            self.device.shared.device_full(False)

    def leave(self, error: Exception | None) -> None:
        """Leave the clients waiting for the device to come back."""
        self._forget_stuck()
        self.hub.device_left(self.device, self, error)

    @property
    def _is_current(self) -> bool:
        """Tell whether the shared device uses this connection, and not a newer one."""
        return self.device.connection is self.transport

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():  # else each write would be one more complaint in the log
            self.transport.write(data)

    def _stays_stuck(self) -> None:
        self._stuck = None
        self.cut_off(f"it has taken nothing for {STUCK:g} s")

    def _forget_stuck(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _first_received(self, data: bytes) -> None:
        self.data_received = self.device.shared.device_received
        self.transport.set_protocol(self)  # uvloop looks the method up here, once
        if rest := data.removeprefix(b"\0"):
            self.data_received(rest)


class ClientRelay(Relay):
    """A client's connection: its place at the device."""

    role = "client"

    def begin(self, rest: bytes) -> None:
        """Take a place, and take what came with the login."""
        self.client = self.device.shared.join(self._write, self.name)
        self.device.clients.add(self.transport)
        self._rest = b""
        if rest:
            self.data_received(rest)
        if not self._rest:
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        """Cut it off: so many bytes wait that it does not read any more."""
        self.cut_off(f"it does not read: {self.unread_bytes} bytes wait for it")

    def data_received(self, data: bytes) -> None:
        """Hand on what came; much of it in pieces, so that one who floods holds nobody up."""
        if len(data) <= AT_ONCE:
            self.client.received(data)
            return
        self.transport.pause_reading()
        self._rest = data
        self._next_piece()

    def leave(self, error: Exception | None) -> None:
        """Give up its place."""
        self._rest = b""
        self.client.leave()
        self.device.clients.discard(self.transport)
        self.hub.client_left(self.device, self, error)

    def _write(self, data: bytes) -> None:
        if self.transport.is_closing():  # it has reset the connection: each write would be one more complaint
            self.client.leave()
        else:
            self.transport.write(data)

    def _next_piece(self) -> None:
        piece, self._rest = self._rest[:AT_ONCE], self._rest[AT_ONCE:]
        if piece:
            self.client.received(piece)
        if self._rest:
            asyncio.get_running_loop().call_soon(self._next_piece)
        elif not self.transport.is_closing():
            self.transport.resume_reading()
