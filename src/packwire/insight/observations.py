"""What somebody saw on a display and wrote down: a value with its rounding, or how it went, at some time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_NUMBER = re.compile(r"(?:([A-Za-z_][\w .-]*?)\s*=\s*)?([+-]?)(\d+)(?:[.,](\d+))?\s*([^\d\s.,=]*)")
_WAYS = re.compile(r"([A-Za-z_][\w .-]*?)\s*=\s*(rose|stayed|fell)")


#: So many seconds may a note be early or late.
SECONDS: Final = 5.0


class Measured(StrEnum):
    """What is measured, as far as its unit or its name says."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    POWER = "power"
    PERCENT = "percent"
    TEMPERATURE = "temperature"
    CHARGE = "charge"
    CELLS = "cells"
    """How many cells there are, whose voltages lie side by side."""
    ANY = "any"


class Way(StrEnum):
    """How a value went from one time to another."""

    ROSE = "rose"
    STAYED = "stayed"
    FELL = "fell"


_UNITS: Final[Mapping[str, tuple[Measured, str, float]]] = {
    "v": (Measured.VOLTAGE, "V", 1),
    "mv": (Measured.VOLTAGE, "V", 0.001),
    "a": (Measured.CURRENT, "A", 1),
    "ma": (Measured.CURRENT, "A", 0.001),
    "w": (Measured.POWER, "W", 1),
    "kw": (Measured.POWER, "W", 1000),
    "%": (Measured.PERCENT, "%", 1),
    "°c": (Measured.TEMPERATURE, "degC", 1),
    "c": (Measured.TEMPERATURE, "degC", 1),
    "degc": (Measured.TEMPERATURE, "degC", 1),
    "ah": (Measured.CHARGE, "Ah", 1),
    "mah": (Measured.CHARGE, "Ah", 0.001),
    "cells": (Measured.CELLS, "", 1),
    "": (Measured.ANY, "", 1),
}
_NAMES: Final = (
    ("soc", Measured.PERCENT),
    ("soh", Measured.PERCENT),
    ("temp", Measured.TEMPERATURE),
    ("volt", Measured.VOLTAGE),
    ("curr", Measured.CURRENT),
    ("amp", Measured.CURRENT),
    ("power", Measured.POWER),
    ("watt", Measured.POWER),
    ("charge", Measured.CHARGE),
    ("capacity", Measured.CHARGE),
    ("cells", Measured.CELLS),
)
_DEFAULT_NAMES: Final = {Measured.PERCENT: "soc", Measured.TEMPERATURE: "temperature", Measured.ANY: "value"}


@dataclass(frozen=True, slots=True)
class Observation:
    """A value between `low` and `high` (in `unit`) at `time`, or the way that it went until `until` (ns).

    `time` None: at any time. A display may round or cut off what it leaves out: 87 is 86.5 to 88. One display
    does the same all the time: it is in `rounded` of all of its notes, or in `cut` of all of them.
    """

    name: str
    text: str
    subject: Measured = Measured.ANY
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    way: Way | None = None
    time: int | None = None
    until: int | None = None
    rounded: tuple[float, float] = (0.0, 0.0)
    cut: tuple[float, float] = (0.0, 0.0)


def read_observation(text: str, time: int | None = None, until: int | None = None) -> Observation:
    """Read `83.92V`, `20cells`, `soc=87%`, `current=-1.3A` or `soc=fell`.

    Raises ValueError, in words for a user.
    """
    if found := _WAYS.fullmatch(text.strip()):
        name = found[1]
        return Observation(name, text, _subject(name), way=Way(found[2]), time=time, until=until)
    number = _NUMBER.fullmatch(text.strip())
    unit = number[5].lower() if number else ""
    if number is None or unit not in _UNITS:
        raise ValueError(
            f"{text[:40]!r}: write a value with its unit (V, A, W, %, C, Ah, cells), such as 83.92V or"
            " soc=87%; or how it went, such as soc=fell"
        )
    given, sign, whole, digits, _ = number.groups()
    subject, shown, factor = _UNITS[unit]
    if subject is Measured.ANY and given:
        subject = _subject(given)
    name = given or _DEFAULT_NAMES.get(subject, subject.value)
    step = 10.0 ** -len(digits or "")
    size = float(f"{whole}.{digits or 0}")
    if subject is Measured.CELLS:
        return Observation(name, text, subject, "", size, size, time=time)
    rounded, cut = (size - step / 2, size + step / 2), (size, size + step)
    if size == 0:
        cut = (-step, step)
    elif sign == "-":
        rounded, cut = (-rounded[1], -rounded[0]), (-cut[1], -cut[0])
    rounded, cut = ((low * factor, high * factor) for low, high in (rounded, cut))
    low, high = min(rounded[0], cut[0]), max(rounded[1], cut[1])
    return Observation(
        name, text, subject, shown, low, high, time=time, until=until, rounded=rounded, cut=cut
    )


def _subject(name: str) -> Measured:
    return next((subject for part, subject in _NAMES if part in name.lower()), Measured.ANY)
