"""The shape of a check: a question, what must be known before it can be asked, and the experiment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from packwire.doctor.diagnosis import Outcome
from packwire.doctor.examination import Depth, Examination


@dataclass(frozen=True, slots=True)
class Result:
    """How an experiment ended; see `packwire.doctor.diagnosis.Check`."""

    outcome: Outcome
    answer: str
    evidence: tuple[str, ...] = ()
    excludes: str = ""


def always(_: Examination) -> str:
    """Need nothing."""
    return ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the examination.

    `needs` returns why the experiment makes no sense now, or '': a check without sense is skipped and says
    so, or (`quiet`) is left out. `depth` is from which depth on it is done.
    """

    name: str
    question: str
    run: Callable[[Examination], Awaitable[Result]]
    needs: Callable[[Examination], str] = always
    depth: Depth = Depth.USUAL
    quiet: bool = False


def passed(answer: str, *evidence: str, excludes: str = "") -> Result:
    """Return that it is as it should be."""
    return Result(Outcome.PASSED, answer, evidence, excludes)


def failed(answer: str, *evidence: str) -> Result:
    """Return that it is not."""
    return Result(Outcome.FAILED, answer, evidence)


def odd(answer: str, *evidence: str, excludes: str = "") -> Result:
    """Return that it works, but not as it should."""
    return Result(Outcome.ODD, answer, evidence, excludes)


def skipped(why: str) -> Result:
    """Return that there was no sense in it."""
    return Result(Outcome.SKIPPED, why)
