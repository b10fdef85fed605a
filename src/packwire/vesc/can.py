"""VESC payloads on a CAN bus: cut into frames for a controller's buffer, and put together again.

A payload of up to 6 bytes goes in one frame. A longer one is filled into the receiver's buffer, 7 bytes a
frame up to the offset 255 and 6 behind that, and processed by a last frame with sender, mode, length and CRC
[bldc comm/comm_can.c, comm_can_send_buffer]. Identifiers have 29 bits: the command above the receiver's id.
"""

from typing import Final, override

from packwire.protocol.base import CanTransport
from packwire.vesc.commands import Command
from packwire.vesc.framing import DEVICE_MAX_PAYLOAD, Framer, encode_frame
from packwire.wire.checksum import crc16_xmodem

FILL, FILL_LONG, PROCESS, PROCESS_SHORT = 5, 6, 7, 8
REQUEST, REPLY = 0, 1
"""Modes: a command for the receiver, a reply for its client."""
OWN_ID: Final = 253
"""Who packwire is on the bus. VESC Tool is 254: on one bus, each gets its own replies."""

_EXTENDED: Final = 1 << 31
_SHORT, _FILLED, _FILLED_LONG, _LAST_SHORT_OFFSET = 6, 7, 6, 255
#: Payloads that may be under way to one receiver at a time; the firmware has as many buffers.
_BUFFERS: Final = 3


def fragments(payload: bytes, receiver: int, sender: int, mode: int = REQUEST) -> list[bytes]:
    """Return a payload as CAN frames: each its identifier in four bytes, and its data."""
    head = bytes((sender, mode))
    if len(payload) <= _SHORT:
        return [_frame(PROCESS_SHORT, receiver, head + payload)]
    frames, at = [], 0
    while at < len(payload):
        if at <= _LAST_SHORT_OFFSET:
            frames.append(_frame(FILL, receiver, at.to_bytes(1) + payload[at : at + _FILLED]))
            at += _FILLED
        else:
            frames.append(_frame(FILL_LONG, receiver, at.to_bytes(2) + payload[at : at + _FILLED_LONG]))
            at += _FILLED_LONG
    tail = len(payload).to_bytes(2) + crc16_xmodem(payload).to_bytes(2)
    return [*frames, _frame(PROCESS, receiver, head + tail)]


def _frame(command: int, receiver: int, data: bytes) -> bytes:
    return (_EXTENDED | command << 8 | receiver).to_bytes(4) + data


class Buffers:
    """What is under way to one receiver; `damaged` counts payloads of which frames are missing."""

    def __init__(self, receiver: int) -> None:
        self.damaged = 0
        self._receiver = receiver
        self._filled: list[bytes] = []

    def take(self, frame: bytes) -> tuple[int, int, bytes] | None:
        """Take a CAN frame; return sender, mode and payload where it was the last of one."""
        number, data = int.from_bytes(frame[:4]), frame[4:]
        if number & 0xFF != self._receiver or not number & _EXTENDED:
            return None
        match (number & ~_EXTENDED) >> 8:
            case command if command in {FILL, FILL_LONG}:
                width = 1 if command == FILL else 2
                self._fill(int.from_bytes(data[:width]), data[width:])
            case command if command == PROCESS_SHORT and len(data) > 2:
                return data[0], data[1], data[2:]
            case command if command == PROCESS and len(data) >= 6:
                payload = self._whole(int.from_bytes(data[2:4]), int.from_bytes(data[4:6]))
                return None if payload is None else (data[0], data[1], payload)
        return None

    def _fill(self, at: int, content: bytes) -> None:
        """Go on with the payload that has got so far, as the firmware does, or begin one."""
        begun = next((each for each in self._filled if len(each) == at), None)
        if begun is not None:
            self._filled.remove(begun)
        elif at:
            return
        if at + len(content) <= DEVICE_MAX_PAYLOAD:
            self._filled = [*self._filled[-(_BUFFERS - 1) :], (begun or b"") + content]

    def _whole(self, size: int, crc: int) -> bytes | None:
        payload = next((each for each in self._filled if len(each) == size), None)
        if payload is None or crc16_xmodem(payload) != crc:
            self._filled.clear()
            self.damaged += 1
            return None
        self._filled.remove(payload)
        return payload


class VescCanTransport(CanTransport):
    """Carries the stream that a VESC is spoken with to one controller, and to those behind it directly."""

    def __init__(self, controller: int) -> None:
        self._controller = controller
        self._framer = Framer(DEVICE_MAX_PAYLOAD)
        self._buffers = Buffers(OWN_ID)

    @override
    def sent(self, data: bytes) -> list[bytes]:
        units: list[bytes] = []
        for frame in self._framer.feed(data):
            payload, receiver = frame.payload, self._controller
            if payload[0] == Command.FORWARD_CAN and len(payload) > 2:
                receiver, payload = payload[1], payload[2:]
            units += fragments(payload, receiver, OWN_ID)
        return units

    @override
    def received(self, unit: bytes) -> bytes:
        found = self._buffers.take(unit)
        return encode_frame(found[2]) if found is not None and found[1] == REPLY else b""
