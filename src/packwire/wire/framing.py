"""Framings as data: how a frame begins, how long it is, what checks it, how it ends.

A framing says nothing of what carries it: the same row finds frames in a TCP stream, on a serial line, in
notifications and in a capture: see `packwire.wire.finding`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from packwire.wire.checksum import CHECKSUMS
from packwire.wire.fields import ByteOrder


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

    `end` and `at` may be negative, counted from the frame's end. With `digits` it is written in hexadecimal;
    `of_digits` takes it of the bytes that the digits there write, in place of the digits.
    """

    checksum: str
    begin: int
    end: int
    at: int
    order: ByteOrder = "big"
    digits: bool = False
    of_digits: bool = False

    @property
    def size(self) -> int:
        """Return how many bytes it takes in a frame."""
        return CHECKSUMS[self.checksum].size * (1 + self.digits)

    def right(self, frame: bytes) -> bytes:
        """Return the bytes that are right as the frame's checksum."""
        entry = CHECKSUMS[self.checksum]
        number = entry.of(self._covered(frame))
        return b"%0*X" % (self.size, number) if self.digits else number.to_bytes(entry.size, self.order)

    def _covered(self, frame: bytes) -> bytes:
        covered = frame[self.begin : self.end]
        return from_digits(covered) if self.of_digits else covered

    def stored(self, frame: bytes) -> bytes:
        """Return the bytes that stand there."""
        found = frame[self.at : self.at + self.size or None]
        return found.upper() if self.digits else found

    def holds(self, frame: bytes) -> bool:
        """Tell whether what stands there is right."""
        if self.digits:
            digits = not self.of_digits or bool(self._covered(frame))
            return digits and self.stored(frame) == self.right(frame)
        entry = CHECKSUMS[self.checksum]
        stored = frame[self.at : self.at + entry.size or None]
        return int.from_bytes(stored, self.order) == entry.of(self._covered(frame))

    def set(self, frame: bytes) -> bytes:
        """Return the frame with its checksum made right."""
        at = self.at if self.at >= 0 else len(frame) + self.at
        return frame[:at] + self.right(frame) + frame[at + self.size :]


def from_digits(digits: bytes) -> bytes:
    """Return the bytes that hexadecimal digits stand for; empty where they are none."""
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return b""


#: Bytes of a frame whose end is marked, and whose size nothing says.
LONGEST_TEXT = 1024


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
    skips: int = 0
    """In place of a start: so many bytes that may be any."""
    unit: bool = False
    """Each unit of the link (a CAN frame) is one frame; in a stream there are none."""
    needs: int = field(init=False, compare=False, repr=False)
    least: int = field(init=False, compare=False, repr=False)
    """No frame is shorter than this: the start, the checksum and the end."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", max([self.lead, *(size.needs for size in self.sizes)]))
        check = self.check.size if self.check else 0
        object.__setattr__(self, "least", max(self.lead + check + len(self.end), 1))

    @property
    def lead(self) -> int:
        """Return how many bytes come before what a frame says."""
        return self.skips + len(self.start)

    @property
    def tail(self) -> int:
        """Return how many bytes come behind what a frame says: a checksum and an end."""
        return -self.check.at if self.check and self.check.at < 0 else len(self.end)

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
        found = stream.find(self.until, at, at + LONGEST_TEXT)
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

    def plain(self, command: bytes) -> bytes:
        """Return a right command with zeros in place of the rubbish behind what it means."""
        tail = len(self.end) + (self.check.size if self.check else 0)
        if self.count is None or self.form_of(command) is None:
            return command
        means = self.count + 1 + command[self.count]
        if means > len(command) - tail:
            return command
        zeros = bytes(len(command) - tail - means)
        plain = command[:means] + zeros + command[len(command) - tail :]
        return self.check.set(plain) if self.check else plain

    def payload_of(self, frame: bytes) -> bytes:
        """Return the message in a frame."""
        return frame[slice(*self.payload)]
