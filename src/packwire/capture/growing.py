"""The messages of a recording that still grows, as they become whole.

Layers look at whole recordings, so each time something arrives they look again: at the first packets, in
which connections and characteristics are described, and at the latest. That bounds the work of each step,
however long the recording gets.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from packwire.capture.open import Capture
from packwire.capture.packets import NO_TIME, Packets
from packwire.messages import Int64s, Messages

#: So many packets from the beginning, and so many of the latest, are looked at.
FIRST, LATEST = 4_000, 16_000

#: What may be done to a capture before it is looked at.
type Show = Callable[[Capture], Capture]

_COLUMNS = ("time", "start", "size", "original", "link_type", "interface", "direction")


def new_messages(
    name: str, steps: Iterable[Packets], *, raw: bool = False, show: Show | None = None
) -> Iterator[tuple[Messages, int]]:
    """Yield what each step completes, with the numbers of its packets in the whole recording.

    Beside the messages comes the time of the first packet. `show` may change the capture before it is looked
    at (take secrets out). A message is yielded once: when the last of its packets has arrived.
    """
    window: Packets | None = None
    numbers = np.zeros(0, dtype=np.int64)
    total = 0
    for step in steps:
        if window is not None and len(numbers) > 2 * (FIRST + LATEST):
            rows = np.concatenate((np.arange(FIRST), np.arange(len(numbers) - LATEST, len(numbers))))
            window, numbers = _compact(window, rows), numbers[rows]
        window = step if window is None else _appended(window, step)
        numbers = np.concatenate((numbers, np.arange(total + 1, total + 1 + len(step))))
        capture = Capture(name, window)
        if show is not None:
            capture = show(capture)
        found = capture.raw_messages if raw else capture.messages
        yield _completed(found, numbers, total), first_time(window)
        total += len(step)


def first_time(packets: Packets) -> int:
    """Return the time of the first packet that has one, or NO_TIME."""
    known = packets.time[packets.time != NO_TIME]
    return int(known[0]) if len(known) else NO_TIME


def _completed(found: Messages, numbers: Int64s, total: int) -> Messages:
    """Return the messages whose last packet came after the first `total`, numbered as in the recording."""
    found = replace(found, packets=numbers[found.packets - 1])
    if not len(found):
        return found
    last = np.maximum.reduceat(found.packets, found.packet_offsets[:-1])
    return found.select(last > total)


def _appended(window: Packets, step: Packets) -> Packets:
    """Put the packets of a step behind those that are there; a step knows all interfaces so far."""
    columns: dict[str, Any] = {
        name: np.concatenate((getattr(window, name), getattr(step, name))) for name in _COLUMNS
    }
    columns["start"][len(window) :] += len(window.data)
    return replace(
        step, **columns, data=np.concatenate((window.data, step.data)), damage=window.damage + step.damage
    )


def _compact(packets: Packets, rows: Int64s) -> Packets:
    """Return some of the packets, with no other bytes than theirs."""
    columns: dict[str, Any] = {name: getattr(packets, name)[rows] for name in _COLUMNS}
    data = np.frombuffer(b"".join(packets.packet(row) for row in rows.tolist()), dtype=np.uint8)
    columns["start"] = np.cumsum(columns["size"]) - columns["size"]
    return replace(packets, **columns, data=data)
