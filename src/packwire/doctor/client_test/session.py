"""One connection of a client under suspicion: what it sends, what it is sent, and what it does then."""

import asyncio
from dataclasses import replace
from typing import Protocol, override

from packwire.doctor.client_test.played import FirstWords, Played
from packwire.doctor.client_test.reactions import Action, ClientObservation
from packwire.doctor.client_test.stalls import Stalls
from packwire.doctor.client_test.trials import SentPiece, Trial, TrialKind
from packwire.doctor.client_test.verdict import LoginProblem
from packwire.wire.frame import FrameStats

#: So many other requests, and it does not ask the same again.
MOST_OTHERS = 24


class Testing(Protocol):
    """The test, as far as one connection needs it."""

    login_problem: LoginProblem | None
    played: Played
    stalls: Stalls

    def came(self, session: "ClientConnection") -> None:
        """Learn that a client came."""

    def went(self, session: "ClientConnection") -> None:
        """Learn that a client went."""

    def heard(self, data: bytes, stats: FrameStats) -> None:
        """Learn of a client's bytes, and what of them was in frames."""

    def answer(self, request: bytes) -> tuple[list[SentPiece], Trial | None, int]:
        """Return what is sent on a request, the trial that it is, and how many bytes the reply has."""

    def patience(self) -> float:
        """Return for how many seconds a reaction is waited for."""

    def time_to_send(self) -> float:
        """Return within how many seconds all is sent."""

    def observed(self, seen: ClientObservation) -> None:
        """Take what a client did."""


class ClientConnection(asyncio.Protocol):
    """One connection. `words` says what it spoke where that was another protocol, or not a client's."""

    def __init__(self, test: Testing) -> None:
        self.words = ""
        self._test = test
        self._loop = asyncio.get_running_loop()
        self._framer = test.played.framer()
        self._login = test.played.login() if test.played.login else None
        self._transport: asyncio.Transport | None = None
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._trial: Trial | None = None
        self._request = b""
        self._size = 0
        self._asked_at = 0.0
        self._sent_at: float | None = None
        self._first: ClientObservation | None = None
        self._others = 0
        self._hurry = False

    @property
    def stats(self) -> FrameStats:
        """Return the account of what the client sent."""
        return self._framer.stats

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._test.came(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(Action.CLOSES)
        if self._sending:
            self._sending.cancel()
        self._transport = None
        self._test.went(self)

    @override
    def data_received(self, data: bytes) -> None:
        if self._login is not None:
            data = self._take_login(self._login, data)
        for frame in self._framer.feed(data) if data else []:
            self._asked(frame.payload)
        self._test.heard(data, self._framer.stats)

    @override
    def pause_writing(self) -> None:
        """Read no more from a client that reads nothing: else the replies to it would pile up here."""
        if self._transport:
            self._transport.pause_reading()

    @override
    def resume_writing(self) -> None:
        if self._transport:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close it: the client has left it for another one, or does nothing more."""
        self._settle(Action.CLOSES)
        if self._transport:
            self._transport.abort()

    def _take_login(self, login: FirstWords, data: bytes) -> bytes:
        rest = login.take(data)
        self.words = login.words or self.words
        self._test.login_problem = login.problem or self._test.login_problem
        if login.over:
            self._login = None
            if login.reply and self._transport:
                self._transport.write(login.reply)
        return rest

    def _asked(self, request: bytes) -> None:
        self._hurry = True  # what is on its way comes whole, and before the next
        if self._trial is not None:
            command_of = self._test.played.command_of
            if command_of(request) == command_of(self._request):
                self._settle(Action.REPEATS)
            else:
                self._first = self._first or self._observation(self._trial, Action.GOES_ON)
                self._others += 1
                if self._others > MOST_OTHERS:
                    self._settle(Action.GOES_ON)
        sent, trial, size = self._test.answer(request)
        if trial is not None:
            if trial.kind is TrialKind.FRESH:
                self._trial = trial
                self._asked_at = self._sent_at = self._loop.time()
                self.close()
                return
            self._trial, self._request, self._size = trial, request, size
            self._first, self._others = None, 0
            self._asked_at = self._loop.time()
            self._sent_at = None if sent else self._asked_at
            if self._timer:
                self._timer.cancel()
            self._timer = self._loop.call_later(self._test.patience(), self._out_of_patience)
        if sent:
            self._sending = self._loop.create_task(
                self._send(sent, self._sending, of_trial=trial is not None)
            )

    async def _send(
        self, sent: list[SentPiece], before: "asyncio.Task[None] | None", *, of_trial: bool
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._hurry = False
        within = self._test.time_to_send()
        began = self._loop.time()
        for piece in sent:
            if self._transport is None:
                return
            self._transport.write(piece.data)
            if of_trial and piece is sent[-1]:
                self._sent_at = self._loop.time()
            late = self._hurry or self._loop.time() - began > within
            if piece.rest and piece is not sent[-1] and not late:
                await asyncio.sleep(min(piece.rest, within))

    def _out_of_patience(self) -> None:
        if self._trial is not None:
            self._settle(Action.NOTHING)
            self.close()

    def _settle(self, action: Action) -> None:
        """Tell what the client did after the trial that is watched."""
        trial, self._trial = self._trial, None
        first, self._first = self._first, None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if trial is None:
            return
        last = self._observation(trial, action)
        self._test.observed(replace(first, last=last) if first else last)

    def _observation(self, trial: Trial, action: Action) -> ClientObservation:
        now = self._loop.time()
        after = -1.0 if self._sent_at is None else now - self._sent_at
        stalled = self._test.stalls.longest(self._asked_at, now)
        return ClientObservation(
            trial, self._request, self._size, action, after, now - self._asked_at, stalled=stalled
        )
