"""Bytes as texts write them."""

import re

_BYTE = "(?:0[xX])?[0-9A-Fa-f]{2}"
_SEPARATORS = ("[ \t]{1,3}", "[ \t]?,[ \t]{0,2}", ":", "-", r"\.", r"\|")
_QUOTED = r"{0}(?:0[xX][0-9A-Fa-f]{{1,2}}|[0-9A-Fa-f]{{2}}){0}"
_QUOTED += rf"(?:,[ \t]{{{{0,2}}}}{_QUOTED})+"
#: Bytes in hex: two-digit tokens with one separator throughout, each with or without 0x, or one unbroken run;
#: or tokens of one or two digits that all have 0x, or that all stand in quotes, as Python prints a list.
TOKENS = (
    r"(?:0[xX][0-9A-Fa-f]{1,2}(?:[ \t,]{1,3}0[xX][0-9A-Fa-f]{1,2})+,?(?![ \t,]*(?:0[xX]|[0-9A-Fa-f]{1,2}\b))|"
    + "|".join(f"{_BYTE}(?:{between}{_BYTE})+" for between in _SEPARATORS)
    + f"|{_QUOTED.format("'")}|{_QUOTED.format('"')}"
    + "|(?:0[xX])?(?:[0-9A-Fa-f]{2})+|0[xX][0-9A-Fa-f])"
)
#: A bytes literal of Python, on its own or as the argument of bytearray or bytes.
LITERAL = r"""(?:(?:bytearray|bytes)\()?b(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")\)?"""
#: Bytes that are all written as `\xdd`.
ESCAPED = r"(?:\\x[0-9A-Fa-f]{2})+"

_LITERAL = re.compile(r"""b(?:'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)")""")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)")
#: Those of Python and C; `\e` is what ESPHome writes for 27.
_ESCAPES = {
    "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    "\\": "\\", "'": "'", '"': '"',
}  # fmt: skip
_BETWEEN = re.compile(r"[ \t:.,|\-]+")
_QUOTES = re.compile("['\"]")


def hex_tokens(text: str) -> list[str]:
    """Return the digits of each token of a text of the form of `TOKENS`; a run of digits is one."""
    plain = text.replace("0x", "").replace("0X", "") if "x" in text or "X" in text else text
    return _BETWEEN.split(_QUOTES.sub("", plain).strip(" \t,"))


def hex_bytes(text: str) -> bytes | None:
    """Return the bytes that a text of the form of `TOKENS` names, or None where it is none."""
    if "x" in text or "X" in text or text[:1] in {"'", '"'}:
        text = "".join(token.zfill(2) for token in hex_tokens(text))
    try:
        return bytes.fromhex(_BETWEEN.sub("", text))
    except ValueError:
        return None


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    if code[0] == "x" and len(code) == 3:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8) & 0xFF)
    return _ESCAPES.get(code, escape[0])


def unescaped(text: str) -> bytes:
    r"""Return the bytes of a text with escapes, such as `\xdd\x03w`."""
    return _ESCAPE.sub(_unescaped, text).encode("latin-1", "replace")


def literal_bytes(text: str) -> bytes | None:
    r"""Return what the first Python bytes literal in a text holds, such as `b'\xdd\x03w'`."""
    found = _LITERAL.search(text)
    if not found:
        return None
    return unescaped(found["single"] if found["single"] is not None else found["double"])
