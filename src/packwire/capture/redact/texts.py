"""Text that an app writes where nobody knows what it means: a Wi-Fi name and its password, a PIN, a name.

Masked by caution: what is in no frame of a framing that is known, and reads as text; and text in the frames
of those whose requests are numbers. It may go on in the next write, behind a header and before a checksum of
which nothing is known.
"""

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise

from packwire.capture.framings import Found, frames_in, recognise
from packwire.capture.redact.canvas import STAR

TEXTS_WRITTEN = "texts written to unknown characteristics"

_LETTER = rb"(?:[\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
#: Fewer letters in a row are numbers by chance; in a frame that is known, more of them may be.
_TEXT = re.compile(rb"%b{4,}|(?:[\x20-\x7e]\0){4,}" % _LETTER)
_TEXT_IN_FRAME = re.compile(rb"%b{6,}" % _LETTER)
_ALL_TEXT = re.compile(rb"%b{3,}[\0\r\n]*" % _LETTER)
_LETTERS = re.compile(rb"%b+" % _LETTER)
#: A text that ends so near to the end of a write goes on in the next one, which begins so far before it.
_TRAILER, _HEADER = 4, 8
#: A question to a Bluetooth or Wi-Fi module: nothing of anybody is in it.
_QUESTION = re.compile(rb"AT\+[A-Z]{2,16}=?\?[\r\n\0]*")
#: Their secrets are known and masked.
_KNOWN = "VESC"


def mask_texts(content: bytes, sizes: list[int]) -> tuple[bytes, list[bytes]]:
    """Mask text in what was written on one channel, one after the other, `sizes` bytes at a time.

    Return as many bytes, and the texts that were masked.
    """
    framings = recognise(content)
    frames = [found for found in frames_in(content, framings) if found.ok] if framings else []
    places = [(begin, end) for begin, end in _places(content, frames, sizes) if _worth(content[begin:end])]
    result = bytearray(content)
    for begin, end in places:
        result[begin:end] = bytes((STAR,)) * (end - begin)
    for found in frames if places else ():
        frame = bytes(result[found.start : found.start + found.size])
        check = found.framing.check
        result[found.start : found.start + found.size] = frame if check is None else check.set(frame)
    return bytes(result), [content[begin:end] for begin, end in places]


def _places(content: bytes, frames: list[Found], sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each text."""
    edges = [0, *(edge for found in frames for edge in (found.start, found.start + found.size)), len(content)]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        yield from (text.span() for text in _TEXT.finditer(content, begin, end))
    for found in frames:
        check = found.framing.check
        in_digits = check is not None and check.digits
        if not in_digits and found.framing.name != _KNOWN:
            begin, end = found.start + found.framing.needs, found.start + found.size
            yield from (text.span() for text in _TEXT_IN_FRAME.finditer(content, begin, end))
    yield from _in_writes(content, frames, sizes)


def _in_writes(content: bytes, frames: list[Found], sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Yield writes that are text as a whole, and what goes on from one write into the next."""
    covered = bytearray(len(content))
    for found in frames:
        covered[found.start : found.start + found.size] = b"\1" * found.size
    goes_on = False
    for begin, end in pairwise(accumulate(sizes, initial=0)):
        if any(covered[begin:end]):
            goes_on = False
            continue
        if _ALL_TEXT.fullmatch(content, begin, end):
            yield begin, end
        if goes_on:
            letters = _LETTERS.finditer(content, begin, end)
            yield from (each.span() for each in letters if each.start() - begin <= _HEADER)
        near = [text.end() for text in _LETTERS.finditer(content, begin, end) if len(text[0]) > 3]
        goes_on = bool(near) and end - near[-1] <= _TRAILER


def _worth(text: bytes) -> bool:
    """Tell whether there is anything to hide: masks may have been written before."""
    return bool(text.strip(b"*\0")) and not _QUESTION.fullmatch(text)
