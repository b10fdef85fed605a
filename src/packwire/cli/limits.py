"""Numbers that a user sets: one clear line where they make no sense."""

import math

from packwire.errors import BadOptionError


def positive(option: str, value: float) -> float:
    """Return a finite number above 0; raise BadOptionError."""
    if not (math.isfinite(value) and value > 0):
        raise BadOptionError(f"{option} is a number above 0, not {value:g}")
    return value


def at_least_one(option: str, value: int | None) -> int | None:
    """Return a number of 1 or more, or None; raise BadOptionError."""
    if value is not None and value < 1:
        raise BadOptionError(f"{option} is a number of 1 or more, not {value}")
    return value


def positive_or_none(option: str, value: float | None) -> float | None:
    """Return a finite number above 0, or None; raise BadOptionError."""
    return None if value is None else positive(option, value)
