"""What framers with a wrong rule would do with the very bytes that came: the commonest faults of own clients.

A VESC frame is right for one rule alone. A framer that reads the length otherwise waits for bytes that never
come, or drops the frame without a word; both look like a device that does not answer.
"""

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from packwire.vesc.framing import STOP, TRAILER
from packwire.wire.checksum import CHECKSUMS


class Fate(Enum):
    """What becomes of a frame."""

    TAKEN = "takes it"
    WAITS = "waits"
    DROPPED = "drops it"


@dataclass(frozen=True, slots=True)
class Misreading:
    """A wrong rule and what it makes of a frame; `words` say it for a user."""

    key: str
    rule: str
    fate: Fate
    words: str


class _Header(NamedTuple):
    size: int
    length: int


@dataclass(frozen=True, slots=True)
class FramerRule:
    """A rule that somebody's framer may have: how it reads the header, what it checks, how much it holds."""

    key: str
    rule: str
    header: Callable[[bytes], _Header | None]
    checksum: Callable[[bytes, int], int]
    holds: int = 1 << 24
    little_endian_checksum: bool = False


def _right(frame: bytes) -> _Header | None:
    size = frame[0]
    return _Header(size, int.from_bytes(frame[1:size])) if size in (2, 3, 4) else None


def _fifteen_bits(frame: bytes) -> _Header | None:
    if frame[0] == 2 and frame[1] & 0x80:
        return _Header(3, (frame[1] & 0x7F) << 8 | frame[2])
    return _right(frame)


def _fifteen_bits_whole(frame: bytes) -> _Header | None:
    """Read two bytes as one number, the top bit with them."""
    if frame[0] == 2 and frame[1] & 0x80:
        return _Header(3, frame[1] << 8 | frame[2])
    return _right(frame)


def _signed(frame: bytes) -> _Header | None:
    if frame[0] == 2 and frame[1] & 0x80:
        return _Header(2, frame[1] - 256)
    return _right(frame)


def _two_bytes(frame: bytes) -> _Header | None:
    return _Header(3, int.from_bytes(frame[1:3]))


def _little_endian(frame: bytes) -> _Header | None:
    return _Header(3, int.from_bytes(frame[1:3], "little"))


def _short_only(frame: bytes) -> _Header | None:
    return _right(frame) if frame[0] == 2 else None


def _counts_all(frame: bytes) -> _Header | None:
    header = _right(frame)
    return header and _Header(header.size, header.length - header.size - TRAILER)


def _crc(frame: bytes, start: int) -> int:
    return crc_hqx(frame[start:], 0)


def _crc_with_header(frame: bytes, start: int) -> int:
    del start
    return crc_hqx(frame, 0)


def _crc_ffff(frame: bytes, start: int) -> int:
    return crc_hqx(frame[start:], 0xFFFF)


#: Another protocol's library brings it along.
crc_modbus = CHECKSUMS["CRC-16/MODBUS"].of


RULES: tuple[FramerRule, ...] = (
    FramerRule("length-15-bits", "a length above 127 is read as 15 bits of two bytes", _fifteen_bits, _crc),
    FramerRule(
        "length-16-bits-above-127",
        "a length above 127 is read as 16 bits of two bytes",
        _fifteen_bits_whole,
        _crc,
    ),
    FramerRule("length-signed", "the length is a signed byte: 128 and more are negative", _signed, _crc),
    FramerRule("length-two-bytes", "the length always has two bytes", _two_bytes, _crc),
    FramerRule("length-little-endian", "the length has two bytes, the low one first", _little_endian, _crc),
    FramerRule(
        "length-counts-all", "the length counts header, checksum and stop byte too", _counts_all, _crc
    ),
    FramerRule("start-03-unknown", "start byte 03 (two length bytes) is not known", _short_only, _crc),
    FramerRule("holds-64", "the buffer holds 64 bytes", _right, _crc, holds=64),
    FramerRule("holds-128", "the buffer holds 128 bytes", _right, _crc, holds=128),
    FramerRule("crc-with-header", "the checksum is taken over the header too", _right, _crc_with_header),
    FramerRule("crc-ffff", "the checksum begins with ffff", _right, _crc_ffff),
    FramerRule(
        "crc-modbus", "the checksum is CRC-16/MODBUS", _right, lambda frame, start: crc_modbus(frame[start:])
    ),
    FramerRule(
        "crc-little-endian", "the checksum's low byte comes first", _right, _crc, little_endian_checksum=True
    ),
)


def misread(frame: bytes, rules: tuple[FramerRule, ...] = RULES) -> tuple[Misreading, ...]:
    """Say what each wrong rule makes of a whole, right frame (header, payload, checksum, stop byte)."""
    return tuple(_apply(rule, frame) for rule in rules)


def _apply(rule: FramerRule, frame: bytes) -> Misreading:
    fate, words = _fate(rule, frame)
    return Misreading(rule.key, rule.rule, fate, words)


def _fate(rule: FramerRule, frame: bytes) -> tuple[Fate, str]:
    header = rule.header(frame)
    if header is None:
        return Fate.DROPPED, f"drops it at its first byte, {frame[0]:02x}"
    shown = frame[: header.size].hex(" ")
    if header.length <= 0:
        return Fate.DROPPED, f"reads {shown} as a length of {header.length} and drops it"
    size = header.size + header.length + TRAILER
    if size > len(frame):
        missing = size - len(frame)
        return Fate.WAITS, (
            f"reads {shown} as a length of {header.length}: waits for {missing} more bytes that never come"
        )
    if size > rule.holds:
        return Fate.DROPPED, f"cuts or drops it: it has {len(frame)} bytes"
    return _checked(rule, frame[:size], header, whole=size == len(frame))


def _checked(rule: FramerRule, frame: bytes, header: _Header, *, whole: bool) -> tuple[Fate, str]:
    if not whole and frame[-1] != STOP:
        return Fate.DROPPED, (
            f"reads {frame[: header.size].hex(' ')} as a length of {header.length}, finds no stop byte there "
            "and drops it"
        )
    sent = frame[-3:-1]
    wanted = rule.checksum(frame[:-TRAILER], header.size).to_bytes(2)
    got = sent[::-1] if rule.little_endian_checksum else sent
    if wanted != got:
        return Fate.DROPPED, f"takes the checksum {sent.hex(' ')} for wrong and drops it"
    return Fate.TAKEN, "takes it"
