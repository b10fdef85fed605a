"""Thousands of CAN frames at once: one column a field, by the engine for matrices."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from packwire.models.protocol import ModelProtocol
from packwire.models.replies import EXTENDED
from packwire.wire.matrix import Column, columns

#: Bytes of a classic CAN frame.
_MOST = 8


def decode_frames(
    protocol: ModelProtocol,
    ids: NDArray[np.integer[Any]],
    data: NDArray[np.uint8],
    sizes: NDArray[np.integer[Any]],
) -> dict[str, tuple[NDArray[np.intp], dict[str, Column]]]:
    """Return, by reply, the rows of its frames and a column a field.

    `ids` are identifiers (with Linux's mark for those of 29 bits), `data` is `(n, 8)`, and `sizes` says how
    many bytes of each row count. NaN stands where a frame has no value. Replies whose data must begin in some
    way are told apart by the first bytes.
    """
    found: dict[str, tuple[NDArray[np.intp], dict[str, Column]]] = {}
    order = np.argsort(ids, kind="stable")
    numbers, starts = np.unique(ids[order], return_index=True)
    groups = dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=True))
    for number, rows in groups.items():
        head = int(number).to_bytes(4)
        for reply in protocol.replies:
            if not _may_be(reply.begins[:4], head):
                continue
            own = _beginning(reply.begins[4:], data, rows)
            for size in np.unique(sizes[own]).tolist():
                these = own[sizes[own] == size]
                codec = reply.codec
                decoded = columns(codec.fields, data[these, :size], order=codec.order)
                before = found.get(reply.name)
                found[reply.name] = (these, decoded) if before is None else _joined(before, (these, decoded))
    return found


def _may_be(begins: tuple[int | None, ...], head: bytes) -> bool:
    return all(wanted in {None, byte} for wanted, byte in zip(begins, head, strict=True))


def _beginning(
    begins: tuple[int | None, ...], data: NDArray[np.uint8], rows: NDArray[np.intp]
) -> NDArray[np.intp]:
    for at, byte in enumerate(begins[:_MOST]):
        if byte is not None:
            rows = rows[data[rows, at] == byte]
    return rows


def _joined(
    one: tuple[NDArray[np.intp], dict[str, Column]], other: tuple[NDArray[np.intp], dict[str, Column]]
) -> tuple[NDArray[np.intp], dict[str, Column]]:
    """Put frames of several lengths, or from several senders, one behind the other."""
    rows = np.concatenate((one[0], other[0]))
    names = [
        name for name in one[1] if name in other[1] and one[1][name].shape[1:] == other[1][name].shape[1:]
    ]
    return rows, {name: np.concatenate((one[1][name], other[1][name])) for name in names}


__all__ = ["EXTENDED", "decode_frames"]
