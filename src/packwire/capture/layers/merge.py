"""Several tables of messages made one, in the order of time and of the file."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.messages import Bytes, Int64s, Messages, from_rows


def in_order_of_time(parts: Sequence[Messages], data: Bytes) -> Messages:
    """Return the messages of all tables over the same `data`, by time.

    Where times are equal, the order in the file counts; what has no time stays behind what stands before it.
    """
    parts = [part for part in parts if len(part)]
    if not parts:
        return from_rows([], [], data, np.zeros(0, dtype=np.uint8))
    table = parts[0] if len(parts) == 1 else _together(parts, data)
    number = table.packets[table.packet_offsets[:-1]]
    time = _filled(table.time, number)
    later, same = time[:-1] < time[1:], time[:-1] == time[1:]
    if (later | same & (number[:-1] <= number[1:])).all():
        return table
    return table.select(np.lexsort((number, time)))


def _filled(time: Int64s, number: Int64s) -> Int64s:
    """Return times in which each unknown one is that of what stands before it in the file."""
    unknown = time == NO_TIME
    if not unknown.any():
        return time
    order = np.argsort(number, kind="stable")
    known = np.where(unknown[order], -1, np.arange(len(order)))
    before = np.maximum.accumulate(known)
    filled = np.empty_like(time)
    filled[order] = np.where(before >= 0, time[order][before], NO_TIME)
    return filled


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
