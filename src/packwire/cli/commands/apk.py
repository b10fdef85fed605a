"""`packwire apk`: what an app's package says about the protocol that the app speaks."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.apk.findings import look_into
from packwire.apk.found import AppFindings, Captured
from packwire.att import short_uuid
from packwire.capture import open_capture
from packwire.cli.exit_codes import ExitCode
from packwire.cli.options import AllOption, JsonOption
from packwire.cli.terminal import make_console
from packwire.cli.views.apk import records, show
from packwire.visible import record_text


def apk(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    capture: Path | None = None,
    all: AllOption = False,  # noqa: A002 - it is the option's name
    json: JsonOption = False,
) -> int:
    """Show what an app's package says of its protocol: UUIDs, frames, checksums, and the code that sends.

    Nothing of the app is run. Bytes count as a frame where something speaks for it: a checksum that is
    right, a known framing, code that leads to a write, a recording in which they occur.

    Parameters
    ----------
    file
        An .apk, .xapk, .apks or .aab file, a .dex file, or the folder of an unpacked app.
    capture
        A recording of the app: what occurs in it comes first.
    all
        List everything that was found; else the first of each.
    """
    found = look_into(file, None if capture is None else _captured(capture))
    if json:
        for record in records(found):
            print(record_text(record))
    else:
        show(make_console(), file.name, found, everything=all)
    return ExitCode.OK if _says_something(found) else ExitCode.NO_ANSWER


def _says_something(found: AppFindings) -> bool:
    own = any(not each.standard for each in found.uuids)
    return bool(own or found.frames or found.calls or found.checksums)


def _captured(path: Path) -> Captured:
    capture = open_capture(path)
    framed = capture.framed.messages
    messages = Counter(framed.payload(row) for row in range(len(framed)))
    names = frozenset(short_uuid(each.name) for each in framed.channels if each.name)
    return Captured(messages, names)
