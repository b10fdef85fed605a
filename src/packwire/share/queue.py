"""Whose turn it is at a shared device: the clients with waiting requests in a line, one request a turn."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

from packwire.share.files import FileTurn, Turn
from packwire.share.pending import LONGEST_REST, PendingRequest, PendingRequests, Waiter, Waiters
from packwire.share.permissions import Effect
from packwire.share.questions import DIRECT, SharedQuestion, own_question
from packwire.vesc.commands import Command

#: What every device answers, and so tells that it is there.
_PROOFS = (Command.FW_VERSION, Command.BMS_GET_VALUES)


class Sender(Protocol):
    """The device, as far as the line needs it."""

    ready: bool
    pending: PendingRequests
    max_age: float
    counts: Counter[str]
    now: Callable[[], float]

    @property
    def several(self) -> bool:
        """Return whether there is more than one client."""

    def send(
        self,
        known: SharedQuestion,
        now: float,
        waiters: Waiters,
        owner: Waiter | None = None,
        bus_for: float | None = None,
    ) -> PendingRequest:
        """Send a request whose reply is waited for."""

    def write(self, known: SharedQuestion) -> None:
        """Send what is never answered."""

    def reply(self, client: Waiter, frame: bytes) -> None:
        """Give a client a reply."""

    def fence(self, overdue: PendingRequest) -> None:
        """Ask what will prove that a late reply is lost."""


def drop(client: Waiter) -> None:
    """Give up a client's request that was not sent, or may not be sent again."""
    client.open -= 1
    client.dropped += 1


def is_reading(known: SharedQuestion) -> bool:
    """Tell whether a request only reads: what acts would do harm where it is sent later."""
    return known.kind is Effect.READ


def _more_patience(known: SharedQuestion) -> float:
    """Return how much longer than others a request may wait: a search of the bus, for another one."""
    return known.timeout or 0.0 if known.kind is Effect.READ else 0.0


class Queue:
    """The line. Within a client's own requests those to one node keep their order.

    What is no reading and is answered keeps its place among all of a client's requests. What is never
    answered (a motor's set point) waits for no reading: late it would do harm.
    """

    __slots__ = ("_device", "files", "line")

    def __init__(self, device: Sender) -> None:
        self.line: deque[Waiter] = deque()
        """The clients with requests that wait to be sent; the next turn is the first's."""
        self.files = FileTurn()
        self._device = device

    def wait(self, client: Waiter) -> None:
        """Let a client with a waiting request take its place in the line, if it has none."""
        if not client.in_line and not client.gone:
            client.in_line = True
            self.line.append(client)

    def add(self, client: Waiter, known: SharedQuestion, now: float) -> None:
        """Settle a request at once where that can be; else let it wait for its turn."""
        client.queue.append((known, now))
        if self._device.ready:
            self._take_turn(client)
        if client.queue:
            self.wait(client)

    def give_back(self, client: Waiter, known: SharedQuestion, asked: float) -> None:
        """Put a request back to where it came from, before all that was asked later."""
        if known.kind is not Effect.READ:
            drop(client)
        elif not client.gone:
            client.queue.appendleft((known, asked))
            self.wait(client)

    def drop_unless(self, client: Waiter, may: Callable[[SharedQuestion], bool]) -> None:
        """Give up those of a client's waiting requests that may not be sent (any more)."""
        for waiting in [each for each in client.queue if not may(each[0])]:
            client.queue.remove(waiting)
            drop(client)

    def expire(self, before: float) -> None:
        """Give up what was asked before this time and still waits."""
        for client in self.line:
            while client.queue and client.queue[0][1] + _more_patience(client.queue[0][0]) < before:
                client.queue.popleft()
                drop(client)

    def pump(self) -> None:
        """Send what can be sent, one request of each client in turn."""
        line, device = self.line, self._device
        in_vain = 0
        while line and in_vain < len(line) and device.ready:
            client = line.popleft()
            if client.queue:
                in_vain = 0 if self._take_turn(client) else in_vain + 1
            if client.queue:
                line.append(client)
            else:
                client.in_line = False

    def _take_turn(self, client: Waiter) -> bool:
        """Settle one waiting request of a client; tell whether there was one that could be."""
        blocked: set[int] = set()
        for place, (known, asked) in enumerate(client.queue):
            if known.way in blocked and known.answered:
                continue
            if known.kind is not Effect.READ and blocked and known.answered:
                return False
            if self._settle(client, known, asked):
                if not client.gone:
                    del client.queue[place]
                return True
            if known.kind is not Effect.READ:
                return False
            blocked.add(known.way)
        return False

    def _settle(self, client: Waiter, known: SharedQuestion, asked: float) -> bool:
        """Send a request, join it to one under way, or answer it; tell whether one of these could be."""
        device = self._device
        pending, now = device.pending, device.now()
        if known.kind is Effect.READ:
            if known.way >= 0 and pending.rests(known, now):
                client.open -= 1
                client.unanswered += 1
                return True
            if known.kept is not None and self._answer_from_age(client, known, now):
                return True
            if self._join(client, known, asked):
                return True
        elif not known.answered:
            return self._pass(client, known)
        contended = device.several and pending.troubled(now)
        if contended and known.kind is Effect.READ and not pending.proven(known.way):
            return self._try(client, known, asked, now)
        if not pending.free(known.needs):
            pending.asked(known, now)
            self._fence_before(known)
            return False
        return pending.room(client) and self._send(client, known, asked, now)

    def _try(self, client: Waiter, known: SharedQuestion, asked: float, now: float) -> bool:
        """Ask a node that may not be there.

        Where there are other clients, and some node was asked in vain lately, they come first: a node is
        asked who it is before it is asked what others want, and does not have the bus for long.
        """
        pending = self._device.pending
        if now < client.tries_from or not pending.may_try_bus(now) or not pending.room(client):
            return False
        if client.misses and any(self._tries_rather(other, client) for other in self.line):
            return False
        if not pending.wants(known.command, now):
            if not pending.free(known.needs):
                self._fence_before(known)
                return False
            return self._send(client, known, asked, now, pending.try_bus(now))
        proof = next((command for command in _PROOFS if not pending.wants(command, now)), None)
        if proof is not None:
            question = own_question(proof, known.way)
            if pending.free(question.needs):
                self._device.send(question, now, {}, client, pending.try_bus(now))
        elif now - pending.searched < LONGEST_REST:
            pending.not_found(known.way)
        elif pending.free((search := own_question(Command.PING_CAN, DIRECT)).needs):
            self._device.send(search, now, {})
        return False

    def _tries_rather(self, other: Waiter, client: Waiter) -> bool:
        """Tell whether another client asked fewer nodes in vain and waits to ask one too."""
        return (
            other.misses < client.misses
            and bool(other.queue)
            and not self._device.pending.proven(other.queue[0][0].way)
        )

    def _send(
        self, client: Waiter, known: SharedQuestion, asked: float, now: float, bus_for: float | None = None
    ) -> bool:
        """Send a request; or not, where it reads a file and it is another client's turn to."""
        if known.command == Command.FILE_READ and known.kind is Effect.READ:
            turn = self.files.take(client, known, now)
            if turn is not Turn.NOW:
                if turn is Turn.NEVER:
                    drop(client)
                return turn is Turn.NEVER
        self._device.send(known, now, {client: [asked]}, client, bus_for)
        return True

    def _join(self, client: Waiter, known: SharedQuestion, asked: float) -> bool:
        """Let a client wait for the reply to a request that another has under way, where that may be."""
        pending = self._device.pending
        request = pending.busy.get(known.command)
        if request is None or request.question.frame != known.frame or not pending.joinable(request, client):
            return False
        self._device.counts["answered_from_flight"] += 1
        request.waiters.setdefault(client, []).append(asked)
        return True

    def _answer_from_age(self, client: Waiter, known: SharedQuestion, now: float) -> bool:
        """Answer with a reply that is not too old; not where an older request on this way is still open."""
        if known.kept is None or now - known.kept_at > self._device.max_age:
            known.kept = None
            return False
        if self._device.pending.waits(client, known.way):
            return False
        self._device.counts["answered_from_age"] += 1
        self._device.reply(client, known.kept)
        return True

    def _pass(self, client: Waiter, known: SharedQuestion) -> bool:
        """Send what is never answered; only the slot for slow commands has to be free."""
        if not self._device.pending.free(known.needs):
            return False
        client.open -= 1
        self._device.write(known)
        return True

    def _fence_before(self, known: SharedQuestion) -> None:
        for need in known.needs:
            blocking = self._device.pending.busy.get(need)
            if blocking is not None and blocking.overdue:
                self._device.fence(blocking)
