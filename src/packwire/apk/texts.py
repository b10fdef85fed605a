"""UUIDs and bytes that are written in texts: strings of a program, scripts, compiled files."""

import re
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from packwire.att import short_uuid

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_IN_TEXT: Final = re.compile(rf"(?<![0-9a-fA-F]){_UUID}(?![0-9a-fA-F])")
_IN_BYTES: Final = re.compile(_UUID.encode())
_IN_WIDE: Final = re.compile(rb"(?:[0-9a-fA-F]\0){8}-\0(?:(?:[0-9a-fA-F]\0){4}-\0){3}(?:[0-9a-fA-F]\0){12}")
#: A text that is nothing but bytes in hexadecimal, with or without marks between them.
_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{2}(?:[ ,:-]{0,2}(?:0x)?[0-9a-fA-F]{2}){2,127}")
_HEX_IN_BYTES: Final = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}){4,64}(?![0-9A-Za-z])")
#: The same with marks between the bytes, as a whole text of a compiled file.
_MARKED_IN_BYTES: Final = re.compile(
    rb"(?<![\x20-\x7e])(?:0x)?[0-9a-fA-F]{2}(?:[ ,:-]{1,2}(?:0x)?[0-9a-fA-F]{2}){3,63}(?![\x20-\x7e])"
)
_QUOTED: Final = re.compile(r"[\"'`]((?:[0-9a-fA-F]{2}[ ,:-]?){3,64})[\"'`]")
_LIST: Final = re.compile(
    r"\[\s{0,8}((?:0x[0-9a-fA-F]{1,2}|\d{1,3})(?:\s{0,8},\s{0,8}(?:0x[0-9a-fA-F]{1,2}|\d{1,3})){2,255})\s{0,8}[,\]]"
)
_ITEM: Final = re.compile(r"0x[0-9a-fA-F]{1,2}|\d{1,3}")
#: Of one file so much is found at most.
_MOST = 20_000


def uuid_of_halves(high: int, low: int) -> str:
    """Return a UUID of its two numbers of 64 bits."""
    return str(UUID(int=(high & (1 << 64) - 1) << 64 | low & (1 << 64) - 1))


def uuids_in(text: str) -> Iterator[str]:
    """Yield the UUIDs in a text, short where they can be."""
    for found in _IN_TEXT.findall(text):
        yield short_uuid(found)


def uuids_in_bytes(data: bytes) -> Iterator[str]:
    """Yield the UUIDs in a compiled file, of letters of one byte or of two."""
    for _, found in zip(range(_MOST), _IN_BYTES.finditer(data), strict=False):
        yield short_uuid(found[0].decode())
    for _, found in zip(range(_MOST), _IN_WIDE.finditer(data), strict=False):
        yield short_uuid(found[0][::2].decode())


def bytes_in(text: str) -> bytes | None:
    """Return the bytes that a text is in hexadecimal, if it is nothing else."""
    if not 6 <= len(text) <= 640 or not _HEX.fullmatch(text):
        return None
    digits = re.sub(r"0x|[ ,:-]", "", text)
    return bytes.fromhex(digits) if len(digits) % 2 == 0 else None


def bytes_in_bytes(data: bytes) -> Iterator[bytes]:
    """Yield what is written in hexadecimal in a compiled file."""
    for _, found in zip(range(_MOST), _HEX_IN_BYTES.finditer(data), strict=False):
        yield bytes.fromhex(found[0].decode())
    for _, found in zip(range(_MOST), _MARKED_IN_BYTES.finditer(data), strict=False):
        yield bytes.fromhex(re.sub(rb"0x|[ ,:-]", b"", found[0]).decode())


def bytes_in_script(text: str) -> Iterator[tuple[int, bytes]]:
    """Yield lists of bytes and texts in hexadecimal in a script, with where they stand."""
    for _, found in zip(range(_MOST), _QUOTED.finditer(text), strict=False):
        if data := bytes_in(found[1].strip(" ,:-")):
            yield found.start(), data
    for _, found in zip(range(_MOST), _LIST.finditer(text), strict=False):
        items = [int(each, 0 if each[:2] == "0x" else 10) for each in _ITEM.findall(found[1])]
        if max(items) < 256:
            yield found.start(), bytes(items)
