"""Which nodes a device had the last time: finding them anew takes seconds on a CAN bus."""

from typing import Protocol


class NodeMemory(Protocol):
    """Where the CAN ids behind a VESC are kept between connections; `identity` names the VESC."""

    def recall(self, identity: str) -> list[int] | None:
        """Return the ids that this VESC had, or None where it was never seen."""

    def remember(self, identity: str, can_ids: list[int]) -> None:
        """Keep the ids of this VESC."""


class SessionMemory:
    """Remembers as long as the program runs, for reconnecting."""

    def __init__(self) -> None:
        self._known: dict[str, list[int]] = {}

    def recall(self, identity: str) -> list[int] | None:
        """Return the ids that this VESC had in this run."""
        return self._known.get(identity)

    def remember(self, identity: str, can_ids: list[int]) -> None:
        """Keep the ids for this run."""
        self._known[identity] = can_ids
