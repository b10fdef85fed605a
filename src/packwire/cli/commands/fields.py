"""`packwire fields`: where the fields of unknown messages are, and what they do."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.exit_codes import exit_code_for
from packwire.cli.kinds import kinds_of
from packwire.cli.masked import open_masked
from packwire.cli.options import AllOption, BytesOption, JsonOption, KeepSecretsOption, RedactOption
from packwire.cli.terminal import make_console
from packwire.cli.views.fields import record, show
from packwire.insight.fields import find_fields
from packwire.visible import record_text


def fields(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    all: AllOption = False,  # noqa: A002 - it is the option's name
    json: JsonOption = False,
    redact: RedactOption = False,
    keep_secrets: KeepSecretsOption = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Show where the fields of a device's messages are: how wide, in which byte order, what they do.

    Only what the bytes do over time is looked at; no known protocol. The confidence says how likely a field
    is just these bytes. Where the high bytes of a number never change, nothing tells them from constants.

    Parameters
    ----------
    file
        The capture; `-` is standard input.
    all
        Also what never changes.
    """
    capture = open_masked(file, bytes_, redact=redact, keep_secrets=keep_secrets)
    kinds = kinds_of([capture])
    found = find_fields([each.frames for each in kinds])
    if json:
        for each, own in zip(kinds, found, strict=True):
            print(record_text(record(each, own)))
    else:
        show(make_console(), kinds, found, everything=all)
    return exit_code_for([capture], found=kinds)
