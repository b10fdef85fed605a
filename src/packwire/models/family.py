"""A model's framings and what answers what, from the plain values of its file.

Who only looks for frames needs neither the rest of the model nor what checks it.
"""

from collections.abc import Mapping
from typing import Any

from packwire.wire.checksum import CHECKSUMS
from packwire.wire.family import Answer, Family, Same
from packwire.wire.fields import FieldError
from packwire.wire.framing import ByteIs, FrameCheck, Framing, Size


def read_hex(text: object) -> bytes:
    """Read bytes as they are written in a model: `dd a5 03`; YAML takes `77` for a number.

    Raises ValueError, in words for a user.
    """
    if isinstance(text, bytes):
        return text
    text = f"{text:02d}" if isinstance(text, int) and not isinstance(text, bool) else text
    if not isinstance(text, str):
        raise ValueError("bytes are written as two hexadecimal digits each, such as 'dd a5 03'")  # noqa: TRY004
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is no hexadecimal: write two digits a byte, such as 'dd a5 03'"
        ) from None


def family(content: Mapping[str, Any]) -> Family:
    """Return the family of a model, as `schema.ModelFile` describes it. Raises FieldError."""
    name = content["title"]
    framings = tuple(_framing(name, each) for each in content["framings"])
    return Family(name, framings, tuple(_answer(each) for each in content.get("answers", ())))


def _framing(name: str, said: Mapping[str, Any]) -> Framing:
    queries, checksum = said.get("queries"), said.get("checksum")
    return Framing(
        name,
        read_hex(said["start"]),
        tuple(_size(each) for each in said["size"]),
        None if checksum is None else _check(checksum),
        read_hex(said.get("end", b"")),
        header=said.get("kind", 1),
        asks=said.get("asks", 0),
        queries=None if queries is None else _byte(queries),
    )


def _size(said: Mapping[str, Any]) -> Size:
    return Size(**{**said, "when": tuple(_byte(each) for each in said.get("when", ()))})


def _check(said: Mapping[str, Any]) -> FrameCheck:
    if said["name"] not in CHECKSUMS:
        raise FieldError(f"there is no checksum {said['name']!r}: {', '.join(CHECKSUMS)}")
    order, digits = said.get("order", "big"), said.get("digits", False)
    return FrameCheck(said["name"], said.get("from", 0), said["to"], said["at"], order, digits)


def _byte(said: Mapping[str, Any]) -> ByteIs:
    return ByteIs(said["at"], frozenset(said["values"]))


def _answer(said: Mapping[str, Any]) -> Answer:
    return Answer(
        tuple(Same(**each) for each in said.get("same", ())),
        tuple(_byte(each) for each in said.get("request", ())),
        tuple(_byte(each) for each in said.get("reply", ())),
    )
