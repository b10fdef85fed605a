"""All clients of packs with all bugs, each examined by `doctor --my-client PORT?model=`; over real sockets.

    python -m tests.doctor.client_test.bench_packs [--model NAME ..] [--bug NAME ..] [--style NAME ..]

Takes some minutes.
"""

import argparse
import asyncio
import sys
from collections import Counter

from packwire.check import Confidence
from packwire.doctor.client_test.pack import pack
from packwire.models.load import model
from packwire.sim.model import SimulatedModel
from tests.doctor.client_test.bluetooth_clients import examined as over_bluetooth
from tests.doctor.client_test.pack_clients import BUGS, STYLES, examined

EXAMINED = {"tcp": examined, "bluetooth": over_bluetooth}
MODELS = ("jbd", "daly", "ant", "basen", "seplos", "litime", "sok", "pace", "pylontech", "jk-uart")


async def run(
    models: list[str], bugs: list[str], styles: list[str], at_once: int, over: str
) -> list[tuple[str, str]]:
    """Examine all; return outcome and bug of each."""
    gate = asyncio.Semaphore(at_once)

    async def one(name: str, bug: str, style: str) -> tuple[str, str]:
        async with gate:
            report = await EXAMINED[over](name, bug, style)
        keys = [each.key for each in report.findings]
        wanted = BUGS[bug]
        false = any(
            each.confidence is Confidence.CERTAIN and each.key not in wanted for each in report.findings
        )
        outcome = "undecided"
        if report.ok:
            harmless = bug in ("rest-dropped", "any-message") and not _has_unasked(name)
            harmless |= over == "bluetooth" and bug in ("rest-dropped", "junk-chokes")
            outcome = "healthy" if not wanted else "no harm" if harmless else "missed"
        elif keys:
            outcome = "named" if keys[0] in wanted else "beside" if set(keys) & set(wanted) else "wrong"
        said = "; ".join(f"{each.key} ({each.confidence})" for each in report.findings)
        said = said or " | ".join(report.undecided)[:120]
        sys.stdout.write(f"{outcome:<10} {name:<10} {style:<13} {bug:<18} {said}\n")
        sys.stdout.flush()
        return ("false certain" if false else outcome), bug

    jobs = [one(name, bug, style) for name in models for bug in bugs for style in styles]
    return await asyncio.gather(*jobs)


def _has_unasked(name: str) -> bool:
    """Tell whether the packs of a model send anything that does not answer a request."""
    protocol = model(name)
    played = pack(protocol, SimulatedModel(protocol).device.answers)
    return any(each.key == "print-only" for each in played.bad)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.doctor.client_test.bench_packs", description=__doc__
    )
    parser.add_argument("--model", nargs="*", default=list(MODELS))
    parser.add_argument("--bug", nargs="*", choices=BUGS, default=list(BUGS))
    parser.add_argument("--style", nargs="*", choices=STYLES, default=["at-once"])
    parser.add_argument("--over", choices=EXAMINED, default="tcp", help="bluetooth: one at a time")
    parser.add_argument("--at-once", type=int, default=10, help="clients that run at a time")
    given = parser.parse_args()
    at_once = 1 if given.over == "bluetooth" else given.at_once  # bleak is told its adapter for all
    found = asyncio.run(run(given.model, given.bug, given.style, at_once, given.over))
    for what, some in (
        ("right ones", [o for o, bug in found if not BUGS[bug]]),
        ("bugs", [o for o, b in found if BUGS[b]]),
    ):
        counts = ", ".join(f"{count} {outcome}" for outcome, count in Counter(some).items())
        sys.stdout.write(f"{what}: {len(some)}, {counts}\n")


if __name__ == "__main__":
    main()
