"""Messages that a text log holds ready, with no link below them: the packet is the message."""

import numpy as np

from packwire.capture.packets import APPLICATION, Packets
from packwire.channel import Channel
from packwire.messages import Messages


def ready_messages(packets: Packets) -> Messages:
    """Return the packets of link type APPLICATION as messages; the interface's text names the channel."""
    rows = np.flatnonzero(packets.link_type == APPLICATION)
    return Messages(
        time=packets.time[rows],
        direction=packets.direction[rows],
        channel=packets.interface[rows],
        start=packets.start[rows],
        size=packets.size[rows],
        packets=rows + 1,
        packet_offsets=np.arange(len(rows) + 1, dtype=np.int64),
        channels=tuple(map(Channel.parse, packets.interfaces)) if len(rows) else (),
        data=packets.data,
        joined=np.zeros(0, dtype=np.uint8),
    )
