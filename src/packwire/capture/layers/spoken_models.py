"""Conversations of models on TCP: a BMS behind a serial bridge, a Wi-Fi module that hands its bytes on.

Which model it is, of those that share a framing, is told by what the frames say.
"""

from collections import defaultdict
from collections.abc import Iterator

from packwire.capture.framings import TRIAL, frames_in, recognise
from packwire.capture.layers.link import Counts
from packwire.capture.layers.spoken import SpokenConnection, read_spoken
from packwire.capture.layers.tcp import Connection, Connections
from packwire.capture.layers.tcp_streams import known_streams
from packwire.capture.readings import Readings, all_models
from packwire.direction import Direction
from packwire.protocols import observer


def read_models(connections: Connections) -> tuple[SpokenConnection, ...]:
    """Return the connections on which a model is spoken, in the order of connections."""
    models = all_models()
    spoken: defaultdict[str, list[int]] = defaultdict(list)
    for connection, device in known_streams(connections, (), Counts()):
        name = _model(connection, device, Readings(models))
        if name:
            spoken[name].append(connection.index)
    found = (
        each
        for name, indices in spoken.items()
        for each in read_spoken(connections, observer(name), indices, Counts()).connections
    )
    return tuple(sorted(found, key=lambda each: each.connection.index))


def _model(connection: Connection, device: int, readings: Readings) -> str:
    """Return the name of the model that a connection's frames fit best; empty: none knows them."""
    for frame in _frames(connection.streams[device].joined()[:TRIAL]):
        readings.read(0, Direction.FROM_DEVICE, frame)
    return next((each.name for each in readings.models), "")


def _frames(content: bytes) -> Iterator[bytes]:
    framings = recognise(content)
    for found in frames_in(content, framings) if framings else ():
        if found.ok:
            yield content[found.start : found.start + found.size]
