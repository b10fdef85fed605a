"""Which way bytes went."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal


class Direction(IntEnum):
    """The way of a message, seen from the battery's side of the link."""

    FROM_DEVICE = -1
    UNKNOWN = 0
    TO_DEVICE = 1


#: How a direction is called in every output for programs.
DIRECTION_NAMES: Final[Mapping[int, Literal["to device", "from device", "unknown"]]] = {
    Direction.TO_DEVICE: "to device",
    Direction.FROM_DEVICE: "from device",
    Direction.UNKNOWN: "unknown",
}
