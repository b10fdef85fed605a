"""`packwire info`: what a recording holds, and what to do where there is no application data in it."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.capture import Capture, open_capture
from packwire.capture.content import look
from packwire.capture.redact import redacted
from packwire.cli.alike import alike
from packwire.cli.exit_codes import ExitCode, exit_code_for
from packwire.cli.options import BytesOption, JsonOption
from packwire.cli.terminal import Writer, make_console
from packwire.cli.views.info import lines, record
from packwire.visible import record_text


def info(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *more: Path,
    redact: Annotated[bool, Parameter(negative=())] = False,
    bytes_: BytesOption = "hex",
    json: JsonOption = False,
) -> int:
    """Show what recordings hold: format, links, devices, channels, counts, time, damage.

    Where there is no application data in a file, say why and what to do.

    Parameters
    ----------
    file
        A recording of any format that is known; `-` is standard input.
    more
        More recordings.
    redact
        Made-up Bluetooth addresses and names, to be shown to others.
    """
    code = ExitCode.OK
    out = Writer(make_console())
    for number, each in enumerate((file, *more)):
        capture = open_capture(each, decimal=bytes_ == "decimal")
        shown = Capture(capture.name, redacted(capture.packets).packets) if redact else capture
        content = look(shown)
        like = alike([shown]) if content.messages and not content.is_known else ()
        if json:
            sys.stdout.write(record_text(record(shown, content, like)) + "\n")
        else:
            out.line() if number else None
            for line in lines(shown, content, like):
                out.line(*line)
        code = max(code, exit_code_for([shown], found=content.messages))
    return code
