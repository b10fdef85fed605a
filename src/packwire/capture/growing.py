"""The messages of a recording that still grows, as they become whole.

Layers look at whole recordings, so when something has arrived they look again: at the first packets, in
which connections and characteristics are described, and at the latest. That bounds the work of each look,
however long the recording gets; and what arrives fast is gathered, so that all looks together stay in
proportion to what has arrived.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Any

import numpy as np

from packwire.capture.open import Capture
from packwire.capture.packets import NO_TIME, Packets
from packwire.errors import BadFileError
from packwire.messages import Int64s, Messages

#: So many packets from the beginning, and so many of the latest, are looked at.
FIRST, LATEST = 4_000, 16_000
#: It is looked again when one packet in so many of the window is new..
LEAST_NEW = 8
#: .. or when so many times as long has gone by as the last look took.
IDLE = 4.0

#: What may be done to a capture before it is looked at.
type Show = Callable[[Capture], Capture]

_COLUMNS = ("time", "start", "size", "original", "link_type", "interface", "direction")


def new_messages(
    name: str, steps: Iterable[Packets], *, raw: bool = False, show: Show | None = None
) -> Iterator[tuple[Messages, int]]:
    """Yield what the steps complete, with the numbers of its packets in the whole recording.

    Beside the messages comes the time of the first packet. `show` may change the capture before it is looked
    at (take secrets out). A message is yielded once: when the last of its packets has arrived.
    """
    window: Packets | None = None
    numbers = np.zeros(0, dtype=np.int64)
    total = 0
    pace = _Pace()
    for arrived in _batches(steps, pace):
        begun = monotonic()
        count = sum(map(len, arrived))
        if window is not None and len(numbers) > 2 * (FIRST + LATEST):
            rows = np.concatenate((np.arange(FIRST), np.arange(len(numbers) - LATEST, len(numbers))))
            window, numbers = _compact(window, rows), numbers[rows]
        window = _joined([*([] if window is None else [window]), *arrived])
        numbers = np.concatenate((numbers, np.arange(total + 1, total + 1 + count)))
        capture = Capture(name, window)
        if show is not None:
            capture = show(capture)
        found = capture.raw_messages if raw else capture.messages
        completed = _completed(found, numbers, total)
        total += count
        pace.looked(len(window), monotonic() - begun)
        yield completed, first_time(window)


class _Pace:
    """Says when it is time to look again, so that looking stays in proportion to what arrives.

    Either much is new, measured by the window, or the last look was so long ago that it took a small part of
    the time.
    """

    def __init__(self) -> None:
        self._window = 0
        self._next = float("-inf")

    def looked(self, window: int, seconds: float) -> None:
        """Learn how many packets were looked at, and how long that took."""
        self._window = window
        self._next = monotonic() + IDLE * seconds

    def is_due(self, count: int) -> bool:
        """Tell whether to look, with so many new packets."""
        return count > 0 and (count * LEAST_NEW >= self._window or monotonic() > self._next)


def _batches(steps: Iterable[Packets], pace: _Pace) -> Iterator[list[Packets]]:
    """Yield steps that are to be looked at together; a step that is empty only lets time go by."""
    waiting: list[Packets] = []
    try:
        for step in steps:
            if len(step) or step.damage:
                waiting.append(step)
            if waiting and (pace.is_due(sum(map(len, waiting))) or waiting[-1].damage):
                yield waiting
                waiting = []
    except BadFileError:
        if waiting:
            yield waiting
        raise
    if waiting:
        yield waiting


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


def _joined(tables: list[Packets]) -> Packets:
    """Put packets behind each other; each table knows all interfaces of those before it."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(table, name) for table in tables]) for name in _COLUMNS
    }
    before = np.cumsum([0, *(len(table.data) for table in tables[:-1])])
    columns["start"] += np.repeat(before, [len(table) for table in tables])
    return replace(
        tables[-1],
        **columns,
        data=np.concatenate([table.data for table in tables]),
        damage=tuple(line for table in tables for line in table.damage),
    )


def _compact(packets: Packets, rows: Int64s) -> Packets:
    """Return some of the packets, with no other bytes than theirs."""
    columns: dict[str, Any] = {name: getattr(packets, name)[rows] for name in _COLUMNS}
    data = np.frombuffer(b"".join(packets.packet(row) for row in rows.tolist()), dtype=np.uint8)
    columns["start"] = np.cumsum(columns["size"]) - columns["size"]
    return replace(packets, **columns, data=data)
