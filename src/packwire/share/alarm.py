"""One timer that goes off at the earliest of the times asked for."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls `ring` once, at the earliest time that was asked for since it last rang."""

    __slots__ = ("_closed", "_handle", "_loop", "_ring", "due")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self.due = float("inf")
        self._loop = loop
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._closed = False

    def by(self, when: float) -> None:
        """Ring at this time of the loop's clock at the latest."""
        if when >= self.due or self._closed:
            return
        if self._handle is not None:
            self._handle.cancel()
        self.due = when
        self._handle = self._loop.call_at(when, self._go_off)

    def close(self) -> None:
        """Never ring again."""
        self._closed = True
        if self._handle is not None:
            self._handle.cancel()

    def _go_off(self) -> None:
        self._handle = None
        self.due = float("inf")
        self._ring()
