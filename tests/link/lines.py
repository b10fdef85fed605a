"""Lines for tests: simulated devices that share a pseudo-terminal."""

import contextlib

from packwire.models.load import model
from packwire.sim.faults import Faults
from packwire.sim.model import ModelDevice
from packwire.sim.serial_port import SimulatedSerialPort
from packwire.sim.vehicle import Vehicle


def device(name, unit=None, *, cells=8, seed=1, faults=()):
    vehicle = Vehicle(seed, cells, "cycle", None)
    return ModelDevice(model(name), vehicle, Faults(faults), unit)


class Line(SimulatedSerialPort):
    """A line that knows who is on it."""

    devices: list[ModelDevice]


@contextlib.contextmanager
def line(name, *units, cells=8, faults=(), **how):
    """Yield a line with a device of each address, every one another pack; `how` is of the line."""
    devices = [
        device(name, unit, cells=cells, seed=number, faults=faults)
        for number, unit in enumerate(units or (None,), 1)
    ]
    serial = Line(*(each.port("serial") for each in devices), **how)
    serial.open()
    serial.devices = devices
    try:
        yield serial
    finally:
        serial.close()
