"""Records of a conversation with a VESC: `decode`, `tap`."""

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from packwire.cli.records.words import Direction, Time, Values, Waiting


class Capture(TypedDict):
    """The file; the first record."""

    kind: Literal["capture"]
    time: Annotated[Time | None, "when it begins; null: the file does not say"]
    file: str
    format: str
    packets: int
    seconds: Annotated[float | None, "from its first to its last packet"]
    damage: list[str]
    left_out: Annotated[dict[str, int], "packets that were not read, by why"]
    vesc_connections: int
    other_connections: int


class Gap(TypedDict):
    """Bytes that are not in the recording."""

    position: Annotated[int, "of the first missing byte in the stream"]
    missing: int
    after: Annotated[int, "the packet with the last byte before it; 0: none"]
    cut: Annotated[bool, "that packet was cut short; false: packets are missing"]


class Sent(TypedDict):
    """What one end of a connection sent."""

    by: NotRequired[Annotated[str, "decode: its address"]]
    bytes: int
    acknowledged: NotRequired[int | None]
    frames: int
    junk: Annotated[int, "bytes in no frame"]
    crc_errors: int
    waiting: Waiting | None
    gaps: NotRequired[list[Gap]]
    retransmitted: NotRequired[int]
    reordered: NotRequired[int]


class Login(TypedDict):
    """A line with which somebody logged in at a hub."""

    packet: int
    role: Literal["VESCTOOL", "VESC", "PING"]
    id: str
    password: NotRequired[Annotated[str, "with --keep-secrets"]]


class ConnectionNode(TypedDict):
    """A VESC that said who it is."""

    can_id: int | None
    hardware: int | None
    name: str
    version: str


class Connection(TypedDict):
    """One TCP connection with VESC traffic, or a model's; followed by its messages and commands."""

    kind: Literal["connection"]
    connection: Annotated[int, "its number, from 1"]
    protocol: Annotated[str, "what is spoken on it: vesc, or the name of a model"]
    dialled_by: str
    dialled: str
    began_before: Annotated[bool, "it was open before the recording began"]
    client: str | None
    device: str | None
    evidence: Annotated[str, "what tells client and device apart"]
    hub: str | None
    logins: list[Login]
    nodes: list[ConnectionNode]
    packets: int
    sent: list[Sent]
    ending: Literal["open", "closed", "reset"]
    ended_by: str | None
    ended_at: Annotated[float | None, "seconds since the first packet"]


class FieldSpan(TypedDict):
    """One field of a reply."""

    name: str
    offset: int
    width: int
    raw: int | None
    value: Any


class VescMessage(TypedDict):
    """A request, a reply, or what else was said."""

    kind: Literal["vesc_message"]
    connection: int
    time: Time | None
    at: NotRequired[Annotated[float | None, "decode: seconds since the first packet"]]
    packets: NotRequired[Annotated[list[int], "decode: numbers as in Wireshark"]]
    part: Annotated[
        Literal[
            "request",
            "unanswered",
            "one_way",
            "reply",
            "late",
            "unsolicited",
            "unclear",
            "login",
            "hub_answer",
        ],
        "what it is in the conversation; login and hub_answer: tap",
    ]
    direction: NotRequired[Direction]
    can: NotRequired[Annotated[list[int], "the CAN ids that it is forwarded to"]]
    command: NotRequired[str]
    id: NotRequired[Annotated[int | str, "the number of the command; of a login, the device's id"]]
    role: NotRequired[Annotated[Literal["VESCTOOL", "VESC", "PING"], "who logs in"]]
    size: NotRequired[Annotated[int, "bytes of payload"]]
    text: NotRequired[Annotated[str, "what it says, for people"]]
    values: NotRequired[Annotated[Values | None, "the fields of a reply; null: no layout is known"]]
    latency_ms: NotRequired[Annotated[float, "of a reply, from its request; `unanswered`: what was waited"]]
    answers: NotRequired[Annotated[list[int], "the packets of the request"]]
    answered_in: NotRequired[Annotated[list[int], "the packets of the reply"]]
    why: NotRequired[Annotated[str, "why there is no reply"]]
    hex: NotRequired[Annotated[str, "with --hex"]]
    fields: NotRequired[Annotated[list[FieldSpan], "with --fields"]]


class Command(TypedDict):
    """The account of one command of a connection."""

    kind: Literal["command"]
    connection: int
    can: list[int]
    command: str
    id: int
    asked: int
    answered: int
    late: int
    one_way: int
    unsolicited: int
    unclear: int
    reply_sizes: Annotated[list[int] | None, "bytes, the smallest and the largest"]
    latency_ms_median: float | None
    latency_ms_max: float | None


class Opened(TypedDict):
    """A client came to the tap."""

    kind: Literal["opened"]
    connection: int
    time: Time
    client: str


class Failed(TypedDict):
    """A client of the tap was closed, for upstream is not there."""

    kind: Literal["failed"]
    connection: int
    time: Time
    error: str


class Closed(TypedDict):
    """A connection of the tap has ended."""

    kind: Literal["closed"]
    connection: int
    time: Time
    by: Literal["client", "upstream"] | None
    how: str
    asked: int
    answered: int
    unanswered: int
    sent: Annotated[list[Sent], "by the client, and by upstream"]


RECORDS: Final = {
    Capture: ("decode",),
    Connection: ("decode",),
    VescMessage: ("decode", "tap"),
    Command: ("decode",),
    Opened: ("tap",),
    Failed: ("tap",),
    Closed: ("tap",),
}
