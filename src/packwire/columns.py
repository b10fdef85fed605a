"""numpy columns: what several modules need of them and numpy does not offer as cheaply."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def constant(value: int, count: int) -> NDArray[np.int32]:
    """Return a column, not to be written to, that has one value throughout; it takes no memory."""
    return np.broadcast_to(np.int32(value), (count,))


def distinct(values: NDArray[np.integer]) -> list[int]:
    """Return the different values in order."""
    result: list[int] = distinct_values(values).tolist()
    return result


def distinct_values[Number: np.integer](values: NDArray[Number]) -> NDArray[Number]:
    """Return the different values in order, as a column.

    That is np.unique, but for two things: one value throughout is found without sorting, and np.unique loads
    numpy.ma, which takes a tenth of the time that a command has to start.
    """
    if not len(values) or (values == values[0]).all():
        return values[:1]
    ordered = np.sort(values)
    first = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def one_of(values: NDArray[np.integer], few: Collection[int]) -> NDArray[np.bool_]:
    """Tell which values are one of a few; as np.isin, without numpy.ma."""
    result = np.zeros(len(values), dtype=np.bool_)
    for each in few:
        result |= values == each
    return result


def distinct_rows[Number: np.integer](table: NDArray[Number]) -> NDArray[Number]:
    """Return the different rows of a table in order; as `distinct`, without numpy.ma."""
    result: NDArray[Number] = np.unique(table, axis=0, return_index=True)[0]
    return result


def offsets_of(counts: ArrayLike) -> NDArray[np.int64]:
    """Return where each of some lists begins that lie one behind the other, and where the last one ends."""
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def spans(start: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers from `start` on, `size` of them, of each pair in turn."""
    ends = np.cumsum(size, dtype=np.int64)
    count = int(ends[-1]) if len(ends) else 0
    result: NDArray[np.int64] = np.arange(count, dtype=np.int64)
    result += np.repeat(start - (ends - size), size)
    return result


def gather(data: NDArray[np.uint8], at: NDArray[np.int64], dtype: DTypeLike) -> NDArray[Any]:
    """Read one value of `dtype` (such as ">u2", or a structured one) at each offset, aligned or not.

    Every offset must leave room for the value: `0 <= at <= len(data) - itemsize`.
    """
    kind = np.dtype(dtype)
    if len(at) == 0:
        return np.zeros(0, dtype=kind)
    windows: NDArray[Any] = np.ndarray(
        (len(data) - kind.itemsize + 1,), dtype=kind, buffer=data, strides=(1,)
    )
    return windows[at]


class Growing:
    """Columns of equal length that grow block by block, and are not copied in the end.

    Room that was expected and is not needed takes no memory, since it is never written to.
    """

    def __init__(self, kinds: Sequence[type[np.integer]], expected: int) -> None:
        self._columns: list[NDArray[Any]] = [np.empty(expected, dtype=kind) for kind in kinds]
        self._length = 0

    def add(self, *blocks: NDArray[Any]) -> None:
        """Add the next rows: a block for each column."""
        end = self._length + len(blocks[0])
        if end > len(self._columns[0]):
            self._columns = [
                np.concatenate((column, np.empty(end, dtype=column.dtype))) for column in self._columns
            ]
        for column, block in zip(self._columns, blocks, strict=True):
            column[self._length : end] = block
        self._length = end

    def columns(self) -> list[NDArray[Any]]:
        """Return the columns as far as they are filled."""
        return [column[: self._length] for column in self._columns]
