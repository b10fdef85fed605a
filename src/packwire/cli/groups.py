"""`packwire groups`: what kinds of messages are in a capture, and which of their bits move."""

import json as jsonlib
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.capture import open_capture
from packwire.cli.groups_view import record, show
from packwire.cli.headers import known_headers
from packwire.cli.heatmap_file import write_heat_maps
from packwire.cli.terminal import make_console
from packwire.errors import BadOptionError, ExitCode
from packwire.insight.groups import MAX_HEADER, group_messages


def groups(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    header: int | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
    plot: Path | None = None,
) -> int:
    """Show what kinds of messages are in a capture: by direction, channel, length and first bytes.

    For each kind: how many there are, how often they come, which bytes never change, an example, and a heat
    map of the bits: the brighter a bit, the more often it changes.

    Parameters
    ----------
    file
        The capture; `-` is standard input.
    header
        How many first bytes tell the kinds of messages apart; found where it is not given.
    json
        One JSON object a group instead of text.
    plot
        Write the heat maps to this file: .svg, or .png (needs the extra `plot`).
    """
    if header is not None and not 0 <= header <= MAX_HEADER:
        raise BadOptionError(f"--header must be 0 to {MAX_HEADER}")
    if plot is not None and plot.suffix.lower() not in {".svg", ".png"}:
        raise BadOptionError(f"--plot {plot}: the file must end in .svg or .png")
    capture = open_capture(file)
    messages = capture.messages
    found = group_messages(messages, known_headers(capture) if header is None else header)
    if plot is not None:
        write_heat_maps(messages, found, plot)
    if json:
        for group in found:
            print(jsonlib.dumps(record(messages, group)))
    else:
        show(make_console(), messages, found)
    if capture.damage:
        return ExitCode.BAD_FILE
    return ExitCode.OK if found else ExitCode.NO_ANSWER
