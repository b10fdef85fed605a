"""VESC's framing as data, for recordings; a live stream is split by the faster `vesc.framing.Framer`."""

from packwire.vesc.commands import Command
from packwire.vesc.framing import MAX_PAYLOAD, STOP, TRAILER
from packwire.wire.family import Answer, Family, Same
from packwire.wire.framing import ByteIs, FrameCheck, Framing, Size

_WRAPPED = frozenset({Command.FORWARD_CAN.value})


def _framing(start: int, size: Size) -> Framing:
    head = 1 + size.width
    return Framing(
        "VESC",
        bytes((start,)),
        (size,),
        FrameCheck("CRC-16/XMODEM", head, -TRAILER, -TRAILER),
        bytes((STOP,)),
        payload=(head, -TRAILER),
        asks=1,
        wraps=Command.FORWARD_CAN,
    )


FAMILY = Family(
    "VESC",
    (_framing(2, Size(5, at=1, least=1)), _framing(3, Size(6, at=1, width=2, least=255, most=MAX_PAYLOAD))),
    (
        # A reply repeats the command; a request for another node is wrapped, its reply is not.
        Answer((Same(0, 0),), request=(ByteIs(0, frozenset(range(256)) - _WRAPPED),)),
        Answer((Same(2, 0),), request=(ByteIs(0, _WRAPPED),)),
    ),
)
