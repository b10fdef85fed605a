"""Several tables of messages made one, in the order of time."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from packwire.messages import Bytes, Messages, from_rows


def in_order_of_time(parts: Sequence[Messages], data: Bytes) -> Messages:
    """Return the messages of all tables over the same `data`, by time; equal times keep their order."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return from_rows([], [], data, np.zeros(0, dtype=np.uint8))
    table = parts[0] if len(parts) == 1 else _together(parts, data)
    if (table.time[:-1] <= table.time[1:]).all():
        return table
    return table.select(np.argsort(table.time, kind="stable"))


def _together(parts: Sequence[Messages], data: Bytes) -> Messages:
    """Put tables one behind the other, with common channels."""
    channels = tuple(dict.fromkeys(name for part in parts for name in part.channels))
    index = {name: number for number, name in enumerate(channels)}
    channel, start, offsets = [], [], [np.zeros(1, dtype=np.int64)]
    joined_before = packets_before = 0
    for part in parts:
        channel.append(np.array([index[name] for name in part.channels], dtype=np.int32)[part.channel])
        start.append(np.where(part.start < len(data), part.start, part.start + joined_before))
        offsets.append(part.packet_offsets[1:] + packets_before)
        joined_before += len(part.joined)
        packets_before += int(part.packet_offsets[-1])
    return replace(
        parts[0],
        time=np.concatenate([part.time for part in parts]),
        direction=np.concatenate([part.direction for part in parts]),
        channel=np.concatenate(channel),
        start=np.concatenate(start),
        size=np.concatenate([part.size for part in parts]),
        packets=np.concatenate([part.packets for part in parts]),
        packet_offsets=np.concatenate(offsets),
        channels=channels,
        joined=np.concatenate([part.joined for part in parts]),
    )
