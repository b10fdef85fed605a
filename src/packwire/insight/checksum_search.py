"""Which checksum closes some messages: its algorithm, what it is over, where it stands, in which byte order.

Looked for are all checksums of the catalogue, the rare ones too, and where none of them fits sums with a
constant and polynomials in no catalogue. What is usual counts for more: a sum over all but the first
byte, right before the end, needs less evidence than a CRC over bytes 7 to 31 that stands in the middle.

The chance of a finding is what a value that has nothing to do with the bytes would need to fit somewhere as
well: each message that differs in a way of its own makes it `2 ** -bits` times smaller. Messages that differ
in one byte alone teach little, because a byte that repeats another one looks like a checksum of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np

from packwire.insight.checksums import checksums, values_at
from packwire.insight.own_checksums import own_checksums
from packwire.messages import Bytes
from packwire.wire.checksum import CHECKSUMS, Checksum, ChecksumKind

#: Such a finding is told; what is likelier by chance is none.
MOST_CHANCE = 0.05
#: So many different messages are looked at, and so many more have to agree.
_SAMPLE, _ALL = 12, 4096
#: A checksum is right in so many messages: the others may be pieces, or damaged.
_MOST = 0.7
#: Where a checksum stands and what it is over, where nothing else is asked for.
_BEGINS, _TAILS, _HEADS = 9, 6, 6
#: What is expected before anything was seen: where the range begins, the bytes behind the checksum.
_BEGIN_WEIGHTS = (0.3, 0.2, 0.2, 0.08, 0.08)
_TAIL_WEIGHTS = (0.5, 0.2, 0.12, 0.04)
_RIGHT_BEFORE, _IN_HEAD = 0.85, 0.05
#: These are in most BMSs.
COMMON = (
    "sum8",
    "xor8",
    "sum16",
    "sum16 negated",
    "sum8 negated",
    "CRC-16/MODBUS",
    "CRC-16/XMODEM",
    "CRC-8/SMBUS",
)
_COMMON_SHARE = 0.7
#: Zeros, or a byte repeated, fit too many checksums.
_LEAST_VALUES = 3
#: Two bytes of which one repeats the other are so common (in bits).
_COPIES = 6.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a checksum stands and what it is over; negative numbers count from the end of a message.

    `end` None: up to the end. The checksum itself is never in the range.
    """

    begin: int
    end: int | None
    at: int
    little: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A checksum that fits: `right` of `total` messages; `chance` that one would that means nothing."""

    checksum: Checksum
    place: Place
    chance: float
    right: int
    total: int

    @property
    def name(self) -> str:
        """Return the name of the algorithm."""
        return self.checksum.name


@dataclass(frozen=True, slots=True)
class Step:
    """How far a search is, and what it has found: the simplest one first; more than one are a tie."""

    done: int
    total: int
    found: tuple[Finding, ...] = ()


def search(messages: Sequence[bytes], *, thorough: bool = False) -> Iterator[Step]:
    """Look for the checksum of messages of one kind, of one length or several; yield how far it is.

    All findings of the last step explain the messages equally well: no message here tells them apart.
    """
    different = list(dict.fromkeys(each for each in messages if len(each) > 2))
    lots = _lots(different)
    entries = tuple(CHECKSUMS.values())
    found: list[Finding] = []
    total = len(entries) + 1
    if not lots:
        yield Step(total, total)
        return
    for done, entry in enumerate(entries):
        found += _of_entry(entry, lots, different, len(entries), thorough=thorough)
        yield Step(done + 1, total, _ranked(found, different))
    if not found:
        found += _of_no_catalogue(lots, different)
    yield Step(total, total, _ranked(found, different))


def find(messages: Sequence[bytes], *, thorough: bool = False) -> tuple[Finding, ...]:
    """Return what `search` finds in the end."""
    found: tuple[Finding, ...] = ()
    for step in search(messages, thorough=thorough):
        found = step.found
    return found


def _lots(different: Sequence[bytes]) -> list[Bytes]:
    """Return some different messages as a matrix for each length, the length of most messages first."""
    by_size: dict[int, list[bytes]] = defaultdict(list)
    for each in different:
        by_size[len(each)].append(each)
    result = []
    for size, lot in sorted(by_size.items(), key=lambda item: (-len(item[1]), -item[0])):
        some = lot[:: max(len(lot) // _SAMPLE, 1)][:_SAMPLE]
        result.append(np.frombuffer(b"".join(some), dtype=np.uint8).reshape(len(some), size))
    return result


def _of_entry(
    entry: Checksum, lots: list[Bytes], different: Sequence[bytes], entries: int, *, thorough: bool
) -> list[Finding]:
    matrix = lots[0]
    width = matrix.shape[1]
    if width <= entry.size + 1:
        return []
    begins = tuple(
        range(width - 1 if thorough or entry.kind is not ChecksumKind.CRC else min(_BEGINS, width - 1))
    )
    computed = checksums(entry, matrix, begins)
    result = []
    for place in _places(entry, matrix, computed, thorough=thorough):
        for own in _both_ends(place, width) if len(lots) > 1 else (place,):
            if not _agrees(entry, own, lots):
                continue
            result.append(_finding(entry, own, lots, different, entries, thorough=thorough))
            break
    return [each for each in result if each is not None]


def _agrees(entry: Checksum, place: Place, lots: Sequence[Bytes]) -> bool:
    """Say whether a place may fit most messages, by two of each length; those of the first length have it."""
    right = sum(
        len(lot) * sum(_right(entry, place, row.tobytes()) for row in lot[:2]) / len(lot[:2])
        for lot in lots[1:]
    )
    return len(lots[0]) + right >= _MOST * sum(len(lot) for lot in lots)


def _places(entry: Checksum, matrix: Bytes, computed: np.ndarray, *, thorough: bool) -> Iterator[Place]:
    """Yield where a checksum fits all messages of a matrix, from its end or (in the head) its start."""
    width, size = matrix.shape[1], entry.size
    last = width - size
    tails = range(1 if thorough else max(last - _TAILS, 1), last + 1)
    heads = range(1, min(_HEADS, last))
    ends = range(2, width + 1) if thorough else range(max(width - _TAILS - size, 2), width + 1)
    for at in dict.fromkeys((*tails, *heads)):
        for little in (False, True)[: 1 + (size > 1)]:
            stored = values_at(matrix, at, size, little=little)
            if (stored == stored[0]).all() and (len(matrix) > 1 or not stored[0]):
                continue  # it never changes, or is nothing: nothing is learnt from it
            for end in ends if thorough or entry.kind is not ChecksumKind.CRC else {at, *ends}:
                fitting = np.flatnonzero((computed[end] == stored[:, None]).all(axis=0))
                for begin in fitting.tolist():
                    before = end <= at and at in tails
                    if end - begin >= 2 and (before or (at in heads and begin >= at + size)):
                        yield Place(
                            begin, end - width if end < width else None, at - width if before else at, little
                        )


def _both_ends(place: Place, width: int) -> Iterator[Place]:
    """Yield a place as counted from either end of messages of several lengths."""
    yield place
    if place.at < 0:
        yield replace(place, at=place.at + width)
    if place.end is not None:
        yield replace(place, end=place.end + width)


def _right(entry: Checksum, place: Place, message: bytes) -> bool:
    at = place.at if place.at >= 0 else len(message) + place.at
    stored = message[at : at + entry.size]
    covered = message[place.begin : place.end]
    if at < 0 or len(stored) != entry.size or len(covered) < 1:
        return False
    return int.from_bytes(stored, "little" if place.little else "big") == entry.of(covered)


def _finding(
    entry: Checksum,
    place: Place,
    lots: list[Bytes],
    different: Sequence[bytes],
    entries: int,
    *,
    thorough: bool,
    spent: float = 0.0,
) -> Finding | None:
    """Return a place as a finding; None where chance explains it, or most messages do not agree."""
    some = different[:: max(len(different) // _ALL, 1)]
    right = sum(_right(entry, place, each) for each in some)
    if right < _MOST * len(some):
        return None
    bits = float(entry.bits) + sum(
        entry.bits * max(_ways(lot, place) - (number == 0), 0) for number, lot in enumerate(lots)
    )
    covered = lots[0][:, place.begin : place.end]
    if len(covered) == 1 and len(set(covered[covered > 0].tolist())) < _LEAST_VALUES:
        return None
    if _ways(lots[0], place) >= 1:
        bits += _COPIES
    tried = -log2(_weight(entry, place, lots[0].shape[1], entries, thorough=thorough))
    chance = 2.0 ** min(tried + spent - bits, 0.0)
    return Finding(entry, place, chance, right, len(some)) if chance <= MOST_CHANCE else None


def _ways(matrix: Bytes, place: Place) -> int:
    """Return in how many ways of their own the covered bytes of some messages differ."""
    covered = matrix[:, place.begin : place.end].astype(np.float64)
    if len(covered) < 2 or not covered.shape[1]:
        return 0
    return int(np.linalg.matrix_rank(covered[1:] - covered[0]))


def _weight(entry: Checksum, place: Place, width: int, entries: int, *, thorough: bool) -> float:
    """Return what part of all that is looked for this is, what is usual being more."""
    common = len(COMMON)
    weight = (
        _COMMON_SHARE / common if entry.name in COMMON else (1 - _COMMON_SHARE) / max(entries - common, 1)
    )
    starts, ends = (width, width) if thorough else (_BEGINS, _TAILS + 2)
    if entry.kind is not ChecksumKind.CRC:
        starts = width
    usual = dict(enumerate(_BEGIN_WEIGHTS))
    weight *= usual.get(place.begin, (1 - sum(_BEGIN_WEIGHTS)) / max(starts - len(usual), 1))
    in_head = place.at >= 0
    if in_head:
        weight *= _IN_HEAD / _HEADS / ends
    else:
        tail = -place.at - entry.size
        others = (1 - _IN_HEAD - sum(_TAIL_WEIGHTS)) / max(
            (width if thorough else _TAILS) - len(_TAIL_WEIGHTS), 1
        )
        weight *= _TAIL_WEIGHTS[tail] if tail < len(_TAIL_WEIGHTS) else others
        weight *= _RIGHT_BEFORE if place.end == place.at else (1 - _RIGHT_BEFORE) / ends
    return weight / (1 + (entry.size > 1))


def _of_no_catalogue(lots: list[Bytes], different: Sequence[bytes]) -> list[Finding]:
    """Look for sums with a constant, and for polynomials in no catalogue, in the most usual places."""
    result = []
    matrix = lots[0]
    width = matrix.shape[1]
    for size in (1, 2, 4):
        for tail in range(4):
            at = width - tail - size
            for little in (False, True)[: 1 + (size > 1)] if at > 4 else ():
                stored = values_at(matrix, at, size, little=little)
                if (stored == stored[0]).all():
                    continue
                # What begins the messages alike cannot be told from an initial value.
                for entry, spent in own_checksums(matrix[:, :at], stored, size):
                    place = Place(0, at - width, at - width, little)
                    found = _finding(entry, place, lots, different, 99, thorough=False, spent=spent)
                    result += [found] if found else []
    return result


def _ranked(found: Sequence[Finding], different: Sequence[bytes]) -> tuple[Finding, ...]:
    """Return what explains most messages, the simplest first."""
    if not found:
        return ()
    most = max(each.right for each in found)
    width = max(len(each) for each in different)
    best = [each for each in found if each.right == most]
    strongest = min(each.chance for each in best)
    # A sum that fits by a hair where a CRC fits beyond doubt is no tie.
    best = [
        each
        for each in best
        if each.chance <= max(strongest * 1e4, 1e-9) and not any(_is_part(each, other) for other in best)
    ]
    return tuple(
        sorted(
            best,
            key=lambda each: (
                -_weight(each.checksum, each.place, width, 99, thorough=True),
                each.name,
                each.place.begin,
            ),
        )
    )


def _is_part(one: Finding, other: Finding) -> bool:
    """Say whether one is the low byte of the other: a sum of 8 bits in one of 16."""
    here, there = one.place, other.place
    if one.checksum.size >= other.checksum.size or (here.begin, here.end) != (there.begin, there.end):
        return False
    return there.at <= here.at < there.at + other.checksum.size
