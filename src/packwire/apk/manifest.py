"""Android's binary XML and tables of resources, as far as an app's name and its texts go."""

import re
from typing import Final, NamedTuple

#: Chunks of a file: a pool of strings, the beginning of an element.
_POOL, _ELEMENT = 0x0001, 0x0102
_XML, _RESOURCES = 0x0003, 0x0002
_UTF8 = 0x100
_MOST_STRINGS, _LONGEST = 1 << 17, 1 << 12
#: In the protocol buffers of an app bundle: an attribute's name, then its value, each with its length.
_IN_BUNDLE: Final = re.compile(rb"\x12([\x07\x0b])(package|versionName)\x1a([\x01-\x7f])")
_NAME: Final = re.compile(r"[A-Za-z]\w*(?:\.\w+)+")


class App(NamedTuple):
    """The name of an app's package and its version, as its manifest says; empty where it does not."""

    package: str = ""
    version: str = ""


def read_manifest(data: bytes) -> App:
    """Return what AndroidManifest.xml says, in the form of an APK or of an app bundle."""
    found = _attributes(data) if _u16(data, 0) == _XML else _bundled(data)
    package = found.get("package", "")
    return App(package if _NAME.fullmatch(package) else "", found.get("versionName", "")[:40])


def texts_of(data: bytes) -> list[str]:
    """Return the strings of a table of resources, or of binary XML."""
    if _u16(data, 0) not in {_XML, _RESOURCES}:
        return []
    # The first pool is that of the values; its place follows from the header's size.
    at = _u16(data, 2)
    return _pool(data, at) if _u16(data, at) == _POOL else []


def _bundled(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _IN_BUNDLE.finditer(data):
        size, name = match[3][0], match[2].decode()
        if match[1][0] == len(name):
            found.setdefault(name, data[match.end() : match.end() + size].decode("utf-8", "replace"))
    return found


def _attributes(data: bytes) -> dict[str, str]:
    """Return the attributes of the first element that are texts, by name."""
    at = _u16(data, 2)
    texts: list[str] = []
    while at + 8 <= len(data):
        kind, size = _u16(data, at), _u32(data, at + 4)
        if size < 8:
            break
        if kind == _POOL and not texts:
            texts = _pool(data, at)
        elif kind == _ELEMENT:
            body = at + _u16(data, at + 2)
            begin, step, count = (_u16(data, body + offset) for offset in (8, 10, 12))
            found: dict[str, str] = {}
            for number in range(min(count, 64)):
                place = body + begin + number * max(step, 20)
                name, raw = _u32(data, place + 4), _u32(data, place + 8)
                if name < len(texts) and raw < len(texts):
                    found.setdefault(texts[name], texts[raw])
            return found
        at += size
    return {}


def _pool(data: bytes, at: int) -> list[str]:
    count, flags, begin = _u32(data, at + 8), _u32(data, at + 16), _u32(data, at + 20)
    count = min(count, _MOST_STRINGS, max(len(data) - at - 28, 0) // 4)
    result = []
    for number in range(count):
        place = at + begin + _u32(data, at + 28 + 4 * number)
        result.append(_utf8(data, place) if flags & _UTF8 else _utf16(data, place))
    return result


def _utf8(data: bytes, at: int) -> str:
    for _ in range(2):  # in characters, then in bytes
        size = data[at] if at < len(data) else 0
        at += 1
        if size & 0x80:
            size = (size & 0x7F) << 8 | (data[at] if at < len(data) else 0)
            at += 1
    return data[at : at + min(size, _LONGEST)].decode("utf-8", "replace")


def _utf16(data: bytes, at: int) -> str:
    size = _u16(data, at)
    at += 2
    if size & 0x8000:
        size = (size & 0x7FFF) << 16 | _u16(data, at)
        at += 2
    return data[at : at + 2 * min(size, _LONGEST)].decode("utf-16-le", "replace")


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
