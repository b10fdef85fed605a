"""How often the doctor tells faults of packs on wires by their own verdict, and how often it is falsely sure.

    python -m tests.doctor.live.bench_wired [RUNS [AT_ONCE]]

Each fault and each healthy pack is examined RUNS times (20) as a user examines it, AT_ONCE (8) at the same
time, since most of an examination is waiting.
"""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from packwire.address import parse_address
from packwire.check import Confidence
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from tests.doctor.live.wired import CASES, Case


@dataclass
class _Tally:
    told: Counter[str] = field(default_factory=Counter)
    right: int = 0
    falsely_certain: int = 0
    slowest: float = 0.0


async def _one(case: Case, tally: _Tally) -> None:
    begun = time.monotonic()
    async with case.opened() as address:
        verdict = (await examine(parse_address(address), ExaminationOptions())).verdict
    tally.told[f"{verdict.key} ({verdict.confidence})"] += 1
    tally.right += verdict.key == case.expected
    certain = verdict.confidence is Confidence.CERTAIN
    tally.falsely_certain += certain and (verdict.key != case.expected or case.most is not Confidence.CERTAIN)
    tally.slowest = max(tally.slowest, time.monotonic() - begun)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _run(runs: int, at_once: int) -> None:
    limit = asyncio.Semaphore(at_once)
    tallies = {case.name: _Tally() for case in CASES}

    async def turn(case: Case) -> None:
        async with limit:
            await _one(case, tallies[case.name])

    for _ in range(runs):
        await asyncio.gather(*map(turn, CASES))
    sums: Counter[str] = Counter()
    slowest = 0.0
    for case in CASES:
        tally, healthy = tallies[case.name], case.expected == "ok"
        kind = "healthy packs" if healthy else "faults"
        sums.update({f"runs of {kind}": runs, f"right, of {kind}": tally.right})
        sums["falsely certain"] += tally.falsely_certain
        slowest = max(slowest, tally.slowest) if healthy else slowest
        said = ", ".join(f"{count} x {words}" for words, count in tally.told.most_common())
        _say(f"{case.name:58} {tally.right:3} of {runs}  {tally.slowest:5.1f} s  {said}")
    kinds = len([each for each in CASES if each.expected != "ok"])
    _say(f"faults: {kinds}, healthy packs: {len(CASES) - kinds}")
    for name, count in sorted(sums.items()):
        _say(f"{name}: {count}")
    _say(f"slowest healthy examination: {slowest:.1f} s")


def main(runs: int = 20, at_once: int = 8) -> None:
    """Run, and print a line a fault and the sums."""
    asyncio.run(_run(runs, at_once))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
