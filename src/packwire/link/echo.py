"""Half-duplex lines on which one hears oneself: what was sent comes back before the answer, and is taken out.

Many RS485 adapters do so. A device that answers with the very bytes that it was asked with is none: only
where something follows such an echo is it one, and it is expected from then on.
"""

import asyncio
from collections.abc import Callable
from typing import Final

#: Seconds in which the answer follows the echo, or the rest of the echo comes.
_HOLD: Final = 0.1
#: So many bytes that were sent are remembered.
_MOST_SENT: Final = 1024


class EchoFilter:
    """Takes the echo of what was sent out of what is received; `deliver` gets all else.

    `removed` counts the bytes that were taken out.
    """

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self.removed = 0
        self._deliver = deliver
        self._sent = b""
        self._held = b""
        self._known = False
        self._timer: asyncio.TimerHandle | None = None

    def sent(self, data: bytes) -> None:
        """Learn what was sent."""
        self._let_go()
        self._sent = data[:_MOST_SENT]

    def received(self, data: bytes) -> None:
        """Take what came."""
        if not self._sent:
            self._deliver(data)
            return
        self._stop()
        self._held += data
        size = min(len(self._held), len(self._sent))
        if self._held[:size] != self._sent[:size]:
            self._let_go()
        elif len(self._held) > len(self._sent) or (self._known and len(self._held) == len(self._sent)):
            rest = self._held[len(self._sent) :]
            self.removed += len(self._sent)
            self._known, self._sent, self._held = True, b"", b""
            if rest:
                self._deliver(rest)
        else:
            self._timer = asyncio.get_running_loop().call_later(_HOLD, self._let_go)

    def stop(self) -> None:
        """Hold nothing back any more."""
        self._let_go()

    def _let_go(self) -> None:
        """Deliver what is held: it is no echo."""
        self._stop()
        held, self._held, self._sent = self._held, b"", b""
        if held:
            self._deliver(held)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
