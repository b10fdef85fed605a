"""What is under way at a shared device, and until when a lost reply may still come. No clock, no bytes.

A reply that is late must never be taken for the answer to a later request. So a request whose reply did not
come in time goes on to occupy its command until the reply comes after all, or can come no more:

- something asked later on the same way was answered (replies on one way keep their order);
- or `LATEST` seconds have passed. Of a CAN node that has not answered yet nothing else tells whether it is
  dead or slow: what other nodes and the device itself answer meanwhile proves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packwire.share.questions import CAN_BUS, LATEST, Question
from packwire.vesc.hardware import HardwareType
from packwire.vesc.traits import answers

if TYPE_CHECKING:
    from packwire.share.client import Seat

type Askers = dict["Seat", list[float]]

#: So many requests are under way at most that are not late yet; each of another command.
WINDOW = 16
#: So many of them are one client's.
PER_SEAT = 8
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
class Flight:
    """A request that was sent, and those who wait for its reply; nobody does where it is a fence."""

    question: Question
    order: int
    sent: float
    due: float
    """When it is late; once it is, when it is waited for no more."""
    askers: Askers
    """Each with the times when it asked."""
    owner: "Seat | None"
    """Whose request it was at first."""
    last: float = 0.0
    """Beyond `due`, until when it is waited for after it has released the CAN bus."""
    quick: bool = False
    """Its reply is known by the command alone, and needs no more than to be handed on."""
    greeting: bool = False
    overdue: bool = False
    fenced: bool = False
    """Another request was sent whose reply will prove this one's lost."""


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


@dataclass(slots=True)
class Flights:
    """The requests under way."""

    busy: dict[int, Flight] = field(default_factory=dict)
    """By what they need of the device: see `Question.needs`."""
    open: set[Flight] = field(default_factory=set)
    overdue: int = 0
    nodes: dict[int, CanNode] = field(default_factory=dict)
    bus_wanted: float = float("-inf")
    """When a node that is there was last asked anything."""
    searched: float = float("-inf")
    """When a search of the bus last ended."""
    _wanted: dict[int, float] = field(default_factory=dict)
    """By command, when it was last asked of the device or of a node that is there."""
    _missed_node: int = -1
    _missed_at: float = float("-inf")
    """When a node that may not be there last gave no answer."""
    _short_turn_from: float = float("-inf")
    """When a node that may not be there may have the bus again, where others want it."""
    _order: int = 0

    def free(self, question: Question) -> bool:
        """Tell whether what a request needs of the device is not taken."""
        return all(need not in self.busy for need in question.needs)

    def room(self, seat: "Seat") -> bool:
        """Tell whether a client may have one more request under way; what is late counts no more."""
        flying = len(self.open) - self.overdue
        if flying < PER_SEAT:
            return True
        own = sum(flight.owner is seat and not flight.overdue for flight in self.open)
        return own < PER_SEAT and flying < (WINDOW if own else WIDEST)

    def add(self, question: Question, now: float, due: float, askers: Askers, owner: "Seat | None") -> Flight:
        """Note that a request is sent now."""
        self._order += 1
        flight = Flight(question, self._order, now, due, askers, owner)
        busy = self.busy
        for need in question.needs:
            busy[need] = flight
        self.open.add(flight)
        return flight

    def remove(self, flight: Flight) -> None:
        """Note that a request is under way no more."""
        self.open.discard(flight)
        self.overdue -= flight.overdue
        busy = self.busy
        for need in flight.question.needs:
            if busy.get(need) is flight:
                del busy[need]

    def clear(self) -> None:
        """Forget all: the connection has ended."""
        self.busy.clear()
        self.open.clear()
        self.overdue = 0
        self.nodes.clear()
        self.searched = self._short_turn_from = self._missed_at = float("-inf")

    def forget(self, seat: "Seat") -> None:
        """Learn that a client has left: it waits for nothing any more."""
        for flight in self.open:
            flight.askers.pop(seat, None)

    def in_order(self) -> list[Flight]:
        """Return the flights as they were sent."""
        return sorted(self.open, key=lambda flight: flight.order)

    def joinable(self, flight: Flight, seat: "Seat") -> bool:
        """Tell whether a client may wait for this reply without its replies on this way changing order."""
        if flight.overdue:
            return False
        way, order = flight.question.way, flight.order
        return not any(
            other.order > order and other.question.way == way and seat in other.askers for other in self.open
        )

    def waits(self, seat: "Seat", way: int) -> bool:
        """Tell whether a client waits for a reply on a way."""
        return any(flight.question.way == way and seat in flight.askers for flight in self.open)

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

    def rests(self, question: Question, now: float) -> bool:
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

    def asked(self, question: Question, now: float) -> None:
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

    def late(self, flight: Flight, now: float) -> None:
        """Note that a reply did not come in time; it goes on to occupy its command, but not the bus."""
        flight.overdue = True
        flight.due = flight.sent + LATEST
        self.overdue += 1
        self.release_bus(flight)
        if not self.proven(flight.question.way) and flight.owner is not None:
            self._missed_at, self._missed_node = now, flight.question.way
            flight.owner.missed(now)
            if not flight.askers:
                self._missed(flight.question.way, now)

    def _missed(self, can_id: int, now: float) -> None:
        """Note that a node did not say who it is."""
        node = self.node(can_id)
        node.absent_until = now + min(FIRST_REST * 2**node.missed, LONGEST_REST)
        node.missed = min(node.missed + 1, 8)

    def not_found(self, can_id: int) -> None:
        """Note that the last search did not find a node."""
        self.node(can_id).absent_until = self.searched + LONGEST_REST

    def release_bus(self, flight: Flight) -> None:
        """Let others use the CAN bus, although the reply has not come; the command stays taken."""
        if self.busy.get(CAN_BUS) is flight:
            del self.busy[CAN_BUS]

    def lost(self, flight: Flight, now: float) -> None:
        """Note that a reply will not come."""
        self.remove(flight)
        way = flight.question.way
        if way < 0:
            return
        node = self.node(way)
        node.answered = False
        node.silent.add(flight.question.command)
        if not node.should_answer(flight.question.command):
            return
        node.lost += 1
        if node.lost >= PATIENCE:
            node.rests_until = now + min(FIRST_REST * 2 ** (node.lost - PATIENCE), LONGEST_REST)

    def proved_lost(self, answered: Flight) -> list[Flight]:
        """Return the overdue flights whose replies can come no more, now that `answered` has its own."""
        if not self.overdue or not answered.question.ordered:
            return []
        return [
            flight
            for flight in self.in_order()
            if flight.overdue
            and flight.order < answered.order
            and flight.question.ordered
            and flight.question.way == answered.question.way
        ]

    def fence_way(self, flight: Flight) -> int | None:
        """Return the way on which to ask what proves a reply lost; None where only time does."""
        way = flight.question.way
        return way if way < 0 or self.node(way).answered else None
