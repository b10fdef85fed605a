"""What comes from a shared device: bytes to frames, and frames found behind a header that was a false one."""

from collections.abc import Callable

from packwire.protocol.exchange import LATEST, STALL
from packwire.vesc.framing import Framer, encode_frame
from packwire.wire.frame import Frame

#: A frame that has not become whole for so long hides replies, also where more bytes come all the time.
SLOWEST_FRAME = 1.5


class DeviceStream:
    """The bytes of one device, over all its connections; `take` gets each frame's payload and bytes."""

    __slots__ = ("_begun", "_framer", "_now", "_take", "clean", "stalled_since")

    def __init__(
        self, take: Callable[[bytes, bytes], None], now: Callable[[], float], max_payload: int
    ) -> None:
        self.clean = True
        """No frame has begun: the next byte is the first of one."""
        self.stalled_since: float | None = None
        """When the last bytes of a frame came that is not whole."""
        self._begun = (-1, 0.0)
        """Where in the stream the frame began that is not whole, and when."""
        self._framer = Framer(max_payload)
        self._take = take
        self._now = now

    @property
    def junk(self) -> int:
        """How many bytes were no part of a frame."""
        return self._framer.stats.junk

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self._take_all(self._framer.feed(data))

    def reset(self) -> None:
        """Forget a frame that has begun: a new connection starts a new stream."""
        self._framer.reset()
        self.clean = True
        self.stalled_since = None

    def give_up(self) -> None:
        """Wait no more for a frame that does not go on, or not to its end, so that no reply hides in it."""
        if self.stalled_since is None:
            return
        now = self._now()
        if now - self.stalled_since >= STALL or now - self._begun[1] >= SLOWEST_FRAME:
            self._take_all(self._framer.give_up())

    def look_behind(self, now: float) -> None:
        """Look for whole frames behind a header whose frame does not go on; on the clock."""
        if self.stalled_since is None or now - self.stalled_since < STALL:
            return
        begun = self._framer.stats.waiting
        late = now - self.stalled_since >= LATEST
        frames = self._framer.give_up() if late else self._framer.rescue()
        if self._framer.stats.waiting != begun:
            self._take_all(frames)

    def _take_all(self, frames: list[Frame]) -> None:
        waiting = self._framer.stats.waiting
        self.clean = waiting is None
        self.stalled_since = None
        if waiting is not None:
            self.stalled_since = self._now()
            if waiting.since != self._begun[0]:
                self._begun = (waiting.since, self.stalled_since)
        for frame in frames:
            self._take(frame.payload, encode_frame(frame.payload))
