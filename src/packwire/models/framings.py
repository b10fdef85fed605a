"""Framings of BMS families that have no model yet: a row each, and what answers what.

A family that gets a model file brings its framings there, and its row here goes.
"""

from packwire.models.modbus import modbus, modbus_answers
from packwire.wire.family import Answer, Family, Same
from packwire.wire.framing import ByteIs, FrameCheck, Framing, Size

_HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")

#: What is more certain comes first: where two fit equally well, the first is taken.
FAMILIES = (
    Family(
        "PACE ASCII",
        (
            Framing(
                "PACE ASCII",
                b"\x7e",
                # The low 12 bits of four digits, which count digits [YD/T 1363.3].
                (
                    Size(
                        18,
                        at=9,
                        width=4,
                        digits=True,
                        mask=0xFFF,
                        when=tuple(ByteIs(at, _HEX_DIGITS) for at in range(1, 9)),
                    ),
                ),
                FrameCheck("sum16 negated", 1, -5, -5, digits=True),
                b"\x0d",
                header=9,
            ),
        ),
        # The reply names no command: address and device class are all that it repeats.
        (Answer((Same(1, 1, width=6),)),),
    ),
    Family("Modbus RTU", (modbus("Modbus RTU"),), modbus_answers((Same(0, 0),), (), ())),
)
