"""L2CAP [Bluetooth Core Specification, Vol 3, Part A]: PDUs put together from fragments, and their channels.

Nearly every PDU comes in one fragment; those are found all at once. Only the others go one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.link import Counts
from packwire.columns import gather
from packwire.messages import Bytes, Int8s, Int32s, Int64s

HEADER = 4

#: Fixed channels [2.1]: signalling on BR/EDR and LE, ATT, the security manager.
SIGNALLING, ATT, LE_SIGNALLING, SECURITY = 1, 4, 5, 6
#: Protocol numbers of dynamic channels [Assigned Numbers, 2.5].
PSM_RFCOMM, PSM_ATT = 0x0003, 0x001F

LOST_START = "a continuation whose first fragment is not in the recording"
INCOMPLETE = "an L2CAP message of which fragments are missing"
CUT_SHORT = "cut short when it was recorded (a filtered log does that)"


@dataclass(frozen=True, slots=True)
class Fragments:
    """Pieces of L2CAP PDUs, in the order of the file: columns of equal length.

    row        int64, row in the table of packets
    link       int32, the number of the connection
    direction  int8, see `PacketDirection`
    first      bool, whether a PDU begins here; otherwise the last one goes on
    at, end    int64, where the bytes lie in the file
    wire_end   int64, where they would end had all been captured (at least `end`)
    """

    row: Int64s
    link: Int32s
    direction: Int8s
    first: NDArray[np.bool_]
    at: Int64s
    end: Int64s
    wire_end: Int64s

    def __len__(self) -> int:
        return len(self.row)


def in_file_order(parts: Sequence[Fragments]) -> Fragments:
    """Return the fragments that several readers found, in the order of the file."""
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Fragments.__slots__]
    order = np.argsort(columns[0], kind="stable")
    return Fragments(*(column[order] for column in columns))


@dataclass(frozen=True, slots=True)
class Pdus:
    """Whole L2CAP PDUs: columns of equal length, in the order of their last fragments.

    `row` is that of the last fragment; `start` is where the payload lies: in `data`, or `len(data)` and more
    for one that was put together (see `Reassembly.joined`).
    """

    row: Int64s
    link: Int32s
    direction: Int8s
    channel: NDArray[np.uint16]
    start: Int64s
    size: Int64s

    def __len__(self) -> int:
        return len(self.row)

    def where(self, kept: NDArray[np.bool_]) -> "Pdus":
        """Return the rows of a mask."""
        if kept.all():
            return self
        return Pdus(*(getattr(self, column)[kept] for column in self.__slots__))


@dataclass(slots=True)
class _Open:
    """A PDU that has begun: what it needs, the pieces there are, and the place of the last in its order."""

    expected: int
    rows: list[int] = field(default_factory=list)
    pieces: list[tuple[int, int]] = field(default_factory=list)
    arrived: int = 0
    cut: bool = False


class Reassembly:
    """Puts PDUs together, block after block of fragments.

    `joined` holds the payloads that came in several pieces; `rows_of` names, by the last of them, the rows
    that each came from.
    """

    def __init__(self, data: Bytes) -> None:
        self.data = data
        self.joined = bytearray()
        self.rows_of: dict[int, list[int]] = {}
        self._open: dict[tuple[int, int], _Open] = {}

    def add(self, fragments: Fragments, left_out: Counts) -> Pdus:
        """Return the PDUs that these fragments complete."""
        length = np.zeros(len(fragments), dtype=np.int64)
        channel = np.zeros(len(fragments), dtype=np.uint16)
        headed = fragments.first & (fragments.end - fragments.at >= HEADER)
        if headed.all():
            headed_rows: slice | Int64s = slice(None)
        else:
            headed_rows = np.flatnonzero(headed)
        header = gather(self.data, fragments.at[headed_rows], [("size", "<u2"), ("channel", "<u2")])
        length[headed_rows], channel[headed_rows] = header["size"], header["channel"]
        whole = headed & (fragments.end - fragments.at == length + HEADER)
        pdus = Pdus(
            fragments.row, fragments.link, fragments.direction, channel, fragments.at + HEADER, length
        ).where(whole)
        if not self._open and len(pdus) == len(fragments):
            return pdus
        return _merged(pdus, self._one_by_one(fragments, whole, left_out))

    def finish(self, left_out: Counts) -> None:
        """Count what was never completed."""
        for unfinished in self._open.values():
            left_out.add(INCOMPLETE, len(unfinished.rows))
        self._open.clear()

    def _one_by_one(
        self, fragments: Fragments, whole: NDArray[np.bool_], left_out: Counts
    ) -> list[tuple[int, int, int, int, int, int]]:
        """Go through the fragments that are no whole PDU, and the whole ones that interrupt others."""
        done: list[tuple[int, int, int, int, int, int]] = []
        rows = _worth_a_look(fragments, whole)
        columns = (
            fragments.row[rows], fragments.link[rows], fragments.direction[rows], fragments.first[rows],
            fragments.at[rows], fragments.end[rows], fragments.wire_end[rows], whole[rows],
        )  # fmt: skip
        for row, link, direction, first, at, end, wire_end, is_whole in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            key = (link, direction)
            if first:
                interrupted = self._open.pop(key, None)
                if interrupted:
                    left_out.add(INCOMPLETE, len(interrupted.rows))
                if is_whole:
                    continue
                self._begin(key, at, end)
            elif key not in self._open:
                left_out.add(LOST_START, 1)
                continue
            current = self._open[key]
            current.rows.append(row)
            current.pieces.append((at, end - at))
            current.arrived += end - at
            current.cut |= end < wire_end
            pdu = self._complete(key, current, left_out)
            if pdu:
                done.append((row, link, direction, *pdu))
        return done

    def _begin(self, key: tuple[int, int], at: int, end: int) -> None:
        """Open a PDU; the length is known where the whole length field is in the first fragment [7.2.1]."""
        size = int.from_bytes(self.data[at : at + 2].tobytes(), "little") + HEADER if end - at >= 2 else 0
        self._open[key] = _Open(size)

    def _complete(
        self, key: tuple[int, int], current: _Open, left_out: Counts
    ) -> tuple[int, int, int] | None:
        """Close a PDU that is complete or cannot become so; return its channel, start and size."""
        if current.cut:
            left_out.add(CUT_SHORT, len(current.rows))
            del self._open[key]
            return None
        if not current.expected and current.arrived >= 2:
            current.expected = int.from_bytes(self._bytes(current)[:2], "little") + HEADER
        if not current.expected or current.arrived < current.expected:
            return None
        del self._open[key]
        content = self._bytes(current)
        if len(content) > current.expected:
            left_out.add("an L2CAP message with more bytes than it announces (left out: those)", 1)
        channel = int.from_bytes(content[2:4], "little")
        size = current.expected - HEADER
        if len(current.rows) == 1:
            return channel, current.pieces[0][0] + HEADER, size
        begin = len(self.joined)
        self.joined += content[HEADER : current.expected]
        self.rows_of[current.rows[-1]] = current.rows
        return channel, len(self.data) + begin, size

    def _bytes(self, current: _Open) -> bytes:
        return b"".join(self.data[at : at + size].tobytes() for at, size in current.pieces)


def _worth_a_look(fragments: Fragments, whole: NDArray[np.bool_]) -> Int64s:
    """Return the rows of fragments that are no whole PDU or come right after one, on the same way."""
    way = fragments.link.astype(np.int64) * 4 + fragments.direction + 1
    order = np.argsort(way, kind="stable")
    odd = ~whole[order]
    look = odd.copy()
    look[1:] |= odd[:-1]
    look[1:] |= np.diff(way[order]) != 0  # what the block before left open may end here
    look[:1] = True
    return np.sort(order[look])


def _merged(pdus: Pdus, more: list[tuple[int, int, int, int, int, int]]) -> Pdus:
    """Add PDUs found one by one, in the order of the file."""
    if not more:
        return pdus
    table = np.array(more, dtype=np.int64)
    row = np.concatenate((pdus.row, table[:, 0]))
    order = np.argsort(row, kind="stable")
    return Pdus(
        row[order],
        np.concatenate((pdus.link, table[:, 1].astype(np.int32)))[order],
        np.concatenate((pdus.direction, table[:, 2].astype(np.int8)))[order],
        np.concatenate((pdus.channel, table[:, 3].astype(np.uint16)))[order],
        np.concatenate((pdus.start, table[:, 4]))[order],
        np.concatenate((pdus.size, table[:, 5]))[order],
    )
