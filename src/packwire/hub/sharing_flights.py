"""What is under way at a shared device, and until when a lost reply may still come. No clock, no bytes.

A reply that is late must never be taken for the answer to a later request. So a request whose reply did not
come in time goes on to occupy its command until the reply comes after all, or can come no more:

- something asked later on the same way was answered (replies on one way keep their order);
- of a CAN node that is silent, not slow: the device itself answered what was asked well after it, so the
  connection does not lag, and a CAN bus answers within milliseconds;
- or `LATEST` seconds have passed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packwire.hub.sharing_questions import CAN_BUS, DIRECT, LATEST, Question

if TYPE_CHECKING:
    from packwire.hub.sharing_seat import Seat

#: So many requests are under way at most; each of another command.
WINDOW = 16
#: A CAN node that gave no reply so many times in a row is not asked for a while: each time it would keep the
#: bus from the others until the reply is late.
PATIENCE = 3
FIRST_REST = 1.0
LONGEST_REST = 8.0


@dataclass(slots=True, eq=False)
class Flight:
    """A request that was sent, and those who wait for its reply; nobody does where it is a fence."""

    question: Question
    order: int
    sent: float
    due: float
    """When it is late; once it is, when it is waited for no more."""
    askers: list[tuple["Seat", float]]
    """Each with the time when it asked."""
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
    slow: bool = False
    """One of its replies was late: no more than time proves that none will come."""
    lost: int = 0
    rests_until: float = 0.0


@dataclass(slots=True)
class Flights:
    """The requests under way."""

    busy: dict[int, Flight] = field(default_factory=dict)
    """By what they need of the device: see `Question.needs`."""
    open: set[Flight] = field(default_factory=set)
    overdue: int = 0
    nodes: dict[int, CanNode] = field(default_factory=dict)
    _order: int = 0
    _lost_on_bus: dict[int, tuple[int, float]] = field(default_factory=dict)
    """By command: the CAN id whose reply was given up, and until when it may yet come."""

    def free(self, question: Question) -> bool:
        """Tell whether a request may be sent now."""
        busy = self.busy
        for need in question.needs:
            if need in busy:
                return False
        return len(self.open) < WINDOW

    def add(self, question: Question, now: float, due: float, askers: list[tuple["Seat", float]]) -> Flight:
        """Note that a request is sent now."""
        self._order += 1
        flight = Flight(question, self._order, now, due, askers)
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
        self._lost_on_bus.clear()

    def in_order(self) -> list[Flight]:
        """Return the flights as they were sent."""
        return sorted(self.open, key=lambda flight: flight.order)

    def joinable(self, flight: Flight, seat: "Seat") -> bool:
        """Tell whether a client may wait for this reply without its replies on this way changing order."""
        if flight.overdue:
            return False
        return not any(other.order > flight.order for other in self._of(seat, flight.question.way))

    def waits(self, seat: "Seat", way: int) -> bool:
        """Tell whether a client waits for a reply on a way."""
        return any(self._of(seat, way))

    def _of(self, seat: "Seat", way: int) -> Iterator[Flight]:
        for flight in self.open:
            if flight.question.way == way and any(asker is seat for asker, _ in flight.askers):
                yield flight

    def answered(self, flight: Flight) -> None:
        """Learn from a reply how its CAN node answers."""
        way = flight.question.way
        if way >= 0:
            self.nodes[way] = CanNode(answered=True, slow=self.node(way).slow or flight.overdue)

    def node(self, can_id: int) -> CanNode:
        """Return what is known of a CAN node."""
        return self.nodes.setdefault(can_id, CanNode())

    def late(self, flight: Flight) -> None:
        """Note that a reply did not come in time; it goes on to occupy its command, but not the bus."""
        flight.overdue = True
        flight.due = flight.sent + LATEST
        self.overdue += 1
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
        node.lost += 1
        if node.lost >= PATIENCE:
            node.rests_until = now + min(FIRST_REST * 2 ** (node.lost - PATIENCE), LONGEST_REST)
        self._lost_on_bus[flight.question.command] = (way, flight.sent + LATEST)

    def unasked(self, command: int, now: float) -> bool:
        """Take a reply that nobody waits for; tell whether it is one that was given up too soon."""
        way, until = self._lost_on_bus.get(command, (DIRECT, 0.0))
        if way < 0 or now > until:
            return False
        self.nodes[way] = CanNode(slow=True)
        return True

    def proved_lost(self, answered: Flight, patience: float) -> list[Flight]:
        """Return the overdue flights whose replies can come no more, now that `answered` has its own."""
        if not self.overdue or not answered.question.ordered:
            return []
        return [
            flight
            for flight in self.in_order()
            if flight.overdue and flight.order < answered.order and self._proves(answered, flight, patience)
        ]

    def _proves(self, answered: Flight, flight: Flight, patience: float) -> bool:
        way = flight.question.way
        if not flight.question.ordered:
            return False
        if way == answered.question.way:
            return True
        return (
            way >= 0
            and answered.question.way == DIRECT
            and answered.sent >= flight.sent + patience
            and self.fence_way(flight) == DIRECT
        )

    def fence_way(self, flight: Flight) -> int | None:
        """Return the way on which to ask what proves a reply lost; None where only time does."""
        way = flight.question.way
        if way < 0:
            return way
        node = self.node(way)
        if node.answered:
            return way
        return None if node.slow else DIRECT
