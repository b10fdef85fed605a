"""A conversation with a device whose protocol is a model."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, override

from packwire.errors import BadOptionError, NotAVescError, WrongPinError
from packwire.models.heard import Heard, Language
from packwire.models.replies import Reply
from packwire.models.requests import Parameter, Question
from packwire.protocol.base import Asker, Node, NodeKind, NodeReading, Options, Request, RequestKind, Session
from packwire.protocol.no_reply import NoReplyError
from packwire.sample import derived
from packwire.wire.fields import FieldError

#: The one node of a device that is a pack and nothing else.
PACK = "bms"
#: The topic of requests that reading a device asks.
VALUES = "values"
#: Seconds in which the other frames of a reply that has several come, where the model says nothing else.
_OTHERS = 2.0
#: Seconds: after so long a pause no further frame of a numbered reply comes.
_QUIET = 0.3


class AskedModel(Language, Protocol):
    """What a session needs of a model: see `ModelProtocol`."""

    name: str
    title: str
    origin: str
    shadows: bool
    timeout: float | None
    pause: float
    questions: tuple[Question, ...]
    start: tuple[Question | float, ...]
    parameters: dict[str, Parameter]
    packs: Mapping[str, Any] | None
    bus: Mapping[str, Any] | None

    def unit_of(self, frame: bytes) -> int | None:
        """Return the address of the device that a reply is from; None where frames do not say it."""

    def reply(self, name: str) -> Reply:
        """Return a reply by its name."""


class ModelSession(Session):
    """Asks what the model says can be asked, each as often as it says, and keeps what was said last."""

    def __init__(self, protocol: AskedModel, asker: Asker, options: Options) -> None:
        super().__init__()
        self._protocol = protocol
        self._asker = asker
        self._main = Heard(protocol)
        self._packs: dict[str, Heard] = {}
        self._asked: dict[tuple[str, str], float] = {}
        self._heard_at: dict[str, float] = {}
        self._absent: set[str] = set()
        self._given: dict[str, int | str] = {}
        if options.pin:
            self._take_pin(options.pin)
        self._unit = self._address(options.unit)
        asker.subscribe(self._hear)
        if protocol.shadows:
            self._remarks["model"] = f"read with {protocol.origin}, not with packwire's own {protocol.name}"

    def _take_pin(self, pin: str) -> None:
        """Keep what the user gave. Raises BadOptionError where the protocol has no such thing."""
        secret = next((each for each in self._protocol.parameters.values() if each.secret), None)
        if secret is None:
            raise BadOptionError(f"{self._protocol.title} has no PIN: leave it out")
        try:
            value: int | str = pin if secret.field.type == "text" else int(pin)
            secret.written(value)
        except (FieldError, ValueError) as error:
            words = str(error) if isinstance(error, FieldError) else f"{secret.name} is a number"
            raise BadOptionError(f"the PIN cannot be right: {words}") from None
        self._given[secret.name] = value

    def _address(self, unit: int | None) -> int | None:
        """Return the device's address on a shared line, as requests say it. Raises BadOptionError."""
        parameter = (self._protocol.bus or {}).get("parameter")
        if parameter is None:
            if unit is not None:
                raise BadOptionError(f"a {self._protocol.title} is not addressed: leave address= out")
            return None
        usual = self._protocol.parameters[parameter].default
        self._given[parameter] = chosen = int(usual or 0) if unit is None else unit
        try:
            self._protocol.parameters[parameter].written(chosen)
        except FieldError as error:
            raise BadOptionError(f"address={chosen} cannot be: {error}") from None
        return chosen

    @property
    @override
    def name(self) -> str:
        latest = self._main.values()
        return str(
            latest.get("device_name") or latest.get("model") or latest.get("hardware") or self._protocol.title
        )

    @property
    @override
    def firmware(self) -> str:
        return str(self._main.values().get("firmware", ""))

    @property
    @override
    def identity(self) -> str:
        if self._asker.identity:
            return self._asker.identity
        serial = self._main.values().get("serial_number")
        beside = "" if serial or self._unit is None else f"-{self._unit}"
        return f"{self._protocol.name}-{serial or self._asker.place}{beside}"

    @override
    async def start(self) -> None:
        asked = False
        for step in self._protocol.start:
            if not isinstance(step, Question):
                await self._asker.pause(step)
            elif not step.missing(self._given) and self._due(step, PACK):
                await self._ask(step, self._main, PACK)
                asked = asked or bool(step.replies)
        questions = self._questions()
        if questions and not asked:
            await self._ask(questions[0], self._main, PACK)

    @override
    async def find_local(self) -> None:
        for question in self._questions():
            unasked = (PACK, question.name) not in self._asked
            if unasked and (question.every or question.once) and self._due(question, PACK):
                await self._ask(question, self._main, PACK)
        self._nodes[PACK] = Node(PACK, self.identity, NodeKind.BATTERY, self.name, self.firmware)

    @override
    async def find_nodes(self) -> tuple[int, ...]:
        packs = self._protocol.packs
        if packs is None:
            return ()
        many = int(self._main.known.get(packs["count"], 0))
        first, most = packs.get("first", 1), packs.get("most", 16)
        numbers = range(first, first + min(many, most))
        return tuple([number for number in numbers if await self.add(number)])

    @override
    async def add(self, number: int) -> bool:
        if self._protocol.packs is None:
            return False
        key = f"pack/{number}"
        heard = self._packs.setdefault(key, Heard(self._protocol))
        try:
            for question in self._questions_of_packs():
                await self._ask(question, heard, key)
        except NoReplyError:
            del self._packs[key]
            return False
        identity, name = f"{self.identity}-{number}", f"Pack {number}"
        self._nodes[key] = Node(key, identity, NodeKind.BATTERY, name, number=number, via=PACK)
        return True

    @override
    async def read(self, node: Node) -> NodeReading:
        heard = self._packs.get(node.key, self._main)
        answered = False
        for question in self._questions() if heard is self._main else self._questions_of_packs():
            if not self._due(question, node.key):
                continue
            try:
                await self._ask(question, heard, node.key)
            except NoReplyError as error:
                if not answered:
                    raise
                self._remarks[question.name] = str(error)
                for name in question.replies:  # what it said before is no longer so
                    heard.forget(name)
            else:
                answered = True
        values = heard.values()
        if node.key == PACK and node.name != self.name:
            self._nodes[PACK] = replace(node, name=self.name, firmware=self.firmware, identity=self.identity)
        return NodeReading(derived(values))

    @override
    async def keep_awake(self) -> float | None:
        left = []
        for question in self._questions():
            if question.keeps_alive and question.every and question.name not in self._absent:
                asked = self._asked.get((PACK, question.name))
                due = 0.0 if asked is None else asked + question.every - self._asker.now()
                if due <= 0:
                    await self._ask(question, self._main, PACK)
                    due = question.every
                left.append(due)
        return min(left, default=None)

    def frame_of(self, question: Question) -> bytes:
        """Return the frame of a request, with what is known of its parameters. Raises FieldError."""
        return question.template.frame(self._given)

    def _due(self, question: Question, key: str) -> bool:
        asked = self._asked.get((key, question.name))
        if question.name in self._absent:
            return False
        if question.instead_of and question.instead_of not in self._absent:
            return False
        if asked is None:
            return True
        if question.once:
            return False
        if question.streams:
            return self._asker.now() - self._heard_at.get(question.reply, asked) >= question.streams
        return self._asker.now() - asked >= question.every

    def _questions(self) -> list[Question]:
        """Return what the device itself is asked."""
        return [each for each in self._askable() if not each.missing(self._given)]

    def _questions_of_packs(self) -> list[Question]:
        parameter = (self._protocol.packs or {}).get("parameter")
        return [
            each
            for each in self._askable()
            if parameter in each.template.names and not set(each.missing(self._given)) - {parameter}
        ]

    def _askable(self) -> Iterator[Question]:
        return (
            each
            for each in self._protocol.questions
            if each.kind is RequestKind.READS and each.topic == VALUES
        )

    async def _ask(self, question: Question, heard: Heard, key: str) -> None:
        packs = self._protocol.packs
        values = dict(self._given)
        if packs and key != PACK:
            values[packs["parameter"]] = int(key.rpartition("/")[2])
        request = Request(question.template.frame(values))
        self._asked[key, question.name] = self._asker.now()
        if not question.replies:
            self._asker.tell(request)
        else:
            if not await self._reply(question, request, heard):
                return
            await self._others(question, heard)
        if question.pause or self._protocol.pause:
            await self._asker.pause(question.pause or self._protocol.pause)

    async def answer(self, question: Question, request: Request) -> bytes | None:
        """Put one question; return its reply, None where none came and none need. Raises NoReplyError."""
        tries = question.tries or (1 if question.optional else None)
        try:
            return await self._asker.request(
                request, timeout=question.timeout or self._protocol.timeout, tries=tries
            )
        except NoReplyError:
            if not question.optional:
                raise
            return None

    async def _reply(self, question: Question, request: Request, heard: Heard) -> bool:
        """Ask and take the reply; tell whether there is one."""
        frame = await self.answer(question, request)
        if frame is None:
            self._absent.add(question.name)
            return False
        self._heard_at[question.reply] = self._asker.now()
        reply, missing, model, _ = heard.take(frame)
        if model:
            raise NotAVescError(
                f"this {self._protocol.title} speaks as another one does: read it with model={model}"
            )
        if reply is not None and reply.refuses:
            self._refused(question, reply.refuses)
            return False
        if missing:
            self._remarks[question.name] = f"{question.name}: the reply ends before {missing[0]}"
        else:
            self._remarks.pop(question.name, None)
        return True

    def _refused(self, question: Question, why: str) -> None:
        secret = [name for name in question.template.names if self._protocol.parameters[name].secret]
        unknown = any(
            each.secret and name not in self._given for name, each in self._protocol.parameters.items()
        )
        if secret or (unknown and question.kind is RequestKind.ACTS):
            raise WrongPinError(f"{self._protocol.title}: {why}")
        if question.optional:
            self._absent.add(question.name)
        self._remarks[question.name] = f"the device refuses {question.name}: {why}"

    async def _others(self, question: Question, heard: Heard) -> None:
        """Wait for the other frames of a reply that has several; those that came already are taken."""
        begun = self._asker.now()
        limit = question.timeout or self._protocol.timeout or _OTHERS
        while any(not heard.has(name) for name in question.replies):
            left = begun + limit - self._asker.now()
            if left <= 0 or not await self._asker.unasked(left):
                missing = next(name for name in question.replies if not heard.has(name))
                self._remarks[question.name] = f"{question.name}: {missing} did not come"
                return
        if any(self._protocol.reply(name).part for name in question.replies):
            while self._asker.now() - begun < limit and await self._asker.unasked(_QUIET):
                pass

    def _hear(self, message: bytes) -> None:
        """Take what comes without being the first answer to a request."""
        if self._unit is not None and self._protocol.unit_of(message) != self._unit:
            return  # another device on the same line
        reply = self._main.take(message).reply
        if reply is not None:
            self._heard_at[reply.name] = self._asker.now()
