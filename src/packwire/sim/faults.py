"""The faults that a simulated device can have, as data: each by a name, with parameters, at any time.

On the command line: `--fault delay:0.4`, `--fault old-firmware:109`, `--fault delay:2,5`. Parameters are
separated by commas and may be left out from the end. "Every n" counts replies: the n-th, the 2n-th...
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from packwire.errors import BadOptionError


@dataclass(frozen=True, slots=True)
class FaultParameter:
    """A number that a fault takes; `choices` names the only ones that mean something."""

    name: str
    default: float
    low: float = 1
    high: float = 1e6
    whole: bool = True
    choices: tuple[int, ...] = ()


class Of(StrEnum):
    """Which devices can have a fault."""

    ALL = "any device"
    VESC = "a VESC"
    PACK = "a pack that speaks a model's protocol"
    TCP = "any device, over TCP"
    BLUETOOTH = "any device, over Bluetooth"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that can be ordered. Where `many`, the last parameter may be repeated.

    `of` says which devices can have it.
    """

    name: str
    summary: str
    parameters: tuple[FaultParameter, ...] = ()
    many: bool = False
    of: Of = Of.ALL

    @property
    def usage(self) -> str:
        """Return how to order it: `delay[:seconds[,every]]`."""
        text = ""
        for parameter in reversed(self.parameters):
            comma = "," if parameter is not self.parameters[0] else ":"
            text = f"[{comma}{parameter.name}{text}]"
        return self.name + text + ("..." if self.many else "")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault with its parameters filled in, in the order of its kind."""

    name: str
    values: tuple[float, ...] = ()

    def __str__(self) -> str:
        return self.name + (":" + ",".join(f"{value:g}" for value in self.values) if self.values else "")


def _seconds(default: float, name: str = "seconds") -> FaultParameter:
    return FaultParameter(name, default, low=0, high=86_400, whole=False)


def _every(default: int) -> FaultParameter:
    return FaultParameter("every", default)


_KINDS = (
    FaultKind(
        "silence",
        "answers nothing; with a number: nothing any more after that many replies",
        (FaultParameter("after", 0, low=0),),
    ),
    FaultKind(
        "delay", "every n-th reply (all of them) is late by so many seconds", (_seconds(0.5), _every(1))
    ),
    FaultKind(
        "corrupt", "one bit is flipped in every n-th frame (4), so that its checksum is wrong", (_every(4),)
    ),
    FaultKind("truncate", "every n-th reply (4) is cut short, and its rest never comes", (_every(4),)),
    FaultKind(
        "junk",
        "bytes that are no frame stand before every n-th reply (2), false headers among them",
        (_every(2),),
    ),
    FaultKind(
        "split",
        "replies come in pieces of at most so many bytes, so many seconds apart",
        (FaultParameter("bytes", 7), _seconds(0.001)),
    ),
    FaultKind(
        "join",
        "so many replies come in one segment; one that stands alone is held for so many seconds",
        (FaultParameter("replies", 2), _seconds(0.05)),
    ),
    FaultKind(
        "old-firmware",
        "replies end earlier, as older firmware's do: a pack of 20 cells sends so many bytes",
        (FaultParameter("bytes", 109, choices=(109, 110, 126, 128, 129)),),
        of=Of.VESC,
    ),
    FaultKind(
        "no-bms", "there is no BMS on the CAN bus: the pack's reply is all zero, with can_id 255", of=Of.VESC
    ),
    FaultKind(
        "script-bms",
        "a script on the Express sets the pack's values: cells with can_id 255, no BMS",
        of=Of.VESC,
    ),
    FaultKind("frozen-bms", "the BMS answers, but its values do not move any more; the controller's do"),
    FaultKind(
        "dead-cell",
        "a cell reads 0 V, and the pack's voltage is less by that cell",
        (FaultParameter("cell", 2, high=50),),
        of=Of.PACK,
    ),
    FaultKind(
        "absurd",
        "a cell reads so many volts, which no cell has; the pack's voltage is right",
        (FaultParameter("volts", 6.2, low=5.1, high=60, whole=False),),
        of=Of.PACK,
    ),
    FaultKind(
        "asleep",
        "it leaves the first so many requests unanswered, and wakes of them",
        (FaultParameter("requests", 2),),
        of=Of.PACK,
    ),
    FaultKind(
        "refuses",
        "it refuses every request in the way that its protocol has for that (a Modbus exception)",
        of=Of.PACK,
    ),
    FaultKind("lost", "every n-th reply (3) is lost on its way", (_every(3),), of=Of.PACK),
    FaultKind(
        "pin",
        "it answers nobody who has not logged in with this PIN, where its protocol has such a login",
        (FaultParameter("number", 123_456, low=0, high=99_999_999),),
        of=Of.PACK,
    ),
    FaultKind(
        "displaced",
        "the connection is closed every so many seconds, as a hub does when another client logs in",
        (_seconds(5.0),),
        of=Of.TCP,
    ),
    FaultKind(
        "slow-can",
        "the CAN bus is slow: seconds for a round trip, and for PING_CAN",
        (_seconds(0.3), _seconds(5.0, "ping")),
        of=Of.VESC,
    ),
    FaultKind(
        "dead-node",
        "the device with this CAN id stops answering; of a BMS the others keep the last values",
        (FaultParameter("can-id", 84, low=0, high=254),),
        many=True,
        of=Of.VESC,
    ),
    FaultKind(
        "prints", "packets that nobody asked for come before every n-th reply", (_every(1),), of=Of.VESC
    ),
    FaultKind(
        "close-in-the-middle",
        "the connection is closed when half of every n-th reply (3) has been sent",
        (_every(3),),
    ),
    FaultKind(
        "cold-parser",
        "every client finds the parser inside a half frame: up to 515 bytes are swallowed before it answers",
        of=Of.VESC,
    ),
    FaultKind("http", "not a VESC at all: whatever is sent, an HTTP server answers and closes", of=Of.TCP),
    FaultKind("one-way", "accepts a connection and never reads from it", of=Of.TCP),
    FaultKind(
        "wedge",
        "the device hangs, as after FORWARD_CAN without an id: silence until it is restarted",
        of=Of.VESC,
    ),
    FaultKind(
        "lost-notifications",
        "every n-th notification (5) is lost on its way: a frame has a hole",
        (_every(5),),
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "mtu",
        "it agrees to so many bytes a packet and no more: notifications hold three fewer",
        (FaultParameter("bytes", 23, low=23, high=517),),
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "second-client",
        "an app holds its only connection: it advertises nothing, and nobody else gets in",
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "link-loss",
        "the connection breaks every so many seconds, as at the edge of reach",
        (_seconds(5.0),),
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "weak-signal",
        "it is heard at so many dBm",
        (FaultParameter("dbm", -92, low=-127, high=0),),
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "other-write-type",
        "its table promises both kinds of write; it heeds only the kind that the model does not name",
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "with-response",
        "its table promises both kinds of write; it heeds only those with response",
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "other-services",
        "its GATT services are not the model's: another board, or a newer firmware",
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "pairing",
        "it heeds nobody who has not paired with it: writes are refused (insufficient authentication)",
        of=Of.BLUETOOTH,
    ),
    FaultKind("not-connectable", "it advertises, and takes no connection", of=Of.BLUETOOTH),
    FaultKind("no-link", "it advertises as ever, and no connection is ever completed", of=Of.BLUETOOTH),
    FaultKind(
        "notify-refused",
        "notifications cannot be switched on: that is refused (write not permitted)",
        of=Of.BLUETOOTH,
    ),
    FaultKind(
        "no-notify", "what notifies in the model has no such property: it can only be read", of=Of.BLUETOOTH
    ),
    FaultKind(
        "duplicate-uuid",
        "another service has a characteristic with the UUID of the one that notifies",
        of=Of.BLUETOOTH,
    ),
    FaultKind("cut-frames", "of every frame only the first notification is sent", of=Of.BLUETOOTH),
    FaultKind("echo", "it sends back what it is sent, and no answer", of=Of.PACK),
    FaultKind(
        "wrong-checksum",
        "the checksum of every frame is another, and always the same: one of its own",
        of=Of.PACK,
    ),
    FaultKind(
        "hurried",
        "it leaves a request unanswered that comes sooner than so many seconds after the last",
        (_seconds(0.8),),
        of=Of.PACK,
    ),
    FaultKind(
        "deaf-at-first",
        "it hears no request in so many seconds from the beginning of a connection",
        (_seconds(2.0),),
        of=Of.PACK,
    ),
    FaultKind(
        "second-program",
        "it answers somebody else, too: its first reply comes again and again, every so many seconds",
        (_seconds(0.15),),
        of=Of.PACK,
    ),
)

#: Every fault by name.
FAULTS = {kind.name: kind for kind in _KINDS}


def parse_fault(text: str) -> Fault:
    """Read `name[:number[,number]]`; raise BadOptionError that names what there is."""
    name, colon, rest = text.strip().partition(":")
    kind = FAULTS.get(name)
    if kind is None:
        near = get_close_matches(name, FAULTS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FAULTS)}"
        raise BadOptionError(f"there is no fault {name!r}: {hint}")
    texts = rest.split(",") if colon else []
    if len(texts) > len(kind.parameters) and not (kind.many and kind.parameters):
        raise BadOptionError(f"fault {text!r} has too many numbers: it is {kind.usage}")
    given = [
        _number(kind, kind.parameters[min(index, len(kind.parameters) - 1)], number)
        for index, number in enumerate(texts)
    ]
    left_out = [parameter.default for parameter in kind.parameters[len(given) :]]
    return Fault(name, (*given, *left_out))


def _number(kind: FaultKind, parameter: FaultParameter, text: str) -> float:
    try:
        value = int(text) if parameter.whole else float(text)
    except ValueError:
        raise BadOptionError(f"{text!r} is no number for fault {kind.usage}") from None
    if parameter.choices and value not in parameter.choices:
        choices = ", ".join(map(str, parameter.choices))
        raise BadOptionError(f"fault {kind.usage}: {parameter.name} is one of {choices}")
    if not parameter.low <= value <= parameter.high:
        raise BadOptionError(
            f"fault {kind.usage}: {parameter.name} is {parameter.low:g} to {parameter.high:g}"
        )
    return value


class Faults:
    """The faults that a device has now. They can be ordered and cancelled while it runs.

    `on_change` is called with a fault's name after it was ordered or cancelled.
    """

    __slots__ = ("_active", "on_change")

    def __init__(self, faults: Iterable[str | Fault] = ()) -> None:
        self.on_change: list[Callable[[str], None]] = []
        self._active: dict[str, tuple[float, ...]] = {}
        for fault in faults:
            self.order(fault)

    def order(self, fault: str | Fault) -> None:
        """Begin a fault, or change its parameters; raise BadOptionError where there is no such fault."""
        if isinstance(fault, str):
            fault = parse_fault(fault)
        self._active[fault.name] = fault.values
        self._changed(fault.name)

    def cancel(self, name: str) -> None:
        """End a fault; nothing happens where it is not active."""
        if self._active.pop(name, None) is not None:
            self._changed(name)

    def get(self, name: str) -> tuple[float, ...] | None:
        """Return the parameters of an active fault, None where it is not active."""
        return self._active.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._active

    def __iter__(self) -> Iterator[Fault]:
        return (Fault(name, values) for name, values in self._active.items())

    def _changed(self, name: str) -> None:
        for call in tuple(self.on_change):
            call(name)
