"""Every figure of packwire, measured here and now, beside a peer where there is one: `make bench`.

What is compared is run in turn, several rounds each, and the best round of each counts: that is the figure
least disturbed by what else the machine does.
"""

import argparse
import sys
from collections.abc import Callable

from benchmarks import (
    bluetooth,
    capturing,
    decoding,
    diffing,
    insight_bits,
    models,
    polling,
    relaying,
    starting,
    texts,
    watching,
    wired,
)
from benchmarks.figure import Figure

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "bluetooth": bluetooth.measure,
    "capturing": capturing.measure,
    "decoding": decoding.measure,
    "diffing": diffing.measure,
    "insight_bits": insight_bits.measure,
    "models": models.measure,
    "polling": polling.measure,
    "relaying": relaying.measure,
    "starting": starting.measure,
    "texts": texts.measure,
    "watching": watching.measure,
    "wired": wired.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "only", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; default: all"
    )
    wanted = parser.parse_args().only or list(BENCHMARKS)
    unknown = set(wanted) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    missed = 0
    for name in wanted:
        print(f"{name}: {BENCHMARKS[name].__module__}")
        for figure in BENCHMARKS[name]():
            print(f"  {figure}")
            missed += not figure.reached
    return 1 if missed else 0


sys.exit(main())
