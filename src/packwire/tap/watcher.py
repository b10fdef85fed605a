"""Who sees what passes through a tap, and can change nothing."""

from typing import Protocol

from packwire.errors import PackwireError


class Watcher(Protocol):
    """Sees what passes. Connections are numbered from 1; side 0 is the client, side 1 the device."""

    def opened(self, number: int, client: str) -> None:
        """Learn that a client came."""

    def passed(self, number: int, side: int, data: bytes, at: int) -> None:
        """See bytes that one side sent, at a time in ns since the epoch."""

    def failed(self, number: int, error: PackwireError) -> None:
        """Learn that there is no connection upstream: the client is closed."""

    def closed(self, number: int, side: int | None, how: str) -> None:
        """Learn that a connection is over: which side ended it (None: the tap), and how."""

    def tick(self, now: int) -> None:
        """Take note of the time (ns since the epoch), a few times a second."""
