"""A recorded stream (TCP, a serial line) as a link."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import override

from packwire.capture.open import Capture
from packwire.capture.replay.script import Due, RecordedReply, RecordedRequest, Script
from packwire.channel import Transport
from packwire.direction import Direction
from packwire.errors import BadFileError, GoneError, NoAnswerError, PackwireError, Reason
from packwire.event import EventKind
from packwire.link.base import Link, Receiver
from packwire.protocol.base import Protocol

#: So many pieces without a pause are played at once.
_AT_ONCE = 100
#: Marks an identifier of 29 bits [Linux, linux/can.h].
EXTENDED = 1 << 31

#: One piece of a stream: when (ns), which way, its bytes.
type Piece = tuple[int, Direction, bytes]


class ReplayLink(Link):
    """Plays the pieces of a recording to whoever asks as it was asked there."""

    preposition = "from"

    def __init__(self, name: str, pieces: Sequence[Piece], protocol: Protocol) -> None:
        super().__init__()
        self.name = f"the recording {name}"
        self.script = Script(_entries(pieces, protocol), _kinds(protocol))
        self._framer = protocol.framer()
        self._receiver: Receiver | None = None
        self._playing: set[asyncio.Task[None]] = set()

    @override
    async def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.tell(EventKind.CONNECTED)
        self._play(self.script.unasked, to_the_end=not self.script.asks)

    @override
    def write(self, data: bytes) -> None:
        if self._receiver is None:
            return
        for observe in self.observers:
            observe(Direction.TO_DEVICE, data)
        for frame in self._framer.feed(data):
            answer = self.script.answer(frame.payload)
            if answer is None:
                self._end()
                return
            self._play(answer)

    def _play(self, answer: tuple[Due, ...], *, to_the_end: bool = False) -> None:
        if answer:
            task = asyncio.ensure_future(self._say(answer, to_the_end=to_the_end))
            self._playing.add(task)
            task.add_done_callback(self._playing.discard)

    async def _say(self, answer: tuple[Due, ...], *, to_the_end: bool) -> None:
        for number, due in enumerate(answer):
            if due.after or number % _AT_ONCE == 0:
                await asyncio.sleep(due.after)
            for observe in self.observers:
                observe(Direction.FROM_DEVICE, due.data)
            if self._receiver is not None:
                self._receiver.data_received(due.data)
        if to_the_end:
            self._end()

    def _end(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self.tell(EventKind.CLOSED)
            receiver.link_closed(ended(self.name))

    @override
    async def close(self) -> None:
        self._receiver = None
        for task in list(self._playing):
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)

    @override
    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        return error if isinstance(error, PackwireError) else ended(self.name)

    @override
    async def explain_silence(self) -> PackwireError | None:
        return NoAnswerError(
            f"{self.name} has no answer to what is asked: it is of another protocol (?model=NAME), or of "
            "somebody who asked other things"
        )


def ended(name: str) -> GoneError:
    """Say that a recording was played to its end."""
    return GoneError(f"{name} ends here", reason=Reason.ENDED)


def _kinds(protocol: Protocol) -> Callable[[Hashable], Hashable | None]:
    """Return what tells requests apart that a protocol answers alike."""
    return lambda key: protocol.kind(key) if isinstance(key, bytes) and key else None


def _entries(pieces: Sequence[Piece], protocol: Protocol) -> list[RecordedRequest | RecordedReply]:
    """Cut what was sent into requests; what came stays as it came."""
    framer = protocol.framer()
    entries: list[RecordedRequest | RecordedReply] = []
    for time, way, data in pieces:
        if way is Direction.TO_DEVICE:
            entries += [RecordedRequest(time, frame.payload) for frame in framer.feed(data)]
        else:
            entries.append(RecordedReply(time, 0, data))
    return entries


def stream_of(capture: Capture, protocol: Protocol) -> list[Piece]:
    """Return the pieces of the longest conversation of a recording that has no Bluetooth.

    Of a CAN bus they are all its frames; of a protocol whose devices only send, nothing need be asked. Raises
    BadFileError where there is none.
    """
    found = _of_can(capture) or _of_connections(capture, protocol) or _of_messages(capture, protocol)
    if not found:
        raise BadFileError(f"{capture.name}: there is no conversation in it that could be played")
    return found


def _of_connections(capture: Capture, protocol: Protocol) -> list[Piece]:
    connections = capture.connections if capture.has_packets_of_ip else []
    best: list[Piece] = []
    for connection in connections:
        pieces = [
            (int(time), way, stream.data[int(start) : int(start + size)].tobytes())
            for stream, way in zip(
                connection.streams, (Direction.TO_DEVICE, Direction.FROM_DEVICE), strict=True
            )
            for time, start, size in zip(stream.time, stream.start, stream.size, strict=True)
        ]
        if _answered(pieces, protocol) and len(pieces) > len(best):
            best = sorted(pieces, key=lambda piece: piece[0])
    return best


def _of_messages(capture: Capture, protocol: Protocol) -> list[Piece]:
    messages = capture.raw_messages
    wanted = [
        number
        for number, each in enumerate(messages.channels)
        if each.transport in (Transport.OTHER, Transport.RFCOMM)
    ]
    pieces = [
        (int(messages.time[at]), Direction(int(messages.direction[at])), messages.payload(at))
        for at in range(len(messages))
        if int(messages.channel[at]) in wanted
    ]
    return pieces if _answered(pieces, protocol) else []


def _of_can(capture: Capture) -> list[Piece]:
    """Return each frame of a CAN bus: its identifier in four bytes, and its data."""
    messages = capture.raw_messages
    heads = {
        number: (each.handle | EXTENDED * each.extended).to_bytes(4)
        for number, each in enumerate(messages.channels)
        if each.transport is Transport.CAN and not each.kind and each.handle is not None
    }
    return [
        (int(messages.time[at]), Direction.FROM_DEVICE, heads[channel] + messages.payload(at))
        for at, channel in enumerate(messages.channel.tolist())
        if channel in heads
    ]


def _answered(pieces: Sequence[Piece], protocol: Protocol) -> bool:
    ways = {way for _, way, _ in pieces}
    return Direction.FROM_DEVICE in ways and (Direction.TO_DEVICE in ways or not protocol.asks)
