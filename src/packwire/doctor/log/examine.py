"""From a file to a diagnosis: read its events and bytes, fill facts, judge each device, tell one verdict."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from packwire.capture.content import look
from packwire.capture.events.reader import MAX_BYTES_LINES, EventLog, read_events
from packwire.capture.events.told import LoggedDevice
from packwire.capture.formats import is_plain_text, read_packets, unpacked
from packwire.capture.open import Capture, file_content, file_name, open_capture
from packwire.capture.text.lines import lines
from packwire.capture.text.wrapped import unwrapped
from packwire.check import Fact, Facts, Rule, Verdict
from packwire.doctor.log.facts import SaidFacts, WireFacts, WriterFacts, fill
from packwire.doctor.log.heard import listen_to
from packwire.doctor.log.recorded import events_of
from packwire.doctor.log.rules import (
    can,
    configuration,
    ended,
    frames,
    gatt,
    held,
    host,
    line,
    proxies,
    radio,
    recording,
    unknown,
    vesc,
    well,
    wired,
)
from packwire.doctor.log.sessions import SessionFacts, judge_sessions, verdicts_of, without_a_bus
from packwire.doctor.log.wire import capture_of, look_at, note_text_frames
from packwire.doctor.verdicts import decide, judge_surest_first
from packwire.errors import BadFileError
from packwire.messages import Bytes

#: The rules of all subjects, in the order in which those of one rank are told.
RULES: tuple[Rule, ...] = (
    *recording.RULES,
    *host.RULES,
    *configuration.RULES,
    *held.RULES,
    *radio.RULES,
    *ended.RULES,
    *proxies.RULES,
    *gatt.RULES,
    *frames.RULES,
    *line.RULES,
    *wired.RULES,
    *vesc.RULES,
    *can.RULES,
    *unknown.RULES,
    *well.RULES,
)
_MAX_DEVICES = 12
#: A longer text in which nothing is told is not read once more, as a recording.
_MOST_LINES = 200_000


@dataclass(frozen=True, slots=True)
class DeviceFindings:
    """What a log says of one device: its verdicts, the first one first, and its facts."""

    subject: LoggedDevice
    facts: Facts
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class LogDiagnosis:
    """What a log tells: the verdict, other findings, the devices, the events.

    `device` is the one that the verdict is on ('' where it is on none, or the log knows only one).
    """

    name: str
    verdict: Verdict
    others: tuple[Verdict, ...]
    device: str
    devices: tuple[DeviceFindings, ...]
    log: EventLog
    wire: WireFacts
    notes: tuple[str, ...] = ()


def judge(facts: Facts) -> list[Verdict]:
    """Return the verdicts on the facts of one device, the one to tell first: what is surer comes first."""
    return judge_surest_first(RULES, facts)


def diagnose_file(path: str | Path, progress: Callable[[int], None] | None = None) -> LogDiagnosis:
    """Judge a log, or a capture of any format, `-` is standard input. Raises BadFileError.

    `progress` is told now and then how many bytes were read.
    """
    name = file_name(path)
    content = file_content(path)
    if not len(content):
        raise BadFileError(f"{name}: the file is empty")
    try:
        data, _, damage = unpacked(content, any_text=True)
        if is_plain_text(data):
            found = diagnose_lines(name, lines(data), progress, damage)
            if (capture := _recording(path, content, found)) is None:
                return found
        else:
            capture = open_capture(path) if str(path) != "-" else Capture(name, read_packets(content))
    except BadFileError as error:
        words = str(error)
        raise BadFileError(words if words.startswith(name) else f"{name}: {words}") from None
    found = conclude(
        name, events_of(capture), capture, recording.RecordingFacts(look(capture)), judge_sessions(capture)
    )
    return replace(found, notes=(*capture.damage, *found.notes))


def _recording(path: str | Path, content: Bytes, found: LogDiagnosis) -> Capture | None:
    """Return a text as the recording that it is, where no program says anything in it; None for a log."""
    log = found.log
    told = any(each.told.keys() - log.common.told.keys() for each in log.subjects.values())
    if log.programs or told or not found.verdict.alone or log.lines > _MOST_LINES:
        return None
    try:
        capture = open_capture(path) if str(path) != "-" else Capture(found.name, read_packets(content))
    except BadFileError:
        return None
    wire = look_at(capture.raw_messages) if len(capture.packets) else WireFacts()
    # Who prints only what was sent may not print what came.
    return None if wire.sent and not wire.received else capture


def diagnose_lines(
    name: str,
    text: Iterable[str],
    progress: Callable[[int], None] | None = None,
    damage: tuple[str, ...] = (),
) -> LogDiagnosis:
    """Judge the lines of a log; `damage` is what is wrong with the file that they are from."""
    log = read_events(unwrapped(text), progress)
    found = conclude(name, log, capture_of(log.bytes_lines, name))
    return replace(found, notes=(*damage, *found.notes))


def conclude(name: str, log: EventLog, capture: Capture, *given: Fact) -> LogDiagnosis:
    """Judge what a log or a capture tells, and what is known besides."""
    wire = look_at(capture.raw_messages) if len(capture.packets) else WireFacts()
    sessions = next((each for each in given if isinstance(each, SessionFacts)), SessionFacts())
    wire = without_a_bus(wire, sessions.sessions)
    note_text_frames(wire, log.bytes_lines)
    given = (*given, listen_to(capture, whole=len(log.bytes_lines) < 2 * MAX_BYTES_LINES))
    given = (*given, wire, WriterFacts(frozenset(log.programs), frozenset(log.debugged)))
    found = _judged(log, given, sessions, strange=log.is_document)
    for spare in (log.common, log.strange):
        if found[0].verdicts[0].alone and not found[0].verdicts[0].ok and spare.told:
            log.subjects.setdefault("", LoggedDevice("")).absorb(spare)
            found = _judged(log, given, sessions, strange=log.is_document or spare is log.strange)
    first = found[0]
    verdict, *rest = first.verdicts
    others = {each.key: each for device in found for each in device.verdicts if each.key != verdict.key}
    undecided = {key for key, each in others.items() if each.alone}
    rest = [each for key, each in others.items() if key not in undecided]
    return LogDiagnosis(
        name,
        verdict,
        tuple(rest),
        first.subject.key if len(found) > 1 else "",
        tuple(found),
        log,
        wire,
        log.notes,
    )


def _judged(
    log: EventLog, given: tuple[Fact, ...], sessions: SessionFacts, *, strange: bool
) -> list[DeviceFindings]:
    """Return what the log says of each device, the one to tell of first."""
    found = []
    for subject in _subjects(log):
        said = fill(subject, log.end, *_read_beside(log, subject), of_nobody=_of_nobody(log, subject))
        facts = Facts(*said, *given)
        facts[SaidFacts].named, facts[SaidFacts].strange = _named(log, subject), strange
        found.append(DeviceFindings(subject, facts, tuple(decide([*judge(facts), *verdicts_of(sessions)]))))
    return sorted(found, key=_order)


def _order(found: DeviceFindings) -> tuple[bool, bool, int, int]:
    """Return what a device is told by: one that fails before one that is well, which hides nothing."""
    verdict = found.verdicts[0]
    return (
        verdict.alone and not verdict.ok and not found.facts[SaidFacts].failures,
        verdict.ok,
        verdict.rank,
        -found.facts[SaidFacts].failures,
    )


def _subjects(log: EventLog) -> list[LoggedDevice]:
    """Return each device with what was said of nobody; where there is one, or none, all is about it."""
    nobody = log.subjects.get("", LoggedDevice(""))
    devices = [each for each in log.devices if not each.is_only_there] or log.devices
    if not devices:
        return [nobody.copy()]
    result = []
    for each in devices[:_MAX_DEVICES]:
        one = each.copy()
        one.absorb(nobody)
        result.append(one)
    return result


def _is_alone(log: EventLog, subject: LoggedDevice) -> bool:
    """Return whether of no other device more is told than that it is there."""
    return all(each.is_only_there or each.key == subject.key for each in log.devices)


def _named(log: EventLog, subject: LoggedDevice) -> frozenset[str]:
    """Return the sentences that are said by name of the only device."""
    own = log.subjects.get(subject.key)
    return frozenset(own.told) if own is not None and own.key and _is_alone(log, subject) else frozenset()


def _of_nobody(log: EventLog, subject: LoggedDevice) -> frozenset[str]:
    """Return the sentences whose device is open: they name none, and the log tells more of another one."""
    own = log.subjects.get(subject.key)
    if own is None or _is_alone(log, subject):
        return frozenset()
    nobody = log.subjects.get("", LoggedDevice(""))
    return frozenset(nobody.told.keys() - own.told.keys())


def _read_beside(log: EventLog, subject: LoggedDevice) -> tuple[int, bool]:
    """Return in which line another device was read last, and whether that one may be the same."""
    others = [each for key, each in log.subjects.items() if key and key != subject.key]
    read = {each.key: SaidFacts(each.told).last_read for each in others}
    nameless = ":" in subject.key and not subject.names
    return max(read.values(), default=0), nameless and any(
        line for key, line in read.items() if ":" not in key
    )
