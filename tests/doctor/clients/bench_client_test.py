"""All clients with all bugs, each examined by `doctor --my-client`; programs, over real sockets.

    python -m tests.doctor.clients.bench_client_test [--architecture NAME ..] [--bug NAME ..] [--verbose]

Takes some minutes. A client that ends is started again, as the command asks its user to do.
"""

import argparse
import asyncio
import contextlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packwire.check import Confidence
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.verdict import ClientReport
from packwire.doctor.vesc.client_test.played import VESC
from tests.doctor.clients.__main__ import EVERY
from tests.doctor.clients.bugs import BUGS, OF_PIECES
from tests.shared_data import ROOT

LOOPBACK = "127.0.0.1"
#: What names each bug that exists where the client meets packwire; all other clients are right there.
NAMED: dict[str, tuple[str, ...]] = {
    "length-15-bits": ("length-15-bits",),
    "length-15-bits-keeps": ("length-15-bits",),
    "length-signed": ("length-signed",),
    "no-reassembly": ("one-read",),
    "no-splitting": ("joined",),
    "newline": ("newline",),
    "start-03-unknown": ("start-03-unknown",),
    "crc-with-header": ("crc-with-header",),
    "crc-modbus": ("crc-modbus",),
    "crc-ffff": ("crc-ffff",),
    "crc-little-endian": ("crc-little-endian",),
    "crc-ignored": ("crc-ignored",),
    "fixed-size": ("fixed-size",),
    "login-word": ("bad-login",),
    "login-no-newline": ("bad-login",),
    "sends-crc-with-header": ("requests-broken",),
    "sends-crc-modbus": ("requests-broken",),
    "sends-crc-little-endian": ("requests-broken",),
    "sends-length-of-all": ("requests-broken",),
    "can-255": ("broadcast",),
    "impatient": ("impatient",),
    "wrong-command": ("wrong-command",),
}
#: An architecture that is a bug in itself.
OF_ARCHITECTURE = {"behind": ("any-reply",)}
#: These do the same whether a reply comes or not: nothing on the line tells what they take.
BY_CLOCK = frozenset({"fixed-pace"})
#: And this one takes nothing, which looks the same.
DEAF = "deaf"


@dataclass(frozen=True, slots=True)
class Case:
    """One client, and what is said of it."""

    architecture: str
    bug: str
    poll: str
    verdict: ClientReport

    @property
    def is_right(self) -> bool:
        """Tell whether there is nothing to find."""
        return self.bug not in NAMED and self.bug != DEAF and self.architecture not in OF_ARCHITECTURE

    @property
    def outcome(self) -> str:
        """Return healthy, named, beside (named, but not first), undecided, missed or wrong."""
        wanted = (*NAMED.get(self.bug, ()), *OF_ARCHITECTURE.get(self.architecture, ()))
        keys = [finding.key for finding in self.verdict.findings]
        if self.verdict.ok:
            return "healthy" if self.is_right else "missed"
        if not keys:
            return "undecided"
        first = NAMED.get(self.bug, wanted)
        if keys[0] in first:
            return "named"
        return "beside" if set(keys) & set(wanted) else "wrong"

    @property
    def false_certain(self) -> bool:
        """Tell whether something is called certain that is not so."""
        wanted = {*NAMED.get(self.bug, ()), *OF_ARCHITECTURE.get(self.architecture, ())}
        return any(
            finding.confidence is Confidence.CERTAIN and finding.key not in wanted
            for finding in self.verdict.findings
        )


async def examine(
    architecture: str, bug: str, poll: str = "60", *, timeout: float = 0.6, within: float = 360.0
) -> Case:
    """Let a client be examined, started again where it ends, until it is decided or the time is over."""
    async with ClientTest(lambda _: None, VESC, patience=6.0) as test:
        running = asyncio.create_task(_again_and_again(architecture, bug, poll, timeout, test.port))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await test.run()
            return Case(architecture, bug, poll, test.verdict)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _again_and_again(architecture: str, bug: str, poll: str, timeout: float, port: int) -> None:
    while True:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.doctor.clients", architecture, bug, LOOPBACK, str(port)),
            *("--login", "TESTPACK:secret42", "--poll", poll, "--timeout", str(timeout)),
            *("--seconds", "600"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
        )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        await asyncio.sleep(0.2)


def everything(architectures: Iterable[str], bugs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield all combinations that can be."""
    for architecture in architectures:
        for bug in bugs:
            own_timers = architecture == "vesc-tool" and bug == "impatient"  # it has no such timeout
            if not own_timers and not (architecture == "resync" and bug in OF_PIECES):
                yield architecture, bug


async def run(chosen: Iterable[tuple[str, str]], poll: str, at_once: int, *, verbose: bool) -> list[Case]:
    """Examine all of them."""
    gate = asyncio.Semaphore(at_once)

    async def one(architecture: str, bug: str) -> Case:
        async with gate:
            case = await examine(architecture, bug, poll)
        if verbose or case.false_certain or case.outcome in {"wrong", "missed"}:
            sys.stdout.write(_line(case))
            sys.stdout.flush()
        return case

    return await asyncio.gather(*(one(*each) for each in chosen))


def _line(case: Case) -> str:
    said = "; ".join(f"{each.key} ({each.confidence}) {each.words[:90]}" for each in case.verdict.findings)
    said = said or " | ".join(case.verdict.undecided)[:150]
    return f"{case.outcome:<10} {case.architecture:<14} {case.bug:<24} {said}\n"


def table(cases: list[Case]) -> str:
    """Return the outcomes by bug, and the shares."""
    names = ("healthy", "named", "beside", "undecided", "missed", "wrong", "false certain")
    rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        row = rows[case.bug if case.architecture not in BY_CLOCK else "(by the clock)"]
        row[case.outcome] += 1
        row["false certain"] += case.false_certain
    rows["all"] = sum(rows.values(), Counter())
    lines = [f"{'bug':<24}" + "".join(f"{name:>14}" for name in names)]
    lines += [f"{bug:<24}" + "".join(f"{row[name]:>14}" for name in names) for bug, row in rows.items()]
    timed = [case for case in cases if case.architecture not in BY_CLOCK]
    right = [case for case in timed if case.is_right]
    wrong = [case for case in timed if not case.is_right and case.bug != DEAF]
    healthy = sum(case.outcome == "healthy" for case in right)
    named = sum(case.outcome in {"named", "beside"} for case in wrong)
    lines.append(f"right ones that come out healthy: {healthy} of {len(right)}")
    lines.append(f"bugs that are named: {named} of {len(wrong)}")
    return "\n".join(lines)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.doctor.clients.bench_client_test", description=__doc__
    )
    parser.add_argument("--architecture", nargs="*", choices=EVERY, default=list(EVERY))
    parser.add_argument("--bug", nargs="*", choices=BUGS, default=list(BUGS))
    parser.add_argument("--poll", default="60", help="payloads asked again and again")
    parser.add_argument("--at-once", type=int, default=24, help="clients that run at a time")
    parser.add_argument("--verbose", action="store_true", help="say each outcome")
    given = parser.parse_args()
    chosen = everything(given.architecture, given.bug)
    cases = asyncio.run(run(chosen, given.poll, given.at_once, verbose=given.verbose))
    sys.stdout.write(table(cases) + "\n")


if __name__ == "__main__":
    main()
