"""`packwire find`: where in a capture a value lies that an app showed."""

from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from packwire.capture import Capture, open_capture
from packwire.capture.packets import NO_TIME
from packwire.cli.exit_codes import ExitCode
from packwire.cli.kinds import kinds_of
from packwire.cli.masked import masked
from packwire.cli.notes import read_notes
from packwire.cli.options import AllOption, BytesOption
from packwire.cli.terminal import make_console
from packwire.cli.views.found import records, show
from packwire.errors import BadOptionError
from packwire.insight.fields import find_fields
from packwire.insight.values import MOST_CHANCE, SECONDS, find_values
from packwire.visible import record_text


def find(
    *files_and_values: Annotated[str, Parameter(allow_leading_hyphen=True)],
    at: str | None = None,
    until: str | None = None,
    notes: Path | None = None,
    zone: str | None = None,
    within: float = SECONDS,
    all: AllOption = False,  # noqa: A002 - it is the option's name
    json: Annotated[bool, Parameter(negative=())] = False,
    redact: Annotated[bool, Parameter(negative=())] = False,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Find where values lie that an app showed: 83.92V, 20cells, soc=87%, temp=24.5C, current=-1.3A.

    Write a value as it was shown: its digits say how it was rounded. Several at different times tell more
    than one: put them in a notes file. "soc=fell" says how a value went from --at to --until.

    Each place says how likely an accident is, all that was tried being counted; places that no frame tells
    apart are listed with their number. Where chance explains a place, more notes at other times decide.

    Parameters
    ----------
    files_and_values
        One recording or several, and values.
    at
        When the values were shown: 14:03:20, 2026-01-31T14:03:20+01:00, or +12.5 seconds after the first
        message. Without it, at any time.
    until
        Up to when something rose, stayed or fell.
    notes
        A YAML file: a list of notes, each with `at` and what was shown.
    zone
        The time zone of the notes, such as +01:00; without it, the one in which they lie in the recording.
    within
        So many seconds may a note be early or late.
    all
        Also places that chance explains.
    json
        One JSON object a place instead of text.
    redact
        To be shared: made-up Bluetooth addresses and names, and all masked that `packwire convert` masks.
    keep_secrets
        Show hub logins, passwords and configurations (with their Wi-Fi keys) in clear.
    """
    paths = [each for each in files_and_values if Path(each).exists()]
    values = [each for each in files_and_values if each not in paths]
    if not paths:
        raise BadOptionError("give a recording that exists, then values such as 83.92V or soc=87%")
    if not values and notes is None:
        raise BadOptionError("say what was shown, such as 83.92V, 20cells or soc=87%, or give --notes FILE")
    captures = [
        masked(open_capture(path, decimal=bytes_ == "decimal"), redact=redact, keep_secrets=keep_secrets)
        for path in paths
    ]
    said = read_notes(values, at, until, notes, zone, span(captures))
    kinds = kinds_of(captures)
    frames = [each.frames for each in kinds]
    found = find_values(frames, find_fields(frames), said.observations, seconds=within)
    if json:
        for each in found:
            for record in records(each, kinds):
                print(record_text(record))
    else:
        show(make_console(), found, kinds, said.remark, everything=all)
    if any(capture.damage for capture in captures):
        return ExitCode.BAD_FILE
    right = [each for each in found if each.matches and each.matches[0].chance <= MOST_CHANCE]
    return ExitCode.OK if right else ExitCode.NO_ANSWER


def span(captures: list[Capture]) -> tuple[int, int]:
    """Return when the first message of some recordings came, and the last one; 0 where nothing says it."""
    times = np.concatenate([capture.messages.time for capture in captures])
    times = times[times != NO_TIME]
    return (int(times.min()), int(times.max())) if len(times) else (0, 0)
