"""Switches of a model: writes that packwire declares and simulates, and does not send."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packwire.models.problem import ModelError, at
from packwire.models.replies import Reply
from packwire.models.requests import Parameter, Template, parameter_of, template_of
from packwire.wire.framing import Framing


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that can be set: packwire declares and simulates it, and does not send it.

    `echo` is the reply that confirms it, `read_back` the reply and its field that say what it is set to, and
    `reads` the numbers that stand there, by name.
    """

    name: str
    template: Template
    values: Mapping[str, int]
    echo: str
    read_back: tuple[str, str] | None
    reads: Mapping[str, int]


def switches_of(
    content: Mapping[str, Any],
    framings: tuple[Framing, ...],
    known: Mapping[str, Parameter],
    replies: Mapping[str, Reply],
) -> Iterator[Switch]:
    """Yield the switches of a model. Raises ModelError."""
    for name, said in content.get("switches", {}).items():
        with at("switches", name):
            value = parameter_of("value", {"type": said.get("type", "u8"), "order": said.get("order")})
            parameters = {**known, "value": value}
            with at("send"):
                template = template_of(said["send"], framings, parameters)
            echo, back = said.get("echo", ""), said.get("read_back")
            if echo:
                _checked(replies, echo, "echo")
            if back is not None:
                reply = _checked(replies, back["reply"], "read_back", "reply")
                if all(back["field"] not in each.codec.names for each in reply.layouts):
                    raise ModelError(f"there is no field {back['field']!r}", ("read_back", "field"))
            read_back = None if back is None else (back["reply"], back["field"])
            reads = (back or {}).get("values") or said["values"]
            if set(reads) != set(said["values"]):
                raise ModelError(f"the names are {', '.join(said['values'])}", ("read_back", "values"))
            yield Switch(name, template, said["values"], echo, read_back, reads)


def _checked(replies: Mapping[str, Reply], name: str, *place: str) -> Reply:
    if name not in replies:
        raise ModelError(f"there is no reply {name!r}: {', '.join(replies)}", place)
    return replies[name]
