"""Why is there no data: experiments and their evidence, verdicts, and the comparison of two sessions.

    from packwire.doctor import diagnose

    diagnosis = await diagnose("vesc://192.168.1.20", limit=15)
    print(diagnosis.verdict.key, diagnosis.verdict.words, diagnosis.verdict.remedy)

Needs the base install alone. What is offered here is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packwire.check import CheckResult, Confidence, Outcome, Verdict
    from packwire.doctor.diagnosis import Diagnosis, Hypothesis, Standing
    from packwire.doctor.examine import diagnose

__all__ = [
    "CheckResult",
    "Confidence",
    "Diagnosis",
    "Hypothesis",
    "Outcome",
    "Standing",
    "Verdict",
    "diagnose",
]

_HOMES = {
    "diagnose": "packwire.doctor.examine",
    **dict.fromkeys(("Diagnosis", "Hypothesis", "Standing"), "packwire.doctor.diagnosis"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'packwire.doctor' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "packwire.check")), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
