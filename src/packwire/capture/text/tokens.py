"""Bytes as texts write them."""

import re

from packwire.capture.packets import PacketDirection

_BYTE = "(?:0[xX])?[0-9A-Fa-f]{2}"
#: Bytes in hex: two-digit tokens with one separator throughout, each with or without 0x, or one unbroken run.
TOKENS = (
    "(?:"
    + "|".join(
        f"{_BYTE}(?:{between}{_BYTE})+" for between in ("[ \t]{1,3}", "[ \t]?,[ \t]{0,2}", ":", "-", r"\.")
    )
    + "|(?:0[xX])?(?:[0-9A-Fa-f]{2})+)"
)

_BYTES_LITERAL = re.compile(r"b(?P<quote>['\"])(?P<text>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)")
#: Those of Python and C; `\e` is what ESPHome writes for 27.
_ESCAPES = {
    "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    "\\": "\\", "'": "'", '"': '"',
}  # fmt: skip
_BETWEEN = re.compile(r"0[xX](?=[0-9A-Fa-f]{2})|[ \t:.,\-]+")


def hex_bytes(text: str) -> bytes | None:
    """Return the bytes that a text of the form of `TOKENS` names, or None where it is none."""
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
    found = _BYTES_LITERAL.search(text)
    return unescaped(found["text"]) if found else None


def way_of(words: str, sent: re.Pattern[str], received: re.Pattern[str]) -> PacketDirection:
    """Return which way a line's words say that its bytes went; the word that stands first counts."""
    to, back = sent.search(words), received.search(words)
    if to and not (back and back.start() < to.start()):
        return PacketDirection.SENT
    return PacketDirection.RECEIVED if back else PacketDirection.UNKNOWN


def short_uuid(uuid: str) -> str:
    """Return a characteristic's UUID, its 16 bits alone where the rest is the Bluetooth Base UUID."""
    uuid = uuid.lower()
    if uuid.endswith("-0000-1000-8000-00805f9b34fb") and uuid.startswith("0000"):
        return uuid[4:8]
    return uuid
