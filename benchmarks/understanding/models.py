"""Sessions of the models in the library, spoken by a simulated pack; the truth comes from the model."""

from collections.abc import Iterator

import numpy as np

from benchmarks.understanding.sessions import SCENARIOS, run
from benchmarks.understanding.truth import Known, Order, Session, TrueField
from packwire.insight.fields import Frames
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply
from packwire.protocols import model_names
from packwire.sim.model import field_values
from packwire.wire.fields import Type

_KINDS = {Type.UINT: "u", Type.INT: "i", Type.FLOAT: "f"}


def model_sessions(frames: int, seed: int = 1) -> Iterator[Session]:
    """Yield a session of each scenario for each model whose replies can be made."""
    for name in model_names():
        protocol = model(name)
        for number, scenario in enumerate(SCENARIOS):
            known = [
                kind
                for reply in protocol.replies
                if not reply.refuses and (kind := _frames(protocol, reply, scenario, frames, seed + number))
            ]
            if known:
                yield Session(
                    f"{name}, {scenario}", "held", tuple(known), tuple(each.frames for each in known)
                )


def _frames(protocol: ModelProtocol, reply: Reply, scenario: str, frames: int, seed: int) -> Known | None:
    random = np.random.default_rng((seed, sum(reply.name.encode())))
    pack = run(random, scenario, frames, 16, 2)
    rows: list[bytes] = []
    for at in range(frames):
        cells = tuple(float(each) for each in pack.cells[at])
        values = {
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
            "temperatures": tuple(float(each) for each in pack.temperatures[at]),
            "charge_remaining": float(pack.remaining[at]),
            "capacity": pack.capacity,
            "capacity_design": pack.capacity,
            "cycles": 117,
            "charge_enabled": int(pack.switches[at]) & 1 == 1,
            "discharge_enabled": int(pack.switches[at]) & 2 == 2,
        }
        try:
            rows.append(protocol.encode(reply.name, field_values(reply, values)))
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            return None
    if len({len(row) for row in rows}) != 1:
        return None
    matrix = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)
    true = _true(protocol, reply, rows[0])
    return Known(Frames(matrix, len(reply.begins)), true) if true else None


def _true(protocol: ModelProtocol, reply: Reply, frame: bytes) -> tuple[TrueField, ...]:
    types = {field.name: field for field in reply.codec.fields}
    result = []
    for span in protocol.spans(frame):
        field = types[span.name.partition("[")[0]]
        if field.type not in _KINDS or field.bits:
            continue
        order: Order = "little" if (field.order or reply.codec.order) == "little" else "big"
        result.append(TrueField(span.name, span.offset, span.width, _KINDS[field.type], order))
    return tuple({(each.at, each.width): each for each in result}.values())
