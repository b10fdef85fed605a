"""One message at a time: decoded as far as its bytes go, encoded, and with the place of every field."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from packwire.wire import block
from packwire.wire.fields import TO_THE_END, Field, FieldError, Operator, Order, Type, in_order


class Span(NamedTuple):
    """Where one field lies in a message: `raw` is its number (None for text and bytes)."""

    name: str
    offset: int
    width: int
    raw: int | None
    value: Any


class DecodedValues(NamedTuple):
    """What a message says, by field; which fields it was too short for; the bytes behind the last one."""

    values: dict[str, Any]
    missing: tuple[str, ...] = ()
    left_over: int = 0


_NOTHING: Mapping[str, float] = {}


class Codec:
    """Fields, compiled. Fields lie without padding behind each other unless they name a place.

    Decoding goes as far as the bytes do: a message of an older firmware simply ends earlier, one of a newer
    goes on longer. No count is believed beyond the bytes that are there. Raises FieldError where fields name
    others that are not there.
    """

    __slots__ = ("_anchors", "_first", "_plan", "_raws", "by_name", "fields", "names", "order")

    def __init__(self, fields: Iterable[Field], order: Order = "big") -> None:
        self.fields = tuple(fields)
        self.order: Order = order
        self.names = tuple(field.name for field in self.fields)
        self.by_name = {field.name: field for field in self.fields}
        _check(self.fields)
        self._first = _selector(self.fields)
        """The field that comes first and alone says, by its bits, which of the others are there."""
        self._raws = frozenset(_asked_for(self.fields))
        """The fields whose raw numbers other fields ask for: counts and conditions."""
        self._anchors = frozenset(field.after for field in self.fields)
        """The fields behind which others lie, wherever they stand in the list."""
        self._plan = lru_cache(maxsize=64)(self._compile)

    def decode(self, data: bytes, at: int = 0, known: Mapping[str, float] = _NOTHING) -> DecodedValues:
        """Decode the message that begins at byte `at`; never raises, whatever the bytes are.

        `known` are the raw numbers of other messages that conditions and counts ask for.
        """
        state = _State(data, at, known)
        for step in self._plan(self._selection(data, at)):
            step(state)
        return DecodedValues(state.values, tuple(state.missing), max(0, len(data) - state.last))

    def spans(self, data: bytes, at: int = 0, known: Mapping[str, float] = _NOTHING) -> list[Span]:
        """Return every field that is there with its place, its raw number and its value, items one by one."""
        state = _State(data, at, known)
        state.spans = []
        for field in self.fields:
            _Single(field, self.order, keep_raw=True)(state)
        return state.spans

    def encode(
        self, values: Mapping[str, Any], *, size: int = 0, known: Mapping[str, float] = _NOTHING
    ) -> bytes:
        """Encode a message of at least `size` bytes; it ends before the first field that is None.

        Counts are taken from the values that they count, conditions are looked at. Fields whose values are
        unknown by design (`Field.unknown`) are written as such. Raises FieldError, KeyError.
        """
        values = dict(values)
        for field in self.fields:
            if isinstance(field.count, str) and "." not in field.count and values.get(field.name) is not None:
                values[field.count] = len(values[field.name]) * field.counts
            if field.negative and isinstance(values.get(field.name), int | float):
                values[field.name] = abs(values[field.name])
        out = bytearray(size)
        places: dict[str, tuple[int, int]] = {}
        raws: dict[str, float] = dict(known)
        end = last = 0
        for field in self.fields:
            if not is_there(field, raws):
                continue
            value = values.get(field.name)
            said = value is not None or (field.count is None and field.unknown)
            if not said or (field.after is not None and field.after not in places):
                if field.at is None and field.after is None:
                    break
                continue
            start = _place(field, places, end, 0, max(size, last))
            encoded = _encoded(field, value, self.order, bytes(out[start:]))
            if field.name in self._raws and field.type.numeric and field.count is None:
                raws[field.name] = field.raw(value)
            out.extend(bytes(max(0, start + len(encoded) - len(out))))
            out[start : start + len(encoded)] = encoded
            end = start + len(encoded)
            last = max(last, end)
            places[field.name] = start, end
        return bytes(out)

    def _selection(self, data: bytes, at: int) -> int | None:
        if self._first is None:
            return None
        width = self._first.width or 0
        if len(data) - at < width:
            return -1
        return int(self._first.raw_in(data, at, self.order) or 0)

    def _compile(self, selection: int | None) -> tuple["_Step", ...]:
        """Make the steps; `selection` is the number of the first field where it alone selects the others."""
        there: list[Field] = []
        for field in self.fields:
            if selection is None or not field.when:
                there.append(field)
            elif selection >= 0 and all(condition.holds(selection) for condition in field.when):
                there.append(replace(field, when=()))
        first = self._placed(there)
        steps: list[_Step] = [self._block(first, moves=False)] if first else []
        names = {field.name for field in first}
        there = [field for field in there if field.name not in names]
        run: list[Field] = []
        followed = _followed(there)
        for field in there:
            # Where a field may be there or not, what follows it has no place that is known beforehand.
            fits = self._in_block(field) and not (field.when and field.name in followed)
            if run and not (fits and (run[0].at is not None or field.at is None)):
                steps.append(self._block(run))
                run = []
            if fits:
                run.append(field)
            else:
                steps.append(_Single(field, self.order, keep_raw=field.name in self._raws))
        if run:
            steps.append(self._block(run))
        return tuple(steps)

    def _placed(self, fields: list[Field]) -> list[Field]:
        """Return what has a place of its own, that nothing follows, and that asks for such alone."""
        first: list[Field] = []
        names: set[str] = set()
        followed = _followed(fields)
        for field in fields:
            placed = field.at is not None and field.name not in followed and self._in_block(field)
            # What other messages say is known beforehand, too.
            if placed and all(name in names or "." in name for name in _asked_for((field,))):
                first.append(field)
                names.add(field.name)
        return first

    def _in_block(self, field: Field) -> bool:
        placed = field.at is not None and field.at >= 0 and not (field.when and field.name in self._anchors)
        follows = field.at is None and field.after is None and not field.when
        return (placed or follows) and block.fits(field, self.order)

    def _block(self, fields: list[Field], *, moves: bool = True) -> "_Step":
        if len(fields) == 1 and moves:
            return _Single(fields[0], self.order, keep_raw=fields[0].name in self._raws)
        return _Block(fields, self.order, self._raws, self._anchors, moves=moves)


type _Step = Callable[["_State"], None]


class _State:
    """How far decoding has come: `end` is behind the field before, `last` behind the farthest byte read.

    Where the field before was cut, or is not there at all, `end` lies beyond the message: what follows has no
    place.
    """

    __slots__ = ("data", "end", "last", "missing", "places", "raws", "spans", "start", "values")

    def __init__(self, data: bytes, at: int, known: Mapping[str, float]) -> None:
        self.data = data
        self.start = self.end = self.last = at
        self.values: dict[str, Any] = {}
        self.raws: dict[str, Any] = dict(known)
        self.places: dict[str, tuple[int, int]] = {}
        self.missing: list[str] = []
        self.spans: list[Span] | None = None


class _Block:
    """Numbers whose places are known beforehand; see `packwire.wire.block`.

    `moves`: what follows in the list begins behind them, unless it has a place of its own.
    """

    __slots__ = ("block", "moves", "singles")

    def __init__(
        self, fields: list[Field], order: Order, raws: frozenset[str], anchors: frozenset[Any], *, moves: bool
    ) -> None:
        self.moves = moves
        self.block = block.FieldBlock(fields, order, raws, anchors)
        self.singles = [_Single(field, order, keep_raw=field.name in raws) for field in fields]

    def __call__(self, state: _State) -> None:
        read = self.block
        at = state.start if read.absolute else state.end
        needs = at + read.needs
        if len(state.data) < needs:
            end = state.end
            for single in self.singles:  # as far as the bytes go
                single(state)
            if not self.moves:
                state.end = end
            return
        read.read(state.data, at, state.values, state.raws)
        for name, begin, end in read.places:
            state.places[name] = at + begin, at + end
        if self.moves:
            state.end = at + read.end
        state.last = max(state.last, needs)


class _Single:
    """Any field."""

    __slots__ = (
        "all_values",
        "byte_order",
        "dense",
        "field",
        "follows",
        "keep_raw",
        "order",
        "read",
        "step",
        "value",
        "width",
    )

    def __init__(self, field: Field, order: Order, *, keep_raw: bool = False) -> None:
        self.field = field
        self.order: Order = order
        self.keep_raw = keep_raw
        self.value = reader_of(field)
        self.all_values = _scaler_of_many(field, self.value)
        self.dense = field.code if field.step == field.width else None
        self.byte_order: Order = field.order or order
        self.follows = field.at is None and field.after is None
        self.width, self.step = field.width or 0, field.step
        self.read = self._bytes
        if field.type.numeric:
            self.read = self._number if field.count is None else self._list

    def __call__(self, state: _State) -> None:
        field = self.field
        if field.when and not all(each.holds(state.raws.get(each.field, 0)) for each in field.when):
            return
        data, end, start = state.data, None, -1
        if self.follows:
            start = state.end
        elif field.after is None or field.after in state.places:
            start = _place(field, state.places, state.end, state.start, len(data))
        if state.start <= start <= len(data):
            end = self.read(state, start)
        else:
            state.missing.append(field.name)
        if end is None:
            state.end = len(data) + 1
            return
        state.places[field.name] = start, end
        state.end = end
        state.last = max(state.last, end)

    def _number(self, state: _State, start: int) -> int | None:
        """Read it; return where it ends, or None where it is cut."""
        field, end = self.field, start + self.width
        if end > len(state.data):
            state.missing.append(field.name)
            return None
        (raw,) = self._items(state.data, start, 1)
        if self.keep_raw:
            state.raws[field.name] = 0 if raw is None else raw
        value = None if raw is None else self.value(raw)
        if field.each_bit is not None or field.negative:
            value = _with_others(field, raw, value, state.raws)
        if value is not None:
            state.values[field.name] = value
        if state.spans is not None:
            state.spans.append(Span(field.name, start, self.width, self._integer(state.data, start), value))
        return end

    def _list(self, state: _State, start: int) -> int | None:
        """Read it; return where it ends, or None where it is cut."""
        field, data, width, step = self.field, state.data, self.width, self.step
        there = 0 if len(data) - start < width else 1 + (len(data) - start - width) // step
        count = self._count(state, there)
        taken = min(count, there)
        items = self._items(data, start, taken if field.most is None else min(taken, field.most))
        state.values[field.name] = values = self.all_values(items)
        if state.spans is not None:
            for index, value in enumerate(values):
                place = start + index * step
                span = Span(f"{field.name}[{index}]", place, width, self._integer(data, place), value)
                state.spans.append(span)
        end = start + taken * step
        if taken < count:
            state.missing.append(f"{field.name}[{taken}..{count - 1}]")
            state.last = max(state.last, end)
            return None
        return end

    def _count(self, state: _State, there: int) -> int:
        count = self.field.count
        if isinstance(count, str):
            return max(0, int(state.raws.get(count, 0))) // self.field.counts
        return there if count == TO_THE_END else count or 0

    def _items(self, data: bytes, start: int, count: int) -> Iterable[float | None]:
        if self.dense:
            return _items(self.byte_order, self.dense, count).unpack_from(data, start)
        return [self.field.raw_in(data, start + index * self.step, self.order) for index in range(count)]

    def _integer(self, data: bytes, at: int) -> int | None:
        """Return the raw number of a span; of a float its bits."""
        if self.field.type is Type.FLOAT:
            return int.from_bytes(in_order(data[at : at + (self.field.width or 0)], self.byte_order))
        raw = self.field.raw_in(data, at, self.order)
        return None if raw is None else int(raw)

    def _bytes(self, state: _State, start: int) -> int | None:
        """Read it; return where it ends, or None where it is cut."""
        field, data = self.field, state.data
        least = field.width or (1 if field.type is Type.CSTRING else 0)
        if len(data) - start < least:
            state.missing.append(field.name)
            return None
        end = len(data) if field.width is None else start + field.width
        value: Any = data[start:end]
        cut = False
        match field.type:
            case Type.CSTRING:
                nul = data.find(b"\0", start, end)
                cut = nul < 0 and field.width is None
                value = _text(data[start : nul if nul >= 0 else end])
                end = nul + 1 if nul >= 0 and field.width is None else end
            case Type.TEXT:
                value = _text(value.rstrip(b"\0"))
            case Type.HEX:
                value = value.hex()
            case Type.NUMBERS:
                value = tuple(value)
        state.values[field.name] = value
        if state.spans is not None:
            state.spans.append(Span(field.name, start, end - start, None, value))
        if cut:
            state.missing.append(f"{field.name}'s final NUL")
            state.last = len(data)
            return None
        return end


def is_there(field: Field, raws: Mapping[str, Any]) -> bool:
    """Tell whether a field's conditions hold, by the raw numbers that are known."""
    return all(each.holds(raws.get(each.field, 0)) for each in field.when)


def _with_others(field: Field, raw: float | None, value: Any, raws: Mapping[str, Any]) -> Any:
    """Return a value that depends on other fields: how many bits count, or whether it is negative."""
    if raw is None or value is None:
        return None
    if field.each_bit is not None:
        many = raws.get(field.each_bit, 0) if isinstance(field.each_bit, str) else field.each_bit
        return block.single_bits(raw, many)
    return -value if all(each.holds(raws.get(each.field, 0)) for each in field.negative) else value


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


@lru_cache(maxsize=512)
def _items(order: Order, code: str, count: int) -> struct.Struct:
    return struct.Struct(f"{'>' if order == 'big' else '<'}{count}{code}")


def _place(field: Field, places: Mapping[str, tuple[int, int]], end: int, start: int, size: int) -> int:
    """Return where a field begins; `end` is behind the field before it."""
    if field.at is not None:
        return start + field.at if field.at >= 0 else size + field.at
    return end if field.after is None or field.after not in places else places[field.after][1]


def _followed(fields: Sequence[Field]) -> set[str]:
    """Return the fields whose end is where another may begin: the next, or one behind those not there."""
    followed: set[str] = set()
    for field, behind in zip(reversed(fields[:-1]), reversed(fields), strict=False):
        if (behind.at is None and behind.after is None) or (behind.when and behind.name in followed):
            followed.add(field.name)
    return followed


def _selector(fields: tuple[Field, ...]) -> Field | None:
    """Return the first field where all conditions ask for its bits alone."""
    if not fields or not fields[0].fixed or fields[0].at is not None or not any(each.when for each in fields):
        return None
    asked = {
        (condition.field, condition.comparison is Operator.BIT) for each in fields for condition in each.when
    }
    return fields[0] if asked == {(fields[0].name, True)} else None


def _asked_for(fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        yield from (each for each in (field.count, field.each_bit) if isinstance(each, str))
        yield from (condition.field for condition in (*field.when, *field.negative))


_BITS = "dependent on bits of"
_WHOLE = ("counted by", "as long as", _BITS)


def _check(fields: tuple[Field, ...]) -> None:
    """Refuse fields that name others which do not come before them."""
    known: dict[str, Field] = {}
    for field in fields:
        if not field.name or field.name in known:
            raise FieldError(f"{field.name or 'a field'}: every field has a name of its own")
        for what, other in (
            ("counted by", field.count if isinstance(field.count, str) else None),
            ("as long as", field.each_bit if isinstance(field.each_bit, str) else None),
            ("placed behind", field.after),
            *(("there depending on", condition.field) for condition in field.when),
            *(("negative depending on", condition.field) for condition in field.negative),
            *(
                (_BITS, condition.field)
                for condition in (*field.when, *field.negative)
                if condition.comparison in {Operator.BIT, Operator.NO_BIT}
            ),
        ):
            if other is not None and "." in other and what != "placed behind":
                continue  # of another message
            if other is not None and other not in known:
                raise FieldError(f"{field.name}: it is {what} {other}, which does not come before it")
            if other is not None and what != "placed behind" and known[other].count is not None:
                raise FieldError(f"{field.name}: it is {what} {other}, which is not one number")
            if other is not None and what != "placed behind" and not known[other].type.numeric:
                raise FieldError(f"{field.name}: it is {what} {other}, which is no number")
            if other in known and what in _WHOLE and known[other].type is Type.FLOAT:
                raise FieldError(f"{field.name}: it is {what} {other}, which is no whole number")
        known[field.name] = field


def _encoded(field: Field, value: Any, order: Order, before: bytes) -> bytes:
    match field.type:
        case Type.CSTRING:
            text = str(value).encode()
            return text + b"\0" if field.width is None else text[: field.width].ljust(field.width, b"\0")
        case Type.TEXT:
            text = str(value).encode()
            return text if field.width is None else text[: field.width].ljust(field.width, b"\0")
        case Type.HEX:
            return bytes.fromhex(value)
        case Type.BYTES | Type.NUMBERS:
            return bytes(value)
    width, step = field.width or 0, field.step
    if field.count is None:
        return field.bytes_of(field.raw(value), order, before[:width].ljust(width, b"\0"))
    # Places that are not filled are there all the same where their number is fixed.
    many = max(len(value), field.count if isinstance(field.count, int) else 0)
    items = bytearray(before[: many * step].ljust(many * step, b"\0"))
    for index, item in enumerate(value):
        at = index * step
        items[at : at + width] = field.bytes_of(field.raw(item), order, bytes(items[at : at + width]))
    return bytes(items)


def reader_of(field: Field) -> Callable[[float], Any]:
    """Return what turns a raw number into its value, as `Field.value` does."""
    if field.plain:
        return _scaler(field)
    if not field.names:
        return field.value
    names, unknown = dict(field.names), field.unknown

    def value(raw: float) -> Any:
        if raw in unknown:
            return None
        return names[int(raw)] if int(raw) in names else field.scaled(raw)

    return value


def _scaler(field: Field) -> Callable[[float], float]:
    before, factor, divisor, behind = field.steps()
    if not before and not divisor and factor == 1 and not behind:
        return _itself
    if divisor and not behind:
        return (lambda raw: (raw + before) / divisor) if before else (lambda raw: raw / divisor)
    return field.scaled


def _scaler_of_many(
    field: Field, value: Callable[[float], Any]
) -> Callable[[Iterable[float | None]], tuple[Any, ...]]:
    """Return what turns raw numbers into values; the common case without a call for each of them."""
    before, _, divisor, behind = field.steps()
    if field.plain and field.code and not before and not behind:
        if divisor:
            return lambda raws: tuple([raw / divisor for raw in raws if raw is not None])
        if value is _itself:
            return tuple
    return lambda raws: tuple([None if raw is None else value(raw) for raw in raws])


def _itself(raw: float) -> float:
    return raw


def unpacked_and_scaled(fields: list[Field]) -> tuple[str, str]:
    """Return the text of the variables for the raw numbers, and that of their values."""
    names = [f"v{index}" for index in range(len(fields))]
    values = (block.scaled_text(name, field) for name, field in zip(names, fields, strict=True))
    return "".join(f"{name}, " for name in names), "".join(f"{value}, " for value in values)


def compiled(source: str, name: str, fields: list[Field], order: Order, **scope: Any) -> Any:
    """Run the text of a function; it holds nothing but names and numbers made here."""
    mark = ">" if order == "big" else "<"
    scope["unpack"] = struct.Struct(mark + "".join(field.code or "" for field in fields)).unpack_from
    exec(source, scope)  # noqa: S102 - see above
    return scope[name]
