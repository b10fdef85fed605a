"""How the fields of a reply are written; see `packwire.wire.fields.Field` for what each word means."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from packwire.models.schema.base import Name, Part

#: What a condition may say of a raw number.
COMPARISONS = (
    "is", "is_not", "less_than", "at_most", "more_than", "at_least", "has_bit", "lacks_bit",
)  # fmt: skip
NUMBER = r"^(u|i|sm|bcd|f)(8|16|24|32|40|48|56|64)$"
TEXTS = ("text", "cstring", "hex", "bytes")

type Bit = Annotated[int, Field(ge=0, le=63)]
type Reference = Annotated[
    str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9 ,()/+_-]{0,63}\.)?[a-z][a-z0-9_]{0,63}$")
]
"""A field of the same reply, or `reply.field` of another."""


class Condition(Part):
    """`when: [{field: version, at_least: 2}]`: the raw number of a field compares so."""

    field: Reference
    is_: int | None = Field(default=None, alias="is")
    is_not: int | None = None
    less_than: int | None = None
    at_most: int | None = None
    more_than: int | None = None
    at_least: int | None = None
    has_bit: Bit | None = None
    lacks_bit: Bit | None = None

    @model_validator(mode="after")
    def _one(self) -> "Condition":
        said = [getattr(self, "is_" if name == "is" else name) for name in COMPARISONS]
        if sum(number is not None for number in said) != 1:
            raise ValueError(f"a condition says one of {', '.join(COMPARISONS)}")
        return self


class FieldOf(Part):
    """One field of a reply."""

    name: Name
    type: Annotated[str, Field(pattern=rf"{NUMBER}|^(text|cstring|hex|bytes|decimal|hexadecimal)$")] = "u8"
    """`u16` and so on: unsigned; `i`: signed; `sm`: sign and magnitude; `bcd`; `f`: float; or a text.
    `decimal`: a number in ASCII digits; `hexadecimal`: the same, in columns alone."""
    width: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Bytes of a text; left out, it goes to the end."""
    order: Literal["big", "little", "low word first"] | None = None
    at: Annotated[int, Field(ge=-4096, le=4096)] | None = None
    """Where it begins, from the frame's first byte (negative: from its checksum). Left out: behind the field
    before it."""
    after: Name | None = None
    """It begins behind that field."""
    key: Annotated[str, Field(pattern=r"^[!-~]{1,32}$")] | None = None
    """In a text of keys and values, in place of where it begins: the key that it stands behind."""
    column: Annotated[int, Field(ge=0, le=255)] | None = None
    """In a line that the model's `separator` divides, in place of where it begins: which part, from 0."""
    bits: Annotated[tuple[int, int], Field()] | None = None
    """The lowest bit, and how many."""
    scale: float = 1
    addend: float = 0
    ones: bool = False
    """The number is how many bits are set."""
    names: Annotated[dict[int, bool | int | str], Field(max_length=256)] = {}
    """What numbers stand for; of alarms, an empty word is none."""
    flags: Annotated[dict[Bit, str], Field(max_length=64)] = {}
    """What each bit means."""
    each_bit: Annotated[int, Field(ge=1, le=64)] | Reference | None = None
    """The value is a list of so many truth values, the lowest bit first."""
    unknown: Annotated[list[int], Field(max_length=16)] = []
    """Numbers that stand for no value."""
    count: Annotated[int, Field(ge=0, le=1024)] | Literal["to the end"] | Reference | None = None
    """It stands there so many times: a number, the field that says it, or `to the end`."""
    counts: Annotated[int, Field(ge=1, le=64)] = 1
    """So many of what `count` says are one item: 3, where bytes are counted and an item takes three."""
    stride: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Bytes from one to the next, where others lie between them."""
    most: Annotated[int, Field(ge=1, le=1024)] | None = None
    """No more than so many are believed."""
    unused: int | None = None
    """Of a list with a fixed number of places: what stands in places behind the last one in use."""
    when: Annotated[list[Condition], Field(max_length=8)] = []
    """It is there only where all of this holds."""
    negative: Annotated[list[Condition], Field(max_length=8)] = []
    """Its value is negative where all of this holds."""
    quantity: str = ""
    """The key of what is measured: docs/reference/quantities.md."""
    unit: Annotated[str, Field(max_length=16)] = ""
    """Of a setting, which is no quantity: V, A, s."""
    add: bool = False
    """Several fields of this quantity are added up."""
    optional: bool = False
    """Not every device goes on so far in this reply."""
    secret: bool = False
    """Never shown."""
