"""What the packet writers share: packets as rows that any format can hold, and what cannot be held."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import batched
from typing import NamedTuple

import numpy as np

from packwire.capture.packets import (
    APPLICATION,
    HCI_COMMAND,
    HCI_ISO,
    HCI_NOTE,
    LINKTYPE_HCI_H4,
    NO_TIME,
    PacketDirection,
    Packets,
)
from packwire.errors import BadOptionError
from packwire.messages import Int64s

#: LINKTYPE_ numbers [https://www.tcpdump.org/linktypes.html] that hold a packet's direction themselves.
H4_WITH_DIRECTION = 201

#: An original length has 32 bits in every format; a file may claim it all, and a prefix comes on top.
LARGEST = 0xFFFF_FFFF
#: So many records are joined before they are written.
_BLOCK = 4096


class Record(NamedTuple):
    """One packet to be written; `prefix` comes before `payload`."""

    time: int
    interface: int
    direction: PacketDirection
    prefix: bytes
    payload: memoryview
    original: int


@dataclass(frozen=True, slots=True)
class Records:
    """Packets with LINKTYPE_ numbers only: an HCI packet without its indicator gets it as a prefix.

    `notes` say what was left out.
    """

    packets: Packets
    indicator: Int64s
    time: Int64s
    notes: tuple[str, ...]

    def __iter__(self) -> Iterator[Record]:
        packets = self.packets
        view = memoryview(np.ascontiguousarray(packets.data))
        prefixes = [bytes((value,)) if value else b"" for value in range(6)]
        columns = zip(
            self.time.tolist(),
            packets.interface.tolist(),
            packets.direction.tolist(),
            self.indicator.tolist(),
            packets.start.tolist(),
            packets.size.tolist(),
            np.maximum(packets.original, packets.size).tolist(),
            strict=True,
        )
        for time, interface, direction, indicator, start, size, original in columns:
            prefix = prefixes[indicator]
            payload = view[start : start + size]
            on_wire = min(original + len(prefix), LARGEST)
            yield Record(time, interface, direction, prefix, payload, on_wire)

    def only_link_type(self, name: str) -> int:
        """Return the one link type of all packets; raise BadOptionError where there are several."""
        kinds = np.unique(self.packets.link_type).tolist()
        if len(kinds) > 1:
            raise BadOptionError(
                f"{name} holds one link type, this recording has {len(kinds)}"
                f" ({', '.join(map(str, kinds))}): write pcapng"
            )
        return int(kinds[0]) if kinds else LINKTYPE_HCI_H4


def records(packets: Packets, name: str, *, before_1970: bool = False) -> Records:
    """Make packets ready for a format; raise BadOptionError where the recording has none.

    `before_1970` says that the format holds such times. What has no time that can be written gets that of the
    packet before it.

    A text log holds messages, and nothing says what was around them.
    """
    if (packets.link_type == APPLICATION).any():
        raise BadOptionError(
            f"{name} holds packets, and {packets.format} has none, only the messages themselves:"
            " write csv or parquet"
        )
    bare = (packets.link_type <= HCI_COMMAND) & (packets.link_type >= HCI_ISO)
    kept = bare | (packets.link_type >= 0)
    notes: tuple[str, ...] = ()
    if not kept.all():
        own = int(np.count_nonzero(packets.link_type == HCI_NOTE))
        unknown = int(np.count_nonzero(~kept)) - own
        notes += tuple(
            f"{count} packets left out ({what}): packet numbers differ from those of the original"
            for count, what in ((own, "the recorder's own notes"), (unknown, "of no known link type"))
            if count
        )
        packets = _rows(packets, kept)
        bare = bare[kept]
    indicator = np.where(bare, -10 - packets.link_type, 0).astype(np.int64)
    packets = replace(packets, link_type=np.where(bare, LINKTYPE_HCI_H4, packets.link_type).astype(np.int32))
    time, said = _times(packets.time, before_1970=before_1970)
    return Records(packets, indicator, time, notes + said)


def _times(time: Int64s, *, before_1970: bool) -> tuple[Int64s, tuple[str, ...]]:
    """Return times that can be written, and what had to be changed."""
    unknown = time == NO_TIME
    early = np.zeros_like(unknown) if before_1970 else ~unknown & (time < 0)
    notes: tuple[str, ...] = ()
    if len(time) and early.all():
        return time - time.min(), ("all times are before 1970: written as if it began on 1970-01-01",)
    for what, bad in (("no time", unknown), ("a time before 1970", early)):
        if bad.any():
            packet = int(np.flatnonzero(bad)[0]) + 1
            count = int(np.count_nonzero(bad))
            which = f"{count} packets have" if count > 1 else f"packet {packet} has"
            how = "with the time of the packet before" if not (unknown | early).all() else "as 1970-01-01"
            notes += (f"{which} {what}: written {how}",)
    bad = unknown | early
    if not bad.any() or bad.all():
        return np.where(bad, 0, time), notes
    places = np.maximum.accumulate(np.where(bad, -1, np.arange(len(time))))
    return time[np.where(places < 0, int(np.argmin(bad)), places)], notes


def _rows(packets: Packets, kept: np.ndarray) -> Packets:
    columns = ("time", "start", "size", "original", "link_type", "interface", "direction")
    return replace(packets, **{column: getattr(packets, column)[kept] for column in columns})


def blocks(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Join many small pieces to fewer large ones."""
    for some in batched(parts, _BLOCK):
        yield b"".join(some)
