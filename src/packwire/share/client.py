"""A client's place at a shared device: its stream is framed here, and what may not pass ends here."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

from packwire.share.permissions import Effect, Policy, kind_of, refusal
from packwire.share.questions import SharedQuestion, question
from packwire.share.stats import ClientAccount, SharingStats, status_lines
from packwire.vesc.commands import Command
from packwire.vesc.framing import DEVICE_MAX_PAYLOAD, Framer, encode_frame
from packwire.vesc.requests import unwrap
from packwire.wire.frame import Frame

#: Frames that are longer are looked at anew each time: they are not what is polled.
REMEMBERED_SIZE = 64
#: What a client sends to the device's terminal, to be told about the sharing instead.
STATUS_COMMAND = b"packwire"
#: Seconds between two such answers: they are long.
STATUS_INTERVAL = 1.0
#: A client whose question to a CAN node was in vain asks none that may not be there for so many seconds, and
#: then for more and more of them.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 4.0
#: Seconds between two answers to refused text for the device's terminal: nobody types faster.
PRINT_INTERVAL = 0.1


class Host(Protocol):
    """The device, as far as a client's place needs it."""

    refused: Counter[Effect]
    now: Callable[[], float]

    @property
    def policy(self) -> Policy:
        """Return what may pass."""

    def ask(self, client: "SharedClient", known: SharedQuestion) -> None:
        """Take a request that may pass."""

    def remember(self, known: SharedQuestion) -> None:
        """Keep what was found out about a request."""

    def stalled(self, client: "SharedClient", *, waits: bool) -> None:
        """Learn whether a frame of a client has begun and is not whole."""

    def tell(self, line: str) -> None:
        """Write a line to the log."""

    def stats(self) -> SharingStats:
        """Return the account."""

    def left(self, client: "SharedClient") -> None:
        """Learn that a client has left."""


class SharedClient:
    """A client's place at a shared device; made by `SharedDevice.join`."""

    __slots__ = (
        "_clean",
        "_device",
        "_framer",
        "_known",
        "_printed",
        "_printed_at",
        "_status_at",
        "_told",
        "dropped",
        "gone",
        "in_line",
        "misses",
        "name",
        "open",
        "queue",
        "refused",
        "replies",
        "requests",
        "stalled_since",
        "tries_from",
        "unanswered",
        "unsolicited",
        "write",
    )

    def __init__(
        self, device: Host, write: Callable[[bytes], None], name: str, known: dict[bytes, SharedQuestion]
    ) -> None:
        self.name = name
        self.write = write
        self.gone = False
        self.queue: deque[tuple[SharedQuestion, float]] = deque()
        """What waits to be sent, each with the time when it was asked."""
        self.in_line = False
        self.open = 0
        """How many requests are neither answered nor given up, those in the queue among them."""
        self.requests = self.replies = self.refused = self.dropped = self.unanswered = self.unsolicited = 0
        self.tries_from = float("-inf")
        """When it may again ask a node that may not be there."""
        self.misses = 0
        """How many of those it asked in a row gave no answer."""
        self.stalled_since: float | None = None
        """When the last bytes of a frame came that is not whole."""
        self._device = device
        self._known = known
        self._framer = Framer(DEVICE_MAX_PAYLOAD)
        self._clean = True
        self._told: set[tuple[int, int, Effect]] = set()
        self._status_at = self._printed_at = float("-inf")
        self._printed: set[Effect] = set()
        """Of which kinds a refusal was told to the client."""

    def received(self, data: bytes) -> None:
        """Take bytes from the client, in pieces of any size."""
        if self._clean:
            # Nearly always a piece is one frame that was seen before: a poll.
            known = self._known.get(data)
            if known is not None and self._device.policy.permits(known.kind):
                self.requests += 1
                self._device.ask(self, known)
                return
            # Zeros between frames are filler, which ends a frame that a client before broke off: no junk.
            data = data.lstrip(b"\0")
        if data and not self.gone:
            self._take(self._framer.feed(data))

    def leave(self) -> None:
        """End it: what it still waits for is not written. May be called more than once."""
        if not self.gone:
            self.gone = True
            self.queue.clear()
            self._framer.reset()  # a frame that it broke off is junk
            self._device.left(self)

    def look_behind(self, *, give_up: bool) -> None:
        """Look for whole frames behind a header whose frame does not go on; on the clock."""
        begun = self._framer.stats.waiting
        frames = self._framer.give_up() if give_up else self._framer.rescue()
        if self._framer.stats.waiting != begun:
            self._take(frames)

    def missed(self, now: float) -> None:
        """Learn that a node it asked, and that may not be there, gave no answer."""
        self.tries_from = now + min(FIRST_PAUSE * 2**self.misses, LONGEST_PAUSE)
        self.misses = min(self.misses + 1, 8)

    def found(self) -> None:
        """Learn that a node it asked is there."""
        self.misses = 0

    def stats(self) -> ClientAccount:
        """Return this client's account."""
        return ClientAccount(
            self.name,
            self.requests,
            self.replies,
            self.refused,
            self.dropped,
            self.unanswered,
            self.unsolicited,
            self._framer.stats.junk,
            self.open,
        )

    def _take(self, frames: list[Frame]) -> None:
        waiting = self._framer.stats.waiting
        self._clean = waiting is None
        self._device.stalled(self, waits=waiting is not None)
        for frame in frames:
            if self.gone:
                return
            self.requests += 1
            self._take_request(frame.payload)

    def _take_request(self, payload: bytes) -> None:
        if payload[0] == Command.TERMINAL_CMD and payload[1:].strip(b"\0 ") == STATUS_COMMAND:
            self._tell_status()
            return
        frame = encode_frame(payload)
        known = self._known.get(frame)
        kind = known.kind if known is not None else kind_of(payload)
        if not self._device.policy.permits(kind):
            self._refuse(payload, kind)
            return
        if known is None:
            known = question(frame, payload, kind)
            if len(frame) <= REMEMBERED_SIZE:
                self._device.remember(known)
        self._device.ask(self, known)

    def _refuse(self, payload: bytes, kind: Effect) -> None:
        self.refused += 1
        self._device.refused[kind] += 1
        route = unwrap(payload)
        line = refusal(payload, kind)
        if self._must_print(route.command, kind):
            self._print(f"packwire: {line}")
        key = (len(route.route), route.command, kind)
        if key not in self._told and len(self._told) < DEVICE_MAX_PAYLOAD:
            self._told.add(key)
            self._device.tell(f"{self.name}: {line}")

    def _must_print(self, command: int, kind: Effect) -> bool:
        """Tell whether the client is told of a refusal: the first of its kind, and whatever a user typed."""
        first = kind not in self._printed
        self._printed.add(kind)
        if command not in {Command.TERMINAL_CMD, Command.TERMINAL_CMD_SYNC}:
            return first
        now = self._device.now()
        if not first and now - self._printed_at < PRINT_INTERVAL:
            return False
        self._printed_at = now
        return True

    def _print(self, line: str) -> None:
        """Write a line to the client's terminal: PRINT is what devices send there."""
        if not self.gone:
            self.write(encode_frame(bytes((Command.PRINT,)) + line.encode()[:400] + b"\0"))

    def _tell_status(self) -> None:
        now = self._device.now()
        if now - self._status_at < STATUS_INTERVAL:
            self.dropped += 1
            return
        self._status_at = now
        for line in status_lines(self._device.stats()):
            self._print(line)
