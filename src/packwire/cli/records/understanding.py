"""Records of what is understood of an unknown protocol: `fields`, `checksum`, `find`, `draft`, `apk`."""

from typing import Annotated, Final, Literal, TypedDict

from packwire.cli.records.recordings import AlikeModel

type Chance = Annotated[float, "how likely an accident is; above 0.05 it is no finding"]
type Order = Literal["big", "little"]


class FieldRecord(TypedDict):
    """One field of a kind of message."""

    at: Annotated[int, "the first byte, from 0"]
    key: Annotated[
        str | None, "of decimal text: the key that it stands behind, or which field of a line it is, from 0"
    ]
    width: Annotated[int, "bytes"]
    type: Annotated[str, "`unsigned`, `signed`, `float`, `bcd`, `text`, `decimal`"]
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
    key: Annotated[
        str | None, "of decimal text: the key that it stands behind, or which field of a line it is, from 0"
    ]
    digits: Annotated[
        bool, "the messages are hexadecimal digits, and places count the bytes that these stand for"
    ]
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


class AppRecord(TypedDict):
    """What an app's package is, and what was not looked at."""

    kind: Literal["app"]
    package: Annotated[str, "its name; empty: the manifest does not say it"]
    app_version: str
    frameworks: Annotated[dict[str, str], "by name: where the app's logic lies then, and what to do"]
    classes: Annotated[int, "classes of the app that were looked through"]
    libraries: Annotated[list[str], "native libraries of the app of which the texts were looked through"]
    other_bytes: Annotated[int, "arrays and texts of bytes that nothing speaks for"]
    left_out: Annotated[dict[str, int], "what was not looked at, with how often"]


class AppUuid(TypedDict):
    """A UUID in an app's package."""

    kind: Literal["app-uuid"]
    uuid: Annotated[str, "four digits where it is one that the Bluetooth SIG shortens"]
    standard: Annotated[str, "what it is for in most apps; else empty"]
    protocols: Annotated[list[str], "models of packwire that use it"]
    captured: Annotated[bool, "the recording has it"]
    places: Annotated[list[str], "classes with their methods or fields, or files"]


class AppFrame(TypedDict):
    """Bytes in an app's package that look like a frame, those for which most speaks first."""

    kind: Literal["app-frame"]
    hex: Annotated[str, "`??`: a byte that the app fills in"]
    family: Annotated[str, "the known framing whose right frame they are; else empty"]
    checksum: Annotated[str, "what fits; else empty"]
    chance: Annotated[float, "that such a checksum means nothing"]
    sent: Annotated[bool, "a method that holds them leads to a write over Bluetooth"]
    captured: Annotated[int, "so many messages of the recording are these bytes or hold them"]
    places: list[str]


class AppCall(TypedDict):
    """A method of an app that speaks over Bluetooth."""

    kind: Literal["app-call"]
    method: str
    does: Annotated[str, "`writes`, `subscribes`, `connects (classic)`"]
    calls: str
    callers: Annotated[list[str], "the nearest first"]


class AppChecksum(TypedDict):
    """A table or a polynomial of a checksum in an app's code."""

    kind: Literal["app-checksum"]
    polynomial: Annotated[int | None, "as the code has it; null: it is a table"]
    names: Annotated[list[str], "the checksums that have it"]
    place: str


class DraftRecord(TypedDict):
    """A model that was drafted."""

    kind: Literal["draft"]
    name: str
    file: Annotated[str | None, "null: it was not written to a file"]
    model: Annotated[str, "the whole file, as YAML"]
    kinds: list["DraftedKind"]
    noted: list["DraftedValue"]
    remarks: list[str]
    alike: Annotated[list[AlikeModel], "models that it is like, the most alike first"]


class DraftedKind(TypedDict):
    """A kind of reply in a draft."""

    begins: Annotated[str, "hexadecimal; `??`: any byte"]
    size: int
    count: Annotated[int, "messages"]
    request: Annotated[str | None, "what asks for it, hexadecimal; null: nothing that surely only asks"]


class DraftedValue(TypedDict):
    """A noted value, and where the draft has it."""

    name: str
    notes: list[str]
    placed: Annotated[bool, "chance does not explain its place, and the draft has it"]
    ties: Annotated[int, "so many places fit as well"]
    chance: Annotated[float | None, "null: it fits nowhere"]


RECORDS: Final = {
    DraftRecord: ("draft",),
    AppRecord: ("apk",),
    AppUuid: ("apk",),
    AppFrame: ("apk",),
    AppCall: ("apk",),
    AppChecksum: ("apk",),
    Fields: ("fields",),
    ChecksumRecord: ("checksum",),
    FoundValue: ("find",),
    SeriesRecord: ("plot",),
}
