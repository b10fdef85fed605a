"""What a diagnosis is made of: rungs with their evidence, one verdict, remarks, and the owner's theories."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from packwire.doctor.tape import Tape
from packwire.errors import Reason


class Outcome(StrEnum):
    """How a rung of the ladder ended."""

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
    """What became of a theory."""

    CONFIRMED = "confirmed"
    RULED_OUT = "ruled out"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Rung:
    """One experiment: its question, how it ended, and what that rules out.

    `answer` is one line; `evidence` are further lines, with hex where bytes matter; `seconds` is how long it
    took. Where it was skipped, `answer` says why.
    """

    name: str
    question: str
    outcome: Outcome
    answer: str
    evidence: tuple[str, ...] = ()
    rules_out: str = ""
    seconds: float = 0.0

    def says_the_same(self, other: "Rung") -> bool:
        """Return whether another rung failed with the very same words."""
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
class Theory:
    """Something that an owner in trouble suspects, and what an experiment says to it."""

    key: str
    question: str
    standing: Standing
    by: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that the doctor found out.

    `where` is the place for a user, `remarks` are findings beside the verdict, `pack` the battery's values by
    quantity key (empty where none came), `tape` the bytes of both directions, `started` seconds since the
    epoch. `complete` is False where the time that was given ended before the ladder did.
    """

    address: str
    where: str
    verdict: Verdict
    rungs: tuple[Rung, ...]
    remarks: tuple[Verdict, ...] = ()
    theories: tuple[Theory, ...] = ()
    pack: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    seconds: float = 0.0
    complete: bool = True
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Texts that a report must not show: a hub's id is half of a login."""
    tape: Tape = field(default_factory=Tape, repr=False)
