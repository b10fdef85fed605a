"""Made-up sessions of an app with a battery: what moves by itself, and what a switch does.

A session is made of a protocol (how frames and writes look), of fields that move by themselves (voltages that
fall or rise, random walks, counters, clocks, states of charge, temperatures, flags that flicker), of silences,
logins and heartbeats, and of writes. In a session with a switch, one field follows the writes; in one without,
the writes change nothing. All from one seed.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from packwire.direction import Direction
from packwire.messages import Messages
from packwire.wire.checksum import CHECKSUMS
from tests.insight.tables import FROM, TO, table


@dataclass(frozen=True, slots=True)
class Planted:
    """The field that follows the writes: the header of its frames, its bits that ever change."""

    header: bytes
    bits: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Session:
    """A session; `header` is the length of the header where the framing is a known one."""

    protocol: str
    how: str
    messages: Messages
    header: int | None
    planted: Planted | None


@dataclass(slots=True)
class Moving:
    """Something that moves by itself: `size` bytes of a frame, big-endian or little."""

    at: int
    size: int
    value: float
    step: Callable[[random.Random, float, float], float]
    little: bool = False

    def put(self, body: bytearray) -> None:
        number = int(self.value) % (1 << 8 * self.size)
        body[self.at : self.at + self.size] = number.to_bytes(self.size, "little" if self.little else "big")


def _drift(rate: float, noise: float) -> Callable[[random.Random, float, float], float]:
    def step(source: random.Random, value: float, seconds: float) -> float:
        # What is measured rustles around what drifts; only the drift stays.
        return value + rate * seconds + source.gauss(0, noise * min(seconds, 1) ** 0.5)

    return step


def _flicker(mask: int, rate: float) -> Callable[[random.Random, float, float], float]:
    def step(source: random.Random, value: float, seconds: float) -> float:
        bit = source.choice([1 << at for at in range(8) if mask >> at & 1])
        return int(value) ^ bit if source.random() < rate * seconds else value

    return step


def _jumps(values: Sequence[int], rate: float) -> Callable[[random.Random, float, float], float]:
    def step(source: random.Random, value: float, seconds: float) -> float:
        return source.choice(values) if source.random() < rate * seconds else value

    return step


def _load(low: int, high: int) -> Callable[[random.Random, float, float], float]:
    def step(source: random.Random, value: float, seconds: float) -> float:
        if source.random() < 0.05 * seconds:
            return source.uniform(low, high)
        return value + source.gauss(0, 3)

    return step


def _moving(source: random.Random, at: int, size: int) -> Moving:
    """Return something of a kind that fits into so many bytes."""
    little = source.random() < 0.5
    if size == 2:
        kinds = [
            _drift(-source.uniform(0.02, 1.5), source.choice([0, 0, 0.4])),
            _drift(source.uniform(0.02, 1.5), source.choice([0, 0, 0.4])),
            _drift(0, source.uniform(0.1, 2.5)),
            _drift(-source.uniform(0.5, 5), 0),
            _load(0, 4000),
        ]
        return Moving(at, 2, source.uniform(2500, 4000), source.choice(kinds), little)
    kinds = [
        _drift(-source.uniform(0.01, 0.1), 0),
        _drift(source.uniform(0.01, 0.2), 0.1),
        _drift(1, 0),
        _flicker(source.choice([0x01, 0x10, 0x0C, 0x81]), source.uniform(0.01, 0.2)),
        _jumps([0, 1, 2, 4, 8], source.uniform(0.01, 0.06)),
        _drift(0, source.uniform(0.05, 0.4)),
    ]
    return Moving(at, 1, source.uniform(40, 90), source.choice(kinds))


@dataclass(slots=True)
class Frame:
    """One kind of frame of a device: what asks for it (empty: it comes by itself), its header and its body."""

    ask: bytes
    header: bytes
    body: bytearray
    close: Callable[[bytes], bytes]
    moving: list[Moving] = field(default_factory=list)

    def fill(self, source: random.Random, keep: int) -> None:
        """Put constants everywhere and things that move into half of the places, `keep` bytes left alone."""
        for at in range(len(self.body)):
            self.body[at] = source.choice([0, 0, source.randrange(256)])
        at = keep
        while at + 2 <= len(self.body):
            size = source.choice([1, 2])
            if source.random() < source.choice([0.15, 0.5]) and len(self.moving) < 24:
                self.moving.append(_moving(source, at, size))
            at += size

    def say(self) -> bytes:
        return self.close(self.header + bytes(self.body))


def sum8(frame: bytes) -> bytes:
    return frame + bytes([sum(frame) & 0xFF])


def _jbd(start: int = 2) -> Callable[[bytes], bytes]:
    return lambda frame: frame + (-sum(frame[start:]) & 0xFFFF).to_bytes(2) + b"\x77"


def crc16(frame: bytes) -> bytes:
    return frame + CHECKSUMS["CRC-16/MODBUS"].of(frame).to_bytes(2, "little")


def unclosed(frame: bytes) -> bytes:
    return frame


@dataclass(slots=True)
class Protocol:
    """How an app and a battery talk: kinds of frames, what writes look like and what answers them."""

    name: str
    frames: list[Frame]
    write: Callable[[int], bytes]
    answer: Callable[[bytes], bytes]
    header: int | None
    wide: bool = False
    """Whether values of 16 bits can be written."""


def _protocol(source: random.Random, name: str, *, pair: bool) -> Protocol:
    if name == "jbd":
        frames = [
            Frame(b"\xdd\xa5\x03\x00\xff\xfd\x77", b"\xdd\x03\x00\x1b", bytearray(27), _jbd()),
            Frame(b"\xdd\xa5\x04\x00\xff\xfc\x77", b"\xdd\x04\x00\x10", bytearray(16), _jbd()),
        ]
        register = source.choice([0xE1, 0x2D, 0x10])
        return Protocol(name, frames, lambda v: _jbd()(bytes([0xDD, 0x5A, register, 2, v >> 8, v & 0xFF])),
                        lambda w: _jbd()(bytes([0xDD, w[2], 0, 0])), 2, wide=True)  # fmt: skip
    if name == "jk":
        frames = [Frame(b"", b"\x55\xaa\xeb\x90\x02", bytearray(294), sum8)]
        register = source.choice([0x1D, 0x1E, 0x1F])

        def write(value: int) -> bytes:
            head = b"\xaa\x55\x90\xeb" + bytes([register, 4]) + value.to_bytes(4, "little")
            return sum8(head + source.randbytes(9))

        return Protocol(name, frames, write, lambda w: sum8(b"\xaa\x55\x90\xeb\xc8\x01\x01" + bytes(12)), 5,
                        wide=True)  # fmt: skip
    if name == "modbus":
        start, count, unit = (
            source.randrange(0, 200),
            source.choice([12, 24, 40]),
            source.choice([1, 2, 0x81]),
        )
        ask = crc16(bytes([unit, 3]) + start.to_bytes(2) + count.to_bytes(2))
        frames = [Frame(ask, bytes([unit, 3, 2 * count]), bytearray(2 * count), crc16)]
        register, six = start + source.randrange(0, count), source.random() < 0.4

        def write_register(value: int) -> bytes:
            place = register.to_bytes(2)
            if six:
                return crc16(bytes([unit, 6]) + place + value.to_bytes(2))
            return crc16(bytes([unit, 16]) + place + b"\0\1\2" + value.to_bytes(2))

        return Protocol(name, frames, write_register, lambda w: w if six else crc16(w[:6]), 2, wide=True)
    if name == "daly":
        frames = [
            Frame(
                sum8(bytes([0xA5, 0x40, code, 8]) + bytes(8)), bytes([0xA5, 1, code, 8]), bytearray(8), sum8
            )
            for code in (0x90, 0x93, 0x94)
        ]
        command = source.choice([0xD9, 0xDA])
        return Protocol(name, frames, lambda v: sum8(bytes([0xA5, 0x40, command, 8, v & 0xFF]) + bytes(7)),
                        lambda w: sum8(b"\xa5\x01" + w[2:12]), 3)  # fmt: skip
    mark, size = source.randbytes(2), source.randrange(14, 60)
    close = source.choice([sum8, crc16, unclosed])
    streams = source.random() < 0.5
    frames = [
        Frame(
            b"" if streams else close(mark + b"\x10" + bytes([kind])),
            mark + bytes([kind]),
            bytearray(size),
            close,
        )
        for kind in range(1, source.choice([2, 3]))
    ]
    codes = source.sample(range(0x20, 0xF0), 4)
    if pair:
        return Protocol("pair", frames, lambda v: close(mark + bytes([codes[v & 3]]) + bytes(3)),
                        lambda w: close(mark + b"\x06" + w[2:3]), None)  # fmt: skip
    return Protocol(name, frames, lambda v: close(mark + bytes([codes[0], v >> 8, v & 0xFF])),
                    lambda w: close(mark + b"\x06" + w[2:3]), None, wide=True)  # fmt: skip


PROTOCOLS = ("jbd", "jk", "modbus", "daly", "other")
LOGIN = b"\xff\xaa"
HOW = ("bit", "inverted", "enum", "register", "pair")


def session(seed: int, *, switch: bool) -> Session:
    """Return the session of a seed."""
    source = random.Random(seed * 2 + switch)
    how = source.choice(HOW)
    name = "other" if how == "pair" else source.choice(PROTOCOLS)
    protocol = _protocol(source, name, pair=how == "pair")
    if how == "register" and not protocol.wide:
        how = "enum"
    for frame in protocol.frames:
        frame.fill(source, source.randrange(0, 3))
    plant = Plant(source, protocol.frames, how, active=switch)
    said = talk(source, protocol, plant)
    planted = plant.planted() if switch else None
    return Session(protocol.name, how, table(said), protocol.header, planted)


class Plant:
    """The field that follows the writes; where it is not active, the writes say the same and nothing follows."""

    def __init__(self, source: random.Random, frames: list[Frame], how: str, *, active: bool) -> None:
        self.active, self.how = active, how
        self.frame = source.choice(frames)
        self.size = 2 if how == "register" else 1
        free = set(range(len(self.frame.body))) - {
            at for one in self.frame.moving for at in range(one.at, one.at + one.size)
        }
        wanted = [at for at in sorted(free) if at + self.size - 1 in free]
        self.at = source.choice(wanted) if wanted else 0
        self.frame.moving = [
            one for one in self.frame.moving if one.at + one.size <= self.at or one.at >= self.at + self.size
        ]
        self.bit = source.randrange(8)
        if how == "enum":
            self.values = source.choice([[0, 1, 2], [0, 1, 2, 3], [1, 2, 4]])
        elif how == "register":
            self.values = source.sample(range(100, 4000), source.choice([2, 3]))
        else:
            self.values = [0, 1]
        self.base = source.choice([0, 0, source.randrange(256)]) & ~(1 << self.bit)
        self.value = self.shown = self.values[0]
        self.lag = source.choice([0, 0, 0, 1, 2])
        self.late = 0
        self.seen: list[bytes] = []

    def written(self, value: int) -> None:
        self.value, self.late = value, self.lag

    def put(self, frame: Frame) -> None:
        if frame is not self.frame:
            return
        if self.late:
            self.late -= 1
        else:
            self.shown = self.value
        if not self.active:
            return
        if self.how in ("bit", "pair", "inverted"):
            on = bool(self.shown) != (self.how == "inverted")
            cells = bytes([self.base | on << self.bit])
        else:
            cells = self.shown.to_bytes(self.size)
        frame.body[self.at : self.at + self.size] = cells
        self.seen.append(cells)

    def planted(self) -> Planted:
        begin = len(self.frame.header) + self.at
        changed = [0] * self.size
        for cells in self.seen:
            for place in range(self.size):
                changed[place] |= cells[place] ^ self.seen[0][place]
        bits = {
            (begin + place, bit)
            for place in range(self.size)
            for bit in range(8)
            if changed[place] >> bit & 1
        }
        return Planted(self.frame.header, frozenset(bits))


def talk(
    source: random.Random, protocol: Protocol, plant: Plant, writes: tuple[int, int] = (4, 10)
) -> list[tuple[float, Direction, bytes]]:
    said: list[tuple[float, Direction, bytes]] = []
    now, period = 0.0, source.choice([0.25, 0.5, 1.0, 2.0])
    pause = source.random() < 0.4
    if source.random() < 0.4:
        said += _login(source, now)
        now += 1
    heartbeat = source.choice([None, None, b"\xaa\x01\x02\x03", None])

    def rounds(count: int) -> None:
        nonlocal now
        for _ in range(count):
            _round(source, protocol, plant, said, now, period)
            if heartbeat is not None and source.random() < 0.3:
                said.append((now + 0.9 * period, TO, heartbeat))
            now += period
            if pause and source.random() < 0.03:
                silence = source.uniform(5, 30)
                _pass(source, protocol, silence)
                now += silence

    rounds(source.randrange(4, 20))
    for number in range(source.randrange(*writes)):
        choice = [value for value in plant.values if value != plant.value]
        # Nobody switches without trying all: the first writes go through the values in turn.
        value = plant.values[(number + 1) % len(plant.values)] if number < 3 else source.choice(choice)
        code = plant.values.index(value) if plant.how == "pair" else value
        written = protocol.write(code)
        said += [(now, TO, written), (now + 0.05, FROM, protocol.answer(written))]
        if pause and source.random() < 0.4:
            silence = source.uniform(1, 10)
            _pass(source, protocol, silence)
            now += silence
        plant.written(value)
        now += 0.1
        if source.random() < 0.05:
            said += _login(source, now)
            now += 1
        rounds(source.randrange(4, 14))
    return said


def _login(source: random.Random, now: float) -> list[tuple[float, Direction, bytes]]:
    """A password, and its acknowledgement that repeats the command."""
    command = source.choice([0x15, 0x18])
    write = LOGIN + bytes([command, 6]) + b"123456"
    write += bytes([sum(write[2:]) & 0xFF])
    reply = LOGIN + bytes([command, 1, 0, (command + 1) & 0xFF])
    return [(now, TO, write), (now + 0.05, FROM, reply)]


def _pass(source: random.Random, protocol: Protocol, seconds: float) -> None:
    """Let everything move for a while in which nothing is said."""
    left = seconds
    while left > 0:
        part = min(left, 0.5)
        for frame in protocol.frames:
            for one in frame.moving:
                one.value = one.step(source, one.value, part)
        left -= part


def _round(
    source: random.Random,
    protocol: Protocol,
    plant: Plant,
    said: list[tuple[float, Direction, bytes]],
    now: float,
    period: float,
) -> None:
    share = period / len(protocol.frames)
    for place, frame in enumerate(protocol.frames):
        at = now + place * share
        if frame.ask:
            said.append((at, TO, frame.ask))
        for one in frame.moving:
            one.value = one.step(source, one.value, period)
            one.put(frame.body)
        plant.put(frame)
        said.append((at + 0.3 * share, FROM, frame.say()))
