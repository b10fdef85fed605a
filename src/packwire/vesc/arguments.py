"""The shape of a command's arguments: how many bytes, which of them are texts, lengths and offsets.

The firmware trusts them: it reads arguments that did not come from what an earlier request left behind, looks
for the end of a text without a bound, and copies a length below 0. What is longer than a command needs has
room for a frame, which a device would run where a byte before it is damaged on the line.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

#: The firmware copies at most 502 bytes at once; VESC Tool asks for 400.
LONGEST_PIECE = 500
#: No code, user interface or description of a configuration is longer.
_LARGEST_OFFSET = 0xFFFFFF
#: A name of a file, with its folders; a card's file system takes 255.
LONGEST_TEXT = 255
#: Whatever still fits a device's longest frame.
ANY_LENGTH = 511
#: More arguments than so many bytes are data: anything may stand in them.
_FEW = 64
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]*")
"""Printable, in whatever encoding: no byte of it begins or ends a frame."""


class Rest(Enum):
    """What the bytes behind a command's texts are."""

    NUMBERS = auto()
    OFFSET = auto()
    """They begin with an offset."""
    PIECE = auto()
    """A length and an offset. The firmware checks no more than the upper end of their sum, as signed numbers,
    and copies that much [bldc comm/commands.c, vesc_express main/commands.c]."""
    TEXT = auto()
    """A text, whose NUL may be missing."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """First `before` bytes, then `texts` that each end with a NUL, then `least` to `most` bytes.

    `most` None is as many as `least`.
    """

    least: int = 0
    most: int | None = None
    before: int = 0
    texts: int = 0
    rest: Rest = Rest.NUMBERS

    @property
    def longest(self) -> int:
        """How many bytes they may have at most, without their texts."""
        return self.before + (self.least if self.most is None else self.most)

    @property
    def are_data(self) -> bool:
        """Whether any bytes may stand in them, such as a program's."""
        return self.most is not None and self.most > _FEW and self.rest is not Rest.TEXT

    def fit(self, arguments: bytes) -> bool:
        """Tell whether the arguments of a request have this shape."""
        at = self.before
        for _ in range(self.texts):
            end = arguments.find(0, at)
            if not at <= end <= at + LONGEST_TEXT or not _TEXT.fullmatch(arguments, at, end):
                return False
            at = end + 1
        if not self.least <= len(arguments) - at <= (self.least if self.most is None else self.most):
            return False
        if self.rest is Rest.TEXT:
            return _TEXT.fullmatch(arguments[at:].removesuffix(b"\0")) is not None
        if self.rest is Rest.NUMBERS:
            return True
        first, second = _number(arguments, at), _number(arguments, at + 4)
        if self.rest is Rest.PIECE:
            return 0 <= first <= LONGEST_PIECE and 0 <= second <= _LARGEST_OFFSET
        return first >= 0


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], signed=True)
