"""The protocol that a model file describes."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, override

from packwire.advertisement import Advertisement
from packwire.models.aiobmsble_plugins import plugins
from packwire.models.computed import Computed, computed_of
from packwire.models.family import family
from packwire.models.heard import Heard
from packwire.models.problem import ModelError, at
from packwire.models.recognition import gatt_of, pattern_of
from packwire.models.replies import Reply, ReplyLayout, reply_of, size_said, with_ways
from packwire.models.requests import Parameter, Question, parameter_of, question_of
from packwire.models.switches import Switch, switches_of
from packwire.protocol.base import Asker, Options, Protocol, Request, RequestKind, Session
from packwire.quantity import Value
from packwire.wire.codec import Span
from packwire.wire.family import Family
from packwire.wire.fields import Type
from packwire.wire.finding import DataFramer, UnitFramer
from packwire.wire.frame import StreamFramer
from packwire.wire.framing import Framing, from_digits

__all__ = ["ModelProtocol", "Question", "Reply", "ReplyLayout", "Switch"]


#: Bytes in which a CAN frame's identifier is written before its data.
_IDENTIFIER = 4


class ModelProtocol(Protocol):
    """A protocol made of data: the plain values of a model file, which was checked.

    Raises ModelError where its parts do not fit together.
    """

    digest = ""
    """Of the file's text, where it is not packwire's own."""
    shadows = False
    """Whether it stands in for one of packwire's own."""

    def __init__(self, content: Mapping[str, Any], shared: Family | None = None) -> None:
        """Make it; `shared` has the framings where the file says that another model's are its own."""
        self.content = content
        self.name = content["name"]
        self.title = content["title"]
        links = content.get("links", {})
        self.tcp: bool = links.get("tcp", False)
        self.serial: bool = "serial" in links
        serial, can = links.get("serial", {}), links.get("can")
        self.can = can is not None
        self.on_a_line = self.serial
        self.baud = can["bit_rate"] if can else serial.get("baud", 9600)
        self.other_bauds = tuple(serial.get("others", ()))
        self.modbus = any(each.get("form") == "modbus" for each in content.get("framings", ()))
        self.gatt = tuple(gatt_of(each) for each in links.get("ble", ()))
        self.timeout: float | None = content.get("timeout")
        self.pause: float = content.get("pause", 0)
        recognise = content.get("recognise", {})
        self._plugin: str = recognise.get("aiobmsble", "")
        self._advertisements = tuple(pattern_of(each) for each in recognise.get("advertisements", ()))
        self.family: Family = shared or family(content)
        self.framings = self.family.framings
        self._with_rubbish = tuple(each for each in self.framings if each.count is not None)
        self._text = any(each.hexadecimal for each in self.framings)
        self.replies = with_ways(self._replies(content))
        self._by_name = {reply.name: reply for reply in self.replies}
        self.order_of_replies: Mapping[str, int] = {
            reply.name: index for index, reply in enumerate(self.replies)
        }
        self.parameters: dict[str, Parameter] = {}
        for name, said in content.get("parameters", {}).items():
            with at("parameters", name):
                self.parameters[name] = parameter_of(name, said)
        self.questions = tuple(self._made_questions(content))
        self.asks = bool(self.questions)
        self.wants_pin = any(each.secret for each in self.parameters.values())
        self.asked_by_name = {question.name: question for question in self.questions}
        self._questions = {question.payload: question for question in self.questions if question.payload}
        self.start = tuple(self._start(content))
        self.switches = tuple(switches_of(content, self.framings, self.parameters, self._by_name))
        self.asked_for: Mapping[str, tuple[str, ...]] = self._asked_for()
        self.computed = tuple(self._computed(content))
        self.packs: Mapping[str, Any] | None = content.get("packs")
        self.bus: Mapping[str, Any] | None = content.get("bus")
        self.settings: Mapping[str, str] | None = content.get("settings")
        self._check_packs()

    def _replies(self, content: Mapping[str, Any]) -> Iterator[Reply]:
        for name, said in content["replies"].items():
            with at("replies", name):
                reply = reply_of(name, said, content.get("order", "big"), content.get("separator", ""))
                framing = self._framing_of_reply(reply.head)
                if framing is None:
                    starts = " or ".join(each.start.hex(" ") for each in self.framings)
                    raise ModelError(f"no frame begins so: they begin with {starts}", ("begins",))
                if reply.part and any(reply.part not in each.codec.names for each in reply.layouts):
                    raise ModelError(f"there is no field {reply.part!r}", ("part",))
            yield reply

    def _made_questions(self, content: Mapping[str, Any]) -> Iterator[Question]:
        optional: set[str] = set()
        for name, said in content.get("requests", {}).items():
            with at("requests", name):
                question = question_of(name, said, self.framings, self.parameters)
                for reply in question.replies:
                    self._check_reply(reply, "reply")
                if question.instead_of and question.instead_of not in optional:
                    raise ModelError("it names an optional request before it", ("instead_of",))
            if question.optional:
                optional.add(name)
            yield question

    def _check_reply(self, name: str, *place: str) -> Reply:
        if name not in self._by_name:
            raise ModelError(f"there is no reply {name!r}: {', '.join(self._by_name)}", place)
        return self._by_name[name]

    def _start(self, content: Mapping[str, Any]) -> Iterator[Question | float]:
        for index, step in enumerate(content.get("start", ())):
            if not isinstance(step, str):
                yield float(step["pause"])
            elif step in self.asked_by_name:
                yield self.asked_by_name[step]
            else:
                names = ", ".join(self.asked_by_name)
                raise ModelError(f"there is no request {step!r}: {names}", ("start", index))

    def _computed(self, content: Mapping[str, Any]) -> Iterator[Computed]:
        for key, said in content.get("computed", {}).items():
            with at("computed", key):
                yield computed_of(key, said)

    def _asked_for(self) -> dict[str, tuple[str, ...]]:
        """Return the fields, by reply, whose numbers other replies ask for. Raises ModelError."""
        wanted: dict[str, set[str]] = {}
        for reply in self.replies:
            for layout in reply.layouts:
                for reference in layout.references():
                    name, _, field = reference.rpartition(".")
                    with at("replies", reply.name):
                        if not name:
                            raise ModelError(
                                f"a layout depends on other replies: write reply.field, not {field}",
                                ("layouts",),
                            )
                        other = self._check_reply(name, "fields")
                        if all(field not in each.codec.names for each in other.layouts):
                            raise ModelError(f"there is no field {field!r} in {name!r}", ("fields",))
                        asked = [
                            each.codec.by_name[field] for each in other.layouts if field in each.codec.names
                        ]
                        if any(one.type is Type.FLOAT or not one.type.numeric for one in asked):
                            raise ModelError(f"{reference} is no whole number", ("fields",))
                    wanted.setdefault(name, set()).add(field)
        if self.content.get("packs"):
            name, _, field = self.content["packs"]["count"].rpartition(".")
            wanted.setdefault(name, set()).add(field)
        return {name: tuple(sorted(fields)) for name, fields in wanted.items()}

    def _check_packs(self) -> None:
        for key, name in (self.settings or {}).items():
            if key != "mode" and name not in self.asked_by_name:
                raise ModelError(f"there is no request {name!r}", ("settings", key))
        asked = (self.bus or {}).get("parameter")
        if asked is not None and asked not in self.parameters:
            raise ModelError(f"there is no parameter {asked!r}", ("bus", "parameter"))
        if self.packs is None:
            return
        with at("packs"):
            name, _, field = self.packs["count"].rpartition(".")
            reply = self._check_reply(name, "count")
            if field not in reply.codec.names:
                raise ModelError(f"there is no field {field!r} in {name!r}", ("count",))
            if self.packs["parameter"] not in self.parameters:
                raise ModelError(f"there is no parameter {self.packs['parameter']!r}", ("parameter",))

    def framing_of(self, frame: bytes) -> Framing | None:
        """Return the framing that some bytes are one whole, right frame of; None where they are none."""
        for each in self.framings:
            if each.form_of(frame) is not None:
                return each
        return None

    def _framing_of_reply(self, head: bytes) -> Framing | None:
        fitting = [
            each for each in self.framings if head.startswith(each.start) or each.start.startswith(head)
        ]
        # A reply that may begin with anything is rather in a framing that may, too.
        return next((each for each in fitting if bool(each.start) == bool(head)), next(iter(fitting), None))

    @override
    def framer(self) -> StreamFramer:
        return UnitFramer() if self.can else DataFramer(self.framings)

    @override
    def frame(self, request: Request) -> bytes:
        return request.payload

    def plain(self, message: bytes) -> bytes:
        """Return a frame without what apps leave in a command behind what it means."""
        for framing in self._with_rubbish:
            message = framing.plain(message)
        return message

    def question_of(self, message: bytes) -> Question | None:
        """Return which request a frame is; None where it is none."""
        message = self.plain(message)
        return self._questions.get(message) or next(
            (each for each in self.questions if each.template.match(message) is not None), None
        )

    def switch_of(self, message: bytes) -> tuple[Switch, int] | None:
        """Return which switch a frame sets, and to what number; None where it sets none."""
        message = self.plain(message)
        for switch in self.switches:
            found = switch.template.match(message)
            if found is not None:
                return switch, int(found["value"])
        return None

    @override
    def kind(self, message: bytes) -> Hashable | None:
        message = self.plain(message)
        question = self.question_of(message)
        if question is None:
            return message[: self.framings[0].asks or self.framings[0].header]
        return question.asked_by(message) if question.replies else None

    @override
    def answers(self, request: Request, message: bytes) -> bool:
        question = self.question_of(request.payload)
        reply = self.reply_of(message)
        if question is None or reply is None:
            return False
        if reply.name in question.replies:
            return (
                not question.template.names
                or not self.family.answers
                or self.family.is_answer(request.payload, message)
            )
        # A refusal repeats what was asked where the other replies to it do so.
        return bool(reply.refuses and question.replies) and (
            self._repeats(question, message) or self.family.is_answer(request.payload, message)
        )

    def _repeats(self, question: Question, message: bytes) -> bool:
        framing = self._framing_of_reply(message[: self.framings[0].needs]) or self.framings[0]
        fixed = self._by_name[question.reply].begins[: framing.header]
        return all(wanted in {None, byte} for wanted, byte in zip(fixed, message, strict=False))

    @override
    def refuses(self, message: bytes) -> bool:
        reply = self.reply_of(message)
        return reply is not None and bool(reply.refuses)

    @override
    def streams(self, message: bytes) -> bool:
        reply = self.reply_of(message)
        return reply is not None and (reply.unasked or reply.part is not None)

    def reply(self, name: str) -> Reply:
        """Return a reply by its name. Raises KeyError."""
        return self._by_name[name]

    def reply_of(self, frame: bytes) -> Reply | None:
        """Return which reply a frame is; None where the model knows none that begins so."""
        seen = self.data(frame) if self._text else frame
        for reply in self.replies:
            if reply.fits(seen, len(frame)):
                return reply
        return None

    @override
    def describe(self, message: bytes) -> str:
        question = self.question_of(message)
        if question is not None:
            return question.name
        reply = self.reply_of(message)
        if reply is not None:
            return reply.name
        switched = self.switch_of(message)
        return switched[0].name if switched else message[: self.framings[0].header].hex(" ")

    def unit_of(self, frame: bytes) -> int | None:
        """Return the address of the device that a reply is from; None where frames do not say it."""
        if self.bus is None:
            return None
        seen, at = self.data(frame) if self._text else frame, self.bus["at"]
        return seen[at] if at < len(seen) else None

    def data(self, frame: bytes) -> bytes:
        """Return a frame without its checksum and end: what fields and counts may reach to.

        Of a CAN frame, what lies behind the identifier.
        """
        if self.can:
            return frame[_IDENTIFIER:]
        framing = self.framings[0]
        if not frame.startswith(framing.start):
            framing = next((each for each in self.framings if frame.startswith(each.start)), framing)
        data = frame[: max(len(frame) - framing.tail, 0)]
        if framing.hexadecimal:
            return data[: framing.lead] + from_digits(data[framing.lead :])
        return data

    def values(self, frame: bytes, known: Mapping[str, float] | None = None) -> dict[str, Value]:
        """Return what one reply says, by quantity key; empty for a frame that the model does not know."""
        heard = Heard(self, known)
        heard.take(frame)
        return heard.values()

    def read_with(self, frame: bytes) -> str:
        """Return the name of the model that the device which said this is read with: mostly this one."""
        heard = Heard(self)
        heard.take(frame)
        layouts = (layout for reply in self.replies for layout in reply.layouts if layout.model)
        return next((each.model for each in layouts if each.is_told(heard.known)), self.name)

    def spans(self, frame: bytes, known: Mapping[str, float] | None = None) -> list[Span]:
        """Return where each field of a reply lies; empty for a frame that the model does not know."""
        reply, data = self.reply_of(frame), self.data(frame)
        layout = reply.layout(data, known or {}) if reply else None
        return layout.codec.spans(data, known=known or {}) if layout else []

    def encode(
        self, reply: str, values: Mapping[str, Any], known: Mapping[str, float] | None = None
    ) -> bytes:
        """Return the whole frame of a reply with these values of its fields; checksum and length are made."""
        shape = self._by_name[reply]
        layout = next((each for each in shape.layouts if not each.marks or known), shape.layouts[0])
        if known:
            layout = shape.layout(bytes(4096), known) or layout
        framing = self._framing_of_reply(shape.head) or self.framings[0]
        start = framing.start.ljust(len(shape.begins), b"\0")
        begins = bytes(start[index] if byte is None else byte for index, byte in enumerate(shape.begins))
        if self.can:
            said = layout.codec.encode(values, size=len(begins) - _IDENTIFIER, known=known or {})
            return begins + said[len(begins) - _IDENTIFIER :]
        text = framing.hexadecimal
        tail = (framing.check.size if framing.check else 0) + len(framing.end)
        whole_size = shape.size or (0 if text else size_said(begins, shape.begins, framing))
        least = whole_size - tail if whole_size else framing.needs
        if text:
            least = framing.lead + (least - framing.lead + 1) // 2
        least = max(len(begins), least)
        body = bytearray(layout.codec.encode(values, size=least, known=known or {}).ljust(least, b"\0"))
        for index, byte in enumerate(shape.begins):
            if byte is not None or index < len(framing.start):
                body[index] = begins[index]
        whole = bytes(body)
        if text:
            whole = whole[: framing.lead] + whole[framing.lead :].hex().upper().encode()
        return framing.seal(whole + framing.until + bytes(tail - len(framing.end)) + framing.end)

    @override
    def mask(self, message: bytes) -> bytes:
        masked = bytearray(message)
        for question in self.questions:
            for name, begin, end in question.template.places(self.plain(message)) or ():
                if self.parameters[name].secret:
                    masked[begin:end] = b"*" * (end - begin)
        reply = self.reply_of(message)
        secret = {
            field.name
            for layout in (reply.layouts if reply else ())
            for field in layout.codec.fields
            if field.secret
        }
        if secret:
            for span in self.spans(message):
                if span.name.partition("[")[0] in secret:
                    masked[span.offset : span.offset + span.width] = b"*" * span.width
        return bytes(masked)

    @property
    @override
    def harmless(self) -> tuple[Request, ...]:
        own = () if self.origin else self.questions  # that a stranger's only reads is no more than its word
        return tuple(Request(each.payload) for each in own if each.harmless and each.payload)

    @property
    @override
    def hello(self) -> Request | None:
        asked = (Request(each.payload) for each in self.questions if each.reads_values and each.payload)
        return next(asked, None)

    @override
    def recognises(self, seen: Advertisement) -> bool:
        plugin = plugins().get(self._plugin) if self._plugin else None
        return any(pattern.fits(seen) for pattern in self._advertisements) or (
            plugin is not None and plugin.recognises(seen)
        )

    def sends(self) -> list[tuple[str, RequestKind, bytes | str]]:
        """Return all that reading such a device sends: name, what it can do, the frame (or its template)."""
        unlocks = [("unlock", RequestKind.ACTS, each.unlock[1]) for each in self.gatt if each.unlock]
        return unlocks + [
            (question.name, question.kind, question.payload or question.template.text)
            for question in self.questions
            if question.kind is RequestKind.READS
            or question in self.start
            or question.name in (self.settings or {}).values()
        ]

    @property
    @override
    def silence(self) -> str:
        address = " Has it another address: &address=?" if self.bus and self.bus.get("parameter") else ""
        return super().silence + address

    @override
    def session(self, asker: Asker, options: Options) -> Session:
        if options.listens or not self.questions:
            from packwire.models.hearing import HearingSession  # noqa: PLC0415 - few models only hear

            return HearingSession(self, asker, options)
        from packwire.models.session import ModelSession  # noqa: PLC0415 - a recording needs no session

        return ModelSession(self, asker, options)
