"""Which lines of a log show bytes."""

import re

#: What a line with bytes has, besides one of the words of `_may`.
_BYTES = re.compile(
    r">>>|<<<|b'|~2|X BLE|x BLE|[0-9A-Fa-f]{16}|\b[0-9A-Fa-f]{3,8}(?:#|  ? ?\[\d\] )"
    r"|0x[0-9A-Fa-f]{1,2}(?:,? 0x[0-9A-Fa-f]{1,2}){3}"
    r"|[0-9A-Fa-f]{2}(?:(?:[ .:,]|,? 0x|\]\[|><)[0-9A-Fa-f]{2}){2}"
)


def shows_bytes(line: str) -> bool:
    """Tell whether a line shows bytes, in any of the forms that programs write."""
    return _may(line) and _BYTES.search(line) is not None


def _may(line: str) -> bool:
    """Tell whether a line has a word that stands beside bytes; written out, as every line is asked."""
    return (
        "BLE" in line
        or ">>>" in line
        or "<<<" in line
        or "b'" in line
        or "eceived" in line
        or "RX" in line
        or "TX" in line
        or "Send" in line
        or "rite " in line
        or "rite: " in line
        or line[3:5] in {"][", "><"}  # libmodbus
        or "~2" in line
        or "0x" in line
        or "  [" in line  # candump, in both of its forms
        or "#" in line
    )
