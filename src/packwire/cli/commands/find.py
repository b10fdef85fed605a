"""`packwire find`: where in a capture a value lies that an app showed."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.exit_codes import exit_code_for
from packwire.cli.kinds import kinds_of, undigited
from packwire.cli.masked import open_masked
from packwire.cli.notes import read_notes
from packwire.cli.notes_options import NotesOptions
from packwire.cli.options import AllOption, BytesOption, JsonOption, KeepSecretsOption, RedactOption
from packwire.cli.terminal import make_console
from packwire.cli.views.found import records, show
from packwire.errors import BadOptionError
from packwire.insight.fields import find_fields
from packwire.insight.matches import MOST_CHANCE
from packwire.insight.values import find_values
from packwire.visible import record_text

_NO_NOTES = NotesOptions()


def find(
    *files_and_values: Annotated[str, Parameter(allow_leading_hyphen=True)],
    all: AllOption = False,  # noqa: A002 - it is the option's name
    json: JsonOption = False,
    redact: RedactOption = False,
    keep_secrets: KeepSecretsOption = False,
    bytes_: BytesOption = "hex",
    options: NotesOptions = _NO_NOTES,
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
    all
        Also places that chance explains.
    """
    paths = [each for each in files_and_values if Path(each).exists()]
    values = [each for each in files_and_values if each not in paths]
    if not paths:
        raise BadOptionError("give a recording that exists, then values such as 83.92V or soc=87%")
    if not values and options.notes is None:
        raise BadOptionError("say what was shown, such as 83.92V, 20cells or soc=87%, or give --notes FILE")
    captures = [open_masked(path, bytes_, redact=redact, keep_secrets=keep_secrets) for path in paths]
    said = read_notes(values, options, captures)
    kinds = undigited(kinds_of(captures))
    frames = [each.frames for each in kinds]
    found = find_values(frames, find_fields(frames), said.observations, seconds=options.within)
    if json:
        for each in found:
            for record in records(each, kinds):
                print(record_text(record))
    else:
        show(make_console(), found, kinds, said.remark, everything=all)
    right = any(each.matches and each.matches[0].chance <= MOST_CHANCE for each in found)
    return exit_code_for(captures, found=right)
