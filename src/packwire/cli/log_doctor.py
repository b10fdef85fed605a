"""`packwire doctor --log`: why there is no data, from a log that somebody posted."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from packwire.cli.exit_codes import exit_code_of
from packwire.cli.terminal import make_console
from packwire.cli.views.doctor_log import log_record, show, show_timeline, timeline_records
from packwire.doctor.diagnosis import Diagnosis
from packwire.doctor.log.examine import diagnose_file
from packwire.doctor.log.summary import report_of
from packwire.visible import record_text

#: Of a log longer than this (bytes) it is shown on a terminal how far it was read.
_LONG = 4_000_000


def log_doctor(
    path: Path,
    *,
    json: bool,
    timeline: bool,
    reports: tuple[Path, ...],
    write: Callable[[Path, Diagnosis], None],
) -> int:
    """Examine a log; return the exit code. Raises BadFileError."""
    started, began = time.time(), time.monotonic()
    with _Progress(path) as progress:
        found = diagnose_file(path, progress.read)
    if json:
        for record in timeline_records(found) if timeline else ():
            print(record_text(record))
        print(record_text(log_record(found)), flush=True)
    else:
        if timeline:
            show_timeline(make_console(), found)
        show(make_console(), found)
    diagnosis = report_of(found, started, time.monotonic() - began)
    for file in reports:
        write(file, diagnosis)
        if not json:
            make_console().print(f"Report written, without secrets: {file}", style="dim")
    return exit_code_of(found.verdict.reason)


class _Progress:
    """Shows on a terminal how much of a long log was read."""

    def __init__(self, path: Path) -> None:
        self._console = make_console(stderr=True)
        size = path.stat().st_size if path.is_file() else 0
        self._size = size if size > _LONG and self._console.is_terminal else 0
        self._status = self._console.status("reading")

    def __enter__(self) -> Self:
        if self._size:
            self._status.start()
        return self

    def read(self, characters: int) -> None:
        """Show how far it is."""
        if self._size:
            self._status.update(f"reading: {min(100 * characters // self._size, 100)} %")

    def __exit__(self, *_: object) -> None:
        if self._size:
            self._status.stop()
