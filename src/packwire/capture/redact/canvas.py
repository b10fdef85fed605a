"""What redaction writes on: a copy of the bytes, made-up names and addresses, the account."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from packwire.capture.packets import Packets

STAR = 0x2A
#: Names shorter than this are not searched for elsewhere: they would be found by chance.
LEAST_NEEDLE = 5


class MaskedSpan(NamedTuple):
    """Bytes at a place of the file."""

    start: int
    size: int


class Canvas:
    """The copy of the bytes that is changed; `original` is the file, `counts` says what was masked."""

    def __init__(self, packets: Packets) -> None:
        self.packets = packets
        self.original = packets.data
        self.data = np.array(packets.data, dtype=np.uint8)
        self.counts: Counter[str] = Counter()

    def read(self, spans: Iterable[MaskedSpan]) -> bytes:
        """Return what stands at these places, one after the other, with what was changed so far."""
        return b"".join(self.data[start : start + size].tobytes() for start, size in spans)

    def put(self, start: int, content: bytes) -> None:
        """Overwrite the bytes at a place."""
        self.data[start : start + len(content)] = np.frombuffer(content, dtype=np.uint8)

    def write(self, spans: Iterable[MaskedSpan], content: bytes) -> None:
        """Overwrite the bytes at several places with one content."""
        at = 0
        for start, size in spans:
            self.put(start, content[at : at + size])
            at += size

    def mask(self, start: int, end: int, what: str) -> None:
        """Overwrite with stars and count it, where there is anything."""
        if end > start:
            self.data[start:end] = STAR
            self.counts[what] += 1


def part(spans: Sequence[MaskedSpan], begin: int, end: int | None = None) -> list[MaskedSpan]:
    """Return the places of the bytes `begin:end` of what the spans hold together."""
    result, at = [], 0
    for start, size in spans:
        low = max(begin - at, 0)
        high = size if end is None else min(end - at, size)
        if high > low:
            result.append(MaskedSpan(start + low, high - low))
        at += size
    return result


class Aliases:
    """Made-up addresses and names: the same one always becomes the same."""

    def __init__(self) -> None:
        self.addresses: dict[bytes, bytes] = {}
        self.names: dict[bytes, bytes] = {}
        self.texts: set[bytes] = set()
        """What was masked as a text, and must not stand anywhere else."""

    def address(self, raw: bytes) -> bytes:
        """Return the alias of a Bluetooth address (6 bytes as on the air, least significant first).

        The two bits that tell the kinds of random addresses apart stay [Core Vol 6, Part B, 1.3.2].
        """
        if raw in (bytes(6), b"\xff" * 6):
            return raw
        if raw not in self.addresses:
            number = len(self.addresses) + 1
            self.addresses[raw] = number.to_bytes(5, "little") + bytes(((raw[5] & 0xC0) | 0x02,))
        return self.addresses[raw]

    def name(self, raw: bytes) -> bytes:
        """Return the alias of a name, of the same length; what follows a NUL is wiped."""
        text = raw.split(b"\0", 1)[0]
        if not text:
            return bytes(len(raw))
        if text not in self.names:
            number = len(self.names) + 1
            alias = b"name-%d" % number
            if len(alias) > len(text):
                alias = b"n%d" % number
            self.names[text] = alias[: len(text)].ljust(len(text), b"*")
        return self.names[text].ljust(len(raw), b"\0")

    def needles(self) -> dict[bytes, bytes]:
        """Return what must not stand anywhere else either, and what to write instead."""
        found = {name: alias for name, alias in self.names.items() if len(name) >= LEAST_NEEDLE}
        found |= {text: bytes((STAR,)) * len(text) for text in self.texts if len(text) >= LEAST_NEEDLE}
        for address, alias in self.addresses.items():
            found[address] = alias
            found[address[::-1]] = alias[::-1]
            for text in (address[::-1].hex(":"), address[::-1].hex(":").upper(), address[::-1].hex()):
                plain = ":" not in text
                made_up = alias[::-1].hex() if plain else alias[::-1].hex(":")
                found[text.encode()] = (made_up.upper() if text.isupper() else made_up).encode()
            found[address[::-1].hex().upper().encode()] = alias[::-1].hex().upper().encode()
        return found
