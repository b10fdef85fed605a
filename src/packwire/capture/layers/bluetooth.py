"""Bluetooth traffic from captured packets to ATT PDUs and RFCOMM chunks, block by block.

A block at a time keeps the columns in the processor's cache, and the memory small.
"""

from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.att import VALUES, AttReader, AttTable
from packwire.capture.layers.att_values import composed_values
from packwire.capture.layers.hci import HciLink, HciPackets, Links, acl_fragments, joined
from packwire.capture.layers.l2cap import Reassembly, in_file_order
from packwire.capture.layers.l2cap_channels import Channels
from packwire.capture.layers.le_link import LinkLayer
from packwire.capture.layers.link import Counts
from packwire.capture.layers.rfcomm import Chunks
from packwire.capture.links import HCI, Layer, numbers, reader
from packwire.capture.packets import Packets
from packwire.channel import THE_APP, UNKNOWN_HANDLE, Channel, Transport
from packwire.columns import distinct, offsets_of
from packwire.messages import Bytes, Int64s, Messages

_BLOCK = 1 << 15
#: More than any app uses; only a file made to use up memory has more, which are taken for one.
MAX_CHANNELS = 1 << 14


@dataclass(frozen=True, slots=True)
class Bluetooth:
    """What the Bluetooth packets of a recording hold.

    `joined` are the bytes that had to be put together, `rows_of` the packets' rows of such a value by the
    last of them; `counts` says how many packets of each kind there were, `left_out` what was lost and why.
    """

    att: AttTable
    links: tuple[HciLink, ...]
    names: dict[tuple[int, bool], dict[int, str]]
    data: Bytes
    joined: Bytes
    rows_of: dict[int, list[int]]
    chunks: Chunks
    opened_by: dict[int, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def read_bluetooth(packets: Packets) -> Bluetooth:
    """Find all Bluetooth traffic in a recording."""
    left_out, counts = Counts(), Counts()
    links, reassembly, att = Links(), Reassembly(packets.data), AttReader(packets.data, len(packets))
    channels = Channels(packets.data, reassembly.rows_of)
    sniffed, radio = LinkLayer(links), sorted(numbers(Layer.RADIO))
    on_air = not set(radio).isdisjoint(packets.link_types)
    for begin in range(0, len(packets), _BLOCK):
        found = _block(packets, begin, left_out)
        parts = []
        if found is not None:
            links.see_events(packets.data, found, left_out)
            parts.append(acl_fragments(packets.data, found, links, left_out))
            counts.add("HCI packets", len(found))
            counts.add("ACL data packets", len(parts[0]))
        if on_air:
            rows = np.arange(begin, min(begin + _BLOCK, len(packets)))
            rows = rows[np.isin(packets.link_type[rows], radio)]
            parts.append(sniffed.add(packets, rows, counts, left_out))
        if not parts:
            continue
        fragments = parts[0] if len(parts) == 1 else in_file_order(parts)
        pdus = reassembly.add(fragments, left_out)
        is_att = channels.add(pdus, reassembly.joined, counts, left_out)
        att.add(pdus.where(is_att), reassembly.joined)
    reassembly.finish(left_out)
    channels.finish(left_out)
    table, chunks = att.finish(packets.time), channels.rfcomm.chunks()
    return Bluetooth(
        att=table,
        links=tuple(links.links),
        names={
            (number, of_app): names
            for number in range(len(links.links))
            for of_app in (False, True)
            if (names := att.names(number, of_app))
        },
        data=packets.data,
        joined=np.frombuffer(bytes(reassembly.joined), dtype=np.uint8),
        rows_of=reassembly.rows_of,
        chunks=chunks,
        opened_by={link: channels.rfcomm.opened_by(link) for link in distinct(chunks.link)},
        left_out=left_out.by_reason,
        counts=counts.by_reason,
    )


def _block(packets: Packets, begin: int, left_out: Counts) -> HciPackets | None:
    """Return the HCI packets of one block of captured packets."""
    link_type = packets.link_type[begin : begin + _BLOCK]
    parts = []
    same = bool((link_type == link_type[0]).all())
    for number in [int(link_type[0])] if same else distinct(link_type):
        find = reader(number, *HCI)
        if find is not None:
            rows = np.arange(len(link_type)) if same else np.flatnonzero(link_type == number)
            parts.append(find(packets, rows + begin, left_out))
    return joined(parts) if parts else None


def att_messages(bluetooth: Bluetooth) -> Messages:
    """Return the values that were written, read, notified and indicated, each on its channel."""
    att = bluetooth.att
    wanted = _CODE[att.opcode] > 0
    if not wanted.all():
        att = AttTable(*(getattr(att, name)[wanted] for name in AttTable.__slots__))
    channel, channels = _channels(bluetooth, att)
    packets, offsets = _packet_numbers(bluetooth, att.row)
    return Messages(
        time=att.time,
        direction=att.direction,
        channel=channel,
        start=att.start,
        size=att.size,
        packets=packets,
        packet_offsets=offsets,
        channels=channels,
        data=bluetooth.data,
        joined=bluetooth.joined,
    )


def composed_messages(bluetooth: Bluetooth) -> Messages:
    """Return the values that came in an unusual form: long writes, several notifications in one PDU."""
    found = composed_values(bluetooth.att, bluetooth.data, bluetooth.joined)
    channel, channels = _channels(bluetooth, found.att)
    if found.left_out:
        bluetooth.left_out["a value of a PDU with several, there are so many"] = found.left_out
    packets, offsets = found.rows + 1, found.row_offsets
    if bluetooth.rows_of:
        lists = [bluetooth.rows_of.get(row, [row]) for row in found.rows.tolist()]
        ends = np.cumsum([0, *map(len, lists)], dtype=np.int64)
        packets = np.fromiter(chain.from_iterable(lists), dtype=np.int64, count=int(ends[-1])) + 1
        offsets = ends[offsets]
    return Messages(
        time=found.att.time,
        direction=found.att.direction,
        channel=channel,
        start=found.att.start,
        size=found.att.size,
        packets=packets,
        packet_offsets=offsets,
        channels=channels,
        data=bluetooth.data,
        joined=found.joined,
    )


_KINDS = tuple(dict.fromkeys(VALUES.values()))
#: Opcode -> 1 and up for the kinds of channels, 0 for none.
_CODE = np.zeros(256, dtype=np.int8)
for _opcode, _kind in VALUES.items():
    _CODE[_opcode] = _KINDS.index(_kind) + 1


def _channels(bluetooth: Bluetooth, att: AttTable) -> tuple[NDArray[np.int32], tuple[Channel, ...]]:
    """Give each connection, side, handle and kind a channel; return its number for each PDU, and all."""
    blocks = [slice(begin, begin + _BLOCK) for begin in range(0, len(att), _BLOCK)]
    found = [np.array(distinct(_codes(att, rows)), dtype=np.int64) for rows in blocks]
    codes = np.array(distinct(np.concatenate([np.zeros(0, dtype=np.int64), *found])), dtype=np.int64)
    named = _named(bluetooth, codes)
    channels = tuple(dict.fromkeys(named))
    index = {channel: place for place, channel in enumerate(channels)}
    places = np.array([index[channel] for channel in named], dtype=np.int32)
    number = np.empty(len(att), dtype=np.int32)
    for rows in blocks:
        number[rows] = places[np.searchsorted(codes, _codes(att, rows))]
    return number, channels


def _codes(att: AttTable, rows: slice) -> Int64s:
    """Return one number for connection, side, handle and kind of each PDU."""
    code = att.connection[rows].astype(np.int64)
    code *= 2
    code += att.of_app[rows]
    code <<= 17
    code += att.handle[rows]
    code += 1
    code *= 8
    code += _CODE[att.opcode[rows]]
    return code


def _named(bluetooth: Bluetooth, codes: Int64s) -> list[Channel]:
    """Return the channels; the device is named only where there are several."""
    channels = []
    where = _devices(bluetooth, sorted({code >> 21 for code in codes.tolist()}))
    borrowed = _borrowed(bluetooth)
    for code in codes[:MAX_CHANNELS].tolist():
        link, of_app = divmod(code >> 20, 2)
        handle = (code >> 3 & 0x1FFFF) - 1
        name = bluetooth.names.get((link, bool(of_app)), {}).get(handle)
        name = name or borrowed.get((bluetooth.links[link].peer, handle), "")
        handle = handle if handle >= 0 else UNKNOWN_HANDLE
        kind, owner = _KINDS[(code & 7) - 1], THE_APP if of_app else ""
        channels.append(Channel(Transport.ATT, handle, name, kind, owner, where[link]))
    others = Channel(Transport.ATT, owner=f"more than {MAX_CHANNELS} channels")
    return channels + [others] * (len(codes) - len(channels))


def _borrowed(bluetooth: Bluetooth) -> dict[tuple[str, int], str]:
    """Return names by peer and handle: another connection may have found them, phones discover only once."""
    names: dict[tuple[str, int], str] = {}
    for (number, of_app), found in bluetooth.names.items():
        if not of_app:
            peer = bluetooth.links[number].peer
            for handle, name in found.items():
                names.setdefault((peer, handle), name)
    return names


def _devices(bluetooth: Bluetooth, links: list[int]) -> dict[int, str]:
    """Return how each connection's device is called in channels: not at all where there is only one."""
    named = {number: bluetooth.links[number].peer for number in links}
    peers = {peer for peer in named.values() if peer}
    if len(peers) + ("" in named.values()) <= 1:
        return dict.fromkeys(links, "")
    return {
        number: peer or f"connection 0x{bluetooth.links[number].handle:04x}" for number, peer in named.items()
    }


def _packet_numbers(bluetooth: Bluetooth, row: Int64s) -> tuple[Int64s, Int64s]:
    """Return the packets of all messages and where those of each begin; nearly all have one."""
    number = row + 1
    count = len(number)
    if not bluetooth.rows_of:
        return number, np.arange(count + 1, dtype=np.int64)
    last = np.array(sorted(bluetooth.rows_of), dtype=np.int64)
    together = np.flatnonzero(np.isin(row, last))
    lists = [bluetooth.rows_of[each] for each in row[together].tolist()]
    counts = np.ones(count, dtype=np.int64)
    counts[together] = [len(rows) for rows in lists]
    offsets = offsets_of(counts)
    packets = np.repeat(number, counts)
    for index, rows in zip(together.tolist(), lists, strict=True):
        packets[offsets[index] : offsets[index + 1]] = np.array(rows) + 1
    return packets, offsets


def rfcomm_messages(bluetooth: Bluetooth, packets: Packets) -> Messages:
    """Return what was written to serial ports; the side that was connected to is the device."""
    chunks = bluetooth.chunks
    ports = distinct(chunks.port)
    number, offsets = _packet_numbers(bluetooth, chunks.row)
    opened_by = np.zeros(max(bluetooth.opened_by, default=-1) + 1, dtype=np.int64)
    for link, way in bluetooth.opened_by.items():
        opened_by[link] = way
    return Messages(
        time=packets.time[chunks.row],
        direction=(chunks.way * opened_by[chunks.link]).astype(np.int8),
        channel=np.searchsorted(ports, chunks.port).astype(np.int32),
        start=chunks.start,
        size=chunks.size,
        packets=number,
        packet_offsets=offsets,
        channels=tuple(Channel(Transport.RFCOMM, port) for port in ports),
        data=bluetooth.data,
        joined=bluetooth.joined,
    )
