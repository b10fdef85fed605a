"""Frames of Modbus RTU, and what answers what in them; many BMSs speak it, with addresses of their own."""

from packwire.wire.family import Answer, Same
from packwire.wire.framing import ByteIs, FrameCheck, Framing, Size

#: Replies to reads count their own bytes, requests have 8 [Modbus protocol V1.1b3, 6]; the value of a write
#: is behind the register, or behind the count of bytes. Daly's writes of several registers have no such
#: count. Of error replies the function's top bit is set.
_ERROR = 0x80
_READS = ByteIs(1, frozenset({3, 4}))
_READS_BITS = ByteIs(1, frozenset({1, 2}))
_WRITES_SEVERAL = ByteIs(1, frozenset({16}))
_SIZES = (
    Size(5, at=2, multiple=2, least=2, when=(_READS,), value=4),
    Size(5, at=2, least=1, most=250, when=(_READS_BITS,), value=3),
    Size(8, when=(ByteIs(1, frozenset(range(1, 7))),), value=4),
    Size(8, when=(_WRITES_SEVERAL,), value=6),
    Size(9, at=6, when=(_WRITES_SEVERAL,), value=7),
    Size(8, at=5, times=2, when=(_WRITES_SEVERAL,), value=6),
    Size(5, when=(ByteIs(1, frozenset(_ERROR + each for each in (1, 2, 3, 4, 5, 6, 16))),), value=4),
)


def modbus(name: str, start: bytes = b"") -> Framing:
    """Return the framing of Modbus RTU, of frames that begin so (with an address)."""
    return Framing(
        name,
        start,
        _SIZES,
        FrameCheck("CRC-16/MODBUS", 0, -2, -2, "little"),
        header=2,
        asks=4,
        queries=ByteIs(1, frozenset({1, 2, 3, 4})),
    )


def modbus_answers(
    same: tuple[Same, ...], request: tuple[ByteIs, ...], reply: tuple[ByteIs, ...]
) -> tuple[Answer, ...]:
    """Compare the function and what a reply says of the request, and what else is given."""
    again = ByteIs(1, frozenset(range(_ERROR)) - _READS.values - _READS_BITS.values)
    return (
        Answer((*same, Same(1, 1, plus=_ERROR)), request, reply),
        Answer((*same, Same(1, 1)), (*request, _READS), reply, Size(5, at=4, width=2, times=2)),
        Answer((*same, Same(1, 1)), (*request, _READS_BITS), reply),  # bits are rounded up to bytes
        Answer((*same, Same(1, 1), Same(2, 2, width=2)), (*request, again), reply),
    )
