"""Messages made by hand, for tests of what is found in them."""

from collections.abc import Sequence

import numpy as np

from packwire.channel import Channel
from packwire.direction import Direction
from packwire.messages import MessageRow, Messages, from_rows

EPOCH = 1_700_000_000_000_000_000
SECOND = 1_000_000_000

NOTIFY, WRITE = Channel.parse("att 0x0011 ff01 notify"), Channel.parse("att 0x0015 ff02 write")
TO, FROM = Direction.TO_DEVICE, Direction.FROM_DEVICE


def table(said: Sequence[tuple[float, Direction, bytes]]) -> Messages:
    """Build messages from (seconds, direction, payload); packet numbers count from 1."""
    data = np.frombuffer(b"".join(payload for _, _, payload in said), dtype=np.uint8)
    rows, start = [], 0
    for number, (seconds, way, payload) in enumerate(said, 1):
        channel = 1 if way == TO else 0
        rows.append(MessageRow(EPOCH + round(seconds * SECOND), way, channel, start, len(payload), (number,)))
        start += len(payload)
    return from_rows(rows, (NOTIFY, WRITE), data, np.zeros(0, np.uint8))
