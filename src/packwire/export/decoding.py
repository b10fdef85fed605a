"""The decoder of a model's replies, in whatever language, step by step as `packwire.wire.codec` reads.

A target says what becomes of each value; here is where it lies, whether it is there, and what it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

from packwire.export.language import ProgramLanguage, may_be_none
from packwire.export.places import NEXT, NOWHERE, Place, Places, moved
from packwire.export.text import identifier
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply, ReplyLayout, Saying
from packwire.models.requests import Template
from packwire.models.text import LONGEST, Made, Named
from packwire.wire.fields import TO_THE_END, Field, FieldCondition, Type


@dataclass(frozen=True, slots=True)
class ReplyField:
    """A field of a reply, with what it says of a quantity; `number` counts all of a model."""

    number: int
    reply: Reply
    layout: ReplyLayout
    field: Field
    saying: Saying | None


def readings(model: ModelProtocol) -> dict[tuple[str, int, str], ReplyField]:
    """Return all fields of a model, by reply, layout and name."""
    found: dict[tuple[str, int, str], ReplyField] = {}
    for reply in model.replies:
        for index, layout in enumerate(reply.layouts):
            said = {each.name: each for each in layout.sayings}
            for field in layout.codec.fields:
                found[reply.name, index, field.name] = ReplyField(
                    len(found) + 1, reply, layout, field, said.get(field.name)
                )
    return found


class ReplyWriter(ABC):
    """Writes what decodes the replies of a model."""

    part = ""
    """The variable for which frame of a numbered reply it is, where the target wants that."""

    def __init__(self, to: ProgramLanguage, model: ModelProtocol) -> None:
        self.to = to
        self.model = model
        self.readings = readings(model)
        self.known = {
            f"{reply}.{field}": f"known_{number}"
            for number, (reply, field) in enumerate(
                ((reply, field) for reply, fields in model.asked_for.items() for field in fields), 1
            )
        }
        """Variables for the numbers that other replies ask for."""

    @abstractmethod
    def reads(self, reading: ReplyField) -> bool:
        """Tell whether the target takes this field; what others ask for is read all the same."""

    @abstractmethod
    def one(self, reading: ReplyField, raw: str, at: str, index: str = "") -> None:
        """Write what becomes of a number (of a list: the one at `index`)."""

    @abstractmethod
    def text(self, reading: ReplyField, at: str, behind: str) -> None:
        """Write what becomes of a text, whose bytes are known to be there."""

    def keyed(self, reading: ReplyField) -> None:
        """Write what reads a field that stands behind a key, where a target reads such texts."""
        _ = reading

    @abstractmethod
    def remember(self, known: str, raw: str) -> str:
        """Return what keeps a number for other replies."""

    @abstractmethod
    def is_known(self, known: str) -> str:
        """Return whether the number of another reply is known."""

    @abstractmethod
    def number_of(self, known: str) -> str:
        """Return the number of another reply; 0 where it is not known."""

    def raw_of(self, name: str) -> str:
        """Return the raw number of a field of the same reply, or of another."""
        return self.number_of(self.known[name]) if "." in name else f"raw_{identifier(name)}"

    def held(self, conditions: Iterable[FieldCondition]) -> str:
        """Return whether all of these hold."""
        return self.to.all(self.to.condition(each, self.raw_of(each.field)) for each in conditions)

    def begins(self, reply: Reply) -> str:
        """Return whether `data` are this reply; `whole` is how many bytes were sent."""
        to = self.to
        conditions = [f"whole == {reply.size}"] if reply.size is not None else []
        conditions.append(f"size >= {len(reply.begins)}")
        fixed = list(_runs(reply.begins))
        return to.all([*conditions, *(to.same(str(at), part) for at, part in fixed)])

    def sent(self, template: Template) -> str:
        """Return whether `data` are a frame that was made so, whatever its parameters are."""
        conditions, at, free = [], 0, False
        means = _meaning(template)
        for part in template.parts:
            match part:
                case Made(size):
                    at += size
                case Named(name):
                    width = template.parameters[name].width
                    free = free or width is None
                    at += width or 0
                case _:
                    if not free and part[: max(0, means - at)]:
                        conditions.append(self.to.same(str(at), part[: max(0, means - at)]))
                    at += len(part)
        return self.to.all([f"size >= {at}" if free else f"size == {at}", *conditions])

    def reply(self, reply: Reply) -> None:
        """Write what decodes a reply."""
        to = self.to
        if len(reply.layouts) == 1 and not reply.layouts[0].when and not reply.layouts[0].marks:
            self._layout(reply, 0)
            return
        to.put(to.let("layout", "0"))
        for index, layout in enumerate(reply.layouts, 1):
            with to.block(to.when(to.all(["layout == 0", *self._fits(layout)]))):
                to.put(to.set("layout", str(index)))
        for index, _ in enumerate(reply.layouts, 1):
            with to.block(to.when(f"layout == {index}")):
                self._layout(reply, index - 1)

    def _fits(self, layout: ReplyLayout) -> Iterator[str]:
        """Yield what must hold for a layout; the frame is looked at where other replies are not known."""
        to = self.to
        for each in layout.when:
            known = self.known[each.field]
            held = to.condition(each, self.number_of(known))
            yield to.any([self._unknown(known), held])
        marks = [condition for mark in layout.marks for condition in (f"size > {mark.at}", to.byte_is(mark))]
        if marks:
            sure = [self.is_known(self.known[each.field]) for each in layout.when]
            yield to.any([f"({to.all(sure)})", f"({to.all(marks)})"]) if sure else to.all(marks)

    def _unknown(self, known: str) -> str:
        return self.to.negated(self.is_known(known))

    def _layout(self, reply: Reply, index: int) -> None:
        layout = reply.layouts[index]
        fields = layout.codec.fields
        asked = {name for field in fields for name in _asks_for(field)}
        told = set(self.model.asked_for.get(reply.name, ()))
        places = Places(fields)
        if any(field.column is not None for field in fields):
            return  # no target reads those
        keyed = any(field.key is not None for field in fields)
        if keyed:
            for field in fields:
                self.keyed(self.readings[reply.name, index, field.name])
            return
        for field in fields:
            if field.name in asked:
                self.to.put(self.to.number(f"raw_{identifier(field.name)}", "0"))
        for each in places.declared():
            self.to.put(self.to.let(each, str(NOWHERE)))
        for number, field in enumerate(fields):
            reading = self.readings[reply.name, index, field.name]
            one = _FieldWriter(self, reading, places, number, field.name in asked, field.name in told)
            if one.needed or places.variables(number):
                one.write()


def _meaning(template: Template) -> int:
    """Return how many of the first bytes of a command mean something: what apps leave behind is rubbish."""
    first = template.parts[0]
    framing = next(
        (each for each in template.framings if isinstance(first, bytes) and first.startswith(each.start)),
        None,
    )
    if framing is None or framing.count is None or not isinstance(first, bytes):
        return LONGEST
    return framing.count + 1 + first[framing.count] if len(first) > framing.count else LONGEST


def _runs(begins: tuple[int | None, ...]) -> Iterator[tuple[int, bytes]]:
    """Yield the bytes that are the same in all, with their places."""
    run = bytearray()
    for at, byte in enumerate((*begins, None)):
        if byte is not None:
            run.append(byte)
        elif run:
            yield at - len(run), bytes(run)
            run.clear()


def _asks_for(field: Field) -> Iterator[str]:
    """Yield the other fields of its reply whose raw numbers a field asks for."""
    named = (field.count, field.each_bit, *(each.field for each in (*field.when, *field.negative)))
    yield from (each for each in named if isinstance(each, str) and "." not in each)


@dataclass(frozen=True, slots=True)
class _FieldWriter:
    """Writes what reads one field: `asked`: others of its reply need its number, `told`: other replies do."""

    writer: ReplyWriter
    reading: ReplyField
    places: Places
    number: int
    asked: bool
    told: bool

    @property
    def needed(self) -> bool:
        """Tell whether anybody wants its value."""
        return self.asked or self.told or self._numbers_frames or self.writer.reads(self.reading)

    @property
    def _numbers_frames(self) -> bool:
        return bool(self.writer.part) and self.reading.field.name == self.reading.reply.part

    def write(self) -> None:
        """Write it."""
        to, field = self.writer.to, self.reading.field
        before = self.places.before(self.number)
        if before:
            to.put(to.set(NEXT, before))
        if not field.when:
            with to.scoped() if self._has_variables() else nullcontext():
                self._there()
            return
        with to.block(to.when(self.writer.held(field.when))):
            self._there()

    def _has_variables(self) -> bool:
        field = self.reading.field
        moves = NEXT in self.places.variables(self.number)
        return field.count is not None or not field.type.numeric or moves

    def _there(self) -> None:
        field, start = self.reading.field, self.places.start(self.number)
        if not field.type.numeric:
            self._text(start)
        elif field.count is None:
            self._number(start)
        else:
            self._numbers(start)

    def _within(self, start: Place, width: int) -> str:
        """Return whether so many bytes are there."""
        to = self.writer.to
        enough = f"size >= {moved(start, width)}"
        return enough if isinstance(start, int) else to.all([f"{start} >= 0", enough])

    def _ends(self, end: str) -> None:
        """Write where what follows begins."""
        to = self.writer.to
        for name in self.places.variables(self.number):
            to.put(to.set(name, end))

    def _number(self, start: Place) -> None:
        to, field = self.writer.to, self.reading.field
        within = self._within(start, field.width or 0)
        moves = self.places.variables(self.number)
        if NEXT in moves and not isinstance(start, int):
            to.put(to.let("here", start))
            start, within = "here", self._within("here", field.width or 0)
        if NEXT in moves:
            to.put(to.set(NEXT, str(NOWHERE)))
        with to.block(to.when(within)):
            self._ends(moved(start, field.width or 0))
            if self.needed:
                self._value(str(start))

    def _value(self, at: str, index: str = "") -> None:
        """Write what reads one number, and what becomes of it."""
        to, field = self.writer.to, self.reading.field
        to.put(to.take(field, to.raw(field, self.reading.layout.codec.order, at)))
        there = [to.negated(to.no_number("raw"))] if may_be_none(field) else []
        if self.asked and not index:
            name = f"raw_{identifier(field.name)}"
            if there:
                with to.block(to.when(there[0])):
                    to.put(to.set(name, "raw"))
            else:
                to.put(to.set(name, "raw"))
        there += [f"raw {to.differs} {number}" for number in field.unknown]
        if not there:
            self._told(at, index)
            return
        with to.block(to.when(to.all(there))):
            self._told(at, index)

    def _told(self, at: str, index: str) -> None:
        to, field = self.writer.to, self.reading.field
        if self.told and not index:
            known = self.writer.known[f"{self.reading.reply.name}.{field.name}"]
            to.put(self.writer.remember(known, "raw"))
        if self._numbers_frames:
            to.put(to.set(self.writer.part, "raw"))
        if self.writer.reads(self.reading):
            self.writer.one(self.reading, "raw", at, index)

    def _numbers(self, start: Place) -> None:
        """Write what reads a list."""
        to, field = self.writer.to, self.reading.field
        width, step = field.width or 0, field.step
        to.put(to.let("here", str(start)))
        to.put(to.let("many", "0"))
        with to.block(to.when(to.all(["here >= 0", f"size >= here + {width}"]))):
            to.put(to.set("many", f"1 + {to.divided(f'(size - here - {width})', step)}"))
        if field.count != TO_THE_END:
            wanted = str(field.count)
            if isinstance(field.count, str):
                wanted = to.whole(self.writer.raw_of(field.count))
                wanted = to.divided(wanted, field.counts) if field.counts > 1 else wanted
            to.put(to.let("wanted", wanted))
            # What follows a list that was cut short has no place.
            self._ends(f"here + wanted * {step}")
            to.put(to.set("many", to.least("many", "wanted")))
        else:
            self._ends(f"here + many * {step}")
        if field.most is not None:
            to.put(to.set("many", to.least("many", str(field.most))))
        if self.writer.reads(self.reading):
            with to.block(to.each("index", "many")):
                to.put(to.let("item", f"here + index * {step}"))
                self._value("item", "index")

    def _text(self, start: Place) -> None:
        to, field = self.writer.to, self.reading.field
        moves = self.places.variables(self.number)
        to.put(to.let("here", str(start)))
        if NEXT in moves:
            to.put(to.set(NEXT, str(NOWHERE)))
        if field.width is not None:
            within = to.all(["here >= 0", f"size >= here + {field.width}"])
        else:
            within = to.all(["here >= 0", "here < size" if field.type is Type.CSTRING else "here <= size"])
        with to.block(to.when(within)):
            to.put(to.let("behind", "size" if field.width is None else f"here + {field.width}"))
            if field.type is Type.CSTRING and field.width is None:
                to.put(to.let("nul", to.find("here", b"\0")))
                with to.block(to.when("nul >= 0")):
                    to.put(to.set("behind", "nul + 1"))
            self._ends("behind")
            if self.writer.reads(self.reading):
                self.writer.text(self.reading, "here", "behind")
