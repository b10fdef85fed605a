"""A simulation by the name of its protocol, as in `sim:vesc` and `sim:jbd`."""

from packwire.models.protocol import ModelProtocol
from packwire.protocols import protocol
from packwire.sim.model import SimulatedModel
from packwire.sim.server import SimOptions, SimulatedVesc, Simulation


def simulation(name: str, options: SimOptions) -> Simulation:
    """Return a simulated device that speaks a protocol. Raises BadAddressError for one that is not known."""
    spoken = protocol(name)
    if isinstance(spoken, ModelProtocol):
        return SimulatedModel(spoken, options)
    return SimulatedVesc(options)
