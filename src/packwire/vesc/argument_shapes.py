"""Arguments without which a request would make a device read or copy beyond its memory: data.

The firmware trusts them: it reads arguments that did not come from what an earlier request left behind, looks
for the end of a text without a bound, and copies a length below 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from packwire.vesc.commands import Command


@dataclass(frozen=True, slots=True)
class Shape:
    """What the arguments of a command need to be, for the firmware reads them without a look at their length.

    First `skip` bytes, then `texts` that each end with a NUL, then `room` bytes or more. Where `piece` is set
    these are a length and an offset: the firmware checks no more than the upper end of their sum, as signed
    numbers, and copies that much [bldc comm/commands.c, vesc_express main/commands.c]. Where `offset` is set
    they begin with an offset.
    """

    skip: int = 0
    texts: int = 0
    room: int = 0
    piece: bool = False
    offset: bool = False

    def fits(self, arguments: bytes) -> bool:
        """Tell whether arguments have this shape."""
        at = self.skip
        for _ in range(self.texts):
            at = arguments.find(0, at) + 1
            if not at:
                return False
        if len(arguments) < at + self.room:
            return False
        first, second = _number(arguments, at), _number(arguments, at + 4)
        if self.piece:
            return 0 <= first <= LONGEST_PIECE and 0 <= second <= _LARGEST - first
        return not self.offset or first >= 0


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], signed=True)


#: The firmware copies at most 502 bytes at once; VESC Tool asks for 400.
LONGEST_PIECE = 500
_LARGEST = 0x7FFFFFFF
SHAPES: Mapping[int, Shape] = {
    Command.LISP_READ_CODE: Shape(room=8, piece=True),
    Command.GET_QML_UI_HW: Shape(room=8, piece=True),
    Command.GET_QML_UI_APP: Shape(room=8, piece=True),
    Command.GET_CUSTOM_CONFIG_XML: Shape(skip=1, room=8, piece=True),
    Command.FILE_LIST: Shape(texts=2),  # the path, and the name after which to go on
    Command.FILE_READ: Shape(texts=1, room=4, offset=True),
    Command.FILE_WRITE: Shape(texts=1, room=8, offset=True),
    Command.FILE_MKDIR: Shape(texts=1),
    Command.FILE_REMOVE: Shape(texts=1),
}


def well_formed(request: bytes) -> bool:
    """Tell whether a request, not a forwarded one, has the arguments that its command needs to do no harm."""
    shape = SHAPES.get(request[0])
    return shape is None or shape.fits(request[1:])
