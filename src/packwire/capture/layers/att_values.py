"""Values that ATT sends in an unusual form: prepared writes, and several notifications in one PDU.

A long value is written in parts (Prepare Write), which one Execute Write makes count [Bluetooth Core
Specification, Vol 3, Part F, 3.4.6]; a Multiple Handle Value Notification holds handle, length and value of
each [3.4.7.4].
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from packwire.capture.layers.att import AttTable, Opcode
from packwire.messages import Bytes

#: An Execute Write with this flag carries the parts out, one without gives them up.
_CARRY_OUT = 1
#: What may be prepared at a time; a server has room for far less.
_MAX_PARTS = 4096


class _Value(NamedTuple):
    """A value: the row in the table of the last PDU it comes from, what it comes to, the packets' rows."""

    at: int
    handle: int
    opcode: Opcode
    content: bytes
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """Values as PDUs of the usual form; `start` counts from `len(data)` on, in `joined`.

    `rows` are the rows of the packets that each comes from.
    """

    att: AttTable
    joined: Bytes
    rows: tuple[tuple[int, ...], ...]


def composed_values(att: AttTable, data: Bytes, joined: Bytes) -> Composed:
    """Return the values that a table holds in an unusual form, in the order of the last PDU of each."""
    found = sorted([*_prepared(att, data, joined), *_several(att, data, joined)], key=lambda value: value.at)
    at = np.array([value.at for value in found], dtype=np.int64)
    size = np.array([len(value.content) for value in found], dtype=np.int64)
    table = AttTable(
        row=att.row[at],
        opcode=np.array([value.opcode for value in found], dtype=np.uint8),
        handle=np.array([value.handle for value in found], dtype=np.int32),
        connection=att.connection[at],
        direction=att.direction[at],
        start=len(data) + np.cumsum(size) - size,
        size=size,
        of_app=att.of_app[at],
        time=att.time[at],
    )
    content = b"".join(value.content for value in found)
    return Composed(table, np.frombuffer(content, dtype=np.uint8), tuple(value.rows for value in found))


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
        for handle in dict.fromkeys(int(att.handle[part]) for part in parts):
            own = [part for part in parts if att.handle[part] == handle]
            value = b"".join(_content(att, part, data, joined) for part in own)
            yield _Value(
                row, handle, Opcode.WRITE_REQ, value, tuple(int(att.row[each]) for each in [*own, row])
            )


def _several(att: AttTable, data: Bytes, joined: Bytes) -> Iterator[_Value]:
    """Take Multiple Handle Value Notifications apart; a value that is cut off is left out."""
    for row in np.flatnonzero(att.opcode == Opcode.MULTIPLE_NOTIFICATION).tolist():
        content, at = _content(att, row, data, joined), 0
        while at + 4 <= len(content):
            handle, size = (int.from_bytes(content[each : each + 2], "little") for each in (at, at + 2))
            value = content[at + 4 : at + 4 + size]
            if len(value) < size:
                return
            yield _Value(row, handle, Opcode.NOTIFICATION, value, (int(att.row[row]),))
            at += 4 + size


def _content(att: AttTable, row: int, data: Bytes, joined: Bytes) -> bytes:
    start, size = int(att.start[row]), int(att.size[row])
    if start < len(data):
        return data[start : start + size].tobytes()
    return joined[start - len(data) : start - len(data) + size].tobytes()
