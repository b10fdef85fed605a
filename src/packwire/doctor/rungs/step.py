"""The shape of a rung: a question, what must be known before it can be asked, and the experiment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from packwire.doctor.case import Case, Depth
from packwire.doctor.evidence import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """How an experiment ended; see `packwire.doctor.evidence.Rung`."""

    outcome: Outcome
    answer: str
    evidence: tuple[str, ...] = ()
    rules_out: str = ""


def always(_: Case) -> str:
    """Need nothing."""
    return ""


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder.

    `needs` returns why the experiment makes no sense now, or '': a rung without sense is skipped and says so,
    or (`quiet`) is left out. `depth` is from which depth on it is climbed.
    """

    name: str
    question: str
    run: Callable[[Case], Awaitable[Result]]
    needs: Callable[[Case], str] = always
    depth: Depth = Depth.USUAL
    quiet: bool = False


def passed(answer: str, *evidence: str, rules_out: str = "") -> Result:
    """Return that it is as it should be."""
    return Result(Outcome.PASSED, answer, evidence, rules_out)


def failed(answer: str, *evidence: str) -> Result:
    """Return that it is not."""
    return Result(Outcome.FAILED, answer, evidence)


def odd(answer: str, *evidence: str, rules_out: str = "") -> Result:
    """Return that it works, but not as it should."""
    return Result(Outcome.ODD, answer, evidence, rules_out)


def skipped(why: str) -> Result:
    """Return that there was no sense in it."""
    return Result(Outcome.SKIPPED, why)
