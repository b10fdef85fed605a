"""Which TCP connections carry frames: a quick look at all segments, then a search of the rest.

Every byte of a recording may have to be looked at, so this works on whole columns; the checksum is computed
only where start byte, length and stop byte fit together.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.link import Counts
from packwire.capture.layers.tcp import Connections
from packwire.capture.layers.tcp_stream import Stream
from packwire.columns import distinct, gather
from packwire.messages import Bytes, Int64s
from packwire.protocol.observing import Columns, Observer

_CHUNK = 4 << 20

#: So many connections may be taken for VESC's, and beyond that one for so many bytes of the recording: one
#: that is opened, asks, is answered and is closed takes about as much. A small file can hold many more.
_FREE_CONNECTIONS, _BYTES_A_CONNECTION = 8192, 1024
#: So many of those whose segments begin with no frame are searched for frames in the midst of their bytes,
#: and beyond that one for so many bytes.
_FREE_SEARCHES, _BYTES_A_SEARCH = 2048, 4096


def framed_connections(
    connections: Connections, observer: Observer, columns: Columns, left_out: Counts
) -> list[int]:
    """Return the numbers of the connections with a protocol's frames, in order; count those not looked at."""
    title = observer.protocol.title
    segments = connections.segments
    with_data = np.flatnonzero(segments.size > 0)
    number = np.searchsorted(connections.bounds, with_data, side="right") - 1
    start, size = segments.start[with_data], segments.size[with_data]
    data = connections.packets.data
    found: set[int] = set(distinct(number[_openings(observer, data, start, size)]))
    rows, sizes = columns.plausible(data, start, start + size)
    for row, of_connection, its in zip(rows.tolist(), number[rows].tolist(), sizes.tolist(), strict=True):
        place = start[row : row + 1]
        if of_connection not in found and columns.right(data, place, np.array([its]))[0]:
            found.add(of_connection)
    others = [index for index in distinct(number) if index not in found]
    searched = max(_FREE_SEARCHES, len(data) // _BYTES_A_SEARCH)
    for index in others[:searched]:
        if any(_holds_frames(stream, columns) for stream in connections.glance(index).streams):
            found.add(index)
    left_out.add(
        f"a TCP connection that was not searched for {title} frames, there are so many",
        max(len(others) - searched, 0),
    )
    most = max(_FREE_CONNECTIONS, len(data) // _BYTES_A_CONNECTION)
    left_out.add(f"a {title} connection, more than a recording of this size has", max(len(found) - most, 0))
    return sorted(found)[:most]


def _openings(observer: Observer, data: Bytes, start: Int64s, size: Int64s) -> NDArray[np.bool_]:
    """Tell which segments begin like a line for a hub."""
    result = np.zeros(len(start), dtype=np.bool_)
    for begin in observer.openings:
        long_enough = np.flatnonzero(size > len(begin))
        same = gather(data, start[long_enough], f"V{len(begin)}") == np.void(begin)
        result[long_enough[same]] = True
    return result


def _holds_frames(stream: Stream, columns: Columns) -> bool:
    """Search all bytes. One frame that begins a segment, or two anywhere: one alone may be chance."""
    ends = np.cumsum(stream.size)
    frames = _frames_within(np.frombuffer(stream.joined(), dtype=np.uint8), columns)
    return any(
        count > 1 or position == 0 or ends[np.searchsorted(ends, position)] == position
        for count, position in enumerate(frames, 1)
    )


def _frames_within(data: Bytes, columns: Columns) -> Iterator[int]:
    for chunk in range(0, len(data), _CHUNK):
        piece = data[chunk : chunk + _CHUNK + columns.longest]
        at = columns.candidates(piece[:_CHUNK])
        rows, size = columns.plausible(piece, at, np.full(len(at), len(piece)))
        right = columns.right(piece, at[rows], size)
        yield from (chunk + at[rows[right]]).tolist()
