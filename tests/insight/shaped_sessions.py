"""Sessions of unknown protocols in further shapes: streams, sequence numbers, checksums, addresses in front."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from packwire.direction import Direction
from packwire.wire.checksum import CHECKSUMS
from tests.insight.switch_sessions import (
    LOGIN,
    Frame,
    Plant,
    Planted,
    Protocol,
    Session,
    crc16,
    sum8,
    talk,
    unclosed,
)
from tests.insight.tables import FROM, TO, table


@dataclass(frozen=True, slots=True)
class Shape:
    """A form of an unknown protocol.

    close      makes the checksum of all messages
    numbered   whether behind the mark lies a number that counts requests and is repeated, or counts a stream
    devices    how many devices are asked in turn, each with its address behind the mark
    streams    whether the device speaks by itself
    writes     how many writes there are
    """

    close: Callable[[bytes], bytes]
    numbered: bool = False
    devices: int = 0
    streams: bool = False
    writes: tuple[int, int] = (4, 10)


def _xor8(frame: bytes) -> bytes:
    return frame + CHECKSUMS["xor8"].of(frame).to_bytes(1)


def _crc_high(frame: bytes) -> bytes:
    return frame + CHECKSUMS["CRC-16/XMODEM"].of(frame).to_bytes(2)


def _marked(frame: bytes) -> bytes:
    return sum8(frame) + b"\x16"


SHAPES = {
    "stream, few writes": Shape(sum8, streams=True, writes=(4, 7)),
    "stream, few writes, open": Shape(unclosed, streams=True, writes=(4, 7)),
    "stream, xor": Shape(_xor8, streams=True),
    "stream, counted": Shape(_crc_high, numbered=True, streams=True),
    "numbered": Shape(_marked, numbered=True),
    "numbered, xor": Shape(_xor8, numbered=True),
    "numbered, CRC": Shape(crc16, numbered=True),
    "two devices": Shape(sum8, devices=2),
    "three devices, numbered": Shape(crc16, numbered=True, devices=3),
}


def session_of(name: str, seed: int, *, switch: bool) -> Session:
    """Return a session of one of `SHAPES`."""
    shape = SHAPES[name]
    source = random.Random(f"{name} {seed} {switch}")
    mark, size = source.randbytes(2), source.randrange(14, 40)
    addresses = [bytes([1 + number]) for number in range(shape.devices)] or [b""]
    frames = [
        Frame(
            b"" if shape.streams else mark + address + b"\x10" + bytes([kind]),
            mark + address + bytes([kind]),
            bytearray(size + kind),
            unclosed,
        )
        for kind in range(1, source.choice([2, 3, 4]))
        for address in addresses
    ]
    for frame in frames:
        frame.fill(source, source.randrange(0, 3))
    how = source.choice(["bit", "inverted", "enum"])
    register, address = source.randrange(0x20, 0xF0), addresses[0]
    protocol = Protocol(name, frames, lambda v: mark + address + bytes([register, v]),
                        lambda w: mark + address + b"\x06" + bytes([register]), None)  # fmt: skip
    own = [frame for frame in frames if frame.header.startswith(mark + address)]
    plant = Plant(source, own, how, active=switch)
    said = talk(source, protocol, plant, shape.writes)
    said.sort(key=lambda each: each[0])
    planted = plant.planted() if switch else None
    if planted is not None and shape.numbered:
        # The number lies behind the mark: what is behind it moves by one.
        planted = Planted(
            planted.header[:2] + b"\0" + planted.header[2:],
            frozenset((byte + 1, bit) for byte, bit in planted.bits),
        )
    return Session(name, how, table(_dressed(said, shape, source.randrange(256))), None, planted)


def _dressed(
    said: list[tuple[float, Direction, bytes]], shape: Shape, number: int
) -> list[tuple[float, Direction, bytes]]:
    """Number all messages but logins, and close them."""
    result = []
    for time, way, message in said:
        if message[:2] == LOGIN:
            result.append((time, way, message))
            continue
        number += way == FROM if shape.streams else way == TO
        counted = bytes([number & 0xFF]) if shape.numbered and (way == FROM or not shape.streams) else b""
        result.append((time, way, shape.close(message[:2] + counted + message[2:])))
    return result
