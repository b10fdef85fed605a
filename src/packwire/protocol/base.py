"""What a protocol is: how its frames are found, what may be asked, what a reply says. No I/O.

A protocol is told apart from what carries it (a link) and from who uses it: the reader of a live device, the
doctor, a shared connection and the reader of a recording all ask the same object. `packwire.protocols` finds
one by its name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from packwire.quantity import Value
from packwire.sample import Condition
from packwire.wire.frame import StreamFramer

if TYPE_CHECKING:  # who only reads a device uses none of them
    from packwire.advertisement import Advertisement
    from packwire.check import Check, Rule
    from packwire.protocol.announcing import Announcing
    from packwire.wire.family import Family


class RequestKind(StrEnum):
    """What a request can do to a device."""

    READS = "reads"
    WRITES = "writes"
    """Changes a setting that stays."""
    ACTS = "acts"
    """Does something at once: a switch, a motor, a restart."""


class NodeKind(StrEnum):
    """What a node is to its owner."""

    GATEWAY = "gateway"
    BATTERY = "battery"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a device.

    `key` names it within its device (`bms`, `can/84`) and in its samples. `identity` survives restarts and
    is unique in the world as far as the device lets us know. `number` is what it is addressed by behind the
    device (a CAN id, a bus address), None where it is not; `via` is the key of the node that it hangs on.
    `quantities` are the keys that its samples hold, as far as known from what it answered so far.
    """

    key: str
    identity: str
    kind: NodeKind
    name: str
    firmware: str = ""
    number: int | None = None
    via: str | None = None
    quantities: tuple[str, ...] = ()


class WriteType(StrEnum):
    """How a characteristic is written (ATT): the device confirms each write, or it does not."""

    WITH_RESPONSE = "with response"
    WITHOUT_RESPONSE = "without response"


@dataclass(frozen=True, slots=True)
class Gatt:
    """Where a protocol is spoken over Bluetooth: a service, what notifies in it and what is written.

    UUIDs are in their long form, in lower case. `write` is empty where nothing is asked; `write_type` None
    where devices differ, and it is to be found out. `unlock` is another characteristic of the service, and
    what is written to it before devices that have it answer. `write_service` is the service of what is
    written, where that is another one.
    """

    service: str
    notify: str
    write: str = ""
    write_type: WriteType | None = None
    unlock: tuple[str, bytes] | None = field(default=None, compare=False)
    write_service: str = ""

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services that it takes."""
        return tuple(filter(None, (self.service, self.write_service)))


@dataclass(frozen=True, slots=True)
class Request:
    """A request: its message (before framing), the node that it is for, and how its reply is known.

    `accepts` looks at a reply beyond its kind (a controller id, a mask that it repeats); None takes any.
    `hopeless` says why this device never answers it, where that is known.
    """

    payload: bytes
    node: int | None = None
    accepts: Callable[[bytes], bool] | None = None
    hopeless: str = ""


@dataclass(frozen=True, slots=True)
class NodeReading:
    """What one node said: values by quantity key, and how far they can be trusted."""

    values: Mapping[str, Value]
    condition: Condition = Condition.FRESH
    reason: str = ""


class CanTransport(ABC):
    """How the stream of a protocol is carried on a CAN bus, whose units are frames: identifier and data."""

    @abstractmethod
    def sent(self, data: bytes) -> list[bytes]:
        """Return the units that carry what is sent; what is in no frame of the protocol is left out."""

    @abstractmethod
    def received(self, unit: bytes) -> bytes:
        """Return the bytes of the stream that a unit completes; none where it does not, or is not for us."""


class Asker(Interface):
    """Who asks the device on behalf of a session."""

    @property
    def shared(self) -> bool:
        """Whether replies meant for another client may come at the beginning."""

    @property
    def place(self) -> str:
        """Where the device was reached; names a device that does not name itself."""

    @property
    def identity(self) -> str:
        """What the link knows of who it leads to (a Bluetooth address); empty where it knows nothing."""

    async def request(
        self,
        request: Request,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of one try
        tries: int | None = None,
    ) -> bytes:
        """Send a request; return the reply's message. Raises NoReplyError, GoneError and its kin."""

    def distrust(self, request: Request) -> None:
        """Take no reply to such a request for the answer that is on its way already."""

    def tell(self, request: Request) -> None:
        """Send a request to which nothing is answered."""

    def subscribe(self, receive: Callable[[bytes], None]) -> None:
        """Hand `receive` every message that answers no request."""

    async def unasked(self, seconds: float) -> bool:
        """Wait for the next message that answers no request; tell whether one came in that time."""

    async def pause(self, seconds: float) -> None:
        """Let time pass."""

    def now(self) -> float:
        """Return a monotonic time in s."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may say about the reading of a device.

    `only` is the one node to look for; `nodes` those to look for on its bus (None: ask who is there).
    `pin` is what the device wants before it talks. `unit` is its address on a line that several share; with
    `listens` nothing is asked, because somebody else does.
    """

    only: int | None = None
    nodes: tuple[int, ...] | None = None
    stale_after: float | None = None
    pin: str = field(default="", repr=False)
    unit: int | None = None
    listens: bool = False


class Session(ABC):
    """One conversation with a device: who it is, its nodes, and what they say.

    It asks by an Asker, and knows no link and no clock of its own.
    """

    search = ""
    """What looking for nodes does, for a user, where it takes long."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._remarks: dict[str, str] = {}

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes known at this moment."""
        return tuple(self._nodes.values())

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what was odd so far, in words for a user."""
        return tuple(self._remarks.values())

    @property
    @abstractmethod
    def name(self) -> str:
        """Return what the device calls itself, or what it is."""

    @property
    def firmware(self) -> str:
        """Return the version of its firmware; empty where it is not known."""
        return ""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Return what names the device in the world; the same in every command and after a restart."""

    @abstractmethod
    async def start(self) -> None:
        """Learn who answers; raise NoReplyError where nobody does."""

    @abstractmethod
    async def find_local(self) -> None:
        """Add the nodes that are known at once."""

    async def find_nodes(self) -> tuple[int, ...]:
        """Look for the nodes that take long to find; return the numbers of those that are there."""
        return ()

    async def add(self, number: int) -> bool:  # noqa: ARG002 - for those that have a bus
        """Ask one number who it is and add it; tell whether it answered."""
        return False

    def asks(self, node: Node) -> bool:  # noqa: ARG002
        """Tell whether reading this node asks the device."""
        return True

    def behind(self, node: Node) -> bool:
        """Tell whether a node is asked through the device that we are connected to."""
        return node.number is not None

    @abstractmethod
    async def read(self, node: Node) -> NodeReading:
        """Read one node; raises NoReplyError where it does not answer."""

    async def keep_awake(self) -> float | None:
        """Send what the device wants to hear between readings, where it is due.

        Return the seconds until the next is due; None: it wants nothing.
        """
        return None

    def notice(self, key: str, values: Mapping[str, Value]) -> None:
        """Note the quantities that a node's samples hold."""
        node = self._nodes[key]
        if len(values) > len(node.quantities):
            # The search of the bus may have learnt more about this node since it was asked.
            self._nodes[key] = replace(node, quantities=tuple(values))


class Protocol(ABC):
    """One protocol, for all who speak it or listen to it."""

    name: str
    """As in `?model=`."""
    title: str
    """For a user: `VESC`, `JBD`."""
    origin: str = ""
    """The file that it was read from, where it is not packwire's own."""
    baud: int = 115_200
    """What its serial lines usually have."""
    family: "Family | None" = None
    """How its frames look, for those that are recognised among others in a recording."""
    other_bauds: tuple[int, ...] = ()
    """What some have instead."""
    on_a_line: bool = False
    """Whether its devices hang on serial lines that several may share, and on which one may hear oneself."""
    wants_pin: bool = False
    """Whether its devices may have a password, without which they answer nothing or refuse."""
    asks: bool = True
    """Whether its devices are asked; others only send."""
    modbus: bool = False
    """Whether its frames are those of Modbus RTU, which may also be carried as Modbus TCP."""
    gatt: tuple[Gatt, ...] = ()
    """Where it is spoken over Bluetooth; the first that a device has is taken."""
    preamble: bytes = b""
    """What is sent first, so that a half frame which a client before us left behind is over."""
    checks: "tuple[Check[Any], ...]" = ()
    """What it brings to the doctor beside its row in `packwire.doctor.registry`."""
    rules: "tuple[Rule, ...]" = ()

    @property
    def announcing(self) -> "Announcing | None":
        """Return how its devices say where they are, on the network; None where they do not."""
        return None

    def can_transport(self, unit: int | None) -> CanTransport | None:  # noqa: ARG002 - for those that are asked over CAN
        """Return how it is carried on CAN to the device of this address.

        None: its frames on CAN are units of their own, and it is only heard there. Raises BadAddressError.
        """
        return None

    @abstractmethod
    def framer(self) -> StreamFramer:
        """Return a new finder of frames."""

    @abstractmethod
    def frame(self, request: Request) -> bytes:
        """Return the bytes that carry a request."""

    @abstractmethod
    def kind(self, message: bytes) -> Hashable | None:
        """Return what a request asks for: equal where each reply to one may answer the other."""

    @abstractmethod
    def answers(self, request: Request, message: bytes) -> bool:
        """Tell whether a message may be the reply to a request."""

    def continues(self, request: Request, message: bytes, earlier: tuple[bytes, ...]) -> bool:  # noqa: ARG002
        """Tell whether a message that may answer goes on with a reply of which something came already."""
        return False

    def spontaneous(self, message: bytes) -> bool:  # noqa: ARG002
        """Tell whether devices send this of their own accord."""
        return False

    def refuses(self, message: bytes) -> bool:  # noqa: ARG002
        """Tell whether a reply says no."""
        return False

    def streams(self, message: bytes) -> bool:  # noqa: ARG002
        """Tell whether devices go on sending this, once they were asked for it."""
        return False

    def beside(self, request: Request) -> bool:  # noqa: ARG002
        """Tell whether a request may be under way beside others: it takes long, its reply is never stale."""
        return False

    def fence(self, request: Request) -> Request | None:  # noqa: ARG002
        """Return another request: once it is answered, no reply to this one still comes on that way."""
        return None

    @property
    def harmless(self) -> tuple[Request, ...]:
        """Return requests for devices of unknown kind: they only ask, none beeps, the first tells most."""
        return ()

    @property
    def hello(self) -> Request | None:
        """Return one without a password that only asks, and that each such device answers; it may beep."""
        return next(iter(self.harmless), None)

    @abstractmethod
    def describe(self, message: bytes) -> str:
        """Return a message's name, for a user: `BMS_GET_VALUES`, `basic info`."""

    def mask(self, message: bytes) -> bytes:
        """Return a message of the same length that can be shown: secrets overwritten."""
        return message

    @abstractmethod
    def session(self, asker: Asker, options: Options) -> Session:
        """Return a new conversation with a device."""

    def recognises(self, seen: "Advertisement") -> bool:  # noqa: ARG002 - most know no advertisements
        """Tell whether an advertisement is that of a device which speaks this."""
        return False

    @property
    def silence(self) -> str:
        """Say what it may mean where nothing comes back at all."""
        return f"Is this a {self.title}, is it on, and does no other program use it?"


class ProtocolRule:
    """What answers what, as a protocol says it: for who asks by `packwire.protocol.exchange`."""

    def __init__(self, protocol: Protocol) -> None:
        self.answers = protocol.answers
        self._kind = protocol.kind

    def kind(self, request: Request) -> Hashable | None:
        """Return what a request asks for."""
        return self._kind(request.payload)

    def continues(self, request: Request, message: bytes, earlier: object) -> bool:  # noqa: ARG002
        """Return False: who asks takes one message for the reply."""
        return False
