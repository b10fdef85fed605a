"""Why is there no data: experiments and their evidence, verdicts, and the comparison of two sessions.

    from packwire.doctor import diagnose

    diagnosis = await diagnose("vesc://192.168.1.20", limit=15)
    print(diagnosis.verdict.key, diagnosis.verdict.words, diagnosis.verdict.remedy)

Needs the base install alone. What is offered here is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packwire.doctor.evidence import Confidence, Diagnosis, Outcome, Rung, Standing, Theory, Verdict
    from packwire.doctor.examination import diagnose

__all__ = ["Confidence", "Diagnosis", "Outcome", "Rung", "Standing", "Theory", "Verdict", "diagnose"]

_EXAMINATION = frozenset({"diagnose"})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'packwire.doctor' has no attribute {name!r}")
    home = "examination" if name in _EXAMINATION else "evidence"
    return getattr(import_module(f"packwire.doctor.{home}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
