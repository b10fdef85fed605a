"""UDP [RFC 768]: the datagrams of each two endpoints, as the streams that they make up both ways.

Datagrams are taken in the order in which they were recorded; of one that was lost nothing is known. As on
TCP, two endpoints are taken where most of what one of them says lies in right frames of a framing that is
known: a serial line behind a bridge, a device that answers datagrams.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from packwire.capture.layers.ip import UDP, open_ip
from packwire.capture.layers.link import Counts, locate_ip
from packwire.capture.layers.streams import FREE_SEARCHES, device_side
from packwire.capture.layers.tcp import number_endpoints
from packwire.capture.layers.tcp_stream import Stream
from packwire.capture.packets import Packets
from packwire.channel import Channel, Transport
from packwire.columns import gather

_HEADER = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """The datagrams between two endpoints; `ends[0]` sent the first."""

    ends: tuple[str, str]
    streams: tuple[Stream, Stream]

    @property
    def channel(self) -> Channel:
        """Return its channel, `udp 192.0.2.7:65102 <-> 192.0.2.9:51392`: the end that spoke first last."""
        return Channel(Transport.UDP, address=f"{self.ends[1]} <-> {self.ends[0]}")


def known_flows(packets: Packets, left_out: Counts) -> Iterator[tuple[Flow, int]]:
    """Yield the flows with frames of a known framing, and which end (0 or 1) is the device.

    The datagrams of all others are counted.
    """
    for number, flow in enumerate(_flows(packets)):
        device = device_side(flow.streams) if number < FREE_SEARCHES else None
        if device is None:
            count = sum(len(stream.size) for stream in flow.streams)
            left_out.add("UDP datagrams without frames of a framing that is known here", count)
        else:
            yield flow, device


def _flows(packets: Packets) -> Iterator[Flow]:
    carried = open_ip(packets.data, locate_ip(packets, Counts()), Counts())
    found = carried.located
    carried = carried.where((carried.protocol == UDP) & (found.end - found.at > _HEADER))
    found = carried.located
    if not len(found):
        return
    ports = [gather(packets.data, found.at + offset, ">u2").astype(np.int64) for offset in (0, 2)]
    source, destination, endpoints = number_endpoints(carried, *ports)
    length = gather(packets.data, found.at + 4, ">u2").astype(np.int64)
    end = np.where(length > _HEADER, np.minimum(found.end, found.at + length), found.end)
    low, high = np.minimum(source, destination), np.maximum(source, destination)
    order = np.lexsort((high, low))
    borders = np.flatnonzero((np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)) + 1
    flows = np.split(order, borders)
    for rows in sorted(flows, key=lambda each: int(each[0])):
        first, other = int(source[rows[0]]), int(destination[rows[0]])
        streams = []
        for own in (rows[source[rows] == first], rows[source[rows] != first]):
            start = found.at[own] + _HEADER
            size = end[own] - start
            streams.append(
                Stream(
                    data=packets.data,
                    position=np.cumsum(size) - size,
                    size=size,
                    start=start,
                    number=found.row[own] + 1,
                    time=packets.time[found.row[own]],
                )
            )
        yield Flow((endpoints.text(first), endpoints.text(other)), (streams[0], streams[1]))
