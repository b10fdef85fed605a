"""Whether digits are bytes or something else that is written with them: a number, a date, an address, a word.

Digits that may be something else are taken only where the same file shows bytes in the same form, at least as
often: one line of `12 34` says nothing, one among lines of `dd 03 00 12` does. Those of `ALONE` are taken too
where the file holds nothing else.
"""

import re

from packwire.capture.text.tokens import hex_tokens

NUMBERS = "lines with numbers that may be no bytes"
PADDED = "lines with two-digit numbers that may be no bytes"
SHORT_RUN = "lines with a short run of digits that may be a name or a number"
ADDRESS = "lines with what may be an address"
WORD = "lines with what may be a word"
#: Such lines tell of the others that go the same way that digits in them are decimal, too.
DECIMALS = "lines of decimal numbers (if they are bytes, give --bytes decimal)"
ALONE = frozenset((PADDED, SHORT_RUN))

#: A run this long is no number that people write; one of exactly `_UUID` digits may be a UUID.
_LONG_RUN, _SHORT_RUN_DIGITS, _UUID, _MAC = 24, 8, 32, 12
_UUID_RUN = re.compile(r"[0-9a-fA-F]{12}[1-8][0-9a-fA-F]{3}[89abAB][0-9a-fA-F]{15}")
#: Words of two letters that are digits, in a row.
_WORDS = re.compile(r"(?i)(?:(?:ad|be|da|de|ed|fa) ?\b)+")
_LEAST = 4
#: Of so many bytes hardly ever all look like decimal numbers.
_LEAST_NUMBERS = 8
_CLEAR = len("dd 03 00")
_MAC_TOKENS, _EUI64_TOKENS, _LEAST_DOTTED, _LEAST_COLONS = 6, 8, 5, 7


def doubt(text: str, *, marked: bool, direct: bool = False) -> str:
    """Return what bytes in hex may be instead, or nothing.

    `marked` means that a word that leads to bytes stands directly before them, `direct` that it is TX, RX or
    an arrow.
    """
    if text[:1] in {"'", '"'}:
        text = text.replace(text[0], "")
    if "x" in text or "X" in text:
        return "" if marked or len(hex_tokens(text)) > 1 else NUMBERS
    if not marked and not direct and _WORDS.fullmatch(text):
        return WORD
    if text[2:3] == " " and len(text) > _CLEAR and not text.replace(" ", "").isdigit():
        return ""
    parts = hex_tokens(text)
    if len(parts) == 1:
        return _run(parts[0], marked=marked, direct=direct)
    return _several(parts, text[2], marked=marked, direct=direct)


def _several(parts: list[str], separator: str, *, marked: bool, direct: bool) -> str:
    if separator in ":-" and not direct and (len(parts) == _MAC_TOKENS or _is_eui64(parts)):
        return ADDRESS
    joined = "".join(parts)
    if joined.isdigit():
        return _decimal(parts, separator, marked=marked, direct=direct)
    if len(parts) == 2 and not direct and (joined.isalpha() or (separator in ":-." and not marked)):
        return WORD
    if len(parts) <= 3 and not marked and parts[0].isalpha() and "".join(parts[1:]).isdigit():
        return "" if any(part[0] == "0" for part in parts) and len(parts) == 3 else WORD
    if len(parts) == 3 and separator in ":-" and not marked:
        return ADDRESS
    return ""


def _is_eui64(parts: list[str]) -> bool:
    return len(parts) == _EUI64_TOKENS and "".join(parts[3:5]).lower() == "fffe"


def _run(digits: str, *, marked: bool, direct: bool) -> str:
    if digits.isdigit():
        least = _SHORT_RUN_DIGITS if direct else _LONG_RUN
        padded = direct or (marked and len(digits) >= _LEAST)
        if len(digits) >= least or (padded and digits.startswith("0")):
            return ""
        return PADDED if len(digits) == 2 and digits[0] == "0" else NUMBERS
    if digits.isalpha() and len(digits) <= _SHORT_RUN_DIGITS and not direct:
        return WORD
    if marked:
        return ""
    if len(digits) == _MAC or (len(digits) == _UUID and _UUID_RUN.fullmatch(digits)):
        return ADDRESS
    if len(digits) < _SHORT_RUN_DIGITS - 2:
        return WORD
    return SHORT_RUN if len(digits) < _SHORT_RUN_DIGITS else ""


def _decimal(parts: list[str], separator: str, *, marked: bool, direct: bool) -> str:
    padded = any(part[0] == "0" for part in parts)
    zeros = "00" in parts and sum(part[0] == "0" for part in parts) * 2 >= len(parts)
    if marked:
        if separator == "," and not padded:
            # A list of numbers in any language; one of bytes would soon have a letter.
            return NUMBERS
        least = {".": _LEAST_DOTTED, ":": _LEAST, "-": _LEAST, ",": 3}.get(
            separator, (2 if direct else 3) if padded else _LEAST if direct else _LEAST_NUMBERS
        )
        return NUMBERS if len(parts) < least else ""
    if separator in " \t":
        if len(parts) >= _LEAST - padded and zeros:
            return ""
        return PADDED if padded or len(parts) >= _LEAST else NUMBERS
    least = {",": _LEAST, ".": _LEAST_DOTTED}.get(separator, _LEAST_COLONS)
    return "" if len(parts) >= least and padded else NUMBERS
