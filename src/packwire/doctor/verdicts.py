"""From the facts to one verdict: the first rule that holds wins, the others become remarks."""

from packwire.doctor.diagnosis import Verdict
from packwire.doctor.examination import Examination
from packwire.doctor.rules.battery import BATTERY_RULES
from packwire.doctor.rules.connection import CONNECTION_RULES
from packwire.doctor.rules.doubts import LAST_RULES
from packwire.doctor.rules.flow import FLOW_RULES
from packwire.doctor.rules.reach import REACH_RULES

#: Every rule, the gravest first.
RULES = (*REACH_RULES, *CONNECTION_RULES, *BATTERY_RULES, *FLOW_RULES, *LAST_RULES)
#: Keys of rules that hold only where no other does.
LAST = frozenset({"ok", "inconclusive"})


def judge(exam: Examination) -> tuple[Verdict, tuple[Verdict, ...]]:
    """Return the verdict, and what else was found."""
    found: list[Verdict] = []
    hidden: set[str] = set()
    for rule in RULES:
        if rule.key in hidden or (found and rule.key in LAST):
            continue
        verdict = rule.verdict(exam)
        if verdict is not None:
            found.append(verdict)
            hidden |= rule.excludes
    return found[0], tuple(found[1:])
