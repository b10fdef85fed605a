"""What a simulated device says: the replies of a model, filled with the values of its quantities."""

from collections.abc import Iterator, Mapping
from typing import Any

from packwire.models.heard import Heard
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import Reply, ReplyLayout
from packwire.quantity import QUANTITIES
from packwire.sim.pack_values import HIGHEST
from packwire.wire.codec import is_there
from packwire.wire.fields import TO_THE_END, Field, FieldCondition, Operator, Type

#: What is said of what is wrong, often by numbers that say something else where nothing is.
_BESIDE = frozenset({"alarms", "warnings", "problem", "problem_code"})
#: So many frames of a reply that is numbered, at the most.
_MOST_PARTS = 64


class Speaker:
    """Puts values into the replies of a model.

    A quantity that stands in several fields or replies is shared out among them in the model's order, as the
    reader joins it. What no quantity fills is as the model's `simulated` says, or zero.
    """

    def __init__(self, protocol: ModelProtocol) -> None:
        self._protocol = protocol
        self._simulated: Mapping[str, Mapping[str, Any]] = protocol.content.get("simulated", {})

    def frames(
        self, quantities: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, list[bytes]]:
        """Return the frames of each reply that is no refusal; `said` are fields that are known, by reply."""
        said = {
            reply.name: {**self._simulated.get(reply.name, {}), **said.get(reply.name, {})}
            for reply in self._protocol.replies
        }
        heard = Heard(self._protocol)
        # First those whose numbers the layouts of others ask for.
        for _, frames in self._all(quantities, said, heard.known, self._protocol.asked_for):
            for frame in frames:
                heard.take(frame)
        return dict(self._all(quantities, said, heard.known))

    def refusal(self, reply: Reply, like: Reply) -> bytes:
        """Return the frame of a refusal, in the place of another reply."""
        frame = bytearray(self._protocol.encode(reply.name, self._simulated.get(reply.name, {})))
        framing = next(each for each in self._protocol.framings if frame.startswith(each.start))
        for at, byte in enumerate(reply.begins):
            if byte is None and at < len(like.begins) and not framing.hexadecimal:
                frame[at] = like.begins[at] or 0
        return framing.seal(bytes(frame))

    def _all(
        self,
        quantities: Mapping[str, Any],
        said: Mapping[str, Mapping[str, Any]],
        known: Mapping[str, float],
        only: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[str, list[bytes]]]:
        filling = _Filling(quantities, known)
        for reply in self._protocol.replies:
            if not reply.refuses and (only is None or reply.name in only):
                yield reply.name, list(self._frames_of(reply, filling, said[reply.name]))

    def _frames_of(self, reply: Reply, filling: "_Filling", said: Mapping[str, Any]) -> Iterator[bytes]:
        layout = _layout(reply, filling.known)
        if reply.part is None:
            yield self._protocol.encode(reply.name, filling.values(layout, said), filling.known)
            return
        numbers = said.get(reply.part, range(1, _MOST_PARTS))
        for index, part in enumerate(numbers):
            before = filling.shared_out
            values = filling.values(layout, {**said, reply.part: part})
            if index and filling.shared_out == before:
                return  # nothing is left to be said
            yield self._protocol.encode(reply.name, values, filling.known)


def _layout(reply: Reply, known: Mapping[str, float]) -> ReplyLayout:
    """Return the layout that `ModelProtocol.encode` takes."""
    found = reply.layout(bytes(4096), known) if known else None
    return found or next((each for each in reply.layouts if not each.marks or known), reply.layouts[0])


class _Filling:
    """Shares quantities out among fields."""

    def __init__(self, quantities: Mapping[str, Any], known: Mapping[str, float]) -> None:
        self.known = known
        self.shared_out = 0
        """Items of lists that stand somewhere now."""
        self._quantities = quantities
        self._next: dict[str, int] = {}
        self._left: dict[str, float] = {}
        """What is still to be said of a quantity that several fields add up to."""

    def values(self, layout: ReplyLayout, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return what stands in each field of a layout."""
        add = {each.name for each in layout.sayings if each.add}
        values: dict[str, Any] = {}
        counts: dict[str, int] = {}
        raws: dict[str, float] = dict(self.known)
        fields = layout.codec.fields
        for number, field in enumerate(fields):
            if not is_there(field, raws):
                continue
            if field.name in said:
                given = said[field.name]
                values[field.name] = tuple(given) if isinstance(given, list) else given
            elif field.quantity in _BESIDE and not self._quantities.get(field.quantity):
                # Its bytes may be those of another field, which says what is well.
                values[field.name] = None if _placed(fields[number : number + 2]) else nothing(field)
            elif field.quantity in self._quantities:
                values[field.name] = self._value(field, added=field.name in add)
            else:
                values[field.name] = nothing(field)
            self._count(field, values, counts)
            if field.fixed and field.count is None and values[field.name] is not None:
                raws[field.name] = field.raw(values[field.name])
            if field.negative and isinstance(values[field.name], int | float):
                for condition in field.negative:
                    values[condition.field] = _raw_for(condition, held=values[field.name] < 0)
        return values | _overlaid(fields, said)

    def _count(self, field: Field, values: dict[str, Any], counts: dict[str, int]) -> None:
        """Let lists that one field counts be of one length: as it says, or as the first of them is."""
        if not isinstance(field.count, str) or "." in field.count or not field.type.numeric:
            return
        items = values[field.name] or ()
        many = counts.setdefault(field.count, int(values.get(field.count) or len(items)))
        many = many if field.most is None else min(many, field.most)
        filler = None if field.unknown else field.value(0)
        values[field.name] = (*items[:many], *(filler,) * (many - len(items)))

    def _value(self, field: Field, *, added: bool) -> Any:
        value = self._quantities[field.quantity]
        if added:
            value = self._left.get(field.quantity, value)
            said = field.value(field.raw(value))
            self._left[field.quantity] = value - said
            return said
        if QUANTITIES[field.quantity].array:
            return self._items(field, value)
        if field.type in {Type.TEXT, Type.CSTRING}:
            return str(value)
        try:
            value = float(value) if isinstance(value, str) else value
            field.raw(value)
        except (ValueError, TypeError):
            return nothing(field)
        return value

    def _items(self, field: Field, items: tuple[Any, ...]) -> Any:
        """Return the next items of a list, as many as a field takes."""
        at = self._next.get(field.quantity, 0)
        left = items[at:]
        many = self._room(field, len(left))
        self._next[field.quantity] = at + min(many, len(left))
        self.shared_out += min(many, len(left))
        if field.count is None and field.each_bit is None:
            return left[0] if left else nothing(field)
        filler = None if field.unknown else field.value(0) if field.each_bit is None else False
        return left[:many] + (filler,) * (many - len(left[:many]))

    def _room(self, field: Field, left: int) -> int:
        count = field.each_bit if field.each_bit is not None else field.count
        if count is None:
            return 1
        if isinstance(count, int) and count != TO_THE_END:
            return count
        room = int(self.known.get(count, left)) if isinstance(count, str) and "." in count else left
        return room if field.most is None else min(room, field.most)


def _placed(fields: tuple[Field, ...]) -> bool:
    """Tell whether each says where it is, so that one can be left out."""
    return all(each.at is not None or each.after is not None for each in fields)


def _overlaid(fields: tuple[Field, ...], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what fields say whose bytes are those of a number that is given."""
    values: dict[str, Any] = {}
    given = [
        each for each in fields if each.name in said and each.fixed and each.at is not None and not each.bits
    ]
    for whole in given:
        raw = int(whole.raw(said[whole.name]))
        for other in fields:
            if other.at == whole.at and other.width == whole.width and other.bits and other is not whole:
                lowest, many = other.bits
                values[other.name] = other.value(raw >> lowest & (1 << many) - 1)
    return values


def nothing(field: Field) -> Any:
    """Return what stands in a field that says nothing in particular; None where that is unknown by design."""
    if field.type in {Type.TEXT, Type.CSTRING, Type.HEX}:
        return "00" * (field.width or 0) if field.type is Type.HEX else ""
    if not field.type.numeric:
        return bytes(field.width or 0)
    if field.each_bit is not None or field.flags:
        return ()
    if field.count is not None:
        many = field.count if isinstance(field.count, int) else 0  # TO_THE_END is below it
        return (None if field.unknown else field.value(0),) * many
    return None if field.unknown else field.value(0)


def _raw_for(condition: FieldCondition, *, held: bool) -> int:
    """Return a number with which a condition holds, or does not."""
    number = int(condition.number)
    match condition.comparison:
        case Operator.EQUAL:
            return number if held else int(number == 0)
        case Operator.BIT:
            return 1 << number if held else 0
        case Operator.NO_BIT:
            return 0 if held else 1 << number
        case Operator.NOT_EQUAL | Operator.MORE:
            return number + 1 if held else number
        case Operator.AT_LEAST:
            return number if held else number - 1
        case Operator.LESS:
            return number - 1 if held else number
        case Operator.AT_MOST:
            return number if held else number + 1


def cells_of(protocol: ModelProtocol, usual: int) -> int:
    """Return how many cells in series a simulated pack has: those that its model always has, or else `usual`.

    The latter is lowered to what the model has room for, of cells and of volts.
    """
    fields = [field for reply in protocol.replies for field in reply.codec.fields]
    cells = [each for each in fields if each.quantity == "cell_voltages"]
    counted = [1 if each.count is None else each.count for each in cells]
    fixed = [each if isinstance(each, int) and each > 0 else None for each in counted]
    sayings = [each for reply in protocol.replies for layout in reply.layouts for each in layout.sayings]
    if cells and all(fixed) and all(each.unused is None for each in sayings):
        return sum(filter(None, fixed))
    room = [count or each.most for count, each in zip(fixed, cells, strict=True)]
    most = [sum(filter(None, room))] if room and all(room) else []
    volts = [
        each.scaled(each.limits()[1]) for each in fields if each.quantity == "voltage" and each.type.numeric
    ]
    return min(usual, *most, *(int(each / HIGHEST) for each in volts))
