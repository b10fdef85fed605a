"""Numbers that a user sets: one clear line where they make no sense."""

import math

from packwire.errors import BadOptionError


def positive(option: str, value: float) -> float:
    """Return a finite number above 0; raise BadOptionError."""
    if not (math.isfinite(value) and value > 0):
        raise BadOptionError(f"{option} is a number above 0, not {value:g}")
    return value


def positive_or_none(option: str, value: float | None) -> float | None:
    """Return a finite number above 0, or None; raise BadOptionError."""
    return None if value is None else positive(option, value)
