"""A conversation with a VESC and what hangs on it: an Express, its BMS, the controllers on its bus."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, override

from packwire.errors import NoAnswerError, Reason
from packwire.protocol.base import Asker, Node, NodeKind, NodeReading, Options, Request, Session
from packwire.protocol.no_reply import NoReplyError
from packwire.sample import Condition
from packwire.vesc.commands import Command
from packwire.vesc.hardware import HardwareType, hardware_label
from packwire.vesc.matching import acceptance
from packwire.vesc.replies import (
    BMS_GET_VALUES,
    FW_VERSION,
    GET_VALUES,
    GET_VALUES_SETUP_SELECTIVE,
    PING_CAN,
    BmsValues,
    FwVersion,
    SetupValues,
)
from packwire.vesc.requests import request, values_selective
from packwire.vesc.samples import battery_values, controller_values, firmware_values
from packwire.vesc.staleness import StaleWatch
from packwire.vesc.traits import PING_CAN_TAKES, answers
from packwire.wire.layout import Decoded

#: Speed, controller id and odometer of GET_VALUES_SETUP: asked for alone, because other readings there are
#: averages since they were last read, and reading them would disturb another client.
_SETUP_MASK = 1 << 6 | 1 << 17 | 1 << 20
#: An odometer moves slowly: seconds between two questions.
_SETUP_INTERVAL = 1.0
_SETUP_FAILURES = 3
NO_BMS = "no BMS: this VESC hears none on its CAN bus"
_KINDS: dict[int, NodeKind] = {
    HardwareType.CONTROLLER: NodeKind.CONTROLLER,
    HardwareType.BMS: NodeKind.BATTERY,
}


class VescSession(Session):
    """What is known of one VESC while it is connected."""

    search = "looking for nodes on the CAN bus (2.5 to 5 s, the first time)"

    def __init__(self, asker: Asker, options: Options) -> None:
        super().__init__()
        self._asker = asker
        self._options = options
        self.known: dict[int | None, FwVersion] = {}
        """Who answered FW_VERSION, by CAN id; None is the device that we are connected to."""
        self._own_id: int | None = None
        """The controller id of the device that we are connected to, once a reply told it."""
        self._request = lru_cache(maxsize=64)(self._made_request)
        """Requests, until more is known of who may answer them."""
        self._routes: dict[str, int | None] = {}
        self._stale: dict[str, StaleWatch] = {}
        self._setups: dict[str, _Setup] = {}
        self._unnamed_bms = False
        """Whether the VESC tells of a pack whose CAN id its old firmware does not say."""

    @property
    def version(self) -> FwVersion:
        """Return who we are connected to."""
        return self.known[None]

    @property
    @override
    def name(self) -> str:
        return _name(self.version)

    @property
    @override
    def firmware(self) -> str:
        return self.version.version

    @property
    @override
    def identity(self) -> str:
        return identity(self.version)

    async def ask(
        self,
        payload: bytes,
        can_id: int | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of one try; the error tells it
        tries: int | None = None,
    ) -> bytes:
        """Send a request, over the CAN bus where an id is given; return the reply's payload.

        A reply that carries another sender's id, mask or UUID is not taken. Raises NoReplyError.
        """
        reply = await self._asker.request(self._request(payload, can_id), timeout=timeout, tries=tries)
        if can_id is None and payload[0] == Command.GET_VALUES:
            own_id = GET_VALUES.decode(reply).reply.controller_id
            if own_id != self._own_id:
                self._own_id = own_id
                self._request.cache_clear()
        return reply

    def _made_request(self, payload: bytes, can_id: int | None) -> Request:
        node = self.known.get(can_id)
        others = {known.uuid for route, known in self.known.items() if route != can_id}
        sender = self._own_id if can_id is None else can_id
        accepts = acceptance(payload, sender, node.uuid if node else None, others)
        hardware = node.hw_type if node else None
        known = answers(hardware, payload[0])
        hopeless = "" if known else f"a {hardware_label(hardware)} never answers this command"
        return Request(payload, can_id, accepts, hopeless)

    @override
    async def start(self) -> None:
        await self.fw_version()
        if self._asker.shared:
            # That may have been a reply on its way to the client before us. Behind a fence, ask again.
            self.known.clear()
            self._request.cache_clear()
            self._asker.distrust(Request(request(Command.FW_VERSION)))
            await self.fw_version()

    async def fw_version(self, can_id: int | None = None, *, tries: int | None = None) -> FwVersion:
        """Ask a node who it is."""
        payload = await self.ask(request(Command.FW_VERSION), can_id, tries=tries)
        self.known[can_id] = FW_VERSION.decode(payload).reply
        self._request.cache_clear()
        return self.known[can_id]

    async def ping_can(self) -> tuple[int, ...]:
        """Ask who is on the CAN bus; takes 2.5 to 5 s. The device that we are connected to is not in it."""
        payload = await self.ask(request(Command.PING_CAN), timeout=PING_CAN_TAKES, tries=2)
        return PING_CAN.decode(payload).reply.ids or ()

    @override
    async def find_local(self) -> None:
        if self._options.only is not None:
            await self._add_only(self._options.only)
            return
        version = self.version
        if version.hw_type == HardwareType.BMS:
            self._put(Node("bms", identity(version), NodeKind.BATTERY, _name(version), version.version), None)
            return
        kind = NodeKind.GATEWAY if version.hw_type == HardwareType.EXPRESS else NodeKind.CONTROLLER
        self._put(Node("vesc", identity(version), kind, _name(version), version.version), None)
        # The battery has its place even where there is none yet: one that comes later is shown.
        bms = await self._look_at_bms(None)
        can_id = bms.can_id if bms and not bms.absent and not bms.scripted else None
        self._unnamed_bms = bms is not None and bool(bms.cell_num) and bms.can_id is None
        name = "BMS set by a script" if bms and bms.scripted else "BMS"
        self._put(Node("bms", self._pack_identity, NodeKind.BATTERY, name, "", can_id, "vesc"), None)

    @property
    def _pack_identity(self) -> str:
        """Return what names the pack that the VESC tells of: the same before and after the bus was asked."""
        return f"{identity(self.version)}-bms"

    @override
    async def find_nodes(self) -> tuple[int, ...]:
        if self._options.only is not None:
            return ()
        there = await self.ping_can()
        for can_id in there:
            if can_id not in self.known:
                await self.add(can_id)
        return there

    @override
    async def add(self, number: int) -> bool:
        try:
            await self._add_can_node(number)
        except NoReplyError:
            return False
        return True

    @override
    def asks(self, node: Node) -> bool:
        return node.kind is not NodeKind.GATEWAY

    @override
    def behind(self, node: Node) -> bool:
        return self._routes[node.key] is not None

    @override
    async def read(self, node: Node) -> NodeReading:
        if node.kind is NodeKind.GATEWAY:
            return NodeReading(firmware_values(self.known[self._routes[node.key]]))
        read = self._read_battery if node.kind is NodeKind.BATTERY else self._read_controller
        return await read(node)

    async def _look_at_bms(self, can_id: int | None, tries: int | None = None) -> BmsValues | None:
        try:
            payload = await self.ask(request(Command.BMS_GET_VALUES), can_id, tries=tries)
        except NoReplyError:
            return None
        return BMS_GET_VALUES.decode(payload).reply

    async def _add_can_node(self, can_id: int) -> None:
        version = await self.fw_version(can_id)
        kind = await self._kind_of(can_id, version)
        battery = self._nodes.get("bms")
        if battery and (battery.number == can_id or (self._unnamed_bms and kind is NodeKind.BATTERY)):
            # The pack that the VESC tells about already; now it has a firmware, and surely this id.
            self._put(replace(battery, firmware=version.version, number=can_id), None)
            return
        via = "vesc" if "vesc" in self._nodes else None
        node = Node(f"can/{can_id}", identity(version), kind, _name(version), version.version, can_id, via)
        self._put(node, can_id)

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
        node = self._nodes[f"can/{can_id}"]
        if node.kind is NodeKind.BATTERY:
            told_of = await self._look_at_bms(None)
            if told_of and not told_of.scripted and told_of.can_id == can_id:
                self._put(replace(node, identity=self._pack_identity), can_id)

    async def _ids_that_answer(self) -> str:
        try:
            ids = await self.ping_can()
        except NoReplyError:
            return "PING_CAN got no answer either"
        if not ids:
            return "No id answers on this CAN bus; is it connected, and is the baud rate that of the others?"
        return f"Ids that answer: {', '.join(map(str, ids))}"

    def _put(self, node: Node, route: int | None) -> None:
        self._nodes[node.key] = node
        self._routes[node.key] = route

    async def _read_battery(self, node: Node) -> NodeReading:
        payload = await self.ask(request(Command.BMS_GET_VALUES), self._routes[node.key])
        decoded = BMS_GET_VALUES.decode(payload)
        reply = decoded.reply
        self._remark(node, decoded)
        if reply.absent:
            return NodeReading({}, Condition.ABSENT, NO_BMS)
        if reply.cell_num is None:
            short = f"the reply is too short to be one ({len(payload)} bytes)"
            return NodeReading({}, Condition.SILENT, short)
        watch = self._stale.setdefault(node.key, StaleWatch(self._options.stale_after))
        stale = watch.judge(payload, self._asker.now())
        return NodeReading(battery_values(reply), Condition.STALE if stale else Condition.FRESH, stale)

    async def _read_controller(self, node: Node) -> NodeReading:
        route = self._routes[node.key]
        decoded = GET_VALUES.decode(await self.ask(request(Command.GET_VALUES), route))
        reply = decoded.reply
        self._remark(node, decoded)
        setup = await self._setups.setdefault(node.key, _Setup(self, route)).read(self._asker.now())
        if reply.current_in is not None:
            for watch in self._stale.values():
                watch.motor_current(node.key, reply.current_in)
        return NodeReading(controller_values(reply, setup))

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


@dataclass(slots=True)
class _Setup:
    """Reads speed and odometer of one controller now and then; firmware without them is left in peace."""

    session: VescSession
    route: int | None
    reply: SetupValues | None = None
    due: float = 0.0
    failures: int = 0

    async def read(self, now: float) -> SetupValues | None:
        if now < self.due or self.failures >= _SETUP_FAILURES:
            return self.reply
        self.due = now + _SETUP_INTERVAL
        question = values_selective(Command.GET_VALUES_SETUP_SELECTIVE, _SETUP_MASK)
        try:
            payload = await self.session.ask(question, self.route, tries=1)
        except NoReplyError:
            self.failures += 1
        else:
            _, *values = GET_VALUES_SETUP_SELECTIVE.decode(payload).reply
            self.reply = SetupValues(*values)
        return self.reply


def identity(version: FwVersion) -> str:
    """Return what names a VESC device in the world: its UUID, or its hardware's name where it gives none."""
    return f"vesc-{version.uuid or (version.hw_name or 'unknown').replace(' ', '-').lower()}"


def _name(version: FwVersion) -> str:
    return version.hw_name or hardware_label(version.hw_type)
