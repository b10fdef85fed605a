"""What a client sent that is no right frame, and what is wrong with a frame whose framing is known."""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from packwire.capture.redact.contents import masked_stream
from packwire.wire.framing import Framing

#: Frames up to this size are shown in hexadecimal.
_SHOWN = 16


class Wrong(StrEnum):
    """What is wrong."""

    CHECKSUM = "checksum"
    LENGTH = "length"
    LONG_FORM = "long form"
    STOP = "stop byte"
    LOGIN = "login"
    NO_FRAME = "no frame"
    FILLER = "filler"


class BadFrame(NamedTuple):
    """Bytes that are no right frame: what is wrong, in words; `command` is -1 where there is none.

    `ids` are the CAN ids on the way of the request, `name` is that of its kind in another protocol. `hex` are
    the bytes as sent, `right` what a right frame would be; both are empty where they may hold something
    secret. `offset` is its place in the segment, `number` its packet, `time` in ns.
    """

    wrong: Wrong
    text: str
    size: int
    command: int = -1
    ids: tuple[int, ...] = ()
    name: str = ""
    hex: str = ""
    right: str = ""
    offset: int = 0
    number: int = 0
    time: int = 0


def explained(frame: bytes, framing: Framing, name: str) -> BadFrame:
    """Say what is wrong with a frame of a framing; `name` is that of its kind."""
    shown = shown_hex(frame)
    found = BadFrame(Wrong.LENGTH, "", len(frame), name=name, hex=shown)
    sizes = list(framing.sizes_of(frame.ljust(framing.needs, b"\0")[: framing.needs]))
    if len(frame) not in sizes:
        says = " or ".join(str(size) for size in sizes) or "no"
        return found._replace(text=f"the frame has {len(frame)} bytes, its header announces {says}")
    if not frame.endswith(framing.end):
        return found._replace(wrong=Wrong.STOP, text=f"its end {framing.end.hex(' ')} is missing")
    check = framing.check
    if check is None:
        return found._replace(text="another frame begins in it")
    right = shown_hex(check.set(frame)) if shown else ""
    text = (
        f"the checksum is {check.stored(frame).hex(' ')}, right is {check.right(frame).hex(' ')} "
        f"({check.checksum})"
    )
    return found._replace(wrong=Wrong.CHECKSUM, text=text, right=right)


def shown_hex(frame: bytes) -> str:
    """Return the bytes of a short frame in hexadecimal; empty where they are many or hold a secret."""
    if len(frame) > _SHOWN or masked_stream(frame, Counter(), strict=True) != frame:
        return ""
    return frame.hex(" ")
