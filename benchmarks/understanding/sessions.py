"""Sessions of made-up protocols: a random layout, and a pack that is ridden, charged, idle or switched.

The layouts are drawn from what is usual in BMSs, not from any one: byte order, widths, scales, addends, sums.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.understanding.truth import Known, Order, Session, TrueField
from packwire.insight.fields import Frames
from packwire.wire.checksum import CHECKSUMS

type Floats = NDArray[np.float64]

SCENARIOS = ("ride", "charge", "idle", "switched")
_CURVE = np.array([3.0, 3.2, 3.35, 3.45, 3.55, 3.61, 3.655, 3.715, 3.8, 3.895, 3.99, 4.085, 4.2])
_LEVELS = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


@dataclass(frozen=True, slots=True)
class Pack:
    """What a pack measures over time; arrays of `(n,)`, cells and temperatures `(n, count)`."""

    seconds: Floats
    current: Floats
    cells: Floats
    voltage: Floats
    soc: Floats
    remaining: Floats
    temperatures: Floats
    switches: Floats
    capacity: float

    @property
    def power(self) -> Floats:
        """Return V x A."""
        return self.voltage * self.current


def run(random: np.random.Generator, scenario: str, frames: int, cells: int, probes: int) -> Pack:
    """Return what a pack measures in a scenario, in frames that come 0.2 to 5 s apart."""
    seconds = np.cumsum(np.full(frames, float(random.choice([0.2, 0.5, 1.0, 2.0, 5.0]))))
    capacity = float(random.choice([20.0, 50.0, 100.0, 280.0]))
    level = np.zeros(frames)
    at = 0
    while at < frames:
        length = int(random.integers(3, 60))
        level[at : at + length] = {
            "ride": -random.gamma(1.5, 0.2) if random.random() < 0.8 else 0.0,
            "charge": 0.2,
            "idle": 0.0,
            "switched": -0.1 if random.random() < 0.5 else 0.0,
        }[scenario]
        at += length
    current = level * capacity
    moving = np.abs(level) > 0
    current = current + moving * random.normal(0, 0.02 * np.abs(current) + 0.02, frames)
    if scenario == "idle" and random.random() < 0.5:
        current = current + random.normal(0, 0.02, frames)
    steps = np.diff(seconds, prepend=seconds[0])
    soc = np.clip(random.uniform(0.15, 0.9) + np.cumsum(current * steps) / 3600 / capacity, 0.0, 1.0)
    lfp = random.random() < 0.5
    rest = np.interp(soc, _LEVELS, _CURVE if not lfp else 3.1 + 0.25 * _LEVELS + 0.1 * (_LEVELS > 0.9))
    own = random.normal(0, 0.004, cells)
    resistance = random.uniform(0.05, 0.15) / capacity
    noise = random.choice([0.0004, 0.001])
    each = rest[:, None] + own + (resistance * current)[:, None] + random.normal(0, noise, (frames, cells))
    warm = random.uniform(5, 35) + np.cumsum(np.abs(level) * steps)[:, None] * random.uniform(
        0.001, 0.01, probes
    )
    temperatures = warm + random.normal(0, 1, probes) + random.normal(0, 0.05, (frames, probes))
    switches = np.full(frames, 3.0)
    for place in random.integers(0, frames, 4 if scenario == "switched" else 0):
        switches[place:] = random.integers(0, 4)
    voltage = each.sum(axis=1)
    return Pack(seconds, current, each, voltage, soc, soc * capacity, temperatures, switches, capacity)


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout as it was drawn: its bytes in all frames, and its fields."""

    matrix: NDArray[np.uint8]
    fields: tuple[TrueField, ...]
    header: int


class _Writer:
    def __init__(self, frames: int, order: Order) -> None:
        self.frames, self.order = frames, order
        self.columns: list[NDArray[np.uint8]] = []
        self.fields: list[TrueField] = []

    @property
    def at(self) -> int:
        return sum(part.shape[1] for part in self.columns)

    def constant(self, data: bytes) -> None:
        """Put bytes that never change, and of which nothing is said."""
        self.columns.append(np.tile(np.frombuffer(data, dtype=np.uint8), (self.frames, 1)))

    def put(self, name: str, values: Any, width: int, kind: str = "u", order: Order | None = None) -> None:
        """Put one field; floats as they are, integers rounded and held in range."""
        order = order or self.order
        self.fields.append(TrueField(name, self.at, width, kind, order))
        values = np.broadcast_to(np.asarray(values, dtype=np.float64), (self.frames,))
        if kind == "f":
            cells = values.astype(">f4").view(np.uint8).reshape(-1, 4)
        else:
            low = -(1 << 8 * width - 1) if kind == "i" else 0
            whole = np.clip(np.rint(values), low, low + (1 << 8 * width) - 1).astype(">i8")
            cells = whole.view(np.uint8).reshape(-1, 8)[:, 8 - width :]
        self.columns.append(np.ascontiguousarray(cells[:, ::-1] if order == "little" else cells))


def draw(random: np.random.Generator, pack: Pack) -> Layout:
    """Draw a layout and write what the pack measures in it."""
    frames = len(pack.seconds)
    order: Order = "little" if random.random() < 0.5 else "big"
    out = _Writer(frames, order)
    out.constant(random.integers(1, 256, int(random.integers(2, 5)), dtype=np.uint8).tobytes())
    floats, wide = random.random() < 0.1, random.random() < 0.4
    blocks = [
        lambda: _cells(random, out, pack, floats=floats),
        lambda: _voltage(random, out, pack, floats=floats, wide=wide),
        lambda: _current(random, out, pack, floats=floats, wide=wide),
        lambda: _soc(random, out, pack),
        lambda: _temperatures(random, out, pack, floats=floats),
        lambda: _charge(random, out, pack, floats=floats, wide=wide),
        lambda: _states(random, out, pack),
        lambda: _summary(random, out, pack),
        lambda: out.constant(bytes(int(random.integers(1, 9)))),
        lambda: out.constant(random.integers(0, 256, int(random.integers(1, 5)), dtype=np.uint8).tobytes()),
    ]
    header = out.at
    chosen = [0, *random.choice(np.arange(1, len(blocks)), int(random.integers(3, 9)), replace=False)]
    if random.random() < 0.2:
        out.put("counter", np.arange(frames) % 256, 1)
    for number in random.permutation(chosen):
        blocks[int(number)]()
    _check(random, out)
    return Layout(np.concatenate(out.columns, axis=1), tuple(out.fields), header)


def _cells(random: np.random.Generator, out: _Writer, pack: Pack, *, floats: bool) -> None:
    room = int(random.choice([0, 0, 4, 8]))
    for cell in pack.cells.T:
        out.put("cell", cell if floats else cell * 1000, 4 if floats else 2, "f" if floats else "u")
    for _ in range(room):
        out.put("no cell", 0, 4 if floats else 2)


def _voltage(random: np.random.Generator, out: _Writer, pack: Pack, *, floats: bool, wide: bool) -> None:
    if floats:
        out.put("voltage", pack.voltage, 4, "f")
    elif wide:
        out.put("voltage", pack.voltage * 1000, 4)
    else:
        out.put("voltage", pack.voltage * random.choice([10, 100]), 2)


def _current(random: np.random.Generator, out: _Writer, pack: Pack, *, floats: bool, wide: bool) -> None:
    way = random.choice([-1, 1])
    if floats:
        out.put("current", way * pack.current, 4, "f")
    elif wide:
        out.put("current", way * pack.current * 1000, 4, "i")
        if random.random() < 0.5:
            out.put("power", np.abs(pack.power) * random.choice([1, 1000]), 4)
    elif random.random() < 0.2:
        out.put("current", way * pack.current * 10 + 30000, 2)
    else:
        out.put("current", way * pack.current * random.choice([10, 100]), 2, "i")


def _soc(random: np.random.Generator, out: _Writer, pack: Pack) -> None:
    fine = random.random() < 0.25
    out.put("soc", pack.soc * (1000 if fine else 100), 2 if fine or random.random() < 0.3 else 1)
    if random.random() < 0.3:
        out.put("soh", 100, 1)


def _temperatures(random: np.random.Generator, out: _Writer, pack: Pack, *, floats: bool) -> None:
    form = random.choice(["kelvin", "tenths", "plus 40", "whole"])
    if random.random() < 0.5:
        out.put("probes", pack.temperatures.shape[1], 1)
    for each in pack.temperatures.T:
        if floats:
            out.put("temperature", each, 4, "f")
        elif form == "kelvin":
            out.put("temperature", each * 10 + 2731, 2)
        elif form == "tenths":
            out.put("temperature", each * 10, 2, "i")
        elif form == "plus 40":
            out.put("temperature", each + 40, 1)
        else:
            out.put("temperature", each, 1, "i")


def _charge(random: np.random.Generator, out: _Writer, pack: Pack, *, floats: bool, wide: bool) -> None:
    if floats:
        out.put("remaining", pack.remaining, 4, "f")
    elif wide:
        out.put("remaining", pack.remaining * 1000, 4)
        out.put("capacity", pack.capacity * 1000, 4)
        if random.random() < 0.5:
            out.put("runtime", random.integers(0, 1 << 24) + pack.seconds, 4)
    else:
        out.put("remaining", pack.remaining * 100, 2)
        out.put("capacity", pack.capacity * 100, 2)
    if random.random() < 0.5:
        out.put("cycles", int(random.integers(0, 800)), 2)


def _states(random: np.random.Generator, out: _Writer, pack: Pack) -> None:
    out.put("switches", pack.switches, int(random.choice([1, 1, 2])))
    mode = np.where(pack.current < -0.1, 2, np.where(pack.current > 0.1, 1, 0))
    out.put("mode", mode, 1)
    if random.random() < 0.5:
        spread = pack.cells - pack.cells.min(axis=1)[:, None] > 0.009
        count = min(pack.cells.shape[1], 16)
        bits = (spread[:, :count] * (1 << np.arange(count))).sum(axis=1)
        out.put("balancing", bits, 2 if random.random() < 0.7 else 4)
    if random.random() < 0.6:
        out.put("alarms", 0, int(random.choice([2, 4])))


def _summary(random: np.random.Generator, out: _Writer, pack: Pack) -> None:
    width = 1 if random.random() < 0.6 else 2
    out.put("highest", pack.cells.max(axis=1) * 1000, 2)
    if random.random() < 0.6:
        out.put("highest number", pack.cells.argmax(axis=1) + 1, width)
    out.put("lowest", pack.cells.min(axis=1) * 1000, 2)
    if random.random() < 0.6:
        out.put("lowest number", pack.cells.argmin(axis=1) + 1, width)
    if random.random() < 0.5:
        out.put("spread", (pack.cells.max(axis=1) - pack.cells.min(axis=1)) * 1000, 2)
    if random.random() < 0.5:
        out.put("average", pack.cells.mean(axis=1) * 1000, 2)


def _check(random: np.random.Generator, out: _Writer) -> None:
    name = random.choice(
        ["", "sum8", "sum16 negated", "xor8", "CRC-16/MODBUS", "CRC-16/XMODEM", "CRC-8/SMBUS"]
    )
    if name:
        entry = CHECKSUMS[str(name)]
        matrix = np.concatenate(out.columns, axis=1)
        right = np.array([entry.of(frame.tobytes()) for frame in matrix])
        out.put("checksum", right, entry.size, order="little" if "MODBUS" in str(name) else out.order)
    if random.random() < 0.4:
        out.constant(b"\x77")


def random_sessions(count: int, frames: int, seed: int = 1) -> Iterator[Session]:
    """Yield sessions of made-up protocols, of two kinds of frames each."""
    for number in range(count):
        random = np.random.default_rng((seed, number))
        scenario = SCENARIOS[number % len(SCENARIOS)]
        cells, probes = int(random.choice([4, 7, 8, 13, 16, 20])), int(random.integers(1, 5))
        layout = draw(random, run(random, scenario, frames, cells, probes))
        every = Frames(layout.matrix, layout.header)
        yield Session(f"random {number}, {scenario}", "held", (Known(every, layout.fields),), (every,))
