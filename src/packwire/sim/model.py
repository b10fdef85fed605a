"""Any protocol that a model describes, served as a device: the same file that reads it answers here."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from packwire.errors import BadFileError, BadOptionError
from packwire.models.protocol import ModelProtocol, Switch
from packwire.models.replies import Reply
from packwire.models.requests import Question
from packwire.sim.addressing import as_asked, from_unit
from packwire.sim.can_wires import CanPort, Slcan, Socketcand
from packwire.sim.faults import Faults
from packwire.sim.filled import Speaker, cells_of
from packwire.sim.pack import USUAL_CELLS
from packwire.sim.pack_values import pack_values, values_within
from packwire.sim.port import Port
from packwire.sim.server import SimOptions, Simulation
from packwire.sim.vehicle import Vehicle
from packwire.wire.fields import FieldError

STREAM_INTERVAL = 1.0
"""Seconds between two frames of what a device sends of its own accord."""
BETWEEN = 0.06
"""Seconds between the replies where several answer one request: boards make them one by one."""
LONGEST_PATIENCE = 3.0
"""How many times as long as a keep-alive is due a device waits for it before it hangs up."""

#: Packs of a device that consists of packs.
_PACKS = 2
_ON = "on"
#: The bit by which the function of an error reply differs [Modbus protocol V1.1b3, 7].
_ERROR = 0x80
#: What the checksum of a device with one of its own differs by.
_OTHER_SUM = 0x05
#: The quantities that say what a switch of such a name is set to.
_SWITCHED = {"charging": "charge_enabled", "discharging": "discharge_enabled", "heating": "heater_on"}


class ModelDevice:
    """A device that answers the requests of a model with the values of a simulated pack.

    It does what the model says of such devices: it goes on sending what streams, hangs up on who does not
    keep it awake, and wants its PIN where the fault `pin` says so. Switches are set and read back.
    """

    def __init__(
        self,
        protocol: ModelProtocol,
        vehicle: Vehicle,
        faults: Faults,
        unit: int | None = None,
        packs: int = _PACKS,
    ) -> None:
        self.protocol = protocol
        self.vehicle = vehicle
        self.faults = faults
        self.wedged = False
        self.encoded: dict[bytes, bytes] = {}
        self.unit = unit_of(protocol) if unit is None else unit
        """Its address on a shared line."""
        self.packs = packs if protocol.packs else 0
        """How many packs it consists of, beside itself; 0: it is one pack."""
        self.switched: dict[str, int] = {}
        """What switches were set to, by name."""
        self._speaker = Speaker(protocol)
        self._said: dict[str, list[bytes]] | None = None
        self._packs_said: dict[int, dict[str, list[bytes]]] = {}
        self._frozen: dict[str, Any] | None = None
        self._requests = 0
        self._clients: dict[Port, _Client] = {}
        faults.on_change.append(self._fault_changed)
        self._fault_changed("frozen-bms")

    def values(self) -> dict[str, Any]:
        """Return what the device says of its pack now, by quantity key."""
        if self._frozen is not None:
            return self._frozen
        values = pack_values(self.vehicle)
        if self.packs:
            values["pack_count"] = self.packs
        if self.protocol.bus is not None:
            values["serial_number"] = f"SIM{self.unit:05d}"
        (dead,) = self.faults.get("dead-cell") or (0,)
        cells = values["cell_voltages"]
        if 0 < dead <= len(cells):
            at = int(dead) - 1
            values["voltage"] -= cells[at]
            values["cell_voltages"] = (*cells[:at], 0.0, *cells[at + 1 :])
        (volts,) = self.faults.get("absurd") or (0.0,)
        if volts and values["cell_voltages"]:
            values["cell_voltages"] = (volts, *values["cell_voltages"][1:])
        for switch in self.protocol.switches:
            if switch.name in _SWITCHED:
                values[_SWITCHED[switch.name]] = self.setting(switch) == _ON
        return values

    def _fault_changed(self, name: str) -> None:
        if name == "frozen-bms":
            self._frozen = None
            self._frozen = self.values() if name in self.faults else None
        self.moved()

    def port(self, name: str) -> Port:
        """Return a new link of this device."""
        port = self._port(name)
        self._clients[port] = _Client(self, port)
        port.on_attach = self._clients[port].begin
        return port

    def _port(self, name: str) -> Port:
        framer = self.protocol.framer()
        if not self.protocol.can:
            return Port(self, name, framer)
        return CanPort(self, name, framer, Slcan() if name == "serial" else Socketcand())

    def moved(self) -> None:
        """Forget encoded replies: the physics has moved."""
        self._said = None
        self._packs_said.clear()

    def revive(self) -> None:
        """Switch the device off and on."""

    def unsolicited(self) -> Iterable[bytes]:
        """Return nothing: these devices speak when they are asked."""
        return ()

    def request(self, port: Port, payload: bytes) -> None:
        """Answer a request that the model knows; others are met with silence."""
        self._clients[port].take(payload)

    def say_all(self) -> None:
        """Make every reply once. Raises FieldError and ValueError where the model's values do not fit."""
        self._said = self._speaker.frames(self.values(), self._read_back())

    def frames(self, reply: str) -> list[bytes]:
        """Return the frames of a reply now."""
        if self._said is None:
            self.say_all()
        assert self._said is not None
        frames = [from_unit(self.protocol, each, self.unit) for each in self._said[reply]]
        return list(map(self._with_other_sum, frames)) if "wrong-checksum" in self.faults else frames

    def _with_other_sum(self, frame: bytes) -> bytes:
        framing = self.protocol.framing_of(frame)
        if framing is None or framing.check is None or framing.check.digits:
            return frame
        at = framing.check.at % len(frame)
        end = at + framing.check.size
        order = framing.check.order
        total = int.from_bytes(frame[at:end], order) + _OTHER_SUM & (1 << 8 * (end - at)) - 1
        return frame[:at] + total.to_bytes(end - at, order) + frame[end:]

    def pack_of(self, given: Mapping[str, int | str]) -> int:
        """Return which of its packs a request is for; 0: itself."""
        packs = self.protocol.packs
        return int(given.get(packs["parameter"], 0)) if packs else 0

    def frames_of_pack(self, number: int, reply: str) -> list[bytes]:
        """Return the frames of a reply of one of its packs; none where there is no such pack."""
        first = (self.protocol.packs or {}).get("first", 1)
        if not first <= number < first + self.packs:
            return []
        if number not in self._packs_said:
            self._packs_said[number] = self._speaker.frames(
                values_within(self.values(), number, self.packs), self._read_back()
            )
        return self._packs_said[number][reply]

    def answers(self, request: bytes) -> list[bytes]:
        """Return the frames with which it answers a request, whatever its faults; none where it does not."""
        question = self.protocol.question_of(request)
        if question is None:
            return []
        pack = self.pack_of(question.template.match(self.protocol.plain(request)) or {})
        if not pack:
            return [frame for name in question.replies for frame in self.frames(name)]
        said = [frame for name in question.replies for frame in self.frames_of_pack(pack, name)]
        return [as_asked(self.protocol, request, frame) for frame in said]

    def setting(self, switch: Switch) -> str:
        """Return by name what a switch is set to; empty where it was set to what it has no name for."""
        if switch.name not in self.switched:
            return _ON if _ON in switch.values else next(iter(switch.values))
        sent = self.switched[switch.name]
        return next((name for name, number in switch.values.items() if number == sent), "")

    def wakes(self) -> bool:
        """Count a request; tell whether the device is awake to answer it."""
        (sleeps,) = self.faults.get("asleep") or (0,)
        self._requests += 1
        return self._requests > sleeps

    def _read_back(self) -> dict[str, dict[str, int]]:
        """Return what switches say of themselves: numbers by reply and field."""
        said: dict[str, dict[str, int]] = {}
        for switch in self.protocol.switches:
            if switch.read_back is not None:
                reply, field = switch.read_back
                name = self.setting(switch)
                said.setdefault(reply, {})[field] = switch.reads.get(name, self.switched.get(switch.name, 0))
        return said

    def refusal(self, question: Question, request: bytes) -> bytes | None:
        """Return how the device refuses a request; None where the model knows no such reply."""
        if not question.replies:
            return None
        like = self.protocol.reply(question.reply)
        header = next((each.header for each in self.protocol.framings if like.head.startswith(each.start)), 1)
        for reply in self.protocol.replies:
            if reply.refuses and _alike(reply, like, header, _ERROR * self.protocol.modbus):
                return from_unit(self.protocol, self._speaker.refusal(reply, like), self.unit)
        refusals = (self._speaker.refusal(each, like) for each in self.protocol.replies if each.refuses)
        return next((each for each in refusals if self.protocol.family.is_answer(request, each)), None)


def unit_of(protocol: ModelProtocol) -> int:
    """Return the address that a device of a protocol usually has on a shared line; 0 where it has none."""
    parameter = (protocol.bus or {}).get("parameter")
    usual = protocol.parameters[parameter].default if parameter else (protocol.bus or {}).get("first", 0)
    return int(usual or 0)


def _alike(refusal: Reply, reply: Reply, header: int, error: int) -> bool:
    """Tell whether a refusal is of the kind of a reply, as far as the first bytes tell.

    `error` is what the second byte of a refusal has besides.
    """
    pairs = zip(refusal.begins[:header], reply.begins[:header], (0, error, *bytes(header)), strict=False)
    return all(one is None or other is None or one == other | more for one, other, more in pairs)


class _Client:
    """What goes on with who is attached to a port."""

    def __init__(self, device: ModelDevice, port: Port) -> None:
        self._device = device
        self._port = port
        self._logged_in = False
        self._streams: dict[str, asyncio.TimerHandle] = {}
        self._patience: asyncio.TimerHandle | None = None
        self._busy_until = 0.0

    def begin(self) -> None:
        """Begin anew, with another client."""
        self._logged_in = False
        for timer in self._streams.values():
            timer.cancel()
        self._streams.clear()
        self._busy_until = 0.0
        self._wait_for_keep_alive()
        if not self._device.protocol.questions:
            for reply in self._device.protocol.replies:
                self._send_again(reply)

        if "second-program" in self._device.faults:
            self._answer_another()

    def _answer_another(self) -> None:
        """Answer what another program asks on the same connection, again and again."""
        if self._port.outgoing is None:
            return
        (every,) = self._device.faults.get("second-program") or (0.0,)
        question = next((each for each in self._device.protocol.questions if each.replies), None)
        if every and question is not None:
            self._send(question.reply)
            loop = asyncio.get_running_loop()
            self._streams["second program"] = loop.call_later(every, self._answer_another)

    def _send_again(self, reply: Reply) -> None:
        """Send a reply of a device that is not asked, and again when it is due."""
        if reply.refuses:
            return
        if self._port.outgoing is not None:
            self._send(reply.name)
        due = asyncio.get_running_loop().call_later(reply.every, self._send_again, reply)
        self._streams[f"every {reply.name}"] = due

    def take(self, payload: bytes) -> None:
        """Answer a request."""
        protocol = self._device.protocol
        payload = protocol.plain(payload)
        asked = (protocol.bus or {}).get("parameter")
        for question in protocol.questions:
            given = question.template.match(payload)
            if given is not None and (
                asked is None or given.get(asked, self._device.unit) == self._device.unit
            ):
                if self._device.wakes():
                    self._answer(question, payload, given)
                return
        switched = self._device.protocol.switch_of(payload)
        if switched is not None and self._may_ask:
            switch, value = switched
            self._device.switched[switch.name] = value
            self._device.moved()
            if switch.echo:
                self._send(switch.echo)

    @property
    def _may_ask(self) -> bool:
        return self._logged_in or "pin" not in self._device.faults

    def _answer(self, question: Question, payload: bytes, given: dict[str, int | str]) -> None:
        secret = [name for name in given if self._device.protocol.parameters[name].secret]
        if secret:
            self._logged_in = self._logged_in or all(self._is_pin(given[name]) for name in secret)
        if not self._may_ask or "refuses" in self._device.faults:
            refusal = self._device.refusal(question, payload)
            if refusal is not None:
                self._port.send(refusal)
            return
        if question.keeps_alive:
            self._wait_for_keep_alive()
        pack = self._device.pack_of(given)
        for number, reply in enumerate(question.replies):
            send = partial(self._send_of_pack, pack, payload, reply) if pack else partial(self._send, reply)
            self._later(number * BETWEEN, send)
        if question.once:
            for each in self._device.protocol.replies:
                if each.unasked and each.topic == "settings":
                    self._later(len(question.replies) * BETWEEN, partial(self._send, each.name))
        if question.streams and question.name not in self._streams:
            self._stream(question)

    def _is_pin(self, given: int | str) -> bool:
        (pin,) = self._device.faults.get("pin") or (0,)
        return "pin" not in self._device.faults or str(given).lstrip("0") == str(int(pin)).lstrip("0")

    def _send(self, reply: str) -> None:
        for frame in self._device.frames(reply):
            self._port.send(frame)

    def _send_of_pack(self, pack: int, request: bytes, reply: str) -> None:
        for frame in self._device.frames_of_pack(pack, reply):
            self._port.send(as_asked(self._device.protocol, request, frame))

    def _stream(self, question: Question) -> None:
        """Send what streams again and again, until the client is gone."""
        interval = min(STREAM_INTERVAL, question.streams / 2)
        loop = asyncio.get_running_loop()
        self._streams[question.name] = loop.call_later(interval, self._go_on, question)

    def _go_on(self, question: Question) -> None:
        if self._port.outgoing is None:
            return
        for reply in question.replies:
            if self._device.protocol.reply(reply).unasked:
                self._send(reply)
        self._stream(question)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        if seconds:
            asyncio.get_running_loop().call_later(seconds, call)
        else:
            call()

    def _wait_for_keep_alive(self) -> None:
        """Hang up where the client does not keep the device awake."""
        if self._patience is not None:
            self._patience.cancel()
        due = [each.every for each in self._device.protocol.questions if each.keeps_alive and each.every]
        if due:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(LONGEST_PATIENCE * min(due), self._port.hang_up)


class SimulatedModel(Simulation):
    """A simulated pack that speaks the protocol of a model."""

    device: ModelDevice

    def __init__(self, protocol: ModelProtocol, options: SimOptions | None = None) -> None:
        options = options or SimOptions()
        if options.packs is not None and protocol.packs is None:
            raise BadOptionError(f"a {protocol.title} is one pack, and has no others behind it")
        cells = options.cells or cells_of(protocol, USUAL_CELLS)
        vehicle = Vehicle(options.seed, cells, options.scenario, options.soc)
        packs = options.packs or _PACKS
        device = ModelDevice(protocol, vehicle, Faults(options.faults), options.unit, packs)
        try:
            device.say_all()
        except (FieldError, ValueError, KeyError) as error:
            what = f"a device of the model {protocol.name} with {cells} cells"
            raise BadFileError(f"{what} cannot be simulated: {error}") from None
        super().__init__(options, device, vehicle, protocol.name)
        self.on_can = protocol.can
