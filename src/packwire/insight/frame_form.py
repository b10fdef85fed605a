"""How the frames of an unknown protocol are made: start, length, checksum, end, hexadecimal digits.

All whole messages of one direction are looked at together: what they have in common is the form, what tells
how long each is counts only where they have several lengths.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from packwire.insight.checksum_search import COMMON, MOST_CHANCE, Finding, Place, find
from packwire.insight.digits import find_digits
from packwire.wire.checksum import CHECKSUMS
from packwire.wire.framing import FrameCheck

if TYPE_CHECKING:
    from packwire.wire.fields import ByteOrder

#: A form holds in so many messages: the others are pieces, or damaged.
_MOST = 0.9
#: So much of all bytes is in messages that begin alike; of several forms, each holds so much.
_MOST_BEGIN, _LEAST_HELD = 0.9, 0.05
#: The first bytes that are always alike are a start up to so many; the length is among so many.
_LONGEST_START, _LENGTH_WITHIN = 4, 9
#: The length that is written as digits is among so many first ones.
_DIGITS_WITHIN = 20
#: All bytes but digits.
_DIGITS = b"0123456789abcdefABCDEF"
_OTHERS = bytes(set(range(256)) - set(_DIGITS))
#: Messages of one size that begin in more ways than this have no start.
_MOST_FIRST = 8
#: A length leaves out so many bytes of a frame at most.
_LEFT_OUT = 16
#: An end has so many bytes at most.
_LONGEST_END = 4


@dataclass(frozen=True, slots=True)
class LengthField:
    """Where a frame says how long it is: the number at `at`, plus `add`, is the size of the whole frame.

    `sure`: frames of several sizes say so; else one size fits, which may be an accident. With `digits` it is
    written as so many hexadecimal ones; with `check_digit` they add up to a multiple of 16 [YD/T 1363.3].
    """

    at: int
    width: int
    little: bool
    add: int
    sure: bool
    digits: bool = False
    check_digit: bool = False

    def said_by(self, message: bytes) -> int | None:
        """Return how long a message says that it is; None where no number stands there."""
        said = message[self.at : self.at + self.width]
        if not self.digits:
            return int.from_bytes(said, "little" if self.little else "big") + self.add
        if len(said) < self.width or said.strip(_DIGITS):
            return None
        number = int(said, 16)
        if self.check_digit:
            if sum(int(digit, 16) for digit in said.decode()) % 16:
                return None
            number &= (1 << 4 * (self.width - 1)) - 1
        return number + self.add


@dataclass(frozen=True, slots=True)
class FrameForm:
    """The form of frames; `right` of `total` messages have it, and have one of `sizes`."""

    start: bytes
    end: bytes
    length: LengthField | None
    sizes: tuple[int, ...]
    checksums: tuple[Finding, ...]
    digits: bool
    right: int
    total: int


def find_forms(messages: Sequence[bytes]) -> tuple[FrameForm, ...]:
    """Return the forms of the messages of one direction, the one of most bytes first.

    Those that begin alike are taken together; what begins as few others do is a piece, or damaged.
    """
    some = list(dict.fromkeys(each for each in messages if len(each) > 2))
    start = _as_all(_start(some), messages)
    if start:
        return (_form(some, start),)
    by_first: dict[bytes, list[bytes]] = {}
    for each in some:
        by_first.setdefault(each[:1], []).append(each)
    whole = sum(len(each) for each in messages)
    if len(by_first) > _MOST_FIRST and len({len(each) for each in messages}) == 1:
        return (_form(some, b""),)  # they begin with a number, not with a mark
    repeated = Counter(each[:1] for each in messages)
    result = []
    for first, own in by_first.items():
        held = sum(len(each) for each in messages if each.startswith(first))
        if held >= _LEAST_HELD * whole and repeated[first] > 1:
            result.append((held, _form(own, _start(own) or first)))
    return tuple(form for _, form in sorted(result, key=lambda each: -each[0]))


def checked_alike(form: FrameForm, others: Sequence[FrameForm], messages: Sequence[bytes]) -> FrameForm:
    """Return a form of too few messages to tell their checksum with that of another form, if they have it."""
    own = [each for each in messages if each.startswith(form.start) and len(each) in form.sizes]
    for other in others:
        if form.checksums or not own or (other.start, other.digits) != (form.start, form.digits):
            continue
        for found in other.checksums[:1]:
            place = found.place
            order: ByteOrder = "little" if place.little else "big"
            if found.name not in CHECKSUMS or place.end is None:
                continue
            check = FrameCheck(found.name, place.begin, place.end, place.at, order, digits=form.digits)
            if all(len(each) > check.size and check.holds(each) for each in own):
                ends = all(each.endswith(other.end) for each in own)
                return replace(form, checksums=other.checksums, end=other.end if ends else form.end)
    return form


def _form(some: Sequence[bytes], start: bytes) -> FrameForm:
    whole = [each for each in some if each.startswith(start)]
    digits = _are_digits(whole)
    mark, end = _marks(whole[0]) if digits else (start, b"")
    start = start[: len(mark)]
    length = _length_of_digits(whole, len(start)) if digits else _length(whole, len(start))
    if length is not None and length.sure:
        whole = [each for each in whole if length.said_by(each) == len(each)]
    sizes = {len(each) for each in whole}
    checks = _checks_of_digits(whole, len(end)) if digits else find(list(dict.fromkeys(whole)))
    end = end if digits else _end(whole, checks)
    return FrameForm(start, end, length, tuple(sorted(sizes)), checks, digits, len(whole), len(some))


def _start(messages: Sequence[bytes]) -> bytes:
    """Return the first bytes that nearly all messages have alike."""
    common = b""
    for at in range(_LONGEST_START):
        held: Counter[bytes] = Counter()
        for each in messages:
            held[each[: at + 1]] += len(each)
        longer, count = held.most_common(1)[0] if held else (b"", 0)
        if count < _MOST_BEGIN * sum(held.values()):
            break
        common = longer
    alike = [each for each in messages if each.startswith(common)]
    different = len({each[: len(common) + 1] for each in alike})
    # Where all messages are of one kind, what says the kind is no part of the start.
    return common if different > 1 or len(common) <= 2 else common[:2]


def _as_all(start: bytes, messages: Sequence[bytes]) -> bytes:
    """Return what of a start all have that came more than once and begin with its first byte."""
    heads = Counter(each[: len(start)] for each in messages if each[:1] == start[:1])
    common = [start, *(head for head, count in heads.items() if count > 1)]
    length = next(
        (at for at in range(len(start)) if len({each[at : at + 1] for each in common}) > 1), len(start)
    )
    return start[:length]


def _length(messages: Sequence[bytes], begin: int) -> LengthField | None:
    """Return the number that says how long each message is, the simplest where there are several."""
    several = len({len(each) for each in messages}) > 1
    found = []
    for width in (1, 2):
        for little in (False, True)[:width]:
            for at in range(min(begin, 1), _LENGTH_WITHIN):
                long = [each for each in messages if len(each) >= at + width]
                if len(long) < _MOST * len(messages):
                    continue
                order: ByteOrder = "little" if little else "big"
                rests = [len(each) - int.from_bytes(each[at : at + width], order) for each in long]
                add, count = Counter(rests).most_common(1)[0]
                # Where nearly all messages have one size, that of the others tells a length from a constant.
                told = {len(each) for each, rest in zip(long, rests, strict=True) if rest == add}
                if 0 <= add <= _LEFT_OUT and count >= _MOST * len(messages) and (len(told) > 1) == several:
                    found.append(LengthField(at, width, little, add, sure=several))
    # Two bytes of which the first is always 0 say no more than one.
    found.sort(key=lambda each: (each.width == 2 and not _is_two(messages, each), each.width, each.at))
    return found[0] if found and (several or found[0].add) else None


def _is_two(messages: Sequence[bytes], length: LengthField) -> bool:
    high = length.at + (1 if length.little else 0)
    return len({each[high] for each in messages}) > 1


def _end(messages: Sequence[bytes], checks: Sequence[Finding]) -> bytes:
    """Return the last bytes that all messages have alike; with a checksum, those behind it."""
    if not messages:
        return b""
    room = _LONGEST_END
    if checks and checks[0].place.at < 0:
        room = -checks[0].place.at - checks[0].checksum.size
    elif len({len(each) for each in messages}) < 2:
        return b""  # where all are so long, what is always alike at the end may be anything
    end = b""
    for size in range(1, room + 1):
        ends = {each[-size:] for each in messages}
        if len(ends) > 1:
            break
        end = next(iter(ends))
    return end if end.strip(b"\0") else b""


def _marks(message: bytes) -> tuple[bytes, bytes]:
    """Return what stands before the digits of a message, and behind them."""
    begin = len(message) - len(message.lstrip(_OTHERS))
    end = len(message.rstrip(_OTHERS))
    return message[:begin], message[end:]


def _length_of_digits(messages: Sequence[bytes], begin: int) -> LengthField | None:
    """Return the digits that say how long each message is, where there are several sizes."""
    sizes = {len(each) for each in messages}
    for width, check_digit in ((4, False), (4, True), (2, False)):
        for at in range(begin, begin + _DIGITS_WITHIN):
            field = LengthField(at, width, False, 0, True, digits=True, check_digit=check_digit)
            said = [field.said_by(each) for each in messages]
            rests = Counter(
                len(each) - told for each, told in zip(messages, said, strict=True) if told is not None
            )
            add, count = rests.most_common(1)[0] if rests else (-1, 0)
            if 0 <= add <= 2 * _LEFT_OUT and count == len(messages) and len(sizes) > 1:
                return replace(field, add=add)
    return None


def _checks_of_digits(messages: Sequence[bytes], end: int) -> tuple[Finding, ...]:
    """Return the checksum over the digits of messages, written as digits right before their end."""
    different = list(dict.fromkeys(messages))
    result = []
    for name, entry in CHECKSUMS.items():
        at = -end - 2 * entry.size
        for begin in (0, 1):
            check = FrameCheck(name, begin, at, at, digits=True)
            bits = entry.bits * (len({check.stored(each) for each in different}) - 1)
            chance = len(CHECKSUMS) * 2.0**-bits
            if chance <= MOST_CHANCE and all(check.holds(each) for each in different):
                right = len(different)
                result.append(Finding(entry, Place(begin, at, at), chance, right, right))
    return tuple(sorted(result, key=lambda each: (each.name not in COMMON, each.chance, each.place.begin)))


def _are_digits(messages: Sequence[bytes]) -> bool:
    """Say whether all but the marks of each message is written as hexadecimal digits."""
    if not messages or len({_marks(each) for each in messages}) > 1:
        return False
    for each in messages[:32]:
        found = find_digits(np.frombuffer(each, dtype=np.uint8)[None])
        if found is None or found.end - found.begin < len(each) - 4:
            return False
    return True


__all__ = ["MOST_CHANCE", "FrameForm", "LengthField", "find_forms"]
