"""Application framings that are known: how a frame begins, how long it is, what checks it, how it ends.

A frame may be longer than a notification, so it is put together from the values of one channel. Which framing
a channel uses is found by trial: the one whose frames, with right checksums, hold most of its bytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from packwire.vesc.commands import Command
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
    bytes of a message say what kind it is, `asks` the same for a request where that takes more (the register
    that it asks for), `wraps` the byte behind which a request for another node follows. `payload` is the
    slice of the frame that is its message, `count` the byte of a command that says how many bytes behind it
    mean something; the rest of such a command is rubbish, different each time. `queries` tells whether a
    request only asks. `inferred`: nobody knows this framing, it was found in the stream; its `header` says
    nothing, and where no checksum was found either, `checksum` is empty.
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
    wraps: int | None = None
    count: int | None = None
    queries: Callable[[bytes], bool] | None = None
    inferred: bool = False

    def checks(self, frame: bytes) -> bool:
        """Tell whether the frame's checksum is right; without one, whether no other frame begins inside."""
        if not self.checksum:
            return len(self.start) == 1 or frame.find(self.start, 1) < 0
        said = frame[self.checksum_at : self.checksum_at + self.checksum_size or None]
        return (said.upper() if self.ascii_hex else said) == self.checksum_of(frame)

    def checksum_of(self, frame: bytes) -> bytes:
        """Return the bytes that are right as the frame's checksum."""
        checksum = CHECKSUMS[self.checksum]
        number = checksum.of(frame[self.covered])
        if self.ascii_hex:
            return b"%0*X" % (2 * checksum.size, number)
        return number.to_bytes(checksum.size, "little" if self.order == "little" else "big")

    def header_of(self, message: bytes, *, asks: bool) -> int:
        """Return how many of the first bytes of a message say what kind it is."""
        if not asks or not self.asks:
            return self.header
        return self.asks + 2 * (bool(message) and message[0] == self.wraps)

    @property
    def checksum_size(self) -> int:
        """Return how many bytes of a frame its checksum takes."""
        return CHECKSUMS[self.checksum].size * (1 + self.ascii_hex) if self.checksum else 0


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


def _modbus_value(message: bytes) -> int:
    """Return where the value of a write begins: behind the register, or behind the count of bytes."""
    if message[1] != 16:
        return 4
    return 7 if len(message) == message[6] + 9 else 6


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
    return Framing(
        name,
        start,
        7,
        _modbus_sizes,
        "CRC-16/MODBUS",
        slice(0, -2),
        -2,
        2,
        "little",
        asks=4,
        queries=lambda frame: 1 <= frame[1] <= 4,
    )


#: The table. What is more certain comes first: where two fit equally well, the first is taken.
FRAMINGS = (
    Framing("JBD", b"\xdd", 4, _counted(3, 7), "sum16 negated", slice(2, -3), -3, 2, end=b"\x77", asks=3,
        queries=lambda frame: frame[1] == 0xA5),
    Framing("JK", b"\x55\xaa\xeb\x90", 5, _fixed(300), "sum8", slice(0, -1), -1, 5),
    Framing("JK command", b"\xaa\x55\x90\xeb", 5, _fixed(20), "sum8", slice(0, -1), -1, 5, count=5,
        queries=lambda frame: frame[5] == 0),
    Framing(
        "ANT", b"\x7e\xa1", 6, _ant_sizes, "CRC-16/MODBUS", slice(1, -4), -4, 3,
        "little", b"\xaa\x55", asks=5, queries=lambda frame: frame[2] in (1, 2),
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
        payload=slice(2, -3), asks=1, wraps=Command.FORWARD_CAN,
    ),
    Framing(
        "VESC", b"\x03", 3, _vesc_sizes, "CRC-16/XMODEM", slice(3, -3), -3, 1, end=b"\x03",
        payload=slice(3, -3), asks=1, wraps=Command.FORWARD_CAN,
    ),
    _modbus("Modbus RTU", b""),
)  # fmt: skip

#: Framings of one family share a channel: a vendor's commands and its frames.
_FAMILIES = {"Daly (A5)": "Daly", "JK command": "JK", "ANT (old) command": "ANT (old)"}


def family(name: str) -> tuple[Framing, ...]:
    """Return the framings that go together under a name."""
    return tuple(each for each in FRAMINGS if family_of(each) == name)


def family_of(framing: Framing) -> str:
    """Return the name under which a framing goes together with others."""
    return _FAMILIES.get(framing.name, framing.name)


FAMILIES = tuple(dict.fromkeys(family_of(each) for each in FRAMINGS))


#: A framing that holds so much of a stream is taken without a look at the others.
_NEARLY_ALL = 0.95


class Request(NamedTuple):
    """What a request says (without rubbish), whether its framing is known, whether it only asks."""

    meaning: bytes
    known: bool
    query: bool


def request_of(message: bytes) -> Request:
    """Read one message of an app as a request of the first framing that it is a whole frame of."""
    framing = _framing_of(message)
    if framing is None:
        return Request(message, known=False, query=False)
    count = framing.count
    meaning = message if count is None else message[: count + 1 + message[count]]
    return Request(meaning, known=True, query=bool(framing.queries and framing.queries(message)))


class Written(NamedTuple):
    """What a write is written to lies before `control`, its value from `begin` (0: not known) to `end`."""

    control: int
    begin: int
    end: int


def written(message: bytes) -> Written | None:
    """Return what a write of a known framing writes; None where no framing fits."""
    framing = _framing_of(message)
    if framing is None:
        return None
    if framing.count is not None:
        return Written(framing.header, 0, framing.count + 1 + message[framing.count])
    begin = _modbus_value(message) if framing.sizes is _modbus_sizes else 0
    return Written(framing.asks or framing.header, begin, len(message) + framing.checksum_at)


def _framing_of(message: bytes) -> Framing | None:
    for framing in FRAMINGS:
        if not message.startswith(framing.start) or len(message) < framing.needs:
            continue
        sizes = framing.sizes(message[: framing.needs])
        if len(message) in sizes and message.endswith(framing.end) and framing.checks(message):
            return framing
    return None


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
        if held >= _NEARLY_ALL * len(stream) > 0:
            break
    return best[1]


def frames_in(stream: bytes, framings: tuple[Framing, ...]) -> Iterator[Found]:
    """Yield the frames of a stream; what lies between them is in none.

    A wrong checksum is let pass where the frame's end is marked as it should be, and no right frame begins
    inside of it. Work grows linearly with the stream, whatever is in it: of bytes that are made to look like
    the beginning of one long frame after the other, only some are looked at.
    """
    starts = _Starts(stream, framings)
    at = wasted = 0
    while at < len(stream):
        found = None
        if wasted <= _FREE_CHECKS + _MAX_CHECKS * at:
            found, checked = _frame_at(stream, at, framings)
            wasted += 0 if found and found.ok else checked
        if found is None:
            at = starts.next(at + 1)
            continue
        yield found
        at += found.size


#: Of frames that turn out to be none, so many bytes may be checked for each byte of a stream, and so many
#: beyond that.
_MAX_CHECKS, _FREE_CHECKS = 32, 1 << 16


class _Starts:
    """Finds where in a stream a frame may begin; each start is looked for once."""

    def __init__(self, stream: bytes, framings: tuple[Framing, ...]) -> None:
        self._stream = stream
        self._next = {framing.start: -1 for framing in framings}

    def next(self, at: int) -> int:
        """Return the first place from `at` on; `at` may only grow from call to call."""
        for start, place in self._next.items():
            if place < at:
                found = self._stream.find(start, at)
                self._next[start] = len(self._stream) if found < 0 else found
        return min(self._next.values())


def _frame_at(stream: bytes, at: int, framings: tuple[Framing, ...]) -> tuple[Found | None, int]:
    """Look for a frame at one place, a right one before a wrong one; also return how much was checked."""
    wrong, checked = None, 0
    for framing in framings:
        if not stream.startswith(framing.start, at):
            continue
        head = stream[at : at + framing.needs].ljust(framing.needs, b"\0")
        for size in framing.sizes(head):
            if at + size > len(stream) or not stream.endswith(framing.end, at, at + size):
                continue
            frame = stream[at : at + size]
            checked += size
            if framing.checks(frame):
                return Found(at, size, framing, ok=True), checked
            if framing.end and wrong is None and frame.find(framing.start, 1) < 0:
                wrong = Found(at, size, framing, ok=False)
    return wrong, checked
