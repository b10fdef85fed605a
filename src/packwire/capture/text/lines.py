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


def is_text(head: bytes) -> bool:
    """Tell whether a file that begins so can be a log: UTF-16, or with no control characters but NUL."""
    if head[:2] in _UTF16:
        return True
    zeros = head.count(0)
    if zeros * 20 > len(head):
        return False
    return bool(head) and not any(0 < byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)


def lines(data: Bytes) -> Iterator[str]:
    """Yield each line, empty ones too, without colours, NULs and line ends; a line past MAX_LINE is cut."""
    encoding = _UTF16.get(data[:2].tobytes())
    for raw in _raw_lines(data) if encoding is None else _recoded(data, encoding):
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
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield line[:MAX_LINE]
        rest = rest[: 2 * MAX_LINE]
    if rest:
        yield rest[:MAX_LINE]


def _recoded(data: Bytes, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    rest = ""
    for at in range(2, len(data), _STEP):
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
