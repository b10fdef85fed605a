"""Records of what packwire serves: `share`, `hub`; and of output that nobody took."""

from typing import Annotated, Final, Literal, NotRequired, TypedDict

from packwire.cli.records.words import Time


class Listening(TypedDict):
    """Clients can connect."""

    kind: Literal["listening"]
    time: Time
    host: str
    port: int
    device: Annotated[str, "what is shared"]
    allowed: Annotated[list[str], "what may pass besides reading"]


class Came(TypedDict):
    """A client came."""

    kind: Literal["came"]
    time: Time
    name: str


class Client(TypedDict):
    """A client's account."""

    name: str
    requests: int
    replies: int
    refused: Annotated[int, "requests that may not pass"]
    dropped: Annotated[int, "requests given up: too many were open, or the device was away"]
    unanswered: int
    unsolicited: Annotated[int, "packets that went to all clients"]
    junk: Annotated[int, "bytes in no frame"]
    waiting: Annotated[int, "requests neither answered nor given up"]


class Left(Client):
    """A client left; its account."""

    kind: Literal["left"]
    time: Time
    reason: str


class Refused(TypedDict):
    """Something may not pass."""

    kind: Literal["refused"]
    time: Time
    text: str


class Untold(TypedDict):
    """What clients did more often than is told one by one, since the last such record."""

    kind: Literal["untold"]
    time: Time
    came: NotRequired[int]
    left: NotRequired[int]
    refused: NotRequired[int]


class Kept(TypedDict):
    """A reply that is given to whoever asks the same."""

    command: int
    can_id: int | None
    age: Annotated[float, "seconds"]


class Status(TypedDict):
    """The account, once a second and at the end; the sums go over all clients that ever were."""

    kind: Literal["status"]
    time: Time
    name: str
    connected: bool
    requests: int
    forwarded: Annotated[int, "sent to the device"]
    replies: int
    answered_from_flight: Annotated[int, "requests answered by the reply to another's, which was under way"]
    answered_from_age: Annotated[int, "requests answered by a reply not older than --max-age"]
    refused: Annotated[dict[str, int], "by what would allow them"]
    dropped: int
    timeouts: int
    late: int
    unasked: int
    unsolicited: int
    fences: Annotated[int, "requests of packwire's own"]
    device_junk: Annotated[int, "bytes in no frame"]
    client_junk: int
    connections: Annotated[int, "how often the device was connected"]
    silent: Annotated[float, "seconds without a byte from the device since a request; 0: all is well"]
    seats: Annotated[list[Client], "the clients that are here"]
    kept: list[Kept]


class Lost(TypedDict):
    """Records stood here that the output took too slowly."""

    kind: Literal["lost"]
    records: int


class Log(TypedDict):
    """A line of the hub's log (`--log-json`); it has further fields, see hub.md."""

    kind: Literal["log"]
    time: Time
    level: Literal["debug", "info", "warning", "error", "critical"]
    event: str


RECORDS: Final = {
    Listening: ("share",),
    Came: ("share",),
    Left: ("share",),
    Refused: ("share",),
    Untold: ("share",),
    Status: ("share",),
    Lost: ("share", "tap"),
    Log: ("hub",),
}
