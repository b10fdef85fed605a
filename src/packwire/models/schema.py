"""A model file: the protocol of a BMS as data, and what may stand where.

The parts that lie in a frame are the fields of `packwire.wire.fields`; a pydantic class here says how each is
written in YAML, and builds it. An error names the place in the file and what is allowed there.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from packwire.models.family import read_hex
from packwire.models.recognition import Pattern, read_uuid
from packwire.protocol.base import Gatt, RequestKind, WriteType
from packwire.wire import fields

#: The schema that this packwire reads.
VERSION = 1

_NAME = r"^[a-z][a-z0-9_]{0,63}$"
_TYPE = r"^(u|i|sm|bcd|f)(8|16|24|32|40|48|56|64)$"
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
}


def _byte(digits: str) -> int:
    if len(digits) != 2:
        raise ValueError(f"{digits[:40]!r} is no byte: write two digits, or ??")
    return int(digits, 16)


def _pattern(text: object) -> object:
    """Read bytes of which some may be anything: `dd 03 ??`."""
    text = f"{text:02d}" if isinstance(text, int) and not isinstance(text, bool) else text
    if not isinstance(text, str):
        raise ValueError("the beginning of a frame is written as 'dd 03 ??'")  # noqa: TRY004
    return tuple(None if digits == "??" else _byte(digits) for digits in text.split())


type HexBytes = Annotated[bytes, BeforeValidator(read_hex)]
type Uuid = Annotated[str, BeforeValidator(read_uuid)]
type Beginning = Annotated[
    tuple[int | None, ...], BeforeValidator(_pattern), Field(min_length=1, max_length=64)
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(_Part):
    """`when: {field: version, at_least: 2}`."""

    field: str
    is_: int | None = Field(default=None, alias="is")
    is_not: int | None = None
    less_than: int | None = None
    at_most: int | None = None
    more_than: int | None = None
    at_least: int | None = None
    has_bit: Annotated[int, Field(ge=0, le=63)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Condition":
        if len(list(self._said())) != 1:
            raise ValueError(f"a condition says one of {', '.join(_COMPARISONS)}")
        return self

    def _said(self) -> list[tuple[str, int]]:
        values = {"is": self.is_, **{name: getattr(self, name) for name in _COMPARISONS if name != "is"}}
        return [(name, value) for name, value in values.items() if value is not None]

    def build(self) -> fields.FieldCondition:
        """Return it as the engine takes it."""
        ((name, number),) = self._said()
        return fields.FieldCondition(self.field, _COMPARISONS[name], number)


_COMPARISONS = {
    "is": fields.Operator.EQUAL,
    "is_not": fields.Operator.NOT_EQUAL,
    "less_than": fields.Operator.LESS,
    "at_most": fields.Operator.AT_MOST,
    "more_than": fields.Operator.MORE,
    "at_least": fields.Operator.AT_LEAST,
    "has_bit": fields.Operator.BIT,
}


class FieldOf(_Part):
    """One field of a reply; see `packwire.wire.fields.Field` for what each word means."""

    name: Annotated[str, Field(pattern=_NAME)]
    type: Annotated[str, Field(pattern=rf"{_TYPE}|^(text|cstring|hex|bytes)$")] = "u8"
    width: Annotated[int, Field(ge=1, le=4096)] | None = None
    order: fields.Order | None = None
    at: Annotated[int, Field(ge=-4096, le=4096)] | None = None
    after: str | None = None
    bits: Annotated[tuple[int, int], Field()] | None = None
    scale: float = 1
    addend: float = 0
    names: dict[int, str | bool] = {}
    flags: dict[int, str] = {}
    unknown: list[int] = []
    count: Annotated[int, Field(ge=0, le=1024)] | str | None = None
    """A number, the name of the field that holds it, or `to the end`."""
    stride: Annotated[int, Field(ge=1, le=1024)] | None = None
    most: Annotated[int, Field(ge=1, le=1024)] | None = None
    when: list[Condition] = []
    quantity: str = ""
    secret: bool = False

    def build(self) -> fields.Field:
        """Return it as the engine takes it. Raises FieldError."""
        kind, width = _type_of(self.type, self.width)
        return fields.Field(
            name=self.name,
            type=kind,
            width=width,
            order=self.order,
            at=self.at,
            after=self.after,
            bits=self.bits,
            scale=self.scale,
            addend=self.addend,
            names=tuple(self.names.items()),
            flags=tuple(self.flags.items()),
            unknown=tuple(self.unknown),
            count=fields.TO_THE_END if self.count == "to the end" else self.count,
            stride=self.stride,
            most=self.most,
            when=tuple(condition.build() for condition in self.when),
            quantity=self.quantity,
            secret=self.secret,
        )


def _type_of(text: str, width: int | None) -> tuple[fields.Type, int | None]:
    if text in _TEXTS:
        return _TEXTS[text], width
    letters = text.rstrip("0123456789")
    if width is not None:
        raise fields.FieldError(f"{text} says its width itself: leave out `width`")
    return _KINDS[letters], int(text.removeprefix(letters)) // 8


class ByteIs(_Part):
    """A rule holds only where byte `at` is one of `values`."""

    at: Annotated[int, Field(ge=0, le=64)]
    values: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=1, max_length=256)]


class SizeOf(_Part):
    """How long a whole frame is; see `packwire.wire.framing.Size`."""

    add: Annotated[int, Field(ge=-4096, le=4096)]
    at: Annotated[int, Field(ge=0, le=64)] | None = None
    width: Annotated[int, Field(ge=1, le=4)] = 1
    order: fields.Order = "big"
    digits: bool = False
    mask: Annotated[int, Field(ge=1, le=0xFFFFFFFF)] | None = None
    times: Annotated[int, Field(ge=1, le=8)] = 1
    multiple: Annotated[int, Field(ge=1, le=256)] = 1
    least: Annotated[int, Field(ge=0, le=4096)] = 0
    most: Annotated[int, Field(ge=1, le=1 << 16)] | None = None
    when: list[ByteIs] = []
    value: Annotated[int, Field(ge=0, le=64)] = 0


class ChecksumOf(_Part):
    """A checksum of the catalogue; `to` and `at` count from the frame's end where they are negative."""

    name: str
    from_: Annotated[int, Field(alias="from", ge=0, le=64)] = 0
    to: Annotated[int, Field(ge=-64, le=4096)]
    at: Annotated[int, Field(ge=-64, le=4096)]
    order: fields.Order = "big"
    digits: bool = False


class FramingOf(_Part):
    """One form of a protocol's frames."""

    start: HexBytes
    size: Annotated[list[SizeOf], Field(min_length=1, max_length=16)]
    checksum: ChecksumOf | None = None
    end: HexBytes = b""
    kind: Annotated[int, Field(ge=1, le=32)] = 1
    asks: Annotated[int, Field(ge=0, le=32)] = 0
    queries: ByteIs | None = None
    """How a request that only asks is told from one that writes."""


class SameOf(_Part):
    """`width` bytes at `reply` in a reply are those at `request` in its request (one: plus `plus`)."""

    request: Annotated[int, Field(ge=0, le=64)]
    reply: Annotated[int, Field(ge=0, le=64)]
    width: Annotated[int, Field(ge=1, le=64)] = 1
    plus: Annotated[int, Field(ge=0, le=255)] = 0


class AnswerOf(_Part):
    """One way in which a reply answers a request; see `packwire.wire.family.Answer`."""

    same: list[SameOf] = []
    request: list[ByteIs] = []
    reply: list[ByteIs] = []


class RequestOf(_Part):
    """A request: the frame that asks, and the reply that answers it."""

    send: HexBytes
    reply: str
    kind: RequestKind = RequestKind.READS
    every: Annotated[float, Field(ge=0, le=86_400)] = 0
    """Seconds between two of them while a device is watched; 0: with each reading."""


class ReplyOf(_Part):
    """A reply: how it begins, and its fields, whose places count from the start of the frame."""

    begins: Beginning
    fields: list[FieldOf] = []
    refuses: bool = False
    """It says that the request is refused."""


class SerialOf(_Part):
    """How to speak on a serial line."""

    baud: Annotated[int, Field(ge=50, le=20_000_000)] = 9600


class BluetoothOf(_Part):
    """Where it is spoken over Bluetooth."""

    service: Uuid
    notify: Uuid
    write: Uuid | Literal[""] = ""
    """Empty where nothing is asked."""
    write_type: WriteType | None = None
    """Left out where devices differ: then it is found out."""

    def build(self) -> Gatt:
        """Return it as links take it."""
        return Gatt(self.service, self.notify, self.write, self.write_type)


class LinksOf(_Part):
    """What the protocol is spoken on."""

    serial: SerialOf | None = None
    tcp: bool = False
    ble: Annotated[list[BluetoothOf], Field(max_length=8)] = []
    """The first that a device has is taken."""


class AdvertisementOf(_Part):
    """What a device advertises: all that is said here; `*` and `?` in a name stand for anything."""

    name: Annotated[str, Field(max_length=64)] = ""
    service: Uuid | Literal[""] = ""
    service_data: Uuid | None = None
    address: Annotated[str, Field(pattern="^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){0,5})?$")] = ""
    """How it begins: `A4:C1:38`."""
    manufacturer: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None
    data: HexBytes = b""
    """How the data of that manufacturer begin."""

    @model_validator(mode="after")
    def _says_something(self) -> "AdvertisementOf":
        if self == AdvertisementOf.model_construct():
            raise ValueError("say at least one of name, service, service_data, address, manufacturer")
        if self.data and self.manufacturer is None:
            raise ValueError("data needs the manufacturer whose data they are")
        return self

    def build(self) -> Pattern:
        """Return it as recognition takes it."""
        return Pattern(self.name, self.service, self.service_data, self.address, self.manufacturer, self.data)


class RecogniseOf(_Part):
    """How a device of this protocol is recognised by its advertisements: any of these."""

    aiobmsble: Annotated[str, Field(pattern="^([a-z0-9_]{1,40}_bms)?$")] = ""
    """The plugin of aiobmsble, where that is installed, whose patterns hold here too."""
    advertisements: Annotated[list[AdvertisementOf], Field(max_length=64)] = []


class ModelFile(_Part):
    """A whole model file."""

    packwire: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    order: fields.Order = "big"
    links: LinksOf
    recognise: RecogniseOf = RecogniseOf()
    framings: Annotated[list[FramingOf], Field(min_length=1, max_length=16)]
    answers: Annotated[list[AnswerOf], Field(max_length=64)] = []
    """What answers what of all that is said in these framings, whether the model knows it or not."""
    requests: Annotated[dict[str, RequestOf], Field(max_length=64)] = {}
    replies: Annotated[dict[str, ReplyOf], Field(min_length=1, max_length=64)]
