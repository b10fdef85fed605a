"""Sessions made up with a seed, and which message truly answers which: for the figures of `pairs`.

Each family is one shape of protocol. A session has pauses, bursts, lost, late and wrong replies, and messages
that come by themselves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from packwire.direction import Direction
from packwire.wire.checksum import CHECKSUMS
from tests.insight.tables import FROM, TO

type Said = tuple[float, Direction, bytes]


@dataclass(frozen=True)
class Family:
    """One shape: `commands` makes what is asked, `replies` the messages of a reply (also of an error)."""

    name: str
    commands: Callable[[Random], list[bytes]]
    replies: Callable[[Random, bytes, bool], list[bytes]]
    framing: str = ""
    in_a_row: bool = True
    numbered: bool = False
    """Whether byte 1 of a request counts, and is repeated by the reply."""


@dataclass
class Session:
    """What was said, in order, and for each row the request that it answers (-1: none)."""

    family: Family
    said: list[Said] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


def _noise(random: Random, count: int) -> bytes:
    """Return what readings look like: mostly small steps around a level, some zeros."""
    level = random.randrange(256)
    return bytes(random.choice((0, level, (level + random.randrange(3)) & 0xFF)) for _ in range(count))


def _modbus(frame: bytes) -> bytes:
    return frame + CHECKSUMS["CRC-16/MODBUS"].of(frame).to_bytes(2, "little")


def _jbd(command: int, content: bytes, status: int = 0) -> bytes:
    covered = bytes((status, len(content))) + content
    return bytes((0xDD, command)) + covered + CHECKSUMS["sum16 negated"].of(covered).to_bytes(2) + b"\x77"


def _jbd_request(way: int, command: int, content: bytes = b"") -> bytes:
    covered = bytes((command, len(content))) + content
    return bytes((0xDD, way)) + covered + CHECKSUMS["sum16 negated"].of(covered).to_bytes(2) + b"\x77"


def _jbd_reply(random: Random, request: bytes, wrong: bool) -> list[bytes]:
    if wrong:
        return [_jbd(request[2], b"", 0x81)]
    sizes = {3: 29, 4: 8, 5: 12}
    content = b"" if request[1] == 0x5A else _noise(random, sizes.get(request[2], 2))
    return [_jbd(request[2], content)]


def _modbus_reply(random: Random, request: bytes, wrong: bool) -> list[bytes]:
    if wrong:
        return [_modbus(bytes((request[0], request[1] | 0x80, 2)))]
    count = 2 * request[5]
    return [_modbus(bytes((request[0], request[1], count)) + _noise(random, count))]


def _summed(frame: bytes) -> bytes:
    return frame + bytes((sum(frame) & 0xFF,))


def _daly_reply(random: Random, request: bytes, wrong: bool) -> list[bytes]:
    frames = 6 if request[2] == 0x95 else 1
    head = bytes((0xA5, 0x01, request[2], 8))
    return [
        _summed(head + (bytes((n + 1,)) if frames > 1 else _noise(random, 1)) + _noise(random, 7))
        for n in range(frames)
    ]


def _jk_frame(random: Random, kind: int) -> bytes:
    return _summed(b"\x55\xaa\xeb\x90" + bytes((kind,)) + _noise(random, 294))


def _jk_reply(random: Random, request: bytes, wrong: bool) -> list[bytes]:
    confirmed = _summed(b"\xaa\x55\x90\xeb\xc8\x01\x01" + bytes(12))
    if request[4] == 0x97:
        return [_jk_frame(random, 3), confirmed]
    return [confirmed]


def _some(low: int, high: int, most: int) -> Callable[[Random], list[int]]:
    return lambda random: random.sample(range(low, high), random.randint(2, most))


def _echoing(
    request: Callable[[int, Random], bytes],
    reply: Callable[[Random, bytes], bytes],
    registers: Callable[[Random], list[int]],
) -> tuple[Callable[[Random], list[bytes]], Callable[[Random, bytes, bool], list[bytes]]]:
    return (
        lambda random: [request(number, random) for number in registers(random)],
        lambda random, asked, wrong: [reply(random, asked)],
    )


#: The replies of the family without echo: a kind of its own for each command.
_PLAIN = {0xC5: (b"\x01\x00", 40), 0xD2: (b"\x02\x03", 18), 0x86: (b"\x09\x01", 9)}


def _numbered(
    close: Callable[[bytes], bytes], *, same: bool
) -> tuple[Callable[[Random], list[bytes]], Callable[[Random, bytes, bool], list[bytes]]]:
    """Requests and replies with a number; the reply's command is the `same` or has its top bit set."""

    def reply(random: Random, asked: bytes, wrong: bool) -> list[bytes]:
        command = asked[2] if same else asked[2] | 0x80
        content = _noise(random, 6 + asked[2] % 5)
        return [close(bytes((0x68, asked[1], command, len(content))) + content)]

    return (
        lambda random: [
            bytes((0x68, 0, number, 0)) for number in random.sample(range(1, 16), random.randint(2, 4))
        ],
        reply,
    )


FAMILIES = (
    Family(
        "register echo",
        *_echoing(
            lambda number, random: bytes((0x55, 0x04, number, 0xAA)),
            lambda random, asked: bytes((0x55, 0x14, asked[2])) + _noise(random, 16) + b"\xaa",
            _some(0x80, 0xA0, 12),
        ),
    ),
    Family(
        "command echo, elsewhere",
        *_echoing(
            lambda number, random: bytes((0xA5, number, 0, 1)),
            lambda random, asked: (
                bytes((0x5A, 0x01, 10 + asked[1] % 7, asked[1])) + _noise(random, 10 + asked[1] % 7)
            ),
            _some(0x10, 0x60, 8),
        ),
    ),
    Family(
        "echo plus 0x80",
        *_echoing(
            lambda number, random: bytes((0x3C, number, 0x00, 0x3E)),
            lambda random, asked: bytes((0x3C, asked[1] + 0x80)) + _noise(random, 11),
            lambda random: random.sample(range(1, 0x40), random.randint(3, 7)),
        ),
        in_a_row=False,
    ),
    Family(
        "echo of two bytes",
        *_echoing(
            lambda number, random: bytes((0x0F, 0x50 + number // 4, number % 4)) + bytes(16) + b"\x66",
            lambda random, asked: asked[:3] + _noise(random, 17),
            lambda random: random.sample(range(16), random.randint(4, 9)),
        ),
    ),
    Family(
        "Modbus RTU",
        lambda random: [
            _modbus(bytes((1, 3, 0, number * 8, 0, random.randint(1, 30))))
            for number in random.sample(range(30), 5)
        ],
        _modbus_reply,
        "Modbus RTU",
        in_a_row=False,
    ),
    Family(
        "JBD",
        lambda random: [
            *(_jbd_request(0xA5, number) for number in (3, 4, 5, *random.sample(range(0x10, 0x30), 3))),
            _jbd_request(0x5A, 0xE1, b"\0\1"),
        ],
        _jbd_reply,
        "JBD",
    ),
    Family(
        "JK, streaming",
        lambda random: [
            _summed(bytes((0xAA, 0x55, 0x90, 0xEB, number, 0)) + bytes(13)) for number in (0x97, 0x37, 0x6C)
        ],
        _jk_reply,
        "JK",
        in_a_row=False,
    ),
    Family(
        "Daly, several frames",
        lambda random: [
            _summed(bytes((0xA5, 0x40, number, 8)) + bytes(8)) for number in (0x90, 0x91, 0x93, 0x95)
        ],
        _daly_reply,
        "Daly",
        in_a_row=False,
    ),
    Family(
        "no echo",
        lambda random: [
            bytes((number, 0, 0, 0xBC, 0x61, 0x4E))
            for number in random.sample(list(_PLAIN), random.randint(1, 3))
        ],
        lambda random, asked, wrong: [_PLAIN[asked[0]][0] + _noise(random, _PLAIN[asked[0]][1])],
        in_a_row=False,
    ),
    Family("sequence number, sum", *_numbered(_summed, same=False), numbered=True),
    Family("sequence number, CRC", *_numbered(_modbus, same=True), numbered=True),
)


@dataclass(frozen=True)
class Weather:
    """What goes wrong in a session: shares of replies, and the interval of what comes by itself (s; 0: never)."""

    lost: float
    late: float
    wrong: float
    burst: int
    stream: float
    latency: float


def weather(random: Random, family: Family) -> Weather:
    """Return some mixture."""
    return Weather(
        lost=random.choice((0, 0.02, 0.05, 0.1)),
        late=random.choice((0, 0, 0.02, 0.05)),
        wrong=random.choice((0, 0.05)) if family.framing in ("JBD", "Modbus RTU") else 0,
        burst=random.choice((1, 1, 4, 12)) if family.in_a_row else 1,
        stream=random.choice((0, 0.4, 1.7)),
        latency=random.choice((0.03, 0.1, 0.35)),
    )


def session(seed: int, family: Family, requests: int = 120) -> Session:
    """Make one session of a family."""
    random = Random(f"{family.name} {seed}")
    conditions = weather(random, family)
    events: list[tuple[float, Direction, bytes, int]] = []
    commands = family.commands(random)
    now, number = 1.0, 0
    while number < requests:
        burst = commands[: conditions.burst] if conditions.burst > 1 else [commands[number % len(commands)]]
        free = now
        sent = now
        for command in burst:
            request = command
            if family.numbered:
                request = command[:1] + bytes((number & 0xFF,)) + command[2:]
                request = (_summed if family.name.endswith("sum") else _modbus)(request)
            events.append((sent, TO, request, -1 - number))
            begin = max(free, sent + conditions.latency * random.lognormvariate(0, 0.25))
            sent += random.uniform(0.003, 0.02)
            fate = random.random()
            if fate < conditions.lost:
                free = begin
            else:
                late = fate < conditions.lost + conditions.late
                at = begin + random.uniform(1.0, 2.5) if late else begin
                for part in family.replies(random, request, random.random() < conditions.wrong):
                    events.append((at, FROM, part, number))
                    at += random.uniform(0.004, 0.03)
                free = begin if late else at
            number += 1
        # The client asks again when all is answered, or after a second.
        answered = len([each for each in events if each[3] >= number - len(burst)]) >= len(burst)
        now = max(sent, free if answered and conditions.lost == 0 else min(free, sent + 1)) + random.uniform(
            0.05, 0.6
        )
        if random.random() < 0.03:
            now += 1.0
    events += _stream(random, family, conditions, now)
    return _in_order(family, events)


def _stream(
    random: Random, family: Family, conditions: Weather, end: float
) -> Iterator[tuple[float, Direction, bytes, int]]:
    at = 0.3 if family.framing == "JK" else random.uniform(0, 1)
    step = 0.5 if family.framing == "JK" else conditions.stream
    while step and at < end:
        content = _jk_frame(random, 2) if family.framing == "JK" else b"\xf0\x0d" + _noise(random, 6)
        yield at, FROM, content, -10_000_000
        at += step * random.uniform(0.95, 1.05)


def _in_order(family: Family, events: list[tuple[float, Direction, bytes, int]]) -> Session:
    """Sort by time; a mark below -1 is that of request -1 - mark, one from 0 on answers that request."""
    events = sorted(events, key=lambda event: event[0])
    rows = {-1 - mark: row for row, (_, way, _, mark) in enumerate(events) if way == TO}
    result = Session(family)
    for time, way, message, mark in events:
        result.said.append((time, way, message))
        result.answers.append(rows[mark] if way == FROM and mark >= 0 else -1)
    return result
