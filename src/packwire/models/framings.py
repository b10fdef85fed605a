"""Framings of BMS families that have no model yet: a row each, and what answers what.

A family that gets a model file brings its framings there, and its row here goes.
"""

from packwire.models.modbus import modbus, modbus_answers
from packwire.wire.family import Answer, Family, Same
from packwire.wire.framing import ByteIs, Check, Framing, Size

_HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")

#: The addresses that Daly's apps ask and its boards answer with; the one asks at 0x81 what the other answers
#: with 0x51.
_DALY = (b"\xd2", b"\x51", b"\x81")
_DALY_ADDRESS = (ByteIs(0, frozenset(b"".join(_DALY))),)
_DALY_APP, _DALY_BOARD = ByteIs(0, frozenset({0x81})), ByteIs(0, frozenset({0x51}))

#: An old ANT board's answer to a write without (or with a wrong) password.
_ANT_REFUSED = 0xF5


#: What is more certain comes first: where two fit equally well, the first is taken.
FAMILIES = (
    Family(
        "ANT",
        (
            Framing(
                "ANT",
                b"\x7e\xa1",
                # Device information counts 6 bytes too few, a request has no data.
                (Size(10, at=5), Size(16, at=5), Size(10)),
                Check("CRC-16/MODBUS", 1, -4, -4, "little"),
                b"\xaa\x55",
                header=3,
                asks=5,
                queries=ByteIs(2, frozenset({1, 2})),
            ),
        ),
        # A reply's function is 0x10 more than its request's, after a write 0x20; the address is the same.
        tuple(Answer((Same(2, 2, plus=more), Same(3, 3, width=2))) for more in (0x10, 0x20)),
    ),
    Family(
        "ANT (old)",
        (
            Framing("ANT (old)", b"\xaa\x55\xaa\xff", (Size(140),), Check("sum16", 4, -2, -2), header=4),
            *(
                Framing("ANT (old) command", start, (Size(6),), Check("sum8", 2, -1, -1), header=3)
                for start in (b"\x5a\x5a", b"\xa5\xa5", b"\xdb\xdb")
            ),
        ),
        (
            Answer((), (ByteIs(0, frozenset({0xDB})),), (ByteIs(0, frozenset({0xAA})),)),
            Answer((Same(0, 0), Same(2, 2)), (), (ByteIs(0, frozenset({0x5A, 0xA5, 0xDB})),)),
            Answer((Same(0, 0),), (), (ByteIs(0, frozenset({0xA5})), ByteIs(2, frozenset({_ANT_REFUSED})))),
        ),
    ),
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
                Check("sum16 negated", 1, -5, -5, digits=True),
                b"\x0d",
                header=9,
            ),
        ),
        # The reply names no command: address and device class are all that it repeats.
        (Answer((Same(1, 1, width=6),)),),
    ),
    Family(
        "Daly",
        (
            *(modbus("Daly", start) for start in _DALY),
            Framing(
                "Daly (A5)",
                b"\xa5",
                (Size(13, when=(ByteIs(3, frozenset({8})),)),),
                Check("sum8", 0, -1, -1),
                header=3,
            ),
        ),
        (
            Answer((Same(2, 2),), (ByteIs(0, frozenset({0xA5})),), (ByteIs(0, frozenset({0xA5})),)),
            *modbus_answers((Same(0, 0),), _DALY_ADDRESS, ()),
            *modbus_answers((), (_DALY_APP,), (_DALY_BOARD,)),
        ),
    ),
    Family("Modbus RTU", (modbus("Modbus RTU"),), modbus_answers((Same(0, 0),), (), ())),
)
