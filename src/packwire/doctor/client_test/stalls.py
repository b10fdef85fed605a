"""When this computer did not let us run: a client on it may not have run either."""

import asyncio
from collections import deque

#: Seconds between two looks, and how many pauses are remembered.
_EVERY = 0.02
_KEPT = 4000
#: Shorter ones are usual, in seconds.
_USUAL = 0.02


class Stalls:
    """Notes by how much a timer is late."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        """When, and how late, in s."""
        self._due: float | None = None

    async def watch(self) -> None:
        """Look for ever; cancel it to stop."""
        loop = asyncio.get_running_loop()
        while True:
            self._due = due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            late = loop.time() - due
            if late > _USUAL:
                self._seen.append((loop.time(), late))

    def longest(self, since: float, now: float) -> float:
        """Return the longest pause since a time of the loop's clock, until now, in s.

        One that is just over counts though its timer was not looked at yet: what waited meanwhile may be
        handled first. So does one that was over just before `since`: what began then was noticed late.
        """
        seen = [late for at, late in self._seen if at >= since - _EVERY]
        if self._due is not None and now - self._due > _USUAL:
            seen.append(now - self._due)
        return max(seen, default=0.0)
