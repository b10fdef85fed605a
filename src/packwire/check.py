"""What links and protocols bring to the doctor: checks, facts and rules; and the verdicts that come of them.

A check is an experiment, or a look at a record. It fills facts, which are in small groups by subject, and
says what it excludes. Rules lead from facts to verdicts; `packwire.doctor.verdicts` chooses the one
that is told.

    @check("noise", "Is the line quiet?", Stage.CONTACT)
    async def listen(exam: Examination) -> CheckResult:
        ...
        return passed("nothing comes unasked", excludes="a second master on the line")
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

from packwire.errors import Reason


class Confidence(StrEnum):
    """How sure a verdict is."""

    CERTAIN = "certain"
    """No innocent explanation is left."""
    LIKELY = "likely"
    POSSIBLE = "possible"


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    ODD = "odd"
    """It works, but not as it should."""
    SKIPPED = "skipped"


class Depth(IntEnum):
    """How much is asked."""

    QUICK = 0
    USUAL = 1
    THOROUGH = 2


class Stage(IntEnum):
    """Where in an examination a check has its place: from the name lookup to the value."""

    NAME = 0
    """What can be known before there is a connection."""
    WAY = 1
    """The connection and the login."""
    CONTACT = 2
    """Whether anything comes back."""
    SILENCE = 3
    """What it is where nothing comes back."""
    VALUES = 4
    NODES = 5
    FLOW = 6
    """How replies come: whether values move, are held back, stream."""
    OTHER_WAYS = 7
    LAST = 8
    """What may disturb the checks that come behind it."""


class Rank(IntEnum):
    """Which verdict is told where several hold: the first."""

    WAY = 0
    CONNECTION = 1
    VALUES = 2
    FLOW = 3
    DOUBT = 4
    """Values that come with a reservation."""
    WELL = 5
    """Holds only where no other does, as all that follows."""
    UNDECIDED = 6


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check ended: its question, what was seen, and what that excludes.

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


def passed(answer: str, *evidence: str, excludes: str = "") -> CheckResult:
    """Return that it is as it should be."""
    return CheckResult("", "", Outcome.PASSED, answer, evidence, excludes)


def failed(answer: str, *evidence: str) -> CheckResult:
    """Return that it is not."""
    return CheckResult("", "", Outcome.FAILED, answer, evidence)


def odd(answer: str, *evidence: str, excludes: str = "") -> CheckResult:
    """Return that it works, but not as it should."""
    return CheckResult("", "", Outcome.ODD, answer, evidence, excludes)


def skipped(why: str) -> CheckResult:
    """Return that there was no sense in it."""
    return CheckResult("", "", Outcome.SKIPPED, why)


@dataclass(frozen=True, slots=True)
class Check[E]:
    """One check of an examination E.

    `needs` returns why it makes no sense now, or '': a check without sense is skipped and says so, or
    (`quiet`) is left out. `depth` is from which depth on it is done.
    """

    name: str
    question: str
    stage: Stage
    run: Callable[[E], Awaitable[CheckResult]]
    needs: Callable[[E], str]
    depth: Depth
    quiet: bool


def always(_: object) -> str:
    """Need nothing."""
    return ""


def check[E](
    name: str,
    question: str,
    stage: Stage,
    *,
    needs: Callable[[E], str] = always,
    depth: Depth = Depth.USUAL,
    quiet: bool = False,
) -> Callable[[Callable[[E], Awaitable[CheckResult]]], Check[E]]:
    """Make a function a check; it is run where its module is brought to the doctor."""
    return lambda run: Check(name, question, stage, run, needs, depth, quiet)


class Fact:
    """What is known of one subject: a dataclass whose fields begin as not known; checks fill them."""

    __slots__ = ()


class Facts:
    """All that is known: a group for each subject, made when it is first asked for.

    facts[HubFacts].knows
    """

    def __init__(self, *given: Fact) -> None:
        self._groups: dict[type[Fact], Fact] = {type(each): each for each in given}

    def put(self, *given: Fact) -> None:
        """Set groups, in place of what was known of their subjects."""
        self._groups.update({type(each): each for each in given})

    def __getitem__[F: Fact](self, subject: type[F]) -> F:
        found = self._groups.get(subject)
        if found is None:
            found = self._groups[subject] = subject()
        assert isinstance(found, subject)
        return found


class PossibleCause(NamedTuple):
    """What a verdict may come of: a kind of cause, and its share of all that it may be (they sum to 1)."""

    kind: str
    share: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, in plain words, and what to do. `key` is stable: see docs/reference/verdicts.md.

    `explanation` is what in a program or a device causes it, `evidence` are the sentences that it rests on,
    `open` what was not decided and has to be asked for, `causes` what it may be (empty: what `key` says).
    `rank` orders verdicts (the lowest is told first); `excludes` are the keys
    of those that say less of the same; with `alone` it holds only where no other does.
    """

    key: str
    confidence: Confidence
    words: str
    remedy: str
    reason: Reason | None = None
    explanation: str = ""
    evidence: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    causes: tuple[PossibleCause, ...] = ()
    rank: int = 0
    excludes: frozenset[str] = frozenset()
    alone: bool = False

    @property
    def ok(self) -> bool:
        """Whether all is well; of a look around, whether there is something to examine."""
        return self.key in {"ok", "found"}


type Words = str | Callable[[Facts], str]
type Sentences = tuple[str, ...] | Callable[[Facts], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a verdict holds, and what it says.

    `holds` returns how sure it is, or None. `excludes` are the keys of rules that say less of the same: they
    are no remarks beside this one. `evidence`, `open` and `causes` are as in a Verdict.
    """

    key: str
    rank: Rank
    holds: Callable[[Facts], Confidence | None]
    words: Words
    remedy: Words
    reason: Reason | None
    excludes: frozenset[str] = frozenset()
    evidence: Sentences = ()
    open: Sentences = ()
    causes: tuple[PossibleCause, ...] | Callable[[Facts], tuple[PossibleCause, ...]] = ()

    def verdict(self, facts: Facts) -> Verdict | None:
        """Return the verdict where it holds."""
        confidence = self.holds(facts)
        if confidence is None:
            return None
        return Verdict(
            self.key,
            confidence,
            _said(self.words, facts),
            _said(self.remedy, facts),
            self.reason,
            evidence=_of(self.evidence, facts),
            open=_of(self.open, facts),
            causes=_of(self.causes, facts),
            rank=self.rank,
            excludes=self.excludes,
            alone=self.rank >= Rank.WELL,
        )


def _said(words: Words, facts: Facts) -> str:
    return words if isinstance(words, str) else words(facts)


def _of[T](told: tuple[T, ...] | Callable[[Facts], tuple[T, ...]], facts: Facts) -> tuple[T, ...]:
    return told if isinstance(told, tuple) else told(facts)


def sure(times: int) -> Confidence | None:
    """Return certain for what was seen twice, likely for once."""
    if times <= 0:
        return None
    return Confidence.CERTAIN if times > 1 else Confidence.LIKELY


def when(holds: object, confidence: Confidence = Confidence.CERTAIN) -> Confidence | None:
    """Return a confidence where something holds."""
    return confidence if holds else None
