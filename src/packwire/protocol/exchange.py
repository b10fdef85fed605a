"""Requests and replies: which message answers which request, and what became of the others.

One engine without I/O. What is asked and heard goes in, with its time; events come out. What answers what is
said by a `Rule`: known from a protocol, or learnt from a recording. A message answers one request at most; a
request may have several messages as its reply.

`Exchange` observes: somebody else asks, and all that can be known is what passes by. So a request is never
refused, and where several wait for the same reply, the times tell which one it belongs to.

`Asking` is for who asks, and so may wait with a request until its reply can be told apart: of each kind one
is under way, and what a lost reply would be taken for is not asked before it can come no more.
"""

from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, NamedTuple, Protocol

_SECOND = 1_000_000_000

#: Seconds: when a frame has begun and nothing more came for so long, its header is taken for a false one.
STALL = 0.2
#: Seconds: a reply that has not come after so long never comes, but to what is known to be slow.
LATEST = 3.0

#: Requests sent within this part of a usual latency are in one burst, which is answered in order.
_BURST = 4
#: Many times longer than usual.
_MUCH_LONGER = 4
#: So many latencies of one kind are remembered.
_REMEMBERED = 15
#: So many requests of one kind may wait, so many kinds of them, and replies to so many kinds go on; the
#: oldest are given up.
_MAX_WAITING, _MAX_KINDS, _MAX_ANSWERED = 64, 64, 64


class PairingRule[Q, R](Protocol):
    """What answers what."""

    def kind(self, request: Q) -> Hashable | None:
        """Return what a request asks for: equal where each reply to one may answer the other.

        None: it expects no reply.
        """

    def answers(self, request: Q, message: R) -> bool:
        """Say whether a message may be the reply to a request."""

    def continues(self, request: Q, message: R, earlier: Sequence[R]) -> bool:
        """Say whether a message that may answer goes on with a reply of which something came already."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long replies take, in ns: behind `due` they are late, behind `limit` none is looked for.

    Where replies are quick, none is looked for behind `times` usual latencies (but `least` at least).
    """

    due: int = 1 * _SECOND
    limit: int = 10 * _SECOND
    least: int = int(LATEST * _SECOND)
    times: int = 20


class Replied[Q, R](NamedTuple):
    """A message answers a request, `after` ns; `part` counts the messages of this reply from 0."""

    request: Q
    message: R
    after: int
    late: bool
    part: int


class Unsolicited[R](NamedTuple):
    """A message that answers nothing."""

    message: R


class Damaged[R](NamedTuple):
    """A message that came broken: nobody knows what it would have answered."""

    message: R


class Lost[Q](NamedTuple):
    """A request to which nothing came."""

    request: Q


type Event[Q, R] = Replied[Q, R] | Unsolicited[R] | Damaged[R] | Lost[Q]


class _Pending[Q, R]:
    """A request; `reply` is what came of its reply, the last of it at `heard`."""

    __slots__ = ("heard", "kind", "reply", "request", "time", "until")

    def __init__(self, request: Q, kind: Hashable, time: int, until: int) -> None:
        self.request = request
        self.kind = kind
        self.time = time
        self.until = until
        self.reply: list[R] | None = None
        self.heard = 0


class Exchange[Q, R]:
    """The state of one conversation; times in ns, never going back.

    `latencies` may hold those of an earlier look at the same conversation: kind -> ns.
    """

    def __init__(
        self,
        rule: PairingRule[Q, R],
        patience: Patience = Patience(),
        latencies: dict[Hashable, deque[int]] | None = None,
    ) -> None:
        self._rule = rule
        self._patience = patience
        self._waiting: dict[Hashable, list[_Pending[Q, R]]] = {}
        self._answered: dict[Hashable, _Pending[Q, R]] = {}
        self._in_order: deque[_Pending[Q, R]] = deque()
        self.latencies = {} if latencies is None else latencies
        self._usual: dict[Hashable, int] = {}
        """What is usual for a kind, until another latency of it is learnt."""

    def ask(self, time: int, request: Q, limit: int | None = None) -> list[Event[Q, R]]:
        """Take a request; return what became of earlier ones. `limit` ns instead of what is usual."""
        events = self.advance(time)
        kind = self._rule.kind(request)
        if kind is None:
            return events
        until = time + (self._limit(kind) if limit is None else limit)
        pending: _Pending[Q, R] = _Pending(request, kind, time, until)
        waiting = self._waiting.get(kind)
        if waiting is not None and len(waiting) >= _MAX_WAITING:
            self._give_up(waiting[0], time)
        elif waiting is None and len(self._waiting) >= _MAX_KINDS:
            for each in tuple(next(iter(self._waiting.values()))):
                self._give_up(each, time)
        if waiting is None:
            self._waiting[kind] = [pending]
        else:
            waiting.append(pending)
        self._in_order.append(pending)
        return events

    def _give_up(self, pending: _Pending[Q, R], time: int) -> None:
        pending.until = time - 1
        self._forget(pending)

    def hear(
        self, time: int, message: R, *, begun: int | None = None, damaged: bool = False
    ) -> list[Event[Q, R]]:
        """Take a message of the device; return what it is, behind what became of requests meanwhile.

        `begun` is when the first part of it came: what was asked later is not what it answers.
        """
        events = self.advance(time)
        if damaged:
            events.append(Damaged(message))
            return events
        begun = time if begun is None else begun
        pending = self._choose(time, begun, message)
        if pending is None or self._is_unlikely(time, pending):
            pending = self._continued(time, begun, message) or pending
        if pending is None:
            events.append(Unsolicited(message))
            return events
        after = time - pending.time
        if pending.reply is None:
            self._take(time, pending)
            pending.reply = [message]
        else:
            pending.reply.append(message)
        pending.heard = time
        late = after > self._patience.due
        events.append(Replied(pending.request, message, after, late, len(pending.reply) - 1))
        return events

    def outstanding(self, time: int, kind: Hashable) -> list[tuple[Q, int]]:
        """Return the requests of a kind whose replies may still come, and until when (ns)."""
        if kind not in self._waiting:
            return []
        waiting = {id(each.request): each for each in self._waiting[kind] if each.until >= time}
        return [(each.request, each.until) for each in waiting.values()]

    def release(self, request: Q) -> None:
        """Expect no reply to a request any more; what still comes is unsolicited."""
        for waiting in tuple(self._waiting.values()):
            for each in [each for each in waiting if each.request is request]:
                each.until = -1
                self._forget(each)

    def advance(self, time: int) -> list[Event[Q, R]]:
        """Let time pass; return the requests that are given up by now."""
        events: list[Event[Q, R]] = []
        in_order = self._in_order
        while in_order:
            oldest = in_order[0]
            if oldest.reply is None:
                if oldest.until >= time:
                    break
                self._forget(oldest)
                events.append(Lost(oldest.request))
            in_order.popleft()
        return events

    def close(self) -> list[Event[Q, R]]:
        """End the conversation; return the requests that still wait."""
        events: list[Event[Q, R]] = [Lost(each.request) for each in self._in_order if each.reply is None]
        self._in_order.clear()
        self._waiting.clear()
        self._answered.clear()
        return events

    def kind(self, request: Q) -> Hashable | None:
        """Return what a request asks for, as its rule says."""
        return self._rule.kind(request)

    def usual(self, kind: Hashable) -> int | None:
        """Return how long a reply to a kind of request takes as a rule, in ns; None: nothing is known yet.

        Of two the shorter: what is late is no rule.
        """
        known = self._usual.get(kind)
        if known is not None:
            return known
        own = self.latencies.get(kind)
        if own:
            result = self._usual[kind] = _median_low(own)
            return result
        heard = [each[-1] for each in self.latencies.values() if each]
        return _median_low(heard) if heard else None

    def _limit(self, kind: Hashable) -> int:
        usual = self.usual(kind)
        patience = self._patience
        if usual is None:
            return patience.limit
        return min(patience.limit, max(patience.least, patience.times * usual))

    def _choose(self, time: int, begun: int, message: R) -> _Pending[Q, R] | None:
        """Return the request which has waited about as long as replies take; of a burst the oldest."""
        answers = self._rule.answers
        found = [
            each
            for waiting in self._waiting.values()
            for each in waiting
            if each.until >= time and each.time <= begun and answers(each.request, message)
        ]
        if len(found) < 2:
            return found[0] if found else None
        best = min(found, key=lambda each: self._misfit(time, each))
        burst = (self.usual(best.kind) or time - best.time) // _BURST
        return min(
            (each for each in found if abs(each.time - best.time) <= burst), key=lambda each: each.time
        )

    def _is_unlikely(self, time: int, pending: _Pending[Q, R]) -> bool:
        """Say whether a request has waited much longer than usual: then its reply is lost, as a rule."""
        usual = self.usual(pending.kind)
        return usual is not None and time - pending.time > _MUCH_LONGER * usual

    def _misfit(self, time: int, pending: _Pending[Q, R]) -> float:
        """Return how far a request's age is from what is usual, as a logarithm; else the age in seconds."""
        usual = self.usual(pending.kind)
        age = max(time - pending.time, 1)
        if usual is None:
            return age / _SECOND
        return abs(log(age / max(usual, 1)))

    def _take(self, time: int, pending: _Pending[Q, R]) -> None:
        """Take a request off those that wait. Latencies are learnt where nobody else may have been meant."""
        self._forget(pending)
        kind = pending.kind
        others = self._waiting.get(kind)
        if others is None or all(each.time > pending.time for each in others):
            known = self.latencies.get(kind)
            if known is None:
                known = self.latencies[kind] = deque(maxlen=_REMEMBERED)
            known.append(time - pending.time)
            self._usual.pop(kind, None)
        self._answered.pop(kind, None)
        self._answered[kind] = pending
        if len(self._answered) > _MAX_ANSWERED:
            del self._answered[next(iter(self._answered))]

    def _continued(self, time: int, begun: int, message: R) -> _Pending[Q, R] | None:
        """Return the answered request whose reply this message goes on with."""
        fits = [
            each
            for each in self._answered.values()
            if time - each.heard <= self._patience.due
            and each.time <= begun
            and self._rule.answers(each.request, message)
            and self._rule.continues(each.request, message, each.reply or ())
        ]
        return max(fits, key=lambda each: each.heard, default=None)

    def _forget(self, pending: _Pending[Q, R]) -> None:
        waiting = self._waiting.get(pending.kind)
        if waiting is None or pending not in waiting:
            return
        waiting.remove(pending)
        if not waiting:
            del self._waiting[pending.kind]


def _median_low(numbers: Collection[int]) -> int:
    """Return the number in the middle, of two the lower, without what `statistics` makes sure of first."""
    return sorted(numbers)[(len(numbers) - 1) // 2]


class Askable(Protocol):
    """What is to be known of a request before it is sent."""

    @property
    def command(self) -> Hashable:
        """Return the kind of its reply, one of what it needs."""

    @property
    def way(self) -> Hashable:
        """Return the way by which it goes."""

    @property
    def needs(self) -> tuple[Hashable, ...]:
        """Return what it takes, each one at a time: its kind, and what else of the device or its bus."""

    @property
    def ordered(self) -> bool:
        """Return whether its reply keeps its place among the replies on this way."""

    @property
    def accepts(self) -> Callable[[bytes], bool] | None:
        """Return the test of a reply beyond its kind; None takes any."""


@dataclass(slots=True, eq=False)
class Sent[Q: Askable]:
    """A request that was sent and whose reply may still come; times in s, of any clock."""

    question: Q
    sent: float
    due: float
    """When it is late; once it is, when it is waited for no more."""
    order: int = field(default=0, kw_only=True)
    overdue: bool = field(default=False, kw_only=True)
    fenced: bool = field(default=False, kw_only=True)
    """Another request was sent whose reply will prove this one's lost."""


class Asking[S: Sent[Any]]:
    """What who asks has under way: which reply is whose, and what may be asked meanwhile.

    A reply that is late must never be taken for the answer to a later request. So a request whose reply did
    not come in time goes on to occupy its kind until the reply comes after all, or can come no more:
    something asked later on the same way was answered, or its time is up.
    """

    def __init__(self) -> None:
        self.busy: dict[Hashable, S] = {}
        """By what they need."""
        self.open: set[S] = set()
        self.overdue = 0
        self._order = 0

    def free(self, needs: tuple[Hashable, ...]) -> bool:
        """Tell whether what a request needs is not taken."""
        busy = self.busy
        return all(need not in busy for need in needs)

    def ask(self, request: S) -> S:
        """Note that a request is sent now; what it needs is free."""
        self._order += 1
        request.order = self._order
        busy = self.busy
        for need in request.question.needs:
            busy[need] = request
        self.open.add(request)
        return request

    def hear(self, kind: Hashable, message: bytes) -> S | None:
        """Return the request that a message answers, which is under way no more; None: it answers nothing."""
        request = self.busy.get(kind)
        if request is None or request.question.command != kind:
            return None
        accepts = request.question.accepts
        if accepts is not None and not accepts(message):
            return None
        self.release(request)
        return request

    def release(self, request: S) -> None:
        """Expect no reply to a request any more."""
        self.open.discard(request)
        self.overdue -= request.overdue
        for need in request.question.needs:
            self.let_go(need, request)

    def let_go(self, need: Hashable, request: S) -> None:
        """Let others have one thing that a request took, although its reply may still come."""
        if self.busy.get(need) is request:
            del self.busy[need]

    def late(self, request: S, until: float) -> None:
        """Note that a reply did not come in time; it may still come, until a time."""
        request.overdue, request.due = True, until
        self.overdue += 1

    def proved_lost(self, answered: S) -> list[S]:
        """Return what is overdue and whose replies can come no more, now that a later one has its own."""
        if not self.overdue or not answered.question.ordered:
            return []
        return [
            request
            for request in self.in_order()
            if request.overdue
            and request.question.ordered
            and request.order < answered.order
            and request.question.way == answered.question.way
        ]

    def in_order(self) -> list[S]:
        """Return what is under way as it was sent."""
        return sorted(self.open, key=lambda request: request.order)

    def clear(self) -> None:
        """Forget all: the connection has ended."""
        self.busy.clear()
        self.open.clear()
        self.overdue = 0
