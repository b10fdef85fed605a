"""How often the doctor tells faults over Bluetooth by their own verdict, and how often it is falsely sure.

    python -m tests.doctor.live.bench_faults [RUNS [PART [PARTS]]]

Each fault and each healthy pack is examined RUNS times (20) with the patience that users have; of PARTS
processes this one does PART.
"""

import asyncio
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.doctor.live.faults import FAULTS, HEALTHY, LiveFault, examined, is_falsely_certain, is_right


def _setenv(name: str, value: str) -> None:
    os.environ[name] = value


async def _one(fault: LiveFault) -> tuple[bool, bool, str, float]:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        found = await examined(fault, Path(folder), _setenv)
    told = f"{found.verdict.key} ({found.verdict.confidence})"
    return is_right(fault, found), is_falsely_certain(fault, found), told, time.monotonic() - begun


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(runs: int = 20, part: int = 0, parts: int = 1) -> None:
    """Run, and print a line a fault and the sums."""
    logging.disable(logging.CRITICAL)
    sums: Counter[str] = Counter()
    for fault in [*FAULTS, *HEALTHY][part::parts]:
        healthy, told, right, false, slowest = fault in HEALTHY, Counter[str](), 0, 0, 0.0
        for _ in range(runs):
            own, falsely, words, seconds = asyncio.run(_one(fault))
            right, false, slowest = right + own, false + falsely, max(slowest, seconds)
            told[words] += 1
        kind = "healthy" if healthy else "fault"
        sums.update({f"{kind} runs": runs, f"{kind} right": right, "falsely certain": false})
        said = ", ".join(f"{count} x {words}" for words, count in told.most_common())
        _say(f"{fault.name:34} {right:3} of {runs}  {false} falsely certain  {slowest:5.1f} s  {said}")
    for name, count in sorted(sums.items()):
        _say(f"{name}: {count}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
