"""Python, as a module that needs nothing of packwire."""

from typing import Final, override

from packwire.export.language import ProgramLanguage
from packwire.wire.fields import Field, Order, Type

#: Functions that a module has where something in it calls them.
HELPERS: Final = {
    "_ordered": '''
def _ordered(data: bytes, at: int, width: int) -> bytes:
    """Return 16-bit words of which the lowest comes first, the highest byte first."""
    return b"".join(data[at + width - 2 - step : at + width - step] for step in range(0, width, 2))
''',
    "_magnitude": '''
def _magnitude(number: int, bits: int) -> int:
    """Return a number of which the highest bit is the sign."""
    rest = number & ((1 << bits - 1) - 1)
    return -rest if number >> bits - 1 else rest
''',
    "_signed": '''
def _signed(number: int, bits: int) -> int:
    """Return a number in two's complement."""
    return number - (1 << bits) if number >> bits - 1 else number
''',
    "_digits": '''
def _digits(data: bytes, at: int, width: int) -> int:
    """Return what hexadecimal digits write; -1 where they are none."""
    written = bytes(data[at : at + width])
    return int(written, 16) if written.isalnum() and not written.lower().strip(b"0123456789abcdef") else -1
''',
    "_bcd": '''
def _bcd(data: bytes) -> int | None:
    """Return a binary-coded decimal number; None where digits are none."""
    digits = data.hex()
    return int(digits) if digits.isdecimal() else None
''',
    "_decimal": '''
def _decimal(data: bytes) -> int | None:
    """Return the decimal number at the beginning; None where there is none."""
    rest = data.lstrip(b"0123456789")
    return int(data[: len(data) - len(rest)]) if len(rest) < len(data) else None
''',
    "_unhex": '''
def _unhex(data: bytes, begin: int) -> bytes:
    """Return a frame with the bytes that its digits stand for."""
    try:
        return data[:begin] + bytes.fromhex(data[begin:].decode("ascii"))
    except ValueError:
        return b""
''',
}
_UNPACK: Final = {4: "f", 8: "d"}


class Python(ProgramLanguage):
    """Python 3.12 and later: bytes lie in bytes."""

    comment = "#"
    and_, or_ = " and ", " or "
    closing, empty, scope, blank = "", "pass", "", 2

    when = "if {}:".format
    each = "for {} in range({}):".format
    let = "{} = {}".format
    number = "{}: float = {}".format
    set = "{} = {}".format
    give = "return {}".format
    byte = "data[{}]".format
    bit = "(int({}) >> {} & 1)".format
    xor = "({}) ^ ({})".format
    common = "{} & {}".format
    function = "def _{}(data: bytes, size: int, at: int) -> int:".format
    checks = "def _{}(data: bytes, begin: int, behind: int) -> int:".format
    least = "min({}, {})".format
    negated = "not ({})".format
    whole = "max(0, int({}))".format
    divided = "({}) // {}".format
    digits = "_digits(data, {}, {})".format
    no_number = "{} is None".format
    called = "_{}".format

    @override
    def take(self, field: Field, value: str) -> str:
        return f"raw = {value}"

    @override
    def same(self, at: str, data: bytes) -> str:
        if len(data) == 1:
            return f"data[{at}] == {data[0]}"
        return f"data[{_slice(at, len(data))}] == {data!r}"

    @override
    def unsigned(self, at: str, width: int, order: Order) -> str:
        if width == 1:
            return f"data[{at}]"
        if order == "low word first":
            return f"int.from_bytes(_ordered(data, {at}, {width}))"
        return f'int.from_bytes(data[{_slice(at, width)}], "{order}")'

    @override
    def find(self, at: str, data: bytes) -> str:
        return f"data.find({data!r}, {at})"

    @override
    def raw(self, field: Field, order: Order, at: str) -> str:
        width, order = field.width or 0, field.order or order
        item = f"data[{_slice(at, width)}]"
        highest_first = item if order == "big" else f"{item}[::-1]"
        if order == "low word first":
            highest_first = f"_ordered(data, {at}, {width})"
        match field.type:
            case Type.FLOAT:
                return f'struct.unpack(">{_UNPACK[width]}", {highest_first})[0]'
            case Type.BCD:
                return f"_bcd({highest_first})"
            case Type.DECIMAL:
                return f"_decimal({item})"
        if field.type is Type.INT and not field.bits:
            return f"int.from_bytes({highest_first}, signed=True)"
        number, many = self.unsigned(at, width, order), 8 * width
        if field.bits:
            low, many = field.bits
            number = f"{number} >> {low} & {(1 << many) - 1}" if low else f"{number} & {(1 << many) - 1}"
        if field.type is Type.INT:
            number = f"_signed({number}, {many})"
        if field.type is Type.SIGN_MAGNITUDE:
            number = f"_magnitude({number}, {many})"
        return f"({number}).bit_count()" if field.ones else number


def _slice(at: str, width: int) -> str:
    return f"{at}:{int(at) + width}" if at.isdecimal() else f"{at} : {at} + {width}"


def used(body: str) -> list[str]:
    """Return the helpers that a module calls."""
    return [text.strip("\n") for name, text in HELPERS.items() if f"{name}(" in body]
