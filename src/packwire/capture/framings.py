"""Application framings that are known: how a frame begins, how long it is, what checks it, how it ends.

A frame may be longer than a notification, so it is put together from the values of one channel. Which framing
a channel uses is found by trial: the one whose frames, with right checksums, hold most of its bytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from packwire.wire.checksum import CHECKSUMS

#: Of a channel's bytes so many are looked at to find out its framing.
TRIAL = 1 << 14

type Sizes = Callable[[bytes], tuple[int, ...]]
"""From the first `Framing.needs` bytes of a frame to the sizes that the whole of it may have."""


@dataclass(frozen=True, slots=True)
class Framing:
    """One framing.

    The checksum covers `covered`, a slice of the frame, and lies `checksum_at` (negative: from the end), in
    `order`; `ascii_hex` says that it is written in hexadecimal digits. `header` is how many of the first
    bytes say what kind of frame it is, `asks` the same for a request where that takes more. `payload` is the
    slice of the frame that is its message.
    """

    name: str
    start: bytes
    needs: int
    sizes: Sizes
    checksum: str
    covered: slice
    checksum_at: int
    header: int
    order: str = "big"
    end: bytes = b""
    ascii_hex: bool = False
    payload: slice = slice(None)
    asks: int = 0

    def checks(self, frame: bytes) -> bool:
        """Tell whether the frame's checksum is right."""
        function, width = CHECKSUMS[self.checksum]
        width *= 1 + self.ascii_hex
        field = frame[self.checksum_at : self.checksum_at + width or None]
        if self.ascii_hex:
            return field.upper() == b"%04X" % function(frame[self.covered])
        said = int.from_bytes(field, "little" if self.order == "little" else "big")
        return function(frame[self.covered]) == said

    @property
    def checksum_size(self) -> int:
        """Return how many bytes of a frame its checksum takes."""
        return CHECKSUMS[self.checksum][1] * (1 + self.ascii_hex)


class Found(NamedTuple):
    """A frame in a stream: where it begins, its size, its framing, and whether its checksum is right."""

    start: int
    size: int
    framing: Framing
    ok: bool


def _fixed(size: int) -> Sizes:
    return lambda _: (size,)


def _counted(at: int, around: int) -> Sizes:
    """One length byte at `at`, and so many bytes besides what it counts."""
    return lambda head: (head[at] + around,)


#: Writes of one coil or register, and error replies.
_MODBUS_FIXED = {5: (8,), 6: (8,), 0x83: (5,), 0x84: (5,), 0x86: (5,), 0x90: (5,)}


def _modbus_sizes(head: bytes) -> tuple[int, ...]:
    """Take 8 bytes for a request; a reply to a read counts its own [Modbus protocol V1.1b3, 6].

    Daly's writes of several registers have no byte count.
    """
    function = head[1]
    if function in (3, 4):
        counted = () if head[2] % 2 or not head[2] else (head[2] + 5,)
        return (*counted, 8)
    if function == 16:
        return 8, head[6] + 9, 2 * head[5] + 8
    return _MODBUS_FIXED.get(function, ())


def _ascii_sizes(head: bytes) -> tuple[int, ...]:
    """Read the low 12 bits of four digits, which count digits [YD/T 1363.3]."""
    digits = head[9:13]
    if not all(digit in b"0123456789ABCDEFabcdef" for digit in head[1:13]):
        return ()
    return ((int(digits, 16) & 0xFFF) + 18,)


def _ant_sizes(head: bytes) -> tuple[int, ...]:
    """Take what a reply counts; device information counts 6 bytes too few, a request has no data."""
    return head[5] + 10, head[5] + 16, 10


def _vesc_sizes(head: bytes) -> tuple[int, ...]:
    if head[0] == 2:
        return (head[1] + 5,) if head[1] else ()
    length = int.from_bytes(head[1:3])
    return (length + 6,) if 255 <= length <= 10_000 else ()


def _modbus(name: str, start: bytes) -> Framing:
    return Framing(name, start, 7, _modbus_sizes, "CRC-16/MODBUS", slice(0, -2), -2, 2, "little")


#: The table. What is more certain comes first: where two fit equally well, the first is taken.
FRAMINGS = (
    Framing("JBD", b"\xdd", 4, _counted(3, 7), "sum16 negated", slice(2, -3), -3, 2, end=b"\x77", asks=3),
    Framing("JK", b"\x55\xaa\xeb\x90", 5, _fixed(300), "sum8", slice(0, -1), -1, 5),
    Framing("JK command", b"\xaa\x55\x90\xeb", 5, _fixed(20), "sum8", slice(0, -1), -1, 5),
    Framing(
        "ANT", b"\x7e\xa1", 6, _ant_sizes, "CRC-16/MODBUS", slice(1, -4), -4, 3,
        "little", b"\xaa\x55",
    ),
    Framing("ANT (old)", b"\xaa\x55\xaa\xff", 4, _fixed(140), "sum16", slice(4, -2), -2, 4),
    *(
        Framing("ANT (old) command", start, 3, _fixed(6), "sum8", slice(2, -1), -1, 3)
        for start in (b"\x5a\x5a", b"\xa5\xa5", b"\xdb\xdb")
    ),
    Framing(
        "Seplos", b"\x7e", 7, lambda head: (int.from_bytes(head[5:7]) + 10,), "CRC-16/XMODEM",
        slice(1, -3), -3, 5, end=b"\x0d",
    ),
    Framing(
        "PACE ASCII", b"\x7e", 13, _ascii_sizes, "sum16 negated", slice(1, -5), -5, 9, end=b"\x0d",
        ascii_hex=True,
    ),
    *(
        Framing("Basen", start, 4, _counted(3, 8), "sum16", slice(1, -4), -4, 3, "little", b"\x0d\x0a")
        for start in (b"\x3a", b"\x3b")
    ),
    # The addresses that Daly's apps ask and its boards answer with.
    *(_modbus("Daly", start) for start in (b"\xd2", b"\x51", b"\x81")),
    Framing("Daly (A5)", b"\xa5", 4, lambda head: (13,) if head[3] == 8 else (), "sum8", slice(0, -1), -1, 3),
    Framing(
        "VESC", b"\x02", 3, _vesc_sizes, "CRC-16/XMODEM", slice(2, -3), -3, 1, end=b"\x03",
        payload=slice(2, -3),
    ),
    Framing(
        "VESC", b"\x03", 3, _vesc_sizes, "CRC-16/XMODEM", slice(3, -3), -3, 1, end=b"\x03",
        payload=slice(3, -3),
    ),
    _modbus("Modbus RTU", b""),
)  # fmt: skip

#: Framings of one family share a channel: a vendor's commands and its frames.
_FAMILIES = {"Daly (A5)": "Daly", "JK command": "JK", "ANT (old) command": "ANT (old)"}


def family(name: str) -> tuple[Framing, ...]:
    """Return the framings that go together under a name."""
    return tuple(each for each in FRAMINGS if _FAMILIES.get(each.name, each.name) == name)


FAMILIES = tuple(dict.fromkeys(_FAMILIES.get(each.name, each.name) for each in FRAMINGS))


def recognise(stream: bytes) -> tuple[Framing, ...]:
    """Return the framings in whose frames, with right checksums, most of a stream's bytes lie."""
    stream = stream[:TRIAL]
    best: tuple[int, tuple[Framing, ...]] = (0, ())
    for name in FAMILIES:
        framings = family(name)
        held = sum(found.size for found in frames_in(stream, framings) if found.ok)
        # The last frame may go on behind what was looked at.
        if 2 * held > len(stream) and held > best[0]:
            best = (held, framings)
    return best[1]


def frames_in(stream: bytes, framings: tuple[Framing, ...]) -> Iterator[Found]:
    """Yield the frames of a stream; what lies between them is in none.

    A wrong checksum is let pass where the frame's end is marked as it should be, and no right frame begins
    inside of it.
    """
    starts = {framing.start for framing in framings}
    at = 0
    while at < len(stream):
        found = _frame_at(stream, at, framings)
        if found is None:
            at = _next_start(stream, at + 1, starts)
            continue
        yield found
        at += found.size


def _next_start(stream: bytes, at: int, starts: set[bytes]) -> int:
    if b"" in starts:
        return at
    places = [place for start in starts if (place := stream.find(start, at)) >= 0]
    return min(places, default=len(stream))


def _frame_at(stream: bytes, at: int, framings: tuple[Framing, ...]) -> Found | None:
    """Look for a frame at one place, a right one before a wrong one."""
    wrong = None
    for framing in framings:
        if not stream.startswith(framing.start, at):
            continue
        head = stream[at : at + framing.needs]
        if len(head) < framing.needs:
            head = head.ljust(framing.needs, b"\0")
        for size in framing.sizes(head):
            frame = stream[at : at + size]
            if len(frame) < size or not frame.endswith(framing.end):
                continue
            if framing.checks(frame):
                return Found(at, size, framing, ok=True)
            if framing.end and wrong is None and frame.find(framing.start, 1) < 0:
                wrong = Found(at, size, framing, ok=False)
    return wrong
