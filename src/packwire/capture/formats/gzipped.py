"""Captures packed with gzip, unpacked into memory within bounds [RFC 1952].

A few kilobytes of gzip can unpack to gigabytes; nothing here believes that a file is as large as it says.
"""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np

from packwire.capture.packets import Packets
from packwire.capture.text.lines import is_text
from packwire.errors import BadFileError
from packwire.messages import Bytes

#: No unpacked capture may be larger than this.
MAX_EXPANDED = 2 << 30
#: Past so many bytes, one byte of file may give so many. A capture of small packets takes several times its
#: own size in memory, a text takes little but its lines: with these bounds, a small file stays below 200 MB,
#: whatever is in it.
FREE_EXPANDED, MAX_RATIO = 20 << 20, 10
FREE_TEXT, MAX_TEXT_RATIO = 64 << 20, 30
#: So many packets may come out of a packed file, and beyond that one for so many bytes of it.
FREE_PACKETS, BYTES_A_PACKET = 350_000, 8

_CHUNK = 1 << 20
_STEP = 16
_HEAD = 1 << 12
_GZIP = 16 + zlib.MAX_WBITS


def matches(head: bytes) -> bool:
    """Tell whether a file begins as gzip does."""
    return head.startswith(b"\x1f\x8b\x08")


def expand(data: Bytes) -> tuple[Bytes, tuple[str, ...]]:
    """Unpack all members of a gzip file; return the bytes and what was wrong with it.

    What is more than the bounds allow is left out, and said. Raises BadFileError where nothing comes out.
    """
    view = memoryview(data)
    result = bytearray()
    limit = most(len(view), _beginning(view))
    at, damage = 0, ""
    while at < len(view) and not damage and matches(view[at : at + 3].tobytes()):
        used, damage = _expand_member(view, at, result, limit)
        at += used
    if len(result) > limit:
        del result[limit:]
        return np.frombuffer(result, np.uint8), (left_out("it", limit),)
    if damage and not result:
        raise BadFileError(f"{damage}: nothing could be unpacked, copy or download the file again")
    if damage:
        return np.frombuffer(result, np.uint8), (f"{damage}: the {len(result)} bytes before it are kept",)
    return np.frombuffer(result, np.uint8), ()


def bounded(packets: Packets, size: int) -> Packets:
    """Return as many packets as a packed file of `size` bytes may hold; say so where that is not all."""
    limit = max(FREE_PACKETS, size // BYTES_A_PACKET)
    if len(packets) <= limit:
        return packets
    columns: dict[str, Any] = {name: getattr(packets, name)[:limit].copy() for name in _COLUMNS}
    line = (
        f"more than {limit} packets in a packed file: packets 1 to {limit} are kept, what follows is left"
        " out; unpack it yourself and give the result to have all"
    )
    kept = tuple(each for each in packets.damage if not each.endswith(_TORN_END))
    return replace(packets, **columns, damage=(*kept, line))


_COLUMNS = ("time", "start", "size", "original", "link_type", "interface", "direction")
#: How readers say that a file is damaged behind the last packet.
_TORN_END = "what follows is lost"


def most(size: int, head: bytes) -> int:
    """Return how many bytes may come out of a packed file of this size, whose content begins with `head`."""
    free, ratio = (FREE_TEXT, MAX_TEXT_RATIO) if is_text(head) else (FREE_EXPANDED, MAX_RATIO)
    return min(MAX_EXPANDED, max(free, ratio * size))


def _beginning(view: memoryview) -> bytes:
    """Return how the unpacked content begins, as far as that can be told."""
    try:
        return zlib.decompressobj(_GZIP).decompress(view[:_HEAD], _HEAD)
    except zlib.error:
        return b""


def left_out(name: str, limit: int) -> str:
    """Say that only the beginning of a packed file was unpacked."""
    return (
        f"{name} unpacks to more than {limit} bytes: what follows them is left out; unpack it yourself and"
        " give the result to have all"
    )


def _expand_member(view: memoryview, at: int, result: bytearray, limit: int) -> tuple[int, str]:
    """Unpack one member; return how many bytes of the file it took and what was wrong, if anything."""
    member = zlib.decompressobj(_GZIP)
    position = at
    while not member.eof and position < len(view):
        piece: bytes | memoryview = view[position : position + _CHUNK]
        position += len(piece)
        pending = True
        while pending and not member.eof:
            before = member.copy()
            try:
                output = member.decompress(piece, _CHUNK)
            except zlib.error as error:
                result += _up_to_the_error(before, bytes(piece))
                return position - at, f"gzip data damaged near offset {position - len(piece)} ({error})"
            result += output
            if len(result) > limit:
                return position - at, "too much"
            piece = member.unconsumed_tail
            pending = bool(piece) or len(output) == _CHUNK
    if not member.eof:
        return position - at, f"gzip data cut off at offset {position}"
    return position - at - len(member.unused_data), ""


def _up_to_the_error(member: "zlib._Decompress", piece: bytes) -> bytes:
    """Unpack in small steps what comes before a place where unpacking fails."""
    output = bytearray()
    for at in range(0, len(piece), _STEP):
        try:
            step = member.decompress(piece[at : at + _STEP], _CHUNK - len(output))
        except zlib.error:
            break
        output += step
        if len(output) >= _CHUNK:
            break
    return bytes(output)
