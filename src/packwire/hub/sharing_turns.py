"""Whose turn it is at a shared device: the clients with waiting requests in a line, one request a turn."""

from collections import deque
from typing import TYPE_CHECKING

from packwire.hub.sharing_questions import Question
from packwire.vesc.commands import Command
from packwire.vesc.permissions import Kind

if TYPE_CHECKING:
    from packwire.hub.sharing import SharedDevice
    from packwire.hub.sharing_seat import Seat

#: Seconds for which reading a file is left to the client that has begun with one.
FILE_TURN = 1.0


def drop(seat: "Seat") -> None:
    """Give up a client's request that was not sent, or may not be sent again."""
    seat.open -= 1
    seat.dropped += 1


class Turns:
    """The line. Within a client's own requests those to one node keep their order.

    What is no reading and is answered keeps its place among all of a client's requests. What is never
    answered (a motor's set point) waits for no reading: late it would do harm.
    """

    __slots__ = ("_device", "_file_reader", "line")

    def __init__(self, device: "SharedDevice") -> None:
        self.line: deque[Seat] = deque()
        """The clients with requests that wait to be sent; the next turn is the first's."""
        self._device = device
        self._file_reader: tuple[Seat, float] | None = None

    def wait(self, seat: "Seat") -> None:
        """Let a client with a waiting request take its place in the line, if it has none."""
        if not seat.in_line and not seat.gone:
            seat.in_line = True
            self.line.append(seat)

    def add(self, seat: "Seat", known: Question, now: float) -> None:
        """Let a request wait for its turn; MOTOR_ESTOP is always the next."""
        if known.kind is Kind.STOP:
            seat.queue.appendleft((known, now))
        else:
            seat.queue.append((known, now))
        self.wait(seat)

    def give_back(self, seat: "Seat", known: Question, asked: float) -> None:
        """Put a request back to where it came from, before all that was asked later."""
        if known.kind is not Kind.READ:
            drop(seat)
        elif not seat.gone:
            seat.queue.appendleft((known, asked))
            self.wait(seat)

    def drop_what_acts(self, seat: "Seat") -> None:
        """Give up a client's waiting requests that are no readings: later they would do harm."""
        for waiting in [each for each in seat.queue if each[0].kind not in {Kind.READ, Kind.STOP}]:
            seat.queue.remove(waiting)
            drop(seat)

    def expire(self, before: float) -> None:
        """Give up what was asked before this time and still waits."""
        for seat in self.line:
            while seat.queue and seat.queue[0][1] < before:
                seat.queue.popleft()
                drop(seat)

    def pump(self) -> None:
        """Send what can be sent, one request of each client in turn."""
        line, device = self.line, self._device
        in_vain = 0
        while line and in_vain < len(line) and device.ready:
            seat = line.popleft()
            if seat.queue:
                in_vain = 0 if self._take_turn(seat) else in_vain + 1
            if seat.queue:
                line.append(seat)
            else:
                seat.in_line = False

    def _take_turn(self, seat: "Seat") -> bool:
        """Settle one waiting request of a client; tell whether there was one that could be."""
        blocked: set[int] = set()
        for place, (known, asked) in enumerate(seat.queue):
            if known.way in blocked and known.answered:
                continue
            if known.kind is not Kind.READ and blocked and known.answered:
                return False
            if self._settle(seat, known, asked):
                if not seat.gone:
                    del seat.queue[place]
                return True
            if known.kind is not Kind.READ:
                return False
            blocked.add(known.way)
        return False

    def _settle(self, seat: "Seat", known: Question, asked: float) -> bool:
        """Send a request, join it to one under way, or answer it; tell whether one of these could be."""
        device = self._device
        flights, now = device.flights, device.now()
        if known.kind is Kind.READ:
            if known.way >= 0 and now < flights.node(known.way).rests_until:
                seat.open -= 1
                seat.unanswered += 1
                return True
            if known.kept is not None and self._answer_from_age(seat, known, now):
                return True
            flight = flights.busy.get(known.command)
            if flight is not None and flight.question.frame == known.frame and flights.joinable(flight, seat):
                device.counts["from_flight"] += 1
                flight.askers.append((seat, asked))
                return True
        elif not known.answered:
            return self._pass(seat, known)
        if not flights.free(known):
            self._fence_before(known)
            return False
        if known.command == Command.FILE_READ and not self._may_read_files(seat, now):
            return False
        device.send(known, now, [(seat, asked)])
        return True

    def _answer_from_age(self, seat: "Seat", known: Question, now: float) -> bool:
        """Answer with a reply that is not too old; not where an older request on this way is still open."""
        if known.kept is None or now - known.kept_at > self._device.max_age:
            known.kept = None
            return False
        if self._device.flights.waits(seat, known.way):
            return False
        self._device.counts["from_age"] += 1
        self._device.reply(seat, known.kept)
        return True

    def _pass(self, seat: "Seat", known: Question) -> bool:
        """Send what is never answered; only the slot for slow commands has to be free."""
        if any(need in self._device.flights.busy for need in known.needs):
            return False
        seat.open -= 1
        self._device.write(known)
        return True

    def _may_read_files(self, seat: "Seat", now: float) -> bool:
        """Tell whether it is this client's turn: the firmware reads one file on, whosever request it is."""
        if self._file_reader is not None:
            reader, until = self._file_reader
            if reader is not seat and now < until and not reader.gone:
                return False
        self._file_reader = (seat, now + FILE_TURN)
        return True

    def _fence_before(self, known: Question) -> None:
        for need in known.needs:
            blocking = self._device.flights.busy.get(need)
            if blocking is not None and blocking.overdue:
                self._device.fence(blocking)
