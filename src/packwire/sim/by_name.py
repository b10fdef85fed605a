"""A simulation by the name of its protocol, as in `sim:vesc` and `sim:jbd`."""

from packwire.models.protocol import ModelProtocol
from packwire.protocols import protocol
from packwire.sim.model import SimulatedModel
from packwire.sim.server import SimOptions, SimulatedVesc, Simulation


def simulation(name: str, options: SimOptions) -> Simulation:
    """Return a simulated device that speaks a protocol, named or by a model's file.

    Raises BadAddressError for one that is not known, BadFileError for a file that is no model.
    """
    spoken = protocol(name)
    if isinstance(spoken, ModelProtocol):
        simulated = SimulatedModel(spoken, options)
        simulated.model = name
        return simulated
    return SimulatedVesc(options)
