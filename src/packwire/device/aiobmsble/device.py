"""A pack behind a plugin of aiobmsble: its samples, what became of its requests, and why it is silent."""

import asyncio
import logging
import time
from collections import deque
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module
from typing import Any, override

import aiobmsble.basebms
from aiobmsble import BMSConfig

from packwire.att import Opcode
from packwire.device.aiobmsble.samples import values_of
from packwire.device.base import Device, Node, NodeKind, Statistics
from packwire.errors import GoneError, NoAnswerError, PackwireError, Reason, WrongPinError
from packwire.link.ble.discovery import Seen, identity_of
from packwire.link.ble.failures import FAILURES, broken, no_connection
from packwire.link.ble.observed import CLOSE_TIMEOUT, CONNECT_TIMEOUT, ObservedClient, Watch, watched, who
from packwire.link.ble.proxy import wait_for_slot
from packwire.link.gatt_traffic import GattConnected, GattObserver, Passed
from packwire.models.aiobmsble_plugins import Plugin
from packwire.sample import Condition, Sample
from packwire.visible import printable

#: The one node of a device that is a pack and nothing else.
PACK = "bms"
#: Seconds for one reading: aiobmsble's own waits are shorter, unless the system's Bluetooth hangs.
READ_TIMEOUT = 20.0
#: Seconds for what the device says of itself, which is asked beside the values.
INFO_TIMEOUT = 10.0
#: After so many readings without an answer the connection counts as dead, though nobody closed it.
_SILENT_ROUNDS = 3


class _Traffic(GattObserver):
    """Counts what passes, and how long answers take: an observer of the connection."""

    def __init__(self) -> None:
        self.requests = self.replies = self.received = self.notifications = 0
        self.latencies: deque[float] = deque(maxlen=1000)
        self._asked: int | None = None
        self._handles: frozenset[int] = frozenset()

    @override
    def connected(self, connected: GattConnected) -> None:
        trees = connected.services
        self._handles = frozenset(each.handle for tree in trees for each, _ in tree.characteristics)

    @override
    def passed(self, passed: Passed) -> None:
        if passed.opcode in {Opcode.WRITE_REQ, Opcode.WRITE_CMD}:
            if passed.handle in self._handles:  # else it is a subscription
                self.requests += 1
                self._asked = passed.time
        elif passed.opcode in {Opcode.NOTIFICATION, Opcode.INDICATION}:
            self.notifications += 1
            self.received += len(passed.value)
            if self._asked is not None:
                self.replies += 1
                self.latencies.append((passed.time - self._asked) / 1e9)
                self._asked = None


class AiobmsbleDevice(Device):
    """A pack that a plugin of aiobmsble reads."""

    def __init__(
        self, seen: Seen, plugin: Plugin, *, pin: str | None = None, watch: Watch | None = None
    ) -> None:
        self._seen = seen
        self._plugin = plugin
        self._title = plugin.title
        self._pin = pin
        self._watch = watch or Watch()
        self._traffic = _Traffic()
        self._watch.observers.append(self._traffic)
        self._stack = AsyncExitStack()
        self._bms: Any = None
        self._info: dict[str, str] = {}
        self._nodes: dict[str, Node] = {}
        self._unread: dict[str, Sample] = {}
        self._remarks: dict[str, str] = {}
        self._asked: frozenset[str] = frozenset()
        self._silent_rounds = self._timeouts = 0

    @property
    @override
    def where(self) -> str:
        return f"Bluetooth, {self._title}"

    @property
    @override
    def link(self) -> str:
        return f"Bluetooth {self._seen.advertisement.address}"

    @property
    @override
    def name(self) -> str:
        return self._seen.advertisement.name or self._info.get("model") or self._title

    @property
    @override
    def firmware(self) -> str:
        return self._info.get("sw_version") or self._info.get("fw_version") or ""

    @property
    @override
    def identity(self) -> str:
        return identity_of(self._seen.advertisement)

    @property
    @override
    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._nodes.values())

    @property
    @override
    def remarks(self) -> tuple[str, ...]:
        return tuple(self._remarks.values())

    @property
    @override
    def asked(self) -> frozenset[str]:
        return self._asked

    @property
    @override
    def statistics(self) -> Statistics:
        traffic = self._traffic
        return Statistics(
            requests=traffic.requests,
            replies=traffic.replies,
            timeouts=self._timeouts,
            bytes_received=traffic.received,
            frames=traffic.notifications,
            latencies=tuple(traffic.latencies),
        )

    @override
    async def open(self) -> None:
        await wait_for_slot(self._seen.device)
        _watch_all_clients()
        config = BMSConfig(keep_alive=True, secret=self._pin or "")
        if self._pin is not None and not self._plugin.secret:
            self._remarks["pin"] = f"the PIN was not used: {self._title} takes none"
        bms_class = import_module(f"aiobmsble.bms.{self._plugin.name}").BMS
        with watched(self._watch):
            self._bms = bms_class(self._seen.device, config)
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await self._stack.enter_async_context(self._bms)
            except (*FAILURES, UnicodeEncodeError, ValueError) as error:
                raise self._not_opened(error) from error
        self._nodes[PACK] = Node(PACK, self.identity, NodeKind.BATTERY, self.name, self.firmware)

    def _not_opened(self, error: Exception) -> PackwireError:
        if (refused := self._refused(error)) is not None:
            return refused
        if isinstance(error, ValueError):  # UnicodeEncodeError among them
            return WrongPinError(f"{self._who}: a PIN with such characters cannot be sent to a {self._title}")
        if isinstance(error, TimeoutError) and self._traffic.requests:
            return self._silent()
        return no_connection(error, self._who, self._seen.advertisement.rssi, CONNECT_TIMEOUT)

    def _refused(self, error: Exception) -> WrongPinError | None:
        """Return that the PIN is wrong, where that is it: aiobmsble may log in again before any reading."""
        # Where the device itself refuses, and not the system, there is no number of an error.
        by_device = isinstance(error, ConnectionRefusedError) and error.errno is None
        if self._pin is None and by_device:
            return WrongPinError(f"{self._who} speaks to nobody without its PIN (pin= in the address)")
        if self._pin is None or not (by_device or isinstance(error, PermissionError)):
            return None
        return WrongPinError(f"{self._who} refuses the PIN: it is wrong")

    @override
    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._stack.aclose()
                if self._bms is not None:
                    await self._bms.disconnect()
        except FAILURES:  # what cannot be ended is left to the system
            return

    @override
    async def find_nodes(self, *, quick: bool = False) -> None:
        """Ask what the device says of itself, once, unless it just answered nothing at all."""
        if self._info or self._bms is None or self._silent_rounds:
            return
        with watched(self._watch):
            try:
                async with asyncio.timeout(INFO_TIMEOUT):
                    said = await self._bms.device_info()
            except (*FAILURES, ValueError, IndexError):
                return  # the values do not depend on it
        self._info = {key: printable(str(value)) for key, value in said.items() if value}
        for key, node in self._nodes.items():
            self._nodes[key] = replace(node, firmware=self.firmware)

    @override
    async def read(self) -> tuple[Sample, ...]:
        self._asked = frozenset({PACK})
        samples = await self._update()
        if samples[0].condition is Condition.SILENT:
            self._silent_rounds += 1
            if self._silent_rounds >= _SILENT_ROUNDS:
                raise GoneError(
                    f"{self._who}: the connection is open, but nothing answered {self._silent_rounds} rounds "
                    f"of questions{self._seen.advertisement.weakness}; is it still on?",
                    reason=Reason.FELL_SILENT,
                )
        else:
            self._silent_rounds = 0
        return samples

    @override
    async def read_node(self, node: Node) -> Sample:
        if node.key not in self._unread:
            self._unread = {sample.node: sample for sample in await self._update()}
        gone = Sample(node.key, time.time_ns(), {}, Condition.SILENT, "it was not told of this time")
        return self._unread.pop(node.key, gone)

    async def _update(self) -> tuple[Sample, ...]:
        if not self._bms.is_connected:
            raise GoneError(
                f"{self._who} ended the connection{self._seen.advertisement.weakness}; is it still on, and"
                " near?",
                reason=Reason.CLOSED,
            )
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                said = await self._bms.async_update()
        except TimeoutError:
            self._timeouts += 1
            return (Sample(PACK, time.time_ns(), {}, Condition.SILENT, str(self._silent())),)
        except FAILURES as error:
            raise self._refused(error) or broken(error, self._who) from error
        except (ValueError, IndexError, TypeError) as error:
            # Plugins trust lengths that a reply tells: this one did not hold what it announced.
            words = f"a reply could not be read by aiobmsble ({type(error).__name__})"
            return (Sample(PACK, time.time_ns(), {}, Condition.SILENT, words),)
        return self._samples(said)

    def _samples(self, said: dict[str, Any]) -> tuple[Sample, ...]:
        now = time.time_ns()
        samples = [self._sample(PACK, now, said)]
        for number, pack in enumerate(said.get("packs", ()), 1):
            key = f"{PACK}/{number}"
            self._nodes.setdefault(
                key, Node(key, f"{self.identity}-{number}", NodeKind.BATTERY, f"Pack {number}", "", via=PACK)
            )
            samples.append(self._sample(key, now, pack))
        return tuple(samples)

    def _sample(self, key: str, now: int, said: dict[str, Any]) -> Sample:
        values, remark = values_of(said)
        self._remarks.pop(f"cells of {key}", None)
        if remark:
            self._remarks[f"cells of {key}"] = remark
        if not values:
            return Sample(key, now, {}, Condition.SILENT, "it answered, and told no values")
        node = self._nodes[key]
        if len(values) > len(node.quantities):
            self._nodes[key] = replace(node, quantities=tuple(values))
        return Sample(key, now, values)

    def _silent(self) -> NoAnswerError:
        if self._traffic.notifications:
            what = "what it sent made no whole answer"
        else:
            what = f"it answered nothing{self._seen.advertisement.weakness}"
        pin = " or does it want a PIN (pin= in the address)," if self._plugin.secret and not self._pin else ""
        return NoAnswerError(f"{self._who}: {what}; is it a {self._title},{pin} or does an app use it?")

    @property
    def _who(self) -> str:
        return who(self._seen)


#: What they log as errors is told by what they raise, in words of our own.
for _name in ("aiobmsble", "bleak_retry_connector"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def _watch_all_clients() -> None:
    """Let aiobmsble make clients that can be watched; for others than ours they are bleak's own.

    Its plugins take the class by this name when they connect, and offer no other way to see the bytes.
    """
    if aiobmsble.basebms.BleakClient is not ObservedClient:
        aiobmsble.basebms.BleakClient = ObservedClient
