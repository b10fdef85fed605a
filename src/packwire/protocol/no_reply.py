"""The error for a request that got no reply: it says what did arrive instead."""

from dataclasses import dataclass

from packwire.errors import NoAnswerError
from packwire.wire.frame import Waiting

#: A frame is known to have begun when its whole header is there (at most so many bytes), and something more.
HEADER = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What arrived while a reply was waited for.

    `received` counts bytes, `damaged` the frames among them whose checksum or end was wrong, `others` the
    frames that were not the reply as (name, how many); `waiting` is the frame that had begun and was not
    there to its end.
    """

    received: int
    damaged: int
    others: tuple[tuple[str, int], ...]
    waiting: Waiting | None

    def __str__(self) -> str:
        if not self.received:
            return "nothing at all arrived"
        waiting = self.waiting
        if waiting and waiting.arrived > HEADER:
            return (
                f"{self.received} bytes arrived but not the whole reply: of the {waiting.expected} bytes "
                f"that the header at byte {waiting.since} announces, {waiting.missing} have not come"
            )
        if self.damaged:
            return f"{self.received} bytes arrived, but damaged on the way: a wrong checksum or stop byte"
        if self.others:
            names = ", ".join(f"{count} x {name}" for name, count in self.others)
            return f"only other packets arrived: {names}"
        return f"{self.received} bytes arrived, but no frame among them"


class NoReplyError(NoAnswerError):
    """One request got no reply; `evidence` tells a program what arrived instead."""

    def __init__(self, message: str, evidence: Evidence) -> None:
        super().__init__(message)
        self.evidence = evidence


def tries_of(tries: int, seconds: float) -> str:
    """Return `3 tries, 1.0 s each`, or `1 try, 1.0 s`."""
    return f"1 try, {seconds:.1f} s" if tries == 1 else f"{tries} tries, {seconds:.1f} s each"
