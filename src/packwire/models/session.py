"""A conversation with a device whose protocol is a model."""

from collections.abc import Mapping
from typing import Any, Protocol, override

from packwire.models.parts import Question, Reply
from packwire.protocol.base import Asker, Node, NodeKind, NodeReading, Options, Request, RequestKind, Session
from packwire.quantity import Value
from packwire.sample import derived

#: The one node of a device that is a pack and nothing else.
PACK = "bms"


class Model(Protocol):
    """What a session needs of a model."""

    name: str
    title: str
    questions: tuple[Question, ...]

    def reply_of(self, frame: bytes) -> Reply | None:
        """Return which reply a frame is; None where the model knows none that begins so."""

    def values(self, frame: bytes) -> dict[str, Any]:
        """Return what a reply says, by quantity key."""

    def data(self, frame: bytes) -> bytes:
        """Return a frame without its checksum and end."""


class ModelSession(Session):
    """Asks what the model says can be asked, each as often as it says, and keeps what was said last."""

    def __init__(self, protocol: Model, asker: Asker, options: Options) -> None:
        super().__init__()
        self._protocol = protocol
        self._asker = asker
        self._options = options
        self._said: dict[str, dict[str, Value]] = {}
        self._asked: dict[str, float] = {}

    @property
    @override
    def name(self) -> str:
        hardware = self._latest().get("hardware")
        return str(hardware) if hardware else self._protocol.title

    @property
    @override
    def firmware(self) -> str:
        return str(self._latest().get("firmware", ""))

    @property
    @override
    def identity(self) -> str:
        if self._asker.identity:
            return self._asker.identity
        serial = self._latest().get("serial_number")
        return f"{self._protocol.name}-{serial or self._asker.place}"

    @override
    async def start(self) -> None:
        questions = self._questions()
        if questions:
            await self._ask(questions[0])

    @override
    async def find_local(self) -> None:
        for question in self._questions():
            if question.every and question.name not in self._asked:
                await self._ask(question)
        self._nodes[PACK] = Node(PACK, self.identity, NodeKind.BATTERY, self.name, self.firmware)

    @override
    async def read(self, node: Node) -> NodeReading:
        now = self._asker.now()
        for question in self._questions():
            asked = self._asked.get(question.name)
            if asked is None or now - asked >= question.every:
                await self._ask(question)
        return NodeReading(derived(self._latest()))

    def _questions(self) -> list[Question]:
        return [each for each in self._protocol.questions if each.kind is RequestKind.READS]

    async def _ask(self, question: Question) -> None:
        frame = await self._asker.request(Request(question.payload))
        self._asked[question.name] = self._asker.now()
        reply = self._protocol.reply_of(frame)
        if reply is not None and reply.refuses:
            self._remarks[question.name] = f"the device refuses {question.name}"
            return
        self._said[question.name] = self._protocol.values(frame)
        missing = reply.codec.decode(self._protocol.data(frame)).missing if reply else ()
        if missing:
            self._remarks[question.name] = f"{question.name}: the reply ends before {missing[0]}"

    def _latest(self) -> Mapping[str, Value]:
        return {key: value for said in self._said.values() for key, value in said.items()}
