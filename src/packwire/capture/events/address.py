"""Bluetooth addresses as logs write them: with colons, dashes or underscores, and masked ones."""

#: Two digits, or what stands in their place where an address was masked.
_DIGITS = "[0-9A-Fa-fxX*]{2}"
#: A pattern of an address: `02:11:22:33:44:01`, `dev_02_11_..`, `02:11:22:xx:xx:xx`.
ADDRESS = rf"{_DIGITS}(?:[:_-]{_DIGITS}){{5}}"


def plain_address(text: str) -> str:
    """Return an address in capitals with colons."""
    return text.upper().replace("_", ":").replace("-", ":")
