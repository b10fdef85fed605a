"""All that a recording has of a CAN bus: frames, and the longer messages that they make up."""

from dataclasses import dataclass, field

import numpy as np

from packwire.capture.layers.can import can_messages, find_can
from packwire.capture.layers.can_transport import Transported, transported_messages
from packwire.capture.layers.isotp import find_isotp
from packwire.capture.layers.link import Counts
from packwire.capture.layers.vesc_can import find_vesc_payloads, vesc_names
from packwire.capture.packets import Packets
from packwire.messages import Messages


@dataclass(frozen=True, slots=True)
class CanBus:
    """The frames as they came, and the messages that several of them make up.

    `used` are the rows of `raw` that are part of such a message.
    """

    raw: Messages
    longer: Messages
    used: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    left_out: dict[str, int] = field(default_factory=dict)


def read_can(packets: Packets) -> CanBus:
    """Find all CAN traffic in a recording."""
    left_out = Counts()
    frames = find_can(packets, left_out)
    names = vesc_names(frames)
    raw = can_messages(packets, frames, names)
    found: list[Transported] = find_vesc_payloads(frames, left_out) if names else []
    # Another protocol may be on the bus beside VESC's: its identifiers are others.
    others = ~(frames.extended & np.isin(frames.id, list(names)))
    found += find_isotp(frames, others, left_out)
    used = np.zeros(len(frames), dtype=np.bool_)
    used[[frame for each in found for frame in each.frames]] = True
    longer = transported_messages(found, frames.row, packets.time[frames.row], packets.data)
    return CanBus(raw, longer, used, left_out.by_reason)
