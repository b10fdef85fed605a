"""`packwire doctor` without an address: all that there is here, and what to do first."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from packwire.cli.exit_codes import exit_code_of
from packwire.cli.limits import positive
from packwire.cli.names import load_names
from packwire.cli.terminal import make_console
from packwire.cli.views.doctor import JsonView, TextView
from packwire.cli.views.finds import record
from packwire.doctor.around import examine_around
from packwire.doctor.diagnosis import Diagnosis
from packwire.link.scan import SECONDS
from packwire.visible import record_text


def around_doctor(
    *, json: bool, seconds: float | None, reports: tuple[Path, ...], write: Callable[[Path, Diagnosis], None]
) -> int:
    """Look around for some seconds and say what to do first; return the exit code."""
    seconds = SECONDS if seconds is None else positive("--for", seconds)
    names = load_names()
    with make_console(stderr=True).status(f"looking around for {seconds:g} s"):
        around = asyncio.run(examine_around(names, seconds))
    view = JsonView() if json else TextView(whole=True)
    if json:
        for find in around.finds:
            print(record_text(record(find)))
    for check in around.diagnosis.checks:
        view.ended(check)
    view.verdict(around.diagnosis)
    for file in reports:
        write(file, around.diagnosis)
        view.wrote(file)
    return exit_code_of(around.diagnosis.verdict.reason)
