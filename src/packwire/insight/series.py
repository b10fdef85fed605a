"""A field of messages over time, as it is named on a command line: `4-5:u16`, `8-11:i32le`, `24`."""

import re
from dataclasses import dataclass

import numpy as np

from packwire.insight.fields import FoundField, Frames
from packwire.insight.readings import Floats
from packwire.wire.fields import Type

_PLACE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?(?::(u|i|f|bcd)(8|16|24|32|64)(le|be)?)?")
_TYPES = {"u": Type.UINT, "i": Type.INT, "f": Type.FLOAT, "bcd": Type.BCD}
_WIDEST = 8


@dataclass(frozen=True, slots=True)
class Series:
    """Values with their times in seconds from the first message on."""

    seconds: Floats
    values: Floats


def read_place(text: str, order: str = "big") -> FoundField:
    """Read which bytes are meant, and as what; a type without `le` or `be` is in `order`.

    Raises ValueError, in words for a user.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r}: write bytes and a type, such as 4-5:u16, 8-11:i32le or 24")
    first, last, letters, bits, end = found.groups()
    at = int(first)
    width = int(bits) // 8 if bits else int(last or at) - at + 1
    if last and width != int(last) - at + 1:
        raise ValueError(f"{text}: {letters}{bits} has {width} byte{'s' if width > 1 else ''}")
    if not 0 < width <= _WIDEST or (letters == "f" and width not in {4, 8}):
        raise ValueError(f"{text}: a number has 1 to {_WIDEST} bytes, a float 4 or 8")
    chosen = {"le": "little", "be": "big"}.get(end or "", order)
    return FoundField(at, width, _TYPES[letters or "u"], chosen)


def series(frames: Frames, field: FoundField, scale: float = 1.0, addend: float = 0.0) -> Series:
    """Return what a field reads in all messages; without times, their numbers stand for seconds."""
    values = field.values(frames.matrix).astype(np.float64) * scale + addend
    if frames.time is None:
        return Series(np.arange(len(values), dtype=np.float64), values)
    return Series((frames.time - frames.time[0]) / 1e9, values)


def folded(drawn: Series, columns: int) -> tuple[Floats, Floats]:
    """Return the lowest and the highest value in each of some equal parts of the time; NaN where none is."""
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    length = max(float(drawn.seconds[-1]), 1e-9)
    place = np.minimum((drawn.seconds / length * columns).astype(np.int64), columns - 1)
    for at in np.unique(place):
        inside = drawn.values[place == at]
        inside = inside[np.isfinite(inside)]
        if len(inside):
            low[at], high[at] = inside.min(), inside.max()
    return low, high
