"""Layouts written as NamedTuples: the annotations of a message type say how each field is encoded.

    class Reading(NamedTuple):
        voltage: Annotated[float | None, i32(1e6)] = None
        cell_count: Annotated[int | None, u8()] = None
        cells: Annotated[tuple[float, ...] | None, array(i16(1e3), "cell_count")] = None
        status: Annotated[str | None, cstring()] = None

    reading, missing, left_over = Layout(Reading).decode(payload, at=1)

This is another way to write `packwire.wire.fields`; the engine is `packwire.wire.codec`. Every field may be
None: it was not in the message. A layout with a mask holds only the fields whose bit is set.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, NamedTuple, Protocol

from packwire.wire.codec import Codec, Span, compiled, unpacked_and_scaled
from packwire.wire.fields import Field, FieldCondition, FieldError, Operator, Order, Type

_new_tuple = tuple.__new__  # a NamedTuple's own constructor costs twice as much


class LayoutPart(NamedTuple):
    """How one field is encoded, and which bit of the layout's mask says that it is there."""

    field: Field
    bit: int | None = None


@cache
def _number(kind: Type, width: int, scale: float, bit: int | None) -> LayoutPart:
    """`scale` is what a firmware multiplies by when it writes, so a value is the raw number divided by it."""
    return LayoutPart(Field(type=kind, width=width, scale=1 / scale), bit)


def u8(scale: float = 1, bit: int | None = None) -> LayoutPart:
    """Return an unsigned 8-bit field."""
    return _number(Type.UINT, 1, scale, bit)


def u16(scale: float = 1, bit: int | None = None) -> LayoutPart:
    """Return an unsigned 16-bit field."""
    return _number(Type.UINT, 2, scale, bit)


def i16(scale: float = 1, bit: int | None = None) -> LayoutPart:
    """Return a signed 16-bit field."""
    return _number(Type.INT, 2, scale, bit)


def u32(scale: float = 1, bit: int | None = None) -> LayoutPart:
    """Return an unsigned 32-bit field."""
    return _number(Type.UINT, 4, scale, bit)


def i32(scale: float = 1, bit: int | None = None) -> LayoutPart:
    """Return a signed 32-bit field."""
    return _number(Type.INT, 4, scale, bit)


def f32(bit: int | None = None) -> LayoutPart:
    """Return an IEEE-754 single, which is what VESC's float32_auto is on the wire."""
    return _number(Type.FLOAT, 4, 1, bit)


def array(item: LayoutPart, counted_by: str, bit: int | None = None) -> LayoutPart:
    """Return an array field whose length the field named `counted_by` holds."""
    return LayoutPart(replace(item.field, count=counted_by), bit)


def cstring(bit: int | None = None) -> LayoutPart:
    """Return a NUL-terminated text field."""
    return LayoutPart(Field(type=Type.CSTRING, width=None), bit)


def hex_bytes(width: int, bit: int | None = None) -> LayoutPart:
    """Return a field of `width` bytes, shown as hexadecimal digits."""
    return LayoutPart(Field(type=Type.HEX, width=width), bit)


def rest(form: str = "bytes") -> LayoutPart:
    """Return a field that takes all that is left: `text`, `bytes` or `numbers`."""
    return LayoutPart(Field(type=Type(form), width=None))


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

    `mask` names a field of 4 bytes that comes first and whose bits say which of the others follow.
    """

    def __init__(self, kind: type[T], *, order: Order = "big", mask: str | None = None) -> None:
        self.kind = kind
        self.mask = mask
        self._order: Order = order
        parts = dict(_parts_of(kind))
        if mask is not None and (mask != next(iter(parts)) or parts[mask].field.width != _MASK_WIDTH):
            raise FieldError("a mask is a number of 4 bytes and comes first")
        self.bits = {name: part.bit for name, part in parts.items()}
        """The mask's bit of each field; None where it has none."""
        self._parts = parts
        self.decode: Decode[T] = self._first_decode
        """Decode the fields that begin at byte `at` (behind the command id); never raises."""

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Return its fields."""
        return tuple(_named(name, part, self.mask) for name, part in self._parts.items())

    @cached_property
    def codec(self) -> Codec:
        """Return what decodes and encodes them; of most layouts, a program needs none."""
        return Codec(self.fields, self._order)

    def _first_decode(self, payload: bytes, at: int = 1) -> Decoded[T]:
        """Compile the hot path of a layout that is one run of numbers, such as GET_VALUES, and take it."""
        numbers = all(field.fixed and field.code and field.type.numeric for field in self.fields)
        self.decode = self._exact_decoder() if numbers else self._decode_as_far_as_it_goes
        return self.decode(payload, at)

    def _exact_decoder(self) -> Decode[T]:
        """Build the decoder of one run of numbers; a message of another length goes the long way.

        Its figure is `benchmarks/decoding.py`: GET_VALUES beside PyVESC.
        """
        unpacked, scaled = unpacked_and_scaled(list(self.fields))
        source = (
            "def decode(payload, at=1):\n"
            f"    if len(payload) - at != {sum(field.width or 0 for field in self.fields)}:\n"
            "        return otherwise(payload, at)\n"
            f"    {unpacked} = unpack(payload, at)\n"
            f"    return new(Decoded, (new(kind, ({scaled})), (), 0))\n"
        )
        scope = {"kind": self.kind, "Decoded": Decoded, "otherwise": self._decode_as_far_as_it_goes}
        decode: Decode[T] = compiled(
            source, "decode", list(self.fields), self.codec.order, new=_new_tuple, **scope
        )
        return decode

    def _decode_as_far_as_it_goes(self, payload: bytes, at: int = 1) -> Decoded[T]:
        values, missing, left_over = self.codec.decode(payload, at)
        reply = _new_tuple(self.kind, map(values.get, self.codec.names))
        return _new_tuple(Decoded, (reply, missing, left_over))

    def encode(self, reply: T) -> bytes:
        """Encode a message; it ends before the first field that is None (as an older firmware's would).

        Counts are taken from their arrays. With a mask, the fields whose bits are not set are left out.
        """
        values = dict(zip(self.codec.names, reply, strict=True))
        for field in self.fields:
            # float32_auto has no denormal numbers: tiny values become 0 [buffer.c].
            if field.type is Type.FLOAT and values[field.name] and abs(values[field.name]) < _LEAST_FLOAT:
                values[field.name] = 0.0
        return self.codec.encode(values)

    def spans(self, payload: bytes, at: int = 1) -> list[Span]:
        """Return every field with its place, its raw integer and its value; elements of arrays one by one."""
        return self.codec.spans(payload, at)


_MASK_WIDTH = 4
_LEAST_FLOAT = 1.5e-38


def _parts_of(kind: type[Any]) -> Iterator[tuple[str, LayoutPart]]:
    for name, hint in kind.__annotations__.items():
        parts: tuple[LayoutPart, ...] = getattr(hint, "__metadata__", ())
        if len(parts) != 1:
            raise FieldError(f"{kind.__name__}.{name} does not say how it is encoded")
        yield name, parts[0]


def _named(name: str, part: LayoutPart, mask: str | None) -> Field:
    if mask is None or part.bit is None:
        return replace(part.field, name=name)
    return replace(part.field, name=name, when=(FieldCondition(mask, Operator.BIT, part.bit),))
