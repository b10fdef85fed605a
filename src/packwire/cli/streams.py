"""Standard output and error as they really are: full, closed, or not able to show every character."""

import codecs
import contextlib
import errno
import os
import sys
from typing import Final

from packwire.visible import escaped

#: What is drawn, in characters that every terminal has.
_PLAIN: Final = dict(
    zip(
        "█▉▊▋▌▍▎▏▓▒░·•─━═│╭╮╰╯┌┐└┘├┤┬┴┼╞╡╪\N{REPLACEMENT CHARACTER}",
        "#####=-' #+-.*--=|++++++++++++++++?".replace(" ", ""),
        strict=True,
    )
) | {"…": "...", "°": "deg"}
HANDLER: Final = "packwire"
_MOST_COLUMNS: Final = 10_000
#: Errors of an output, and not of what the command works on.
_OF_OUTPUT: Final = {errno.ENOSPC, errno.EBADF, errno.EIO, errno.EDQUOT, errno.EFBIG}


def _shown_plainly(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding does not have: drawings in ASCII, all else as JSON escapes it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = "".join(_PLAIN.get(each) or escaped(each) for each in error.object[error.start : error.end])
    return text, error.end


def prepare() -> None:
    """Make standard output and error fit to be written to whatever they are connected with."""
    columns = os.environ.get("COLUMNS", "1")
    if not columns.isdecimal() or not 0 < int(columns[:9]) < _MOST_COLUMNS:
        del os.environ["COLUMNS"]  # a terminal that nobody asked (0), or no width at all
    _hold_places()
    codecs.register_error(HANDLER, _shown_plainly)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors=HANDLER)


def _hold_places() -> None:
    """Keep the numbers of closed standard streams from being given to the next file that is opened.

    What is then written to one fails, as it should, where Python would drop it without a word.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        with contextlib.suppress(OSError):
            opened = os.open(os.devnull, os.O_RDONLY)  # nothing can be written to it
            if number and opened == number:
                setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def drop_output() -> None:
    """Lead standard output nowhere: what waits for it must not fail once more when Python ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def of_output(error: OSError) -> bool:
    """Tell whether an error is that of standard output, and not of a file that has a name."""
    return error.filename is None and error.errno in _OF_OUTPUT


def tell(message: str) -> None:
    """Say a line on standard error; on a terminal it is broken between words."""
    from rich.console import Console  # noqa: PLC0415 - only where there is an error to show
    from rich.text import Text  # noqa: PLC0415

    from packwire.visible import printable  # noqa: PLC0415

    try:
        console = Console(stderr=True)
        # A file's name may hold anything.
        line = Text.assemble(("packwire: ", "bold red"), printable(message))
        console.print(line, soft_wrap=not console.is_terminal)
    except OSError:
        return  # there is nobody to tell it to
