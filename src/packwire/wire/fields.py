"""Fields: where each value of a message lies and what its bits mean, as data.

A tuple of fields is a layout. `packwire.wire.codec` decodes and encodes one message with it and says where
everything lies, `packwire.wire.matrix` decodes thousands of messages of one length at once. A VESC reply
(`packwire.wire.layout`) and a model of a BMS give the same fields.
"""

import math
import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Literal

type ByteOrder = Literal["big", "little"]
#: `low word first`: 16-bit words, each with its high byte first, the lowest word first (usual in Modbus).
type Order = Literal["big", "little", "low word first"]


def in_order(item: bytes, order: Order) -> bytes:
    """Return the bytes of a number with the highest first; those of a number so ordered give `item` back."""
    if order != "low word first":
        return item if order == "big" else item[::-1]
    return b"".join(item[at : at + 2] for at in range(len(item) - 2, -1, -2))


class FieldError(ValueError):
    """Fields make no sense together, or values do not fit them."""


class Type(StrEnum):
    """What the bytes of a field are."""

    UINT = "unsigned"
    INT = "signed"
    """Two's complement."""
    SIGN_MAGNITUDE = "sign and magnitude"
    """The highest bit is the sign, the others are the magnitude."""
    FLOAT = "float"
    """IEEE 754, 4 or 8 bytes."""
    BCD = "bcd"
    """Binary-coded decimal, two digits a byte; other digits than 0 to 9 are no value."""
    DECIMAL = "decimal"
    """ASCII digits; what follows the last of them is left out, and where there is none it is no value."""
    HEXADECIMAL = "hexadecimal"
    """A number in hexadecimal ASCII digits; in columns alone."""
    TEXT = "text"
    """UTF-8; NULs at its end are left out."""
    CSTRING = "nul-terminated text"
    HEX = "hex"
    """Bytes that are shown as hexadecimal digits, such as a UUID."""
    BYTES = "bytes"
    NUMBERS = "numbers"
    """All that is left, one number a byte."""

    @property
    def numeric(self) -> bool:
        """Tell whether the field holds a number, which may have a scale, bits, names and flags."""
        return self in _NUMERIC


_NUMERIC = frozenset(Type) - {Type.TEXT, Type.CSTRING, Type.HEX, Type.BYTES, Type.NUMBERS}
_CODES = {
    (Type.UINT, 1): "B",
    (Type.UINT, 2): "H",
    (Type.UINT, 4): "I",
    (Type.UINT, 8): "Q",
    (Type.INT, 1): "b",
    (Type.INT, 2): "h",
    (Type.INT, 4): "i",
    (Type.INT, 8): "q",
    (Type.FLOAT, 4): "f",
    (Type.FLOAT, 8): "d",
}


class Operator(Enum):
    """How a condition compares an earlier field's raw number with its own."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    BIT = "has bit"
    NO_BIT = "lacks bit"


@dataclass(frozen=True, slots=True)
class FieldCondition:
    """A field is there only where the raw number of an earlier field compares so with `number`."""

    field: str
    comparison: Operator
    number: int

    def holds(self, raw: Any) -> Any:
        """Tell whether it holds; `raw` is a number, or an array of them (then an array comes back)."""
        return _COMPARES[self.comparison](raw, self.number)


_COMPARES: dict[Operator, Callable[[Any, int], Any]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.BIT: lambda raw, bit: (raw >> bit & 1) == 1,
    Operator.NO_BIT: lambda raw, bit: (raw >> bit & 1) == 0,
}


#: `Field.count`: as many as there is room for up to the end of the message.
TO_THE_END = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a message.

    Its place is `at` (from the start of what is decoded; negative: from its end); where that is None, it
    begins behind the field named `after`, or behind the one before it. `key` is for texts of keys and values
    (VE.Direct) instead, `column` (from 0) for lines of values that something divides. `width` is in bytes, of
    one item where there are several; None goes to the NUL or to the end. `count` is a number of items, the
    name of an earlier field that holds it (of which `counts` are one item), or `TO_THE_END`; items are
    `stride` bytes apart (None: `width`), and at most `most` of them are read.

    A number's value is `raw * scale + addend`, of the `bits` (lowest, how many) where not all of them count;
    with `ones`, the raw number is how many of its bits are set. `names` turns raw numbers into words, truth
    values or other numbers, `flags` turns bits into a tuple of words, `each_bit` (how many, or the field that
    says it) into a tuple of truth values, and the raw numbers in `unknown` stand for no value. The value is
    negative where `negative` holds. `when` lists what must hold for the field to be there. `quantity` is the
    key of what is measured; `secret` bytes are never shown.

    A condition or a count may ask for a number of another message, if who decodes knows it: such names hold
    a dot.
    """

    name: str = ""
    type: Type = Type.UINT
    width: int | None = 1
    order: Order | None = None
    at: int | None = None
    after: str | None = None
    key: str | None = None
    column: int | None = None
    bits: tuple[int, int] | None = None
    scale: float = 1
    addend: float = 0
    ones: bool = False
    names: tuple[tuple[int, str | float], ...] = ()
    flags: tuple[tuple[int, str], ...] = ()
    each_bit: int | str | None = None
    unknown: tuple[int, ...] = ()
    count: int | str | None = None
    counts: int = 1
    stride: int | None = None
    most: int | None = None
    when: tuple[FieldCondition, ...] = ()
    negative: tuple[FieldCondition, ...] = ()
    quantity: str = ""
    secret: bool = False

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise FieldError(f"{self.name or 'a field'}: {problem}")

    def _problem(self) -> str:
        if self.width is not None and self.width < 1:
            return "the width is at least 1"
        if isinstance(self.count, int) and self.count < TO_THE_END:
            return "the count is at least 0"
        if self.stride is not None and self.width is not None and self.stride < self.width:
            return "the stride is at least the width"
        return self._problem_of_number() if self.type.numeric else self._problem_of_text()

    def _problem_of_number(self) -> str:
        if self.key is not None:
            return self._problem_of_key()
        if self.column is not None:
            return self._problem_of_scale()
        if self.type is Type.HEXADECIMAL:
            return "hexadecimal digits stand in columns: say which"
        widest = _MAX_DIGITS if self.type is Type.DECIMAL else _MAX_WIDTH
        if self.width is None or self.width > widest:
            return f"a number is 1 to {widest} bytes wide"
        if self.type is Type.FLOAT and self.width not in {4, 8}:
            return "a float is 4 or 8 bytes wide"
        if self.bits:
            lowest, many = self.bits
            if self.type in {Type.FLOAT, Type.BCD, Type.DECIMAL}:
                return f"bits cannot be taken from {self.type}"
            if lowest < 0 or many < 1 or lowest + many > 8 * self.width:
                return f"bits {lowest} to {lowest + many - 1} do not lie in {self.width} bytes"
        return self._problem_of_bits() or self._problem_of_scale()

    def _problem_of_key(self) -> str:
        if self.type is not Type.DECIMAL:
            return "what stands behind a key is a decimal or a text"
        if self.bits or self.ones or self.count is not None or self.each_bit is not None:
            return "what stands behind a key is one number"
        return self._problem_of_scale()

    def _problem_of_bits(self) -> str:
        width = self.width or 0
        if self.order == "low word first" and width % 2:
            return "a number with its low word first is 2, 4, 6 or 8 bytes wide"
        if (self.ones or self.each_bit is not None) and self.type is not Type.UINT:
            return "single bits are those of an unsigned number"
        if isinstance(self.each_bit, int) and not 0 < self.each_bit <= 8 * width:
            return f"there are {8 * width} bits in {width} bytes"
        if self.each_bit is not None and (self.names or self.flags or self.count is not None):
            return "each_bit goes without names, flags and count"
        return ""

    def _problem_of_scale(self) -> str:
        if not self.scale or not math.isfinite(self.scale) or not math.isfinite(self.addend):
            return "the scale is a number other than 0, and the addend a number"
        return ""

    def _problem_of_text(self) -> str:
        if self.count is not None:
            return "only numbers are counted"
        if self.scale != 1 or self.addend or self.bits or self.names or self.flags or self.unknown:
            return "scale, addend, bits, names, flags and unknown are for numbers"
        return ""

    @property
    def code(self) -> str | None:
        """Return the struct code of one item; None where struct has none for it."""
        if self.bits or self.ones or self.width is None or self.order == "low word first":
            return None
        return _CODES.get((self.type, self.width))

    @property
    def step(self) -> int:
        """Return the bytes from one item to the next."""
        return self.stride or self.width or 0

    @property
    def fixed(self) -> bool:
        """Tell whether it is one number at its place, whatever the message says."""
        return self.type.numeric and self.count is None and not self.when

    @property
    def plain(self) -> bool:
        """Tell whether its value is the raw number with a scale and an addend, and nothing else."""
        return not (self.names or self.flags or self.unknown or self.negative or self.each_bit is not None)

    def raw_in(self, data: bytes, at: int, order: Order) -> float | None:
        """Return the raw number at a place that lies inside `data`; None for BCD that is none."""
        width = self.width or 0
        item = data[at : at + width]
        order = self.order or order
        if self.type is Type.FLOAT:
            return float(struct.unpack(">f" if width == 4 else ">d", in_order(item, order))[0])
        if self.type is Type.BCD:
            digits = in_order(item, order).hex()
            return int(digits) if digits.isdecimal() else None
        if self.type is Type.DECIMAL:
            return _leading_number(item)
        number = int.from_bytes(in_order(item, order), signed=self.type is Type.INT and not self.bits)
        bits = 8 * width
        if self.bits:
            lowest, bits = self.bits
            number = number >> lowest & (1 << bits) - 1
            if self.type is Type.INT and number >> bits - 1:
                number -= 1 << bits
        if self.type is Type.SIGN_MAGNITUDE and number >> bits - 1:
            number = -(number & (1 << bits - 1) - 1)
        return number.bit_count() if self.ones else number

    def value(self, raw: float | None) -> Any:
        """Return what a raw number stands for; None where that is no value."""
        if raw is None or raw in self.unknown:
            return None
        if self.names:
            return dict(self.names).get(int(raw), self.scaled(raw))
        if self.flags:
            return words_of(self.flags, int(raw))
        return self.scaled(raw)

    def scaled(self, raw: Any) -> Any:
        """Return `raw * scale + addend`, as exactly as floats allow; `raw` is a number or an array."""
        before, factor, divisor, behind = self.steps()
        value = raw + before if before else raw
        value = value / divisor if divisor else value * factor if factor != 1 else value
        return value + behind if behind else value

    def steps(self) -> tuple[int, float, float, float]:
        """Return `before, factor, divisor, behind`: add, then multiply or (if not 0) divide, then add.

        Dividing by 1000 gives the decimal number that was meant, multiplying by 0.001 a neighbour of it;
        likewise 2981 - 2731 is divided by 10 after the subtraction.
        """
        shift = self.addend / self.scale
        whole = round(shift) if abs(shift) < 2**53 else 0
        exact = abs(shift - whole) <= 1e-9 * max(1.0, abs(shift))
        before, behind = (whole, 0.0) if exact else (0, self.addend)
        inverse = 1 / self.scale
        divisor = round(inverse)
        if abs(self.scale) < 1 and abs(inverse - divisor) <= 1e-9 * abs(inverse):
            return before, 1, float(divisor), behind
        return before, 1 if self.scale == 1 else float(self.scale), 0.0, behind

    def raw(self, value: Any) -> float:
        """Return the raw number of a value, truncated towards zero as firmware does, and held in range.

        Raises FieldError for a word that is no name or flag of this field.
        """
        if value is None and self.unknown:
            return self.unknown[0]
        if self.names and not (isinstance(value, int | float) and value not in dict(self.names).values()):
            return _number_of(self, value)
        if self.flags:
            return sum(1 << _bit_of(self, word) for word in value)
        if self.each_bit is not None:
            return sum(1 << bit for bit, on in enumerate(value) if on)
        before, factor, divisor, behind = self.steps()
        scaled = (value - behind) * divisor if divisor else (value - behind) / factor
        scaled -= before
        if self.type is Type.FLOAT:
            return float(scaled)
        # A value that was decoded from a raw number must give that number back, though the division by the
        # scale left it a hair below.
        nearest = round(scaled)
        number = nearest if abs(scaled - nearest) <= 1e-9 * max(1.0, abs(scaled)) else int(scaled)
        low, high = self.limits()
        return min(max(number, low), high)

    def limits(self) -> tuple[int, int]:
        """Return the lowest and the highest raw integer."""
        width = self.width or 0
        bits = self.bits[1] if self.bits else 8 * width
        if self.type is Type.BCD:
            return 0, 10 ** (2 * width) - 1
        if self.key is not None or self.column is not None:
            return (0, (1 << bits) - 1) if self.bits else (-(1 << 63), (1 << 64) - 1)
        if self.type is Type.DECIMAL:
            return 0, 10**width - 1
        if self.ones:
            return 0, bits
        if self.type is Type.UINT:
            return 0, (1 << bits) - 1
        return -(1 << bits - 1) + (self.type is Type.SIGN_MAGNITUDE), (1 << bits - 1) - 1

    def bytes_of(self, raw: float, order: Order, before: bytes) -> bytes:
        """Return the bytes of a raw number; where only some bits count, the others are those of `before`."""
        width = self.width or 0
        order = self.order or order
        if self.type is Type.FLOAT:
            return in_order(struct.pack(">f" if width == 4 else ">d", raw), order)
        number = (1 << int(raw)) - 1 if self.ones else int(raw)
        if self.type is Type.BCD:
            return in_order(bytes.fromhex(f"{number:0{2 * width}d}"), order)
        if self.type is Type.DECIMAL:
            return str(number).encode().ljust(width, b"\0")
        bits = self.bits[1] if self.bits else 8 * width
        if self.type is Type.SIGN_MAGNITUDE and number < 0:
            number = -number | 1 << bits - 1
        number &= (1 << bits) - 1
        if self.bits:
            mask = (1 << bits) - 1 << self.bits[0]
            number = int.from_bytes(in_order(before, order)) & ~mask | number << self.bits[0]
        return in_order(number.to_bytes(width), order)


_MAX_WIDTH, _MAX_DIGITS = 8, 20


def _leading_number(text: bytes) -> int | None:
    many = next((at for at, byte in enumerate(text) if not 0x30 <= byte <= 0x39), len(text))
    return int(text[:many]) if many else None


def words_of(flags: tuple[tuple[int, str], ...], raw: int) -> tuple[str, ...]:
    """Return the words of the bits that are set; a bit without one is named by its number."""
    named = dict(flags) if raw else {}
    return tuple(named.get(bit, f"bit {bit}") for bit in range(raw.bit_length()) if raw >> bit & 1)


def _number_of(field: Field, value: Any) -> int:
    for number, name in field.names:
        if name == value and type(name) is type(value):
            return number
    raise FieldError(f"{field.name} is never {value!r}")


def _bit_of(field: Field, word: str) -> int:
    for bit, name in field.flags:
        if name == word:
            return bit
    if word.startswith("bit ") and word[4:].isdecimal():
        return int(word[4:])
    raise FieldError(f"{field.name} has no flag {word!r}")
