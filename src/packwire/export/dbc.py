"""A model of CAN frames as a DBC file. Read back by packwire it says the same quantities."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from packwire.errors import BadOptionError
from packwire.export.exported import Exported, heading
from packwire.export.places import Places
from packwire.export.text import distinct, identifier, plain
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply, ReplyLayout, Saying
from packwire.quantity import QUANTITIES
from packwire.wire.fields import TO_THE_END, Field, FieldCondition, Operator, Type

#: Who sends all messages.
_SENDER: Final = "Pack"
#: Bytes of the identifier before the data; of a classic frame; of a frame of CAN FD.
_IDENTIFIER, _CLASSIC, _LONGEST = 4, 8, 64
#: Characters of a name that all tools take.
_NAME: Final = 32


@dataclass(frozen=True, slots=True)
class _Signal:
    """One signal: its name, where its bits lie (first as DBC counts them), what they mean."""

    name: str
    start: int
    size: int
    big: bool
    signed: bool
    scale: float
    addend: float
    unit: str
    end: int
    """The byte behind it."""
    mux: str = ""
    floats: int = 0
    """1: a float, 2: one of 8 bytes."""
    values: tuple[tuple[int, str], ...] = ()
    comment: str = ""


@dataclass(slots=True)
class _Message:
    """A message, its signals, and what of it cannot be expressed."""

    number: int
    name: str
    signals: list[_Signal] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    comment: str = ""


def dbc(model: ModelProtocol, unit: int | None = None) -> Exported:
    """Return a DBC file; `unit` is the address of the device, where identifiers have one in them.

    Raises BadOptionError for a model that is not of CAN frames.
    """
    if not model.can:
        raise BadOptionError(f"{model.name} is not spoken on CAN, and DBC is for nothing else")
    if unit is not None and model.bus is None:
        raise BadOptionError(f"a {model.title} is not addressed: leave --unit out")
    address = (model.bus or {}).get("first", 1) if unit is None else unit
    names = distinct(identifier(reply.name)[:_NAME] for reply in model.replies)
    messages = [
        _Writer(model, reply, name, address).message()
        for reply, name in zip(model.replies, names, strict=True)
    ]
    left_out = [words for message in messages for words in message.left_out]
    left_out += [f"{each.key}: it follows from others" for each in model.computed]
    if model.bus is not None:
        left_out.append(f"devices with other addresses than {address}: identifiers have the address in them")
    told = [each for each in messages if each.signals]
    if not told:
        raise BadOptionError(f"{model.name} cannot be exported to DBC: {plain(left_out[0])}")
    lines = ['VERSION ""', "", "NS_ :", "", "BS_:", "", f"BU_: {_SENDER}", ""]
    for message in told:
        size = max(signal.end for signal in message.signals)
        lines.append(f"BO_ {message.number} {message.name}: {_size(size)} {_SENDER}")
        lines += [f" SG_ {_said(signal)}" for signal in message.signals] + [""]
    lines.append(f'CM_ "{chr(10).join(heading(model, "a DBC file", tuple(left_out)))}";')
    lines += [line for message in told for line in _comments(message)]
    lines += [
        f"VAL_ {message.number} {signal.name} "
        + " ".join(f'{number} "{plain(word) or "none"}"' for number, word in signal.values)
        + " ;"
        for message in told
        for signal in message.signals
        if signal.values
    ]
    lines += [
        f"SIG_VALTYPE_ {message.number} {signal.name} : {signal.floats};"
        for message in told
        for signal in message.signals
        if signal.floats
    ]
    return Exported("\n".join(lines) + "\n", tuple(left_out))


def _size(end: int) -> int:
    """Return how long a frame is that has so many bytes: in CAN FD not every number is one."""
    sizes: tuple[int, ...] = (*range(_CLASSIC + 1), 12, 16, 20, 24, 32, 48, _LONGEST)
    return next(size for size in sizes if size >= end)


def _said(signal: _Signal) -> str:
    mux = f" {signal.mux}" if signal.mux else ""
    order, sign = ("0" if signal.big else "1"), ("-" if signal.signed else "+")
    scale, addend = f"{signal.scale!r}".removesuffix(".0"), f"{signal.addend!r}".removesuffix(".0")
    unit = signal.unit.replace('"', "")
    return (
        f"{signal.name}{mux} : {signal.start}|{signal.size}@{order}{sign} ({scale},{addend}) [0|0] "
        f'"{unit}" Vector__XXX'
    )


def _comments(message: _Message) -> Iterator[str]:
    if message.comment:
        yield f'CM_ BO_ {message.number} "{plain(message.comment)}";'
    for signal in message.signals:
        if signal.comment:
            yield f'CM_ SG_ {message.number} {signal.name} "{plain(signal.comment)}";'


class _Writer:
    """Makes the message of one reply."""

    def __init__(self, model: ModelProtocol, reply: Reply, name: str, address: int) -> None:
        self.model = model
        self.reply = reply
        at = model.bus["at"] if model.bus else -1
        head = [address if index == at else byte for index, byte in enumerate(reply.begins[:_IDENTIFIER])]
        self.wild = None in head
        number = int.from_bytes(bytes(byte or 0 for byte in head))
        self.made = _Message(number, name)

    def message(self) -> _Message:
        made, reply = self.made, self.reply
        layout = reply.layouts[0]
        why = ""
        if self.wild:
            why = "identifiers of which bytes may be anything"
        elif len(reply.begins) > _IDENTIFIER:
            why = "messages of one identifier that their data tell apart"
        elif len(reply.layouts) > 1:
            why = "several layouts of one message"
        if why:
            made.left_out.append(f"{reply.name}: {why}")
            return made
        if reply.part:
            made.comment = f"{reply.part} says which of all values they are that this frame has"
            made.left_out.append(
                f"{reply.name}: frames are numbered by {reply.part}; signals are those of one frame"
            )
        switch = _multiplexer(layout)
        said = {each.name: each for each in layout.sayings}
        places = Places(layout.codec.fields)
        found: list[_Signal] = []
        for number, each in enumerate(layout.codec.fields):
            try:
                found += self._signals(layout, each, places.start(number), said.get(each.name), switch)
            except _NotExpressedError as error:
                made.left_out.append(f"{reply.name}, {each.name}: {error}")
        names = distinct(signal.name[:_NAME] for signal in found)
        made.signals = [replace(signal, name=name) for signal, name in zip(found, names, strict=True)]
        return made

    def _signals(
        self, layout: ReplyLayout, said: Field, start: int | str, saying: Saying | None, switch: str
    ) -> Iterator[_Signal]:
        why = _problem(said, start, switch)
        if why or not isinstance(start, int):
            raise _NotExpressedError(why)
        quantity = saying.quantity if saying else None
        alone = quantity is not None and sum(each.quantity is quantity for each in layout.sayings) == 1
        name = quantity.key if quantity and alone and not said.flags else identifier(said.name)
        if quantity is None and name in QUANTITIES:
            name += "_field"  # read back, it would say that quantity
        mux = f"m{said.when[0].number}" if said.when else "M" * (said.name == switch)
        big = (said.order or layout.codec.order) == "big"
        width, step = said.width or 0, said.step
        if said.flags:
            for bit, word in said.flags:
                where = _start(start, width, bit, 1, big=big)
                values = ((0, "no"), (1, word))
                yield _Signal(
                    identifier(plain(word)),
                    where,
                    1,
                    big,
                    False,
                    1,
                    0,
                    "",
                    start + width,
                    mux,
                    0,
                    values,
                    f"Bit {bit} of {said.name}",
                )
            return
        low, many = said.bits or (0, 8 * width)
        words = tuple((number, _word(word)) for number, word in said.names)
        floats = (1 if width == 4 else 2) if said.type is Type.FLOAT else 0
        comment = ""
        if said.unknown:
            comment = f"No value: {', '.join(map(str, said.unknown))}"
        if said.each_bit is not None:
            comment = "One bit a cell, the lowest first"
        several = _many(said, start)
        for index in range(several):
            at = start + index * step
            yield _Signal(
                f"{name}_{index + 1}" if several > 1 else name,
                _start(at, width, low, many, big=big),
                many,
                big,
                said.type in {Type.INT, Type.FLOAT},
                said.scale,
                said.addend,
                quantity.unit if quantity else "",
                at + width,
                mux,
                floats,
                words,
                comment,
            )


class _NotExpressedError(Exception):
    """DBC has no way to say it; the words are why."""


def _word(name: object) -> str:
    return {True: "yes", False: "no"}.get(name, str(name)) if isinstance(name, bool) else str(name)


def _start(at: int, width: int, low: int, many: int, *, big: bool) -> int:
    """Return the bit that DBC says: the lowest, or with the high byte first the highest."""
    if not big:
        return 8 * at + low
    top = low + many - 1
    return 8 * (at + width - 1 - top // 8) + top % 8


def _many(said: Field, start: int) -> int:
    if said.count is None:
        return 1
    room = 1 + max(0, _CLASSIC - start - (said.width or 0)) // said.step
    many = room if said.count == TO_THE_END or isinstance(said.count, str) else said.count
    return min(many, said.most or many)


def _multiplexer(layout: ReplyLayout) -> str:
    """Return the field whose number selects others; empty where there is none."""
    plainly = {
        each.name for each in layout.codec.fields if each.type is Type.UINT and each.fixed and each.plain
    }
    asked = [each.when[0].field for each in layout.codec.fields if _selects(each.when)]
    return next((name for name in asked if name in plainly), "")


def _selects(when: tuple[FieldCondition, ...]) -> bool:
    return len(when) == 1 and when[0].comparison is Operator.EQUAL


def _problem(said: Field, start: int | str, switch: str) -> str:
    """Say why DBC cannot express a field; empty where it can."""
    numbers = [name for _, name in said.names if isinstance(name, int | float) and not isinstance(name, bool)]
    alone = bool(said.when) and not (_selects(said.when) and said.when[0].field == switch)
    placed = isinstance(start, int) and start >= 0
    problems = {
        "it is secret": said.secret,
        "a text": not said.type.numeric,
        f"a number in {said.type}": said.type not in {Type.UINT, Type.INT, Type.FLOAT},
        "its place depends on the frame": not placed,
        "it lies behind the longest frame": isinstance(start, int) and start + (said.width or 0) > _LONGEST,
        "a number with its low word first": said.order == "low word first" and (said.width or 0) > 2,
        "a number of which bits are counted": said.ones,
        "a sign that stands elsewhere": bool(said.negative),
        "it is there only where another field says so": alone,
        "how many there are stands in another field": isinstance(said.count, str),
        "numbers that stand for other numbers": bool(numbers),
    }
    return next((words for words, holds in problems.items() if holds), "")
