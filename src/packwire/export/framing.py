"""How frames are found in a stream: the functions that do it, in whatever language."""

from packwire.export.language import ProgramLanguage
from packwire.export.places import moved
from packwire.wire.checksum import CHECKSUMS, Checksum, ChecksumKind
from packwire.wire.framing import LONGEST_TEXT, FrameCheck, Framing, Size

#: A frame that says it is longer is none.
LONGEST = 4096
#: What a function gives where a frame may have begun of which bytes are missing.
WAITING = -1


def write_framings(to: ProgramLanguage, framings: tuple[Framing, ...]) -> None:
    """Write `frame_1` and so on: the size of the right frame at a place; 0: none; -1: bytes are missing.

    `checksum_1` and so on, which they need, come first, each once.
    """
    made = [(each.check.checksum, each.check.of_digits) for each in framings if each.check]
    sums = {each: f"checksum_{number}" for number, each in enumerate(dict.fromkeys(made), 1)}
    for (name, of_digits), function in sums.items():
        to.gap()
        to.say(f"The checksum {name}{' of what digits write' * of_digits}.")
        with to.block(to.checks(function)):
            _write_checksum(to, CHECKSUMS[name], of_digits=of_digits)
    for number, framing in enumerate(framings, 1):
        to.gap()
        to.say("How long the frame is that begins there; 0: none does, -1: bytes are missing.")
        with to.block(to.function(f"frame_{number}")):
            check = framing.check
            _Finder(to, framing, sums[check.checksum, check.of_digits] if check else "").write()


def _write_checksum(to: ProgramLanguage, entry: Checksum, *, of_digits: bool) -> None:
    many = 1 << entry.bits
    count = to.divided("(behind - begin)", 2) if of_digits else "behind - begin"
    to.put(to.let("total", str(entry.init)))
    if entry.kind is ChecksumKind.FLETCHER:
        to.put(to.let("low", str(entry.init & 0xFF)))
        to.put(to.let("high", str(entry.init >> 8)))
    with to.block(to.each("number", count)):
        byte = to.byte("begin + number")
        if of_digits:
            to.put(to.let("byte", to.digits("begin + 2 * number", 2)))
            with to.block(to.when("byte < 0")):
                to.put(to.give("-1"))
            byte = "byte"
        match entry.kind:
            case ChecksumKind.SUM:
                to.put(to.set("total", f"total + {byte}"))
            case ChecksumKind.XOR:
                to.put(to.set("total", to.xor("total", byte)))
            case ChecksumKind.FLETCHER:
                to.put(to.set("low", f"(low + {byte}) % {entry.poly}"))
                to.put(to.set("high", f"(high + low) % {entry.poly}"))
            case ChecksumKind.CRC:
                _write_crc(to, entry, byte)
    if entry.kind is ChecksumKind.FLETCHER:
        to.put(to.set("total", "high * 256 + low"))
    if entry.kind is ChecksumKind.SUM:
        to.put(to.set("total", f"total % {many}"))
    if entry.xorout:
        to.put(to.set("total", to.xor("total", str(entry.xorout))))
    to.put(to.give(f"({many} - total) % {many}" if entry.negate else "total"))


def _write_crc(to: ProgramLanguage, entry: Checksum, byte: str) -> None:
    many = 1 << entry.bits
    poly = entry.poly
    if entry.reflected:
        poly = int(f"{poly:0{entry.bits}b}"[::-1], 2)
        to.put(to.set("total", to.xor("total", byte)))
        shifted, falls = to.divided("total", 2), "total % 2 == 1"
    else:
        to.put(to.set("total", to.xor("total", f"{byte} * {1 << entry.bits - 8}")))
        shifted, falls = f"total * 2 % {many}", f"total >= {many // 2}"
    with to.block(to.each("step", "8")):
        to.put(to.let("poly", "0"))
        with to.block(to.when(falls)):
            to.put(to.set("poly", str(poly)))
        to.put(to.set("total", to.xor(shifted, "poly")))


class _Finder:
    """Writes the body of the function that finds frames of one framing."""

    def __init__(self, to: ProgramLanguage, framing: Framing, checksum: str) -> None:
        self.to = to
        self.framing = framing
        self.checksum = checksum

    def write(self) -> None:
        to, framing = self.to, self.framing
        to.put(to.let("room", "size - at"))
        for index, byte in enumerate(framing.start):
            wrong = f"{to.byte(moved('at', index))} {to.differs} {byte}"
            self._give(f"room > {index}{to.and_}{wrong}", "0")
        self._give(f"room < {max(1, len(framing.start))}", str(WAITING))
        if framing.until:
            self._until()
            return
        to.put(to.let("waiting", "0"))
        with to.block(to.when(f"room < {framing.needs}")):
            to.put(to.set("waiting", str(WAITING)))
        for rule in framing.sizes:
            self._rule(rule)
        to.put(to.give("waiting"))

    def _give(self, condition: str, value: str) -> None:
        with self.to.block(self.to.when(condition)):
            self.to.put(self.to.give(value))

    def _until(self) -> None:
        to, framing = self.to, self.framing
        to.put(to.let("found", to.find("at", framing.until)))
        with to.block(to.when(f"found < 0{to.and_}room < {LONGEST_TEXT}")):
            to.put(to.give(str(WAITING)))
        self._give("found < 0", "0")
        tail = len(framing.until) + (framing.check.size if framing.check else 0) + len(framing.end)
        to.put(to.let("length", f"found - at + {tail}"))
        self._give("length > room", str(WAITING))
        self._right()
        to.put(to.give("0"))

    def _rule(self, rule: Size) -> None:
        to = self.to
        there = [f"room >= {rule.needs}"] if rule.needs else []
        conditions = there + [to.byte_is(each, "at") for each in rule.when]
        with to.block(to.when(to.all(conditions) or "room > 0")):
            to.put(to.let("length", str(rule.add)))
            bounds = []
            if rule.at is not None:
                bounds = self._number(rule)
            least = max(self.framing.least, rule.needs)
            bounds += [f"length >= {least}", f"length <= {LONGEST}"]
            with to.block(to.when(to.all([*bounds, "length > room"]))):
                to.put(to.set("waiting", str(WAITING)))
            with to.block(to.when(to.all([*bounds, "length <= room"]))):
                self._right()

    def _number(self, rule: Size) -> list[str]:
        """Write what reads the number that says the length; return what it must be."""
        to = self.to
        place = moved("at", rule.at or 0)
        read = to.digits(place, rule.width) if rule.digits else to.unsigned(place, rule.width, rule.order)
        to.put(to.let("number", read))
        bounds = [f"number >= {rule.least}"]
        if rule.check_digit:
            top = rule.width - 1
            others = " + ".join(f"{to.divided('number', 16**at)} % 16" for at in range(top))
            to.put(to.let("digit", f"(16 - ({others}) % 16) % 16"))
            bounds.append(f"{to.divided('number', 16**top)} == digit")
        number = "number" if rule.mask is None else f"({to.common('number', rule.mask)})"
        if rule.mask is not None:
            to.put(to.let("counted", number))
            number = "counted"
            bounds = [f"counted >= {rule.least}", "number >= 0", *bounds[1:]]
        if rule.most is not None:
            bounds.append(f"{number} <= {rule.most}")
        if rule.multiple > 1:
            bounds.append(f"{number} % {rule.multiple} == 0")
        times = f" * {rule.times}" if rule.times > 1 else ""
        to.put(to.set("length", f"{number}{times} + {rule.add}"))
        return bounds

    def _right(self) -> None:
        """Write what gives the length where the end and the checksum are right."""
        to, framing = self.to, self.framing
        conditions = []
        if framing.end:
            conditions.append(to.same(f"at + length - {len(framing.end)}", framing.end))
        if framing.check is not None:
            conditions.append(self._checked(framing.check))
        with to.block(to.when(to.all(conditions) or "length > 0")):
            to.put(to.give("length"))

    def _checked(self, check: FrameCheck) -> str:
        to = self.to

        def place(number: int) -> str:
            return moved("at", number) if number >= 0 else f"at + length - {-number}"

        stored = (
            to.digits(place(check.at), check.size)
            if check.digits
            else to.unsigned(place(check.at), check.size, check.order)
        )
        return f"{stored} == {to.called(self.checksum)}(data, {place(check.begin)}, {place(check.end)})"
