"""The lines of a text, in whichever encoding."""

import codecs
import re
from collections.abc import Iterator

import numpy as np

from packwire.messages import Bytes

#: A longer line is cut: no log puts more than a message into one.
MAX_LINE = 32 << 10

_LINE = re.compile(rb"[^\n]+")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_STEP = 1 << 20
#: A text may have so many times the bytes that are not NUL; without a mark at its beginning, a text in UTF-16
#: is told by more than so many bytes, all in the lower half, of printed characters.
_MOST_NULS, _FEWEST, _HEAD = 1.5, 8, 4096
_PRINTED = frozenset(range(32, 127)) | {9, 10, 13}


def is_text(head: bytes) -> bool:
    """Tell whether a file that begins so can be a log: UTF-16, or without control characters but NULs."""
    if encoding(head):
        return True
    plain = head.replace(b"\0", b"")
    if len(plain) < len(head):
        return len(plain) * _MOST_NULS > len(head) and all(byte in _PRINTED for byte in plain)
    return bool(plain) and not any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in plain)


def encoding(head: bytes) -> str:
    """Return the encoding of UTF-16 that a file's first bytes tell, or nothing: it is taken as UTF-8."""
    marked = _UTF16.get(head[:2])
    if marked:
        return marked
    head = head[: len(head) & ~1]
    for at, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if (
            len(head) > _FEWEST
            and not any(head[at::2])
            and all(byte in _PRINTED for byte in head[1 - at :: 2])
        ):
            return name
    return ""


def lines(data: Bytes) -> Iterator[str]:
    """Yield each line, empty ones too, without colours, NULs and line ends; a line past MAX_LINE is cut."""
    wide = encoding(data[:_HEAD].tobytes())
    for raw in _recoded(data, wide) if wide else _raw_lines(data):
        text = raw.decode("utf-8", "replace")
        if "\x1b" in text:
            text = _COLOUR.sub("", text)
        if "\0" in text:
            text = text.replace("\0", " ")
        yield text.rstrip()


def _raw_lines(data: Bytes) -> Iterator[bytes]:
    view = memoryview(data)
    at = 3 if data[:3].tobytes() == codecs.BOM_UTF8 else 0
    rest = b""
    while at < len(view):
        piece = rest + bytes(view[at : at + _STEP])
        at += _STEP
        if b"\n" not in piece and b"\r" in piece:
            piece = piece.replace(b"\r", b"\n")
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield line[:MAX_LINE]
        rest = rest[: 2 * MAX_LINE]
    if rest:
        yield rest[:MAX_LINE]


def _recoded(data: Bytes, wide: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(wide)("replace")
    rest = ""
    for at in range(2 if data[:2].tobytes() in _UTF16 else 0, len(data), _STEP):
        piece = rest + decoder.decode(data[at : at + _STEP].tobytes(), final=at + _STEP >= len(data))
        *whole, rest = piece.split("\n")
        for line in whole:
            yield line[:MAX_LINE].encode("utf-8", "replace")
        rest = rest[: 2 * MAX_LINE]
    if rest:
        yield rest[:MAX_LINE].encode("utf-8", "replace")


def head_lines(head: bytes) -> list[str]:
    """Return the lines of a file's beginning that are not empty; the last one may be cut off."""
    return [text for text in lines(np.frombuffer(head, dtype=np.uint8)) if text]
