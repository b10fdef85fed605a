"""The table of captured packets: where each lies in the file, when it was seen, and on what kind of link.

One row a packet, one numpy column a property; the bytes stay where they lie in the (memory-mapped) file.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from packwire import clock
from packwire.columns import distinct
from packwire.messages import Bytes, Int8s, Int32s, Int64s

#: In `Packets.time`: the file does not say when (a Simple Packet Block).
NO_TIME = clock.NO_TIME

#: In `Packets.link_type`: the packet names an interface that the file does not describe.
UNKNOWN_LINK = -1

#: In `Packets.link_type`: application messages that a text log holds ready, with no link below them. The
#: channel is the text of the packet's interface (`att ff01 notify`, `uart`); `direction` is SENT towards the
#: device and RECEIVED from it.
APPLICATION = -2

#: In `Packets.link_type`: HCI packets whose file keeps their kind outside the packet, so that they begin with
#: no packet indicator. Each is -10 less the indicator that HCI UART puts in front [Core Vol 4 Part A 2]:
#: `-10 - link_type` is 1 for a command, 2 ACL data, 3 SCO data, 4 an event, 5 ISO data.
HCI_COMMAND, HCI_ACL, HCI_SCO, HCI_EVENT, HCI_ISO = -11, -12, -13, -14, -15

#: In `Packets.link_type`: what a Bluetooth recorder noted itself (controllers, log texts): no HCI traffic.
HCI_NOTE = -20

#: How many bytes of a file tell its format.
HEAD = 16 << 10

#: LINKTYPE_ numbers that readers assign themselves.
LINKTYPE_HCI_H4, LINKTYPE_CAN_SOCKETCAN = 187, 227


class PacketDirection(IntEnum):
    """Which way a packet went, seen from the machine that recorded it."""

    RECEIVED = -1
    UNKNOWN = 0
    SENT = 1


@dataclass(frozen=True, slots=True)
class Packets:
    """Captured packets; row `i` of each column belongs to the packet that Wireshark numbers `i + 1`.

    time       int64, nanoseconds since the epoch, or NO_TIME
    start      int64, where the packet's first byte lies in `data`
    size       int64, how many of its bytes are there, without a frame check sequence
    original   int64, how many it had on the wire (at least `size`), without a frame check sequence
    link_type  int32, LINKTYPE_ number [https://www.tcpdump.org/linktypes.html], or a negative one above
    interface  int32, index into `interfaces`
    direction  int8, see `PacketDirection`

    `damage` has one line for each thing that is wrong with the file: what, at which offset, what was kept.
    `notes` has one line for each thing that is no damage, but that a reader should know: lines of a text that
    hold no bytes, times that are not understood, another recording that begins in the same file.
    """

    format: str
    time: Int64s
    start: Int64s
    size: Int64s
    original: Int64s
    link_type: Int32s
    interface: Int32s
    direction: Int8s
    data: Bytes
    interfaces: tuple[str, ...] = ("",)
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.time)

    @property
    def link_types(self) -> list[int]:
        """Return the link types that there are, in order."""
        return distinct(self.link_type)

    def packet(self, row: int) -> bytes:
        """Return the captured bytes of one packet."""
        start = int(self.start[row])
        return self.data[start : start + int(self.size[row])].tobytes()


def without_fcs(size: Int64s, original: Int64s, fcs: Int64s | int) -> tuple[Int64s, Int64s]:
    """Take a frame check sequence of `fcs` bytes off the captured and the original size.

    A packet that was cut short when it was captured has already lost it.
    """
    original = np.maximum(original, size)
    on_wire = np.maximum(original - fcs, 0)
    return np.minimum(size, on_wire), on_wire
