"""Which way bytes went."""

from enum import IntEnum


class Direction(IntEnum):
    """The way of a message, seen from the battery's side of the link."""

    FROM_DEVICE = -1
    UNKNOWN = 0
    TO_DEVICE = 1
