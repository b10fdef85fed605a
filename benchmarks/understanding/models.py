"""Sessions of the models in the library, spoken by a simulated pack; the truth comes from the model."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.understanding.sessions import SCENARIOS, Pack, run
from benchmarks.understanding.truth import Known, Order, Session, TrueField
from packwire.insight.fields import Frames
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply
from packwire.models.store import library
from packwire.sim.filled import Speaker
from packwire.wire.fields import Type

#: Numbers of more bytes are none.
_WIDEST = 8
_KINDS = {Type.UINT: "u", Type.INT: "i", Type.FLOAT: "f"}


def model_sessions(frames: int, seed: int = 1) -> Iterator[Session]:
    """Yield a session of each scenario for each model whose replies can be made."""
    for name in library():
        protocol = model(name)
        for number, scenario in enumerate(SCENARIOS):
            known = _said(protocol, scenario, frames, seed + number)
            if known:
                yield Session(f"{name}, {scenario}", "held", known, tuple(each.frames for each in known))


def simulated(protocol: ModelProtocol, scenario: str, frames: int, seed: int) -> dict[str, list[bytes]]:
    """Return what a simulated pack says, by reply; empty where a model's replies cannot be made."""
    random = np.random.default_rng((seed, sum(protocol.name.encode())))
    pack = run(random, scenario, frames, 16, 2)
    speaker = Speaker(protocol)
    rows: dict[str, list[bytes]] = {}
    for at in range(frames):
        try:
            said = speaker.frames(_values(pack, at), {})
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            return {}
        for name, own in said.items():
            rows.setdefault(name, []).extend(own)
    return rows


def _said(protocol: ModelProtocol, scenario: str, frames: int, seed: int) -> tuple[Known, ...]:
    rows = simulated(protocol, scenario, frames, seed)
    result = []
    for reply in protocol.replies:
        own = rows.get(reply.name, [])
        if len(own) != frames or len({len(row) for row in own}) != 1:
            continue
        matrix = np.frombuffer(b"".join(own), dtype=np.uint8).reshape(len(own), -1)
        if true := true_fields(protocol, reply, own[0]):
            result.append(Known(Frames(matrix, len(reply.begins)), true))
    return tuple(result)


def _values(pack: Pack, at: int) -> dict[str, Any]:
    cells = tuple(float(each) for each in pack.cells[at])
    return {
        "voltage": float(pack.voltage[at]),
        "current": float(pack.current[at]),
        "power": float(pack.power[at]),
        "soc": round(100 * float(pack.soc[at])),
        "soh": 98,
        "cell_count": len(cells),
        "cell_voltages": cells,
        "cell_voltage_min": min(cells),
        "cell_voltage_max": max(cells),
        "cell_voltage_spread": max(cells) - min(cells),
        "cell_voltage_average": sum(cells) / len(cells),
        "cell_min_number": cells.index(min(cells)) + 1,
        "cell_max_number": cells.index(max(cells)) + 1,
        "temperatures": tuple(float(each) for each in pack.temperatures[at]),
        "charge_remaining": float(pack.remaining[at]),
        "capacity": pack.capacity,
        "capacity_design": pack.capacity,
        "cycles": 117,
        "charge_enabled": int(pack.switches[at]) & 1 == 1,
        "discharge_enabled": int(pack.switches[at]) & 2 == 2,
    }


def true_fields(protocol: ModelProtocol, reply: Reply, frame: bytes) -> tuple[TrueField, ...]:
    """Return the fields of a frame as its model has them."""
    types = {field.name: field for layout in reply.layouts for field in layout.codec.fields}
    result = []
    head = len(protocol.framings[0].start)
    digits = protocol.framings[0].hexadecimal
    # Of a CAN frame, what lies behind the identifier.
    behind = len(frame) - len(protocol.data(frame)) if protocol.can else 0
    for span in protocol.spans(frame):
        field = types.get(span.name.partition("[")[0])
        if field is None or field.type not in _KINDS or field.bits or span.width > _WIDEST:
            continue
        order: Order = "little" if (field.order or reply.codec.order) == "little" else "big"
        at, width = behind + span.offset, span.width
        if digits:
            at, width = head + 2 * (span.offset - head), 2 * span.width
        result.append(TrueField(span.name, at, width, _KINDS[field.type], order, digits))
    return tuple({(each.at, each.width): each for each in result}.values())
