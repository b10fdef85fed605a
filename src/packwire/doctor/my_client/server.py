"""Plays the hub and the device for a client under suspicion: sends the trials, watches what the client does.

    async with ClientTest(print, port=65101) as test:
        verdict = await test.run()

A login line at the begin is taken with any id and password, and forgotten; without one it is a device's own
port. `PING` is answered. One client at a time is examined: a new connection takes the place of the older.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from packwire.doctor.my_client.judge import judge
from packwire.doctor.my_client.plan import SUSPECTS, Findings, Script, script
from packwire.doctor.my_client.reactions import Action, Observation
from packwire.doctor.my_client.replies import answerable, command_of, reply_to
from packwire.doctor.my_client.trials import Piece, Trial, pieces
from packwire.doctor.my_client.verdict import ClientVerdict, Meeting
from packwire.errors import UnreachableError
from packwire.link.tcp import place
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.hublogin import MAX_LINE
from packwire.wire.frame import FrameStats

#: A client that does nothing for so long does nothing more, in seconds; once it is known how it behaves, so
#: many times its longest pause.
PATIENCE = 20.0
_LEAST_PATIENCE, _PAUSES = 4.0, 4
#: So many requests are answered well before it is decided which command is examined (the battery's: at once).
_FIRST = 4
#: Another command is asked for in vain so often before the script goes on without it.
_IN_VAIN = 12
#: So many times something came, a wrong CRC among it, and no right request: that is enough.
_WRONG_REQUESTS = 3
#: A reply in pieces takes at most this part of the time that the client waits for one.
_PART_OF_WAIT = 0.4
_PIECE = 65536


class ClientTest:
    """Listens; raises UnreachableError where the port is taken.

    `tell` gets a line of text for each step, `watch` each observation and whether the client took what was
    sent (None: that cannot be told, or not yet).
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        patience: float = PATIENCE,
        watch: Callable[[Observation, bool | None], None] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.findings: Findings | None = None
        self._tell = tell
        self._watch = watch
        self._first_patience = patience
        self._longest = 0.0
        self._asked: Counter[int] = Counter()
        self._unanswerable: set[int] = set()
        self._stats = FrameStats()
        self._connections = 0
        self._requests = 0
        self._pieces = 0
        self._script: Script | None = None
        self._trial: Trial | None = None
        self._in_vain = 0
        self._session: _Session | None = None
        self._decided = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Session(self), self.host, self.port)
        except OSError as error:
            raise UnreachableError(
                f"{place(self.host, self.port)} cannot be listened on: {error.strerror or error}; "
                "does something else listen there already?"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._script = None
        if self._server:
            self._server.close()
        if self._session:
            self._session.close()

    async def run(self) -> ClientVerdict:
        """Wait until everything is decided; may be cancelled or timed out, then see `verdict`."""
        await self._decided.wait()
        return self.verdict

    @property
    def verdict(self) -> ClientVerdict:
        """Return what is known so far."""
        stats = replace(self._stats)
        if self._session:
            _add(stats, self._session.stats)
        met = Meeting(self._connections, self._requests, stats, tuple(sorted(self._unanswerable)))
        return judge(self.findings, met)

    def came(self, session: "_Session") -> None:
        """Learn of a new connection."""
        self._connections += 1
        if self._session:
            self._session.close()
        self._session = session
        if self._connections <= 2:
            self._tell("a client connected" if self._connections == 1 else "it connected again")

    def heard(self, stats: FrameStats) -> None:
        """Learn that bytes came: a client whose requests are all wrong gets no answer from anybody."""
        self._pieces += 1
        wrong = stats.crc_errors + self._stats.crc_errors
        if wrong and not self._requests and self._pieces > _WRONG_REQUESTS:
            self._finish()

    def went(self, session: "_Session") -> None:
        """Learn that a connection is over."""
        _add(self._stats, session.stats)
        if self._session is session:
            self._session = None

    def patience(self) -> float:
        """Return how long to wait for the client's next action."""
        known = self._longest and self.findings and len(self.findings.all_controls) >= 2
        return max(_LEAST_PATIENCE, _PAUSES * self._longest) if known else self._first_patience

    def answer(self, request: bytes) -> tuple[list[Piece], Trial | None, int]:
        """Return what to send in answer to a request, and which trial that is."""
        self._requests += 1
        if not answerable(request):
            self._unanswerable.add(request[0])
            return [], None, 0
        command = command_of(request)
        self._asked[command] += 1
        if self._script is None:
            self._begin(command)
        trial = self._trial
        if trial is not None and self.findings is not None:
            wanted = self.findings.command if trial.command is None else trial.command
            if command == wanted:
                self._in_vain = 0
                self._trial = None
                sent, size = pieces(trial, request)
                return sent, trial, size
            self._in_vain += 1
            if trial.command is not None and self._in_vain > _IN_VAIN:
                self._finish()  # it does not ask that any more
        reply = reply_to(request)
        assert reply is not None
        return [Piece(encode_frame(reply))], None, len(reply)

    def time_to_send(self) -> float:
        """Return how many seconds a reply in pieces may take: the client waits only so long for it."""
        missing = self.findings.controls.missing if self.findings else ()
        return _PART_OF_WAIT * min((each.after for each in missing), default=1.0)

    def observed(self, seen: Observation) -> None:
        """Take what came of a trial, and get the next one."""
        if seen.action in {Action.REPEATS, Action.GOES_ON}:
            self._longest = max(self._longest, seen.after)
        if self._watch:
            controls = self.findings.controls if self.findings else None
            self._watch(seen, controls.took(seen) if controls and controls.tell else None)
        if seen.action is Action.NOTHING:
            self._tell("it does nothing more: restart it for the next experiment")
        if self._script is None:
            return
        try:
            self._trial = self._script.send(seen)
        except StopIteration:
            self._finish()

    def _begin(self, command: int) -> None:
        """Choose the command that the client is examined by, once there is reason enough."""
        if command != SUSPECTS[0] and sum(self._asked.values()) < _FIRST:
            return
        known = [each for each in SUSPECTS if self._asked[each]]
        if not known:
            return
        self.findings = Findings(known[0])
        self._script = script(self.findings, self._tell, self._other_command)
        self._trial = next(self._script)

    def _other_command(self) -> int | None:
        """Return what else the client asks often, for a second look."""
        assert self.findings is not None
        others = [(count, each) for each, count in self._asked.items() if each != self.findings.command]
        return max(others)[1] if others and max(others)[0] >= 2 else None

    def _finish(self) -> None:
        self._decided.set()


class _Session(asyncio.Protocol):
    """One connection of the client."""

    def __init__(self, test: ClientTest) -> None:
        self._test = test
        self._loop = asyncio.get_running_loop()
        self._framer = Framer()
        self._login: bytearray | None = bytearray()
        self._transport: asyncio.Transport | None = None
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._trial: Trial | None = None
        self._request = b""
        self._size = 0
        self._asked_at = 0.0
        self._sent_at: float | None = None

    @property
    def stats(self) -> FrameStats:
        """Return the account of what the client sent."""
        return self._framer.stats

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._test.came(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._settle(Action.CLOSES)
        if self._sending:
            self._sending.cancel()
        self._transport = None
        self._test.went(self)

    def data_received(self, data: bytes) -> None:
        if self._login is not None:
            data = self._take_login(data)
        for frame in self._framer.feed(data) if data else []:
            self._asked(frame.payload)
        self._test.heard(self._framer.stats)

    def close(self) -> None:
        """Close it: the client has left it for another one, or does nothing more."""
        self._settle(Action.CLOSES)
        if self._transport:
            self._transport.abort()

    def _take_login(self, data: bytes) -> bytes:
        """Take the login line off; nothing of it is kept."""
        assert self._login is not None
        self._login += data
        begin = bytes(self._login[:4]).upper()
        if begin not in {b"VESC", b"PING"}:
            if any(word.startswith(begin) for word in (b"VESC", b"PING")):
                return b""
        elif b"\n" not in self._login and len(self._login) <= MAX_LINE:
            return b""
        else:
            line, _, rest = bytes(self._login).partition(b"\n")
            self._login = None
            if line.upper().startswith(b"PING") and self._transport:
                self._transport.write(b"PONG\n")
            return rest.removeprefix(b"\0")
        rest, self._login = bytes(self._login), None
        return rest

    def _asked(self, request: bytes) -> None:
        if self._trial is not None:
            self._settle(Action.REPEATS if request == self._request else Action.GOES_ON)
        sent, trial, size = self._test.answer(request)
        if self._sending and not self._sending.done():
            self._sending.cancel()
        self._trial, self._request, self._size = trial, request, size
        self._asked_at = self._loop.time()
        self._sent_at = None if sent else self._asked_at
        self._sending = self._loop.create_task(self._send(sent)) if sent else None
        if trial is not None:
            self._timer = self._loop.call_later(self._test.patience(), self._out_of_patience)

    async def _send(self, sent: list[Piece]) -> None:
        within = self._test.time_to_send()
        for piece in sent:
            if self._transport is None:
                return
            self._transport.write(piece.data)
            self._sent_at = self._loop.time() if piece is sent[-1] else None
            hurry = self._loop.time() - self._asked_at > within
            if piece.rest and piece is not sent[-1] and not hurry:
                await asyncio.sleep(min(piece.rest, within))

    def _out_of_patience(self) -> None:
        if self._trial is not None:
            self._settle(Action.NOTHING)
            self.close()

    def _settle(self, action: Action) -> None:
        """Tell what the client did after the trial that is watched."""
        trial, self._trial = self._trial, None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if trial is None:
            return
        now = self._loop.time()
        after = -1.0 if self._sent_at is None else now - self._sent_at
        self._test.observed(
            Observation(trial, self._request, self._size, action, after, now - self._asked_at)
        )


def _add(total: FrameStats, more: FrameStats) -> None:
    total.received += more.received
    total.frames += more.frames
    total.junk += more.junk
    total.crc_errors += more.crc_errors
    total.bad_stops += more.bad_stops
    total.oversize += more.oversize
    total.waiting = more.waiting or total.waiting
