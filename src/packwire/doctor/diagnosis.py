"""What a diagnosis is made of: checks with their evidence, one verdict, remarks, the owner's hypotheses."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from packwire.doctor.transcript import Transcript
from packwire.errors import Reason


class Outcome(StrEnum):
    """How a check of the examination ended."""

    PASSED = "passed"
    FAILED = "failed"
    ODD = "odd"
    """It works, but not as it should."""
    SKIPPED = "skipped"


class Confidence(StrEnum):
    """How sure a verdict is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Standing(StrEnum):
    """What became of a hypothesis."""

    CONFIRMED = "confirmed"
    EXCLUDED = "ruled out"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One experiment: its question, how it ended, and what that rules out.

    `answer` is one line; `evidence` are further lines, with hex where bytes matter; `seconds` is how long it
    took. Where it was skipped, `answer` says why.
    """

    name: str
    question: str
    outcome: Outcome
    answer: str
    evidence: tuple[str, ...] = ()
    excludes: str = ""
    seconds: float = 0.0

    def says_the_same(self, other: "CheckResult") -> bool:
        """Return whether another check failed with the very same words."""
        failed = self.outcome is other.outcome is Outcome.FAILED
        return failed and (self.answer, self.evidence) == (other.answer, other.evidence)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, in plain words, and what to do. `key` is stable: see docs/reference/verdicts.md."""

    key: str
    confidence: Confidence
    words: str
    remedy: str
    reason: Reason | None

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return self.key == "ok"


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
