"""TCP/IP: secrets masked within the streams and written back into each packet, checksums mended.

A secret may begin in one segment and end in the next, and come again in a retransmission: masks are worked
out on the stream, then every segment takes what its positions say. Checksums: RFC 1071, RFC 1624.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.ip import TCP, UDP, open_ip
from packwire.capture.layers.link import Counts, Located, locate_ip
from packwire.capture.layers.pieces import unwrap
from packwire.capture.layers.spoken import SpokenConnection, read_vesc
from packwire.capture.layers.stream_frames import find_frames
from packwire.capture.layers.streams import known_streams
from packwire.capture.layers.tcp import Connection, Connections
from packwire.capture.layers.tcp_stream import Flag, Stream
from packwire.capture.layers.udp import known_flows
from packwire.capture.links import Layer, headers
from packwire.capture.redact.canvas import STAR, Canvas
from packwire.capture.redact.contents import UNREAD, masked_frame, masked_login, masked_stream
from packwire.messages import Bytes, Int64s

#: Link type -> the size of the header in front of the IP packet.
IP_LINKS = headers(Layer.IP)
#: Where the checksum stands in the header of each.
_CHECKSUM_AT = {TCP: 16, UDP: 6}

OTHER_TRAFFIC = "connections and packets that are not VESC traffic"


def mask_network(canvas: Canvas, *, strict: bool) -> None:
    """Mask what the packets of IP links hold; `strict` masks all that is no battery's traffic, too."""
    packets = canvas.packets
    connections = Connections(packets)
    vesc = read_vesc(connections)
    talking = {each.connection.index: each for each in vesc.connections}
    for index, each in talking.items():
        for side in (0, 1):
            _mask_side(canvas, connections[index], side, _masked(canvas, each, side, strict=strict))
    known = list(known_streams(connections, talking, Counts()))
    for other, _ in known:
        for side in (0, 1):
            content = masked_stream(other.streams[side].joined(), canvas.counts, strict=strict)
            _mask_side(canvas, other, side, content)
    spared: list[int] = []
    for flow, _ in known_flows(packets, Counts()):
        for stream in flow.streams:
            _put_back(canvas, stream, masked_stream(stream.joined(), canvas.counts, strict=strict))
            spared += stream.number.tolist()
    if strict:
        _mask_others(canvas, connections, {*talking, *(other.index for other, _ in known)}, spared)


def _masked(canvas: Canvas, vesc: SpokenConnection[Connection], side: int, *, strict: bool) -> bytes:
    """Return the recorded bytes of one side's stream: the frames masked, what is in none starred."""
    stream = vesc.connection.streams[side]
    content = stream.joined()
    lines = [line for line in vesc.hub_lines if line.side == side]
    skip = lines[0].size if lines else 0
    result = bytearray(masked_login(content[:skip], canvas.counts))
    frames = find_frames(stream, skip, vesc.observer)
    columns = zip(frames.start.tolist(), frames.size.tolist(), frames.payload_size.tolist(), strict=True)
    for start, size, payload_size in columns:
        _star(canvas, result, start)
        frame = content[start : start + size]
        result += masked_frame(frame, payload_size, canvas.counts, private=strict)
    _star(canvas, result, len(content))
    return bytes(result)


def _put_back(canvas: Canvas, stream: Stream, masked: bytes) -> None:
    """Write a masked stream into the datagrams that it was put together from."""
    columns = zip(stream.start.tolist(), stream.size.tolist(), stream.position.tolist(), strict=True)
    for start, size, position in columns:
        canvas.data[start : start + size] = np.frombuffer(masked[position : position + size], dtype=np.uint8)


def _star(canvas: Canvas, result: bytearray, until: int) -> None:
    if until > len(result):
        result += bytes((STAR,)) * (until - len(result))
        canvas.counts[UNREAD] += 1


def _mask_side(canvas: Canvas, connection: Connection, side: int, masked: bytes) -> None:
    """Write a masked stream into every segment of a side, the repeated ones too.

    A byte of a segment that differs from the stream's (a repetition that says something else) is starred, and
    so is what lies outside of the stream.
    """
    stream = connection.streams[side]
    new = np.frombuffer(masked, dtype=np.uint8)
    own = connection.segments.take(np.flatnonzero(connection.sides == side))
    position, stray = _positions(connection, side, stream)
    begins: Int64s = np.concatenate(([0], np.cumsum(stream.size)))
    for row in np.flatnonzero(own.size > 0).tolist():
        start, size = int(own.start[row]), int(own.size[row])
        was = canvas.original[start : start + size]
        if stray[row] or not len(stream.start):
            canvas.mask(start, start + size, UNREAD)
            continue
        at = int(position[row]) + np.arange(size)
        piece = np.searchsorted(stream.position, at, side="right") - 1
        within = at - stream.position[piece]
        inside = (piece >= 0) & (within < stream.size[piece])
        index = np.where(inside, begins[piece] + within, 0)
        source = np.where(inside, stream.start[piece] + within, start)
        same = inside & (canvas.original[source] == was)
        content = np.full(size, STAR, dtype=np.uint8)
        content[same] = new[index[same]]
        canvas.data[start : start + size] = content


def _positions(connection: Connection, side: int, stream: Stream) -> tuple[Int64s, NDArray[np.bool_]]:
    """Return where each segment of a side begins in its stream, and which belong to another connection."""
    own = connection.segments.take(np.flatnonzero(connection.sides == side))
    syn = np.flatnonzero(own.flags & Flag.SYN)
    position, stray = unwrap(own.seq, own.wire_size, int(own.seq[syn[0]]) if len(syn) else None)
    if len(syn) or not len(stream.start):
        return position, stray
    # Without a SYN the stream's position 0 is its first byte: find the segment that holds it.
    holds = np.flatnonzero((own.start <= stream.start[0]) & (stream.start[0] < own.start + own.size))
    lowest = int(position[holds[0]] + stream.start[0] - own.start[holds[0]])
    return position - lowest, stray


def _mask_others(canvas: Canvas, connections: Connections, talking: set[int], spared: Sequence[int]) -> None:
    """Star the payloads of all other TCP connections, of other protocols, and of what could not be read.

    `spared` are the numbers of the packets that hold datagrams of a battery.
    """
    packets = canvas.packets
    segments = connections.segments
    number = np.repeat(np.arange(len(connections)), np.diff(connections.bounds))
    known = np.zeros(len(packets), dtype=np.bool_)
    known[segments.row] = True
    known[np.array(spared, dtype=np.int64) - 1] = True
    other = np.flatnonzero(~np.isin(number, list(talking)))
    _star_all(
        canvas, segments.start[other], packets.start[segments.row[other]] + packets.size[segments.row[other]]
    )
    resets = np.flatnonzero((segments.flags & Flag.RST != 0) & np.isin(number, list(talking)))
    _star_all(
        canvas,
        segments.start[resets],
        packets.start[segments.row[resets]] + packets.size[segments.row[resets]],
    )
    carried = open_ip(packets.data, locate_ip(packets, Counts()), Counts())
    rest = ~known[carried.located.row]
    header = np.where(carried.protocol == UDP, 8, 0)[rest]
    row = carried.located.row[rest]
    _star_all(canvas, carried.located.at[rest] + header, packets.start[row] + packets.size[row])
    known[carried.located.row] = True
    for link_type, size in IP_LINKS.items():
        left = np.flatnonzero(~known & (packets.link_type == link_type))
        _star_all(canvas, packets.start[left] + size, packets.start[left] + packets.size[left])


def _star_all(canvas: Canvas, starts: Int64s, ends: Int64s) -> None:
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        canvas.mask(start, end, OTHER_TRAFFIC)


def mend_network(canvas: Canvas) -> None:
    """Mend the checksum of every TCP segment and UDP datagram that was changed."""
    packets = canvas.packets
    found = locate_ip(packets, Counts())
    carried = open_ip(packets.data, found, Counts())
    ip_at = np.zeros(len(packets), dtype=np.int64)
    ip_at[found.row] = found.at
    changed = _changed_rows(canvas, carried.located)
    for index in changed.tolist():
        protocol = int(carried.protocol[index])
        at, end = int(carried.located.at[index]), int(carried.located.end[index])
        field = at + _CHECKSUM_AT.get(protocol, 0)
        if protocol not in _CHECKSUM_AT or field + 2 > end:
            continue
        if protocol == UDP and not canvas.data[field : field + 2].any():
            continue  # no checksum was computed [RFC 768]
        whole = end == int(carried.located.wire_end[index])
        row = int(carried.located.row[index])
        value = (
            _full(canvas.data, int(ip_at[row]), at, end, field, protocol)
            if whole
            else _moved(canvas, at, end, field)
        )
        canvas.put(field, value.to_bytes(2))


def _changed_rows(canvas: Canvas, located: Located) -> Int64s:
    changed = np.zeros(len(located), dtype=np.bool_)
    for index, (at, end) in enumerate(zip(located.at.tolist(), located.end.tolist(), strict=True)):
        changed[index] = not np.array_equal(canvas.data[at:end], canvas.original[at:end])
    return np.flatnonzero(changed)


def _full(data: Bytes, ip_at: int, at: int, end: int, field: int, protocol: int) -> int:
    """Compute a checksum over the pseudo-header and all bytes."""
    first, count = (12, 8) if data[ip_at] >> 4 == 4 else (8, 32)
    pseudo = (
        data[ip_at + first : ip_at + first + count].tobytes() + (end - at).to_bytes(4) + protocol.to_bytes(4)
    )
    content = bytearray(data[at:end].tobytes())
    content[field - at : field - at + 2] = b"\0\0"
    value = 0xFFFF - _folded(_sum(pseudo) + _sum(bytes(content)))
    return value or 0xFFFF if protocol == UDP else value


def _moved(canvas: Canvas, at: int, end: int, field: int) -> int:
    """Move a checksum on by what was changed, where not all bytes that it covers were recorded."""
    was, now = (bytearray(data[at:end].tobytes()) for data in (canvas.original, canvas.data))
    for content in (was, now):
        content[field - at : field - at + 2] = b"\0\0"
    old = int.from_bytes(canvas.original[field : field + 2].tobytes())
    kept = _folded(0xFFFF - old)
    return 0xFFFF - _folded(kept + (0xFFFF - _folded(_sum(bytes(was)))) + _sum(bytes(now)))


def _sum(content: bytes) -> int:
    if len(content) % 2:
        content += b"\0"
    return int(np.frombuffer(content, dtype=">u2").sum(dtype=np.int64))


def _folded(value: int) -> int:
    while value > 0xFFFF:
        value = (value & 0xFFFF) + (value >> 16)
    return value
