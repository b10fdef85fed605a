"""A VESC and all that hangs on it: an Express, its BMS, and the controllers on its CAN bus."""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, override

from packwire.device.base import Device, Node, NodeKind
from packwire.device.no_reply import NoReplyError
from packwire.device.node_memory import NodeMemory, SessionMemory
from packwire.device.staleness import StaleWatch
from packwire.device.vesc_client import VescClient
from packwire.device.vesc_samples import battery_values, controller_values, firmware_values
from packwire.errors import GoneError, NoAnswerError, PackwireError, Reason
from packwire.quantity import Value
from packwire.sample import Condition, Sample
from packwire.vesc.commands import Command
from packwire.vesc.hardware import HardwareType, hardware_label
from packwire.vesc.replies import (
    BMS_GET_VALUES,
    GET_VALUES,
    GET_VALUES_SETUP_SELECTIVE,
    BmsValues,
    FwVersion,
    SetupValues,
)
from packwire.vesc.requests import request, values_selective
from packwire.wire.layout import Decoded

#: Speed, controller id and odometer of GET_VALUES_SETUP: asked for alone, because other readings there are
#: averages since they were last read, and reading them would disturb another client.
_SETUP_MASK = 1 << 6 | 1 << 17 | 1 << 20
#: An odometer moves slowly: seconds between two questions.
_SETUP_INTERVAL = 1.0
_SETUP_FAILURES = 3
#: After so many rounds without one answer the connection counts as dead, though nobody closed it.
_SILENT_ROUNDS = 3
_SILENT_TIMES = 2
#: Seconds for which a node on the CAN bus that did not answer twice in a row is not asked again.
SILENT_PAUSE = 5.0
NO_BMS = "no BMS: this VESC hears none on its CAN bus"
_KINDS: dict[int, NodeKind] = {
    HardwareType.CONTROLLER: NodeKind.CONTROLLER,
    HardwareType.BMS: NodeKind.BATTERY,
}


class VescDevice(Device):
    """The device behind a VESC client; see `packwire.device.open_device` for the options."""

    def __init__(
        self,
        client: VescClient,
        *,
        only: int | None = None,
        can_ids: Collection[int] | None = None,
        stale_after: float | None = None,
        memory: NodeMemory | None = None,
    ) -> None:
        self.client = client
        self._only = only
        self._can_ids = can_ids
        self._stale_after = stale_after
        self._memory = memory or SessionMemory()
        self._nodes: dict[str, Node] = {}
        self._routes: dict[str, int | None] = {}
        self._stale: dict[str, StaleWatch] = {}
        self._setups: dict[str, _Setup] = {}
        self._silences: dict[str, _Silence] = {}
        self._remarks: dict[str, str] = {}
        self._silent_rounds = 0
        self.asked: set[str] = set()
        """The keys of the nodes that the last `read` asked; the others had nothing to ask, or a pause."""
        self._unnamed_bms = False
        """Whether the VESC tells of a pack whose CAN id its old firmware does not say."""

    @property
    @override
    def where(self) -> str:
        return f"{self.client.link.preposition} {self.client.link.name}"

    @property
    @override
    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._nodes.values())

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what was odd so far: replies shorter or longer than known, and what else arrived."""
        return (*self._remarks.values(), *self.client.oddities())

    @property
    def name(self) -> str:
        """Return what the device that we are connected to calls itself."""
        return _name(self.version)

    @property
    def version(self) -> FwVersion:
        """Return who we are connected to."""
        return self.client.known[None]

    @override
    async def open(self) -> None:
        await self.client.connect()
        if self._only is not None:
            await self._add_only(self._only)
            return
        await self._add_local_nodes()
        if self._can_ids is None:
            await self.find_nodes()
        else:
            for can_id in self._can_ids:
                await self.add_can_id(can_id)

    @override
    async def close(self) -> None:
        await self.client.close()

    @override
    async def find_nodes(self, *, quick: bool = False) -> None:
        name = identity(self.version)
        recalled = self._memory.recall(name)
        if recalled and all([await self.add_can_id(can_id) for can_id in recalled]) and quick:
            self._remarks["memory"] = "CAN nodes as known from last time; a rescan asks the bus again"
            return
        there = await self.client.ping_can()
        for can_id in there:
            if can_id not in self.client.known:
                await self.add_can_id(can_id)
        self._memory.remember(name, list(there))

    async def add_can_id(self, can_id: int) -> bool:
        """Ask one CAN id who it is and add it; tell whether it answered."""
        try:
            await self._add_can_node(can_id)
        except NoReplyError:
            return False
        return True

    @override
    async def read(self) -> tuple[Sample, ...]:
        self.asked.clear()
        samples = tuple([await self.read_node(node) for node in self.nodes])
        asked = [sample.condition is Condition.SILENT for sample in samples if sample.node in self.asked]
        if asked:
            self._silent_rounds = self._silent_rounds + 1 if all(asked) else 0
        if self._silent_rounds >= _SILENT_ROUNDS:
            raise await self._explain_silence()
        return samples

    async def _explain_silence(self) -> PackwireError:
        return await self.client.link.explain_silence() or GoneError(
            f"{self.where}: the connection is open, but nothing answered {self._silent_rounds} rounds "
            "of questions; is the device still on?",
            reason=Reason.FELL_SILENT,
        )

    async def read_node(self, node: Node) -> Sample:
        """Take one sample of one node; without values where it does not answer.

        A node on the CAN bus that did not answer twice is left alone for a while: waiting for it at every
        reading would slow down all others. `asked` holds the keys of the nodes that were asked.
        """
        if node.kind is NodeKind.GATEWAY:
            return self._sample(node, firmware_values(self._version_of(node)))
        silence = self._silences.setdefault(node.key, _Silence())
        if silence.last and self._routes[node.key] is not None and time.monotonic() < silence.pause_ends:
            return silence.last
        self.asked.add(node.key)
        try:
            read = self._read_battery if node.kind is NodeKind.BATTERY else self._read_controller
            sample = await read(node)
        except NoReplyError as error:
            sample = Sample(node.key, time.time_ns(), {}, Condition.SILENT, str(error))
            silence.last = sample
            silence.times += 1
            if silence.times >= _SILENT_TIMES:
                silence.pause_ends = time.monotonic() + SILENT_PAUSE
        else:
            del self._silences[node.key]
        return sample

    async def _add_local_nodes(self) -> None:
        version = self.version
        if version.hw_type == HardwareType.BMS:
            self._add(Node("bms", identity(version), NodeKind.BATTERY, _name(version), version.version), None)
            return
        kind = NodeKind.GATEWAY if version.hw_type == HardwareType.EXPRESS else NodeKind.CONTROLLER
        self._add(Node("vesc", identity(version), kind, _name(version), version.version), None)
        # The battery has its place even where there is none yet: one that comes later is shown.
        bms = await self._look_at_bms(None)
        can_id = bms.can_id if bms and not bms.absent and not bms.scripted else None
        self._unnamed_bms = bms is not None and bool(bms.cell_num) and bms.can_id is None
        name = "BMS set by a script" if bms and bms.scripted else "BMS"
        node = Node("bms", f"{identity(version)}-bms", NodeKind.BATTERY, name, "", can_id, "vesc")
        self._add(node, None)

    async def _look_at_bms(self, can_id: int | None, tries: int | None = None) -> BmsValues | None:
        try:
            payload = await self.client.request(request(Command.BMS_GET_VALUES), can_id, tries=tries)
        except NoReplyError:
            return None
        return BMS_GET_VALUES.decode(payload).reply

    async def _add_can_node(self, can_id: int) -> None:
        version = await self.client.fw_version(can_id)
        kind = await self._kind_of(can_id, version)
        battery = self._nodes.get("bms")
        if battery and (battery.can_id == can_id or (self._unnamed_bms and kind is NodeKind.BATTERY)):
            # The pack that the VESC tells about already; now it is known by a name of its own.
            mine = replace(battery, identity=identity(version), firmware=version.version, can_id=can_id)
            self._add(mine, None)
            return
        via = "vesc" if "vesc" in self._nodes else None
        node = Node(f"can/{can_id}", identity(version), kind, _name(version), version.version, can_id, via)
        self._add(node, can_id)

    async def _kind_of(self, can_id: int, version: FwVersion) -> NodeKind:
        if version.hw_type in {HardwareType.CONTROLLER, HardwareType.BMS}:
            return _KINDS[version.hw_type]
        # A BMS may run the firmware of an Express (VBMS32 does), or firmware too old to tell its type: it is
        # a BMS if it has a pack of its own. Others on the bus tell of that pack too, under its id.
        bms = await self._look_at_bms(can_id, tries=1)
        if bms and bms.cell_num and bms.can_id in {None, can_id}:
            return NodeKind.BATTERY
        return NodeKind.CONTROLLER if version.hw_type is None else NodeKind.GATEWAY

    async def _add_only(self, can_id: int) -> None:
        """Add the one node that was asked for; if it does not answer, say who does."""
        try:
            await self._add_can_node(can_id)
        except NoReplyError as error:
            others = await self._ids_that_answer()
            raise NoAnswerError(f"{error}. {others}", reason=Reason.NO_NODE) from error

    async def _ids_that_answer(self) -> str:
        try:
            ids = await self.client.ping_can()
        except NoReplyError:
            return "PING_CAN got no answer either"
        if not ids:
            return "No id answers on this CAN bus; is it connected, and is the baud rate that of the others?"
        return f"Ids that answer: {', '.join(map(str, ids))}"

    def _add(self, node: Node, route: int | None) -> None:
        self._nodes[node.key] = node
        self._routes[node.key] = route

    def _version_of(self, node: Node) -> FwVersion:
        return self.client.known[self._routes[node.key]]

    async def _read_battery(self, node: Node) -> Sample:
        payload = await self.client.request(request(Command.BMS_GET_VALUES), self._routes[node.key])
        decoded = BMS_GET_VALUES.decode(payload)
        reply = decoded.reply
        self._remark(node, decoded)
        if reply.absent:
            return Sample(node.key, time.time_ns(), {}, Condition.ABSENT, NO_BMS)
        if reply.cell_num is None:
            short = f"the reply is too short to be one ({len(payload)} bytes)"
            return Sample(node.key, time.time_ns(), {}, Condition.SILENT, short)
        watch = self._stale.setdefault(node.key, StaleWatch(self._stale_after))
        return self._sample(node, battery_values(reply), watch.judge(payload, time.monotonic()))

    async def _read_controller(self, node: Node) -> Sample:
        route = self._routes[node.key]
        decoded = GET_VALUES.decode(await self.client.request(request(Command.GET_VALUES), route))
        reply = decoded.reply
        self._remark(node, decoded)
        setup = await self._setups.setdefault(node.key, _Setup(self.client, route)).read()
        if reply.current_in is not None:
            for watch in self._stale.values():
                watch.motor_current(node.key, reply.current_in)
        return self._sample(node, controller_values(reply, setup))

    def _remark(self, node: Node, decoded: Decoded[Any]) -> None:
        """Note where a reply ends earlier or goes on longer than the firmware that is known here."""
        if decoded.missing:
            self._remarks[node.key] = (
                f"{node.key}: the reply ends before {decoded.missing[0]} (older firmware, or cut short)"
            )
        elif decoded.left_over:
            self._remarks[node.key] = (
                f"{node.key}: {decoded.left_over} bytes of the reply are not understood (newer firmware)"
            )

    def _sample(self, node: Node, values: dict[str, Value], stale: str = "") -> Sample:
        if len(values) > len(node.quantities):
            # The search of the CAN bus may have learnt more about this node since it was asked.
            self._nodes[node.key] = replace(self._nodes[node.key], quantities=tuple(values))
        return Sample(node.key, time.time_ns(), values, Condition.STALE if stale else Condition.FRESH, stale)


@dataclass(slots=True)
class _Silence:
    """How often in a row a node did not answer, and until when it is left alone."""

    times: int = 0
    pause_ends: float = 0.0
    last: Sample | None = None


class _Setup:
    """Reads speed and odometer of one controller now and then; firmware without them is left in peace."""

    def __init__(self, client: VescClient, route: int | None) -> None:
        self._client = client
        self._route = route
        self._reply: SetupValues | None = None
        self._next = 0.0
        self._failures = 0

    async def read(self) -> SetupValues | None:
        now = time.monotonic()
        if now < self._next or self._failures >= _SETUP_FAILURES:
            return self._reply
        self._next = now + _SETUP_INTERVAL
        question = values_selective(Command.GET_VALUES_SETUP_SELECTIVE, _SETUP_MASK)
        try:
            payload = await self._client.request(question, self._route, tries=1)
        except NoReplyError:
            self._failures += 1
        else:
            _, *values = GET_VALUES_SETUP_SELECTIVE.decode(payload).reply
            self._reply = SetupValues(*values)
        return self._reply


def identity(version: FwVersion) -> str:
    """Return what names a VESC device in the world: its UUID, or its hardware's name where it gives none."""
    return f"vesc-{version.uuid or (version.hw_name or 'unknown').replace(' ', '-').lower()}"


def _name(version: FwVersion) -> str:
    return version.hw_name or hardware_label(version.hw_type)
