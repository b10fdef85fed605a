"""What `packwire doctor --log` shows: what the log tells, the verdict, what to ask for; or JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from rich.console import Console
from rich.text import Text

from packwire.capture.packets import NO_TIME
from packwire.check import Verdict
from packwire.cli.records.verdicts import LogDiagnosis as LogRecord
from packwire.cli.records.verdicts import LogEvent, LogVerdict
from packwire.cli.terminal import printable, say
from packwire.cli.views.doctor import MARKS, cause_records, may_be, verdict_line, verdict_record
from packwire.clock import iso_time
from packwire.doctor.log.clean import Cleaner
from packwire.doctor.log.examine import LogDiagnosis
from packwire.doctor.log.summary import checks_of, cleaned, device_line, what_log
from packwire.event import Event

#: Devices and lines of evidence that are shown; a report has all.
_DEVICES, _EVIDENCE, _WIDTH = 8, 6, 200


def show(console: Console, found: LogDiagnosis) -> None:
    """Show it to people."""
    clean = Cleaner()
    _show_log(console, found, clean)
    _show_verdict(console, found, clean)


def _show_log(console: Console, found: LogDiagnosis, clean: Cleaner) -> None:
    line = partial(say, console)
    line(Text(f"{printable(found.name)}: {what_log(found)}.", "dim"))
    for note in found.notes:
        line(Text(f"      {printable(clean(note))}", "yellow"))
    if len(found.devices) > 1:
        for each in found.devices[:_DEVICES]:
            mark = ">" if each.subject.key == found.device else " "
            line(Text(f"   {mark}  {printable(device_line(each, clean))}"))
    first = next(each for each in found.devices if each.verdicts[0].key == found.verdict.key)
    for check in checks_of(first):
        mark, style = MARKS[check.outcome]
        line(Text.assemble((mark, style), f"  {check.name:<11} {printable(check.answer)}"))


def _show_verdict(console: Console, found: LogDiagnosis, clean: Cleaner) -> None:
    line, verdict = partial(say, console), cleaned(found.verdict, clean)
    console.print()
    for other in found.others:
        words = printable(clean(other.words))
        line(Text.assemble(("also  ", "yellow"), f"{words}  ", (f"[{other.key}]", "dim")))
    line(verdict_line(verdict))
    for quoted in verdict.evidence[:_EVIDENCE]:
        line(Text(f"      {printable(quoted[:_WIDTH])}", "dim"))
    if may := may_be(verdict):
        line(Text.assemble(("It may be: ", "bold"), may))
    line(Text.assemble(("What to do: ", "bold"), printable(verdict.remedy)))
    if verdict.open:
        line(Text("What to ask for:", "bold"))
        for number, text in enumerate(verdict.open, 1):
            line(Text(f"  {number}. {printable(text)}"))


def show_timeline(console: Console, found: LogDiagnosis) -> None:
    """Show every event, one a line, in the order of time; equal ones that follow each other are one."""
    clean = Cleaner()
    console.print(Text("time             line  what        device", "bold"))
    for event in found.log.timeline:
        when = _clock(event.time)
        device = f" {clean.name(event.link)}" if event.link else ""
        console.print(
            Text.assemble(
                (f"{when:<12}", "dim"),
                f" {event.line:>8}  {event.kind.value:<11} {event.code}{printable(device)}",
                (f"  {printable(clean(event.words))[:_WIDTH]}", "dim"),
            )
        )
    if found.log.left_out:
        console.print(Text(f"{found.log.left_out} events in the middle are left out", "yellow"))


def _clock(time: int) -> str:
    if time == NO_TIME:
        return ""
    return datetime.fromtimestamp(time / 1e9, UTC).strftime("%H:%M:%S.%f")[:12]


def log_record(found: LogDiagnosis) -> LogRecord:
    """Return what was found as plain data, without secrets."""
    clean = Cleaner()
    log = found.log
    return {
        "kind": "log_diagnosis",
        "file": found.name,
        "lines": log.lines,
        "programs": dict(log.programs.most_common()),
        "begin": _time(log.begin),
        "end": _time(log.end),
        "notes": [clean(note) for note in found.notes],
        "verdict": _verdict(cleaned(found.verdict, clean)),
        "remarks": [_verdict(cleaned(each, clean)) for each in found.others],
        "device": clean.name(found.device) if found.device else None,
        "devices": [
            {
                "device": clean.name(each.subject.key) if each.subject.key else None,
                "names": [clean.name(name) for name in each.subject.names],
                "plugins": list(each.subject.plugins),
                "verdict": each.verdicts[0].key,
                "events": {code: told.count for code, told in sorted(each.subject.told.items())},
            }
            for each in found.devices
        ],
    }


def _verdict(verdict: Verdict) -> LogVerdict:
    return {
        **verdict_record(verdict),
        "causes": cause_records(verdict),
        "evidence": list(verdict.evidence),
        "ask": list(verdict.open),
    }


def timeline_records(found: LogDiagnosis) -> Iterator[LogEvent]:
    """Yield every event as plain data, without secrets."""
    clean = Cleaner()
    for event in found.log.timeline:
        yield _event(event, clean)


def _event(event: Event, clean: Cleaner) -> LogEvent:
    return {
        "kind": "log_event",
        "time": _time(event.time),
        "line": event.line,
        "event": event.kind.value,
        "code": event.code,
        "device": clean.name(event.link) if event.link else None,
        "text": clean(event.words),
    }


def _time(time: int) -> str | None:
    return None if time == NO_TIME else iso_time(time)
