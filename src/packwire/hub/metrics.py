"""The hub's counters as Prometheus metrics. Nothing is counted twice: they are read when somebody asks."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import override

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from packwire.hub.server import Hub
from packwire.share.stats import SharingStats, total

#: So many devices' accounts are read before the event loop does other work.
AT_ONCE = 50

_SUMS = {
    "requests": "Whole frames from clients",
    "forwarded": "Requests written to devices",
    "replies": "Replies written to clients",
    "answered_from_flight": "Requests answered by the reply to another's identical one",
    "answered_from_age": "Requests answered by a reply that was kept",
    "dropped": "Requests given up before they were sent",
    "timeouts": "Requests that a device did not answer in time",
    "late": "Replies that came after their time",
    "unasked": "Replies that nobody waited for",
    "unsolicited": "Packets that devices send of their own accord",
    "device_junk": "Bytes from devices that were no part of a frame",
    "client_junk": "Bytes from clients that were no part of a frame",
}


async def relayed(hub: Hub) -> SharingStats:
    """Add up what went through all devices, in pieces: with thousands of them it takes a while."""
    devices = tuple(hub.registry.devices.values())
    sums = hub.counters.forgotten
    for at in range(0, len(devices), AT_ONCE):
        known = hub.registry.devices
        some = [each for each in devices[at : at + AT_ONCE] if known.get(each.device_id) is each]
        sums = total((sums, *(each.shared.stats() for each in some)))
        await asyncio.sleep(0)
    return sums


async def exposition(hub: Hub) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    registry.register(_HubCollector(hub, await relayed(hub)))
    return generate_latest(registry)


class _HubCollector(Collector):
    def __init__(self, hub: Hub, sums: SharingStats) -> None:
        self._hub = hub
        self._total = sums

    @override
    def collect(self) -> Iterator[Metric]:
        hub, sums, counters = self._hub, self._total, self._hub.counters
        devices = hub.registry.devices.values()
        yield _gauge(
            "devices", "Devices that are connected", sum(device.connection is not None for device in devices)
        )
        yield _gauge("clients", "Clients that are connected", sum(len(device.clients) for device in devices))
        yield _gauge("connections", "Open connections, logged in or not", hub.admission.total)
        yield _gauge(
            "logging_in", "Connections that have not logged in", sum(hub.admission.logging_in.values())
        )
        yield _gauge(
            "password_checks", "Password checks under way or waiting", hub.authenticator.pool.waiting
        )
        yield _counter("accepted", "Connections accepted", counters.accepted)
        yield _counter("not_admitted", "Connections closed at once: too many", counters.not_admitted)
        yield _counter("replaced", "Devices that gave way to a newer connection", counters.replaced)
        yield _counter("hashes", "Passwords hashed", hub.authenticator.pool.begun)
        yield _counter("reloads", "Reloads", counters.reloads)
        yield _counter(
            "failed_reloads", "Reloads that changed nothing, for a mistake", counters.failed_reloads
        )
        yield _counters("logins", "Logins", "role", counters.logins)
        yield _counters("refused_logins", "Logins refused", "reason", counters.refusals)
        yield _counters("cut_off", "Connections cut off because they did not read", "role", counters.cut_off)
        yield _counters("lost", "Connections that broke", "role", counters.lost)
        yield _counters("refused_requests", "Requests that are not allowed", "kind", sums.refused)
        for name, summary in _SUMS.items():
            yield _counter(name, summary, getattr(sums, name))


def _gauge(name: str, summary: str, value: float) -> Metric:
    return GaugeMetricFamily(f"packwire_hub_{name}", summary, value)


def _counter(name: str, summary: str, value: float) -> Metric:
    return CounterMetricFamily(f"packwire_hub_{name}", summary, value)


def _counters(name: str, summary: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"packwire_hub_{name}", summary, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
