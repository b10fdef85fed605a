"""The devices that a hub knows at this moment, and the clients of each."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from packwire.hub.credentials import PasswordHash
from packwire.share.device import SharedDevice


@dataclass(slots=True, eq=False)
class HubDevice:
    """A device that is logged in, or went a moment ago and whose clients wait for it."""

    device_id: str
    credential: PasswordHash
    """What its clients and it were let in with."""
    shared: SharedDevice
    connection: asyncio.Transport | None = None
    clients: set[asyncio.Transport] = field(default_factory=set)
    absence: asyncio.TimerHandle | None = None
    """Ends the clients' wait for a device that has gone."""


class Registry:
    """HubDevices by id. `forgotten` is told of each that is forgotten, before its account is lost."""

    def __init__(self, forgotten: Callable[[HubDevice], None]) -> None:
        self.devices: dict[str, HubDevice] = {}
        self._forgotten = forgotten

    def connected(self, device_id: str) -> HubDevice | None:
        """Return the device of this id if it is connected now."""
        device = self.devices.get(device_id)
        return device if device is not None and device.connection is not None else None

    def enter(self, device: HubDevice) -> None:
        """Take in a device that was not there."""
        self.devices[device.device_id] = device

    def forget(self, device: HubDevice) -> None:
        """Forget a device: its connection and its clients' end, if there are any."""
        if self.devices.get(device.device_id) is device:
            del self.devices[device.device_id]
        if device.absence is not None:
            device.absence.cancel()
            device.absence = None
        self._forgotten(device)
        device.shared.close()
        for transport in (*device.clients, device.connection):
            if transport is not None:
                transport.close()
        device.clients.clear()
        device.connection = None

    def forget_where_unused(self, device: HubDevice) -> None:
        """Forget a device that is not connected and that no client waits for."""
        if device.connection is None and not device.clients and self.devices.get(device.device_id) is device:
            self.forget(device)
