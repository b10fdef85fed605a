"""Records of what is understood of an unknown protocol: `fields`, `checksum`, `find`."""

from typing import Annotated, Final, Literal, TypedDict

type Chance = Annotated[float, "how likely an accident is; above 0.05 it is no finding"]
type Order = Literal["big", "little"]


class FieldRecord(TypedDict):
    """One field of a kind of message."""

    at: Annotated[int, "the first byte, from 0"]
    width: Annotated[int, "bytes"]
    type: Annotated[str, "`unsigned`, `signed`, `float`, `bcd`, `text`"]
    order: Annotated[Order | None, "null: of one byte, or a text"]
    role: Annotated[
        str, "`kind`, `constant`, `text`, `checksum`, `counter`, `clock`, `states`, `number`, `noise`"
    ]
    confidence: Annotated[
        float | None, "that it is just these bytes; null: it never changes, or moves as chance does"
    ]
    low: Annotated[float | None, "the lowest number that it has; null: it is none"]
    high: Annotated[float | None, "the highest"]


class Fields(TypedDict):
    """The fields of one kind of message."""

    kind: Literal["fields"]
    channel: str
    header: Annotated[str, "hexadecimal"]
    asked: Annotated[str, "the registers asked for, where only that tells kinds apart; hexadecimal"]
    size: Annotated[int, "bytes"]
    count: Annotated[int, "messages"]
    fields: list[FieldRecord]


class ChecksumRecord(TypedDict):
    """A checksum that fits some messages; records of one `messages` text are ties."""

    kind: Literal["checksum"]
    messages: Annotated[str, "what was looked at"]
    name: str
    bits: int
    polynomial: Annotated[int | None, "null: it is no CRC"]
    begins: Annotated[int, "the first byte that it is over"]
    ends: Annotated[int | None, "the byte behind the last one; negative: from the end; null: the end"]
    at: Annotated[int, "where it stands; negative: from the end"]
    order: Order | None
    right: Annotated[int, "in so many messages"]
    total: int
    ties: Annotated[int, "so many explain the messages as well, this one included"]
    chance: Chance


class FoundValue(TypedDict):
    """A place where a noted value may be."""

    kind: Literal["found"]
    name: str
    notes: list[str]
    channel: str
    header: Annotated[str, "hexadecimal"]
    size: Annotated[int, "bytes of the message"]
    at: int
    width: int
    type: str
    order: Order | None
    scale: float
    addend: float
    count: Annotated[int, "so many side by side"]
    low: Annotated[float, "the lowest value in the recording"]
    high: float
    moves: bool
    ties: Annotated[int, "so many places are as likely as the first"]
    chance: Chance


class SeriesRecord(TypedDict):
    """A field over time."""

    kind: Literal["series"]
    header: Annotated[str, "hexadecimal"]
    channel: str
    at: int
    width: int
    seconds: Annotated[list[float], "from the first message on"]
    values: list[float]


RECORDS: Final = {
    Fields: ("fields",),
    ChecksumRecord: ("checksum",),
    FoundValue: ("find",),
    SeriesRecord: ("plot",),
}
