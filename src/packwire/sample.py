"""What was measured, when, and by which node.

A value that is not known is absent from `values`; it is never 0 in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from packwire.quantity import Value


class Condition(StrEnum):
    """How far the values can be trusted."""

    FRESH = "fresh"
    STALE = "stale"
    """The device answers, but with values that no longer move: see `Sample.reason`."""
    ABSENT = "absent"
    """There is no such node (a VESC without a BMS): no values."""
    SILENT = "silent"
    """The node did not answer this time: no values."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of one node at one moment, by quantity key (see `packwire.quantity.QUANTITIES`).

    `time` is in nanoseconds since the epoch, when the reply arrived. `reason` says why the sample is not
    fresh.
    """

    node: str
    time: int
    values: Mapping[str, Value]
    condition: Condition = Condition.FRESH
    reason: str = ""

    @property
    def stale(self) -> bool:
        """Whether these are old values that a device keeps repeating."""
        return self.condition is Condition.STALE

    @property
    def when(self) -> datetime:
        """Return the moment of measurement in UTC (to the microsecond)."""
        return datetime.fromtimestamp(self.time / 1e9, UTC)
