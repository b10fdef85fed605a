"""Values noted from documented protocols are found in real recordings, by `find_values` alone.

What an owner would note is what the family's model reads at three moments; where something hardly moves in a
recording, chance may explain its place, but the place is still first.
"""

from typing import Any

import numpy as np
import pytest

from packwire.capture import open_capture
from packwire.cli.kinds import kinds_of
from packwire.insight.fields import find_fields, read
from packwire.insight.matches import MOST_CHANCE
from packwire.insight.observations import read_observation
from packwire.insight.values import find_values
from packwire.models.protocol import ModelProtocol
from packwire.protocols import protocol
from tests.shared_data import CAPTURES, needs_captures

#: The recording, its model, and what of it changes there, so that it can be told from others.
MOVING = {
    "seplos-v2": ("seplos", ("voltage", "current", "soc")),
    "basen": ("basen", ("voltage", "current")),
    "ant-ble16zmub": ("ant", ("voltage", "current")),
    "jbd-mosfets-onoff": ("jbd", ("voltage",)),
    "daly-balancer": ("daly", ()),
    "lolan-status-controls": ("lolan", ("voltage",)),
}
UNITS = {"voltage": ("V", 3), "current": ("A", 2), "soc": ("%", 1)}


def told(capture, name):
    """Return what the model reads, with times, by quantity."""
    spoken = protocol(name)
    assert isinstance(spoken, ModelProtocol)
    found: dict[str, list[tuple[int, Any]]] = {}
    for row in range(len(capture.messages)):
        for key, value in spoken.values(capture.messages.payload(row)).items():
            found.setdefault(key, []).append((int(capture.messages.time[row]), value))
    return found


@needs_captures
@pytest.mark.parametrize("name", MOVING)
def test_noted_values_are_found(name):
    family, wanted = MOVING[name]
    capture = open_capture(CAPTURES / f"ble/{name}.btsnoop")
    values = told(capture, family)
    notes = []
    for key in wanted:
        unit, digits = UNITS[key]
        rows = sorted(values[key], key=lambda each: each[1])
        for time, value in (rows[0], rows[len(rows) // 2], rows[-1]):
            notes.append(read_observation(f"{key}={value:.{digits}f}{unit}", time))
    cells = max((len(each) for _, each in values.get("cell_voltages", ())), default=0)
    notes += [read_observation(f"{cells}cells")] if cells else []
    kinds = [each.frames for each in kinds_of([capture])]
    found = {each.name: each for each in find_values(kinds, find_fields(kinds), notes, seconds=0.5)}
    for key in wanted:
        first = found[key].matches[0]
        kind, field = kinds[first.kind], first.field
        at, width = field.at or 0, field.width or 1
        assert kind.time is not None
        part = kind.matrix[:, at : at + width]
        series = field.scaled(read(part[:, ::-1] if first.little else part, field.type))
        read_at = {int(time): value for time, value in values[key]}
        both = [
            (read_at[int(time)], one)
            for time, one in zip(kind.time, series, strict=True)
            if int(time) in read_at
        ]
        assert len(both) > 2
        assert np.allclose([one for one, _ in both], [other for _, other in both], atol=0.02), key
    assert not cells or found["cells"].matches[0].count == cells
    assert not cells or found["cells"].matches[0].chance <= MOST_CHANCE
