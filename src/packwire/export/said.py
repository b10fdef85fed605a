"""What of a model becomes values, for targets that put replies together as packwire does itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packwire.errors import BadOptionError
from packwire.export.decoding import ReplyField, readings
from packwire.export.language import may_be_none
from packwire.export.text import plain
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import WORDS, Reply
from packwire.models.requests import Question
from packwire.models.session import VALUES
from packwire.protocol.base import RequestKind
from packwire.quantity import QUANTITIES, Quantity
from packwire.wire.columned import ColumnCodec
from packwire.wire.fields import TO_THE_END, FieldError
from packwire.wire.keyed import KeyedCodec

if TYPE_CHECKING:
    from packwire.models.computed import Computed

#: Values of a list, where nothing says how many there may be.
_MANY, _MOST_IN_PARTS, _MOST = 16, 32, 64
#: The numbers under which what one reply says is kept: its place in the model, and the part of it.
PARTS = 256


@dataclass(frozen=True, slots=True)
class SaidQuantity:
    """A quantity, and all fields that say it."""

    quantity: Quantity
    readings: tuple[ReplyField, ...]

    @property
    def alone(self) -> bool:
        """Tell whether one field alone says it, in each of its replies."""
        one = self.readings[0]
        always = len(one.reply.layouts) == 1 and not one.field.when and not one.field.unknown
        together = one.reply.part or self.words or self.quantity.array or may_be_none(one.field)
        return len(self.readings) == 1 and always and not together

    @property
    def words(self) -> bool:
        """Tell whether several words may be said at once."""
        return self.quantity.key in WORDS or any(each.field.flags for each in self.readings)

    @property
    def adds(self) -> bool:
        """Tell whether fields are added up."""
        return any(each.saying.add for each in self.readings if each.saying)

    @property
    def unused(self) -> float | None:
        """Return what stands in places at the end of a list that nothing is at."""
        found = [each.saying.unused for each in self.readings if each.saying]
        return next((each for each in found if isinstance(each, int | float)), None)

    @property
    def most(self) -> int:
        """Return how many values of a list there may be."""
        replies: dict[str, dict[int, int]] = {}
        for each in self.readings:
            layouts = replies.setdefault(each.reply.name, {})
            layouts[id(each.layout)] = layouts.get(id(each.layout), 0) + _most(each)
        return min(sum(max(layouts.values()) for layouts in replies.values()), _MOST)


def _most(reading: ReplyField) -> int:
    field = reading.field
    if reading.reply.part:
        return _MOST_IN_PARTS
    if field.most is not None:
        return field.most
    if isinstance(field.count, int) and field.count != TO_THE_END:
        return field.count
    return 1 if field.count is None else _MANY


class ValueReplies:
    """The replies of a model that tell values, the quantities in them, and the requests for them."""

    def __init__(self, model: ModelProtocol, *, keyed: bool = False, one_pack: bool = False) -> None:
        self.model = model
        self._unread = (ColumnCodec,) if keyed else (ColumnCodec, KeyedCodec)
        """Texts that the target does not read; `keyed`: those of keys and values it does."""
        self.one_pack = one_pack
        """Whether one of the packs that a device consists of is read, in place of the device."""
        asked = {name for each in self.questions for name in each.replies}
        self.replies = [
            reply
            for reply in model.replies
            if reply.topic == VALUES
            and not reply.refuses
            and (reply.name in asked or reply.unasked or not model.questions)
            and not isinstance(reply.codec, self._unread)
        ]
        names = {reply.name for reply in self.replies}
        found: dict[str, list[ReplyField]] = {}
        for reading in readings(model).values():
            if reading.saying and reading.reply.name in names and not reading.field.secret:
                found.setdefault(reading.saying.quantity.key, []).append(reading)
        self.sums: dict[str, Computed] = {}
        """What is no field and the sum of a list, by the list."""
        self.said = {key: SaidQuantity(QUANTITIES[key], tuple(each)) for key, each in found.items()}

        for each in model.computed:
            if each.sum_of in self.said and each.key not in self.said:
                self.sums[each.sum_of] = each

    @property
    def questions(self) -> list[Question]:
        """Return the requests that only ask for values."""
        return [
            each
            for each in self.model.questions
            if each.kind is RequestKind.READS
            and each.topic == VALUES
            and each.replies
            and (not self.one_pack or (self.model.packs or {})["parameter"] in each.template.names)
        ]

    def require(self, target: str) -> None:
        """Raise BadOptionError where nothing of the model can be said."""
        if not self.said:
            why = next(self.left_out(), "it says no value")
            raise BadOptionError(f"{self.model.name} cannot be exported to {target}: {plain(why)}")

    def frames(self, unit: int | None) -> tuple[list[tuple[Question, bytes]], list[str]]:
        """Return the requests with their frames, and what is said of those that cannot be made.

        What a conversation begins with comes first.

        `unit` is the device's address on a shared line. Raises BadOptionError where it cannot be.
        """
        model = self.model
        parameter = ((model.packs if self.one_pack else model.bus) or {}).get("parameter")
        if unit is not None and parameter is None:
            raise BadOptionError(f"a {model.title} is not addressed: leave --unit out")
        given = {} if unit is None else {str(parameter): unit}
        found: list[tuple[Question, bytes]] = []
        left_out = [
            f"what unlocks it is not written to {each.unlock[0]}" for each in model.gatt if each.unlock
        ]
        needed = {each.instead_of for each in self.questions if not each.optional}
        for question in sorted(self.questions, key=lambda each: each not in model.start):
            if question.instead_of:
                left_out.append(
                    f"request {question.name}: for devices that do not answer {question.instead_of}"
                )
                continue
            secret = [name for name in question.template.names if model.parameters[name].secret]
            missing = [*secret, *question.missing(given)]
            if missing:
                left_out.append(
                    f"request {question.name}: it needs {missing[0]}, which packwire does not know"
                )
                continue
            try:
                optional = question.optional and question.name not in needed
                found.append((replace(question, optional=optional), question.template.frame(given)))
            except FieldError as error:
                raise BadOptionError(f"--unit {unit}: {error}") from None
        return found, left_out

    def number(self, reply: Reply) -> int:
        """Return a reply's place among all."""
        return self.model.order_of_replies[reply.name]

    def left_out(self) -> Iterator[str]:
        """Yield what no target of this kind can say."""
        for reply in self.model.replies:
            if isinstance(reply.codec, self._unread):
                of = "keys and values" if isinstance(reply.codec, KeyedCodec) else "columns"
                yield f"{reply.name}: a text of {of}"
            for layout in reply.layouts:
                if layout.model:
                    yield f"{reply.name}: some devices are read with model {layout.model}"
                yield from (
                    f"{reply.name}, {each.name}: it is secret" for each in layout.codec.fields if each.secret
                )
        others = {reply.topic for reply in self.model.replies} - {VALUES}
        if others:
            yield f"{' and '.join(sorted(others))}: what the device tells of them is read by packwire alone"
        for each in self.model.questions:
            if each.kind is not RequestKind.READS:
                yield f"request {each.name}: it {each.kind}, and here is only read"
        if self.model.switches:
            yield f"switches: {', '.join(each.name for each in self.model.switches)}"
        if self.model.packs and not self.one_pack:
            yield "packs that are asked one by one"
