"""What a pack is set to, and what it counted: read, never written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from packwire.device.base import Device
from packwire.device.client import Client
from packwire.device.reader import Reader
from packwire.errors import BadOptionError, NoAnswerError, PackwireError, Reason
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import Question
from packwire.models.session import ModelSession
from packwire.protocol.base import Request, RequestKind

type Topic = Literal["settings", "events"]

#: Seconds in which what is not asked for by itself comes, once the pack was asked who it is.
_PATIENCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class ToldValue:
    """One thing that a pack is set to, or counted: a number, a truth value or a text, with its unit."""

    name: str
    value: float | str | bool | None
    unit: str = ""


async def told_by(device: Device, topic: Topic, agreed: Iterable[str] = ()) -> list[ToldValue]:
    """Return what an open device says of a topic, in the model's order.

    `agreed` are the modes that the user agreed to enter by name. Raises BadOptionError where there is no way
    to ask, or one that was not agreed to; NoAnswerError where nothing is told.
    """
    reader = device.inner
    protocol = reader.client.protocol if isinstance(reader, Reader) else None
    if not isinstance(reader, Reader) or not isinstance(protocol, ModelProtocol):
        raise BadOptionError(
            f"{device.name}: packwire reads {topic} by a model of its own; name one with ?model=",
            reason=Reason.BAD_OPTION,
        )
    asking = _Asking(reader.client, reader.session, protocol, topic)
    if not asking.has_any:
        raise BadOptionError(f"packwire knows no way to read the {topic} of a {protocol.title}")
    mode = protocol.settings if topic == "settings" else None
    if mode is not None and mode["mode"] not in agreed:
        enter, leave = (protocol.asked_by_name[mode[key]].payload.hex(" ") for key in ("enter", "leave"))
        raise BadOptionError(
            f"a {protocol.title} tells its settings only in its {mode['mode']}. To enter it is a write "
            f"({enter}), and to leave it ({leave}), which saves nothing; if you agree: --allow {mode['mode']}"
        )
    if mode is None:
        return await asking.all()
    await asking.ask(protocol.asked_by_name[mode["enter"]])
    try:
        return await asking.all()
    finally:
        await asking.ask(protocol.asked_by_name[mode["leave"]])


class _Asking:
    """Asks for one topic, and keeps the frames that tell of it."""

    def __init__(self, client: Client, session: object, protocol: ModelProtocol, topic: Topic) -> None:
        assert isinstance(session, ModelSession)
        self._client = client
        self._session = session
        self._protocol = protocol
        self._topic = topic
        self._frames: dict[str, bytes] = {}
        self._settings = {
            (reply.name, each["name"])
            for reply in protocol.replies
            for each in _fields(protocol.content, reply.name)
            if each.get("unit") and topic == "settings"
        }
        """Fields that are settings beside values."""
        self._wanted = {each.name for each in protocol.replies if each.topic == topic}
        self._wanted |= {reply for reply, _ in self._settings}

    @property
    def has_any(self) -> bool:
        """Tell whether the model knows anything of the topic."""
        return bool(self._wanted)

    async def ask(self, question: Question) -> None:
        """Put one question. Raises NoReplyError where that matters."""
        frame = await self._session.answer(question, Request(self._session.frame_of(question)))
        if frame is not None:
            self._keep(frame)

    def _keep(self, frame: bytes) -> None:
        reply = self._protocol.reply_of(frame)
        if reply is not None and reply.name in self._wanted:
            self._frames[reply.name] = frame

    async def all(self) -> list[ToldValue]:
        """Ask for all of it, and wait for what comes by itself. Raises NoAnswerError."""
        self._client.subscribe(self._keep)
        own = [each for each in self._protocol.questions if each.topic == self._topic]
        others = [
            each
            for each in self._protocol.questions
            if each.kind is RequestKind.READS
            and each.topic == "values"
            and (not own or each.reply in self._wanted)
        ]
        for question in (*others, *own):
            await self.ask(question)
        end = self._client.now() + _PATIENCE
        while not own and self._wanted - set(self._frames) and (left := end - self._client.now()) > 0:
            await self._client.unasked(left)
        told = [each for reply in self._protocol.replies for each in self._of(reply.name)]
        if not told:
            raise NoAnswerError(
                f"the {self._protocol.title} told no {self._topic}; is it of a kind that has none?"
            )
        return told

    def _of(self, reply: str) -> Iterable[ToldValue]:
        frame = self._frames.get(reply)
        if frame is None:
            return
        whole = self._protocol.reply(reply).topic == self._topic
        units = {each["name"]: each.get("unit", "") for each in _fields(self._protocol.content, reply)}
        secret = {each["name"] for each in _fields(self._protocol.content, reply) if each.get("secret")}
        for span in self._protocol.spans(frame):
            name = span.name.partition("[")[0]
            if name not in secret and (whole or (reply, name) in self._settings):
                yield ToldValue(span.name.replace("_", " "), _plain(span.value), units.get(name, ""))


def _plain(value: object) -> float | str | bool | None:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return round(value, 6)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _fields(content: object, reply: str) -> Iterable[dict[str, str]]:
    """Yield the fields of a model as they are written."""
    assert isinstance(content, dict)
    said = content["replies"][reply]
    yield from said.get("fields", ())
    for layout in said.get("layouts", ()):
        yield from layout.get("fields", ())


def differences(one: dict[str, ToldValue], other: dict[str, ToldValue]) -> list[str]:
    """Say in words what differs between two packs' settings."""
    lines = []
    for name in dict.fromkeys((*one, *other)):
        here, there = one.get(name), other.get(name)
        if here is None or there is None:
            lines.append(
                f"{name}: only the {'second' if here is None else 'first'} has it: {shown(here or there)}"
            )
        elif here.value != there.value or here.unit != there.unit:
            lines.append(f"{name}: {shown(here)} in the first, {shown(there)} in the second")
    return lines


def shown(told: ToldValue | None) -> str:
    """Return a value with its unit: `3.65 V`, `yes`."""
    if told is None or told.value is None:
        return "nothing"
    if isinstance(told.value, bool):
        return "yes" if told.value else "no"
    number = f"{told.value:g}" if isinstance(told.value, float) else str(told.value)
    return f"{number} {told.unit}".rstrip()


__all__ = ["PackwireError", "ToldValue", "Topic", "differences", "shown", "told_by"]
