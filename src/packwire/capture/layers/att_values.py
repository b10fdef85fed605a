"""Values that ATT sends in an unusual form: prepared writes, and several notifications in one PDU.

A long value is written in parts (Prepare Write), which one Execute Write makes count [Bluetooth Core
Specification, Vol 3, Part F, 3.4.6]; a Multiple Handle Value Notification holds handle, length and value of
each [3.4.7.4].
"""

import heapq
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from packwire.att import Opcode
from packwire.capture.layers.att import AttTable
from packwire.messages import Bytes, Int64s

#: An Execute Write with this flag carries the parts out, one without gives them up.
_CARRY_OUT = 1
#: What may be prepared at a time; a server has room for far less.
_MAX_PARTS = 4096


#: More than any recording has; a small file made for it could hold millions of empty values.
_MAX_VALUES = 250_000


class _Value(NamedTuple):
    """A value: the row in the table of the last PDU it comes from, what it comes to, the packets' rows."""

    at: int
    handle: int
    opcode: Opcode
    content: bytes
    rows: list[int]


@dataclass(frozen=True, slots=True)
class Composed:
    """Values as PDUs of the usual form; `start` counts from `len(data)` on, in `joined`.

    Value `i` comes from the packets' rows `rows[row_offsets[i]:row_offsets[i + 1]]`. `left_out` counts the
    values that are too many.
    """

    att: AttTable
    joined: Bytes
    rows: Int64s
    row_offsets: Int64s
    left_out: int


def composed_values(att: AttTable, data: Bytes, joined: Bytes) -> Composed:
    """Return the values that a table holds in an unusual form, in the order of the last PDU of each."""
    at, handle, opcode, size, sources, rows = (array("q") for _ in range(6))
    content, left_out = bytearray(), 0
    for value in heapq.merge(_prepared(att, data, joined), _several(att, data, joined), key=_place):
        if len(at) == _MAX_VALUES:
            left_out += 1
            continue
        at.append(value.at)
        handle.append(value.handle)
        opcode.append(value.opcode)
        size.append(len(value.content))
        sources.append(len(value.rows))
        rows.extend(value.rows)
        content += value.content
    last, sizes = np.array(at, dtype=np.int64), np.array(size, dtype=np.int64)
    table = AttTable(
        row=att.row[last],
        opcode=np.array(opcode, dtype=np.uint8),
        handle=np.array(handle, dtype=np.int32),
        connection=att.connection[last],
        direction=att.direction[last],
        start=len(data) + np.cumsum(sizes) - sizes,
        size=sizes,
        of_app=att.of_app[last],
        time=att.time[last],
    )
    offsets = np.concatenate(([0], np.cumsum(np.array(sources, dtype=np.int64))))
    return Composed(
        table, np.frombuffer(content, dtype=np.uint8), np.array(rows, dtype=np.int64), offsets, left_out
    )


def _place(value: _Value) -> int:
    return value.at


def _prepared(att: AttTable, data: Bytes, joined: Bytes) -> Iterator[_Value]:
    """Join the parts of prepared writes, those of each handle in order, as one write."""
    waiting: dict[tuple[int, bool], list[int]] = {}
    wanted = (att.opcode == Opcode.PREPARE_WRITE_REQ) | (att.opcode == Opcode.EXECUTE_WRITE_REQ)
    for row in np.flatnonzero(wanted).tolist():
        key = (int(att.connection[row]), bool(att.of_app[row]))
        if att.opcode[row] == Opcode.PREPARE_WRITE_REQ:
            parts = waiting.setdefault(key, [])
            if len(parts) < _MAX_PARTS:
                parts.append(row)
            continue
        parts = waiting.pop(key, [])
        if _content(att, row, data, joined)[:1] != bytes((_CARRY_OUT,)):
            continue
        by_handle: dict[int, list[int]] = {}
        for part in parts:
            by_handle.setdefault(int(att.handle[part]), []).append(part)
        for handle, own in by_handle.items():
            value = b"".join(_content(att, part, data, joined) for part in own)
            yield _Value(row, handle, Opcode.WRITE_REQ, value, att.row[[*own, row]].tolist())


def _several(att: AttTable, data: Bytes, joined: Bytes) -> Iterator[_Value]:
    """Take Multiple Handle Value Notifications apart; a value that is cut off is left out."""
    for row in np.flatnonzero(att.opcode == Opcode.MULTIPLE_NOTIFICATION).tolist():
        content, at = _content(att, row, data, joined), 0
        while at + 4 <= len(content):
            handle, size = (int.from_bytes(content[each : each + 2], "little") for each in (at, at + 2))
            value = content[at + 4 : at + 4 + size]
            if len(value) < size:
                break
            yield _Value(row, handle, Opcode.NOTIFICATION, value, [int(att.row[row])])
            at += 4 + size


def _content(att: AttTable, row: int, data: Bytes, joined: Bytes) -> bytes:
    start, size = int(att.start[row]), int(att.size[row])
    if start < len(data):
        return data[start : start + size].tobytes()
    return joined[start - len(data) : start - len(data) + size].tobytes()
