"""What a model knows: what it asks, and what it is told."""

from dataclasses import dataclass

from packwire.protocol.base import RequestKind
from packwire.wire.codec import Codec


@dataclass(frozen=True, slots=True)
class Question:
    """A request of a model: what it sends, the reply that answers it, what it can do, how often it is due."""

    name: str
    payload: bytes
    reply: str
    kind: RequestKind
    every: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of a model: how it begins, its fields; `refuses` where it says no."""

    name: str
    begins: tuple[int | None, ...]
    codec: Codec
    refuses: bool

    def fits(self, frame: bytes) -> bool:
        """Tell whether a frame is such a reply."""
        return len(frame) >= len(self.begins) and all(
            wanted in {None, byte} for wanted, byte in zip(self.begins, frame, strict=False)
        )
