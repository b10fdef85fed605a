"""How frames and what answers what are written; see `packwire.wire.framing` and `packwire.wire.family`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from packwire.models.schema.base import Byte, HexBytes, Part


class ByteIs(Part):
    """Byte `at` is one of `values`, or none of `all_but`."""

    at: Annotated[int, Field(ge=0, le=64)]
    values: Annotated[list[Byte], Field(max_length=256)] = []
    all_but: Annotated[list[Byte], Field(max_length=255)] = []

    @model_validator(mode="after")
    def _one(self) -> "ByteIs":
        if bool(self.values) == bool(self.all_but):
            raise ValueError("say values, or all_but")
        return self


class SizeOf(Part):
    """How long a whole frame is: the number at `at`, times `times`, plus `add`."""

    add: Annotated[int, Field(ge=-4096, le=4096)]
    at: Annotated[int, Field(ge=0, le=64)] | None = None
    """Left out: a frame has `add` bytes."""
    width: Annotated[int, Field(ge=1, le=4)] = 1
    order: Literal["big", "little"] = "big"
    digits: bool = False
    """It is written in hexadecimal digits; then `width` counts them."""
    mask: Annotated[int, Field(ge=1, le=0xFFFFFFFF)] | None = None
    check_digit: bool = False
    """Of digits, the first is the negated sum of the others."""
    times: Annotated[int, Field(ge=1, le=8)] = 1
    multiple: Annotated[int, Field(ge=1, le=256)] = 1
    least: Annotated[int, Field(ge=0, le=4096)] = 0
    most: Annotated[int, Field(ge=1, le=1 << 16)] | None = None
    when: Annotated[list[ByteIs], Field(max_length=16)] = []
    value: Annotated[int, Field(ge=0, le=64)] = 0
    """Where in such a frame the value begins that it writes."""


class ChecksumOf(Part):
    """A checksum of the catalogue; `to` and `at` count from the frame's end where they are negative."""

    name: str
    from_: Annotated[int, Field(alias="from", ge=0, le=64)] = 0
    to: Annotated[int, Field(ge=-64, le=4096)]
    at: Annotated[int, Field(ge=-64, le=4096)]
    order: Literal["big", "little"] = "big"
    digits: bool = False
    of_digits: bool = False
    """It is of the bytes that the digits there write, in place of the digits."""


class FramingOf(Part):
    """One form of a protocol's frames."""

    name: Annotated[str, Field(max_length=80)] = ""
    """What such frames are called; left out: as the family."""
    form: Literal["modbus", "can"] | None = None
    """`modbus`: frames of Modbus RTU that begin with `start`, or with any address; nothing else need be said.
    `can`: each frame of a CAN bus is one."""
    start: HexBytes = ""
    size: Annotated[list[SizeOf], Field(max_length=16)] = []
    checksum: ChecksumOf | None = None
    end: HexBytes = ""
    until: HexBytes = ""
    """In place of `size`: a frame goes on until these bytes, and its checksum and end lie behind them."""
    kind: Annotated[int, Field(ge=1, le=32)] = 1
    """So many of the first bytes say what kind of message it is."""
    asks: Annotated[int, Field(ge=0, le=32)] = 0
    """The same for a request, where that takes more (its register)."""
    queries: ByteIs | None = None
    """How a request that only asks is told from one that writes."""
    count: Annotated[int, Field(ge=0, le=32)] | None = None
    """The byte that says how many bytes behind it mean something; the rest of a frame is rubbish."""
    text: Literal["hex"] | None = None
    """Between start and end each byte is written as two hexadecimal digits. Places in requests and replies
    count the bytes that they stand for; those in `size` and `checksum` the digits."""
    skips: Annotated[int, Field(ge=0, le=8)] = 0
    """In place of `start`: so many bytes that may be any."""

    @model_validator(mode="after")
    def _whole(self) -> "FramingOf":
        if not self.form and not self.size and not self.until:
            raise ValueError("size: say how long a frame is, such as [{at: 3, add: 7}]")
        if self.skips and (self.start or not self.checksum):
            raise ValueError("skips: it is for frames with a checksum, and without a start")
        if not self.form and not self.start and not self.skips:
            raise ValueError("start: say how a frame begins, such as dd")
        return self


class SameOf(Part):
    """`width` bytes at `reply` in a reply are those at `request` in its request (one: plus `plus`)."""

    request: Annotated[int, Field(ge=0, le=64)]
    reply: Annotated[int, Field(ge=0, le=64)]
    width: Annotated[int, Field(ge=1, le=64)] = 1
    plus: Annotated[int, Field(ge=0, le=255)] = 0


class AnswerOf(Part):
    """One way in which a reply answers a request; see `packwire.wire.family.Answer`."""

    form: Literal["modbus"] | None = None
    """As in Modbus RTU; `same`, `request` and `reply` come on top."""
    same: Annotated[list[SameOf], Field(max_length=16)] = []
    request: Annotated[list[ByteIs], Field(max_length=16)] = []
    reply: Annotated[list[ByteIs], Field(max_length=16)] = []
