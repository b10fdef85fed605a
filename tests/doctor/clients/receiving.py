"""How clients find the replies in what they receive: rightly, and with one fault each."""

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass

#: A header: how many bytes it has, and which length it says. None: more bytes are needed. (0, 0): no header.
type Header = Callable[[bytes], tuple[int, int] | None]
_NO_HEADER = (0, 0)
MAX_PAYLOAD = 10_000
#: What a device prints and logs by itself.
_UNASKED = frozenset({21, 113, 135})


def right_header(data: bytes) -> tuple[int, int] | None:
    """Return the header of a frame."""
    start = data[0]
    if start not in (2, 3, 4):
        return _NO_HEADER
    return (start, int.from_bytes(data[1:start])) if len(data) >= start else None


def fifteen_bits(data: bytes) -> tuple[int, int] | None:
    """Read a one-byte length above 127 as 15 bits of two bytes."""
    if data[0] == 2 and len(data) > 1 and data[1] & 0x80:
        return (3, (data[1] & 0x7F) << 8 | data[2]) if len(data) > 2 else None
    return right_header(data)


def signed_byte(data: bytes) -> tuple[int, int] | None:
    """Read a length above 127 as a negative one, which is none."""
    return _NO_HEADER if data[0] == 2 and len(data) > 1 and data[1] & 0x80 else right_header(data)


def only_start_02(data: bytes) -> tuple[int, int] | None:
    """Know the short form alone."""
    return right_header(data) if data[0] == 2 else _NO_HEADER


def crc(_header: bytes, payload: bytes) -> int:
    """Return the right checksum."""
    return crc_hqx(payload, 0)


def crc_with_header(header: bytes, payload: bytes) -> int:
    """Return a checksum that covers the header too."""
    return crc_hqx(header + payload, 0)


def crc_little_endian(_header: bytes, payload: bytes) -> int:
    """Return the checksum with its bytes swapped."""
    return int.from_bytes(crc_hqx(payload, 0).to_bytes(2), "little")


def crc_ffff(_header: bytes, payload: bytes) -> int:
    """Return a checksum that begins with FFFF."""
    return crc_hqx(payload, 0xFFFF)


def crc_modbus(_header: bytes, payload: bytes) -> int:
    """Return a checksum of another polynomial."""
    register = 0xFFFF
    for byte in payload:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register


@dataclass(frozen=True, slots=True)
class Rules:
    """How a client reads replies; the defaults are right.

    `keeps`: what is in the buffer outlives a timeout. `reassembles`: a frame may come in several reads.
    `splits`: a read may bring several frames. `ends`: what it takes for the end of a reply; `size`: of how
    many bytes it takes every reply to be. `deaf`: it never reads at all.
    """

    header: Header = right_header
    crc: Callable[[bytes, bytes], int] = crc
    checked: bool = True
    keeps: bool = False
    reassembles: bool = True
    splits: bool = True
    ends: bytes = b""
    size: int = 0
    deaf: bool = False


def _replies(payloads: list[bytes]) -> int:
    """Return how many of them answer something: nobody waits for what a device says by itself."""
    return sum(payload[0] not in _UNASKED for payload in payloads)


class Receiver:
    """Takes what is read; gives the payloads found in it.

    `refused` counts the payloads that a right receiver finds in the same reads, and this one does not.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.refused = 0
        self._buffer = bytearray()
        self._right = None if rules == Rules() else Receiver(Rules())

    def feed(self, data: bytes) -> list[bytes]:
        """Take the bytes of one read."""
        found = self._feed(data)
        if self._right is not None:
            self.refused += _replies(self._right.feed(data)) - _replies(found)
        return found

    def _feed(self, data: bytes) -> list[bytes]:
        rules = self.rules
        if not rules.reassembles:
            self._buffer.clear()
        self._buffer += data
        if rules.ends or rules.size:
            return self._pieces()
        found = []
        while (payload := self._next(self._buffer)) is not None:
            found.append(payload)
            if not rules.splits:
                self._buffer.clear()
        return found

    def timed_out(self) -> None:
        """Drop what was there when a reply did not come in time, unless it is kept."""
        if not self.rules.keeps:
            self._buffer.clear()
        if self._right is not None:
            self._right.timed_out()

    def _pieces(self) -> list[bytes]:
        found: list[bytes] = []
        while True:
            size = self.rules.size or self._buffer.find(self.rules.ends) + 1
            if not size or len(self._buffer) < size:
                return found
            piece = self._buffer[:size]
            del self._buffer[:size]
            payload = self._next(piece)
            if payload is not None:
                found.append(payload)

    def _next(self, buffer: bytearray) -> bytes | None:
        """Take the next frame out; go one byte further where there is none."""
        while buffer:
            header = self.rules.header(bytes(buffer[:4]))
            if header is None:
                return None
            begin, size = header
            end = begin + size + 3
            if not 0 < size <= MAX_PAYLOAD:
                del buffer[0]
                continue
            if len(buffer) < end:
                return None
            payload = bytes(buffer[begin : begin + size])
            right = not self.rules.checked or int.from_bytes(buffer[end - 3 : end - 1]) == self.rules.crc(
                bytes(buffer[:begin]), payload
            )
            if buffer[end - 1] == 3 and right:
                del buffer[:end]
                return payload
            del buffer[0]
        return None
