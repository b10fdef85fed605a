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
    FLETCHER = "fletcher"
    """Two sums of 8 bits, the second one of all values of the first; `poly` is what they are taken modulo."""
    CRC = "crc"


@dataclass(frozen=True, slots=True)
class Checksum:
    """One entry of the catalogue; `xorout` and then `negate` are applied to the result.

    `init` is what the register begins with: where it is reflected, the reflected value.
    """

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
        if self.kind is ChecksumKind.FLETCHER:
            low, high = register & 0xFF, register >> 8
            for byte in data:
                low = (low + byte) % self.poly
                high = (high + low) % self.poly
            return high << 8 | low
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


def written_polynomial(entry: Checksum) -> int:
    """Return a polynomial as code has it: turned around where the CRC is reflected."""
    return int(f"{entry.poly:0{entry.bits}b}"[::-1], 2) if entry.reflected else entry.poly


@lru_cache(maxsize=64)
def table_of(entry: Checksum) -> tuple[int, ...]:
    """Return what each byte does to the register of a CRC."""
    table = []
    mask, top = (1 << entry.bits) - 1, 1 << entry.bits - 1
    poly = written_polynomial(entry)
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
    Checksum("xor8 of ff", ChecksumKind.XOR, 8, init=0xFF),
    Checksum("Fletcher-16", ChecksumKind.FLETCHER, 16, poly=255),
    Checksum("Fletcher-16 modulo 256", ChecksumKind.FLETCHER, 16, poly=256),
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

#: The other CRCs of whole bytes that are listed: name, bits, polynomial, initial value of the register,
#: whether it is reflected, final XOR.
_LISTED = (
    ("CRC-8/AUTOSAR", 8, 0x2F, 0xFF, False, 0xFF),
    ("CRC-8/BLUETOOTH", 8, 0xA7, 0x0, True, 0x0),
    ("CRC-8/CDMA2000", 8, 0x9B, 0xFF, False, 0x0),
    ("CRC-8/DARC", 8, 0x39, 0x0, True, 0x0),
    ("CRC-8/DVB-S2", 8, 0xD5, 0x0, False, 0x0),
    ("CRC-8/GSM-A", 8, 0x1D, 0x0, False, 0x0),
    ("CRC-8/GSM-B", 8, 0x49, 0x0, False, 0xFF),
    ("CRC-8/HITAG", 8, 0x1D, 0xFF, False, 0x0),
    ("CRC-8/I-432-1", 8, 0x07, 0x0, False, 0x55),
    ("CRC-8/I-CODE", 8, 0x1D, 0xFD, False, 0x0),
    ("CRC-8/LTE", 8, 0x9B, 0x0, False, 0x0),
    ("CRC-8/MIFARE-MAD", 8, 0x1D, 0xC7, False, 0x0),
    ("CRC-8/OPENSAFETY", 8, 0x2F, 0x0, False, 0x0),
    ("CRC-8/TECH-3250", 8, 0x1D, 0xFF, True, 0x0),
    ("CRC-8/WCDMA", 8, 0x9B, 0x0, True, 0x0),
    ("CRC-16/CDMA2000", 16, 0xC867, 0xFFFF, False, 0x0),
    ("CRC-16/CMS", 16, 0x8005, 0xFFFF, False, 0x0),
    ("CRC-16/DDS-110", 16, 0x8005, 0x800D, False, 0x0),
    ("CRC-16/DECT-R", 16, 0x0589, 0x0, False, 0x1),
    ("CRC-16/DECT-X", 16, 0x0589, 0x0, False, 0x0),
    ("CRC-16/DNP", 16, 0x3D65, 0x0, True, 0xFFFF),
    ("CRC-16/EN-13757", 16, 0x3D65, 0x0, False, 0xFFFF),
    ("CRC-16/GENIBUS", 16, 0x1021, 0xFFFF, False, 0xFFFF),
    ("CRC-16/GSM", 16, 0x1021, 0x0, False, 0xFFFF),
    ("CRC-16/ISO-IEC-14443-3-A", 16, 0x1021, 0x6363, True, 0x0),
    ("CRC-16/LJ1200", 16, 0x6F63, 0x0, False, 0x0),
    ("CRC-16/M17", 16, 0x5935, 0xFFFF, False, 0x0),
    ("CRC-16/MAXIM-DOW", 16, 0x8005, 0x0, True, 0xFFFF),
    ("CRC-16/MCRF4XX", 16, 0x1021, 0xFFFF, True, 0x0),
    ("CRC-16/NRSC-5", 16, 0x080B, 0xFFFF, True, 0x0),
    ("CRC-16/OPENSAFETY-A", 16, 0x5935, 0x0, False, 0x0),
    ("CRC-16/OPENSAFETY-B", 16, 0x755B, 0x0, False, 0x0),
    ("CRC-16/PROFIBUS", 16, 0x1DCF, 0xFFFF, False, 0xFFFF),
    ("CRC-16/RIELLO", 16, 0x1021, 0x554D, True, 0x0),
    ("CRC-16/SPI-FUJITSU", 16, 0x1021, 0x1D0F, False, 0x0),
    ("CRC-16/T10-DIF", 16, 0x8BB7, 0x0, False, 0x0),
    ("CRC-16/TELEDISK", 16, 0xA097, 0x0, False, 0x0),
    ("CRC-16/TMS37157", 16, 0x1021, 0x3791, True, 0x0),
    ("CRC-16/UMTS", 16, 0x8005, 0x0, False, 0x0),
    ("CRC-16/USB", 16, 0x8005, 0xFFFF, True, 0xFFFF),
    ("CRC-24/BLE", 24, 0x00065B, 0xAAAAAA, True, 0x0),
    ("CRC-24/FLEXRAY-A", 24, 0x5D6DCB, 0xFEDCBA, False, 0x0),
    ("CRC-24/FLEXRAY-B", 24, 0x5D6DCB, 0xABCDEF, False, 0x0),
    ("CRC-24/INTERLAKEN", 24, 0x328B63, 0xFFFFFF, False, 0xFFFFFF),
    ("CRC-24/LTE-A", 24, 0x864CFB, 0x0, False, 0x0),
    ("CRC-24/LTE-B", 24, 0x800063, 0x0, False, 0x0),
    ("CRC-24/OPENPGP", 24, 0x864CFB, 0xB704CE, False, 0x0),
    ("CRC-24/OS-9", 24, 0x800063, 0xFFFFFF, False, 0xFFFFFF),
    ("CRC-32/AIXM", 32, 0x814141AB, 0x0, False, 0x0),
    ("CRC-32/AUTOSAR", 32, 0xF4ACFB13, 0xFFFFFFFF, True, 0xFFFFFFFF),
    ("CRC-32/BASE91-D", 32, 0xA833982B, 0xFFFFFFFF, True, 0xFFFFFFFF),
    ("CRC-32/BZIP2", 32, 0x04C11DB7, 0xFFFFFFFF, False, 0xFFFFFFFF),
    ("CRC-32/CD-ROM-EDC", 32, 0x8001801B, 0x0, True, 0x0),
    ("CRC-32/CKSUM", 32, 0x04C11DB7, 0x0, False, 0xFFFFFFFF),
    ("CRC-32/ISCSI", 32, 0x1EDC6F41, 0xFFFFFFFF, True, 0xFFFFFFFF),
    ("CRC-32/ISO-HDLC", 32, 0x04C11DB7, 0xFFFFFFFF, True, 0xFFFFFFFF),
    ("CRC-32/JAMCRC", 32, 0x04C11DB7, 0xFFFFFFFF, True, 0x0),
    ("CRC-32/MEF", 32, 0x741B8CD7, 0xFFFFFFFF, True, 0x0),
    ("CRC-32/MPEG-2", 32, 0x04C11DB7, 0xFFFFFFFF, False, 0x0),
    ("CRC-32/XFER", 32, 0x000000AF, 0x0, False, 0x0),
)
RARE = tuple(
    Checksum(name, ChecksumKind.CRC, bits, poly, init, reflected, xorout)
    for name, bits, poly, init, reflected, xorout in _LISTED
)

#: By name.
CHECKSUMS = {entry.name: entry for entry in CATALOGUE + RARE}


def crc16_xmodem(data: Data) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection (check value 0x31C3)."""
    return crc_hqx(data, 0)


#: What the standard library does faster than a table.
_FAST: dict[str, Callable[[Data], int]] = {
    "CRC-16/XMODEM": crc16_xmodem,
    "CRC-16/CCITT-FALSE": lambda data: crc_hqx(data, 0xFFFF),
}
