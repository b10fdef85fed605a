"""What is said on a connection, message by message while it goes on: logins, requests, replies, silence.

No I/O: bytes and times in, events out. Which reply answers which request is `packwire.protocol.exchange`'s to
say.
"""

from collections.abc import Generator, Iterator
from enum import Enum
from typing import NamedTuple

from packwire.protocol.exchange import STALL, Exchange, Lost, Replied
from packwire.protocol.exchange import Event as Paired
from packwire.protocol.observing import Caller, HeardRequest, HeardRule, LoginLine, Observer
from packwire.protocols import observer
from packwire.wire.frame import Frame, FrameStats

_STALL = int(STALL * 1e9)


class What(Enum):
    """What an event is."""

    LOGIN = "login"
    HUB_ANSWER = "hub answer"
    REQUEST = "request"
    ONE_WAY = "one way"
    REPLY = "reply"
    UNSOLICITED = "unsolicited"
    UNANSWERED = "unanswered"


class TapEvent(NamedTuple):
    """Something that was said, or not: `at` is in ns since the epoch, `side` 0 dialled.

    `payload` is that of the message (a hub's answer: its text); of UNANSWERED, that of the request.
    `request` and `latency` (ns) are there for a REPLY; `login` and `caller` for a LOGIN that a hub
    would accept.
    """

    what: What
    side: int
    at: int
    payload: bytes = b""
    request: bytes | None = None
    latency: int | None = None
    login: LoginLine | None = None
    caller: Caller | None = None


class LiveConversation:
    """One connection. `asked`, `answered` and `unanswered` count; `stats` account for the bytes of each side.

    `device` is the side that is the device or stands for it: 1, unless a device logs in from side 0.
    """

    def __init__(self, heard: Observer | None = None) -> None:
        """`heard`: what is known of the protocol; None: VESC's."""
        heard = heard or observer("vesc")
        self._observer = heard
        self.device = 1
        self.asked = 0
        self.answered = 0
        self.unanswered = 0
        self._framers = (heard.protocol.framer(), heard.protocol.framer())
        self._last = [0, 0]
        self._login: bytearray | None = bytearray()
        self.caller: Caller | None = None
        """As what side 0 logged in at a hub."""
        self._exchange: Exchange[HeardRequest, bytes] = Exchange(HeardRule(heard))

    @property
    def stats(self) -> tuple[FrameStats, FrameStats]:
        """Return the accounts of the bytes behind a login line, of both sides."""
        return self._framers[0].stats, self._framers[1].stats

    def feed(self, side: int, data: bytes, at: int) -> Iterator[TapEvent]:
        """Take bytes that one side sent; yield what they say."""
        self._last[side] = at
        if side == 0 and self._login is not None:
            data = yield from self._take_login(data, at)
        if self.caller is Caller.INQUIRER:
            if data:
                yield TapEvent(What.HUB_ANSWER, side, at, data[: self._observer.longest_opening])
            return
        yield from self._frames(side, self._framers[side].feed(data) if data else [], at)

    def tick(self, now: int) -> Iterator[TapEvent]:
        """Look after what waits: a false header, a request whose reply will not come any more."""
        for side in (0, 1):
            if self._framers[side].stats.waiting and now - self._last[side] > _STALL:
                yield from self._frames(side, self._framers[side].rescue(), now)
        yield from self._lost(self._exchange.advance(now), now)

    def end(self, now: int) -> Iterator[TapEvent]:
        """Say what was never answered."""
        yield from self._lost(self._exchange.close(), now)

    def _take_login(self, data: bytes, at: int) -> Generator[TapEvent, None, bytes]:
        """Yield the login line once it is whole; return what is no part of it."""
        assert self._login is not None
        self._login += data
        line = bytes(self._login)
        heard = self._observer
        maybe = any(begin.startswith(line[: len(begin)].upper()) for begin in heard.openings)
        if maybe and b"\n" not in line and len(line) <= heard.longest_opening:
            return b""
        self._login = None
        if not maybe or b"\n" not in line:
            return line
        opening = heard.opening(line)
        login = opening.login if opening else None
        self.caller = opening.caller if opening and login else None
        self.device = 0 if self.caller is Caller.DEVICE else 1
        yield TapEvent(What.LOGIN, 0, at, login=login, caller=self.caller)
        return line[opening.size if opening else line.index(b"\n") + 1 :]

    def _frames(self, side: int, frames: list[Frame], at: int) -> Iterator[TapEvent]:
        for frame in frames:
            if side == self.device:
                yield from self._from_device(side, frame.payload, at)
            else:
                yield from self._to_device(side, frame.payload, at)

    def _to_device(self, side: int, payload: bytes, at: int) -> Iterator[TapEvent]:
        asked = HeardRequest(payload, at)
        if self._exchange.kind(asked) is None:
            yield TapEvent(What.ONE_WAY, side, at, payload)
            return
        self.asked += 1
        limit = int(self._observer.patience(payload) * 1e9)
        yield from self._lost(self._exchange.ask(at, asked, limit=limit), at)
        yield TapEvent(What.REQUEST, side, at, payload)

    def _from_device(self, side: int, payload: bytes, at: int) -> Iterator[TapEvent]:
        events = self._exchange.hear(at, payload)
        yield from self._lost(events, at)
        said = events[-1]
        if isinstance(said, Replied):
            self.answered += 1
            yield TapEvent(What.REPLY, side, at, payload, said.request.message, said.after)
        else:
            yield TapEvent(What.UNSOLICITED, side, at, payload)

    def _lost(self, events: list[Paired[HeardRequest, bytes]], now: int) -> Iterator[TapEvent]:
        """Tell of the requests that are given up."""
        for event in events:
            if isinstance(event, Lost):
                asked = event.request
                self.unanswered += 1
                yield TapEvent(What.UNANSWERED, 1 - self.device, now, asked.message, latency=now - asked.at)
