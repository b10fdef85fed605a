"""Layouts: where each field of a message lies, as data, with one engine that decodes and encodes them.

A message type is a NamedTuple whose annotations say how each field is encoded:

    class Reading(NamedTuple):
        voltage: Annotated[float | None, i32(1e6)] = None
        cell_count: Annotated[int | None, u8()] = None
        cells: Annotated[tuple[float, ...] | None, array(i16(1e3), "cell_count")] = None
        status: Annotated[str | None, cstring()] = None

    reading, missing, left_over = Layout(Reading).decode(payload, at=1)

Every field may be None: it was not in the message. Fields come one after the other without padding, so a
message of an older firmware simply ends earlier and one of a newer firmware goes on longer: decoding goes as
far as the bytes do and says what was missing or left over. A layout with a mask holds only the fields whose
bit is set.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

_new_tuple = tuple.__new__  # a NamedTuple's own constructor costs twice as much


class LayoutError(ValueError):
    """A layout makes no sense, or a message does not fit it."""


class Number(NamedTuple):
    """A fixed-point, integer or float field: `raw / scale`, `raw` read by a struct code."""

    code: str
    scale: float = 1
    bit: int | None = None

    @property
    def width(self) -> int:
        """Return how many bytes it takes."""
        return struct.calcsize("=" + self.code)

    def value(self, raw: float) -> float:
        """Return the value that a raw number stands for."""
        if self.scale == 1:
            return raw
        return raw / self.scale if self.scale > 1 else raw * round(1 / self.scale)

    def raw(self, value: float) -> float:
        """Return the raw number of a value, truncated towards zero as firmware does, and held in range."""
        if self.code == "f":
            # float32_auto has no denormal numbers: tiny values become 0 [buffer.c].
            return 0.0 if abs(value) < 1.5e-38 else value
        scaled = value * self.scale if self.scale > 1 else value / round(1 / self.scale)
        # A value that was decoded from a raw number must give that number back, though the division by the
        # scale left it a hair below.
        nearest = round(scaled)
        raw = nearest if abs(scaled - nearest) <= 1e-9 * max(1.0, abs(scaled)) else int(scaled)
        bits = 8 * self.width
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if self.code.islower() else (0, (1 << bits) - 1)
        return min(max(raw, low), high)


class Array(NamedTuple):
    """As many numbers as an earlier field says."""

    item: Number
    counted_by: str
    bit: int | None = None


class CString(NamedTuple):
    """Text up to a NUL (or, where that is missing, to the end of the message)."""

    bit: int | None = None


class Hex(NamedTuple):
    """Bytes that are shown as hexadecimal digits, such as a UUID."""

    width: int
    bit: int | None = None


class Rest(NamedTuple):
    """All that is left of the message: as `text`, as raw `bytes`, or as `numbers` of one byte each."""

    form: str = "bytes"
    bit: int | None = None


type Part = Number | Array | CString | Hex | Rest


def u8(scale: float = 1, bit: int | None = None) -> Number:
    """Return an unsigned 8-bit field."""
    return Number("B", scale, bit)


def u16(scale: float = 1, bit: int | None = None) -> Number:
    """Return an unsigned 16-bit field."""
    return Number("H", scale, bit)


def i16(scale: float = 1, bit: int | None = None) -> Number:
    """Return a signed 16-bit field."""
    return Number("h", scale, bit)


def u32(scale: float = 1, bit: int | None = None) -> Number:
    """Return an unsigned 32-bit field."""
    return Number("I", scale, bit)


def i32(scale: float = 1, bit: int | None = None) -> Number:
    """Return a signed 32-bit field."""
    return Number("i", scale, bit)


def f32(bit: int | None = None) -> Number:
    """Return an IEEE-754 single, which is what VESC's float32_auto is on the wire."""
    return Number("f", 1, bit)


def array(item: Number, counted_by: str, bit: int | None = None) -> Array:
    """Return an array field whose length the field named `counted_by` holds."""
    return Array(item, counted_by, bit)


def cstring(bit: int | None = None) -> CString:
    """Return a NUL-terminated text field."""
    return CString(bit)


def hex_bytes(width: int, bit: int | None = None) -> Hex:
    """Return a field of `width` bytes, shown as hexadecimal digits."""
    return Hex(width, bit)


def rest(form: str = "bytes") -> Rest:
    """Return a field that takes all that is left: `text`, `bytes` or `numbers`."""
    return Rest(form)


class Span(NamedTuple):
    """Where one field lies in a message: `raw` is its integer (None for text and hex)."""

    name: str
    offset: int
    width: int
    raw: int | None
    value: Any


class Decoded[T](NamedTuple):
    """A decoded message, the names of the fields that it was too short for, and the bytes behind them."""

    reply: T
    missing: tuple[str, ...] = ()
    left_over: int = 0


class Decode[T](Protocol):
    """A decoder of one message type."""

    def __call__(self, payload: bytes, at: int = 1) -> Decoded[T]:
        """Decode the fields that begin at byte `at`, behind the command id; never raises."""


class Layout[T: tuple[Any, ...]]:
    """The fields of one message type, compiled for decoding.

    `mask` names a field that comes first and whose bits say which of the others follow.
    """

    __slots__ = ("_make", "_plan", "decode", "fields", "kind", "mask", "order")

    def __init__(self, kind: type[T], *, order: str = ">", mask: str | None = None) -> None:
        self.kind = kind
        self.order = order
        self.mask = mask
        self.fields: tuple[tuple[str, Part], ...] = tuple(_fields_of(kind))
        self._make: Callable[[Iterable[Any]], T] = kind._make  # type: ignore[attr-defined]
        self._plan = lru_cache(maxsize=64)(self._compile)
        self.decode: Decode[T] = self._first_decode
        """Decode the fields that begin at byte `at` (behind the command id); never raises."""

    def _first_decode(self, payload: bytes, at: int = 1) -> Decoded[T]:
        """Compile the hot path of a layout that is one run of numbers, such as GET_VALUES, and take it."""
        numbers = [part for _, part in self.fields if isinstance(part, Number)]
        if self.mask is None and len(numbers) == len(self.fields):
            self.decode = _exact_decoder(numbers, self.order, self.kind, self._decode_as_far_as_it_goes)
        else:
            self.decode = self._decode_as_far_as_it_goes
        return self.decode(payload, at)

    def _decode_as_far_as_it_goes(self, payload: bytes, at: int = 1) -> Decoded[T]:
        values: dict[str, Any] = {}
        missing: list[str] = []
        if self.mask is not None:
            if len(payload) - at < _mask_width(self.fields):
                return Decoded(self._make(None for _ in self.fields), (self.mask,), max(0, len(payload) - at))
            mask = int.from_bytes(payload[at : at + 4], "big" if self.order == ">" else "little")
        else:
            mask = -1
        for step in self._plan(mask):
            if missing:  # where the message ended is known: no later field can lie in what is left
                missing.extend(step.names)
            else:
                at = step.decode(payload, at, values, missing)
        reply = self._make(values.get(name) for name, _ in self.fields)
        return Decoded(reply, tuple(missing), max(0, len(payload) - at))

    def encode(self, reply: T) -> bytes:
        """Encode a message; it ends before the first field that is None (as an older firmware's would).

        Counts are taken from their arrays. With a mask, the fields whose bits are not set are left out.
        """
        values = dict(zip((name for name, _ in self.fields), reply, strict=True))
        for name, part in self.fields:
            if isinstance(part, Array) and values[name] is not None:
                values[part.counted_by] = len(values[name])
        mask = values[self.mask] if self.mask is not None else -1
        chunks: list[bytes] = []
        for name, part in self._present(mask):
            if values[name] is None:
                break
            chunks.append(_encode(part, values[name], self.order))
        return b"".join(chunks)

    def spans(self, payload: bytes, at: int = 1) -> list[Span]:
        """Return every field with its place, its raw integer and its value; elements of arrays one by one."""
        reply = self.decode(payload, at).reply
        values = dict(zip((name for name, _ in self.fields), reply, strict=True))
        mask = values[self.mask] if self.mask is not None else -1
        result: list[Span] = []
        for name, part in self._present(mask if mask is not None else 0):
            if values[name] is None:
                break
            for span in _spans(name, part, values[name], payload, at, self.order):
                result.append(span)
                at += span.width
        return result

    def _present(self, mask: int) -> Iterator[tuple[str, Part]]:
        return ((name, part) for name, part in self.fields if part.bit is None or mask >> part.bit & 1)

    def _compile(self, mask: int) -> tuple["_Step", ...]:
        steps: list[_Step] = []
        run: list[tuple[str, Number]] = []
        for name, part in self._present(mask):
            if isinstance(part, Number):
                run.append((name, part))
                continue
            if run:
                steps.append(_Run(run, self.order))
                run = []
            steps.append(_step(name, part, self.order))
        if run:
            steps.append(_Run(run, self.order))
        return tuple(steps)


def _mask_width(fields: tuple[tuple[str, Part], ...]) -> int:
    part = fields[0][1]
    if not isinstance(part, Number) or part.width != 4:
        raise LayoutError("a mask is a number of 4 bytes and comes first")
    return 4


def _fields_of(kind: type[Any]) -> Iterator[tuple[str, Part]]:
    for name, hint in kind.__annotations__.items():
        parts: tuple[Part, ...] = getattr(hint, "__metadata__", ())
        if len(parts) != 1:
            raise LayoutError(f"{kind.__name__}.{name} does not say how it is encoded")
        yield name, parts[0]


class _Step:
    """Decodes one piece of a message: puts values by name, names what is missing, returns where it ended."""

    __slots__ = ("names",)

    def __init__(self, *names: str) -> None:
        self.names = names

    def decode(self, payload: bytes, at: int, values: dict[str, Any], missing: list[str]) -> int:
        raise NotImplementedError


class _Run(_Step):
    """Numbers one after the other, read by one struct."""

    __slots__ = ("decode_all", "fields", "order", "size")

    def __init__(self, fields: list[tuple[str, Number]], order: str) -> None:
        super().__init__(*(name for name, _ in fields))
        self.fields = fields
        self.order = order
        parts = [part for _, part in fields]
        self.size = sum(part.width for part in parts)
        self.decode_all = _converter(parts, order)

    def decode(self, payload: bytes, at: int, values: dict[str, Any], missing: list[str]) -> int:
        if len(payload) - at >= self.size:
            values.update(zip(self.names, self.decode_all(payload, at), strict=True))
            return at + self.size
        for index, (name, part) in enumerate(self.fields):
            if len(payload) - at < part.width:
                missing.extend(self.names[index:])
                break
            values[name] = part.value(struct.unpack_from(self.order + part.code, payload, at)[0])
            at += part.width
        return at


def _converter(parts: list[Number], order: str) -> Callable[[bytes, int], tuple[Any, ...]]:
    """Build a function that reads all numbers of a run at once and returns their values.

    It is compiled from text made of numbers only, because a loop over the fields costs several times as much.
    """
    unpacked, scaled = _unpacked_and_scaled(parts)
    source = f"def convert(data, at):\n    {unpacked} = unpack(data, at)\n    return ({scaled})\n"
    convert: Callable[[bytes, int], tuple[Any, ...]] = _compiled(source, "convert", parts, order)
    return convert


def _exact_decoder[T](parts: list[Number], order: str, kind: type[T], otherwise: Decode[T]) -> Decode[T]:
    """Build the decoder of a message that is one run of numbers; another length is left to `otherwise`."""
    unpacked, scaled = _unpacked_and_scaled(parts)
    source = (
        "def decode(payload, at=1):\n"
        f"    if len(payload) - at != {sum(part.width for part in parts)}:\n"
        "        return otherwise(payload, at)\n"
        f"    {unpacked} = unpack(payload, at)\n"
        f"    return new(Decoded, (new(kind, ({scaled})), (), 0))\n"
    )
    decode: Decode[T] = _compiled(
        source, "decode", parts, order, new=_new_tuple, kind=kind, Decoded=Decoded, otherwise=otherwise
    )
    return decode


def _unpacked_and_scaled(parts: list[Number]) -> tuple[str, str]:
    """Return the text of the variables for the raw numbers, and that of their values."""
    names = [f"v{index}" for index in range(len(parts))]
    scaled = (_scaled(name, part.scale) for name, part in zip(names, parts, strict=True))
    return "".join(f"{name}, " for name in names), "".join(f"{value}, " for value in scaled)


def _compiled(source: str, name: str, parts: list[Number], order: str, **scope: Any) -> Any:
    scope["unpack"] = struct.Struct(order + "".join(part.code for part in parts)).unpack_from
    exec(source, scope)  # noqa: S102 - the text holds nothing but names and numbers made here
    return scope[name]


def _scaled(name: str, scale: float) -> str:
    if scale == 1:
        return name
    operation, factor = ("/", scale) if scale > 1 else ("*", round(1 / scale))
    return f"{name} {operation} {float(factor)!r}"


class _ArrayStep(_Step):
    __slots__ = ("name", "order", "part")

    def __init__(self, name: str, part: Array, order: str) -> None:
        super().__init__(name)
        self.name, self.part, self.order = name, part, order

    def decode(self, payload: bytes, at: int, values: dict[str, Any], missing: list[str]) -> int:
        item = self.part.item
        count = values[self.part.counted_by]
        there = min(int(count), (len(payload) - at) // item.width)
        raw = _array_struct(self.order, item.code, there).unpack_from(payload, at)
        values[self.name] = _scale_all(raw, item.scale)
        if there < count:
            missing.append(f"{self.name}[{there}..{count - 1}]")
        return at + there * item.width


def _scale_all(raw: tuple[float, ...], scale: float) -> tuple[float, ...]:
    if scale == 1:
        return raw
    if scale > 1:
        return tuple([number / scale for number in raw])
    factor = round(1 / scale)
    return tuple([number * factor for number in raw])


@lru_cache(maxsize=512)
def _array_struct(order: str, code: str, count: int) -> struct.Struct:
    return struct.Struct(f"{order}{count}{code}")


class _TextStep(_Step):
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def decode(self, payload: bytes, at: int, values: dict[str, Any], missing: list[str]) -> int:
        if at >= len(payload):
            missing.append(self.name)
            return at
        end = payload.find(b"\0", at)
        if end < 0:
            missing.append(f"{self.name}'s final NUL")
            end = len(payload)
        values[self.name] = payload[at:end].decode("utf-8", "backslashreplace")
        return min(end + 1, len(payload))


class _HexStep(_Step):
    __slots__ = ("name", "width")

    def __init__(self, name: str, width: int) -> None:
        super().__init__(name)
        self.name, self.width = name, width

    def decode(self, payload: bytes, at: int, values: dict[str, Any], missing: list[str]) -> int:
        if len(payload) - at < self.width:
            missing.append(self.name)
            return at
        values[self.name] = payload[at : at + self.width].hex()
        return at + self.width


class _RestStep(_Step):
    __slots__ = ("form", "name")

    def __init__(self, name: str, form: str) -> None:
        super().__init__(name)
        self.name, self.form = name, form

    def decode(self, payload: bytes, at: int, values: dict[str, Any], missing: list[str]) -> int:  # noqa: ARG002
        left = payload[at:]
        if self.form == "text":
            values[self.name] = left.rstrip(b"\0").decode("utf-8", "backslashreplace")
        else:
            values[self.name] = tuple(left) if self.form == "numbers" else left
        return max(at, len(payload))


def _step(name: str, part: Part, order: str) -> _Step:
    match part:
        case Array():
            return _ArrayStep(name, part, order)
        case CString():
            return _TextStep(name)
        case Hex(width):
            return _HexStep(name, width)
        case Rest(form):
            return _RestStep(name, form)
        case Number():
            return _Run([(name, part)], order)


def _encode(part: Part, value: Any, order: str) -> bytes:
    match part:
        case Number(code):
            return struct.pack(order + code, part.raw(value))
        case Array(item):
            return struct.pack(f"{order}{len(value)}{item.code}", *map(item.raw, value))
        case CString():
            return str(value).encode() + b"\0"
        case Hex():
            return bytes.fromhex(value)
        case Rest(form):
            return value.encode() if form == "text" else bytes(value)


def _spans(name: str, part: Part, value: Any, payload: bytes, at: int, order: str) -> Iterator[Span]:
    match part:
        case Number():
            yield _number_span(name, part, payload, at, order)
        case Array(item):
            for index in range(len(value)):
                yield _number_span(f"{name}[{index}]", item, payload, at + index * item.width, order)
        case CString():
            end = payload.find(b"\0", at)
            yield Span(name, at, (end + 1 if end >= 0 else len(payload)) - at, None, value)
        case Hex(width):
            yield Span(name, at, width, None, value)
        case Rest():
            yield Span(name, at, len(payload) - at, None, value)


def _number_span(name: str, part: Number, payload: bytes, at: int, order: str) -> Span:
    field = payload[at : at + part.width]
    raw = int.from_bytes(field, "big" if order == ">" else "little", signed=part.code in "bhiq")
    return Span(name, at, part.width, raw, part.value(struct.unpack(order + part.code, field)[0]))
