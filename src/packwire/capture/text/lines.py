"""The lines of a text, in whichever encoding."""

import codecs
import re
from collections.abc import Iterator

from packwire.messages import Bytes

#: A longer line is cut: no log puts more than a message into one.
MAX_LINE = 32 << 10

#: Colours and the like, and the window's title, as a terminal's own log has them.
_COLOUR = re.compile(r"\x1b(?:\[[0-9;?]{0,24}[a-zA-Z]|\][^\x07\x1b\n]{0,250}(?:\x07|\x1b\\))")
_TITLE = re.compile(rb"\x1b\][^\x07\x1b\n]{0,250}(?:\x07|\x1b\\)")
#: Blanks of other widths, as text that was copied from a web page has them: no number's parts stand in them.
_OTHER_BLANK = re.compile(r"[^\S\n\r\t ]")
#: What a computer leaves in its logs that lost its power.
_HOLE = re.compile(rb"\0{4,}")
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
    head = _TITLE.sub(b"", _HOLE.sub(b"\0", head))
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
    decoder = codecs.getincrementaldecoder(wide or "utf-8")("replace")
    rest = ""
    for at in range(_mark(data), len(data), _STEP):
        last = at + _STEP >= len(data)
        piece = rest + decoder.decode(data[at : at + _STEP].tobytes(), final=last)
        if "\x1b" in piece:
            piece = _COLOUR.sub("", piece)
        if "\0" in piece:
            piece = piece.replace("\0", " ")
        if not piece.isascii():
            piece = _OTHER_BLANK.sub(" ", piece)
        if "\n" not in piece and "\r" in piece:
            piece = piece.replace("\r", "\n")
        *whole, rest = piece.split("\n")
        for line in whole:
            yield line[:MAX_LINE].rstrip()
        rest = rest[: 2 * MAX_LINE]
    if rest:
        yield rest[:MAX_LINE].rstrip()


def _mark(data: Bytes) -> int:
    """Return how many bytes at the beginning only say which encoding follows."""
    begin = data[:3].tobytes()
    if begin[:2] in _UTF16:
        return 2
    return 3 if begin == codecs.BOM_UTF8 else 0
