"""Any protocol that a model describes, served as a device: the same file that reads it answers here."""

from collections.abc import Iterable, Mapping
from typing import Any

from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply
from packwire.sim.faults import Faults
from packwire.sim.port import Port
from packwire.sim.server import SimOptions, Simulation
from packwire.sim.vehicle import Vehicle

CYCLES = 117
HARDWARE = "SIMULATED"
FIRMWARE = 2.1


def pack_values(vehicle: Vehicle) -> dict[str, Any]:
    """Return what a pack could say of itself now, by quantity key; currents positive while charging."""
    pack = vehicle.pack
    cells = pack.cell_voltages
    return {
        "voltage": pack.measured_voltage,
        "current": -pack.measured_current,
        "soc": round(100 * pack.soc),
        "soh": round(100 * pack.health),
        "cell_count": len(cells),
        "cell_voltages": cells,
        "cell_balancing": tuple(pack.balancing),
        "temperatures": pack.temperatures[:2],
        "charge_remaining": pack.soc * pack.capacity,
        "capacity": pack.capacity,
        "capacity_design": pack.capacity,
        "cycles": CYCLES,
        "charge_enabled": True,
        "discharge_enabled": True,
        "alarms": (),
        "hardware": HARDWARE,
        "firmware": FIRMWARE,
    }


class ModelDevice:
    """A device that answers the requests of a model with the values of a simulated pack."""

    def __init__(self, protocol: ModelProtocol, vehicle: Vehicle, faults: Faults) -> None:
        self.protocol = protocol
        self.vehicle = vehicle
        self.faults = faults
        self.wedged = False
        self.encoded: dict[bytes, bytes] = {}
        self._frozen: dict[str, Any] | None = None
        self._questions = {question.payload: question for question in protocol.questions}

        faults.on_change.append(self._fault_changed)
        self._fault_changed("frozen-bms")

    def values(self) -> dict[str, Any]:
        """Return what the device says of its pack now, by quantity key."""
        if self._frozen is not None:
            return self._frozen
        values = pack_values(self.vehicle)
        (dead,) = self.faults.get("dead-cell") or (0,)
        cells = values["cell_voltages"]
        if 0 < dead <= len(cells):
            at = int(dead) - 1
            values["voltage"] -= cells[at]
            values["cell_voltages"] = (*cells[:at], 0.0, *cells[at + 1 :])
        return values

    def _fault_changed(self, name: str) -> None:
        if name == "frozen-bms":
            self._frozen = None
            self._frozen = self.values() if name in self.faults else None
        self.encoded.clear()

    def port(self, name: str) -> Port:
        """Return a new link of this device."""
        return Port(self, name, self.protocol.framer())

    def moved(self) -> None:
        """Forget encoded replies: the physics has moved."""
        self.encoded.clear()

    def revive(self) -> None:
        """Switch the device off and on."""

    def unsolicited(self) -> Iterable[bytes]:
        """Return nothing: these devices speak when they are asked."""
        return ()

    def request(self, port: Port, payload: bytes) -> None:
        """Answer a request that the model knows; others are met with silence."""
        question = self._questions.get(payload)
        if question is None:
            return
        values = self.values()
        reply = next(each for each in self.protocol.replies if each.name == question.reply)
        frame = self.protocol.encode(reply.name, field_values(reply, values))
        self.encoded[payload] = frame
        port.send(frame)


def field_values(reply: Reply, quantities: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands in each field of a reply: what it measures, or nothing in particular."""
    values: dict[str, Any] = {}
    for field in reply.codec.fields:
        if field.quantity in quantities:
            values[field.name] = quantities[field.quantity]
        elif field.type.numeric and field.count is None and not field.unknown:
            values[field.name] = () if field.flags else field.value(0)
    return values


class SimulatedModel(Simulation):
    """A simulated pack that speaks the protocol of a model."""

    device: ModelDevice

    def __init__(self, protocol: ModelProtocol, options: SimOptions | None = None) -> None:
        options = options or SimOptions()
        vehicle = Vehicle(options.seed, options.cells, options.scenario, options.soc)
        super().__init__(
            options, ModelDevice(protocol, vehicle, Faults(options.faults)), vehicle, protocol.name
        )
