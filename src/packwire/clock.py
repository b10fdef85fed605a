"""Moments as text, in the one form that all output for programs has."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(time: int) -> str:
    """Return a time (ns since the epoch) as RFC 3339 in UTC, with nine digits of a second."""
    seconds, rest = divmod(time, 1_000_000_000)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
