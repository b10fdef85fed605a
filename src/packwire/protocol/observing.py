"""What one has to know of a protocol who only hears it spoken: a tap, the reader of a recording, the doctor.

All of it has an answer for every protocol; one that knows more says so in an observer of its own, which
`packwire.protocols.observer` finds by the protocol's name.
"""

from collections.abc import Callable, Hashable, Mapping
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, NamedTuple, override
from typing import Protocol as Interface

from packwire.protocol.base import Protocol, Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from packwire.wire.family import Family

#: A reply later than this, in seconds, is not taken for the answer to a request: the worst seen over a public
#: hub is half a second, a search of a bus takes up to 5.
PATIENCE = 10.0


class Addressed(NamedTuple):
    """A request, and the numbers of the nodes by way of which it goes; `request` may be empty."""

    route: tuple[int, ...]
    request: bytes

    @property
    def node(self) -> int | None:
        """Return the number of the node that is asked; None: the device itself."""
        return self.route[-1] if self.route else None


class Caller(Enum):
    """Who begins a connection, as its first line says."""

    CLIENT = auto()
    DEVICE = auto()
    """It dials a hub, and is the device for the hub's clients."""
    INQUIRER = auto()
    """It asks a hub whether a device is there; no device takes part."""


class LoginLine(Interface):
    """What a line says that somebody logs in with."""

    @property
    def role(self) -> StrEnum:
        """Return the word that it begins with."""

    @property
    def device_id(self) -> str:
        """Return the id of the device that is meant."""

    @property
    def password(self) -> str:
        """Return the password, which never shows unless a user asked for it."""


class Opening(NamedTuple):
    """A line, for or from a hub, that a stream begins with before its first frame.

    `role` and `caller` are None for a hub's answer, `login` is None for that and for what no hub accepts;
    `text` then holds the answer, or what is wrong, never a password. `size` counts its bytes.
    """

    role: StrEnum | None
    caller: Caller | None
    login: LoginLine | None
    text: str
    size: int


class Introduced(NamedTuple):
    """What a node said of itself; `can_id` is None for the device at the end of the link."""

    can_id: int | None
    hardware: int | None
    name: str
    version: str


class PackSaid(NamedTuple):
    """What a reply says of a pack: `absent` says that there is none."""

    cells: int
    volts: float | None
    absent: bool


class Columns(Interface):
    """Looks for frames in many places at once; numpy columns in and out."""

    longest: int
    """The bytes of the longest frame."""

    def plausible(
        self, data: "NDArray[np.uint8]", at: "NDArray[np.int64]", end: "NDArray[np.int64]"
    ) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
        """Return the rows at whose place something stands that ends like a frame, and its size."""

    def right(
        self, data: "NDArray[np.uint8]", at: "NDArray[np.int64]", size: "NDArray[np.int64]"
    ) -> "NDArray[np.bool_]":
        """Tell of what `plausible` found whether the checksum is right."""

    def exact(
        self, data: "NDArray[np.uint8]", start: "NDArray[np.int64]", size: "NDArray[np.int64]"
    ) -> "NDArray[np.bool_]":
        """Tell which pieces are exactly one right frame each."""

    def message_sizes(
        self, data: "NDArray[np.uint8]", start: "NDArray[np.int64]", size: "NDArray[np.int64]"
    ) -> "NDArray[np.int64]":
        """Return how many bytes the messages in right frames have."""

    def candidates(self, data: "NDArray[np.uint8]") -> "NDArray[np.int64]":
        """Return the places where a frame may begin."""


class Observer:
    """What is known of any protocol."""

    openings: tuple[bytes, ...] = ()
    """How lines begin that may stand before the first frame."""
    longest_opening = 0
    trailer = 0
    """How many bytes of a frame lie behind its message."""
    everybody: int | None = None
    """The number by which all nodes are asked at once."""
    search: int | None = None
    """The number of the request that finds the nodes on a bus; it takes seconds."""
    pack_values: int | None = None
    """The number of the request for a pack's values."""
    wedging: int | None = None
    """The number of a request after which a device answers nothing any more."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    @property
    def family(self) -> "Family":
        """Return its framings as data."""
        from packwire.wire.family import Family  # noqa: PLC0415 - who asks a device has no use for it

        return Family(self.protocol.title, ())

    @property
    def columns(self) -> Columns | None:
        """Return what finds frames quickly in a recording, where there is something."""
        return None

    def addressed(self, request: bytes) -> Addressed:
        """Return a request without what says which node it is for, and which nodes those are."""
        return Addressed((), request)

    def number(self, message: bytes) -> int:
        """Return the number of what a message is about: the same in a request and in its reply."""
        return message[0]

    def kind(self, request: bytes) -> Hashable | None:
        """Return what a request asks for: equal where each reply to one may answer the other.

        None: it expects no reply.
        """
        return self.protocol.kind(request)

    def acceptance(self, request: bytes) -> Callable[[bytes], bool]:
        """Return the test that the reply to a request passes."""
        asked = Request(request)
        return lambda message: self.protocol.answers(asked, message)

    def patience(self, request: bytes) -> float:  # noqa: ARG002 - for those who know slow requests
        """Return for how many seconds after a request its reply may come."""
        return PATIENCE

    def asks(self, message: bytes) -> bool | None:  # noqa: ARG002
        """Tell whether a message is a request, or comes from a device; None: it may be either."""
        return None

    def opening(self, begin: bytes) -> Opening | None:  # noqa: ARG002
        """Return the line that the first bytes of a stream are, which are no frame."""
        return None

    def answer_to_opening(self, begin: bytes) -> Opening | None:  # noqa: ARG002
        """Return what a hub answers, at the begin of its stream."""
        return None

    def introduced(self, request: bytes, reply: bytes) -> Introduced | None:  # noqa: ARG002
        """Return what a node says of itself in a reply, if it does."""
        return None

    def found(self, reply: bytes) -> tuple[int, ...] | None:  # noqa: ARG002
        """Return the nodes that a search of the bus found; None: it is no reply to such a request."""
        return None

    def tells_of_nodes(self, reply: bytes) -> bool:  # noqa: ARG002
        """Tell whether `introduced` or `found` may have something to say of a reply."""
        return False

    def asks_for_values(self, request: bytes) -> bool:  # noqa: ARG002
        """Tell whether a request only reads, and what it reads is what a pack measures."""
        return False

    def names(self) -> Mapping[str, int]:
        """Return the numbers by the names that programs and their logs give them."""
        return {}

    def pack(self, reply: bytes) -> PackSaid | None:  # noqa: ARG002
        """Return what a reply says of a pack; None: it is about something else."""
        return None

    def piece(self, request: bytes) -> tuple[int, int] | None:  # noqa: ARG002
        """Return size and offset, where a request is for a piece of something long."""
        return None

    def whole(self, reply: bytes) -> int | None:  # noqa: ARG002
        """Return how long the thing is of which a reply holds a piece."""
        return None

    def ever_answers(self, hardware: int | None, number: int) -> bool:  # noqa: ARG002
        """Tell whether a device of this type would ever answer; True where that is not known."""
        return True

    def hardware_label(self, hardware: int | None) -> str:  # noqa: ARG002
        """Return what a type of device is called."""
        return f"{self.protocol.title} device"


class NothingKnown(Observer):
    """What is known where nobody knows the protocol; it has none."""

    def __init__(self) -> None: ...

    @property
    @override
    def family(self) -> "Family":
        from packwire.wire.family import Family  # noqa: PLC0415 - as above

        return Family("", ())


class HeardRequest(NamedTuple):
    """A message on its way to a device, at a time in ns or as a row of a table."""

    message: bytes
    at: int


class HeardRule:
    """What answers what, of messages that were heard: for `packwire.protocol.exchange`."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._kinds: dict[bytes, Hashable | None] = {}
        self._tests: dict[bytes, Callable[[bytes], bool]] = {}

    def kind(self, request: HeardRequest) -> Hashable | None:
        """Return what a request asks for; None: it expects no reply."""
        message = request.message
        try:
            return self._kinds[message]
        except KeyError:
            kind = _bounded(self._kinds)[message] = self._observer.kind(message)
            return kind

    def answers(self, request: HeardRequest, message: bytes) -> bool:
        """Tell whether a message may be the reply to a request."""
        test = self._tests.get(request.message)
        if test is None:
            test = _bounded(self._tests)[request.message] = self._observer.acceptance(request.message)
        return test(message)

    def continues(self, request: HeardRequest, message: bytes, earlier: object) -> bool:  # noqa: ARG002
        """Return False: one message is the reply."""
        return False


#: Of so many different requests it is remembered what answers them.
_REMEMBERED = 1024


def _bounded[Value](known: dict[bytes, Value]) -> dict[bytes, Value]:
    if len(known) >= _REMEMBERED:
        known.clear()
    return known
