"""The catalogue of checksums: what frames on live paths are checked with, and what is looked for in captures.

Parameters of the CRCs are those of the CRC RevEng catalogue [https://reveng.sourceforge.io/crc-catalogue/].
"""

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

type Data = bytes | bytearray | memoryview


class ChecksumKind(Enum):
    """How a checksum is made from bytes."""

    SUM = "sum"
    XOR = "xor"
    CRC = "crc"


@dataclass(frozen=True, slots=True)
class Checksum:
    """One entry of the catalogue; `xorout` and then `negate` are applied to the result."""

    name: str
    kind: ChecksumKind
    bits: int
    poly: int = 0
    init: int = 0
    reflected: bool = False
    xorout: int = 0
    negate: bool = False

    @property
    def size(self) -> int:
        """Return how many bytes it takes in a frame."""
        return self.bits // 8

    def of(self, data: Data) -> int:
        """Return the checksum of some bytes."""
        fast = _FAST.get(self.name)
        if fast is not None:
            return fast(data)
        mask = (1 << self.bits) - 1
        result = (self._register(data) ^ self.xorout) & mask
        return -result & mask if self.negate else result

    def _register(self, data: Data) -> int:
        if self.kind is ChecksumKind.SUM:
            return self.init + sum(data)
        register = self.init
        if self.kind is ChecksumKind.XOR:
            for byte in data:
                register ^= byte
            return register
        table = table_of(self)
        if self.reflected:
            for byte in data:
                register = register >> 8 ^ table[(register ^ byte) & 0xFF]
            return register
        top, mask = self.bits - 8, (1 << self.bits) - 1
        for byte in data:
            register = register << 8 & mask ^ table[(register >> top ^ byte) & 0xFF]
        return register


@lru_cache(maxsize=64)
def table_of(entry: Checksum) -> tuple[int, ...]:
    """Return what each byte does to the register of a CRC."""
    table = []
    mask, top = (1 << entry.bits) - 1, 1 << entry.bits - 1
    poly = int(f"{entry.poly:0{entry.bits}b}"[::-1], 2) if entry.reflected else entry.poly
    for byte in range(256):
        value = byte if entry.reflected else byte << entry.bits - 8
        for _ in range(8):
            if entry.reflected:
                value = value >> 1 ^ poly if value & 1 else value >> 1
            else:
                value = (value << 1 & mask) ^ poly if value & top else value << 1
        table.append(value)
    return tuple(table)


CATALOGUE = (
    Checksum("sum8", ChecksumKind.SUM, 8),
    Checksum("sum8 negated", ChecksumKind.SUM, 8, negate=True),
    Checksum("sum8 inverted", ChecksumKind.SUM, 8, xorout=0xFF),
    Checksum("xor8", ChecksumKind.XOR, 8),
    Checksum("sum16", ChecksumKind.SUM, 16),
    Checksum("sum16 negated", ChecksumKind.SUM, 16, negate=True),
    Checksum("sum16 inverted", ChecksumKind.SUM, 16, xorout=0xFFFF),
    Checksum("CRC-8/SMBUS", ChecksumKind.CRC, 8, poly=0x07),
    Checksum("CRC-8/ROHC", ChecksumKind.CRC, 8, poly=0x07, init=0xFF, reflected=True),
    Checksum("CRC-8/SAE-J1850", ChecksumKind.CRC, 8, poly=0x1D, init=0xFF, xorout=0xFF),
    Checksum("CRC-8/MAXIM-DOW", ChecksumKind.CRC, 8, poly=0x31, reflected=True),
    Checksum("CRC-8/NRSC-5", ChecksumKind.CRC, 8, poly=0x31, init=0xFF),
    Checksum("CRC-16/MODBUS", ChecksumKind.CRC, 16, poly=0x8005, init=0xFFFF, reflected=True),
    Checksum("CRC-16/ARC", ChecksumKind.CRC, 16, poly=0x8005, reflected=True),
    Checksum("CRC-16/XMODEM", ChecksumKind.CRC, 16, poly=0x1021),
    Checksum("CRC-16/CCITT-FALSE", ChecksumKind.CRC, 16, poly=0x1021, init=0xFFFF),
    Checksum("CRC-16/KERMIT", ChecksumKind.CRC, 16, poly=0x1021, reflected=True),
    Checksum("CRC-16/X-25", ChecksumKind.CRC, 16, poly=0x1021, init=0xFFFF, reflected=True, xorout=0xFFFF),
)

#: By name.
CHECKSUMS = {entry.name: entry for entry in CATALOGUE}


def crc16_xmodem(data: Data) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection (check value 0x31C3)."""
    return crc_hqx(data, 0)


#: What the standard library does faster than a table.
_FAST: dict[str, Callable[[Data], int]] = {
    "CRC-16/XMODEM": crc16_xmodem,
    "CRC-16/CCITT-FALSE": lambda data: crc_hqx(data, 0xFFFF),
}
