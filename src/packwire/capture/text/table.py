"""The messages of a text, collected one by one, and what was not read of it, by reason."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN, NO_TIME, PacketDirection, Packets
from packwire.capture.secret_words import without_secrets
from packwire.capture.text.doubt import ALONE, DECIMALS
from packwire.capture.text.grammar import ARROW, Row, Unread

#: Messages of one text, and channels that it names.
MAX_ROWS, MAX_CHANNELS = 4_000_000, 4096

#: Reasons that are told apart, and how much is shown of a line that is not read.
_MAX_REASONS, _SHOWN = 40, 90
#: Times of hh mm ss before bytes, as if they were three more: so many different ones are no chance.
_CLOCK = Unread("messages whose first three bytes may be a time (write it with colons)")
_CLOCK_SIZE, _FEWEST_TIMES = 3, 3
#: Numbers of lines from 1 to 10 and on, of two digits: a counter in the messages would go from 09 to 0a.
_NUMBERED = Unread("messages whose first byte may be the number of the line (take it off)")
_FEWEST_NUMBERED, _MOST_NUMBERED = 11, 100
#: Shapes of lines that are told apart.
_MAX_SHAPES = 1024


@dataclass(slots=True)
class _Count:
    """How many lines were not read for one reason, and the first of them."""

    line: int
    text: str
    count: int = 0


@dataclass(slots=True)
class _Doubt:
    """Messages that may be none for one reason and of one shape, and the first line of them."""

    line: int
    text: str
    rows: "array[int]" = field(default_factory=lambda: array("q"))


@dataclass(slots=True)
class Table:
    """Collects messages and turns them into Packets whose bytes are held in memory."""

    most: int = MAX_ROWS
    """How many messages are taken in."""
    data: bytearray = field(default_factory=bytearray)
    time: "array[int]" = field(default_factory=lambda: array("q"))
    start: "array[int]" = field(default_factory=lambda: array("q"))
    interface: "array[int]" = field(default_factory=lambda: array("i"))
    direction: "array[int]" = field(default_factory=lambda: array("b"))
    link_type: "array[int]" = field(default_factory=lambda: array("i"))
    interfaces: dict[tuple[str, str], int] = field(default_factory=dict)
    """Channels with their devices."""
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _unread: dict[Unread, _Count] = field(default_factory=dict)
    _nameless: int = 0
    _sure: dict[str, int] = field(default_factory=dict)
    _arrows: "array[int]" = field(default_factory=lambda: array("q"))
    _doubted: dict[tuple[str, str], _Doubt] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    @property
    def full(self) -> bool:
        """Tell whether no more messages can be taken in."""
        return len(self.time) >= self.most

    def cut(self, line: int) -> None:
        """Say that what follows a line is left out."""
        rest = f"what follows line {line} is left out, give the log in parts"
        self.damage.append(f"more than {self.most} messages: {rest}")

    def add(self, row: Row, line: int, text: str) -> None:
        """Take in one message; one of a channel past MAX_CHANNELS is only counted."""
        if row.joins and self.time:
            self.data += row.payload
            return
        key = (row.channel, row.device)
        if key not in self.interfaces and len(self.interfaces) >= MAX_CHANNELS:
            self._nameless += 1
            return
        if row.doubt:
            self._doubt(row, line, text)
        elif row.shape and (row.shape in self._sure or len(self._sure) < _MAX_SHAPES):
            self._sure[row.shape] = self._sure.get(row.shape, 0) + 1
        if row.shape == ARROW:
            self._arrows.append(len(self.time))
        self.time.append(row.time if abs(row.time) <= -NO_TIME - 1 else NO_TIME)
        self.start.append(len(self.data))
        self.direction.append(row.direction)
        self.link_type.append(row.link_type)
        self.interface.append(self.interfaces.setdefault(key, len(self.interfaces)))
        self.data += row.payload

    def add_up_times(self) -> None:
        """Take each time as counted from the message before; those that are none stay so."""
        time = np.frombuffer(self.time, dtype=np.int64)
        known = time != NO_TIME
        self.time = array("q", np.where(known, np.cumsum(np.where(known, time, 0)), NO_TIME).tobytes())

    def _doubt(self, row: Row, line: int, text: str) -> None:
        key = (row.doubt, row.shape if len(self._doubted) < _MAX_SHAPES else "")
        found = self._doubted.get(key)
        if found is None:
            found = self._doubted[key] = _Doubt(line, text)
        found.rows.append(len(self.time))

    def _settle(self) -> NDArray[np.bool_]:
        """Return which rows are kept: of doubtful ones, those of a shape that is mostly sure."""
        kept = np.ones(len(self.time), dtype=np.bool_)
        alone = not self._unread and ALONE.issuperset(reason for reason, _ in self._doubted)
        for (reason, shape), found in self._doubted.items():
            if self._sure.get(shape, 0) < len(found.rows) and not alone:
                kept[np.array(found.rows)] = False
                self.count(Unread(reason), found.line, found.text, len(found.rows))
        self._drop_decimals(kept)
        if self._begins_with_numbers():
            shown = self.data[self.start[0] : self.start[0] + _SHOWN // 3].hex(" ")
            self.count(_NUMBERED, 1, shown, len(kept))
            kept[:] = False
        elif self._begins_with_a_clock():
            shown = self.data[self.start[0] : self.start[0] + _SHOWN // 3].hex(" ")
            self.count(_CLOCK, 1, shown, len(kept))
            kept[:] = False
        return kept

    def _drop_decimals(self, kept: NDArray[np.bool_]) -> None:
        """Leave out what has only digits and goes a way on which lines of decimal numbers go, but no hex."""
        found = next((each for (reason, _), each in self._doubted.items() if reason == DECIMALS), None)
        if found is None:
            return
        data, start = np.frombuffer(self.data, dtype=np.uint8), _column(self.start, np.int64)
        count = np.concatenate(([0], np.cumsum((data >> 4 > 9) | (data & 15 > 9))))
        letters = np.diff(count[np.append(start, len(data))]) > 0
        decimal, way = np.zeros_like(kept), _column(self.direction, np.int8)
        decimal[np.array(found.rows)] = True
        hex_ways = np.unique(way[kept & letters])
        left_out = kept & ~np.isin(way, hex_ways)
        if len(hex_ways):
            left_out &= np.isin(way, np.unique(way[decimal]))
        if left_out.any():
            kept[left_out] = False
            self.count(Unread(DECIMALS), found.line, found.text, int(left_out.sum()))

    def _begins_with_numbers(self) -> bool:
        """Tell whether the first byte of every message, read as decimals, numbers them past 09 to 10."""
        start = _column(self.start, np.int64)
        if not _FEWEST_NUMBERED <= len(start) <= _MOST_NUMBERED or (start >= len(self.data)).any():
            return False
        head = np.frombuffer(self.data, dtype=np.uint8)[start].astype(np.int64)
        numbers = (head >> 4) * 10 + (head & 15)
        return bool((head & 15 <= 9).all() and (np.diff(numbers) == 1).all() and numbers[0] <= 1)

    def _begins_with_a_clock(self) -> bool:
        """Tell whether the first three bytes of every message, read as decimals, are a time that goes on."""
        if LINKTYPE_CAN_SOCKETCAN in self.link_type:  # the first bytes of such a message are its identifier
            return False
        start = _column(self.start, np.int64)
        if len(start) < _FEWEST_TIMES or np.diff(start, append=len(self.data)).min() <= _CLOCK_SIZE:
            return False
        steps = np.zeros(0, dtype=np.int64)
        for rows in (start[:64], start):  # most files end with the first few
            head = np.frombuffer(self.data, dtype=np.uint8)[rows[:, None] + np.arange(_CLOCK_SIZE)]
            tens, ones = head >> 4, head & 15
            hour, minute, second = (tens * 10 + ones).astype(np.int64).T
            if (ones > 9).any() or hour.max() >= 24 or max(minute.max(), second.max()) >= 60:
                return False
            steps = np.diff(hour * 3600 + minute * 60 + second)
            if (steps < 0).any():
                return False
        timeless = (_column(self.time, np.int64) == NO_TIME).all()
        return bool(timeless and np.count_nonzero(steps) >= _FEWEST_TIMES - 1)

    def count(self, unread: Unread, line: int, text: str, times: int = 1) -> None:
        """Count lines that are not read, of which the first is `line`."""
        found = self._unread.get(unread)
        if found is None:
            if len(self._unread) >= _MAX_REASONS:
                unread = Unread("other lines", unread.damaged)
            text = without_secrets(text)
            shown = text[:_SHOWN] + (" ..." if len(text) > _SHOWN else "")
            found = self._unread.setdefault(unread, _Count(line, shown))
        found.count += times

    def unread(self, *, damaged: bool) -> Iterator[str]:
        """Yield one line for each reason for which lines were not read."""
        for (reason, bad), found in self._unread.items():
            if bad == damaged:
                yield f'{found.count} x {reason}, the first is line {found.line}: "{found.text}"'

    def _names(self) -> tuple[str, ...]:
        """Return the channels, with their devices where there are several."""
        several = len({device for _, device in self.interfaces if device}) > 1
        return tuple(
            f"{channel} of {device}" if several and device else channel for channel, device in self.interfaces
        )

    def packets(self, name: str) -> Packets:
        """Return the table."""
        start = _column(self.start, np.int64)
        direction = np.array(self.direction, dtype=np.int8)
        if any(shape.startswith("<-") for shape in self._sure):
            direction[np.array(self._arrows, dtype=np.int64)] = PacketDirection.SENT
        size = np.diff(start, append=len(self.data))
        kept = self._settle()
        # Nothing is copied where all is kept: a long log has millions of rows.
        rows = slice(None) if kept.all() else kept
        damage = [*self.damage, *self.unread(damaged=True)]
        if self._nameless:
            damage.append(
                f"more than {MAX_CHANNELS} channels: {self._nameless} messages of others are left out"
            )
        return Packets(
            format=name,
            time=_column(self.time, np.int64)[rows],
            start=start[rows],
            size=size[rows],
            original=size[rows],
            link_type=_column(self.link_type, np.int32)[rows],
            interface=_column(self.interface, np.int32)[rows],
            direction=direction[rows],
            data=np.frombuffer(self.data, dtype=np.uint8),
            interfaces=self._names() or ("",),
            damage=tuple(damage),
            notes=(*self.notes, *self.unread(damaged=False)),
        )


def _column[Number: np.integer](values: "array[int]", kind: type[Number]) -> NDArray[Number]:
    """Return the numbers without copying them; they must not be added to afterwards."""
    return np.frombuffer(values, dtype=kind) if values else np.zeros(0, dtype=kind)
