"""Captures packed with gzip, unpacked into memory within bounds [RFC 1952].

A few kilobytes of gzip can unpack to gigabytes; nothing here believes that a file is as large as it says.
"""

import zlib

import numpy as np

from packwire.errors import BadFileError
from packwire.messages import Bytes

#: No unpacked capture may be larger than this.
MAX_EXPANDED = 2 << 30
#: Past FREE_EXPANDED, one byte of file may give this many; captures of steady polling reach about 50.
MAX_RATIO = 200
FREE_EXPANDED = 64 << 20

#: How much of a file is looked at to recognise it.
HEAD = 16 << 10

_CHUNK = 1 << 20
_STEP = 16
_GZIP = 16 + zlib.MAX_WBITS


def matches(head: bytes) -> bool:
    """Tell whether a file begins as gzip does."""
    return head.startswith(b"\x1f\x8b\x08")


def expand(data: Bytes) -> tuple[Bytes, tuple[str, ...]]:
    """Unpack all members of a gzip file; return the bytes and what was wrong with it.

    Raises BadFileError where nothing comes out, or more than the bounds allow.
    """
    view = memoryview(data)
    result = bytearray()
    limit = min(MAX_EXPANDED, max(FREE_EXPANDED, MAX_RATIO * len(view)))
    at, damage = 0, ""
    while at < len(view) and not damage and matches(view[at : at + 3].tobytes()):
        used, damage = _expand_member(view, at, result, limit)
        at += used
    if damage and not result:
        raise BadFileError(f"{damage}: nothing could be unpacked, copy or download the file again")
    if damage:
        return np.frombuffer(result, np.uint8), (f"{damage}: the {len(result)} bytes before it are kept",)
    return np.frombuffer(result, np.uint8), ()


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
                raise BadFileError(
                    f"unpacks to more than {limit} bytes (offset {position} of the gzip file): unpack it"
                    " yourself (gunzip) and give the result"
                )
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
