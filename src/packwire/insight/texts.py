"""Devices that write their values as decimal text: lines of fields between separators, or keys with values.

Pieces of a text are put together, for notifications cut it anywhere. Lines that begin alike and have as many
fields are one kind; of keys and values, one block is a message, from the first key until it comes again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from packwire.direction import Direction
from packwire.insight.groups import Lane, lane_rows, lasting
from packwire.insight.readings import Floats
from packwire.messages import Int64s, Messages

#: So much of a text is printable, and so many of its lines are of the form that most have.
_PRINTABLE, _MOST = 0.95, 0.6
_TEXT = frozenset((*range(0x20, 0x7F), 0x09, 0x0A, 0x0D))
#: What stands between the fields of a line, and between a key and its value.
_SEPARATORS, _BEHIND_KEY = b",;\t", b"\t=:"
#: A line has so many fields, a block so many keys at least; and at most so many of a line are looked at.
_FEWEST, _FEWEST_KEYS, _WIDEST = 3, 3, 128
#: So many lines are looked at, none longer than this, and so many kinds of them.
_LINES, _LONGEST, _KINDS = 200_000, 1024, 32
#: A field is a number where nearly all messages have one there.
_NUMBERS = 0.9
_NUMBER = re.compile(rb"\s*([+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?)\s*")
_KEY = re.compile(rb"[A-Za-z#][\w# -]{0,23}")

type _Line = tuple[int, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class TextKind:
    """Messages of text that are alike: `numbers` has a row a message and a column a field that is a number.

    `names` are those of the fields: a key, or which field of its line it is, from 0. `separator` stands
    between fields, or behind a key where they are `keyed`.
    """

    lane: Lane
    begins: bytes
    separator: bytes
    keyed: bool
    names: tuple[str, ...]
    numbers: Floats
    time: Int64s


def find_texts(messages: Messages) -> Iterator[TextKind]:
    """Yield the kinds of text that a device sends, of each channel on which it sends nothing else."""
    for lane, rows in lane_rows(messages).items():
        if lane[0] is Direction.TO_DEVICE:
            continue
        found = _lines(messages, rows)
        if found:
            yield from _keyed(lasting(lane), found) or _separated(lasting(lane), found)


def _lines(messages: Messages, rows: Int64s) -> list[_Line]:
    """Return the lines of a channel, each with the time of its end; none where it is no text."""
    some = b"".join(messages.payload(row) for row in rows[:256].tolist())
    if not some or sum(byte in _TEXT for byte in some) < _PRINTABLE * len(some) or not {10, 13} & set(some):
        return []
    result: list[_Line] = []
    left = b""
    for row in rows.tolist():
        whole = left + messages.payload(row)
        *ended, left = re.split(rb"[\r\n]+", whole[-2 * _LONGEST :])
        result += [(int(messages.time[row]), line) for line in ended if 0 < len(line) <= _LONGEST]
        if len(result) >= _LINES:
            break
    return result[:_LINES]


def _separated(lane: Lane, lines: list[_Line]) -> list[TextKind]:
    usual = Counter(each for _, line in lines for each in _SEPARATORS if line.count(each) + 1 >= _FEWEST)
    if not usual or usual.most_common(1)[0][1] < _MOST * len(lines):
        return []
    separator = bytes((usual.most_common(1)[0][0],))
    alike: defaultdict[tuple[bytes, int], list[tuple[int, list[bytes]]]] = defaultdict(list)
    for time, line in lines:
        parts = line.split(separator)[: _WIDEST + 1]
        # What a line begins with says its kind, where that is no number.
        mark = parts[0] if not _NUMBER.fullmatch(parts[0]) else b""
        alike[mark, len(parts)].append((time, parts))
    result = []
    for (mark, many), own in sorted(alike.items(), key=lambda each: -len(each[1]))[:_KINDS]:
        if len(own) > 1 and _FEWEST <= many <= _WIDEST:
            rows = [dict(enumerate(parts)) for _, parts in own]
            names = {at: str(at) for at in range(many)}
            result.append(_kind(lane, mark, separator, rows, names, [time for time, _ in own], keyed=False))
    return [each for each in result if each.names]


def _keyed(lane: Lane, lines: list[_Line]) -> list[TextKind]:
    separators = Counter(
        mark
        for _, line in lines
        for mark in _BEHIND_KEY
        if line.count(mark) == 1 and _KEY.fullmatch(line.partition(bytes((mark,)))[0])
    )
    if not separators or separators.most_common(1)[0][1] < _MOST * len(lines):
        return []
    separator = bytes((separators.most_common(1)[0][0],))
    first = b""
    rows: list[dict[bytes, bytes]] = []
    times: list[int] = []
    for time, line in lines:
        key, found, value = line.partition(separator)
        if not found or not _KEY.fullmatch(key):
            continue
        if not first or key == first or (rows and key in rows[-1]):
            first = first or key
            rows.append({})
            times.append(time)
        rows[-1][key] = value
        times[-1] = time
    keys = list(dict.fromkeys(key for row in rows for key in row))[:_WIDEST]
    if len(rows) < 2 or len(keys) < _FEWEST_KEYS:
        return []
    if len(rows[0]) < len(rows[1]):  # the recording began inside a block
        del rows[0], times[0]
    names = {key: key.decode() for key in keys}
    first = next(iter(rows[0]))
    kind = _kind(lane, first, separator, rows, names, times, keyed=True)
    return [kind] if kind.names else []


def _kind[K](
    lane: Lane,
    begins: bytes,
    separator: bytes,
    rows: list[dict[K, bytes]],
    names: dict[K, str],
    times: list[int],
    *,
    keyed: bool,
) -> TextKind:
    table = np.full((len(rows), len(names)), np.nan)
    for number, row in enumerate(rows):
        for column, key in enumerate(names):
            if (found := _NUMBER.fullmatch(row.get(key, b""))) is not None:
                table[number, column] = float(found[1])
    kept = np.flatnonzero(np.isfinite(table).mean(axis=0) >= _NUMBERS)
    chosen = tuple(name for column, name in enumerate(names.values()) if column in kept)
    time = np.array(times, dtype=np.int64)
    return TextKind(lane, begins, separator, keyed, chosen, table[:, kept], time)
