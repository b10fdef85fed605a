"""Records of recordings: `info`, `messages`, `groups`, `pairs`, `diff`."""

from typing import Annotated, Final, Literal, NotRequired, TypedDict

from packwire.cli.records.words import Direction, Time, Values


class Protocol(TypedDict):
    """What a recording seems to speak."""

    name: Annotated[str, "of its framing; `unknown, 55 aa 11`: found in the bytes, with the first ones"]
    frames: Annotated[int, "how many there are, with right checksums where checksums are known"]
    known: Annotated[bool, "packwire knows this framing"]
    sure: Annotated[bool, "chance cannot have made as many"]


class AlikeModel(TypedDict):
    """A model whose protocol a recording is like."""

    model: str
    title: str
    certainty: Annotated[
        str, "`sure`, `likely`, or `form only`: the frames are made so, their fields do not read"
    ]
    same: Annotated[list[str], "what of the form of frames is as the model says"]
    differs: Annotated[list[str], "what is not"]
    agrees: Annotated[list[str], "what its fields read that cannot be accident"]
    reads: Annotated[Values, "what its fields read at one moment, by quantity"]


class BluetoothDevice(TypedDict):
    """A Bluetooth device."""

    address: str
    transport: Annotated[str, "`LE` or `BR/EDR`"]
    name: str
    connections: int
    adverts: Annotated[int, "how many of its advertisements were recorded"]


class ChannelCount(TypedDict):
    """The messages of one channel."""

    name: str
    to_device: int
    from_device: int
    unknown: int
    sizes: Annotated[list[int], "bytes, the smallest and the largest"]


class Advice(TypedDict):
    """Why there is no application data."""

    what: str
    remedy: str


class Recording(TypedDict):
    """What a file holds."""

    kind: Literal["recording"]
    time: Annotated[Time | None, "when it begins"]
    file: str
    format: str
    packets: int
    messages: int
    seconds: Annotated[float | None, "from its first to its last packet"]
    protocols: Annotated[list[Protocol], "the one with the most frames first"]
    alike: Annotated[list[AlikeModel], "models that it is like, where nobody knows its protocol"]
    damage: list[str]
    notes: Annotated[list[str], "what was not read and why, times that are not understood, and the like"]
    links: Annotated[dict[str, int], "packets by kind of link"]
    bluetooth: Annotated[dict[str, int], "packets by kind"]
    devices: list[BluetoothDevice]
    channels: list[ChannelCount]
    cut: Annotated[int, "packets of which only the beginning was recorded"]
    not_used: list[str]
    advice: Annotated[list[Advice], "empty where there is application data"]


class Message(TypedDict):
    """One message of a recording."""

    kind: Literal["message"]
    time: Annotated[Time | None, "null: the file does not say"]
    at: Annotated[float | None, "seconds since the first packet of the file"]
    file: str
    packets: Annotated[list[int], "numbers as in Wireshark"]
    direction: Direction
    channel: str
    size: Annotated[int, "bytes"]
    hex: str
    model: NotRequired[Annotated[str | None, "with --decode: which model reads it; null: none"]]
    name: NotRequired[Annotated[str | None, "with --decode: which request or reply it is"]]
    values: NotRequired[Annotated[Values, "with --decode: what it says, by quantity key"]]


class Group(TypedDict):
    """One kind of message."""

    kind: Literal["group"]
    direction: Direction
    channel: str
    framing: Annotated[str | None, "null: none that is known; `unknown, 55 aa 11`: found in the stream"]
    size: int
    header: Annotated[str, "the first bytes that tell it apart, in hexadecimal"]
    count: int
    per_second: float | None
    constant_bytes: Annotated[list[int], "places, from 0"]
    changing_bytes: Annotated[list[int], "places, from 0"]
    example: Annotated[str, "hexadecimal"]
    first_packet: int | None
    last_packet: int | None
    bit_ones: Annotated[list[list[int]], "for each byte eight numbers, lowest bit first: how often it is set"]
    bit_flips: Annotated[list[list[int]], "the same: how often it changes"]


class RequestKind(TypedDict):
    """One kind of request."""

    channel: str
    size: int
    header: str
    example: Annotated[str, "hexadecimal"]
    count: int


class ReplyKind(RequestKind):
    """One kind of reply."""

    median_ms: Annotated[float | None, "from the request to the first message of the reply"]
    longest_ms: float | None


class Pair(TypedDict):
    """One kind of request with its replies."""

    kind: Literal["pair"]
    request: RequestKind
    unanswered: int
    replies: list[ReplyKind]


class Segment(TypedDict):
    """A stretch of a recording in one state."""

    recording: Annotated[int, "which file, from 0"]
    state: Annotated[str | None, "null: it belongs to none"]
    packet: Annotated[int | None, "where it begins"]
    messages: int


class Write(TypedDict):
    """A control that the app wrote, and that was not looked at."""

    channel: str
    payload: str
    count: int


class Counter(TypedDict):
    """Bytes that count."""

    type: Annotated[str, "what they count"]
    bytes: list[int]


class BitField(TypedDict):
    """Bits that show the state together."""

    byte: int
    size: int
    bits: Annotated[list[list[int]], "pairs of byte and bit"]
    values: Annotated[list[int | None], "one a state; null: no message shows it"]
    chance: Annotated[float, "how likely chance does the same, 0 to 1"]
    order: Literal["big", "little"]
    read_back: Annotated[
        list[int] | None,
        "in how many segments of how many what was written is read back; null: it is not that",
    ]


class Change(TypedDict):
    """A bit changed between two packets."""

    value: int
    before: int
    after: int
    state: str | None


class Bit(TypedDict):
    """One bit that differs between states."""

    byte: int
    bit: int
    evidence: Annotated[
        Literal["own", "follows", "reacts"],
        "own: it stands alone; follows: another control could explain it; reacts: it changes back by itself",
    ]
    values: Annotated[list[int | None], "0 or 1 for each state; null: no message shows it"]
    segments: Annotated[list[int], "for each state the number of segments that agree"]
    messages: Annotated[int, "how many the evidence rests on"]
    late: Annotated[int, "how many messages at the start of a segment may still show the state before"]
    chance: Annotated[float, "how likely chance does the same, 0 to 1"]
    changes: list[Change]
    bits_moving: Annotated[int, "how many bits of its byte ever change: 1 speaks for a switch"]
    tied_to: Annotated[str | None, "the one state or write in which it differs from all others"]
    why: Annotated[str, "the explanation, where there is one"]


class Number(TypedDict):
    """A number that moves anyway, and of which a bit agrees with the states."""

    byte: int
    size: int
    order: Literal["big", "little"]
    ranges: Annotated[list[list[int] | None], "for each state the lowest and the highest value"]


class Frame(TypedDict):
    """One kind of frame, and what in it tells the states apart."""

    framing: str | None
    direction: Direction
    channel: str
    size: int
    header: str
    asked: Annotated[str, "the registers that were asked for, where the frame does not say them"]
    count: int
    checksum: str | None
    counters: list[Counter]
    echoes: Annotated[list[int], "bytes that repeat the write which they answer"]
    fields: Annotated[list[BitField], "what shows the state, best first"]
    bits: Annotated[list[Bit], "the same bit by bit"]
    numbers: list[Number]
    moving: Annotated[list[Bit], "the bits of those numbers"]
    set_aside: Annotated[list[Bit], "bits of checksums, counters, clocks and echoes"]


class Cut(TypedDict):
    """A recording cut into states in one way, and what was found."""

    found: bool
    chance: Annotated[float | None, "that of the best finding, 0 to 1"]
    pattern: Annotated[str, "how the states follow each other"]
    channel: str
    states: list[str]
    differ_in: Annotated[list[int] | None, "the byte and the bit in which alone the writes differ"]
    doubt: Annotated[str, "why the cut itself may be wrong"]
    before_first: Annotated[str | None, "the state that the time before the first write looks like"]
    segments: list[Segment]
    other_writes: list[Write]
    bits_tried: int
    frames: list[Frame]


class Differences(Cut):
    """What tells states apart."""

    kind: Literal["differences"]
    others: Annotated[list[Cut], "the same for each further control that was written"]


class Model(TypedDict):
    """A model of a BMS protocol."""

    kind: Literal["model"]
    name: Annotated[str, "as in ?model="]
    title: str
    links: Annotated[list[str], "what it is spoken over"]
    proof: Annotated[list[str], "what it was compared with; empty: only itself"]
    file: Annotated[str | None, "null: it is packwire's own"]
    shadows: Annotated[bool, "it stands in for one of packwire's own"]
    trusted: Annotated[bool, "it may talk to a pack"]


RECORDS: Final = {
    Recording: ("info",),
    Message: ("messages",),
    Model: ("model list",),
    Group: ("groups",),
    Pair: ("pairs",),
    Differences: ("diff",),
}
