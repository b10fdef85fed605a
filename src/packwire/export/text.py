"""A model's words in other people's files: nothing of them may end a string, a comment or a line there."""

import re
import unicodedata
from collections.abc import Iterable

#: Beside letters and digits, what means nothing in any of the languages that are written here.
_MARKS = frozenset(" ,.()+_-:/")
#: No comment, name or word of a model is longer.
_LONGEST = 200


def plain(text: object) -> str:
    """Return a text with letters, digits and harmless marks alone: for comments, names and titles."""
    seen = "".join(each if _is_plain(each) else " " for each in str(text)[: 4 * _LONGEST])
    return " ".join(seen.split())[:_LONGEST]


def _is_plain(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _MARKS
    return character.isalnum() and unicodedata.bidirectional(character) == "L"


def identifier(text: str) -> str:
    """Return a name that every language takes: small letters, digits and `_`, beginning with a letter."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "it"
    return name if name[0].isalpha() else f"n{name}"


def distinct(names: Iterable[str]) -> list[str]:
    """Return names of which none comes twice: the second `a` is `a_2`."""
    found: list[str] = []
    for name in names:
        many = 2
        free = name
        while free in found:
            free, many = f"{name}_{many}", many + 1
        found.append(free)
    return found


def lua_string(text: str | bytes) -> str:
    """Return a string of Lua: other bytes than plain letters are written as numbers."""
    return (
        '"'
        + "".join(_letter(byte, "\\{:03d}", " #%&()*+,-./:;<=>?@[]^_{|}~!$") for byte in _bytes(text))
        + '"'
    )


def c_string(text: str | bytes) -> str:
    """Return a string of C++, all but plain letters as numbers: ESPHome has nothing to substitute in it."""
    return '"' + "".join(_letter(byte, "\\{:03o}", " .,:;+_-") for byte in _bytes(text)) + '"'


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


def _letter(byte: int, escape: str, marks: str) -> str:
    letter = chr(byte)
    return letter if letter.isascii() and (letter.isalnum() or letter in marks) else escape.format(byte)
