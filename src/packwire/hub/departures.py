"""How connections end after their login: who is told, what the log says, and how long clients wait."""

import asyncio
import logging

from packwire.hub.counters import HubCounters
from packwire.hub.events import HubEventLog
from packwire.hub.registry import HubDevice, Registry
from packwire.hub.relay import ClientRelay, DeviceRelay, Relay
from packwire.hub.settings import Limits


class Departures:
    """The relays of a hub, and what becomes of each (`relay.Account`)."""

    def __init__(
        self, registry: Registry, counters: HubCounters, events: HubEventLog, limits: Limits
    ) -> None:
        self.relays: set[Relay] = set()
        self.limits = limits
        self.stopping = False
        self.all_left = asyncio.Event()
        """Set when the last relay has ended of a hub that stops."""
        self._registry = registry
        self._counters = counters
        self._events = events

    def device_left(self, device: HubDevice, relay: DeviceRelay, error: Exception | None) -> None:
        """Let its clients wait for a while."""
        self._discard(relay)
        if device.connection is not relay.transport:  # ended by the hub, which has said why
            return
        self._say_left(device, relay, error, clients=len(device.clients) or None)
        device.connection = None
        device.shared.device_gone()
        if device.clients and not self.stopping:
            loop = asyncio.get_running_loop()
            device.absence = loop.call_later(self.limits.absence_seconds, self._stays_away, device)
        self._registry.forget_where_unused(device)

    def client_left(self, device: HubDevice, relay: ClientRelay, error: Exception | None) -> None:
        """Count it; a device that is not there either is forgotten."""
        self._discard(relay)
        if self._registry.devices.get(device.device_id) is not device:  # ended by the hub, which has said why
            return
        self._say_left(device, relay, error, others=len(device.clients))
        self._registry.forget_where_unused(device)

    def takes_nothing(self, device: HubDevice, relay: DeviceRelay) -> None:
        """Say why requests to a device wait, or are dropped."""
        self._events.say_seldom(
            "device takes nothing",
            device.device_id,
            id=device.device_id,
            address=relay.name,
            reason=f"it does not read: {relay.unread_bytes} bytes wait for it; requests wait or are dropped",
        )

    def cut_off(self, device: HubDevice, relay: Relay, reason: str) -> None:
        """Say why one was cut off."""
        self._counters.cut_off[relay.role] += 1
        self._events.say(
            f"{relay.role} cut off",
            level=logging.WARNING,
            id=device.device_id,
            address=relay.name,
            reason=reason,
        )

    def _stays_away(self, device: HubDevice) -> None:
        device.absence = None
        if device.connection is None:
            self._events.say(
                "clients ended",
                id=device.device_id,
                clients=len(device.clients),
                reason=f"the device stayed away for {self.limits.absence_seconds:g} s",
            )
            self._registry.forget(device)

    def _discard(self, relay: Relay) -> None:
        self.relays.discard(relay)
        if self.stopping and not self.relays:
            self.all_left.set()

    def _say_left(self, device: HubDevice, relay: Relay, error: Exception | None, **more: int | None) -> None:
        if error is not None and not relay.told_why:
            self._counters.lost[relay.role] += 1
        if relay.told_why:
            return
        self._events.say_seldom(
            f"{relay.role} left",
            device.device_id if relay.role == "device" else relay.name,
            level=logging.INFO,
            id=device.device_id,
            address=relay.name,
            reason=_reason(error),
            **more,
        )


def _reason(error: Exception | None) -> str:
    if error is None:
        return "closed by the other end"
    if isinstance(error, TimeoutError):
        return "no sign of life: the link was lost"
    return str(error) or type(error).__name__
