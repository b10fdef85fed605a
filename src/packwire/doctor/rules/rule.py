"""The shape of a rule: when a verdict holds, its words and its remedy; and what several rules say."""

from collections.abc import Callable
from dataclasses import dataclass

from packwire.doctor.checks.words import pack_words
from packwire.doctor.diagnosis import Confidence, Verdict
from packwire.doctor.examination import Examination
from packwire.errors import Reason

type Words = str | Callable[[Examination], str]

CLIENT_TEST = "packwire doctor --my-client 65101"
TAKES_ANYTHING = (
    "packwire reads it all the same. Another client must collect bytes until a whole frame with a right "
    "checksum "
    f"is there, whatever comes before, between or with it. Whether yours does: {CLIENT_TEST}"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a verdict holds, and what it says.

    `holds` returns how sure it is, or None. `instead_of` are the keys of rules that say less of the same:
    they are no remarks beside this one.
    """

    key: str
    holds: Callable[[Examination], Confidence | None]
    words: Words
    remedy: Words
    reason: Reason | None
    excludes: frozenset[str] = frozenset()

    def verdict(self, exam: Examination) -> Verdict | None:
        """Return the verdict where it holds."""
        confidence = self.holds(exam)
        if confidence is None:
            return None
        return Verdict(self.key, confidence, _said(self.words, exam), _said(self.remedy, exam), self.reason)


def _said(words: Words, exam: Examination) -> str:
    return words if isinstance(words, str) else words(exam)


def sure(times: int) -> Confidence | None:
    """Return certain for what was seen twice, likely for once."""
    if times <= 0:
        return None
    return Confidence.CERTAIN if times > 1 else Confidence.LIKELY


def certain(holds: object) -> Confidence | None:
    """Return certain where it holds."""
    return Confidence.CERTAIN if holds else None


def values(exam: Examination) -> str:
    """Say what was read of the battery all the same; empty where nothing was."""
    pack = exam.facts.pack
    if pack is None or pack.absent or not pack.cell_num:
        return ""
    return f" What was read all the same: {pack_words(pack)}."
