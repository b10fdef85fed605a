"""A VESC Express on byte streams: its parser, its CAN bus, and the slot for slow commands.

The device has several links (the local TCP port, a hub, a serial port), each a `Port` with a parser of its
own. A port's parser is not reset when a client goes, and the reply to a forwarded request goes to the port
that forwarded last, as in the firmware [vesc_express main/packet.c, main/commands.c, main/comm_can.c].

FORWARD_CAN without an id byte wedges this device for good: it is silent on every link until `revive()`. The
task that read the request loops, so that its link is never read again [commands.c, comm_can.c: a length of
-1 as an unsigned number]; `Port.on_wedge` lets a link do the same.
"""

import asyncio
import logging
import struct
from collections.abc import Callable, Iterator
from functools import partial

from packwire.sim.faults import Faults
from packwire.sim.nodes import (
    BMS_ID,
    CONTROLLER_ID,
    EXPRESS_ID,
    BmsMemory,
    BmsNode,
    ControllerNode,
    ExpressNode,
    SimulatedNode,
)
from packwire.sim.port import Port
from packwire.sim.vehicle import Vehicle
from packwire.vesc.commands import Command
from packwire.vesc.framing import DEVICE_MAX_PAYLOAD, Framer, encode_frame
from packwire.vesc.replies import ExpressConfig
from packwire.vesc.requests import CAN_BROADCAST
from packwire.vesc.traits import answers, traits

log = logging.getLogger("packwire.sim")

PING_TIME = 2.5
CAN_DELAY = 0.006
"""Seconds for a request and its reply over the CAN bus."""
_TERMINAL_TIME = 0.05
_CACHE_SIZE = 64
#: Packets that nobody asked for; the last is long enough to need a frame with a 16-bit length.
_PRINTED = (
    bytes((Command.PRINT,)) + b"CAN: bus on\0",
    bytes((Command.LISP_PRINT,)) + b"tick 42\0",
    bytes((Command.LISP_PRINT,)) + b"a long line of numbers:" + b" 3.1415926" * 30 + b"\0",
)

#: A header that claims 512 bytes: what a client leaves behind that broke off inside a frame.
HALF_FRAME = b"\x03\x02\x00"

type Deliver = Callable[[bytes], None]


class Express:
    """The device: its own node, the nodes on its CAN bus, and its ports."""

    def __init__(
        self,
        vehicle: Vehicle,
        faults: Faults,
        config: ExpressConfig,
        *,
        seed: int = 1,
        ping_time: float = PING_TIME,
        can_delay: float = CAN_DELAY,
    ) -> None:
        self.vehicle = vehicle
        self.faults = faults
        self.bms = BmsNode(BMS_ID, vehicle, faults, seed)
        memory = BmsMemory(self.bms, faults)
        self.node = ExpressNode(EXPRESS_ID, vehicle, faults, seed, memory, config)
        self.controller = ControllerNode(CONTROLLER_ID, vehicle, faults, seed, memory)
        self.encoded: dict[bytes, bytes] = {}
        """Frames of the local replies by request; forgotten when the physics moves."""
        self.wedged = "wedge" in faults
        self._memory = memory
        self._ping_time = ping_time
        self._can_delay = can_delay
        self._forwarder: Port | None = None
        self._busy: set[int] = set()
        self._ports: list[Port] = []
        self._printed = 0
        memory.values()  # of a BMS that is dead or frozen from the start, what it is now is remembered
        faults.on_change.append(self._fault_changed)

    def port(self, name: str) -> Port:
        """Return a new link of this device."""
        self._ports.append(Port(self, name, Framer(DEVICE_MAX_PAYLOAD), HALF_FRAME))
        return self._ports[-1]

    def moved(self) -> None:
        """Forget encoded replies: the physics has moved."""
        self.encoded.clear()
        for node in (self.node, self.bms, self.controller):
            node.moved()

    def revive(self) -> None:
        """Switch the device off and on: what wedged it is over."""
        was_wedged, self.wedged = self.wedged, False
        self._busy.clear()
        self._forwarder = None
        if was_wedged:
            self._tell_ports()

    def request(self, port: Port, payload: bytes) -> None:
        """Answer one request that came in at `port`, now, later or never."""
        if self.wedged:
            return
        if payload[0] == Command.FORWARD_CAN:
            self._forward(port, payload)
        elif _is_slow(self.node, payload[0]):
            self._work(self.node, payload, port.send)
        elif reply := self.node.answer(payload):
            frame = encode_frame(reply)
            if len(self.encoded) >= _CACHE_SIZE:
                self.encoded.clear()
            self.encoded[payload] = frame
            port.send(frame)

    def unsolicited(self) -> Iterator[bytes]:
        """Yield the next frame that nobody asked for: text, or a status frame of the BMS."""
        kinds = len(_PRINTED) + 1
        turn = self._printed % kinds
        self._printed += 1
        yield encode_frame(_PRINTED[turn] if turn < len(_PRINTED) else self._bms_status_frame())

    def on_bus(self) -> list[SimulatedNode]:
        """Return the devices that answer over CAN now; this one is never among them."""
        gone = set(self.faults.get("dead-node") or ())
        if "no-bms" in self.faults or "script-bms" in self.faults:
            gone.add(BMS_ID)
        return [node for node in (self.bms, self.controller) if node.can_id not in gone]

    def _forward(self, port: Port, payload: bytes) -> None:
        if len(payload) < 2:
            log.info("the device is wedged: FORWARD_CAN without an id")
            self._wedge()
            return
        self._forwarder = port
        can_id, inner = payload[1], payload[2:]
        if not inner:
            return
        for node in self.on_bus():
            if can_id not in (node.can_id, CAN_BROADCAST):
                continue
            if _is_slow(node, inner[0]):
                self._work(node, inner, self._deliver)
            elif reply := node.answer(inner):
                self._after(self.can_delay, partial(self._deliver, encode_frame(reply)))

    def _deliver(self, frame: bytes) -> None:
        """Hand a reply from the CAN bus to the port that forwarded last, whoever asked for it."""
        if self._forwarder is not None:
            self._forwarder.send(frame)

    @property
    def can_delay(self) -> float:
        """Seconds for a round trip over the CAN bus now."""
        slow = self.faults.get("slow-can")
        return slow[0] if slow else self._can_delay

    @property
    def ping_time(self) -> float:
        """Seconds that PING_CAN takes now."""
        slow = self.faults.get("slow-can")
        return slow[1] if slow else self._ping_time

    def _work(self, node: SimulatedNode, request: bytes, deliver: Deliver) -> None:
        """Do what takes long, in the one slot that a device has for it."""
        if node.can_id in self._busy:
            return
        self._busy.add(node.can_id)
        seconds = self.ping_time if request[0] == Command.PING_CAN else _TERMINAL_TIME
        self._after(seconds, partial(self._finish, node, deliver, request[0]))

    def _finish(self, node: SimulatedNode, deliver: Deliver, command: int) -> None:
        self._busy.discard(node.can_id)
        if command == Command.PING_CAN:
            ids = sorted({other.can_id for other in [self.node, *self.on_bus()]} - {node.can_id})
            deliver(encode_frame(bytes((Command.PING_CAN, *ids))))
        elif command == Command.TERMINAL_CMD:
            text = b"Invalid command; type help to list all commands\n\0"
            deliver(encode_frame(bytes((Command.PRINT,)) + text))

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        if seconds <= 0:
            call()
        else:
            asyncio.get_running_loop().call_later(seconds, self._unless_wedged, call)

    def _unless_wedged(self, call: Callable[[], None]) -> None:
        if not self.wedged:
            call()

    def _wedge(self) -> None:
        self.wedged = True
        self.encoded.clear()
        self._tell_ports()

    def _tell_ports(self) -> None:
        for port in self._ports:
            port.on_wedge(self.wedged)

    def _fault_changed(self, name: str) -> None:
        if name == "wedge":
            if name in self.faults:
                self._wedge()
            else:
                self.revive()
        elif name in ("dead-node", "frozen-bms"):
            self._memory.values()  # what is remembered is what was there when it stopped
        self.moved()

    def _bms_status_frame(self) -> bytes:
        """Return BMS_FWD_CAN_RX with CAN_PACKET_BMS_V_TOT (38): two singles, pack and charger voltage."""
        values = self.bms.values()
        return bytes((Command.BMS_FWD_CAN_RX, BMS_ID, 38)) + struct.pack(">ff", values.v_tot, values.v_charge)


def _is_slow(node: SimulatedNode, command: int) -> bool:
    """Tell whether a command takes the one slot for what is slow; another is dropped meanwhile."""
    return traits(command).slot and (command == Command.TERMINAL_CMD or answers(node.hardware, command))
