"""Framings of BMS families that have no model yet: a row each, and what answers what.

A family that gets a model file brings its framings there, and its row here goes.
"""

from packwire.wire.family import Answer, Family, Same
from packwire.wire.framing import ByteIs, FrameCheck, Framing, Size

_HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")

#: Replies to reads count their own bytes, requests have 8 [Modbus protocol V1.1b3, 6]; the value of a write
#: is behind the register, or behind the count of bytes. Daly's writes of several registers have no such
#: count. Of error replies the function's top bit is set.
_MODBUS_ERROR = 0x80
_READS = ByteIs(1, frozenset({3, 4}))
_WRITES_SEVERAL = ByteIs(1, frozenset({16}))
_MODBUS_SIZES = (
    Size(5, at=2, multiple=2, least=2, when=(_READS,), value=4),
    Size(8, when=(ByteIs(1, frozenset({3, 4, 5, 6})),), value=4),
    Size(8, when=(_WRITES_SEVERAL,), value=6),
    Size(9, at=6, when=(_WRITES_SEVERAL,), value=7),
    Size(8, at=5, times=2, when=(_WRITES_SEVERAL,), value=6),
    Size(5, when=(ByteIs(1, frozenset(_MODBUS_ERROR + each for each in (3, 4, 6, 16))),), value=4),
)


def _modbus(name: str, start: bytes = b"") -> Framing:
    return Framing(
        name,
        start,
        _MODBUS_SIZES,
        FrameCheck("CRC-16/MODBUS", 0, -2, -2, "little"),
        header=2,
        asks=4,
        queries=ByteIs(1, frozenset({1, 2, 3, 4})),
    )


def _modbus_answers(*address: Same, request: tuple[ByteIs, ...], reply: tuple[ByteIs, ...]) -> list[Answer]:
    """Compare address and function, and what a reply says of the request."""
    again = ByteIs(1, frozenset(range(_MODBUS_ERROR)) - _READS.values)
    return [
        Answer((*address, Same(1, 1, plus=_MODBUS_ERROR)), request, reply),
        Answer((*address, Same(1, 1)), (*request, _READS), reply, Size(5, at=4, width=2, times=2)),
        Answer((*address, Same(1, 1), Same(2, 2, width=2)), (*request, again), reply),
    ]


#: The addresses that Daly's apps ask and its boards answer with; the one asks at 0x81 what the other answers
#: with 0x51.
_DALY = (b"\xd2", b"\x51", b"\x81")
_DALY_ADDRESS = (ByteIs(0, frozenset(b"".join(_DALY))),)
_DALY_APP, _DALY_BOARD = ByteIs(0, frozenset({0x81})), ByteIs(0, frozenset({0x51}))

_JK_COMMAND = b"\xaa\x55\x90\xeb"
_JK_CONFIRMED = tuple(ByteIs(at, frozenset({byte})) for at, byte in enumerate(_JK_COMMAND + b"\xc8"))
_JK_FRAME = ByteIs(0, frozenset({0x55}))


def _jk(command: int, *frames: int) -> Answer:
    """Return what follows a command of JK."""
    return Answer((), (ByteIs(4, frozenset({command})),), (_JK_FRAME, ByteIs(4, frozenset(frames))))


#: An old ANT board's answer to a write without (or with a wrong) password.
_ANT_REFUSED = 0xF5


#: What is more certain comes first: where two fit equally well, the first is taken.
FAMILIES = (
    Family(
        "JK",
        (
            Framing("JK", b"\x55\xaa\xeb\x90", (Size(300),), FrameCheck("sum8", 0, -1, -1), header=5),
            Framing(
                "JK command",
                _JK_COMMAND,
                (Size(20),),
                FrameCheck("sum8", 0, -1, -1),
                header=5,
                queries=ByteIs(5, frozenset({0})),
                count=5,
            ),
        ),
        (
            # Each command is confirmed; some are followed by frames of all kinds, or by that of the device.
            Answer(reply=_JK_CONFIRMED),
            _jk(0x96, 1, 2, 3),
            _jk(0x97, 3),
        ),
    ),
    Family(
        "ANT",
        (
            Framing(
                "ANT",
                b"\x7e\xa1",
                # Device information counts 6 bytes too few, a request has no data.
                (Size(10, at=5), Size(16, at=5), Size(10)),
                FrameCheck("CRC-16/MODBUS", 1, -4, -4, "little"),
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
            Framing("ANT (old)", b"\xaa\x55\xaa\xff", (Size(140),), FrameCheck("sum16", 4, -2, -2), header=4),
            *(
                Framing("ANT (old) command", start, (Size(6),), FrameCheck("sum8", 2, -1, -1), header=3)
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
        "Seplos",
        (
            Framing(
                "Seplos",
                b"\x7e",
                (Size(10, at=5, width=2),),
                FrameCheck("CRC-16/XMODEM", 1, -3, -3),
                b"\x0d",
                header=5,
            ),
        ),
        (Answer((Same(2, 2), Same(4, 3))),),
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
                FrameCheck("sum16 negated", 1, -5, -5, digits=True),
                b"\x0d",
                header=9,
            ),
        ),
        # The reply names no command: address and device class are all that it repeats.
        (Answer((Same(1, 1, width=6),)),),
    ),
    Family(
        "Basen",
        tuple(
            Framing(
                "Basen",
                start,
                (Size(8, at=3),),
                FrameCheck("sum16", 1, -4, -4, "little"),
                b"\x0d\x0a",
                header=3,
            )
            for start in (b"\x3a", b"\x3b")
        ),
        (Answer((Same(0, 0, width=3),)),),
    ),
    Family(
        "Daly",
        (
            *(_modbus("Daly", start) for start in _DALY),
            Framing(
                "Daly (A5)",
                b"\xa5",
                (Size(13, when=(ByteIs(3, frozenset({8})),)),),
                FrameCheck("sum8", 0, -1, -1),
                header=3,
            ),
        ),
        (
            Answer((Same(2, 2),), (ByteIs(0, frozenset({0xA5})),), (ByteIs(0, frozenset({0xA5})),)),
            *_modbus_answers(Same(0, 0), request=_DALY_ADDRESS, reply=()),
            *_modbus_answers(request=(_DALY_APP,), reply=(_DALY_BOARD,)),
        ),
    ),
    Family("Modbus RTU", (_modbus("Modbus RTU"),), tuple(_modbus_answers(Same(0, 0), request=(), reply=()))),
)
