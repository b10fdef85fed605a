"""How bytes may be read as a value: widths, byte orders, signs, scales and addends, and how usual each is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from packwire.insight.observations import Measured
from packwire.messages import Bytes
from packwire.wire.fields import Type

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RawReading:
    """A way to read bytes: `raw * scale + addend`.

    `weight` is its part of all ways for a subject, `of_width` of all ways for bytes of its width.
    """

    type: Type
    width: int
    little: bool
    scale: float
    addend: float
    weight: float
    of_width: float


#: Scale and addend by subject, with how often they are met.
_SCALES: Final[dict[Measured, tuple[tuple[float, float, float], ...]]] = {
    Measured.VOLTAGE: (
        (0.01, 0, 0.35),
        (0.001, 0, 0.33),
        (0.1, 0, 0.2),
        (1, 0, 0.03),
        (0.0001, 0, 0.02),
        (0.000001, 0, 0.01),
        (0.02, 0, 0.02),
        (0.05, 0, 0.02),
        (0.005, 0, 0.02),
    ),
    Measured.CURRENT: (
        (0.1, 0, 0.2),
        (0.01, 0, 0.2),
        (0.001, 0, 0.17),
        (-0.1, 0, 0.07),
        (-0.01, 0, 0.07),
        (-0.001, 0, 0.06),
        (0.1, -3000, 0.06),
        (-0.1, 3000, 0.02),
        (0.01, -300, 0.02),
        (0.1, -1000, 0.02),
        (1, 0, 0.04),
        (-1, 0, 0.02),
        (0.1, -3276.8, 0.01),
        (0.01, -327.68, 0.01),
        (0.05, -1600, 0.01),
        (0.02, 0, 0.02),
    ),
    Measured.POWER: (
        (1, 0, 0.4),
        (0.1, 0, 0.15),
        (0.01, 0, 0.1),
        (0.001, 0, 0.15),
        (-1, 0, 0.1),
        (10, 0, 0.03),
        (-0.001, 0, 0.03),
        (-0.1, 0, 0.04),
    ),
    Measured.PERCENT: (
        (1, 0, 0.65),
        (0.1, 0, 0.18),
        (0.01, 0, 0.05),
        (0.5, 0, 0.04),
        (0.4, 0, 0.03),
        (0.001, 0, 0.05),
    ),
    Measured.TEMPERATURE: (
        (1, 0, 0.2),
        (0.1, 0, 0.25),
        (0.1, -273.1, 0.12),
        (0.1, -273.15, 0.1),
        (1, -40, 0.15),
        (0.1, -40, 0.03),
        (0.1, -50, 0.02),
        (1, -50, 0.02),
        (0.01, 0, 0.04),
        (0.1, -100, 0.01),
        (1, -273, 0.01),
        (1, -20, 0.01),
        (1, -100, 0.01),
        (0.5, -40, 0.01),
        (0.001, 0, 0.02),
    ),
    Measured.CHARGE: (
        (0.01, 0, 0.3),
        (0.001, 0, 0.3),
        (0.1, 0, 0.2),
        (1, 0, 0.1),
        (0.000001, 0, 0.03),
        (0.002, 0, 0.02),
        (0.005, 0, 0.02),
        (0.0001, 0, 0.03),
    ),
    Measured.ANY: (
        (1, 0, 0.4),
        (0.1, 0, 0.2),
        (0.01, 0, 0.15),
        (0.001, 0, 0.15),
        (-1, 0, 0.02),
        (10, 0, 0.04),
        (0.5, 0, 0.02),
        (0.0001, 0, 0.02),
    ),
}
_FORMS: Final = (
    (Type.UINT, 1, 0.18),
    (Type.INT, 1, 0.04),
    (Type.UINT, 2, 0.36),
    (Type.INT, 2, 0.2),
    (Type.UINT, 4, 0.08),
    (Type.INT, 4, 0.05),
    (Type.FLOAT, 4, 0.05),
    (Type.UINT, 3, 0.01),
    (Type.BCD, 1, 0.01),
    (Type.BCD, 2, 0.01),
    (Type.INT, 3, 0.01),
)


def readings(subject: Measured) -> tuple[RawReading, ...]:
    """Return all ways to read a value of a subject; their weights add up to 1 at most."""
    result = []
    total: dict[int, float] = {}
    for _, width, usual in _FORMS:
        total[width] = total.get(width, 0.0) + usual
    for kind, width, usual in _FORMS:
        scales = _FLOAT_SCALES if kind is Type.FLOAT else _SCALES.get(subject, _SCALES[Measured.ANY])
        orders = (False, True)[: 1 + (width > 1)]
        result += [
            RawReading(
                kind,
                width,
                little,
                scale,
                addend,
                usual * weight / len(orders),
                usual / total[width] * weight / len(orders),
            )
            for little in orders
            for scale, addend, weight in scales
        ]
    return tuple(result)


#: So many of the numbers that are written in decimal need no scale.
_PLAIN: Final = 0.5
_FLOAT_SCALES: Final = ((1.0, 0.0, 0.9), (-1.0, 0.0, 0.1))


def written(subject: Measured) -> tuple[RawReading, ...]:
    """Return all ways to read a number that is written in decimal: mostly as it stands there."""
    scales = _SCALES.get(subject, _SCALES[Measured.ANY])
    plain = {(1.0, 0.0): _PLAIN}
    for scale, addend, weight in scales:
        plain[scale, addend] = plain.get((scale, addend), 0.0) + (1 - _PLAIN) * weight
    return tuple(
        RawReading(Type.DECIMAL, 1, False, scale, addend, weight, weight)
        for (scale, addend), weight in plain.items()
    )


def raw_numbers(cells: Bytes, kind: Type, width: int, *, little: bool) -> Floats:
    """Return what `width` bytes read at each place of `(n, m)` bytes; NaN where they are no such number."""
    places = cells.shape[1] - width + 1
    order = range(width) if not little else range(width - 1, -1, -1)
    result = np.zeros((len(cells), places), dtype=np.int64)
    for byte in order:
        column = cells[:, byte : byte + places].astype(np.int64)
        if kind is Type.BCD:
            result = result * 100 + np.where(
                (column >> 4 <= 9) & (column & 15 <= 9), (column >> 4) * 10 + (column & 15), -(10**9)
            )
        else:
            result = result << 8 | column
    if kind is Type.FLOAT:
        with np.errstate(invalid="ignore"):
            floats = result.astype(np.uint32).view(np.float32).astype(np.float64)
        return np.where(np.isfinite(floats), floats, np.nan)
    if kind is Type.INT:
        result = np.where(result >> 8 * width - 1, result - (1 << 8 * width), result)
    return result.astype(np.float64) if kind is not Type.BCD else np.where(result < 0, np.nan, result)
