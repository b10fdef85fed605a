"""Counts and lists in words."""

from collections.abc import Iterable


def counted(number: int, noun: str) -> str:
    """Return `1 frame` or `3 frames`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def times(number: int) -> str:
    """Return `never`, `once` or `3 times`."""
    return "never" if not number else "once" if number == 1 else f"{number} times"


def duration(seconds: float) -> str:
    """Return `0:02:05`: hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def few(names: Iterable[str], limit: int = 6) -> str:
    """Return `a, b, c and 4 more`."""
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
