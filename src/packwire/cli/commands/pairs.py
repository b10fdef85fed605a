"""`packwire pairs`: which requests the app sends, what comes back, and how soon."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.exit_codes import exit_code_for
from packwire.cli.headers import check_header, known_headers, row_families, unframed
from packwire.cli.masked import open_masked
from packwire.cli.options import BytesOption, JsonOption, KeepSecretsOption, RedactOption
from packwire.cli.terminal import make_console
from packwire.cli.views.pairs import record, show
from packwire.insight.pairs import find_pairs
from packwire.visible import record_text


def pairs(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    header: int | None = None,
    json: JsonOption = False,
    redact: RedactOption = False,
    keep_secrets: KeepSecretsOption = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Show the requests in a capture with their replies: how many, how soon, how many were not answered.

    Parameters
    ----------
    file
        The capture; `-` is standard input.
    header
        How many first bytes tell the kinds of messages apart; found where it is not given.
    """
    check_header(header)
    capture = open_masked(file, bytes_, redact=redact, keep_secrets=keep_secrets)
    messages = capture.messages
    found = find_pairs(
        messages, known_headers([capture])[0] if header is None else header, row_families(capture)
    )
    if json:
        for pair in found.pairs:
            print(record_text(record(messages, pair)))
    else:
        show(make_console(), messages, found, unframed(capture) if header is None else None)
    return exit_code_for([capture], found=found.pairs)
