"""Moments as text, in the one form that all output for programs has."""

from datetime import UTC, datetime, timedelta
from typing import Final

#: Stands in tables for a time that nobody knows; the number that numpy calls NaT.
NO_TIME: Final = -(1 << 63)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time: int) -> datetime:
    """Return a time (ns since the epoch) as a datetime in UTC, to the microsecond below."""
    return _EPOCH + timedelta(microseconds=time // 1000)


def nanoseconds(when: datetime) -> int:
    """Return a datetime as ns since the epoch; without a time zone it is local, as datetime has it."""
    since = when.astimezone(UTC) - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def iso_time(time: int) -> str:
    """Return a time (ns since the epoch) as RFC 3339 in UTC, with nine digits of a second."""
    seconds, rest = divmod(time, 1_000_000_000)
    return f"{(_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()}.{rest:09d}Z"
