"""Trials as data: what a reply is like, how its bytes are sent, and in which dialect its frame is written.

A right client takes a reply however TCP cuts it, with packets and junk around it. A wrong one takes it only
in some ways, or only in a dialect of its own; which ones tell what is wrong with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple


class TrialKind(StrEnum):
    """What a trial is for."""

    GOOD = "good reply"
    """A control: what the client does when all is well."""
    MISSING = "no reply"
    """A control: what it does when nothing comes."""
    FRESH = "new connection"
    """No trial: the connection is closed, so that what the client holds of old replies is gone."""
    LENGTH = "length"
    LATE = "late reply"
    """The reply comes whole, and as late as it does through a hub."""
    DELIVERY = "delivery"
    COMPANY = "company"
    """Something else comes with the reply."""
    BAD = "bad"
    """What must not be taken for the reply."""
    AGE = "age"
    """The reply ends early, as older firmware's does."""
    DIALECT = "dialect"
    """The frame is wrong, in the way in which a wrong client may expect it."""


class SentPiece(NamedTuple):
    """Bytes to send at once, and how many seconds to rest behind them."""

    data: bytes
    rest: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment: one request is answered in this way.

    `size` is the payload's length in bytes (None: a usual one). `sent` names the way that it is sent,
    `dialect` how its frame is written. `command` is the request that it waits for (None: the examined one).
    """

    key: str
    kind: TrialKind
    words: str
    size: int | None = None
    sent: str = "whole"
    dialect: str = "right"
    command: int | None = None
    flush: int = 0
    """Send so many zeros first, which fill up whatever the client still waits for."""
    behind: int | None = None
    """Send a reply of this size first."""
    checksum: bool = True
    """Whether a DIALECT's checksum is right."""
    volts: float | None = None
    """The voltage of each cell, by which the reply is known again."""

    @property
    def leaves_more(self) -> bool:
        """Whether it sends more than one frame: who takes one may keep the other for later."""
        return self.kind is TrialKind.COMPANY or self.behind is not None or self.flush > 0


#: Bytes that every notification can hold.
LEAST = 20
#: Seconds between pieces: long enough for each to be read by itself.
APART = 0.04
_BYTE_APART = 0.002
#: A reply in pieces takes at most this part of the time that the client waits for one.
_PART_OF_WAIT = 0.4
#: So many seconds after the request a reply may come through a hub.
_LATE = 0.3
#: Bytes that can begin no frame.
JUNK = bytes.fromhex("00ff15aa7f00c0de")
#: Longer than any length that a wrong rule reads out of a short header.
FLUSH = 70_000
#: A reply is filled up to this: more than anybody expects who counts on a fixed size, and a multiple of it
#: that leaves him where he was; and by so much he is moved on, should the reply have lain across two pieces.
_PADDED, _SHIFT = 1024, 100


def time_to_send(wait: float) -> float:
    """Return how many seconds a reply may take to a client that waits so long for one (0: not known)."""
    return _PART_OF_WAIT * (wait or 1.0)


def late_by(wait: float) -> float:
    """Return how many seconds after its request a client gets the LATE reply."""
    return min(_LATE, time_to_send(wait))


def _cut(frame: bytes, *places: int) -> list[SentPiece]:
    ends = [0, *sorted({place % len(frame) for place in places}), len(frame)]
    return [SentPiece(frame[begin:end], APART) for begin, end in pairwise(ends)]


def _cut_long(frame: bytes, place: int) -> list[SentPiece]:
    """Cut what may come in several notifications."""
    return _cut(frame, place) if len(frame) > LEAST else [SentPiece(frame)]


class Parcel(NamedTuple):
    """What a trial is made of: a whole reply, and beside it what is sent with it or in its place.

    `unasked` is a message that answers nothing, `damaged` the reply with a wrong checksum, `damaged_other`
    the same of another message.
    """

    whole: bytes
    unasked: bytes
    damaged: bytes
    damaged_other: bytes


WAYS: dict[str, Callable[[Parcel], list[SentPiece]]] = {
    "whole": lambda of: [SentPiece(of.whole)],
    "late": lambda of: [SentPiece(b"", _LATE), SentPiece(of.whole)],
    "bytes": lambda of: [SentPiece(of.whole[at : at + 1], _BYTE_APART) for at in range(len(of.whole))],
    "twenty": lambda of: _cut(of.whole, *range(LEAST, len(of.whole), LEAST)),
    "cut-start": lambda of: _cut(of.whole, 1),
    "cut-header": lambda of: _cut(of.whole, of.whole[0]),
    "cut-middle": lambda of: _cut(of.whole, len(of.whole) // 2),
    "two-notifications": lambda of: _cut_long(of.whole, len(of.whole) // 2),
    "last-notification": lambda of: _cut_long(of.whole, -1),
    "cut-crc": lambda of: _cut(of.whole, -2),
    "cut-stop": lambda of: _cut(of.whole, -1),
    "print-first": lambda of: [SentPiece(of.unasked, APART), SentPiece(of.whole)],
    "print-joined": lambda of: [SentPiece(of.unasked + of.whole)],
    "print-behind": lambda of: [SentPiece(of.whole + of.unasked)],
    "junk-first": lambda of: [SentPiece(JUNK + of.whole)],
    "junk-apart": lambda of: [SentPiece(JUNK, APART), SentPiece(of.whole)],
    "damaged-first": lambda of: [SentPiece(of.damaged, APART), SentPiece(of.whole)],
    "corrupt": lambda of: [SentPiece(of.damaged)],
    "corrupt-other": lambda of: [SentPiece(of.damaged_other)],
    "print-only": lambda of: [SentPiece(of.unasked)],
    "fixed-size": lambda of: [SentPiece(of.whole + bytes(-len(of.whole) % _PADDED))],
    "shift": lambda _: [SentPiece(bytes(_SHIFT))],
    "nothing": lambda _: [],
}
#: The ways that a client needs which looks for no frames at all, and what it does.
NO_FRAMER = {
    "fixed-size": "it waits for a certain number of bytes, and a reply has fewer",
    "newline": "it waits for a newline, and a frame ends with 03",
}


def _way(key: str, kind: TrialKind, words: str) -> Trial:
    return Trial(key, kind, words, sent=key)


MISSING = Trial("nothing", TrialKind.MISSING, "no reply at all", sent="nothing")
#: No reply either, for who counts bytes.
SHIFT = Trial("shift", TrialKind.MISSING, "a few zeros", sent="shift")

#: Sizes at which the controls are tried, the likeliest first: a wrong client may not take every one.
CONTROL_SIZES = (80, 44, 130, 300)
#: Payload lengths on both sides of each place where the header changes or is often misread.
LENGTHS = (130, 127, 128, 255, 256, 511, 100, 166)
#: The length in the story that this is for; to speak the dialect of who reads 15 bits.
DIALECT_LENGTH = 166

#: No trial: the reply to what is not examined.
USUAL = Trial("usual", TrialKind.GOOD, "a usual reply")
LATE = _way("late", TrialKind.LATE, "a reply that comes late")
DELIVERIES = (
    _way("bytes", TrialKind.DELIVERY, "byte by byte"),
    _way("cut-start", TrialKind.DELIVERY, "cut behind the start byte"),
    _way("cut-header", TrialKind.DELIVERY, "cut behind the length"),
    _way("cut-middle", TrialKind.DELIVERY, "in two halves"),
    _way("cut-crc", TrialKind.DELIVERY, "cut inside the CRC"),
    _way("cut-stop", TrialKind.DELIVERY, "the stop byte by itself"),
)
#: How boards send over Bluetooth: never by single bytes, and what is longer than a notification in several. A
#: message begins with a notification of its own: in-between ones are the module's, such as AT commands.
NOTIFICATIONS = (
    _way("twenty", TrialKind.DELIVERY, "in notifications of 20 bytes"),
    _way("two-notifications", TrialKind.DELIVERY, "in two halves"),
    _way("last-notification", TrialKind.DELIVERY, "the last byte by itself"),
)
_PRINT_FIRST = _way("print-first", TrialKind.COMPANY, "a PRINT packet, then the reply")
_DAMAGED_FIRST = _way("damaged-first", TrialKind.COMPANY, "a damaged copy first, then the reply")
NOTIFIED_COMPANY = (
    _PRINT_FIRST,
    Trial(
        "junk-first", TrialKind.COMPANY, "8 bytes of junk in a notification of their own", sent="junk-apart"
    ),
    _DAMAGED_FIRST,
)
COMPANY = (
    _PRINT_FIRST,
    _way("print-joined", TrialKind.COMPANY, "a PRINT packet and the reply in one segment"),
    _way("print-behind", TrialKind.COMPANY, "the reply and a PRINT packet in one segment"),
    _way("junk-first", TrialKind.COMPANY, "8 bytes of junk in front"),
    _DAMAGED_FIRST,
)
BAD = (
    _way("print-only", TrialKind.BAD, "a PRINT packet and no reply"),
    _way("corrupt", TrialKind.BAD, "a reply whose CRC is wrong"),
    _way("corrupt-other", TrialKind.BAD, "another command's packet whose CRC is wrong"),
)
#: Closes the connection.
FRESH = Trial("fresh", TrialKind.FRESH, "a new connection", sent="nothing")
#: How long the reply of a pack of 20 cells was in 2020 and later (FACTS: 109, 110, 126, 128, 129).
AGES = (109, 126)
