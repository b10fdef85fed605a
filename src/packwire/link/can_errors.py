"""What an error frame of a CAN controller says [Linux, linux/can/error.h], by the codes of logs."""

from collections.abc import Iterator
from typing import Final, NamedTuple


class CanError(NamedTuple):
    """One thing that an error frame says: its code is that of the same sentence in a log."""

    code: str
    words: str


#: In the identifier.
BUS_OFF: Final = 0x40
_CONTROLLER: Final = 0x04
_PROTOCOL: Final = 0x08
_NO_ACK: Final = 0x20
#: In the second byte of the data: passive for what is received, or sent.
_PASSIVE: Final = 0x30
#: In the third byte, the kind of a protocol violation; in the fourth, where in a frame: its slot for ACK.
_TRANSMITTING: Final = 0x80
_VIOLATIONS: Final = {
    0x01: "a single bit",
    0x02: "the form of a frame",
    0x04: "bit stuffing",
    0x08: "a dominant bit",
    0x10: "a recessive bit",
}
_ACK_SLOT: Final = 0x19


def errors_of(identifier: int, data: bytes) -> Iterator[CanError]:
    """Yield what an error frame says; nothing where it tells of counters or of the transceiver alone."""
    controller, violation, place = (*data[1:4], 0, 0, 0)[:3]
    if identifier & BUS_OFF:
        yield CanError("can-bus-off", "bus-off: the controller saw too many errors and left the bus")
    unacknowledged = identifier & _NO_ACK or (violation & _TRANSMITTING and place == _ACK_SLOT)
    if unacknowledged:
        yield CanError("nobody-acks", "no-acknowledgement-on-tx: nobody acknowledged what was sent")
    if identifier & _PROTOCOL and not unacknowledged:
        kinds = [words for bit, words in _VIOLATIONS.items() if violation & bit]
        where = "sending" if violation & _TRANSMITTING else "receiving"
        yield CanError(
            "can-frame-bad", f"protocol-violation while {where}: {', '.join(kinds) or 'of some kind'}"
        )
    if identifier & _CONTROLLER and controller & _PASSIVE:
        yield CanError("can-passive", "error-passive: the controller sees many errors")
