"""What is under way at a shared device, and until when a lost reply may still come. No clock, no bytes.

Which reply is whose is `packwire.protocol.exchange`'s to say. A reply that is late is waited for until it can
come no more, `LATEST` seconds at most: of a CAN node that has not answered yet nothing else tells whether it
is dead or slow, for what other nodes and the device itself answer meanwhile proves nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, override

from packwire.protocol.exchange import LATEST, Asking, Sent
from packwire.share.questions import CAN_BUS, SharedQuestion
from packwire.vesc.hardware import HardwareType
from packwire.vesc.traits import answers


class Waiter(Protocol):
    """Who asks: a client, as far as what is under way, whose turn it is and the files need to know it."""

    queue: deque[tuple[SharedQuestion, float]]
    """What waits to be sent, each with the time when it was asked."""
    gone: bool
    in_line: bool
    open: int
    """How many requests are neither answered nor given up, those in the queue among them."""
    replies: int
    dropped: int
    unanswered: int
    tries_from: float
    """When it may again ask a node that may not be there."""
    misses: int
    """How many of those it asked in a row gave no answer."""
    write: Callable[[bytes], None]

    def missed(self, now: float) -> None:
        """Learn that a node it asked, and that may not be there, gave no answer."""

    def found(self) -> None:
        """Learn that a node it asked is there."""


type Waiters = dict[Waiter, list[float]]

#: So many requests are under way at most that are not late yet; each of another command.
WINDOW = 16
#: So many of them are one client's.
PER_CLIENT = 8
#: A client with none under way may send one beyond the window: others shall not keep the device from it.
WIDEST = 64
#: A CAN node that gave no reply so many times in a row is not asked for a while: each time it would keep the
#: bus from the others until the reply is late, and the command until it can come no more. What was not asked
#: since its last answer may still be; a command that its type may never answer proves nothing.
PATIENCE = 2
FIRST_REST = 1.0
LONGEST_REST = 16.0
#: What was asked of the device itself, or of a node that is there, is wanted for so many seconds: what is
#: asked of a node that may not be there shall not occupy it meanwhile.
WANTED = 3.0
#: Nor the bus: so long at a time, and a tenth of all time.
SHORT_TURN = 0.25
SHARE_OF_BUS = 10
#: All this holds so long after such a node was last asked in vain.
TROUBLE = 60.0


@dataclass(slots=True, eq=False)
class PendingRequest(Sent[SharedQuestion]):
    """A request that was sent, and those who wait for its reply; nobody does where it is a fence."""

    waiters: Waiters
    """Each with the times when it asked."""
    owner: Waiter | None
    """Whose request it was at first."""
    last: float = 0.0
    """Beyond `due`, until when it is waited for after it has released the CAN bus."""
    quick: bool = False
    """Its reply is known by the command alone, and needs no more than to be handed on."""
    greeting: bool = False


@dataclass(slots=True)
class CanNode:
    """How a node on the CAN bus answers through this connection."""

    answered: bool = False
    """Its last request was answered."""
    answers: set[int] = field(default_factory=set)
    """The commands that it ever answered."""
    silent: set[int] = field(default_factory=set)
    """Those that it did not answer since its last answer."""
    lost: int = 0
    """How many requests in a row it should have answered and did not."""
    rests_until: float = 0.0
    found: bool = False
    """A search of the bus found it."""
    absent_until: float = 0.0
    """Until when it is taken for not there: it did not answer who it is."""
    missed: int = 0
    """How many times in a row."""

    @property
    def proven(self) -> bool:
        """Whether it is known to be there, or to have been."""
        return self.found or bool(self.answers)

    def should_answer(self, command: int) -> bool:
        """Tell whether silence means that it is not there, instead of a command that it does not know."""
        known = not self.answers or command in self.answers
        return known or all(answers(hardware, command) for hardware in HardwareType)


class PendingRequests(Asking[PendingRequest]):
    """The requests under way at one device, and what is known of the nodes behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[int, CanNode] = {}
        self.bus_wanted = float("-inf")
        """When a node that is there was last asked anything."""
        self.searched = float("-inf")
        """When a search of the bus last ended."""
        self._wanted: dict[int, float] = {}
        """By command, when it was last asked of the device or of a node that is there."""
        self._missed_node = -1
        self._missed_at = float("-inf")
        """When a node that may not be there last gave no answer."""
        self._short_turn_from = float("-inf")
        """When a node that may not be there may have the bus again, where others want it."""

    def room(self, client: Waiter) -> bool:
        """Tell whether a client may have one more request under way; what is late counts no more."""
        flying = len(self.open) - self.overdue
        if flying < PER_CLIENT:
            return True
        own = sum(request.owner is client and not request.overdue for request in self.open)
        return own < PER_CLIENT and flying < (WINDOW if own else WIDEST)

    def add(
        self, question: SharedQuestion, now: float, due: float, waiters: Waiters, owner: Waiter | None
    ) -> PendingRequest:
        """Note that a request is sent now."""
        return self.ask(PendingRequest(question, now, due, waiters, owner))

    @override
    def clear(self) -> None:
        super().clear()
        self.nodes.clear()
        self.searched = self._short_turn_from = self._missed_at = float("-inf")

    def forget(self, client: Waiter) -> None:
        """Learn that a client has left: it waits for nothing any more."""
        for request in self.open:
            request.waiters.pop(client, None)

    def joinable(self, request: PendingRequest, client: Waiter) -> bool:
        """Tell whether a client may wait for this reply without its replies on this way changing order."""
        if request.overdue:
            return False
        way, order = request.question.way, request.order
        return not any(
            other.order > order and other.question.way == way and client in other.waiters
            for other in self.open
        )

    def waits(self, client: Waiter, way: int) -> bool:
        """Tell whether a client waits for a reply on a way."""
        return any(request.question.way == way and client in request.waiters for request in self.open)

    def answered(self, can_id: int, command: int, now: float) -> None:
        """Learn that a CAN node answers."""
        if can_id == self._missed_node:  # it was only late
            self._missed_at = float("-inf")
        if self.troubled(now):  # who asked it has waited, and is likely to ask again
            self._wanted[command] = self.bus_wanted = now
        node = self.node(can_id)
        node.answered = True
        node.answers.add(command)
        node.silent.clear()
        node.lost = node.missed = 0
        node.rests_until = node.absent_until = 0.0

    def rests(self, question: SharedQuestion, now: float) -> bool:
        """Tell whether a CAN node is not asked this for now."""
        node = self.nodes.get(question.way)
        return node is not None and (
            (now < node.rests_until and question.command in node.silent) or now < node.absent_until
        )

    def found(self, can_ids: Iterable[int], now: float) -> None:
        """Learn which CAN nodes are there: they rest no more."""
        self.searched = now
        for can_id in can_ids:
            self.nodes[can_id] = CanNode(found=True)

    def asked(self, question: SharedQuestion, now: float) -> None:
        """Learn that a client asks this."""
        if question.way < 0:
            self._wanted[question.command] = now
        elif (node := self.nodes.get(question.way)) is not None and node.proven:
            self._wanted[question.command] = self.bus_wanted = now

    def wants(self, command: int, now: float) -> bool:
        """Tell whether a command is wanted of the device, or of a node that is there."""
        return now - self._wanted.get(command, float("-inf")) < WANTED

    def proven(self, way: int) -> bool:
        """Tell whether what is asked is known to be there."""
        node = self.nodes.get(way)
        return way < 0 or (node is not None and node.proven)

    def troubled(self, now: float) -> bool:
        """Tell whether a node that may not be there was asked in vain lately."""
        return now - self._missed_at < TROUBLE

    def may_try_bus(self, now: float) -> bool:
        """Tell whether a node that may not be there may have the bus now."""
        return now >= self._short_turn_from or now - self.bus_wanted >= WANTED

    def try_bus(self, now: float) -> float | None:
        """Begin such a turn on the bus; return how many seconds it may last, None for as long as others."""
        self._short_turn_from = now + SHORT_TURN * SHARE_OF_BUS
        return SHORT_TURN if now - self.bus_wanted < WANTED else None

    def node(self, can_id: int) -> CanNode:
        """Return what is known of a CAN node."""
        return self.nodes.setdefault(can_id, CanNode())

    def expire(self, request: PendingRequest, now: float) -> None:
        """Note that a reply did not come in time; it goes on to occupy its command, but not the bus."""
        self.late(request, request.sent + LATEST)
        self.let_go(CAN_BUS, request)
        if not self.proven(request.question.way) and request.owner is not None:
            self._missed_at, self._missed_node = now, request.question.way
            request.owner.missed(now)
            if not request.waiters:
                self._missed(request.question.way, now)

    def _missed(self, can_id: int, now: float) -> None:
        """Note that a node did not say who it is."""
        node = self.node(can_id)
        node.absent_until = now + min(FIRST_REST * 2**node.missed, LONGEST_REST)
        node.missed = min(node.missed + 1, 8)

    def not_found(self, can_id: int) -> None:
        """Note that the last search did not find a node."""
        self.node(can_id).absent_until = self.searched + LONGEST_REST

    def lost(self, request: PendingRequest, now: float) -> None:
        """Note that a reply will not come."""
        self.release(request)
        way = request.question.way
        if way < 0:
            return
        node = self.node(way)
        node.answered = False
        node.silent.add(request.question.command)
        if not node.should_answer(request.question.command):
            return
        node.lost += 1
        if node.lost >= PATIENCE:
            node.rests_until = now + min(FIRST_REST * 2 ** (node.lost - PATIENCE), LONGEST_REST)

    def fence_way(self, request: PendingRequest) -> int | None:
        """Return the way on which to ask what proves a reply lost; None where only time does."""
        way = request.question.way
        return way if way < 0 or self.node(way).answered else None
