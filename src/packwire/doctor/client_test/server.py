"""Plays the hub and the device for a client under suspicion: sends the trials, watches what the client does.

    async with ClientTest(print, VESC, port=65101) as test:
        verdict = await test.run()

A login line at the begin is taken with any id and password, and forgotten; without one it is a device's own
port. `PING` is answered. One client at a time is examined: a new connection takes the place of the older.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Self

from packwire.address import place
from packwire.doctor.client_test.controls import NotAskedError, Script
from packwire.doctor.client_test.findings import ClientFindings
from packwire.doctor.client_test.judge import judge
from packwire.doctor.client_test.meeting import Meeting
from packwire.doctor.client_test.pack import family_spoken
from packwire.doctor.client_test.plan import script
from packwire.doctor.client_test.played import Ask, Played
from packwire.doctor.client_test.reactions import Action, ClientObservation
from packwire.doctor.client_test.session import ClientConnection
from packwire.doctor.client_test.stalls import Stalls
from packwire.doctor.client_test.trials import USUAL, SentPiece, Trial, TrialKind, time_to_send
from packwire.doctor.client_test.verdict import ClientReport, LoginProblem
from packwire.link.tcp import not_listening
from packwire.wire.frame import FrameStats

#: Lets clients come by other ways than TCP: told what makes the protocol of each, it says where it is found.
type Place = Callable[[Callable[[], asyncio.Protocol]], AbstractAsyncContextManager[str]]
#: A client that does nothing for so long does nothing more, in seconds; once it is known how it behaves, so
#: many times its longest pause.
PATIENCE = 20.0
_LEAST_PATIENCE, _PAUSES = 4.0, 4
#: So many requests are answered well before it is decided which command is examined (the battery's: at once).
_FIRST = 4
#: Another command is asked for in vain so often before the script goes on without it.
_IN_VAIN = 12
#: So many of its first bytes are kept, to tell in whose frames it asks.
_MOST_BEGUN = 512
#: So many times something came, a wrong CRC among it, and no right request: that is enough.
_WRONG_REQUESTS = 3
#: So many requests that nobody answers here: it will not ask anything else.
_HOPELESS = 60
#: The command that it is examined by is changed so often, where it does not ask it any more.
_CHANGES = 3
#: So many requests say what it asks at present.
_LATELY = 24
#: Parts of the patience: then it is told that no request came, and then that is the verdict.
_TELL_SILENCE, _END_SILENCE = 0.25, 3.0


class ClientTest:
    """Listens; raises UnreachableError where the port is taken.

    `tell` gets a line of text for each step, `watch` each observation and whether the client took what was
    sent (None: that cannot be told, or not yet). `ask` asks the user what the client shows, where nothing
    else tells. `at` is a place of another kind than a TCP port.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        played: Played,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        patience: float = PATIENCE,
        watch: Callable[[ClientObservation, bool | None], None] | None = None,
        ask: Ask | None = None,
        at: Place | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.played = played
        self.findings: ClientFindings | None = None
        self._tell = tell
        self._watch = watch
        self._first_patience = patience
        self._longest = 0.0
        self._asked: Counter[int] = Counter()
        self._asked_lately: deque[int] = deque(maxlen=_LATELY)
        self._asked_before: Counter[int] = Counter()
        """The same when what is examined was asked last."""
        self._unanswerable: set[int] = set()
        self._lacking: Counter[int] = Counter()
        self._broadcasts = 0
        self.stalls = Stalls()
        self.login_problem: LoginProblem | None = None
        self._stats = FrameStats()
        self._connections = 0
        self._requests = 0
        self._pieces = 0
        self._script: Script | None = None
        self._trial: Trial | None = None
        self._in_vain = 0
        self._changes = 0
        self._displaced = False
        """Whether a connection was closed for a newer one, which has asked nothing yet."""
        self._ask = ask
        self._began = b""
        self._standing: Trial | None = None
        self._left = 0
        self._enough = asyncio.Event()
        self._session: ClientConnection | None = None
        self._words = ""
        self._timers: list[asyncio.TimerHandle] = []
        self._decided = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._at = at
        self._where = ""
        self._stack = AsyncExitStack()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self.stalls.watch())
        if self._at is not None:
            self._where = await self._stack.enter_async_context(self._at(lambda: ClientConnection(self)))
            return self
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: ClientConnection(self), self.host, self.port)
        except OSError as error:
            raise not_listening(self.host, self.port, error) from error
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._script = None
        if self._watching:
            self._watching.cancel()
        for timer in self._timers:
            timer.cancel()
        if self._server:
            self._server.close()
        if self._session:
            self._session.close()
        await self._stack.aclose()

    @property
    def place(self) -> str:
        """Return where a client finds it: host and port, or what another place is called."""
        return self._where or place(self.host, self.port)

    async def run(self) -> ClientReport:
        """Wait until everything is decided; may be cancelled or timed out, then see `verdict`."""
        await self._decided.wait()
        if self._ask and self.played.ask_user:
            self._trial = None
            await self.played.ask_user(self, self._ask, self._tell)
        return self.verdict

    async def stand(self, trial: Trial, count: int) -> bool:
        """Answer all requests in one way from now on; come back after so many replies."""
        self._standing, self._left = trial, count
        self._enough.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(self.patience(), count * _PAUSES * self._longest)):
                await self._enough.wait()
        return self._enough.is_set()

    @property
    def verdict(self) -> ClientReport:
        """Return what is known so far."""
        stats = replace(self._stats)
        if self._session:
            stats.add(self._session.stats)
        words = (self._session.words if self._session else "") or self._words
        met = Meeting(
            self._connections,
            self._requests,
            stats,
            self.played,
            tuple(sorted(self._unanswerable)),
            words,
            self.login_problem,
            self._broadcasts,
            self._family,
            tuple(each for each, count in self._lacking.items() if count >= _WRONG_REQUESTS),
        )
        return judge(self.findings, met)

    def came(self, session: ClientConnection) -> None:
        """Learn of a new connection."""
        self._connections += 1
        if self._session:
            self._session.close()
            self._displaced = True
        self._session = session
        if self._connections == 1:
            loop = asyncio.get_running_loop()
            for part, look in ((_TELL_SILENCE, self._silent_so_far), (_END_SILENCE, self._silent)):
                self._timers.append(loop.call_later(part * self._first_patience, look))
        if self._connections <= 2:
            self._tell("a client connected" if self._connections == 1 else "it connected again")

    def heard(self, data: bytes, stats: FrameStats) -> None:
        """Learn that bytes came: a client whose requests are all wrong gets no answer from anybody."""
        self._pieces += 1
        if len(self._began) < _MOST_BEGUN:
            self._began += data
        wrong = stats.crc_errors + self._stats.crc_errors or self._family
        if wrong and not self._requests and self._pieces > _WRONG_REQUESTS:
            self._finish()

    @property
    def _family(self) -> str:
        """Return in whose frames a client asks that asks in none of this device's; empty where it does."""
        if self._requests or not self.played.families:
            return ""
        found = family_spoken(self._began)
        return "" if found in self.played.families else found

    def went(self, session: ClientConnection) -> None:
        """Learn that a connection is over."""
        self._stats.add(session.stats)
        self._words = session.words or self._words
        if self._session is session:
            self._session = None

    def _silent_so_far(self) -> None:
        if not self._requests:
            words = self._session.words if self._session else self._words
            what = words or ("what it sends is no request" if self._pieces else "it says nothing")
            self._tell(f"{what}: waiting for a request, such as {self.played.example}")

    def _silent(self) -> None:
        if not self._requests:
            self._finish()

    def patience(self) -> float:
        """Return how long to wait for the client's next action."""
        known = self._longest and self.findings and len(self.findings.all_controls) >= 2
        return max(_LEAST_PATIENCE, _PAUSES * self._longest) if known else self._first_patience

    def answer(self, request: bytes) -> tuple[list[SentPiece], Trial | None, int]:
        """Return what to send in answer to a request, and which trial that is."""
        self._requests += 1
        self._broadcasts += self.played.is_misled(request)
        if not self.played.answerable(request):
            outer = (self.played.outer or self.played.command_of)(request)
            self._unanswerable.add(outer)
            self._lacking[outer] += self.played.lacks(request)
            if self._script is None and self._requests >= _HOPELESS:
                self._finish()
            return [], None, 0
        command = self.played.command_of(request)
        self._heed(command)
        if self._displaced:  # what it does next may be that its other half ends
            self._displaced = False
            return [], None, 0
        if self._standing and self.findings and command == self.findings.command:
            return self._answer_standing(self._standing, request)
        trial = self._trial
        if trial is not None and self.findings is not None:
            wanted = self.findings.command if trial.command is None else trial.command
            if command == wanted:
                self._in_vain = 0
                self._asked_before = self._asked.copy()
                self._trial = None
                if trial.kind is TrialKind.FRESH:
                    self._tell("its connection is closed, to begin anew (restart it if it does not connect)")
                sent, size = self.played.pieces(trial, request)
                return sent, trial, size
            self._in_vain += 1
            if self._in_vain > _IN_VAIN:
                self._not_asked_any_more(trial)
        sent, size = self.played.pieces(USUAL, request)
        return sent, None, size

    def _answer_standing(self, trial: Trial, request: bytes) -> tuple[list[SentPiece], Trial | None, int]:
        self._left -= 1
        if self._left < 0:  # the reply to the last one that was counted has been sent, and read
            self._enough.set()
        sent, size = self.played.pieces(trial, request)
        return sent, None, size

    def time_to_send(self) -> float:
        """Return how many seconds a reply in pieces may take: the client waits only so long for it."""
        return time_to_send(self.findings.wait if self.findings else 0.0)

    def observed(self, seen: ClientObservation) -> None:
        """Take what came of a trial, and get the next one."""
        if seen.action in {Action.REPEATS, Action.GOES_ON}:
            self._longest = max(self._longest, (seen.last or seen).after)
        if self._watch:
            found = self.findings
            self._watch(seen, found.took(seen) if found and found.tells else None)
        if seen.action is Action.NOTHING:
            self._tell("it does nothing more: restart it for the next experiment")
        if self._script is None:
            return
        try:
            self._trial = self._script.send(seen)
        except StopIteration:
            self._finish()

    def _heed(self, command: int) -> None:
        """Count what it asks, and examine it by what tells most of that."""
        self._asked[command] += 1
        self._asked_lately.append(command)
        if self._script is None:
            self._begin(command)
        elif self._is_more_telling(command):
            self._examine_by(command)

    def _begin(self, command: int) -> None:
        """Choose the command that the client is examined by, once there is reason enough."""
        if command != self.played.suspects[0] and sum(self._asked.values()) < _FIRST:
            return
        known = [each for each in self.played.suspects if self._asked[each]]
        if not known:
            return
        self._examine_by(known[0])

    def _examine_by(self, command: int) -> None:
        self._in_vain = 0
        self.findings = ClientFindings(command, self.played)
        self._script = script(self.findings, self._tell, self._other_command)
        self._trial = next(self._script)

    def _is_more_telling(self, command: int) -> bool:
        """Tell whether it is asked the most telling thing only now, and nothing is known yet by the other."""
        found = self.findings
        first = self.played.suspects[0]
        return found is not None and found.command != command == first and not (found.results or found.done)

    def _not_asked_any_more(self, trial: Trial) -> None:
        """Examine it by something else that it asks since then, or end."""
        self._in_vain = 0
        since = self._asked - self._asked_before
        known = [
            each
            for each in self.played.suspects
            if since[each] and self.findings and each != self.findings.command
        ]
        if trial.command is not None and self._script is not None:
            self._trial = self._script.throw(NotAskedError())
            return
        self._changes += 1
        if not known or self._changes > _CHANGES:
            self._finish()
            return
        assert self.findings is not None
        self._tell(f"it does not ask {self.played.name(self.findings.command)} any more")
        self._examine_by(known[0])

    def _other_command(self) -> int | None:
        """Return what else the client asks often, for a second look."""
        assert self.findings is not None
        lately = Counter(self._asked_lately)
        others = [(count, each) for each, count in lately.items() if each != self.findings.command]
        return max(others)[1] if others and max(others)[0] >= 2 else None

    def _finish(self) -> None:
        self._decided.set()
