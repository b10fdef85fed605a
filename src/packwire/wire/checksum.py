"""Checksums by their catalogue names."""

from binascii import crc_hqx


def crc16_xmodem(data: bytes | bytearray | memoryview) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection (check value 0x31C3)."""
    return crc_hqx(data, 0)


def _reflected_table(polynomial: int) -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ polynomial if value & 1 else value >> 1  # noqa: PLW2901 - shifted in place
        table.append(value)
    return tuple(table)


_MODBUS = _reflected_table(0xA001)


def crc16_modbus(data: bytes | bytearray | memoryview) -> int:
    """CRC-16/MODBUS: polynomial 0x8005 reflected, initial value 0xFFFF (check value 0x4B37)."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _MODBUS[(crc ^ byte) & 0xFF]
    return crc


def sum8(data: bytes | bytearray | memoryview) -> int:
    """Return the sum of all bytes, modulo 256."""
    return sum(data) & 0xFF


def sum16(data: bytes | bytearray | memoryview) -> int:
    """Return the sum of all bytes, modulo 65536."""
    return sum(data) & 0xFFFF


def sum16_negated(data: bytes | bytearray | memoryview) -> int:
    """Return the two's complement of the sum of all bytes, modulo 65536."""
    return -sum(data) & 0xFFFF


#: Catalogue name -> function and width in bytes.
CHECKSUMS = {
    "CRC-16/XMODEM": (crc16_xmodem, 2),
    "CRC-16/MODBUS": (crc16_modbus, 2),
    "sum8": (sum8, 1),
    "sum16": (sum16, 2),
    "sum16 negated": (sum16_negated, 2),
}
