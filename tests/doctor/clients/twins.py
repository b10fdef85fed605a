"""Twins: clients that read nothing, and send what a right one sent when a timer of each request would have.

Where a twin's recording says as little as that of the right client, no look at the recording can tell them apart:
what the right one takes is not decidable from it.
"""

from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.following import CLOSE, FollowingStep, answered, by_kinds, steps_of, width
from packwire.doctor.compare.patience import alike
from packwire.doctor.compare.session import ClientSession, QueryKind
from tests.doctor.clients.recording import Recorded, Setting, record

#: Of fewer steps nothing is said.
_LEAST = 6


def script_of(session: ClientSession) -> str:
    """Return what a session asked, each with the usual wait behind a request of its kind, whatever came."""
    waits: defaultdict[QueryKind, list[int]] = defaultdict(list)
    for each in session.queries:
        if each.wait is not None:
            waits[each.kind].append(each.wait)
    usual = {kind: median(some) / 1e9 for kind, some in waits.items()}
    lines = [
        f"{session.payload(number).hex()} {usual.get(each.kind, 0.0):.6f}\n"
        for number, each in enumerate(session.queries)
        if each.row >= 0
    ]
    return "".join(lines)


def timers_explain(session: ClientSession) -> bool:
    """Tell whether waits lie about as close together counted from the requests on as from the replies on.

    And whether those without a reply are as long: then a timer of each kind of request explains them as well.
    """
    groups = by_kinds(list(steps_of(session)))
    return all(_timer_explains(group) for group in groups.values() if len(group) >= _LEAST)


def _timer_explains(group: list[FollowingStep]) -> bool:
    there = answered(group)
    in_vain = [step.wait for step in group if step.replied == NO_TIME]
    if not there:
        return True
    usual = median(step.wait for step in there)
    if any(not alike(wait, int(usual)) for wait in in_vain):
        return False
    waits, gaps = np.array([step.wait for step in there]), np.array([step.gap for step in there])
    return bool(width(gaps) >= CLOSE * width(waits))


async def twin(path: Path, session: ClientSession, setting: Setting) -> Recorded:
    """Record the twin of a session in the same setting."""
    script = path.with_suffix(".script")
    script.write_text(script_of(session))
    return await record(path, "script", "none", setting, script)
