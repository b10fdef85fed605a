"""Checksums by their catalogue names."""

from binascii import crc_hqx


def crc16_xmodem(data: bytes | bytearray | memoryview) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection (check value 0x31C3)."""
    return crc_hqx(data, 0)
