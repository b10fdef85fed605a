"""What a simulated device sends: frames, and whatever a fault makes of them on their way out."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from packwire.sim.faults import Faults

#: What stands between frames on a disturbed line; two of them begin like a frame and claim 255 and 10 000.
JUNK = (b"\x02\xff", b"\x00\x55\xaa", b"\x03\x27\x00", b"rst:0x1 (POWERON)\r\n")


#: Behind so many bytes the length of a frame has been said.
_HEADER = 4


class OutgoingPiece(NamedTuple):
    """Bytes to write at once: `late` seconds from now and `pause` seconds behind the piece before it."""

    data: bytes
    late: float = 0.0
    pause: float = 0.0
    close: bool = False


class SimulatedOutgoing:
    """One connection's way out. Without faults a frame is written at once.

    `unsolicited` returns frames that nobody asked for, for the fault `prints`.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        close: Callable[[], None],
        faults: Faults,
        unsolicited: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        self._write = write
        self._close = close
        self._faults = faults
        self._unsolicited = unsolicited
        self._counts: dict[str, int] = {}
        self._source = random.Random(1)
        self._held: list[bytes] = []
        self._held_until: asyncio.TimerHandle | None = None
        self._queue: deque[tuple[float, OutgoingPiece]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self._shapers: list[Callable[[list[OutgoingPiece]], list[OutgoingPiece]]] = []
        faults.on_change.append(self._fault_changed)
        self._choose_shapers()

    def send(self, frame: bytes) -> None:
        """Send a frame, behind all that waits already."""
        if not self._shapers and not self._queue:
            self._write(frame)
            return
        if self._over:
            return
        pieces = [OutgoingPiece(frame)]
        for shape in self._shapers:
            pieces = shape(pieces)
        self._enqueue(pieces)

    def stop(self) -> None:
        """Forget what waits: the connection is gone."""
        self._over = True
        self._shapers = [lambda _: []]
        self._queue.clear()
        self._held.clear()
        for timer in (self._timer, self._held_until):
            if timer is not None:
                timer.cancel()
        if self._fault_changed in self._faults.on_change:
            self._faults.on_change.remove(self._fault_changed)

    def _fault_changed(self, name: str) -> None:
        self._counts.pop(name, None)
        self._choose_shapers()

    def _choose_shapers(self) -> None:
        shapers = {
            "silence": self._silence,
            "lost": self._lost,
            "prints": self._prints,
            "corrupt": self._corrupt,
            "truncate": self._truncate,
            "junk": self._junk,
            "close-in-the-middle": self._close_in_the_middle,
            "join": self._join,
            "split": self._split,
            "delay": self._delay,
        }
        self._shapers = [shape for name, shape in shapers.items() if name in self._faults]

    def _enqueue(self, pieces: list[OutgoingPiece]) -> None:
        now = asyncio.get_running_loop().time()
        for piece in pieces:
            before = self._queue[-1][0] if self._queue else now
            self._queue.append((max(now + piece.late, before) + piece.pause, piece))
        self._write_due()

    def _write_due(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._queue and not self._over:
            due, piece = self._queue[0]
            if due > loop.time():
                self._timer = loop.call_at(due, self._write_due)
                return
            self._queue.popleft()
            if piece.data:
                self._write(piece.data)
            if piece.close:
                self._close()

    # The faults, each as a change to the pieces that are about to be sent

    def _values(self, name: str) -> tuple[float, ...]:
        return self._faults.get(name) or ()

    def _is_turn(self, name: str, every: float) -> bool:
        """Count a reply; tell whether it is the n-th."""
        count = self._counts.get(name, 0) + 1
        self._counts[name] = count
        return count % max(1, int(every)) == 0

    def _silence(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        (after,) = self._values("silence")
        count = self._counts.get("silence", 0)
        self._counts["silence"] = count + 1
        return pieces if count < after else []

    def _lost(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        return [] if pieces and self._is_turn("lost", self._values("lost")[0]) else pieces

    def _prints(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        if not pieces or not self._is_turn("prints", self._values("prints")[0]):
            return pieces
        return [OutgoingPiece(frame) for frame in self._unsolicited()] + pieces

    def _corrupt(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        (every,) = self._values("corrupt")
        return [self._flip(piece) if self._is_turn("corrupt", every) else piece for piece in pieces]

    def _flip(self, piece: OutgoingPiece) -> OutgoingPiece:
        """Flip one bit of payload or checksum; the header stays, so that the length is still right."""
        damaged = bytearray(piece.data)
        header = min(damaged[0], _HEADER)  # a VESC frame begins with the size of its header
        place = self._source.randrange(header, len(damaged) - 1)
        damaged[place] ^= 1 << self._source.randrange(8)
        return piece._replace(data=bytes(damaged))

    def _truncate(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        (every,) = self._values("truncate")
        return [
            piece._replace(data=_half(piece.data)) if self._is_turn("truncate", every) else piece
            for piece in pieces
        ]

    def _junk(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        if not pieces or not self._is_turn("junk", self._values("junk")[0]):
            return pieces
        turn = self._counts["junk"] // max(1, int(self._values("junk")[0])) - 1
        return [OutgoingPiece(JUNK[turn % len(JUNK)]), *pieces]

    def _close_in_the_middle(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        if not pieces or not self._is_turn("close-in-the-middle", self._values("close-in-the-middle")[0]):
            return pieces
        *whole, last = pieces
        return [*whole, last._replace(data=_half(last.data), close=True)]

    def _join(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        count, seconds = self._values("join")
        if not pieces:
            return pieces
        self._held.append(b"".join(piece.data for piece in pieces))
        closing = pieces[-1].close
        if len(self._held) < count and not closing:
            if self._held_until is None:
                self._held_until = asyncio.get_running_loop().call_later(seconds, self._let_go)
            return []
        return [OutgoingPiece(self._take_held(), close=closing)]

    def _take_held(self) -> bytes:
        held = b"".join(self._held)
        self._held.clear()
        if self._held_until is not None:
            self._held_until.cancel()
            self._held_until = None
        return held

    def _let_go(self) -> None:
        """Send what was held for a next reply that did not come."""
        pieces = [OutgoingPiece(self._take_held())]
        for name, shape in (("split", self._split), ("delay", self._delay)):
            if name in self._faults:
                pieces = shape(pieces)
        self._enqueue(pieces)

    def _split(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        size, seconds = self._values("split")
        result: list[OutgoingPiece] = []
        for piece in pieces:
            data, step = piece.data, max(1, int(size))
            result += [
                OutgoingPiece(data[at : at + step], pause=seconds if at else 0.0)
                for at in range(0, len(data), step)
            ]
            if piece.close:
                result.append(OutgoingPiece(b"", close=True))
        return result

    def _delay(self, pieces: list[OutgoingPiece]) -> list[OutgoingPiece]:
        seconds, every = self._values("delay")
        if not pieces or not self._is_turn("delay", every):
            return pieces
        return [piece._replace(late=seconds) for piece in pieces]


def _half(frame: bytes) -> bytes:
    return frame[: max(1, len(frame) // 2)]
