"""Longer messages that come in several CAN frames: what ISO-TP and VESC's buffers have in common."""

from dataclasses import dataclass

import numpy as np

from packwire.channel import Channel
from packwire.messages import Bytes, Direction, MessageRow, Messages, from_rows


@dataclass(frozen=True, slots=True)
class Transported:
    """A message put together from CAN frames: rows of `CanFrames`, the last one first-come-last."""

    channel: Channel
    direction: Direction
    frames: tuple[int, ...]
    content: bytes


def transported_messages(
    found: list[Transported],
    row: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    time: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    data: Bytes,
) -> Messages:
    """Return them as a table; `row` and `time` are columns of the CAN frames."""
    channels = tuple(dict.fromkeys(each.channel for each in found))
    number = {name: index for index, name in enumerate(channels)}
    joined = bytearray()
    rows = []
    for each in sorted(found, key=lambda message: message.frames[-1]):
        rows.append(
            MessageRow(
                int(time[each.frames[-1]]),
                each.direction,
                number[each.channel],
                len(data) + len(joined),
                len(each.content),
                [int(row[frame]) + 1 for frame in each.frames],
            )
        )
        joined += each.content
    return from_rows(rows, channels, data, np.frombuffer(bytes(joined), dtype=np.uint8))
