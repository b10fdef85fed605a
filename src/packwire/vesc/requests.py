"""The requests that packwire sends: all of them read, none can move a motor or change a setting."""

from enum import Enum, auto

from packwire.protocol.observing import Addressed
from packwire.vesc.commands import Command

#: FORWARD_CAN to this id reaches every device at once; the replies collide and carry no sender.
CAN_BROADCAST = 255
#: A device hands a request on to the next bus at most so often; real ones have one bus.
MAX_NESTING = 3

#: Zeros can never be a frame. A device's parser is not reset when a client goes: if that client broke off
#: inside a frame, up to 520 bytes of the next one's requests are swallowed. This much filler cures it.
FILLER = bytes(520)


def request(command: Command) -> bytes:
    """Return the payload of a request that is a command id alone."""
    return bytes((command,))


def values_selective(command: Command, mask: int) -> bytes:
    """Return GET_VALUES_SELECTIVE or GET_VALUES_SETUP_SELECTIVE for the fields in a 32-bit mask."""
    return bytes((command,)) + mask.to_bytes(4)


def stats(mask: int = 0x07FF) -> bytes:
    """Return GET_STATS for the fields in a 16-bit mask (the reply repeats it as 32 bits)."""
    return bytes((Command.GET_STATS,)) + mask.to_bytes(2)


def custom_config(index: int = 0) -> bytes:
    """Return GET_CUSTOM_CONFIG for one of the device's configurations."""
    return bytes((Command.GET_CUSTOM_CONFIG, index))


def forward_can(can_id: int, inner: bytes) -> bytes:
    """Wrap a request for the device with this CAN id (0..254).

    A FORWARD_CAN without an inner payload wedges the device, and 255 is broadcast: both are refused here.
    """
    if not 0 <= can_id < CAN_BROADCAST:
        raise ValueError(f"CAN id {can_id} cannot be asked: ids are 0 to 254, and 255 is broadcast")
    if not inner:
        raise ValueError("FORWARD_CAN without an inner request wedges the device")
    return bytes((Command.FORWARD_CAN, can_id)) + inner


def inner_at(data: bytes | bytearray, begin: int = 0) -> int:
    """Return where the innermost request of what begins here stands; behind the end where there is none."""
    at = begin
    while at < len(data) and data[at] == Command.FORWARD_CAN:
        at += 2
    return at


class RouteProblem(Enum):
    """Why a request is not forwarded, or should not be."""

    EMPTY = auto()
    """FORWARD_CAN without a request in it: it wedges a device."""
    TOO_DEEP = auto()
    """Forwarded more than `MAX_NESTING` times."""
    BROADCAST = auto()
    """It goes to every node at once."""


class Unwrapped(Addressed):
    """A request, and the CAN ids by way of which it goes; `request` is empty where FORWARD_CAN has none."""

    __slots__ = ()

    @property
    def command(self) -> int:
        """Return the request's command; FORWARD_CAN where there is no request."""
        return self.request[0] if self.request else Command.FORWARD_CAN

    @property
    def problem(self) -> RouteProblem | None:
        """Return what is wrong with it, the worst first."""
        if not self.request:
            return RouteProblem.EMPTY
        if len(self.route) > MAX_NESTING:
            return RouteProblem.TOO_DEEP
        return RouteProblem.BROADCAST if CAN_BROADCAST in self.route else None


def unwrap(payload: bytes) -> Unwrapped:
    """Take a request out of the FORWARD_CANs around it, of any depth."""
    at = inner_at(payload)
    return Unwrapped(tuple(payload[1:at:2]), payload[at:])
