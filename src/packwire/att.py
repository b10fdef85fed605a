"""ATT, the attribute protocol that GATT is spoken in [Bluetooth Core Specification, Vol 3, Part F]."""

from enum import IntEnum
from typing import Final


class Opcode(IntEnum):
    """Opcodes [3.4.8]."""

    ERROR_RSP = 0x01
    EXCHANGE_MTU_REQ = 0x02
    EXCHANGE_MTU_RSP = 0x03
    FIND_INFORMATION_REQ = 0x04
    FIND_INFORMATION_RSP = 0x05
    FIND_BY_TYPE_VALUE_REQ = 0x06
    FIND_BY_TYPE_VALUE_RSP = 0x07
    READ_BY_TYPE_REQ = 0x08
    READ_BY_TYPE_RSP = 0x09
    READ_REQ = 0x0A
    READ_RSP = 0x0B
    READ_BLOB_REQ = 0x0C
    READ_BLOB_RSP = 0x0D
    READ_MULTIPLE_REQ = 0x0E
    READ_MULTIPLE_RSP = 0x0F
    READ_BY_GROUP_TYPE_REQ = 0x10
    READ_BY_GROUP_TYPE_RSP = 0x11
    WRITE_REQ = 0x12
    WRITE_RSP = 0x13
    PREPARE_WRITE_REQ = 0x16
    PREPARE_WRITE_RSP = 0x17
    EXECUTE_WRITE_REQ = 0x18
    EXECUTE_WRITE_RSP = 0x19
    NOTIFICATION = 0x1B
    INDICATION = 0x1D
    CONFIRMATION = 0x1E
    READ_MULTIPLE_VARIABLE_REQ = 0x20
    READ_MULTIPLE_VARIABLE_RSP = 0x21
    MULTIPLE_NOTIFICATION = 0x23
    WRITE_CMD = 0x52
    SIGNED_WRITE_CMD = 0xD2


#: What the Bluetooth SIG's short UUIDs are short for [Vol 3, Part B, 2.5.1].
UUID_BASE: Final = "0000{}-0000-1000-8000-00805f9b34fb"
_SHORT, _LONG, _HYPHENS = 4, 36, 4


def short_uuid(uuid: str) -> str:
    """Return a UUID in lower case; of those that the Bluetooth SIG shortens, the four digits."""
    uuid = uuid.lower()
    return uuid[_SHORT : 2 * _SHORT] if uuid == UUID_BASE.format(uuid[_SHORT : 2 * _SHORT]) else uuid


def long_uuid(name: str) -> str:
    """Return the long form, in lower case, of a UUID by which a channel is named; empty for what is none."""
    text = name.lower()
    if len(text) == _SHORT and all(each in "0123456789abcdef" for each in text):
        return UUID_BASE.format(text)
    return text if len(text) == _LONG and text.count("-") == _HYPHENS else ""
