"""All architectures with all bugs, recorded through a tap and compared with a healthy client.

    python -m tests.doctor.clients.bench --compare [--architecture NAME] [--bug NAME] [--setting NAME]

Takes some minutes. Says for each bug how often it was named, called undecided, missed or called something else.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from packwire.capture import open_capture
from packwire.check import Confidence
from packwire.doctor.compare.choose import choose
from packwire.doctor.compare.verdict import NO_DIFFERENCE, Comparison, compare, evidence_lines
from tests.doctor.clients.architectures import ARCHITECTURES
from tests.doctor.clients.bugs import BUGS, OF_PIECES
from tests.doctor.clients.recording import Recorded, Setting, record, recorded
from tests.doctor.clients.twins import timers_explain, twin

SETTINGS = {
    each.name: each
    for each in (
        Setting("near"),
        Setting("one-kind", hello="", poll="60", pause=0.3),
        Setting("mixed", hello="00,225400", poll="60,00,225404,5d00", pause=0.02, timeout=0.8),
        Setting("far", latency=(0.03, 0.15), poll="60,225404,00", timeout=1.0, seconds=8.0),
        Setting("lossy", lost=0.1, poll="60,00,225404", timeout=0.7, seconds=8.0),
        Setting("pieces", faults=("split:60,0.003", "prints:3"), poll="60,00", seconds=6.0),
        Setting("joined", faults=("join:2,0.02",), poll="60,00", pause=0.05),
        Setting("described", described=True, latency=(0.002, 0.02), poll="60,5c00000001900000000a,00"),
        Setting("damaged", faults=("corrupt:5",), poll="60,00", timeout=0.7, seconds=8.0),
    )
}
#: What the verdict, or a remark beside it, is to say of each bug.
NAMED: dict[str, tuple[str, ...]] = {
    "login-word": ("bad-login",),
    "login-no-newline": ("bad-login", "never-logs-in"),
    "no-login": ("never-logs-in",),
    "impatient": ("impatient", "too-fast"),
    "sends-crc-with-header": ("wrong-checksum",),
    "sends-crc-modbus": ("wrong-checksum",),
    "sends-crc-little-endian": ("wrong-checksum",),
    "sends-length-of-all": ("wrong-length",),
    "can-255": ("can-broadcast",),
    "can-id-wrong": ("nobody-there",),
    "wrong-command": ("wrong-command",),
}
_RECEIVING = ("receive-path",)
#: What is true of replies that a busy computer or a lossy network keeps from every client.
_ON_THE_WIRE = ("silent-device", "swallowed", "damaged-replies")
UNDECIDED = ("cannot-tell", "not-recorded")
#: Clients that ask whatever comes, or all at once: no recording shows which replies they take.
BY_CLOCK = frozenset({"fixed-pace", "pipelining"})
_HARM = 0.05


@dataclass(frozen=True, slots=True)
class Case:
    """One client in one setting, with what came of it."""

    architecture: str
    bug: str
    setting: str
    recorded: Recorded
    found: Comparison
    twin: Comparison | None = None
    """Of a client that reads nothing and sends the same when its timers say so, where that was recorded."""

    @property
    def decidable(self) -> bool:
        """Tell whether the record of a right client is another than that of a client that reads nothing.

        One that asks by the clock and reads beside it sends the same without reading, by its very program.
        """
        if self.architecture == "fixed-pace":
            return False
        alike = self.twin is not None and self.twin.key in UNDECIDED and self.outcome == "undecided"
        return not (alike and timers_explain(self.found.mine))

    @property
    def shows(self) -> bool:
        """Tell whether the bug did any harm there."""
        if self.bug in NAMED and self.bug != "impatient":
            return self.recorded.asked > 0
        lost = self.found.mine.asked - self.found.mine.answered
        asked = max(self.recorded.asked, 1)
        if self.bug == "impatient":
            given_up = self.recorded.timeouts / asked - lost / max(self.found.mine.asked, 1)
            # What its own computer holds up, and gives up then, is not in the record.
            return min(given_up, self._too_late / max(self.found.mine.answered, 1)) > _HARM
        if self.bug == "deaf":
            return self.found.mine.answered > 0
        return self.recorded.refused / asked > _HARM

    @property
    def _too_late(self) -> int:
        """Return how many replies came on the wire when an impatient client had given them up."""
        patience = (BUGS[self.bug].timeout or 0) * 1e9
        latencies = [each.latency for each in self.found.mine.queries if each.latency is not None]
        return sum(each > patience for each in latencies)

    @property
    def decided(self) -> bool:
        """Tell whether the record decides what is wrong: all that a client sends, and what some of it shows.

        Of its receiving it shows something where the client goes on at once after some replies, and after
        others when it has waited in vain, by turns and more than once, one request at a time. One that takes
        none after the first that it missed looks like one that asks by the clock.
        """
        if self.bug == "impatient":  # it pauses too: who asks on at once is seen to be too early
            return self.shows and self.architecture in ("at-once", "hasty")
        if self.bug in NAMED:
            return self.shows
        both = min(self.recorded.taken_later, self.recorded.timeouts) > 1
        return self.shows and both and self.architecture not in BY_CLOCK

    @property
    def outcome(self) -> str:
        """Return named, undecided, missed (called well), or wrong."""
        key, others = (
            self.found.key,
            [each.cause.value for who, each in self.found.also if who != "the reference"],
        )
        wanted = NAMED.get(self.bug, _RECEIVING) if self.bug != "none" else (NO_DIFFERENCE,)
        if key in wanted and not self.found.swapped:
            return "named"
        if key in UNDECIDED or (key in _ON_THE_WIRE and set(UNDECIDED) & set(others)):
            return "undecided"
        if key == NO_DIFFERENCE:
            return "missed" if self.bug != "none" and self.shows else "no harm"
        return "beside" if set(wanted) & set(others) else "wrong"

    @property
    def false_certain(self) -> bool:
        """Tell whether something is called certain that is not so."""
        return self.outcome in ("wrong", "beside") and self.found.confidence is Confidence.CERTAIN

    @property
    def false_clear(self) -> bool:
        """Tell whether a client that does harm is called well."""
        return self.outcome == "missed"


async def run(
    folder: Path,
    chosen: Iterable[tuple[str, str, str]],
    at_once: int,
    reference: str = "vesc-tool",
    *,
    again: bool = False,
) -> list[Case]:
    """Record all and compare each with a healthy client in the same setting."""
    gate = asyncio.Semaphore(at_once)
    chosen = list(chosen)

    async def made(architecture: str, bug: str, setting: str, name: str) -> Recorded:
        path = folder / f"{name}.pcapng"
        async with gate:
            return recorded(path) if again else await record(path, architecture, bug, SETTINGS[setting])

    settings = list(dict.fromkeys(setting for _, _, setting in chosen))
    recordings = await asyncio.gather(
        *(made(reference, "none", setting, f"reference {setting}") for setting in settings),
        *(made(*each, " ".join(each)) for each in chosen),
    )
    healthy = dict(zip(settings, recordings, strict=False))
    return [
        Case(*each, one, compared(healthy[each[2]].path, one.path))
        for each, one in zip(chosen, recordings[len(settings) :], strict=True)
    ]


async def with_twins(folder: Path, cases: list[Case], at_once: int) -> list[Case]:
    """Record the twins of all right clients: no record of one may be called well."""
    gate = asyncio.Semaphore(at_once)

    async def judged(case: Case) -> Case:
        if case.bug != "none":
            return case
        path = folder / f"twin of {case.recorded.path.stem}.pcapng"
        async with gate:
            made = await twin(path, case.found.mine, SETTINGS[case.setting])
        return replace(case, twin=compared(folder / f"reference {case.setting}.pcapng", made.path))

    return list(await asyncio.gather(*map(judged, cases)))


def compared(reference: Path, mine: Path) -> Comparison:
    """Compare two recordings as the command does."""
    theirs, ours = choose((open_capture(reference), open_capture(mine)))
    return compare(theirs.session, ours.session)


def everything(
    architectures: Iterable[str], bugs: Iterable[str], settings: Iterable[str]
) -> Iterable[tuple[str, str, str]]:
    """Yield all combinations that can be."""
    for setting in settings:
        for architecture in architectures:
            for bug in bugs:
                if not (architecture == "resync" and bug in OF_PIECES):
                    yield architecture, bug, setting


def table(cases: list[Case]) -> str:
    """Return the outcome by bug."""
    outcomes = ("named", "beside", "undecided", "no harm", "missed", "wrong")
    rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        rows[case.bug][case.outcome] += 1
        rows[case.bug]["false certain"] += case.false_certain
    names = (*outcomes, "false certain")
    lines = [f"{'bug':<26}" + "".join(f"{name:>14}" for name in names)]
    lines += [f"{bug:<26}" + "".join(f"{row[name]:>14}" for name in names) for bug, row in rows.items()]
    right = [case for case in cases if case.bug == "none"]
    decided = [case for case in cases if case.decided]
    named = sum(case.outcome in ("named", "beside") for case in decided)
    total = sum(rows.values(), Counter())
    lines.append(f"{'all':<26}" + "".join(f"{total[name]:>14}" for name in names))
    healthy = Counter(case.outcome for case in right)
    lines.append(f"right clients: {len(right)}, {healthy['named']} healthy, {healthy['undecided']} undecided")
    told = [case for case in right if case.decidable]
    lines.append(
        f"of which {len(right) - len(told)} have a twin that reads nothing and makes such a record too;"
        f" of the other {len(told)} {healthy['named']} come out healthy ({healthy['named'] / max(len(told), 1):.0%})"
    )
    clear = sum(case.twin is not None and case.twin.key == NO_DIFFERENCE for case in right)
    lines.append(f"twins that are called well: {clear}")
    lines.append(f"bugs that the record decides: {len(decided)}, {named} named")
    return "\n".join(lines)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m tests.doctor.clients.bench", description=__doc__)
    parser.add_argument("--compare", action="store_true", required=True, help="record and compare")
    parser.add_argument("--architecture", nargs="*", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    parser.add_argument("--bug", nargs="*", choices=BUGS, default=list(BUGS))
    parser.add_argument("--setting", nargs="*", choices=SETTINGS, default=["mixed"])
    parser.add_argument("--at-once", type=int, default=16, help="clients that run at a time")
    parser.add_argument("--keep", type=Path, help="keep the recordings in this folder")
    parser.add_argument("--again", action="store_true", help="compare what is in --keep already")
    parser.add_argument(
        "--twins",
        action="store_true",
        help="record, for each right client, what sends the same and reads nothing",
    )
    parser.add_argument("--verbose", action="store_true", help="say each outcome but those wanted")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        chosen = everything(given.architecture, given.bug, given.setting)
        if given.again:
            chosen = [each for each in chosen if (folder / f"{' '.join(each)}.json").exists()]
        cases = asyncio.run(run(folder, chosen, given.at_once, again=given.again))
        if given.twins:
            cases = asyncio.run(with_twins(folder, cases, given.at_once))
    if given.verbose:
        for case in cases:
            sys.stdout.write(_line(case))
    sys.stdout.write(table(cases) + "\n")


def _line(case: Case) -> str:
    recorded, found = case.recorded, case.found
    twin = f" twin: {case.twin.key}" if case.twin else ""
    said = " ".join(evidence_lines(found.main, found.who)) if found.main else found.words
    return (
        f"{case.outcome:<10} {case.setting:<10} {case.architecture:<14} {case.bug:<24}"
        f" {recorded.asked:>4} {recorded.taken:>4} {recorded.timeouts:>3}  {found.key} ({found.confidence.value}"
        f"{', the reference' if found.swapped else ''}) {said[:150]}{twin}\n"
    )


if __name__ == "__main__":
    main()
