"""What is said on a connection, message by message while it goes on: logins, requests, replies, silence.

No I/O: bytes and times in, events out. Requests and replies are matched as in a finished recording: by the
command and by what else a reply carries; of several that wait, the first one is answered first.
"""

from collections import deque
from collections.abc import Generator, Iterator
from enum import Enum
from typing import NamedTuple

from packwire.capture.layers.conversation import patience, route
from packwire.vesc.commands import UNSOLICITED, Command
from packwire.vesc.framing import Framer
from packwire.vesc.hardware import ANSWERS
from packwire.vesc.hublogin import MAX_LINE, Login, Role, parse_login
from packwire.vesc.matching import acceptance
from packwire.wire.frame import Frame, FrameStats

#: A header that is waited for is looked behind when nothing has come for so long, in ns.
_FALSE_HEADER = 300_000_000
#: So many requests are remembered that wait for a reply.
_MAX_WAITING = 256

_ANSWERED_BY_SOMEONE = frozenset().union(*ANSWERS.values())
_KNOWN = frozenset(Command)


class What(Enum):
    """What an event is."""

    LOGIN = "login"
    HUB_ANSWER = "hub answer"
    REQUEST = "request"
    ONE_WAY = "one way"
    REPLY = "reply"
    UNSOLICITED = "unsolicited"
    UNANSWERED = "unanswered"


class Event(NamedTuple):
    """Something that was said, or not: `at` is in ns since the epoch, `side` 0 dialled.

    `payload` is that of the message (a hub's answer: its text); of UNANSWERED, that of the request.
    `request` and `latency` (ns) are there for a REPLY; `login` for a LOGIN that a hub would accept.
    """

    what: What
    side: int
    at: int
    payload: bytes = b""
    request: bytes | None = None
    latency: int | None = None
    login: Login | None = None


class _Question(NamedTuple):
    payload: bytes
    at: int


class LiveConversation:
    """One connection. `asked`, `answered` and `unanswered` count; `stats` account for the bytes of each side.

    `device` is the side that is the device or stands for it: 1, unless a device logs in from side 0.
    """

    def __init__(self) -> None:
        self.device = 1
        self.asked = 0
        self.answered = 0
        self.unanswered = 0
        self._framers = (Framer(), Framer())
        self._last = [0, 0]
        self._login: bytearray | None = bytearray()
        self.role: Role | None = None
        """As what side 0 logged in at a hub."""
        self._waiting: deque[_Question] = deque()

    @property
    def stats(self) -> tuple[FrameStats, FrameStats]:
        """Return the accounts of the bytes behind a login line, of both sides."""
        return self._framers[0].stats, self._framers[1].stats

    def feed(self, side: int, data: bytes, at: int) -> Iterator[Event]:
        """Take bytes that one side sent; yield what they say."""
        self._last[side] = at
        if side == 0 and self._login is not None:
            data = yield from self._take_login(data, at)
        if self.role is Role.PING:
            if data:
                yield Event(What.HUB_ANSWER, side, at, data[:MAX_LINE])
            return
        yield from self._frames(side, self._framers[side].feed(data) if data else [], at)

    def tick(self, now: int) -> Iterator[Event]:
        """Look after what waits: a false header, a request whose reply will not come any more."""
        for side in (0, 1):
            if self._framers[side].stats.waiting and now - self._last[side] > _FALSE_HEADER:
                yield from self._frames(side, self._framers[side].rescue(), now)
        while self._waiting and now - self._waiting[0].at > patience(_command(self._waiting[0].payload)):
            yield self._give_up(now)

    def end(self, now: int) -> Iterator[Event]:
        """Say what was never answered."""
        while self._waiting:
            yield self._give_up(now)

    def _take_login(self, data: bytes, at: int) -> Generator[Event, None, bytes]:
        """Yield the login line once it is whole; return what is no part of it."""
        assert self._login is not None
        self._login += data
        line = bytes(self._login)
        maybe = any(f"{role}:".encode().startswith(line[: len(role) + 1].upper()) for role in Role)
        if maybe and b"\n" not in line and len(line) <= MAX_LINE:
            return b""
        self._login = None
        if not maybe or b"\n" not in line:
            return line
        size = line.index(b"\n") + 1
        login = parse_login(line[: size - 1])
        self.role = login.role if login else None
        self.device = 0 if self.role is Role.DEVICE else 1
        yield Event(What.LOGIN, 0, at, login=login)
        rest = line[size:]
        return rest[1:] if rest[:1] == b"\0" else rest

    def _frames(self, side: int, frames: list[Frame], at: int) -> Iterator[Event]:
        for frame in frames:
            if side == self.device:
                yield self._from_device(side, frame.payload, at)
            else:
                yield from self._to_device(side, frame.payload, at)

    def _to_device(self, side: int, payload: bytes, at: int) -> Iterator[Event]:
        if not _expects_reply(_command(payload)):
            yield Event(What.ONE_WAY, side, at, payload)
            return
        self.asked += 1
        if len(self._waiting) == _MAX_WAITING:
            yield self._give_up(at)
        self._waiting.append(_Question(payload, at))
        yield Event(What.REQUEST, side, at, payload)

    def _from_device(self, side: int, payload: bytes, at: int) -> Event:
        for index, question in enumerate(self._waiting):
            ids, request = route(question.payload)
            if request and acceptance(request, ids[-1] if ids else None)(payload):
                del self._waiting[index]
                self.answered += 1
                return Event(What.REPLY, side, at, payload, question.payload, at - question.at)
        return Event(What.UNSOLICITED, side, at, payload)

    def _give_up(self, now: int) -> Event:
        question = self._waiting.popleft()
        self.unanswered += 1
        return Event(What.UNANSWERED, 1 - self.device, now, question.payload, latency=now - question.at)


def _command(payload: bytes) -> int:
    """Return the command that a request is about: of a forwarded one the inner one; -1: none."""
    _, inner = route(payload)
    return inner[0] if inner else -1


def _expects_reply(command: int) -> bool:
    if command in UNSOLICITED or command < 0:
        return False
    return command in _ANSWERED_BY_SOMEONE or command not in _KNOWN
