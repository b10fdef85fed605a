"""The pcapng format: sections of either byte order, any number of interfaces, three kinds of packet blocks.

Facts from draft-ietf-opsawg-pcapng: section 3.1 blocks, 3.5 options, 4.1 section header, 4.2 interface
description, 4.3 enhanced packets, 4.4 simple packets, appendix A the obsolete packet block. Blocks of any
other kind are stepped over.
"""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import NO_TIME, UNKNOWN_LINK, PacketDirection, Packets, without_fcs
from packwire.columns import gather
from packwire.errors import BadFileError
from packwire.messages import Bytes, Int8s, Int64s

NAME = "pcapng"

SECTION, INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_IF_NAME, _IF_TSRESOL, _IF_FCSLEN, _IF_TSOFFSET, _PACKET_FLAGS = 2, 9, 13, 14, 2

#: Where the captured bytes begin in each kind of block, and the least size of the whole block.
_DATA_AT = {_PACKET: 28, _OLD_PACKET: 28, _SIMPLE_PACKET: 12}
_LEAST = {SECTION: 28, INTERFACE: 20, _PACKET: 32, _OLD_PACKET: 32, _SIMPLE_PACKET: 16}

#: More sections or interfaces than any recording has: only a file made to use up memory does.
MAX_DESCRIPTIONS = 65_536
#: How many options of one packet are looked at for its flags.
_MAX_OPTIONS = 32

_NANOSECONDS = 1_000_000_000
_LAST_SECOND = np.iinfo(np.int64).max // _NANOSECONDS - 1


class _Interface(NamedTuple):
    link_type: int
    snap_length: int = 0
    name: str = ""
    resolution: int = 6
    """if_tsresol: a power of ten, or with the highest bit set a power of two."""
    offset: int = 0
    """if_tsoffset: seconds to add to every time stamp."""
    fcs: int = 0


@dataclass(slots=True)
class _Found:
    """What the walk over the blocks collected; packets and sections by number, in the order of the file."""

    offset: "array[int]" = field(default_factory=lambda: array("q"))
    kind: "array[int]" = field(default_factory=lambda: array("b"))
    section_start: list[int] = field(default_factory=list)
    section_order: list[str] = field(default_factory=list)
    first_interface: list[int] = field(default_factory=list)
    interfaces: list[_Interface] = field(default_factory=list)
    damage: str = ""


def matches(head: bytes) -> bool:
    """Tell whether a file begins with a section header block."""
    return head[:4] == b"\n\r\r\n"


def read(data: Bytes) -> Packets:
    """Find the packets. Raises BadFileError where not even one can be read though there are bytes for it."""
    found = _walk(memoryview(data))
    packets, torn = _decode(data, found)
    end = f"the two lengths of the block at offset {torn} differ" if torn is not None else found.damage
    packets = replace(packets, notes=_sections(packets, found))
    if not end:
        return packets
    if not len(packets):
        raise BadFileError(f"{end}: no packet can be read, record or copy the file again")
    line = f"{end}: packets 1 to {len(packets)} are kept, what follows is lost"
    return replace(packets, damage=(*packets.damage, line))


def _sections(packets: Packets, found: _Found) -> tuple[str, ...]:
    """Say where another recording begins: each section is one, and tools write them one behind the other."""
    return tuple(
        f"another recording begins at offset {at}, behind packet {int(np.searchsorted(packets.start, at))}"
        for at in found.section_start[1:_SAID]
    )


def section_order(data: bytes | bytearray, at: int) -> str:
    """Return the byte order of a section header that begins here, or nothing where none does."""
    return _ORDERS.get(bytes(data[at + 8 : at + 12]), "") if data[at : at + 4] == b"\n\r\r\n" else ""


def _walk(view: memoryview) -> _Found:
    """Step from block to block; note packets, read what describes sections and interfaces."""
    found = _Found()
    add_packet, add_kind = found.offset.append, found.kind.append
    block = struct.Struct("<II").unpack_from
    at, end = 0, len(view)
    while at <= end - 12:
        kind, length = block(view, at)
        if kind == SECTION:
            order = _ORDERS.get(view[at + 8 : at + 12].tobytes(), "")
            if not order:
                found.damage = f"the section header at offset {at} has no byte-order mark"
                return found
            block = struct.Struct(order + "II").unpack_from
            kind, length = block(view, at)
        if length < _LEAST.get(kind, 12) or length > end - at:
            found.damage = (
                f"the block at offset {at} claims {length} bytes, the file has {end - at} from there"
            )
            return found
        if kind in _DATA_AT:
            add_packet(at)
            add_kind(kind)
        elif kind in (SECTION, INTERFACE) and not _describe(found, view, at, length):
            return found
        at += length + (-length & 3)
    if at < end:
        found.damage = f"the file ends inside a block at offset {at}"
    return found


def _describe(found: _Found, view: memoryview, at: int, length: int) -> bool:
    """Take in a section header or an interface description; False (and `damage`) where it is no use."""
    if view[at : at + 4].tobytes() == b"\n\r\r\n":
        order = _ORDERS[view[at + 8 : at + 12].tobytes()]
        found.section_start.append(at)
        found.section_order.append(order)
        found.first_interface.append(len(found.interfaces))
    else:
        order = found.section_order[-1]
        found.interfaces.append(_interface(view, at, length, order))
    (again,) = struct.unpack_from(order + "I", view, at + length - 4)
    if again != length:
        found.damage = f"the two lengths of the block at offset {at} differ"
    elif max(len(found.interfaces), len(found.section_start)) > MAX_DESCRIPTIONS:
        found.damage = f"more than {MAX_DESCRIPTIONS} sections or interfaces, the last at offset {at}"
    return not found.damage


def _interface(view: memoryview, at: int, length: int, order: str) -> _Interface:
    link_type, _, snap_length = struct.unpack_from(order + "HHI", view, at + 8)
    result = _Interface(link_type, snap_length)
    for code, value in _options(view, at + 16, at + length - 4, order):
        if code == _IF_NAME:
            result = result._replace(name=value.rstrip(b"\0").decode("utf-8", "backslashreplace"))
        elif code == _IF_TSRESOL and len(value) == 1:
            result = result._replace(resolution=value[0])
        elif code == _IF_FCSLEN and len(value) == 1:
            # The draft counts in bits, its example and its readers in bytes.
            result = result._replace(fcs=value[0] // 8 if value[0] > 8 else value[0])
        elif code == _IF_TSOFFSET and len(value) == 8:
            result = result._replace(offset=struct.unpack(order + "q", value)[0])
    return result


def _options(view: memoryview, at: int, end: int, order: str) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= end:
        code, length = struct.unpack_from(order + "HH", view, at)
        at += 4
        if code == 0 or at + length > end:
            return
        yield code, view[at : at + length].tobytes()
        at += length + (-length & 3)


_BLOCK = np.dtype(
    [
        ("length", np.int64),
        ("interface", np.int64),
        ("ticks", np.uint64),
        ("captured", np.int64),
        ("original", np.int64),
        ("flags", np.uint32),
    ]
)


def _decode(data: Bytes, found: _Found) -> tuple[Packets, int | None]:
    """Turn the packet blocks into columns; also return the offset of the first whose two lengths differ.

    That is done for some blocks at a time, so that memory stays small.
    """
    offset = np.frombuffer(found.offset, dtype=np.int64) if found.offset else np.zeros(0, dtype=np.int64)
    kind = np.frombuffer(found.kind, dtype=np.int8) if found.kind else np.zeros(0, dtype=np.int8)
    starts = np.array(found.section_start, dtype=np.int64)
    big = np.array([order == ">" for order in found.section_order], dtype=np.bool_)
    parts: list[Packets] = []
    wrong: list[_Wrong] = []
    for begin in range(0, max(len(offset), 1), _SLICE):
        at, kinds = offset[begin : begin + _SLICE], kind[begin : begin + _SLICE]
        section = np.searchsorted(starts, at, side="right") - 1
        block = np.zeros(len(at), dtype=_BLOCK)
        torn = len(at)
        for order, of_order in (("<", ~big[section]), (">", big[section])):
            torn = min(torn, _read_blocks(data, at, kinds, np.flatnonzero(of_order), order, block))
        part, of_part = _packets(data, found, at[:torn], kinds[:torn], section[:torn], block[:torn])
        parts.append(part)
        wrong += [each._replace(row=each.row + begin) for each in of_part]
        if torn < len(at):
            return _joined(parts, wrong), int(at[torn])
    return _joined(parts, wrong), None


#: So many blocks at a time are decoded.
_SLICE = 1 << 16

#: Of further sections so many are said.
_SAID = 4

_COLUMNS = ("time", "start", "size", "original", "link_type", "interface", "direction")


class _Wrong(NamedTuple):
    """Packets with something wrong: what, what was kept, the row and offset of the first, how many."""

    what: str
    kept: str
    row: int
    offset: int
    number: int


def _joined(parts: list[Packets], wrong: list[_Wrong]) -> Packets:
    """Make one table of several, and one line of each thing that is wrong."""
    first: dict[str, _Wrong] = {}
    for each in wrong:
        before = first.get(each.what)
        first[each.what] = before._replace(number=before.number + each.number) if before else each
    damage = [
        f"packet {each.row + 1} at offset {each.offset}"
        f"{f', and {each.number - 1} others' if each.number > 1 else ''} {each.what}: kept, {each.kept}"
        for each in first.values()
    ]
    if len(parts) == 1:
        return replace(parts[0], damage=tuple(damage))
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
    }
    return replace(parts[0], **columns, damage=tuple(damage))


def _read_blocks(
    data: Bytes, offset: Int64s, kind: Int8s, rows: Int64s, order: str, block: NDArray[Any]
) -> int:
    """Read the fixed fields of the blocks of one byte order; return the first row whose lengths differ."""
    number = order + "u4"
    length = gather(data, offset[rows] + 4, number).astype(np.int64)
    again = gather(data, offset[rows] + length - 4, number)
    differ = rows[length != again]
    block["length"][rows] = length
    simple = kind[rows] == _SIMPLE_PACKET
    block["original"][rows[simple]] = gather(data, offset[rows[simple]] + 8, number)
    rows = rows[~simple]
    names = ("interface", "high", "low", "captured", "original")
    fixed = gather(data, offset[rows] + 8, [(name, number) for name in names])
    block["interface"][rows] = fixed["interface"]
    block["ticks"][rows] = fixed["high"].astype(np.uint64) << np.uint64(32) | fixed["low"].astype(np.uint64)
    block["captured"][rows] = fixed["captured"]
    block["original"][rows] = fixed["original"]
    old = rows[kind[rows] == _OLD_PACKET]
    block["interface"][old] = gather(data, offset[old] + 8, order + "u2")
    _read_flags(data, offset[rows], rows, order, block)
    return int(differ[0]) if len(differ) else len(block)


def _read_flags(data: Bytes, offset: Int64s, rows: Int64s, order: str, block: NDArray[Any]) -> None:
    """Look through the options behind the captured bytes for the flags word; most packets have no options."""
    captured = block["captured"][rows]
    at = offset + 28 + captured + (-captured & 3)
    end = offset + block["length"][rows] - 4
    for _ in range(_MAX_OPTIONS):
        room = at + 4 <= end
        at, end, rows = at[room], end[room], rows[room]
        if not len(at):
            return
        option = gather(data, at, [("code", order + "u2"), ("length", order + "u2")])
        length = option["length"].astype(np.int64)
        flagged = (option["code"] == _PACKET_FLAGS) & (length == 4) & (at + 8 <= end)
        block["flags"][rows[flagged]] = gather(data, at[flagged] + 4, order + "u4")
        more = (option["code"] != 0) & ~flagged
        at, end, rows = (at + 4 + length + (-length & 3))[more], end[more], rows[more]


def _packets(
    data: Bytes, found: _Found, offset: Int64s, kind: Int8s, section: Int64s, block: NDArray[Any]
) -> tuple[Packets, list[_Wrong]]:
    interfaces = [*found.interfaces, _Interface(UNKNOWN_LINK)]
    first = np.array([*found.first_interface, len(found.interfaces)], dtype=np.int64)
    interface = first[section] + block["interface"]
    unknown = interface >= first[section + 1]
    interface[unknown] = len(found.interfaces)

    simple = kind == _SIMPLE_PACKET
    snap = np.array([each.snap_length or 1 << 32 for each in interfaces], dtype=np.int64)[interface]
    captured = np.where(simple, np.minimum(block["original"], snap), block["captured"])
    start = offset + np.array([_DATA_AT.get(number, 0) for number in range(7)])[kind]
    room = offset + block["length"] - 4 - start
    wrong = [
        *_first_of(unknown, offset, "names an interface that the file does not describe", "of unknown kind"),
        *_first_of(captured > room, offset, "claims more bytes than its block holds", "cut to the block"),
    ]
    flags = block["flags"]
    fcs = np.array([each.fcs for each in interfaces], dtype=np.int64)[interface]
    said = (flags >> np.uint32(5) & np.uint32(15)).astype(np.int64)
    size, original = without_fcs(np.minimum(captured, room), block["original"], np.where(said > 0, said, fcs))
    packets = Packets(
        format=NAME,
        time=np.where(simple, NO_TIME, _times(block["ticks"], interface, interfaces)),
        start=start,
        size=size,
        original=original,
        link_type=np.array([each.link_type for each in interfaces], dtype=np.int32)[interface],
        interface=interface.astype(np.int32),
        direction=_DIRECTIONS[flags & np.uint32(3)],
        data=data,
        interfaces=tuple(each.name for each in interfaces),
    )
    return packets, wrong


#: By bits 0 and 1 of the flags word: not said, inbound, outbound [section 4.3.1].
_DIRECTIONS = np.array([0, PacketDirection.RECEIVED, PacketDirection.SENT, 0], dtype=np.int8)


def _first_of(bad: NDArray[np.bool_], offset: Int64s, what: str, kept: str) -> Iterator[_Wrong]:
    rows = np.flatnonzero(bad)
    if len(rows):
        yield _Wrong(what, kept, int(rows[0]), int(offset[rows[0]]), len(rows))


def _times(ticks: NDArray[np.uint64], interface: Int64s, interfaces: list[_Interface]) -> Int64s:
    """Turn time stamps into nanoseconds since the epoch; absurd ones end up at the edge of the range."""
    offset = np.array([each.offset for each in interfaces], dtype=np.int64)[interface]
    resolution = np.array([each.resolution for each in interfaces], dtype=np.int64)[interface]
    seconds = np.zeros(len(ticks), dtype=np.int64)
    fraction = np.zeros(len(ticks), dtype=np.int64)
    for unit in np.unique(resolution):
        rows = np.flatnonzero(resolution == unit)
        whole, part = _split(ticks[rows], int(unit))
        seconds[rows] = np.minimum(whole, np.uint64(_LAST_SECOND)).astype(np.int64)
        fraction[rows] = part.astype(np.int64)
    seconds += np.clip(offset, -_LAST_SECOND, _LAST_SECOND)
    return np.clip(seconds, -_LAST_SECOND, _LAST_SECOND) * _NANOSECONDS + fraction


def _split(ticks: NDArray[np.uint64], resolution: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Split time stamps into whole seconds and nanoseconds; see if_tsresol, section 4.2."""
    none = np.zeros(len(ticks), dtype=np.uint64)
    power = resolution & 0x7F
    if resolution & 0x80:
        whole = ticks >> np.uint64(power) if power < 64 else none
        rest = ticks & np.uint64((1 << power) - 1) if power < 64 else ticks
        # 34 bits of fraction times 10^9 just fit 64 bits; what lies below is a sixteenth of a nanosecond.
        spare = max(power - 34, 0)
        rest = rest >> np.uint64(spare) if spare < 64 else none
        return whole, rest * np.uint64(_NANOSECONDS) >> np.uint64(power - spare)
    if power <= 9:
        unit = np.uint64(10**power)
        return ticks // unit, ticks % unit * np.uint64(10 ** (9 - power))
    if power < 20:
        unit = np.uint64(10**power)
        return ticks // unit, ticks % unit // np.uint64(10 ** (power - 9))
    # 2^64 such ticks last less than one second.
    return none, ticks // np.uint64(10 ** (power - 9)) if power < 29 else none
