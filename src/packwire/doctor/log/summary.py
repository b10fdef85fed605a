"""What a log tells, in a few lines: of each device, step by step, as the doctor's checks tell it live."""

from collections.abc import Iterator
from dataclasses import replace

from packwire.advertisement import is_weak
from packwire.capture.packets import NO_TIME
from packwire.check import CheckResult, Outcome, Verdict
from packwire.doctor.diagnosis import Diagnosis, Hypothesis, Standing
from packwire.doctor.log.ask import SETTLES
from packwire.doctor.log.clean import Cleaner
from packwire.doctor.log.examine import DeviceFindings, LogDiagnosis
from packwire.doctor.log.facts import (
    GattFacts,
    IdentityFacts,
    RadioFacts,
    SaidFacts,
    SlotFacts,
    WireFacts,
)
from packwire.doctor.log.heard import HeardFacts
from packwire.doctor.log.sessions import SessionFacts
from packwire.doctor.log.wire import names
from packwire.phrases import counted, duration, times

_LINK_FAILURES = (
    *(
        "connect-timeout",
        "connect-failed",
        "open-failed",
        "status-133",
        "no-link",
        "no-slot",
        "not-connected",
    ),
    *("proxy-link-timeout", "abort-by-local"),
)
_UNANSWERED = (
    *("timed-out", "request-timeout", "init-failed", "failed-update", "no-reply", "empty-response"),
    *("answer-timeout", "modbus-no-response", "connected-no-data", "vesc-no-data", "vesc-no-firmware"),
)
_DAMAGED = ("checksum", "bad-frame", "crc-error", "bad-header", "incorrect-reply", "modbus-crc", "incomplete")


def checks_of(found: DeviceFindings) -> Iterator[CheckResult]:
    """Yield what a log tells of one device, step by step."""
    facts = found.facts
    said, radio, slots = facts[SaidFacts], facts[RadioFacts], facts[SlotFacts]
    if radio.level is not None:
        seen = f"{round(radio.level)} dBm in the median of {len(radio.rssi)}"
        yield CheckResult(
            "signal", "How loud is it?", Outcome.ODD if is_weak(radio.level) else Outcome.PASSED, seen
        )
    if radio.ages:
        old = max(radio.ages)
        yield CheckResult(
            "last heard",
            "When was it heard last?",
            Outcome.ODD if old >= 20 else Outcome.PASSED,
            f"{old} s before at most",
        )
    if slots.free:
        least = min(slots.free)
        yield CheckResult(
            "slots",
            "Is a connection free?",
            Outcome.PASSED if least else Outcome.FAILED,
            f"{least} free at the least",
        )
    failed = said.count(*_LINK_FAILURES)
    made = said.count("connected", "client-connected", "vesc-open", "can-open")
    if failed or made:
        outcome = Outcome.PASSED if not failed else Outcome.ODD if made else Outcome.FAILED
        yield CheckResult(
            "connection", "Is the link made?", outcome, f"made {times(made)}, failed {times(failed)}"
        )
    yield from _later_checks(found)


def _later_checks(found: DeviceFindings) -> Iterator[CheckResult]:
    facts = found.facts
    said, gatt, wire = facts[SaidFacts], facts[GattFacts], facts[WireFacts]
    if gatt.wanted or gatt.listed:
        missing = ", ".join(sorted(gatt.wanted)) if gatt.wanted else ""
        words = f"not found: {missing}" if missing else f"{len(gatt.listed)} characteristics listed"
        yield CheckResult(
            "services", "Has it what is asked for?", Outcome.FAILED if missing else Outcome.PASSED, words
        )
    sent = max(said.count("sent", "sent-acked", "wire-sent", "program-sends"), wire.sent)
    came = max(said.count("received", "wire-received", "program-receives", "pylon-answer"), wire.received)
    silent = said.count(*_UNANSWERED)
    if sent or came or silent:
        outcome = Outcome.PASSED if came and not silent else Outcome.ODD if came else Outcome.FAILED
        sessions = facts[SessionFacts]  # what is sent and received in a recording are packets
        told = (
            [f"{sessions.answered} of {counted(sessions.asked, 'request')} answered"]
            if sessions.asked
            else []
        )
        if (sent or came) and not told:
            told = [f"sent {times(sent)}, received {times(came)}"]
        told += [f"a missing answer told {times(silent)}"] if silent else []
        yield CheckResult("answers", "Does it answer?", outcome, ", ".join(told))
    damaged = said.count(*_DAMAGED)
    if damaged or wire.right or wire.wrong:
        family = f" of {names(wire.answered_in)}" if wire.answered_in else ""
        words = f"{counted(wire.right, 'right frame')}{family} in the bytes shown"
        words += f"; refused {times(damaged)}" if damaged else ""
        yield CheckResult(
            "frames", "Are the frames right?", Outcome.FAILED if damaged else Outcome.PASSED, words
        )
    heard = facts[HeardFacts]
    if heard.frames:
        outcome = Outcome.PASSED if heard.title else Outcome.ODD
        yield CheckResult("heard", "Does a pack send?", outcome, heard.words)
    if said.works or said.failures:
        outcome = Outcome.PASSED if not said.failures else Outcome.ODD if said.works else Outcome.FAILED
        yield CheckResult(
            "values", "Are values read?", outcome, f"read {times(said.works)}; {failures(said)}"
        )


def failures(said: SaidFacts) -> str:
    """Return in words how many failures are told."""
    return f"{counted(said.failures, 'failure')} told"


def device_line(found: DeviceFindings, clean: Cleaner) -> str:
    """Return one line on a device: how it is called, as what it is read, what failed."""
    identity, said = found.facts[IdentityFacts], found.facts[SaidFacts]
    key = found.subject.key
    called = [clean.name(name) for name in identity.names[:1]]
    called += [clean.name(key)] if key and key not in identity.names else []
    read_as = f" ({', '.join(identity.plugins[:2])})" if identity.plugins else ""
    whose = said.works and "worked" not in said.of_nobody
    works = f"values read {times(said.works)}, " if whose else ""
    return f"{' '.join(called) or 'one device'}{read_as}: {works}{failures(said)}"


def what_log(found: LogDiagnosis) -> str:
    """Return one line on the log: how long, of which programs, from when to when."""
    log = found.log
    programs = ", ".join(name for name, _ in log.programs.most_common(4))
    span = ""
    if NO_TIME not in (log.begin, log.end) and log.end > log.begin:
        span = duration((log.end - log.begin) / 1e9)
    if not log.lines:
        form = f" ({programs})" if programs else ""
        return f"a recording{form}" + (f", {span} long" if span else "")
    span = f" over {span}" if span else ""
    return f"{counted(log.lines, 'line')}{span}" + (
        f" of {programs}" if programs else ", of a program that is not known"
    )


def report_of(found: LogDiagnosis, started: float, seconds: float) -> Diagnosis:
    """Return the diagnosis as a report shows it, without secrets."""
    clean = Cleaner()
    first = next(each for each in found.devices if each.verdicts[0].key == found.verdict.key)
    verdict = cleaned(found.verdict, clean)
    log = CheckResult(
        "log", "Which log is it?", Outcome.PASSED, what_log(found), tuple(clean(note) for note in found.notes)
    )
    devices = CheckResult(
        "devices",
        "Which devices?",
        Outcome.PASSED,
        f"{len(found.devices)}",
        tuple(device_line(each, clean) for each in found.devices),
    )
    hypotheses = tuple(
        Hypothesis(each.kind, each.kind, Standing.OPEN, SETTLES.get(each.kind, ""))
        for each in found.verdict.causes
        if len(found.verdict.causes) > 1
    )
    return Diagnosis(
        found.name.rsplit("/", 1)[-1],
        found.name,
        verdict,
        (log, *((devices,) if len(found.devices) > 1 else ()), *checks_of(first)),
        tuple(cleaned(each, clean) for each in found.others),
        hypotheses,
        started=started,
        seconds=seconds,
    )


def cleaned(verdict: Verdict, clean: Cleaner) -> Verdict:
    """Return a verdict whose quoted lines may be shown to everybody."""
    return replace(verdict, words=clean(verdict.words), evidence=tuple(map(clean, verdict.evidence)))
