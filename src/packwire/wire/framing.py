"""Framings as data: how a frame begins, how long it is, what checks it, how it ends.

A framing says nothing of what carries it: the same row finds frames in a TCP stream, on a serial line, in
notifications and in a capture. `Framer` takes a live stream piece by piece, `frames_in` a recorded one.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, override

from packwire.wire.checksum import CHECKSUMS
from packwire.wire.fields import ByteOrder
from packwire.wire.frame import Frame, StreamFramer, Waiting


@dataclass(frozen=True, slots=True)
class ByteIs:
    """A rule holds only for frames whose byte `at` is one of these."""

    at: int
    values: frozenset[int]

    def fits(self, frame: bytes) -> bool:
        """Tell whether the byte is there and one of these."""
        return len(frame) > self.at and frame[self.at] in self.values


@dataclass(frozen=True, slots=True)
class Size:
    """One way to tell the size of a whole frame from its first bytes.

    Without `at` the size is `add`. Otherwise a number of `width` bytes at `at` (with `digits`: written as
    that many hexadecimal digits) is read; `mask` says which of its bits count, and with `check_digit` its
    first digit is the negated sum of the others [YD/T 1363.3]. It must be a multiple of `multiple`, at least
    `least` and at most `most`; the size is that number times `times`, plus `add`. `when` lists what else must
    be there. `value` is where the value begins that such a frame writes; 0: that is not known. `needs` is how
    many of a frame's first bytes the rule looks at.
    """

    add: int
    at: int | None = None
    width: int = 1
    order: ByteOrder = "big"
    digits: bool = False
    mask: int | None = None
    check_digit: bool = False
    times: int = 1
    multiple: int = 1
    least: int = 0
    most: int | None = None
    when: tuple[ByteIs, ...] = ()
    value: int = 0
    needs: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        counted = 0 if self.at is None else self.at + self.width
        object.__setattr__(self, "needs", max(counted, *(each.at + 1 for each in self.when), 0))

    def of(self, head: bytes) -> int | None:
        """Return the size that the first bytes of a frame tell; None where this rule does not fit."""
        if len(head) < self.needs:
            return None
        for each in self.when:
            if head[each.at] not in each.values:
                return None
        if self.at is None:
            return self.add
        number = self._number(head, self.at)
        if (
            number is None
            or number < self.least
            or number % self.multiple
            or (self.most is not None and number > self.most)
        ):
            return None
        return number * self.times + self.add

    def _number(self, head: bytes, at: int) -> int | None:
        """Return the number that stands there; None where there is none."""
        if self.width == 1 and not self.digits:
            number = head[at]
        else:
            written = head[at : at + self.width]
            if not self.digits:
                number = int.from_bytes(written, self.order)
            elif all(byte in _HEX_DIGITS for byte in written):
                number = int(written, 16)
            else:
                return None
        if self.check_digit and number >> 4 * (self.width - 1) != _check_digit(number, self.width):
            return None
        return number if self.mask is None else number & self.mask

    def fits(self, head: bytes) -> bool:
        """Tell whether what must be there is there."""
        return all(each.fits(head) for each in self.when)

    def said_in(self, frame: bytes) -> bytes | None:
        """Return a frame with its own size said in it; None where this rule cannot say it."""
        if self.at is None:
            return frame if len(frame) == self.add else None
        number, rest = divmod(len(frame) - self.add, self.times)
        digits = self.width - self.check_digit
        if rest or not 0 <= number < (16 if self.digits else 256) ** digits:
            return None
        if self.check_digit:
            number |= _check_digit(number, self.width) << 4 * digits
        said = b"%0*X" % (self.width, number) if self.digits else number.to_bytes(self.width, self.order)
        return frame[: self.at] + said + frame[self.at + self.width :]


_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")


def _check_digit(number: int, digits: int) -> int:
    """Return the digit with which the others of a number add up to a multiple of 16."""
    return -sum(number >> 4 * at & 15 for at in range(digits - 1)) & 15


@dataclass(frozen=True, slots=True)
class FrameCheck:
    """A checksum of the catalogue: over the bytes from `begin` to `end`, stored at `at`.

    `end` and `at` may be negative, counted from the frame's end. With `digits` it is written in hexadecimal.
    """

    checksum: str
    begin: int
    end: int
    at: int
    order: ByteOrder = "big"
    digits: bool = False

    @property
    def size(self) -> int:
        """Return how many bytes it takes in a frame."""
        return CHECKSUMS[self.checksum].size * (1 + self.digits)

    def right(self, frame: bytes) -> bytes:
        """Return the bytes that are right as the frame's checksum."""
        entry = CHECKSUMS[self.checksum]
        number = entry.of(frame[self.begin : self.end])
        return b"%0*X" % (self.size, number) if self.digits else number.to_bytes(entry.size, self.order)

    def stored(self, frame: bytes) -> bytes:
        """Return the bytes that stand there."""
        found = frame[self.at : self.at + self.size or None]
        return found.upper() if self.digits else found

    def holds(self, frame: bytes) -> bool:
        """Tell whether what stands there is right."""
        if self.digits:
            return self.stored(frame) == self.right(frame)
        entry = CHECKSUMS[self.checksum]
        stored = frame[self.at : self.at + entry.size or None]
        return int.from_bytes(stored, self.order) == entry.of(frame[self.begin : self.end])

    def set(self, frame: bytes) -> bytes:
        """Return the frame with its checksum made right."""
        at = self.at if self.at >= 0 else len(frame) + self.at
        return frame[:at] + self.right(frame) + frame[at + self.size :]


#: Bytes of a frame whose end is marked, and whose size nothing says.
_LONGEST_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Framing:
    """One framing.

    The message in a frame is `payload`, from its first number to its second (negative: from the end).
    `header` is how many of the first bytes of a message say what kind it is, `asks` the same for a request
    where that takes more (the register that it asks for), `wraps` the byte behind which a request for another
    node follows. `queries` tells a request that only asks. `count` is the byte of a command that says how
    many bytes behind it mean something; the rest of such a command is rubbish, different each time.
    `inferred`: nobody knows this framing, it was found in a stream; its `header` says nothing. `needs` is how
    many of a frame's first bytes tell its size at most.
    """

    name: str
    start: bytes
    sizes: tuple[Size, ...]
    check: FrameCheck | None = None
    end: bytes = b""
    payload: tuple[int, int | None] = (0, None)
    header: int = 1
    asks: int = 0
    wraps: int | None = None
    queries: ByteIs | None = None
    count: int | None = None
    inferred: bool = False
    until: bytes = b""
    """No number says the size: a frame goes on until this, and its checksum and its end lie behind it."""
    hexadecimal: bool = False
    """Between start and end each byte is written as two hexadecimal digits."""
    unit: bool = False
    """Each unit of the link (a CAN frame) is one frame; in a stream there are none."""
    needs: int = field(init=False, compare=False, repr=False)
    least: int = field(init=False, compare=False, repr=False)
    """No frame is shorter than this: the start, the checksum and the end."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", max([len(self.start), *(size.needs for size in self.sizes)]))
        check = self.check.size if self.check else 0
        object.__setattr__(self, "least", max(len(self.start) + check + len(self.end), 1))

    def forms_of(self, head: bytes) -> Iterator[tuple[int, Size]]:
        """Yield the sizes that a frame may have which begins so, each with the rule that says it.

        Of the first `needs` bytes some may be missing: then rules that look at them say nothing.
        """
        for rule in self.sizes:
            size = rule.of(head)
            if size is not None and size >= self.least and size >= rule.needs:
                yield size, rule

    def sizes_of(self, head: bytes) -> Iterator[int]:
        """Yield the sizes that a frame may have which begins so."""
        return (size for size, _ in self.forms_of(head))

    def checks(self, frame: bytes) -> bool:
        """Tell whether the frame's checksum is right.

        Without one: True, but of an inferred framing, whose length may be an accident, only where no other
        frame begins inside.
        """
        if self.unit:
            return True
        if self.check is None:
            return not self.inferred or len(self.start) == 1 or frame.find(self.start, 1) < 0
        return self.check.holds(frame)

    def form_of(self, frame: bytes) -> Size | None:
        """Return the rule by which some bytes are one whole, right frame; None where they are none."""
        if not frame.startswith(self.start) or not frame.endswith(self.end):
            return None
        if self.unit or self.until:
            whole = self.unit or self.size_until(frame, 0) == len(frame)
            return Size(len(frame)) if whole and self.checks(frame) else None
        form = next((rule for size, rule in self.forms_of(frame[: self.needs]) if size == len(frame)), None)
        return form if form is not None and self.checks(frame) else None

    def size_until(self, stream: bytes, at: int) -> int | None:
        """Return the size of the frame that begins at a place; None where its end did not come."""
        found = stream.find(self.until, at, at + _LONGEST_TEXT)
        if found < 0:
            return None
        return found - at + len(self.until) + (self.check.size if self.check else 0) + len(self.end)

    def header_of(self, message: bytes, *, asks: bool) -> int:
        """Return how many of the first bytes of a message say what kind it is."""
        if not asks or not self.asks:
            return self.header
        return self.asks + 2 * (bool(message) and message[0] == self.wraps)

    def seal(self, frame: bytes, places: Collection[int] | None = None) -> bytes:
        """Return a frame with its length and its checksum made right, by the first size rule that fits.

        Only what begins in `places` is touched, where they are given. Raises ValueError where that rule
        cannot say such a size.
        """
        rules = [each for each in self.sizes if each.fits(frame) and (places is None or each.at in places)]
        sealed = rules[0].said_in(frame) if rules else frame
        if sealed is None:
            raise ValueError(f"no {self.name} frame is {len(frame)} bytes long")
        if self.check is None:
            return sealed
        at = self.check.at if self.check.at >= 0 else len(frame) + self.check.at
        return self.check.set(sealed) if places is None or at in places else sealed

    def payload_of(self, frame: bytes) -> bytes:
        """Return the message in a frame."""
        return frame[slice(*self.payload)]


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
            return Look(look.found, 0, checked)
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
        return Look(None, arrived + 1 if arrived < _LONGEST_TEXT else 0, 2 * min(arrived, _LONGEST_TEXT))
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
            stats.waiting = waiting._replace(arrived=len(self._buffer))
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
        starts = _Starts(buffer, self.framings)
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
