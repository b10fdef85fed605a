"""Notes like an owner's: what a display showed at some times, rounded, a little early or late."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.understanding.sessions import SCENARIOS, Pack, draw, run
from benchmarks.understanding.truth import TrueField
from packwire.insight.fields import Frames, find_fields, read
from packwire.insight.matches import Match, Noted
from packwire.insight.observations import Observation, read_observation
from packwire.insight.values import find_values
from packwire.messages import Bytes

#: What is noted: its unit, and digits behind the point; of the pack's own values.
_SHOWN = {
    "voltage": ("V", 1),
    "current": ("A", 1),
    "soc": ("%", 0),
    "temperature": ("C", 0),
    "remaining": ("Ah", 1),
}
_EPOCH = 1_700_000_000 * 10**9
#: A frame's time apart from a note's at most.
_LATE = 2


@dataclass(slots=True)
class Notes:
    """How the values came out that were noted: moving ones, and those that never changed."""

    moving: int = 0
    listed: int = 0
    one_series: int = 0
    first: int = 0
    constants: int = 0
    ties_listed: int = 0


def measure_notes(count: int, frames: int, seed: int = 1) -> Notes:
    """Look for values in made-up sessions, each noted three times over its range."""
    result = Notes()
    for number in range(count):
        random = np.random.default_rng((seed, 31, number))
        pack = run(random, SCENARIOS[number % 4], frames, int(random.choice([4, 8, 13, 16])), 2)
        layout = draw(random, pack)
        time = (pack.seconds * 1e9).astype(np.int64) + _EPOCH
        kind = Frames(layout.matrix, layout.header, time)
        fields = find_fields([kind])
        for name, field, values in _values(pack, layout.fields, layout.matrix):
            observations = _observations(random, name, values, time)
            (noted,) = find_values([kind], fields, observations, seconds=0.05)
            _count(
                result,
                noted,
                field,
                values,
                layout.matrix,
                # 0.0 and -0.0 are one value.
                moving=len({one.low + one.high for one in observations}) > 1,
            )
    return result


def accidents(count: int, frames: int, notes: int, seed: int = 1) -> list[float]:
    """Return the chance of the best place for values that have nothing to do with a session."""
    found = []
    for number in range(count):
        random = np.random.default_rng((seed, 47, number))
        pack = run(random, SCENARIOS[number % 4], frames, int(random.choice([4, 8, 13, 16])), 2)
        layout = draw(random, pack)
        time = (pack.seconds * 1e9).astype(np.int64) + _EPOCH
        kind = Frames(layout.matrix, layout.header, time)
        walks = {
            "voltage": random.uniform(8, 90) + np.cumsum(random.normal(0, 0.05, frames)),
            "soc": np.clip(random.uniform(5, 95) + np.cumsum(random.normal(0, 0.2, frames)), 0, 100),
            "temperature": random.uniform(1, 40) + np.cumsum(random.normal(0, 0.1, frames)),
        }
        name = ("voltage", "soc", "temperature")[number % 3]
        rows = np.sort(random.integers(0, frames, notes))
        unit, digits = _SHOWN[name]
        observations = [
            read_observation(f"{name}={walks[name][row]:.{digits}f}{unit}", int(time[row])) for row in rows
        ]
        (noted,) = find_values([kind], find_fields([kind]), observations, seconds=0.05)
        found.append(noted.matches[0].chance if noted.matches else 1.0)
    return found


def _values(
    pack: Pack, fields: tuple[TrueField, ...], matrix: Bytes
) -> Iterator[tuple[str, TrueField, np.ndarray]]:
    """Yield each noted quantity with its field and what a display would show of it."""
    physical = {
        "voltage": pack.voltage,
        "current": pack.current,
        "soc": 100 * pack.soc,
        "temperature": pack.temperatures[:, 0],
        "remaining": pack.remaining,
    }
    seen = set()
    for field in fields:
        if field.name not in physical or field.name in seen:
            continue
        seen.add(field.name)
        raw = field.values(matrix).astype(np.float64)
        best = min(
            (float(np.abs(raw * scale + addend - physical[field.name]).max()), scale, addend)
            for scale in (1, 0.1, 0.01, 0.001, -1, -0.1, -0.01, -0.001)
            for addend in (0, -273.1, -40, -3000, 3000)
        )
        if best[0] < 1:
            yield field.name, field, raw * best[1] + best[2]


def _observations(
    random: np.random.Generator, name: str, values: np.ndarray, time: np.ndarray
) -> list[Observation]:
    unit, digits = _SHOWN[name]
    order = np.argsort(values)
    result = []
    for row in (order[len(order) // 10], order[len(order) // 2], order[-1 - len(order) // 10]):
        late = int(np.clip(row + random.integers(-_LATE, _LATE + 1), 0, len(time) - 1))
        result.append(read_observation(f"{name}={values[row]:.{digits}f}{unit}", int(time[late])))
    return result


def _count(
    result: Notes, noted: Noted, field: TrueField, values: np.ndarray, matrix: Bytes, *, moving: bool
) -> None:
    series = [_series(each, matrix) for each in noted.matches]
    right = [bool(np.allclose(each, values, atol=1e-3)) for each in series]
    exact = bool(noted.matches) and (noted.matches[0].field.at, noted.matches[0].field.width) == (
        field.at,
        field.width,
    )
    if not moving:
        result.constants += 1
        result.ties_listed += any(right)
        return
    result.moving += 1
    result.listed += any(right)
    result.first += exact
    # What `packwire find` lists, and that the truth is in it.
    shown = [number for number, match in enumerate(noted.matches) if match in noted.listed]
    one = {tuple(np.round(series[number], 3)) for number in shown}
    result.one_series += any(right[number] for number in shown) and len(one) == 1


def _series(match: Match, matrix: Bytes) -> np.ndarray:
    at, width = match.field.at or 0, match.field.width or 1
    cells = matrix[:, at : at + width]
    return np.asarray(match.field.scaled(read(cells[:, ::-1] if match.little else cells, match.field.type)))
