"""What `packwire doctor` shows: each check as it ends, then the verdict; or one JSON object."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from packwire.check import Check, CheckResult, Confidence, Outcome, Verdict
from packwire.cli.exit_codes import exit_code_of
from packwire.cli.records.verdicts import Diagnosis as DiagnosisRecord
from packwire.cli.records.verdicts import Verdict as VerdictRecord
from packwire.cli.records.verdicts import VerdictCause
from packwire.cli.terminal import hanging, make_console, printable
from packwire.clock import iso_time
from packwire.doctor.diagnosis import NOT_REACHED, Diagnosis, Standing
from packwire.phrases import counted
from packwire.visible import record_text

if TYPE_CHECKING:
    from rich.status import Status

MARKS = {
    Outcome.PASSED: ("ok  ", "green"),
    Outcome.FAILED: ("FAIL", "bold red"),
    Outcome.ODD: ("odd ", "yellow"),
}
_STANDINGS = {Standing.CONFIRMED: "bold red", Standing.EXCLUDED: "green", Standing.OPEN: "yellow"}
_NAME_WIDTH = 13
_INDENT = " " * (_NAME_WIDTH + 7)
#: Checks that passed show so many lines of evidence; the report shows all.
_SHOWN_PASSED = 2
RESTART = (
    "No answer. Switch the device off and on (or wake it: a load, a charger, its\n"
    "button), wait until it is up, then press Enter (n: leave it)."
)


class TextView:
    """For people; `whole`: checks that passed are shown with all their evidence, too."""

    def __init__(self, *, whole: bool = False) -> None:
        self._console = make_console()
        self._shown_passed = None if whole else _SHOWN_PASSED
        self._status: Status | None = None
        self._skipped: list[CheckResult] = []
        self._last: CheckResult | None = None
        self._same: list[str] = []
        """The checks that failed with the same words as the last one that was shown."""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Show on a terminal which check is being done."""
        with self._console.status("") as self._status:
            yield
        self._status = None

    def begun(self, check: Check[Any]) -> None:
        """Say what is being asked now."""
        if self._status is not None:
            self._status.update(check.question)

    def ended(self, check: CheckResult) -> None:
        """Show a check; those without sense are named together at the end."""
        if check.outcome is Outcome.SKIPPED:
            self._skipped.append(check)
            return
        if self._last is not None and check.says_the_same(self._last):
            self._same.append(check.name)
            return
        self._show_same()
        self._last = check
        mark, style = MARKS[check.outcome]
        seconds = f"  {check.seconds:.1f} s" if check.seconds >= 0.5 else ""
        excludes = f"  (rules out {check.excludes})" if check.excludes else ""
        self._print(
            Text.assemble(
                (mark, style),
                f"  {check.name:<{_NAME_WIDTH}} {printable(check.answer)}",
                (excludes + seconds, "dim"),
            ),
            len(_INDENT),
        )
        passed = check.outcome is Outcome.PASSED
        lines = check.evidence[: self._shown_passed] if passed else check.evidence
        for line in lines:
            self._print(Text(f"{_INDENT}{printable(line)}", "dim"))
        if len(lines) < len(check.evidence):
            left = len(check.evidence) - len(lines)
            more = f"{_INDENT}and {counted(left, 'line')} more, with --report or --json"
            self._print(Text(more, "dim"))

    def _show_same(self) -> None:
        if self._same:
            self._print(Text(f"{_INDENT}the same: {', '.join(self._same)}", "dim"))
            self._same.clear()

    def _print(self, text: Text, indent: int = 0) -> None:
        for piece in hanging(self._console, text, indent):
            self._console.print(piece)

    async def ask_for_restart(self) -> bool:
        """Let the user switch the device off and on; tell whether that was done."""
        if self._status is not None:
            self._status.stop()
        done = await _prompt(RESTART)
        if self._status is not None:
            self._status.start()
        return done

    def verdict(self, diagnosis: Diagnosis) -> None:
        """Show the hypotheses, the verdict, and what to do."""
        self._show_same()
        if self._skipped:
            names = ", ".join(check.name for check in self._skipped)
            self._print(
                Text.assemble(("-   ", "dim"), (f"  not tried: {names}: {self._skipped[0].answer}", "dim")), 6
            )
        reached = [each for each in diagnosis.hypotheses if each.by != NOT_REACHED]
        if reached:
            self._print(Text())
        for hypothesis in reached:
            style = _STANDINGS[hypothesis.standing]
            self._print(
                Text.assemble(
                    (f"{hypothesis.standing:<10}", style),
                    f"  {hypothesis.question}: ",
                    (hypothesis.by, "dim"),
                ),
                12,
            )
        self._print(Text())
        for remark in diagnosis.remarks:
            self._print(Text.assemble(("also      ", "yellow"), f"  {printable(remark.words)}"), 12)
        if not diagnosis.complete:
            self._print(Text("The examination was ended early: this is what is known so far.", "yellow"))
        self._print(verdict_line(diagnosis.verdict), 2)
        for line in diagnosis.verdict.evidence:
            self._print(Text(f"      {printable(line)}", "dim"), 2)
        if may := may_be(diagnosis.verdict):
            self._print(Text.assemble(("It may be: ", "bold"), may), 2)
        self._print(Text.assemble(("What to do: ", "bold"), printable(diagnosis.verdict.remedy)), 2)

    def wrote(self, file: Path) -> None:
        """Say that a report was written."""
        self._print(Text(f"Report written, without secrets: {file}", "dim"))


def verdict_line(verdict: Verdict) -> Text:
    """Return a verdict with how sure it is, and its key."""
    sure = "" if verdict.confidence is Confidence.CERTAIN else f" ({verdict.confidence})"
    style = "bold green" if verdict.ok else "bold red"
    return Text.assemble(
        (f"VERDICT{sure}: ", style), (printable(verdict.words), "bold"), (f"  [{verdict.key}]", "dim")
    )


async def _prompt(text: str) -> bool:
    """Ask and wait for Enter; False for `n` and where there is no more input."""
    if sys.stdin is None:
        return False
    print(text, file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def take(line: bytes) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        line = os.read(sys.stdin.fileno(), 1024)
        with contextlib.suppress(RuntimeError):  # Ctrl-C has ended all meanwhile
            loop.call_soon_threadsafe(take, line)

    # Nobody waits for this thread, so that Ctrl-C ends the program while it reads.
    threading.Thread(target=read, daemon=True).start()
    line = await answer
    return bool(line) and not line.strip().lower().startswith(b"n")


class JsonView:
    """For scripts: nothing until the end, then one object."""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Show nothing."""
        yield

    def begun(self, check: Check[Any]) -> None:
        """Show nothing."""

    def ended(self, check: CheckResult) -> None:
        """Show nothing."""

    async def ask_for_restart(self) -> bool:
        """Let the user switch the device off and on; the question goes to standard error."""
        return await _prompt(RESTART)

    def verdict(self, diagnosis: Diagnosis) -> None:
        """Print the object."""
        print(record_text(diagnosis_record(diagnosis)), flush=True)

    def wrote(self, file: Path) -> None:
        """Show nothing."""


def diagnosis_record(diagnosis: Diagnosis) -> DiagnosisRecord:
    """Return a diagnosis as plain data."""
    return {
        "kind": "diagnosis",
        "time": iso_time(round(diagnosis.started * 1e9)),
        "address": diagnosis.address,
        "where": diagnosis.where,
        "seconds": round(diagnosis.seconds, 3),
        "complete": diagnosis.complete,
        "verdict": verdict_record(diagnosis.verdict),
        "causes": cause_records(diagnosis.verdict),
        "evidence": list(diagnosis.verdict.evidence),
        "remarks": [verdict_record(remark) for remark in diagnosis.remarks],
        "hypotheses": [
            {"key": each.key, "question": each.question, "standing": each.standing.value, "by": each.by}
            for each in diagnosis.hypotheses
        ],
        "pack": {
            key: list(value) if isinstance(value, tuple) else value for key, value in diagnosis.pack.items()
        },
        "checks": [
            {
                "name": check.name,
                "question": check.question,
                "outcome": check.outcome.value,
                "answer": check.answer,
                "evidence": list(check.evidence),
                "rules_out": check.excludes,
                "seconds": round(check.seconds, 3),
            }
            for check in diagnosis.checks
        ],
    }


def may_be(verdict: Verdict) -> str:
    """Return what a verdict may come of, for people; empty where that is not open."""
    if len(verdict.causes) < 2 or verdict.confidence is Confidence.CERTAIN:
        return ""
    return ", ".join(f"{each.kind} {each.share:.0%}" for each in verdict.causes)


def cause_records(verdict: Verdict) -> list[VerdictCause]:
    """Return what a verdict may come of as plain data."""
    return [{"cause": each.kind, "share": each.share} for each in verdict.causes]


def verdict_record(verdict: Verdict) -> VerdictRecord:
    """Return a verdict as plain data."""
    return {
        "key": verdict.key,
        "confidence": verdict.confidence.value,
        "words": verdict.words,
        "remedy": verdict.remedy,
        "exit_code": int(exit_code_of(verdict.reason)),
    }
