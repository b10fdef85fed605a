"""A pseudo-terminal in raw mode: a serial port that needs no cable. Not on Windows."""

import os

from packwire.errors import BadOptionError


def pseudo_terminal(instead: str) -> tuple[int, int, str]:
    """Return our end of a new one (which does not block), theirs, and its path, such as /dev/pts/3.

    Theirs is to stay open here too: else every close by a program would look like a broken line. Raises
    BadOptionError, with what to do instead, where the system has none.
    """
    try:
        from tty import setraw  # noqa: PLC0415 - Windows has no such module
    except ImportError:
        raise BadOptionError(f"this system has no pseudo-terminals: {instead}") from None
    ours, theirs = os.openpty()
    setraw(theirs)
    os.set_blocking(ours, False)
    return ours, theirs, os.ttyname(theirs)
