"""A conversation in which nothing is asked: packs that only send, and lines on which somebody else asks."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, override

from packwire.errors import GoneError, Reason
from packwire.models.heard import Heard, Language
from packwire.models.replies import Reply
from packwire.models.requests import Question
from packwire.protocol.base import Asker, Node, NodeKind, NodeReading, Options, Request, Session
from packwire.protocol.base import Protocol as Spoken
from packwire.protocol.exchange import Exchange, Replied
from packwire.protocol.no_reply import Evidence, NoReplyError
from packwire.sample import derived

#: The one node of a device that is a pack and nothing else.
PACK = "bms"
#: Of messages that come every so many seconds, so many may be lost before they count as missing.
_MISSED = 3
#: Seconds that are waited at least: a master may ask less often than devices that send by themselves.
_LEAST = 3.0
#: Seconds for which something that came is still said.
_LASTING = 60.0
#: So many devices on one line.
_MOST_UNITS = 64
_SECOND = 1_000_000_000
_NOTHING = Evidence(0, 0, (), None)


class HeardModel(Language, Protocol):
    """What a session needs of a model: see `ModelProtocol`."""

    name: str
    title: str
    replies: tuple[Reply, ...]
    questions: tuple[Question, ...]
    bus: Mapping[str, Any] | None
    can: bool

    def question_of(self, message: bytes) -> Question | None:
        """Return which request a frame is; None where it is none."""

    def unit_of(self, frame: bytes) -> int | None:
        """Return the address of the device that a reply is from; None where frames do not say it."""

    def reply(self, name: str) -> Reply:
        """Return a reply by its name."""


class _Unit:
    """One device: what it said, and when."""

    def __init__(self, protocol: HeardModel) -> None:
        self.heard = Heard(protocol)
        self.times: dict[str, float] = {}
        self.read_at = -1.0


class HearingSession(Session):
    """Hears, and keeps what was said last, each device for itself.

    A reading waits until each message that the model declares came once, or says which are missing.
    """

    def __init__(self, protocol: HeardModel, asker: Asker, options: Options) -> None:
        super().__init__()
        assert isinstance(protocol, Spoken)
        self._protocol = protocol
        self._asker = asker
        self._only = options.unit
        self._units: dict[int | None, _Unit] = {}
        self._exchange: Exchange[Request, bytes] = Exchange(_Rule(protocol))
        self._strange = 0
        self._ended = False
        """Whether a recording was played to its end."""
        asker.subscribe(self._hear)
        wanted = [each for each in protocol.replies if not each.refuses]
        asked = {name for each in protocol.questions if not each.optional for name in each.replies[:1]}
        self._declared = [each for each in wanted if not each.optional and (not asked or each.name in asked)]
        slowest = max([each.every for each in wanted], default=1.0)
        self._patience = max(_LEAST, _MISSED * slowest)
        self._cycle = slowest * 1.2
        """Seconds in which everything that is sent again and again came once."""

    @property
    @override
    def name(self) -> str:
        values = self._first().heard.values() if self._units else {}
        return str(values.get("device_name") or values.get("model") or self._protocol.title)

    @property
    @override
    def firmware(self) -> str:
        return str(self._first().heard.values().get("firmware", "")) if self._units else ""

    @property
    @override
    def identity(self) -> str:
        if self._asker.identity:
            return self._asker.identity
        serial = self._first().heard.values().get("serial_number") if len(self._units) == 1 else None
        return f"{self._protocol.name}-{serial or self._asker.place}"

    @override
    async def start(self) -> None:
        if await self._until(lambda: bool(self._units)):
            return
        said = f"in {self._patience:g} s nothing came that a {self._protocol.title} sends"
        more = f", but {self._strange} other messages; is it another model?" if self._strange else ""
        ending = more or f". {self._protocol.silence}"
        raise NoReplyError(f"{self._asker.place}: {said}{ending}", _NOTHING)

    @override
    async def find_local(self) -> None:
        end = self._asker.now() + self._cycle
        await self._until(lambda: not self._missing())
        while not self._ended and (left := end - self._asker.now()) > 0:
            await self._until(lambda: False, within=left)
        self._note_units()

    @override
    async def find_nodes(self) -> tuple[int, ...]:
        self._note_units()
        return ()

    def _note_units(self) -> None:
        """Make a node of each device that was heard."""
        for number in sorted(self._units, key=lambda each: -1 if each is None else each):
            alone = len(self._units) == 1 or number is None
            key = PACK if alone else f"{PACK}/{number}"
            if alone or PACK not in self._nodes:
                identity = self.identity if alone else f"{self.identity}-{number}"
                name = self.name if alone else f"{self._protocol.title} {number}"
                self._nodes.setdefault(
                    key, Node(key, identity, NodeKind.BATTERY, name, self.firmware, number)
                )
            elif number != self._nodes[PACK].number:
                self._nodes.setdefault(
                    key,
                    Node(key, f"{self.identity}-{number}", NodeKind.BATTERY, f"Pack {number}", number=number),
                )

    @override
    def asks(self, node: Node) -> bool:
        return True

    @override
    def behind(self, node: Node) -> bool:
        return False

    @override
    async def read(self, node: Node) -> NodeReading:
        unit = self._units[node.number] if node.number in self._units else self._first()
        before = unit.read_at
        news = await self._until(lambda: max(unit.times.values()) > before)
        self._note_units()
        if not news:
            raise NoReplyError(f"nothing came from it in {self._patience:g} s", _NOTHING)
        unit.read_at = max(unit.times.values())
        self._tell_missing()
        return NodeReading(derived(unit.heard.values()))

    def _missing(self) -> list[Reply]:
        """Return the declared messages that did not come lately from some device."""
        now = self._asker.now()
        return [
            each
            for each in self._declared
            if any(
                now - unit.times.get(each.name, -_LASTING) >= max(_LASTING / 2, self._patience)
                for unit in self._units.values()
            )
        ]

    def _tell_missing(self) -> None:
        missing = self._missing()
        now = self._asker.now()
        for unit in self._units.values():
            for name in [name for name, time in unit.times.items() if now - time > _LASTING]:
                unit.heard.forget(name)
                del unit.times[name]
        if missing:
            self._remarks["missing"] = f"not heard: {', '.join(map(_named, missing))}"
        else:
            self._remarks.pop("missing", None)

    async def _until(self, true: Callable[[], bool], within: float = 0) -> bool:
        """Wait until something is so, as long as patience lasts (or `within` s); tell whether it is."""
        end = self._asker.now() + (within or self._patience)
        while not true():
            left = end - self._asker.now()
            try:
                if left <= 0 or not await self._asker.unasked(left):
                    return true()
            except GoneError as error:
                if error.reason is not Reason.ENDED or self._ended:
                    raise
                self._ended = True  # a recording: what it said is still worth showing
                return true()
        return True

    def _first(self) -> _Unit:
        return next(iter(self._units.values()))

    def _hear(self, message: bytes) -> None:
        time = int(self._asker.now() * _SECOND)
        if self._protocol.question_of(message) is not None:
            self._exchange.ask(time, Request(message))
            return
        reply = self._protocol.reply_of(message)
        if reply is None:
            self._strange += 1
            if self._protocol.questions:  # a request that is not ours: what answers it is not, either
                self._exchange = Exchange(_Rule(self._protocol))
            return
        if self._protocol.questions and not reply.unasked:
            events = self._exchange.hear(time, message)
            if not any(isinstance(each, Replied) for each in events):
                return
        unit = self._protocol.unit_of(message)
        if self._only is not None and unit is not None and unit != self._only:
            return
        if unit not in self._units and len(self._units) >= _MOST_UNITS:
            return
        of = self._units.setdefault(unit, _Unit(self._protocol))
        if not reply.refuses:
            of.heard.take(message)
            of.times[reply.name] = self._asker.now()


class _Rule:
    """What answers what, on a line on which somebody else asks."""

    def __init__(self, protocol: Any) -> None:
        self.answers = protocol.answers
        self._kind = protocol.kind

    def kind(self, request: Request) -> Any:
        return self._kind(request.payload)

    def continues(self, request: Request, message: bytes, earlier: object) -> bool:  # noqa: ARG002
        return False


def _named(reply: Reply) -> str:
    return reply.name if reply.id is None else f"{reply.name} (0x{reply.id:03x})"
