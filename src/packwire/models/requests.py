"""Requests of a model: frames with places that are filled in."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packwire.models.problem import ModelError, at
from packwire.models.replies import type_of
from packwire.models.text import Made, Named, Part, read_template
from packwire.protocol.base import RequestKind
from packwire.wire.fields import Field, FieldError, Type
from packwire.wire.framing import Framing


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a request says that is not always the same."""

    name: str
    field: Field
    least: int = 0
    most: int | None = None
    default: int | str | None = None
    secret: bool = False
    about: str = ""
    digits: bool = False
    """It is written in hexadecimal digits, two a byte."""

    @property
    def width(self) -> int | None:
        """Return how many bytes it takes in a frame; None where that differs."""
        return self.field.width * 2 if self.digits and self.field.width else self.field.width

    def written(self, value: int | str) -> bytes:
        """Return how it stands in a frame. Raises FieldError in words for a user, without the value."""
        if self.field.type is Type.TEXT:
            text = str(value).encode()
            self._check(len(text), "characters")
            return text if self.field.width is None else text.ljust(self.field.width, b"\0")
        if not isinstance(value, int):
            raise FieldError(f"{self.name} is a number")
        self._check(value, "")
        low, high = self.field.limits()
        if not low <= value <= high:
            raise FieldError(f"{self.name} is {low} to {high}")
        said = self.field.bytes_of(value, "big", bytes(self.field.width or 0))
        return said.hex().upper().encode() if self.digits else said

    def _check(self, number: int, unit: str) -> None:
        most = self.field.width if unit and self.most is None else self.most
        if number < self.least or (most is not None and number > most):
            limits = f"at least {self.least}" if most is None else f"{self.least} to {most}"
            limits = str(most) if self.least == most else limits
            raise FieldError(f"{self.name} has {limits} {unit}" if unit else f"{self.name} is {limits}")

    def read(self, data: bytes) -> int | str:
        """Return the value that stands in a frame."""
        if self.field.type is Type.TEXT:
            return data.rstrip(b"\0").decode("utf-8", "backslashreplace")
        if self.digits:
            return int(data, 16)
        return int(self.field.raw_in(data, 0, "big") or 0)


def parameter_of(name: str, said: Mapping[str, Any]) -> Parameter:
    """Return a parameter. Raises FieldError."""
    kind, width = type_of(said.get("type", "text"), said.get("width"))
    return Parameter(
        name,
        Field(name=name, type=kind, width=width, order=said.get("order")),
        said.get("least", 0),
        said.get("most"),
        said.get("default"),
        said.get("secret", False),
        said.get("about", ""),
        said.get("digits", False),
    )


@dataclass(frozen=True, slots=True)
class Template:
    """A frame with places that are filled in, by the framing and by parameters."""

    parts: tuple[Part, ...]
    framings: tuple[Framing, ...]
    parameters: Mapping[str, Parameter]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the parameters that it has."""
        return tuple(part.name for part in self.parts if isinstance(part, Named))

    @property
    def text(self) -> str:
        """Return the frame with the names of its parameters in it."""
        words = []
        for part in self.parts:
            match part:
                case Made(size):
                    words += [".."] * size
                case Named(name):
                    words.append(f"{{{name}}}")
                case _:
                    words.append(part.hex(" "))
        return " ".join(words)

    def frame(self, values: Mapping[str, int | str]) -> bytes:
        """Return the whole frame. Raises FieldError where a parameter is missing or wrong."""
        frame = bytearray()
        made: set[int] = set()
        for part in self.parts:
            if isinstance(part, bytes):
                frame += part
            elif isinstance(part, Made):
                made.update(range(len(frame), len(frame) + part.size))
                frame += bytes(part.size)
            else:
                parameter = self.parameters[part.name]
                value = values.get(part.name, parameter.default)
                if value is None:
                    raise FieldError(f"{part.name} is not known")
                frame += parameter.written(value)
        whole = bytes(frame)
        framing = next((each for each in self.framings if whole.startswith(each.start)), None)
        return framing.seal(whole, made) if made and framing else whole

    def match(self, frame: bytes) -> dict[str, int | str] | None:
        """Return the parameters of a frame that was made so; None where it was not."""
        found = self.places(frame)
        if found is None:
            return None
        said: dict[str, int | str] = {}
        for name, begin, end in found:
            value = self.parameters[name].read(frame[begin:end])
            if said.setdefault(name, value) != value:
                return None  # one that comes twice says the same
        return said

    def places(self, frame: bytes) -> list[tuple[str, int, int]] | None:
        """Return where in a frame the parameters are; None where it was not made so."""
        at_byte, found = 0, []
        free = len(frame) - sum(self._size(part) or 0 for part in self.parts)
        for part in self.parts:
            size = self._size(part)
            size = free if size is None else size
            if isinstance(part, bytes) and not frame.startswith(part, at_byte):
                return None
            if isinstance(part, Named):
                if self.parameters[part.name].digits and not _HEX.issuperset(frame[at_byte : at_byte + size]):
                    return None
                found.append((part.name, at_byte, at_byte + size))
            at_byte += size
        return found if free >= 0 and at_byte == len(frame) else None

    def without_secrets(self, frame: bytes) -> bytes:
        """Return a frame with zeros for what is secret: whose PIN asks changes nothing of what is asked."""
        if not any(self.parameters[name].secret for name in self.names):
            return frame
        result = bytearray(frame)
        for name, begin, end in self.places(frame) or ():
            if self.parameters[name].secret:
                result[begin:end] = bytes(end - begin)
        return bytes(result)

    def _size(self, part: Part) -> int | None:
        """Return how many bytes a part has; None where that differs."""
        if isinstance(part, bytes):
            return len(part)
        return part.size if isinstance(part, Made) else self.parameters[part.name].width


_HEX = frozenset(b"0123456789ABCDEFabcdef")


def template_of(text: object, framings: tuple[Framing, ...], parameters: Mapping[str, Parameter]) -> Template:
    """Return a template. Raises ModelError where it can make no right frame."""
    template = Template(read_template(text), framings, parameters)
    free = 0
    for name in template.names:
        if name not in parameters:
            known = ", ".join(parameters) or "there are none"
            raise ModelError(f"there is no parameter {name!r}: {known}")
        free += parameters[name].width is None
    if free > 1:
        raise ModelError("one parameter at most has no fixed width")
    values = {name: _any_value(parameters[name]) for name in template.names}
    try:
        frame = template.frame(values)
    except ValueError as error:
        raise ModelError(str(error)) from None
    if not any(framing.form_of(frame) for framing in framings):
        raise ModelError(_wrong(frame, framings))
    return template


def _any_value(parameter: Parameter) -> int | str:
    if parameter.default is not None:
        return parameter.default
    if parameter.field.type is Type.TEXT:
        return "0" * max(parameter.least, 1)
    return max(parameter.least, parameter.field.limits()[0])


def _wrong(frame: bytes, framings: tuple[Framing, ...]) -> str:
    """Say why some bytes are no frame of this protocol."""
    for framing in framings:
        if not frame.startswith(framing.start) or len(frame) < framing.needs:
            continue
        if len(frame) not in framing.sizes_of(frame[: framing.needs]):
            sizes = " or ".join(map(str, framing.sizes_of(frame[: framing.needs]))) or "no size"
            return f"it is {len(frame)} bytes long, and its length says {sizes}"
        if not frame.endswith(framing.end):
            return f"it does not end with {framing.end.hex(' ')}"
        if framing.check is not None:
            return (
                f"its checksum is {framing.check.stored(frame).hex(' ')}, right is "
                f"{framing.check.right(frame).hex(' ')}; packwire makes it where you write .. for each byte"
            )
    starts = " or ".join(framing.start.hex(" ") for framing in framings)
    return f"it does not begin like a frame: {starts}"


@dataclass(frozen=True, slots=True)
class Question:
    """A request of a model: what it sends, what answers it, what it can do, how often it is due.

    `instead_of` names the one that it takes the place of where a device does not answer that.
    `payload` is its frame where no parameter need be given; empty otherwise.
    """

    name: str
    template: Template
    replies: tuple[str, ...]
    kind: RequestKind = RequestKind.READS
    every: float = 0
    once: bool = False
    optional: bool = False
    streams: float = 0
    topic: str = "values"
    keeps_alive: bool = False
    quiet: bool = True
    timeout: float | None = None
    tries: int | None = None
    pause: float = 0
    instead_of: str = ""
    payload: bytes = field(default=b"", compare=False)

    @property
    def reply(self) -> str:
        """Return the first reply that answers it."""
        return self.replies[0] if self.replies else ""

    @property
    def reads_values(self) -> bool:
        """Tell whether it only asks, and for values."""
        return self.kind is RequestKind.READS and self.topic == "values"

    @property
    def harmless(self) -> bool:
        """Tell whether it may be put to a device of unknown kind: it asks for values, and nothing beeps."""
        return self.reads_values and self.quiet

    def asked_by(self, frame: bytes) -> Hashable:
        """Return what a frame of this request asks for. Whose PIN it holds matters to a login alone."""
        usual = self.payload
        if self.kind is RequestKind.READS:
            frame, usual = map(self.template.without_secrets, (frame, usual))
        return self.replies if frame == usual else (self.replies, frame)

    def missing(self, values: Mapping[str, int | str]) -> tuple[str, ...]:
        """Return the parameters that nobody gave."""
        return tuple(
            name
            for name in self.template.names
            if name not in values and self.template.parameters[name].default is None
        )


def question_of(
    name: str, said: Mapping[str, Any], framings: tuple[Framing, ...], parameters: Mapping[str, Parameter]
) -> Question:
    """Return a request. Raises ModelError."""
    with at("send"):
        template = template_of(said["send"], framings, parameters)
    replies = said.get("reply", [])
    rest = {key: value for key, value in said.items() if key not in {"send", "reply", "kind"}}
    question = Question(
        name,
        template,
        (replies,) if isinstance(replies, str) else tuple(replies),
        RequestKind(said.get("kind", RequestKind.READS)),
        **rest,
    )
    if question.missing({}):
        return question
    return Question(**{key: getattr(question, key) for key in _KEYS}, payload=template.frame({}))


_KEYS = [key for key in Question.__slots__ if key != "payload"]
