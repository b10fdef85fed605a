"""Finding the frames of some framings: `frames_in` a recorded stream, `DataFramer` in a live one."""

from collections.abc import Iterator
from typing import NamedTuple, override

from packwire.wire.frame import Frame, StreamFramer, Waiting
from packwire.wire.framing import LONGEST_TEXT, Framing


class Found(NamedTuple):
    """A frame in a stream: where it begins, its size, its framing, and whether its checksum is right."""

    start: int
    size: int
    framing: Framing
    ok: bool


class Look(NamedTuple):
    """What stands at one place of a stream: a frame, or how many bytes one that begins there needs at least.

    `checked` counts the bytes over which checksums were made.
    """

    found: Found | None
    wants: int
    checked: int


def look_at(stream: bytes, at: int, framings: tuple[Framing, ...], longest: int) -> Look:
    """Look for a frame at one place, a right one before a wrong one.

    A wrong checksum is let pass where the frame's end is marked as it should be, and no right frame begins
    inside of it.
    """
    wrong, wants, checked = None, 0, 0
    arrived = len(stream) - at
    for framing in framings:
        if framing.unit or not stream.startswith(framing.start[:arrived], at):
            continue
        look = _look_until(stream, at, framing) if framing.until else _look(stream, at, framing, longest)
        checked += look.checked
        if look.found and look.found.ok:
            return look if checked == look.checked else Look(look.found, 0, checked)
        wrong = wrong or look.found
        wants = min(wants or look.wants, look.wants or wants)
    return Look(wrong, wants, checked)


def _look(stream: bytes, at: int, framing: Framing, longest: int) -> Look:
    """Look for a frame of one framing whose size is said at its beginning."""
    wrong, checked = None, 0
    arrived = len(stream) - at
    wants = framing.needs if arrived < framing.needs else 0
    head, least = stream[at : at + framing.needs], framing.least
    for rule in framing.sizes:
        size = rule.of(head)
        if size is None or size < least or size < rule.needs or size > longest:
            continue
        if size > arrived:
            wants = min(wants, size) or size
            continue
        if not stream.endswith(framing.end, at, at + size):
            continue
        frame = stream[at : at + size]
        checked += size
        if framing.checks(frame):
            return Look(Found(at, size, framing, ok=True), 0, checked)
        if framing.end and wrong is None and frame.find(framing.start, 1) < 0:
            wrong = Found(at, size, framing, ok=False)
    return Look(wrong, wants, checked)


def _look_until(stream: bytes, at: int, framing: Framing) -> Look:
    """Look for a frame whose end is marked, and whose size nothing says."""
    arrived = len(stream) - at
    size = framing.size_until(stream, at) if arrived >= framing.needs else None
    if size is None or size > arrived:
        return Look(None, arrived + 1 if arrived < LONGEST_TEXT else 0, 2 * min(arrived, LONGEST_TEXT))
    right = framing.checks(stream[at : at + size])
    return Look(Found(at, size, framing, ok=True) if right else None, 0, size)


#: Of frames that turn out to be none, so many bytes may be checked for each byte of a stream, and so many
#: beyond that.
_MAX_CHECKS, _FREE_CHECKS = 32, 1 << 16


def frames_in(stream: bytes, framings: tuple[Framing, ...], longest: int = 1 << 16) -> Iterator[Found]:
    """Yield the frames of a recorded stream; what lies between them is in none.

    Work grows linearly with the stream, whatever is in it: of bytes that are made to look like the beginning
    of one long frame after the other, only some are looked at.
    """
    starts = _Starts(stream, framings)
    at = wasted = 0
    while at < len(stream):
        found = None
        if wasted <= _FREE_CHECKS + _MAX_CHECKS * at:
            found, _, checked = look_at(stream, at, framings, longest)
            wasted += 0 if found and found.ok else checked
        if found is None:
            at = starts.next(at + 1)
            continue
        yield found
        at += found.size


class UnitFramer(StreamFramer):
    """Takes each unit of a link for a frame, as on a CAN bus."""

    __slots__ = ()

    @override
    def feed(self, data: bytes) -> list[Frame]:
        start = self.stats.received
        self.stats.received += len(data)
        self.stats.frames += 1
        return [Frame(data, start, len(data))]

    @override
    def rescue(self) -> list[Frame]:
        return []

    @override
    def _scan(self) -> list[Frame]:
        return []


class _Starts:
    """Finds where in a stream a frame may begin; each start is looked for once."""

    def __init__(self, stream: bytes, framings: tuple[Framing, ...]) -> None:
        self._stream = stream
        self._next = {framing.start: -1 for framing in framings if not framing.unit}

    def next(self, at: int) -> int:
        """Return the first place from `at` on; `at` may only grow from call to call."""
        for start, place in self._next.items():
            if place < at:
                found = self._stream.find(start, at)
                self._next[start] = len(self._stream) if found < 0 else found
        return min(self._next.values(), default=len(self._stream))


class DataFramer(StreamFramer):
    """Finds the frames of some framings in a live stream; none is longer than `longest` bytes."""

    __slots__ = ("_wasted", "framings", "longest")

    def __init__(self, framings: tuple[Framing, ...], longest: int = 4096) -> None:
        super().__init__()
        self.framings = framings
        self.longest = longest
        self._wasted = 0

    @override
    def feed(self, data: bytes) -> list[Frame]:
        stats = self.stats
        stats.received += len(data)
        self._buffer += data
        waiting = stats.waiting
        if waiting and len(self._buffer) < waiting.expected:
            stats.waiting = Waiting(waiting.since, waiting.expected, len(self._buffer))
            return []
        return self._scan()

    @override
    def rescue(self) -> list[Frame]:
        if self.stats.waiting is None:
            return []
        found = next(frames_in(bytes(self._buffer[1:]), self.framings, self.longest), None)
        return self._abandon(found.start + 1) if found and found.ok else []

    @override
    def _scan(self) -> list[Frame]:
        frames: list[Frame] = []
        stats, buffer = self.stats, bytes(self._buffer)
        origin = stats.received - len(buffer)
        starts: _Starts | None = None  # most pieces hold no junk
        at = junk = 0
        stats.waiting = None
        while at < len(buffer):
            allowed = self._wasted <= _FREE_CHECKS + _MAX_CHECKS * (origin + at)
            look = look_at(buffer, at, self.framings, self.longest) if allowed else Look(None, 0, 0)
            if look.found and look.found.ok:
                frame = buffer[at : at + look.found.size]
                frames.append(Frame(look.found.framing.payload_of(frame), origin + at, look.found.size))
                stats.frames += 1
                at += look.found.size
                continue
            if look.wants:
                stats.waiting = Waiting(origin + at, look.wants, len(buffer) - at)
                break
            self._wasted += look.checked
            stats.crc_errors += look.found is not None
            starts = starts or _Starts(buffer, self.framings)
            here, at = at, min(starts.next(at + 1), _begun(buffer, at + 1, self.framings))
            junk += at - here
        stats.junk += junk
        del self._buffer[:at]
        return frames


def _begun(buffer: bytes, at: int, framings: tuple[Framing, ...]) -> int:
    """Return where, at the very end of what came, the start of a frame may have begun."""
    longest = max(len(framing.start) for framing in framings)
    for place in range(max(at, len(buffer) - longest + 1), len(buffer)):
        if any(framing.start.startswith(buffer[place:]) for framing in framings):
            return place
    return len(buffer)
