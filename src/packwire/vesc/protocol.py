"""VESC as a protocol: the table of its commands, its replies and its sessions behind the common interface."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, override

from packwire.errors import BadAddressError
from packwire.protocol.base import Asker, CanTransport, Gatt, Options, Protocol, Request, Session
from packwire.vesc import framing
from packwire.vesc.commands import Command, command_name
from packwire.vesc.matching import acceptance
from packwire.vesc.requests import CAN_BROADCAST, FILLER, forward_can, request
from packwire.vesc.traits import unsolicited
from packwire.wire.frame import StreamFramer

if TYPE_CHECKING:
    from packwire.advertisement import Advertisement
    from packwire.protocol.announcing import Announcing

#: Before the same command is asked again after a timeout, another one on the same way lets a late reply pass.
_FENCE, _FENCE_OF_FENCE = Command.FW_VERSION, Command.BMS_GET_VALUES


#: The Nordic UART service: what is written goes to the VESC's receiver, its answers notify
#: [vesc_express main/comm_ble.c; vesc_tool bleuart.cpp].
NORDIC_UART = Gatt(
    service="6e400001-b5a3-f393-e0a9-e50e24dcca9e",
    write="6e400002-b5a3-f393-e0a9-e50e24dcca9e",
    notify="6e400003-b5a3-f393-e0a9-e50e24dcca9e",
)


class VescProtocol(Protocol):
    """The VESC protocol, of controllers, Expresses and BMSs alike."""

    name = "vesc"
    title = "VESC"
    preamble = FILLER
    gatt = (NORDIC_UART,)

    @property
    @override
    def announcing(self) -> "Announcing":
        from packwire.vesc.announcement import ANNOUNCING  # noqa: PLC0415 - for who looks at a network

        return ANNOUNCING

    @override
    def can_transport(self, unit: int | None) -> CanTransport:
        from packwire.vesc.can import VescCanTransport  # noqa: PLC0415 - few are on a bus themselves

        if unit is None or unit >= CAN_BROADCAST:
            raise BadAddressError(
                "which VESC on the CAN bus is to be asked? Say its id: &address=10 (model=vesc-can only "
                "listens, and shows who is there)"
            )
        return VescCanTransport(unit)

    @override
    def framer(self) -> StreamFramer:
        return framing.Framer()

    @override
    def frame(self, request: Request) -> bytes:
        payload = request.payload if request.node is None else forward_can(request.node, request.payload)
        return framing.encode_frame(payload)

    @override
    def kind(self, message: bytes) -> Hashable:
        return message[0]

    @override
    def answers(self, request: Request, message: bytes) -> bool:
        if request.payload[0] != message[0]:
            return False
        return (request.accepts or acceptance(request.payload, request.node))(message)

    @override
    def spontaneous(self, message: bytes) -> bool:
        return unsolicited(message[0])

    @override
    def beside(self, request: Request) -> bool:
        return request.payload[0] == Command.PING_CAN

    @override
    def fence(self, request: Request) -> Request:
        other = _FENCE_OF_FENCE if request.payload[0] == _FENCE else _FENCE
        return Request(_question(other), request.node)

    @override
    def describe(self, message: bytes) -> str:
        return command_name(message[0])

    @override
    def mask(self, message: bytes) -> bytes:
        from packwire.vesc.secrets import mask_payload  # noqa: PLC0415 - for what is shown

        return mask_payload(message)

    @override
    def session(self, asker: Asker, options: Options) -> Session:
        from packwire.vesc.session import VescSession  # noqa: PLC0415 - a recording needs no session

        return VescSession(asker, options)

    @property
    @override
    def harmless(self) -> tuple[Request, ...]:
        return (Request(_question(_FENCE)),)

    @override
    def recognises(self, seen: "Advertisement") -> bool:
        # Many devices have that service; these names are the firmware's own.
        return seen.name.upper().startswith("VESC") and (
            not seen.service_uuids or NORDIC_UART.service in seen.service_uuids
        )

    @property
    @override
    def silence(self) -> str:
        return (
            "A VESC Express serves one client at a time and leaves the next in silence: close VESC Tool and "
            "other clients. If there are none, it is no VESC's port"
        )


def _question(command: Command) -> bytes:
    return request(command)
