"""A pack in the air: found first, then read by whoever knows what it advertises."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import override

from packwire.address import VESC, Address
from packwire.advertisement import Advertisement
from packwire.device.base import Device, Node, Statistics
from packwire.errors import NotAVescError, UnreachableError
from packwire.link.base import Link
from packwire.link.ble.adapters import may_hang, restart
from packwire.link.ble.discovery import Seen, find
from packwire.link.ble.observed import Watch, who
from packwire.link.ble.proxy import OpenProxy, held
from packwire.models.aiobmsble_plugins import Plugin, plugin_for
from packwire.protocol.base import Protocol
from packwire.protocols import protocol, recognised
from packwire.sample import Sample


def reader_of(seen: Advertisement) -> Plugin | Protocol | None:
    """Return who reads a device that advertises so: a plugin of aiobmsble, else a protocol of our own."""
    plugin = plugin_for(seen)
    if plugin is not None:
        return plugin
    if protocol(VESC).recognises(seen):
        return protocol(VESC)
    return next(iter(recognised(seen)), None)


def _is_told(seen: Advertisement) -> bool:
    """Tell whether enough was heard to choose, without loading all models."""
    return bool(seen.name) and (plugin_for(seen) is not None or protocol(VESC).recognises(seen))


class BluetoothDevice(Device):
    """A pack with Bluetooth; `read_by` makes the device that is read in a protocol of our own.

    `seen` saves looking for it: a recording has no air.
    """

    def __init__(
        self,
        address: Address,
        read_by: Callable[[Link, Protocol], Device],
        *,
        watch: Watch | None = None,
        seen: Seen | None = None,
    ) -> None:
        self._address = address
        self._read_by = read_by
        self._watch = watch or Watch()
        self._seen = seen
        self._device: Device | None = None
        self._restarted = ""
        self._held = AsyncExitStack()
        self._proxy: OpenProxy | None = None

    @property
    @override
    def where(self) -> str:
        return f"over {self.link}" if self._device is None else self._device.where

    @property
    @override
    def link(self) -> str:
        return f"Bluetooth {self._address.target}" if self._device is None else self._device.link

    @property
    @override
    def name(self) -> str:
        return self._address.target if self._device is None else self._device.name

    @property
    @override
    def firmware(self) -> str:
        return "" if self._device is None else self._device.firmware

    @property
    @override
    def identity(self) -> str:
        return "" if self._device is None else self._device.identity

    @property
    @override
    def nodes(self) -> tuple[Node, ...]:
        return () if self._device is None else self._device.nodes

    @property
    @override
    def remarks(self) -> tuple[str, ...]:
        again = f"the Bluetooth adapter {self._restarted} gave no scan, and was switched off and on"
        taken = "" if self._proxy is None else self._proxy.remark
        own = (*([again] if self._restarted else ()), *([taken] if taken else ()))
        return own if self._device is None else (*own, *self._device.remarks)

    @property
    @override
    def inner(self) -> Device:
        return self if self._device is None else self._device.inner

    @property
    @override
    def search(self) -> str:
        return "" if self._device is None else self._device.search

    @property
    @override
    def asked(self) -> frozenset[str]:
        return frozenset() if self._device is None else self._device.asked

    @property
    @override
    def statistics(self) -> Statistics:
        return Statistics() if self._device is None else self._device.statistics

    @override
    async def open(self) -> None:
        address = self._address
        self._proxy = await self._held.enter_async_context(held(address.radio))
        if self._seen is None:
            enough = (lambda _: True) if address.model else _is_told
            try:
                self._seen = await find(address.target, address.radio, enough=enough)
            except UnreachableError as error:
                if not (address.resets and may_hang(error)):
                    raise
                self._restarted = await restart(address.adapter)
                self._seen = await find(address.target, address.radio, enough=enough)
        for observer in self._watch.observers:
            observer.seen(time.time_ns(), self._seen.advertisement)
        self._device = self._chosen(self._seen)
        await self._device.open()

    def _chosen(self, seen: Seen) -> Device:
        from packwire.link.ble.link import BleLink  # noqa: PLC0415 - aiobmsble needs none

        said = seen.advertisement
        reader = protocol(self._address.model) if self._address.model else reader_of(said)
        if isinstance(reader, Plugin):
            from packwire.device.aiobmsble import AiobmsbleDevice  # noqa: PLC0415 - slow to import

            return AiobmsbleDevice(seen, reader, pin=self._address.pin, watch=self._watch)
        if reader is None:
            raise NotAVescError(
                f"nobody here knows what {who(seen)} speaks: packwire explore {self._address} shows what it "
                "has; ?model=NAME behind the address reads it by a model that you name"
            )
        return self._read_by(BleLink(self._address, reader, seen, self._watch), reader)

    @override
    async def close(self) -> None:
        if self._device is not None:
            await self._device.close()
        await self._held.aclose()

    @override
    async def find_nodes(self, *, quick: bool = False) -> None:
        if self._device is not None:
            await self._device.find_nodes(quick=quick)

    @override
    async def read(self) -> tuple[Sample, ...]:
        assert self._device is not None
        return await self._device.read()

    @override
    async def read_node(self, node: Node) -> Sample:
        assert self._device is not None
        return await self._device.read_node(node)
