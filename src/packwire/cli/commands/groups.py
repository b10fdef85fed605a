"""`packwire groups`: what kinds of messages are in a capture, and which of their bits move."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.exit_codes import exit_code_for
from packwire.cli.headers import check_header, family_names, known_headers, unframed
from packwire.cli.masked import open_masked
from packwire.cli.options import BytesOption, JsonOption, KeepSecretsOption, RedactOption
from packwire.cli.terminal import make_console
from packwire.cli.views.groups import record, show
from packwire.cli.views.heat_map import write_heat_maps
from packwire.errors import BadOptionError
from packwire.insight.groups import group_messages
from packwire.insight.texts import find_texts
from packwire.visible import record_text


def groups(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    header: int | None = None,
    json: JsonOption = False,
    plot: Path | None = None,
    redact: RedactOption = False,
    keep_secrets: KeepSecretsOption = False,
    bytes_: BytesOption = "hex",
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
    plot
        Write the heat maps to this file: .svg, or .png (needs the extra `plot`).
    """
    check_header(header)
    if plot is not None and plot.suffix.lower() not in {".svg", ".png"}:
        raise BadOptionError(f"--plot {plot}: the file must end in .svg or .png")
    capture = open_masked(file, bytes_, redact=redact, keep_secrets=keep_secrets)
    messages = capture.messages
    found = group_messages(messages, known_headers([capture])[0] if header is None else header)
    if plot is not None:
        write_heat_maps(messages, found, plot)
    if json:
        for group in found:
            print(record_text(record(messages, group, family_names([capture]))))
    else:
        show(make_console(), messages, found, unframed(capture) if header is None else None)
        if header is None and any(True for _ in find_texts(messages)):
            make_console().print(
                "The device writes decimal text: `packwire fields` shows what its lines hold."
            )
    return exit_code_for([capture], found=found)
