"""Notes of what an app showed: on the command line, or in a file with their times."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from packwire.capture import Capture
from packwire.capture.packets import NO_TIME
from packwire.cli.notes_options import NotesFile, NotesOptions
from packwire.errors import BadFileError, BadOptionError
from packwire.insight.observations import Observation, read_observation

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))?")
_ZONE = re.compile(r"(?:UTC|Z)|([+-])(\d\d):?(\d\d)")
_SECONDS = re.compile(r"\+(\d+(?:\.\d+)?)s?")
_DAY, _QUARTER = 86_400 * 10**9, 15 * 60 * 10**9
#: Notes are so many seconds late or early at most where an offset is looked for.
_SLACK = 10 * 10**9
_LARGEST_FILE, _MOST_NOTES = 1 << 20, 1000


class Notes(NamedTuple):
    """Observations with their times, and a line about what was assumed of the clock; empty: nothing."""

    observations: tuple[Observation, ...]
    remark: str


class _When(NamedTuple):
    """A time as it was written: nanoseconds, since the epoch, of a day, or from the first message on."""

    nanoseconds: int
    kind: str


def read_notes(values: Sequence[str], options: NotesFile, captures: Sequence[Capture]) -> Notes:
    """Return all observations of some recordings. Raises BadOptionError, BadFileError."""
    span = _span(captures)
    rows: list[tuple[str, _When | None, _When | None]] = []
    if isinstance(options, NotesOptions):
        try:
            rows += [(value, _when(options.at), _when(options.until)) for value in values]
        except ValueError as error:
            raise BadOptionError(str(error)) from None
    if options.notes is not None:
        rows += _from_file(options.notes)
    offset, remark = _offset(
        [each for row in rows for each in row[1:] if each is not None], options.zone, span
    )
    observations = []
    for text, begin, end in rows:
        try:
            observations.append(
                read_observation(text, _absolute(begin, offset, span), _absolute(end, offset, span))
            )
        except ValueError as error:
            raise BadOptionError(str(error)) from None
    if odd := next(
        (each for each in observations if each.way is not None and None in {each.time, each.until}), None
    ):
        raise BadOptionError(f"{odd.text}: say from when to when, with --at and --until, or in a notes file")
    return Notes(tuple(observations), remark)


def _span(captures: Sequence[Capture]) -> tuple[int, int]:
    """Return when the first message of some recordings came, and the last one; 0 where nothing says it."""
    times = np.concatenate([capture.messages.time for capture in captures])
    times = times[times != NO_TIME]
    return (int(times.min()), int(times.max())) if len(times) else (0, 0)


def _from_file(file: Path) -> list[tuple[str, _When | None, _When | None]]:
    import yaml  # noqa: PLC0415 - only for a notes file

    if file.stat().st_size > _LARGEST_FILE:
        raise BadFileError(f"{file}: a notes file has 1 MiB at most")
    try:
        # Everything stays a text: YAML would take 14:03:20 for a number of seconds, and +5 for one, too.
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where is not None else ""
        raise BadFileError(f"{file}{line}: this is no YAML") from None
    if not isinstance(content, list) or len(content) > _MOST_NOTES:
        raise BadFileError(
            f"{file}: write a list of notes, such as '- at: \"14:03:20\"' with 'soc: 87%' below it"
        )
    rows = []
    for number, note in enumerate(content, start=1):
        rows += _of_note(note, f"{file}: note {number}")
    return rows


def _of_note(note: Any, where: str) -> list[tuple[str, _When | None, _When | None]]:
    if not isinstance(note, dict) or not all(isinstance(key, str) for key in note):
        raise BadFileError(f"{where}: write 'at: \"14:03:20\"' and what was shown, such as 'voltage: 83.92V'")
    try:
        begin, end = _when(note.get("at")), _when(note.get("until"))
    except ValueError as error:
        raise BadFileError(f"{where}: {error}") from None
    rows = []
    for name, shown in note.items():
        if name in {"at", "until"}:
            continue
        if not isinstance(shown, str):
            raise BadFileError(f"{where}: {name}: write what was shown, such as 83.92V")
        rows.append((f"{name}={shown}", begin, end))
    return rows


def _when(said: Any) -> _When | None:
    """Read a time: `14:03:20`, `2026-01-31T14:03:20+01:00`, or `+12.5` seconds from the first message on."""
    if said is None:
        return None
    text = str(said).strip()
    if found := _SECONDS.fullmatch(text):
        return _When(int(float(found[1]) * 1e9), "start")
    if found := _CLOCK.fullmatch(text):
        seconds = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3] or 0)
        return _When(int(seconds * 1e9), "day")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is no time: write 14:03:20, 2026-01-31T14:03:20Z, or +12.5 (seconds)"
        ) from None
    if moment.tzinfo is None:
        return _When(int(moment.replace(tzinfo=UTC).timestamp() * 1e9), "local")
    return _When(int(moment.timestamp() * 1e9), "epoch")


def _offset(times: Sequence[_When], zone: str | None, span: tuple[int, int]) -> tuple[int, str]:
    """Return how many nanoseconds the notes are ahead of UTC; where nobody says it, it is fitted."""
    if zone is not None:
        found = _ZONE.fullmatch(zone)
        if found is None:
            raise BadOptionError(f"--zone {zone}: write +01:00, -08:00 or UTC")
        sign = -1 if found[1] == "-" else 1
        delta = timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
        return sign * int(timezone(delta).utcoffset(None).total_seconds()) * 10**9, ""
    floating = [each for each in times if each.kind in {"day", "local"}]
    if not floating or not span[0]:
        return 0, ""
    fitting = []
    for quarter in range(-48, 57):
        offset = quarter * _QUARTER
        if all(_inside(_absolute(each, offset, span), span) for each in floating):
            fitting.append(offset)
    if not fitting:
        raise BadOptionError("the notes' times lie outside of the recording, in any time zone: check them")
    best = min(fitting, key=abs)
    hours, minutes = divmod(abs(best) // (60 * 10**9), 60)
    said = f"UTC{'-' if best < 0 else '+'}{hours:02d}:{minutes:02d}"
    others = f" ({len(fitting) - 1} other offsets would fit; --zone says it)" if len(fitting) > 1 else ""
    return best, f"the notes' clock is taken for {said}: so their times lie in the recording{others}"


def _absolute(each: _When | None, offset: int, span: tuple[int, int]) -> int | None:
    if each is None:
        return None
    if each.kind == "epoch":
        return each.nanoseconds
    if each.kind == "start":
        return span[0] + each.nanoseconds
    if each.kind == "local":
        return each.nanoseconds - offset
    begin = span[0] - _SLACK
    midnight = (begin + offset) // _DAY * _DAY - offset
    moment = midnight + each.nanoseconds
    return moment if moment >= begin else moment + _DAY


def _inside(moment: int | None, span: tuple[int, int]) -> bool:
    return moment is not None and span[0] - _SLACK <= moment <= span[1] + _SLACK
