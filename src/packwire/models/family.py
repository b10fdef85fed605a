"""A model's framings and what answers what, from the plain values of its file.

Who only looks for frames needs neither the rest of the model nor what checks it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packwire.models.modbus import modbus, modbus_answers
from packwire.models.problem import at
from packwire.models.text import read_hex
from packwire.wire.checksum import CHECKSUMS
from packwire.wire.family import Answer, Family, Same
from packwire.wire.fields import FieldError
from packwire.wire.framing import ByteIs, FrameCheck, Framing, Size


def family(content: Mapping[str, Any]) -> Family:
    """Return the family of a model, as `schema.ModelFile` describes it. Raises FieldError."""
    name = content.get("family") or content["title"]
    framings = tuple(_framing(name, index, each) for index, each in enumerate(content["framings"]))
    answers = tuple(answer for each in content.get("answers", ()) for answer in _answers(each))
    return Family(name, framings, answers)


def _framing(name: str, index: int, said: Mapping[str, Any]) -> Framing:
    start = read_hex(said.get("start", ""))
    name = said.get("name") or name
    if said.get("form") == "modbus":
        return modbus(name, start)
    if said.get("form") == "can":
        return Framing(name, b"", (), header=4, unit=True)
    queries, checksum = said.get("queries"), said.get("checksum")
    with at("framings", index, "checksum"):
        check = None if checksum is None else _check(checksum)
    return Framing(
        name,
        start,
        tuple(_size(each) for each in said.get("size", ())),
        check,
        read_hex(said.get("end", "")),
        header=said.get("kind", 1),
        asks=said.get("asks", 0),
        queries=None if queries is None else _byte(queries),
        count=said.get("count"),
        until=read_hex(said.get("until", "")),
        hexadecimal=said.get("text") == "hex",
        skips=said.get("skips", 0),
    )


def _size(said: Mapping[str, Any]) -> Size:
    return Size(**{**said, "when": bytes_are(said.get("when", ()))})


def _check(said: Mapping[str, Any]) -> FrameCheck:
    if said["name"] not in CHECKSUMS:
        raise FieldError(f"there is no checksum {said['name']!r}: {', '.join(CHECKSUMS)}")
    order, digits = said.get("order", "big"), said.get("digits", False)
    of_digits = said.get("of_digits", False)
    return FrameCheck(said["name"], said.get("from", 0), said["to"], said["at"], order, digits, of_digits)


def _byte(said: Mapping[str, Any]) -> ByteIs:
    values = frozenset(said.get("values", ())) or frozenset(range(256)) - frozenset(said["all_but"])
    return ByteIs(said["at"], values)


def bytes_are(said: Iterable[Mapping[str, Any]]) -> tuple[ByteIs, ...]:
    """Return rules on single bytes."""
    return tuple(_byte(each) for each in said)


def _answers(said: Mapping[str, Any]) -> Iterator[Answer]:
    same = tuple(Same(**each) for each in said.get("same", ()))
    request, reply = bytes_are(said.get("request", ())), bytes_are(said.get("reply", ()))
    if said.get("form") == "modbus":
        yield from modbus_answers(same, request, reply)
    else:
        yield Answer(same, request, reply)
