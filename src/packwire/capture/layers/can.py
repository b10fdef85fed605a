"""CAN frames as Linux records them.

LINKTYPE_CAN_SOCKETCAN [https://www.tcpdump.org/linktypes/LINKTYPE_CAN_SOCKETCAN.html]: identifier with flags
in 4 bytes, big-endian, length, flags of CAN FD, 2 reserved bytes, data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.link import Counts
from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN, Packets
from packwire.channel import Channel, Transport
from packwire.columns import gather
from packwire.messages import Bytes, Int8s, Int64s, Messages

_EXTENDED, _REMOTE, _ERROR = 1 << 31, 1 << 30, 1 << 29
#: More identifiers than any bus has; those that come later are left out.
MAX_IDS = 4096
_HEADER = np.dtype([("id", ">u4"), ("size", "u1"), ("fd", "u1"), ("reserved", "V2")])


@dataclass(frozen=True, slots=True)
class CanFrames:
    """CAN frames: columns of equal length.

    row       int64, row in the table of packets
    id        int64, the identifier of 11 or 29 bits
    extended  bool, whether it has 29 bits
    remote    bool, whether the frame asks for data and has none
    direction  int8, see `PacketDirection`
    start, size  int64, where the data lies in the file
    """

    row: Int64s
    id: Int64s
    extended: NDArray[np.bool_]
    remote: NDArray[np.bool_]
    direction: Int8s
    start: Int64s
    size: Int64s
    data: Bytes

    def __len__(self) -> int:
        return len(self.row)

    def content(self, index: int) -> bytes:
        """Return the data of one frame."""
        start = int(self.start[index])
        return self.data[start : start + int(self.size[index])].tobytes()


def find_can(packets: Packets, left_out: Counts) -> CanFrames:
    """Find all CAN frames; error frames and those cut short are counted."""
    row = np.flatnonzero(packets.link_type == LINKTYPE_CAN_SOCKETCAN)
    whole = packets.size[row] >= _HEADER.itemsize
    left_out.add("CAN frames that are cut short", int(np.count_nonzero(~whole)))
    (row,) = _kept(whole, row)
    header = gather(packets.data, packets.start[row], _HEADER)
    word, size = header["id"].astype(np.uint32), header["size"].astype(np.int64)
    size[word & _REMOTE != 0] = 0
    is_error = word & _ERROR != 0
    fits = packets.size[row] >= size + _HEADER.itemsize
    left_out.add("CAN error frames", int(np.count_nonzero(is_error)))
    left_out.add("CAN frames that are cut short", int(np.count_nonzero(~fits & ~is_error)))
    row, word, size = _kept(fits & ~is_error, row, word, size)
    few = _first_ids(word)
    left_out.add(f"CAN frames beyond the first {MAX_IDS} identifiers", int(np.count_nonzero(~few)))
    row, word, size = _kept(few, row, word, size)
    extended = word & _EXTENDED != 0
    return CanFrames(
        row=row,
        id=np.where(extended, word & 0x1FFF_FFFF, word & 0x7FF).astype(np.int64),
        extended=extended,
        remote=word & _REMOTE != 0,
        direction=packets.direction[row],
        start=packets.start[row] + _HEADER.itemsize,
        size=size,
        data=packets.data,
    )


def _kept(mask: NDArray[np.bool_], *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the rows of a mask; the columns themselves where that is all: a long log has millions."""
    return columns if mask.all() else tuple(column[mask] for column in columns)


def _first_ids(word: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Say which frames have one of the identifiers that came first."""
    codes, first = np.unique(word, return_index=True)
    if len(codes) <= MAX_IDS:
        return np.ones(len(word), dtype=np.bool_)
    return np.isin(word, codes[np.argsort(first)[:MAX_IDS]])


def can_messages(packets: Packets, frames: CanFrames, names: dict[int, str]) -> Messages:
    """Return each frame on the channel of its identifier; `names` says what extended ones are called."""
    code = frames.id.astype(np.uint32) * np.uint32(4) + frames.extended * np.uint32(2) + frames.remote
    codes, channel = np.unique(code, return_inverse=True)
    channels = []
    for each in codes.tolist():
        identifier, extended, remote = each >> 2, bool(each & 2), each & 1
        name = names.get(identifier, "") if extended else ""
        kind = "request" if remote else ""
        channels.append(Channel(Transport.CAN, identifier, name, kind, extended=extended))
    return Messages(
        time=packets.time[frames.row],
        direction=frames.direction,
        channel=channel.astype(np.int32),
        start=frames.start,
        size=frames.size,
        packets=frames.row + 1,
        packet_offsets=np.arange(len(frames) + 1, dtype=np.int64),
        channels=tuple(channels),
        data=packets.data,
        joined=np.zeros(0, dtype=np.uint8),
    )
