"""Replies of a model: their fields, and what these say by quantity."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from packwire.models.family import bytes_are
from packwire.models.problem import ModelError, at
from packwire.models.text import read_pattern
from packwire.quantity import QUANTITIES, Kind, Quantity, Value
from packwire.wire import fields
from packwire.wire.codec import Codec, DecodedValues
from packwire.wire.columned import ColumnCodec
from packwire.wire.fields import Field, FieldCondition, FieldError, Operator, Order
from packwire.wire.framing import ByteIs, Framing
from packwire.wire.keyed import KeyedCodec

#: What is said of flags of which none is set.
NOTHING = "none"

_KINDS = {
    "u": fields.Type.UINT,
    "i": fields.Type.INT,
    "sm": fields.Type.SIGN_MAGNITUDE,
    "bcd": fields.Type.BCD,
    "f": fields.Type.FLOAT,
}
_TEXTS = {
    "text": fields.Type.TEXT,
    "cstring": fields.Type.CSTRING,
    "hex": fields.Type.HEX,
    "bytes": fields.Type.BYTES,
    "decimal": fields.Type.DECIMAL,
    "hexadecimal": fields.Type.HEXADECIMAL,
}
_COMPARISONS = {
    "is": Operator.EQUAL,
    "is_not": Operator.NOT_EQUAL,
    "less_than": Operator.LESS,
    "at_most": Operator.AT_MOST,
    "more_than": Operator.MORE,
    "at_least": Operator.AT_LEAST,
    "has_bit": Operator.BIT,
    "lacks_bit": Operator.NO_BIT,
}


def field_of(said: Mapping[str, Any]) -> Field:
    """Return a field as the engine takes it. Raises FieldError."""
    kind, width = type_of(
        said.get("type", "decimal" if "key" in said or "column" in said else "u8"), said.get("width")
    )
    count, bits = said.get("count"), said.get("bits")
    return Field(
        name=said["name"],
        type=kind,
        width=width,
        order=said.get("order"),
        at=said.get("at"),
        after=said.get("after"),
        key=said.get("key"),
        column=said.get("column"),
        bits=None if bits is None else tuple(bits),
        scale=said.get("scale", 1),
        addend=said.get("addend", 0),
        ones=said.get("ones", False),
        names=tuple((int(number), name) for number, name in said.get("names", {}).items()),
        flags=tuple((int(bit), word) for bit, word in said.get("flags", {}).items()),
        each_bit=said.get("each_bit"),
        unknown=tuple(said.get("unknown", ())),
        count=fields.TO_THE_END if count == "to the end" else count,
        counts=said.get("counts", 1),
        stride=said.get("stride"),
        most=said.get("most"),
        when=tuple(conditions(said.get("when", ()))),
        negative=tuple(conditions(said.get("negative", ()))),
        quantity=said.get("quantity", ""),
        secret=said.get("secret", False),
    )


def type_of(text: str, width: int | None) -> tuple[fields.Type, int | None]:
    """Return type and width of what is written as `u16`, or as `text` with a width. Raises FieldError."""
    if text in _TEXTS:
        return _TEXTS[text], width
    letters = text.rstrip("0123456789")
    if width is not None:
        raise fields.FieldError(f"{text} says its width itself: leave out `width`")
    return _KINDS[letters], int(text.removeprefix(letters)) // 8


def conditions(said: Iterable[Mapping[str, Any]]) -> Iterator[FieldCondition]:
    """Yield conditions as the engine takes them."""
    for each in said:
        ((name, number),) = ((key, number) for key, number in each.items() if key != "field")
        yield FieldCondition(each["field"], _COMPARISONS[name], number)


@dataclass(frozen=True, slots=True)
class Saying:
    """What a field says of a quantity."""

    name: str
    quantity: Quantity
    add: bool
    flags: bool
    named: bool
    """Numbers stand for words or truth values; of a flag, all others for no."""
    unused: Value | None = None
    """What stands in places at the end of a list that nothing is at."""
    plain: bool = False
    """A field's value is its quantity's, as it is."""

    @property
    def way(self) -> Callable[[Any], Value] | None:
        """Return what turns a field's value into its quantity's; None where it is that already."""
        if self.plain:
            return None
        is_flag = self.quantity.kind is Kind.FLAG and not self.quantity.array
        return bool if is_flag and not self.named else self.of

    def of(self, value: Any) -> Value:
        """Return a field's value as its quantity takes it."""
        kind = self.quantity.kind
        if self.quantity.array:
            items = value if isinstance(value, tuple) else (value,)
            return tuple([item for item in items if item is not None]) if None in items else items
        if self.flags:
            return tuple(value)
        if kind is Kind.TEXT:
            return str(value).strip()
        if kind is Kind.FLAG:
            return value is True if self.named else bool(value)
        said: Value = value
        return said


@dataclass(frozen=True, slots=True)
class ReplyLayout:
    """The fields of a reply, where `when` and `marks` hold."""

    codec: Codec
    sayings: tuple[Saying, ...]
    when: tuple[FieldCondition, ...] = ()
    marks: tuple[ByteIs, ...] = ()
    optional: frozenset[str] = frozenset()
    """Fields that not every device has."""
    model: str = ""
    """The model with which devices that say this are read."""
    single: tuple[tuple[str, str, Callable[[Any], Value] | None], ...] = ()
    """Fields that alone say their quantity, in the whole model: the name, the key, how a value is turned."""
    shared: tuple[Saying, ...] = ()
    """The others."""

    def missing(self, values: DecodedValues) -> tuple[str, ...]:
        """Return what a message was too short for, and should not be."""
        if not values.missing:
            return ()
        return tuple(each for each in values.missing if each.partition("[")[0] not in self.optional)

    def references(self) -> Iterator[str]:
        """Yield what it asks of other replies, as `reply.field`."""
        yield from (each.field for each in self.when)
        for field_ in self.codec.fields:
            named = (field_.count, field_.each_bit, *(c.field for c in (*field_.when, *field_.negative)))
            yield from (each for each in named if isinstance(each, str) and "." in each)

    def fits(self, data: bytes, known: Mapping[str, float]) -> bool:
        """Tell whether it is so; the frame is looked at where other replies are not known."""
        if isinstance(self.codec, ColumnCodec) and not self.codec.fits(data):
            return False
        told = bool(self.when)
        for each in self.when:
            number = known.get(each.field)
            if number is None:
                told = False
            elif not each.holds(number):
                return False
        return told or all(each.fits(data) for each in self.marks)

    def is_told(self, known: Mapping[str, float]) -> bool:
        """Tell whether other replies say that it is so."""
        return bool(self.when) and all(
            each.field in known and each.holds(known[each.field]) for each in self.when
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of a model: how it begins, its fields; `refuses` where it says no, and why."""

    name: str
    begins: tuple[int | None, ...]
    size: int | None
    layouts: tuple[ReplyLayout, ...]
    refuses: str
    unasked: bool
    part: str | None
    every: float = 1
    optional: bool = False
    id: int | None = None
    topic: str = "values"
    head: bytes = field(default=b"", compare=False)
    """The first bytes that are the same in all."""

    def fits(self, frame: bytes, size: int) -> bool:
        """Tell whether a frame is such a reply; `size` is that of the whole frame as it was sent."""
        if not frame.startswith(self.head) or (self.size is not None and size != self.size):
            return False
        if len(frame) < len(self.begins):
            return False
        for wanted, byte in zip(self.begins[len(self.head) :], frame[len(self.head) :], strict=False):
            if wanted is not None and wanted != byte:
                return False
        return True

    @property
    def begins_text(self) -> str:
        """Return how it begins as hex, `??` for any byte."""
        return " ".join("??" if byte is None else f"{byte:02x}" for byte in self.begins)

    @property
    def stands_alone(self) -> bool:
        """Tell whether one layout says all of it, without other replies."""
        return not self.refuses and not self.part and self._one_layout and not self.layouts[0].model

    @property
    def _one_layout(self) -> bool:
        first = self.layouts[0]
        counted = isinstance(first.codec, ColumnCodec) and first.codec.columns is not None
        return len(self.layouts) == 1 and not first.when and not first.marks and not counted

    @property
    def codec(self) -> Codec:
        """Return the codec of its first layout."""
        return self.layouts[0].codec

    def layout(self, data: bytes, known: Mapping[str, float]) -> ReplyLayout | None:
        """Return how it is to be read; None where the model does not know."""
        if self._one_layout:
            return self.layouts[0]
        for each in self.layouts:
            if each.fits(data, known):
                return each
        return None


def reply_of(name: str, said: Mapping[str, Any], order: Order, separator: str = "") -> Reply:
    """Return a reply. Raises ModelError."""
    begins = _beginning(said)
    fixed = next((index for index, byte in enumerate(begins) if byte is None), len(begins))
    refuses = said.get("refuses", False)
    layouts = said.get("layouts")
    return Reply(
        name,
        begins,
        said.get("size"),
        tuple(
            _layout(each, order, separator, ("layouts", index) if layouts else ())
            for index, each in enumerate(layouts or [said])
        ),
        refuses if isinstance(refuses, str) else "it refuses" * bool(refuses),
        said.get("unasked", False),
        said.get("part"),
        said.get("every", 1),
        said.get("optional", False),
        said.get("id"),
        said.get("topic", "values"),
        bytes(byte or 0 for byte in begins[:fixed]),
    )


#: The bit that marks an identifier of 29 bits where a CAN frame is written as bytes [Linux, linux/can.h].
EXTENDED = 1 << 31
#: Identifiers of 11 bits go no further.
MAX_STANDARD = 0x7FF


def _beginning(said: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Return how a reply begins: its CAN identifier in four bytes, and the bytes that are written."""
    rest = read_pattern(said["begins"]) if "begins" in said else ()
    number = said.get("id")
    if number is None:
        return rest
    extended = said.get("extended") or number > MAX_STANDARD
    return (*(number | EXTENDED * extended).to_bytes(4), *rest)


def _layout(
    said: Mapping[str, Any], order: Order, separator: str, place: tuple[str | int, ...]
) -> ReplyLayout:
    read: list[Field] = []
    sayings: list[Saying] = []
    for index, each in enumerate(said.get("fields", ())):
        with at(*place, "fields", index):
            read.append(field_of(each))
            if each.get("quantity"):
                sayings.append(_saying(read[-1], each))
    with at(*place, "fields"):
        codec = _codec(read, order, separator, said.get("columns"))
    return ReplyLayout(
        codec,
        tuple(sayings),
        tuple(conditions(said.get("when", ()))),
        bytes_are(said.get("bytes", ())),
        frozenset(each["name"] for each in said.get("fields", ()) if each.get("optional")),
        said.get("model", ""),
    )


def _codec(read: list[Field], order: Order, separator: str, columns: int | None) -> Codec:
    if columns is not None or any(each.column is not None for each in read):
        if not separator:
            raise FieldError("columns need a `separator`, at the top of the model, that divides them")
        return ColumnCodec(read, order, separator, columns)
    keyed = [each.key is not None for each in read]
    if not any(keyed):
        return Codec(read, order)
    if not all(keyed):
        raise FieldError(f"{read[keyed.index(False)].name} has no key, and others of this reply have one")
    return KeyedCodec(read, order)


def _saying(of: Field, said: Mapping[str, Any]) -> Saying:
    quantity = QUANTITIES.get(of.quantity)
    if quantity is None:
        near = [key for key in QUANTITIES if of.quantity in key or key in of.quantity]
        hint = f"did you mean {' or '.join(near[:4])}?" if near else "see docs/reference/quantities.md"
        raise ModelError(f"there is no quantity {of.quantity!r}: {hint}", ("quantity",))
    several = of.count is not None or of.each_bit is not None
    if several and not quantity.array:
        raise ModelError(f"{of.quantity} is one value, not several", ("quantity",))
    if of.flags and quantity.kind is not Kind.TEXT:
        raise ModelError(
            f"{of.quantity} is no text: flags are for alarms and warnings; for single bits there is "
            "each_bit, or a field with bits",
            ("quantity",),
        )
    unused = said.get("unused")
    if unused is not None and of.count is None:
        raise ModelError("unused is for lists: say `count` too", ("unused",))
    return Saying(
        of.name,
        quantity,
        said.get("add", False),
        bool(of.flags),
        bool(of.names),
        None if unused is None else of.scaled(unused),
        not quantity.array and not of.flags and quantity.kind not in {Kind.TEXT, Kind.FLAG},
    )


class Statement(NamedTuple):
    """What one message says: by quantity where it alone says it, and what is to be put together."""

    single: Mapping[str, Value]
    shared: tuple[tuple[Saying, Value], ...]

    @property
    def values(self) -> dict[str, Value]:
        """Return it by quantity key, as if nothing else was said."""
        return {**self.single, **joined(self.shared)} if self.shared else dict(self.single)


def said_by(layout: ReplyLayout, values: DecodedValues) -> Statement:
    """Return what a message says."""
    decoded = values.values
    single: dict[str, Value] = {}
    for name, key, turned in layout.single:
        value = decoded.get(name)
        if turned is not None and value is not None:
            value = turned(value)
            if value == "":
                continue  # nothing is written there
        if value is not None:
            single[key] = value
    shared = [(each, each.of(decoded[each.name])) for each in layout.shared if each.name in decoded]
    return Statement(single, tuple(shared))


def said_by_each(layout: ReplyLayout, columns: Mapping[str, list[Any]]) -> Iterator[dict[str, Value]]:
    """Yield what `said_by` gives of many messages: the values of each, by quantity.

    `columns` are their values by field; None where a message has none.
    """
    said: dict[str, list[Any]] = {}
    for name, key, turned in layout.single:
        column = columns[name]
        if turned is not None:
            column = [None if value is None else turned(value) for value in column]
            column = [None if value == "" else value for value in column]
        said[key] = column
    spoken = [each for each in layout.shared if any(value is not None for value in columns[each.name])]
    for key in sorted({each.quantity.key: None for each in spoken}, key=WORDS.__contains__):
        together = [each for each in spoken if each.quantity.key == key]
        of = [columns[each.name] for each in together]
        said[key] = of[0] if len(of) == 1 and together[0].plain else _joined_each(together, of)
    keys = [key for key, column in said.items() if any(value is not None for value in column)]
    for row in zip(*(said[key] for key in keys), strict=True):
        yield {key: value for key, value in zip(keys, row, strict=True) if value is not None}


def _joined_each(together: list[Saying], columns: list[list[Any]]) -> list[Value | None]:
    """Return what several fields say together of their one quantity, message by message."""

    @lru_cache(maxsize=None, typed=True)
    def of(*row: Any) -> Value | None:
        pairs = zip(together, row, strict=True)
        values = joined((each, each.of(value)) for each, value in pairs if value is not None)
        return next(iter(values.values()), None)

    return list(map(of, *columns))


def with_ways(replies: Iterable[Reply]) -> tuple[Reply, ...]:
    """Return replies whose layouts know which of their quantities nothing else in the model says."""
    replies = tuple(replies)
    places: dict[str, set[str]] = {}
    several = set(WORDS)
    for reply in replies:
        for layout in reply.layouts:
            here: set[str] = set()
            for each in layout.sayings:
                key = each.quantity.key
                places.setdefault(key, set()).add(reply.name)
                if (
                    key in here
                    or reply.part
                    or each.add
                    or each.flags
                    or each.unused is not None
                    or len(places[key]) > 1
                ):
                    several.add(key)
                here.add(key)
    return tuple(
        replace(reply, layouts=tuple(_with_ways(layout, several) for layout in reply.layouts))
        for reply in replies
    )


def _with_ways(layout: ReplyLayout, several: set[str]) -> ReplyLayout:
    single = [
        (each.name, each.quantity.key, each.way)
        for each in layout.sayings
        if each.quantity.key not in several
    ]
    shared = [each for each in layout.sayings if each.quantity.key in several]
    return replace(layout, single=tuple(single), shared=tuple(shared))


def joined(said: Iterable[tuple[Saying, Value]]) -> dict[str, Value]:
    """Put together what several fields say of one quantity.

    Of lists, one behind the other, without the unused places at their end; of words, all of them, each once;
    of numbers that are to be added, their sum (of codes, all bits); of others, the first.
    """
    result: dict[str, Any] = {}
    words: dict[str, list[str]] = {}
    unused: dict[str, Value] = {}
    for each, value in said:
        key = each.quantity.key
        if each.flags or key in WORDS:
            words.setdefault(key, []).extend(map(str, value if isinstance(value, tuple) else (value,)))
        elif each.quantity.array:
            result[key] = result.get(key, ()) + value
            if each.unused is not None:
                unused[key] = each.unused
        elif value == "":
            continue  # nothing is written there
        elif key not in result:
            result[key] = value
        elif each.add and key == "problem_code":
            assert not isinstance(value, tuple)
            result[key] = int(result[key]) | int(value)  # several cells may have the same problem
        elif each.add:
            result[key] += value
    for key, nothing in unused.items():
        result[key] = _used(result[key], nothing)
    return result | {
        key: ", ".join(dict.fromkeys(filter(None, said))) or NOTHING for key, said in words.items()
    }


def _used(items: tuple[Value, ...], nothing: Value) -> tuple[Value, ...]:
    """Return a list without the unused places at its end; the first stays."""
    size = len(items)
    while size > 1 and items[size - 1] == nothing:
        size -= 1
    return items[:size]


#: Texts of which there may be several at once.
WORDS = frozenset({"alarms", "warnings", "fault", "bms_status"})


def size_said(begins: bytes, pattern: tuple[int | None, ...], framing: Framing) -> int:
    """Return how long frames are that begin so, where that is certain; else 0."""
    head = begins.ljust(framing.needs, b"\0")
    rule = next((each for each in framing.sizes if each.fits(head)), None)
    if rule is None or (rule.at is not None and (rule.at >= len(pattern) or pattern[rule.at] is None)):
        return 0
    return rule.of(head) or 0
