"""The protocol that a model file describes."""

from collections.abc import Hashable, Mapping
from typing import Any, override

from packwire.advertisement import Advertisement
from packwire.models.aiobmsble_plugins import plugins
from packwire.models.family import family
from packwire.models.parts import Question, Reply
from packwire.models.schema import ModelFile
from packwire.protocol.base import Asker, Options, Protocol, Request, Session
from packwire.quantity import QUANTITIES, Kind
from packwire.wire.codec import Codec, Span
from packwire.wire.fields import Field, FieldError
from packwire.wire.framing import DataFramer, Framing

#: What is said of flags of which none is set.
NOTHING = "none"


class ModelProtocol(Protocol):
    """A protocol made of data. Raises FieldError where the parts of a model do not fit together."""

    def __init__(self, file: ModelFile) -> None:
        self.name = file.name
        self.title = file.title
        self.file = file
        if file.links.serial is not None:
            self.baud = file.links.serial.baud
        self.gatt = tuple(each.build() for each in file.links.ble)
        self._advertisements = tuple(each.build() for each in file.recognise.advertisements)
        self.family = family(file.model_dump(by_alias=True, include={"title", "framings", "answers"}))
        self.framings = self.family.framings
        self.replies = tuple(
            Reply(
                name, each.begins, Codec((field.build() for field in each.fields), file.order), each.refuses
            )
            for name, each in file.replies.items()
        )
        self._by_name = {reply.name: reply for reply in self.replies}
        self.questions = tuple(
            Question(name, each.send, each.reply, each.kind, each.every)
            for name, each in file.requests.items()
        )
        self._questions = {question.payload: question for question in self.questions}
        self._check()

    def _check(self) -> None:
        for question in self.questions:
            if question.reply not in self._by_name:
                names = ", ".join(self._by_name)
                raise FieldError(
                    f"requests.{question.name}.reply: there is no reply {question.reply!r}: {names}"
                )
            framing = self.framing_of(question.payload)
            if framing is None:
                raise FieldError(f"requests.{question.name}.send: {self._wrong(question.payload)}")
        for reply in self.replies:
            for field in reply.codec.fields:
                self._check_quantity(reply, field)

    def _wrong(self, frame: bytes) -> str:
        """Say why some bytes are no frame of this protocol."""
        for framing in self.framings:
            if not frame.startswith(framing.start) or len(frame) < framing.needs:
                continue
            if len(frame) not in framing.sizes_of(frame[: framing.needs]):
                sizes = " or ".join(map(str, framing.sizes_of(frame[: framing.needs]))) or "no size"
                return f"it is {len(frame)} bytes long, and its length says {sizes}"
            if not frame.endswith(framing.end):
                return f"it does not end with {framing.end.hex(' ')}"
            if framing.check is not None:
                return f"its checksum is {framing.check.stored(frame).hex(' ')}, right is " + (
                    framing.check.right(frame).hex(" ")
                )
        starts = " or ".join(framing.start.hex(" ") for framing in self.framings)
        return f"it does not begin like a frame: {starts}"

    def _check_quantity(self, reply: Reply, field: Field) -> None:
        quantity = QUANTITIES.get(field.quantity)
        where = f"replies.{reply.name}.fields.{field.name}.quantity"
        if field.quantity and quantity is None:
            raise FieldError(
                f"{where}: there is no quantity {field.quantity!r}; see docs/reference/quantities.md"
            )
        if quantity is not None and quantity.array is not (field.count is not None):
            one = "several values" if quantity.array else "one value"
            raise FieldError(f"{where}: {field.quantity} is {one}")

    def framing_of(self, frame: bytes) -> Framing | None:
        """Return the framing that some bytes are one whole, right frame of; None where they are none."""
        return next((each for each in self.framings if each.form_of(frame) is not None), None)

    @override
    def framer(self) -> DataFramer:
        return DataFramer(self.framings)

    @override
    def frame(self, request: Request) -> bytes:
        return request.payload

    @override
    def kind(self, message: bytes) -> Hashable | None:
        question = self._questions.get(message)
        return (
            message[: self.framings[0].asks or self.framings[0].header]
            if question is None
            else question.reply
        )

    @override
    def answers(self, request: Request, message: bytes) -> bool:
        question = self._questions.get(request.payload)
        reply = self.reply_of(message)
        if question is None or reply is None:
            return False
        # A refusal repeats what was asked where the other replies to it do so.
        return reply.name == question.reply or (reply.refuses and self._repeats(question, message))

    def _repeats(self, question: Question, message: bytes) -> bool:
        fixed = self._by_name[question.reply].begins[: self.framings[0].header]
        return all(wanted in {None, byte} for wanted, byte in zip(fixed, message, strict=False))

    def reply_of(self, frame: bytes) -> Reply | None:
        """Return which reply a frame is; None where the model knows none that begins so."""
        return next((reply for reply in self.replies if reply.fits(frame)), None)

    @override
    def describe(self, message: bytes) -> str:
        question = self._questions.get(message)
        if question is not None:
            return question.name
        reply = self.reply_of(message)
        return reply.name if reply else message[: self.framings[0].header].hex(" ")

    def data(self, frame: bytes) -> bytes:
        """Return a frame without its checksum and end: what fields and counts may reach to."""
        framing = next((each for each in self.framings if frame.startswith(each.start)), self.framings[0])
        check = framing.check
        if check is not None and check.at < 0:
            return frame[: check.at]
        return frame[: len(frame) - len(framing.end)]

    def values(self, frame: bytes) -> dict[str, Any]:
        """Return what a reply says, by quantity key; empty for a frame that the model does not know."""
        reply = self.reply_of(frame)
        if reply is None:
            return {}
        decoded = reply.codec.decode(self.data(frame)).values
        result: dict[str, Any] = {}
        for field in reply.codec.fields:
            value = decoded.get(field.name)
            if not field.quantity or value is None:
                continue
            if field.flags and not QUANTITIES[field.quantity].array:
                result[field.quantity] = ", ".join(value) or NOTHING
            elif isinstance(value, tuple):
                result[field.quantity] = tuple(item for item in value if item is not None)
            else:
                result[field.quantity] = _said(field.quantity, value)
        return result

    def spans(self, frame: bytes) -> list[Span]:
        """Return where each field of a reply lies; empty for a frame that the model does not know."""
        reply = self.reply_of(frame)
        return reply.codec.spans(self.data(frame)) if reply else []

    def encode(self, reply: str, values: Mapping[str, Any]) -> bytes:
        """Return the whole frame of a reply with these values of its fields; checksum and length are made."""
        shape = self._by_name[reply]
        framing = self.framings[0]
        begins = bytes(byte or 0 for byte in shape.begins)
        head = max(framing.needs, len(begins))
        body = bytearray(shape.codec.encode(values, size=head).ljust(head, b"\0"))
        body[: len(begins)] = begins
        tail = (framing.check.size if framing.check else 0) + len(framing.end)
        return framing.seal(bytes(body) + bytes(tail - len(framing.end)) + framing.end)

    @override
    def mask(self, message: bytes) -> bytes:
        masked = bytearray(message)
        reply = self.reply_of(message)
        secret = {field.name for field in reply.codec.fields if field.secret} if reply else set()
        for span in self.spans(message):
            if span.name.partition("[")[0] in secret:
                masked[span.offset : span.offset + span.width] = b"*" * span.width
        return bytes(masked)

    @override
    def recognises(self, seen: Advertisement) -> bool:
        named = self.file.recognise.aiobmsble
        plugin = plugins().get(named) if named else None
        return any(pattern.fits(seen) for pattern in self._advertisements) or (
            plugin is not None and plugin.recognises(seen)
        )

    @override
    def session(self, asker: Asker, options: Options) -> Session:
        from packwire.models.session import ModelSession  # noqa: PLC0415 - a recording needs no session

        return ModelSession(self, asker, options)


def _said(quantity: str, value: Any) -> Any:
    """Return a value as its quantity takes it: a version may be a number on the wire, and is a text."""
    if QUANTITIES[quantity].kind is Kind.TEXT:
        return str(value).strip()
    return value
