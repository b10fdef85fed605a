"""The shape of a rule: when a verdict holds, its words and its remedy; and what several rules say."""

from collections.abc import Callable
from dataclasses import dataclass

from packwire.doctor.case import Case
from packwire.doctor.evidence import Confidence, Verdict
from packwire.doctor.rungs.words import pack_words
from packwire.errors import Reason

type Words = str | Callable[[Case], str]

MY_CLIENT = "packwire doctor --my-client 65101"
TAKES_ANYTHING = (
    "packwire reads it all the same. Another client must collect bytes until a whole frame with a right "
    "checksum "
    f"is there, whatever comes before, between or with it. Whether yours does: {MY_CLIENT}"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a verdict holds, and what it says.

    `holds` returns how sure it is, or None. `instead_of` are the keys of rules that say less of the same:
    they are no remarks beside this one.
    """

    key: str
    holds: Callable[[Case], Confidence | None]
    words: Words
    remedy: Words
    reason: Reason | None
    instead_of: frozenset[str] = frozenset()

    def verdict(self, case: Case) -> Verdict | None:
        """Return the verdict where it holds."""
        confidence = self.holds(case)
        if confidence is None:
            return None
        return Verdict(self.key, confidence, _said(self.words, case), _said(self.remedy, case), self.reason)


def _said(words: Words, case: Case) -> str:
    return words if isinstance(words, str) else words(case)


def sure(times: int) -> Confidence | None:
    """Return certain for what was seen twice, likely for once."""
    if times <= 0:
        return None
    return Confidence.CERTAIN if times > 1 else Confidence.LIKELY


def certain(holds: object) -> Confidence | None:
    """Return certain where it holds."""
    return Confidence.CERTAIN if holds else None


def values(case: Case) -> str:
    """Say what was read of the battery all the same; empty where nothing was."""
    pack = case.facts.pack
    if pack is None or pack.absent or not pack.cell_num:
        return ""
    return f" What was read all the same: {pack_words(pack)}."
