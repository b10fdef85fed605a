"""Conversations of models: a BMS behind a serial bridge, a Wi-Fi module, a Bluetooth device, a serial line.

Which model it is, of those that share a framing, is told by what the frames say.
"""

from collections import defaultdict
from collections.abc import Mapping

from packwire.capture.framings import TRIAL, frames_in, recognise
from packwire.capture.layers.lines import RecordedLine, RecordedLines
from packwire.capture.layers.link import Counts
from packwire.capture.layers.spoken import Carrier, Carriers, SpokenConnection, read_spoken
from packwire.capture.layers.streams import known_streams
from packwire.capture.layers.tcp import Connection, Connections
from packwire.capture.readings import Readings, all_models
from packwire.direction import Direction
from packwire.protocols import observer


def read_models(connections: Connections) -> tuple[SpokenConnection[Connection], ...]:
    """Return the TCP connections on which a model is spoken, in the order of connections."""
    devices = {each.index: device for each, device in known_streams(connections, (), Counts())}
    return _read(connections, devices)


def read_lines(lines: RecordedLines) -> tuple[SpokenConnection[RecordedLine], ...]:
    """Return the links that are no TCP on which VESC or a model is spoken, in their order."""
    return _read(lines, {each.index: 0 if each.mixed else 1 for each in lines})


def _read[On: Carrier](
    connections: Carriers[On], devices: Mapping[int, int]
) -> tuple[SpokenConnection[On], ...]:
    """Read the connections of these numbers, with the ends that are their devices."""
    models = all_models() if devices else []
    spoken: defaultdict[str, list[int]] = defaultdict(list)
    for index, device in devices.items():
        name = _protocol(connections.glance(index).streams[device].joined()[:TRIAL], Readings(models))
        if name:
            spoken[name].append(index)
    found = (
        each
        for name, indices in spoken.items()
        for each in read_spoken(connections, observer(name), indices, Counts()).connections
    )
    return tuple(sorted(found, key=lambda each: each.connection.index))


def _protocol(content: bytes, readings: Readings) -> str:
    """Return the name of the protocol that frames of a device fit best; empty: none knows them."""
    framings = recognise(content)
    if any(each in observer("vesc").family.framings for each in framings):
        return "vesc"
    for found in frames_in(content, framings) if framings else ():
        if found.ok:
            readings.read(0, Direction.FROM_DEVICE, content[found.start : found.start + found.size])
    return next((each.name for each in readings.models), "")
