"""Where the records of a file begin, each of which has its size in its header.

One record leads to the next, so a plain walk takes one step a record. A long file is walked from a thousand
places at the same time instead, each a landmark: bytes that every record's header has. A landmark may be
mere payload. So a stretch counts only where the stretch before it, known to be true, ends exactly at its
begin; what does not fit, and the end of the file, is walked step by step. The result is that of the plain
walk, whatever is in the file.
"""

import struct
from array import array
from dataclasses import dataclass

import numpy as np

from packwire.messages import Bytes, Int64s

#: A stretch for so many bytes of the file, but no more than these.
_STRETCH, _MAX_STRETCHES = 1 << 14, 1 << 13
#: Of fewer stretches one step at a time is cheaper.
_FEW = 16


@dataclass(frozen=True, slots=True)
class RecordForm:
    """How a record is built.

    `header` is the header's size, `size_at` where in it the size (4 bytes, big-endian) of what follows is,
    `most` the largest one that is believed. `landmark` is a slice of the header whose bytes are the same in
    nearly all records.
    """

    header: int
    size_at: int
    most: int
    landmark: slice


def record_offsets(data: Bytes, first: int, records: RecordForm) -> Int64s:
    """Return the offset of each record from `first` on, up to one that is too large or not wholly there."""
    begins = _landmarks(data, first, records)
    if len(begins) < _FEW:
        return _follow(data, first, records, {})[0]
    offsets, landed = _stretches(data, begins, records)
    low, high = np.searchsorted(offsets, begins), np.searchsorted(offsets, landed)
    # The last of each run of stretches that fit together.
    lasts = np.append(np.flatnonzero(landed[:-1] != begins[1:]), len(begins) - 1)
    index = {begin: number for number, begin in enumerate(begins.tolist())}
    parts: list[Int64s] = []
    number: int | None = 0
    while number is not None:
        last = int(lasts[np.searchsorted(lasts, number)])
        parts.append(offsets[low[number] : high[last]])
        between, number = _follow(data, int(landed[last]), records, index)
        if len(between):
            parts.append(between)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _landmarks(data: Bytes, first: int, records: RecordForm) -> Int64s:
    """Return where records seem to begin: `first`, and the first landmark of each part of the file."""
    stretches = min((len(data) - first) // _STRETCH, _MAX_STRETCHES)
    begins = [first]
    if stretches >= _FEW:
        step = (len(data) - first) // stretches
        mark = data[first:][records.landmark].tobytes()
        for begin in range(first + step, len(data), step):
            found = data[begin : begin + step].tobytes().find(mark)
            at = begin + found - records.landmark.start
            if found >= 0 and at > begins[-1] and _leads_on(data, at, records, mark):
                begins.append(at)
    return np.array(begins, dtype=np.int64)


def _leads_on(data: Bytes, at: int, records: RecordForm, mark: bytes) -> bool:
    """Tell whether what would be the next record has the landmark as well."""
    size = int.from_bytes(data[at + records.size_at :][:4].tobytes())
    return data[at + records.header + size :][records.landmark].tobytes() == mark


def _stretches(data: Bytes, begins: Int64s, records: RecordForm) -> tuple[Int64s, Int64s]:
    """Walk from all places at once; return all offsets that were met, in order, and where each walk ended.

    A walk ends where the next one began, or before the record that does not end there.
    """
    count = len(data) - records.header + 1
    sizes = np.ndarray((count,), dtype=">u4", buffer=data, offset=records.size_at, strides=(1,))
    landed = begins.copy()
    number = np.arange(len(begins))
    ends = np.append(begins[1:], len(data))
    #: A header must fit in as well.
    below = np.minimum(ends, count)
    at, met = begins, []
    while len(at) >= _FEW:
        size = sizes[at].astype(np.int64)
        after = at + records.header + size
        met.append(at)
        going = (after < below) & (size <= records.most)
        if not going.all():
            whole = (after <= ends) & (size <= records.most) & ~going
            landed[number] = np.where(whole, after, at)
            number, below, ends, after = number[going], below[going], ends[going], after[going]
        at = after
    landed[number] = at
    offsets = np.concatenate(met)
    offsets.sort()
    return offsets, landed


def _follow(data: Bytes, at: int, records: RecordForm, known: dict[int, int]) -> tuple[Int64s, int | None]:
    """Walk step by step, up to a place that is known; return the offsets that were met, and its number."""
    read_size = struct.Struct(">I").unpack_from
    offsets = array("q")
    append = offsets.append
    view, end, most = memoryview(data), len(data), records.most
    header, size_at = records.header, records.size_at
    number = None
    while number is None and at + header <= end:
        (size,) = read_size(view, at + size_at)
        after = at + header + size
        if size > most or after > end:
            break
        append(at)
        at = after
        number = known.get(at)
    return np.frombuffer(offsets, dtype=np.int64) if offsets else np.zeros(0, dtype=np.int64), number
