"""Bluetooth clients with bugs, recorded on the virtual air and compared with a right one's recording.

    python -m tests.bluetooth.bench_compare [--model NAME ..] [--client NAME ..] [--keep FOLDER] [--again]

Takes some minutes. Says of each what `packwire compare` says, and whether it is right.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from packwire.capture import open_capture
from packwire.check import Confidence
from packwire.doctor.compare.choose import choose
from packwire.doctor.compare.verdict import NO_DIFFERENCE, Comparison, compare, evidence_lines
from packwire.errors import PackwireError
from packwire.sim.air import Air
from packwire.sim.bleak_bumble import installed
from tests.bluetooth.clients import CLIENTS, asked_of, record

MODELS = ("jbd", "daly", "jk02", "ant", "basen", "seplos", "litime", "renogy", "sok", "jk04")
#: What names each bug. Where a record does not show what a client takes, that it cannot be told is right.
NAMED: dict[str, tuple[str, ...]] = {
    "right": (NO_DIFFERENCE, "cannot-tell"),
    "right-slow": (NO_DIFFERENCE, "cannot-tell"),
    "right-at-once": (NO_DIFFERENCE, "cannot-tell"),
    "right-reversed": (NO_DIFFERENCE, "cannot-tell"),
    "no-subscription": ("never-subscribes",),
    "request-missing": ("never-asked",),
    "wrong-checksum": ("wrong-checksum",),
    "wrong-length": ("wrong-length", "wrong-frame"),
    "write-type": ("write-mode",),
    "not-joined": ("receive-path",),
    "too-fast": ("too-fast", "impatient"),
    "impatient": ("impatient", "too-fast"),
    "other-family": ("wrong-type-configured",),
    "no-login": ("password-needed",),
    "deaf": ("receive-path", "cannot-tell"),
}
UNDECIDED = ("cannot-tell", "not-recorded")


@dataclass(frozen=True, slots=True)
class Case:
    """A client at a device of a model, and what came of the comparison; `error` where there was none."""

    model: str
    client: str
    found: Comparison | None
    error: str = ""
    harm: bool = True
    """Whether the client missed any reply, or never asked what it should."""

    @property
    def outcome(self) -> str:
        """Return named, beside (named, but not first), undecided, missed (called well) or wrong."""
        wanted = NAMED[self.client]
        if self.found is None:
            return "refused"
        also = [each.cause.value for who, each in self.found.also if who != "the reference"]
        if self.found.key in wanted and not self.found.swapped:
            return "named"
        if set(wanted) & set(also):
            return "beside"
        if not self.harm:
            return "no harm"
        if self.found.key in UNDECIDED:
            return "undecided"
        return "missed" if self.found.key == NO_DIFFERENCE else "wrong"

    @property
    def false_certain(self) -> bool:
        """Tell whether something is certain that is not so."""
        sure = self.found is not None and self.found.confidence is Confidence.CERTAIN
        return sure and self.outcome in ("wrong", "beside", "undecided")


async def record_all(folder: Path, models: list[str], clients: list[str]) -> None:
    """Record each client at a device of each model."""
    async with Air() as air:
        with installed(await air.device("central"), longest_connect=2):
            for at, name in enumerate(models):
                for number, client in enumerate(dict.fromkeys(("right", *clients))):
                    path = folder / f"{name} {client}.btsnoop"
                    address = f"C8:47:8C:01:{at:02X}:{number:02X}"
                    talk = await record(air, path, name, CLIENTS[client], address)
                    sys.stderr.write(f"{name} {client}: asked {talk.asked}, taken {talk.taken}\n")


def judged(folder: Path, name: str, client: str) -> Case:
    """Compare a recording with the right client's."""
    try:
        captures = (
            open_capture(folder / f"{name} right.btsnoop"),
            open_capture(folder / f"{name} {client}.btsnoop"),
        )
        theirs, ours = choose(captures)
        told = json.loads((folder / f"{name} {client}.json").read_text())
        harm = told["taken"] < told["asked"] or (client == "request-missing" and len(asked_of(name)) > 1)
        return Case(name, client, compare(theirs.session, ours.session), harm=harm)
    except PackwireError as error:
        return Case(name, client, None, str(error))


def _line(case: Case) -> str:
    if case.found is None:
        return f"{case.outcome:<10} {case.model:<10} {case.client:<16} {case.error}\n"
    found = case.found
    said = " ".join(evidence_lines(found.main, found.who)) if found.main else found.words
    also = ", ".join(f"{each.cause.value}/{who}" for who, each in found.also)
    return (
        f"{case.outcome:<10} {case.model:<10} {case.client:<16} {found.key} ({found.confidence.value}"
        f"{', the reference' if found.swapped else ''}) {said[:170]} [{also}]\n"
    )


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m tests.bluetooth.bench_compare", description=__doc__)
    parser.add_argument("--model", nargs="*", default=list(MODELS))
    parser.add_argument("--client", nargs="*", choices=CLIENTS, default=list(CLIENTS))
    parser.add_argument("--keep", type=Path, help="keep the recordings in this folder")
    parser.add_argument("--again", action="store_true", help="compare what is in --keep already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not given.again:
            asyncio.run(record_all(folder, given.model, given.client))
        cases = [
            judged(folder, name, client)
            for name in given.model
            for client in given.client
            if not (client == "no-login" and name != "jbd")
        ]
    for case in cases:
        sys.stdout.write(_line(case))
    counts = Counter(case.outcome for case in cases)
    sys.stdout.write(f"{len(cases)}: {', '.join(f'{count} {what}' for what, count in counts.items())}\n")
    sys.stdout.write(f"false certain: {sum(case.false_certain for case in cases)}\n")


if __name__ == "__main__":
    main()
