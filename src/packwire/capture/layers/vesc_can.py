"""VESC on CAN: 29-bit identifiers `command << 8 | controller id`, and payloads in buffers.

A long payload is filled into the receiver's buffer at offsets (FILL_RX_BUFFER, FILL_RX_BUFFER_LONG) and then
processed: sender, send mode, length, CRC-16/XMODEM. A short one comes with sender and send mode in one frame.
"""

from packwire.capture.layers.can import CanFrames
from packwire.capture.layers.can_transport import Transported
from packwire.capture.layers.link import Counts
from packwire.channel import Channel, Transport
from packwire.messages import Direction
from packwire.wire.checksum import crc16_xmodem

_FILL, _FILL_LONG, _PROCESS, _PROCESS_SHORT = 5, 6, 7, 8
#: Send modes: 0 and 2 hand a command to the receiver, 1 a reply to its client.
_REPLY_MODE = 1
#: What a device takes in its buffer.
_MAX_BUFFER = 512
_NOT_WHOLE = "a VESC payload over CAN of which frames are missing"

#: Commands that report, by number.
STATUS_NAMES = {
    9: "STATUS", 14: "STATUS_2", 15: "STATUS_3", 16: "STATUS_4", 17: "PING", 18: "PONG", 27: "STATUS_5",
    38: "BMS_V_TOT", 39: "BMS_I", 40: "BMS_AH_WH", 41: "BMS_V_CELL", 42: "BMS_BAL", 43: "BMS_TEMPS",
    44: "BMS_HUM", 45: "BMS_SOC_SOH_TEMP_STAT", 53: "BMS_AH_WH_CHG_TOTAL", 54: "BMS_AH_WH_DIS_TOTAL",
    58: "STATUS_6", 64: "BMS_STATUS_1", 65: "BMS_STATUS_2", 66: "BMS_STATUS_3", 67: "BMS_STATUS_4",
    68: "BMS_STATUS_5",
}  # fmt: skip
_NAMES = STATUS_NAMES | {
    _FILL: "FILL_RX_BUFFER", _FILL_LONG: "FILL_RX_BUFFER_LONG", _PROCESS: "PROCESS_RX_BUFFER",
    _PROCESS_SHORT: "PROCESS_SHORT_BUFFER",
}  # fmt: skip


def vesc_names(frames: CanFrames) -> dict[int, str]:
    """Return what VESC identifiers are called; empty where the extended ones are not VESC's."""
    identifiers = set(frames.id[frames.extended].tolist())
    # A bus of another kind has larger identifiers, or commands that no VESC knows.
    known = [each for each in identifiers if each < 1 << 16 and each >> 8 in _NAMES]
    if 2 * len(known) <= len(identifiers):
        return {}
    return {each: f"vesc {_NAMES[each >> 8]} {each & 0xFF}" for each in known}


def find_vesc_payloads(frames: CanFrames, left_out: Counts) -> list[Transported]:
    """Return the payloads that came through buffers, those with a right checksum."""
    result: list[Transported] = []
    buffers: dict[int, tuple[bytearray, list[int]]] = {}
    command = frames.id >> 8
    rows = (frames.extended & (command >= _FILL) & (command <= _PROCESS_SHORT)).nonzero()[0]
    for index in rows.tolist():
        receiver, kind, data = int(frames.id[index]) & 0xFF, int(command[index]), frames.content(index)
        if kind in (_FILL, _FILL_LONG):
            width = 1 if kind == _FILL else 2
            at = int.from_bytes(data[:width])
            buffer, sources = buffers.setdefault(receiver, (bytearray(_MAX_BUFFER), []))
            if len(data) > width and at + len(data) - width <= _MAX_BUFFER:
                buffer[at : at + len(data) - width] = data[width:]
                sources.append(index)
        elif kind == _PROCESS_SHORT and len(data) > 2:
            result.append(_transported(receiver, data, [index], data[2:]))
        elif kind == _PROCESS and len(data) >= 6:
            buffer, sources = buffers.pop(receiver, (bytearray(), []))
            size, crc = int.from_bytes(data[2:4]), int.from_bytes(data[4:6])
            content = bytes(buffer[:size])
            if len(content) == size > 0 and crc16_xmodem(content) == crc:
                result.append(_transported(receiver, data, [*sources, index], content))
            else:
                left_out.add(_NOT_WHOLE, 1)
    left_out.add(_NOT_WHOLE, len(buffers))
    return result


def _transported(receiver: int, head: bytes, frames: list[int], content: bytes) -> Transported:
    reply = head[1] == _REPLY_MODE
    direction = Direction.FROM_DEVICE if reply else Direction.TO_DEVICE
    channel = Channel(Transport.CAN, name=f"vesc {head[0]} -> {receiver}")
    return Transported(channel, direction, tuple(frames), content)
