"""What aiobmsble made of recorded bytes, beside what a model makes of the same bytes.

A test of a family calls `exchanges(plugin)` and `compare(model, exchange)`.
"""

import json
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from packwire.device.aiobmsble.samples import values_of
from packwire.models.heard import Heard
from packwire.models.protocol import ModelProtocol
from packwire.sample import derived
from tests.shared_data import VECTORS

#: aiobmsble cuts these to whole numbers.
WHOLE = {"capacity_design", "charge_discharged_total"}
#: What aiobmsble rounds more than others.
ROUNDED = {"temperatures": 0.0051, "power": 0.05}
#: aiobmsble's own arithmetic, from other values and from what it takes for usual.
ITS_OWN = {"power", "energy_remaining", "runtime", "problem", "cell_voltage_spread"}


@cache
def _vectors() -> dict[str, list[dict[str, Any]]]:
    return json.loads(VECTORS.read_text()) if VECTORS.exists() else {}


@dataclass(frozen=True)
class Exchange:
    """One exchange: the bytes that came, in pieces; what aiobmsble made of them."""

    number: int
    raw: bool
    received: tuple[bytes, ...]
    sent: tuple[bytes, ...]
    sample: dict[str, Any]

    @property
    def known(self) -> dict[str, Any]:
        """Return aiobmsble's sample as packwire tells it, without aiobmsble's own arithmetic."""
        sensors = [
            SimpleNamespace(value=value, type=SimpleNamespace(name=kind))
            for value, kind in self.sample.get("temp_values", [])
        ]
        values, _ = values_of({**self.sample, "temp_values": sensors})
        return {key: value for key, value in values.items() if key not in ITS_OWN}


def exchanges(plugin: str) -> list[Exchange]:
    """Return all exchanges of a plugin; none where the vectors are not here."""
    return [
        Exchange(
            number,
            each["raw"],
            tuple(bytes.fromhex(data) for way, data in each["io"] if way == "rx"),
            tuple(bytes.fromhex(data) for way, data in each["io"] if way == "tx"),
            each["sample"],
        )
        for number, each in enumerate(_vectors().get(plugin, []))
    ]


def read(protocol: ModelProtocol, exchange: Exchange) -> dict[str, Any]:
    """Return what a model says of the bytes that came."""
    framer = protocol.framer()
    heard = Heard(protocol)
    for piece in exchange.received:
        for frame in (*framer.feed(piece), *framer.rescue()):
            heard.take(frame.payload)
    return derived(heard.values())


def compare(protocol: ModelProtocol, exchange: Exchange, without: frozenset[str] = frozenset()) -> list[str]:
    """Return what differs, line by line; `without` are quantities told apart elsewhere, with their reason."""
    ours, theirs = read(protocol, exchange), exchange.known
    lines = []
    for key, value in theirs.items():
        if key in without or (key.startswith("cell_") and "cell_voltages" not in theirs):
            continue
        if key not in ours:
            lines.append(f"{key}: aiobmsble says {value}, we say nothing")
        elif not same(int(ours[key]) if key in WHOLE else ours[key], value, ROUNDED.get(key, 0.00051)):
            lines.append(f"{key}: aiobmsble says {value}, we say {ours[key]}")
    return lines


def same(one: Any, other: Any, most: float = 0.00051) -> bool:
    """Tell whether two values are the same but for rounding (aiobmsble rounds to 3 decimals here and there)."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(same(*each, most) for each in zip(one, other, strict=True))
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    return abs(float(one) - float(other)) <= most
