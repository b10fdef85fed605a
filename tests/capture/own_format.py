"""A capture format and a link type of a test's own: what it takes to add one."""

from dataclasses import replace

import numpy as np

from packwire.capture.layers.link import Counts, Located
from packwire.capture.links import Layer, LinkType
from packwire.capture.packets import Packets
from packwire.messages import Bytes

NAME = "tape"
_MAGIC = b"TAPE"
_HEADER = 3

#: IP packets behind three bytes.
LINK = LinkType(9_000, "a tape's link", Layer.IP, _HEADER, f"{__name__}:find")


def matches(head: bytes) -> bool:
    """Tell whether a file is a tape."""
    return head.startswith(_MAGIC)


def read(data: Bytes) -> Packets:
    """Find the packets: each behind two bytes that count it."""
    content, at = data.tobytes(), len(_MAGIC)
    start = []
    while at < len(content):
        start.append(at + 2)
        at += 2 + int.from_bytes(content[at : at + 2])
    begin = np.array(start, dtype=np.int64)
    size = np.array([int.from_bytes(content[each - 2 : each]) for each in start], dtype=np.int64)
    count = len(start)
    return Packets(
        format=NAME,
        time=np.arange(count, dtype=np.int64) * 1_000_000_000,
        start=begin,
        size=size,
        original=size,
        link_type=np.full(count, LINK.number, dtype=np.int32),
        interface=np.zeros(count, dtype=np.int32),
        direction=np.zeros(count, dtype=np.int8),
        data=data,
    )


def find(data: Bytes, frames: Located, left_out: Counts) -> Located:
    """Find the IP packets behind the link's header."""
    return replace(frames.holding(_HEADER, "cut off before the IP header", left_out).moved(_HEADER))
