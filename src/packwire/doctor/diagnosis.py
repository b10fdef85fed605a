"""What a diagnosis is made of: checks with their evidence, one verdict, remarks, the owner's hypotheses."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from packwire.check import CheckResult, Verdict
from packwire.doctor.transcript import Transcript

#: What is said of a hypothesis that no check came to.
NOT_REACHED = "the examination did not get that far"


class Standing(StrEnum):
    """What became of a hypothesis."""

    CONFIRMED = "confirmed"
    EXCLUDED = "ruled out"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Something that an owner in trouble suspects, and what an experiment says to it."""

    key: str
    question: str
    standing: Standing
    by: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that the doctor found out.

    `where` is the place for a user, `remarks` are findings beside the verdict, `pack` the battery's values by
    quantity key (empty where none came), `transcript` the bytes of both directions, `started` seconds since
    the epoch. `complete` is False where the time that was given ended before the examination did.
    """

    address: str
    where: str
    verdict: Verdict
    checks: tuple[CheckResult, ...]
    remarks: tuple[Verdict, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    pack: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    seconds: float = 0.0
    complete: bool = True
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Texts that a report must not show: a hub's id is half of a login."""
    transcript: Transcript = field(default_factory=Transcript, repr=False)
