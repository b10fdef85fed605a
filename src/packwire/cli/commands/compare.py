"""`packwire compare`: a session that works beside one that does not, and what is wrong with the latter."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from packwire.cli.exit_codes import ExitCode
from packwire.cli.options import AllOption, JsonOption, ReportOption
from packwire.cli.reports import check_reports, write_report
from packwire.errors import BadFileError
from packwire.visible import record_text

if TYPE_CHECKING:
    from packwire.capture import Capture
    from packwire.doctor.compare.log_file import ClientLog


def compare(
    reference: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    mine: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    session: int | None = None,
    reference_session: int | None = None,
    log: Path | None = None,
    all: AllOption = False,  # noqa: A002 - it is the option's name
    report: ReportOption = (),
    json: JsonOption = False,
) -> int:
    """Compare a session that works with one's own that does not: where they part, and whose fault it is.

    Both are recordings of any format that `packwire info` reads: the first of a client that works (VESC Tool,
    the vendor's app), the second of the client in trouble. Requests are aligned by what they ask. First comes
    the first divergence that matters, then the evidence, one verdict with its confidence (certain, likely or
    possible) and what to do, then all steps side by side.

    Parameters
    ----------
    reference
        The recording of a client that works.
    mine
        The recording of the client in trouble; `-` is standard input.
    session
        Which session of MINE, by the number that is shown (as `packwire decode` counts connections).
    reference_session
        Which session of REFERENCE.
    log
        A log of the client in trouble: its lines with a time and a word such as timeout say what it did not
        take, instead of its pauses.
    all
        Show the steps that are equal too.
    """
    check_reports(report)
    # Imported when it runs: its help needs none of it.
    from packwire.capture import open_capture  # noqa: PLC0415
    from packwire.cli.terminal import make_console  # noqa: PLC0415
    from packwire.cli.views.compare_records import record  # noqa: PLC0415
    from packwire.cli.views.compare_text import show  # noqa: PLC0415
    from packwire.doctor.compare.choose import choose  # noqa: PLC0415
    from packwire.doctor.compare.verdict import compare as compare_sessions  # noqa: PLC0415

    captures = (open_capture(reference), open_capture(mine))
    client_log = None if log is None else _read_log(log)
    chosen = choose(captures, (reference_session, session))
    found = compare_sessions(chosen[0].session, chosen[1].session, client_log)
    data = record(found, chosen, client_log)
    if report:
        from packwire.cli.views.compare_page import page  # noqa: PLC0415 - an extra

        for file in report:
            write_report(file, partial(page, data))
    if json:
        print(record_text(data))
    else:
        show(data, make_console(), every=all)
    return _exit_code(captures, differs=found.main is not None)


def _read_log(path: Path) -> "ClientLog":
    from packwire.doctor.compare.log_file import read_log  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            begin = file.read(2)
        utf16 = begin in (b"\xff\xfe", b"\xfe\xff")  # as PowerShell redirects
        with path.open(encoding="utf-16" if utf16 else "utf-8", errors="replace") as text:
            return read_log(text)
    except OSError as error:
        raise BadFileError(f"{path}: cannot be opened ({error.strerror or error})") from error


def _exit_code(captures: "tuple[Capture, ...]", *, differs: bool) -> int:
    from packwire.cli.terminal import (  # noqa: PLC0415
        Writer,
        make_console,
        printable,
    )

    out = Writer(make_console(stderr=True))
    for capture in captures:
        for line in capture.damage:
            out.line(("DAMAGED: ", "bold red"), printable(f"{capture.name}: {line}"))
    if any(capture.damage for capture in captures):
        return ExitCode.BAD_FILE
    return ExitCode.DIFFERENT if differs else ExitCode.OK
