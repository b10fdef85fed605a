"""Where output goes: lines to standard output, and files that a command writes."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from packwire.capture.writers.private import private
from packwire.errors import BadOptionError, not_written


def open_output(path: Path, stack: ExitStack) -> BinaryIO:
    """Open a file to be written; raise BadFileError where that cannot be done."""
    try:
        return stack.enter_context(open(path, "wb", opener=private))
    except OSError as error:
        raise not_written(path, error) from error


def require_free(path: Path | None, *, force: bool) -> None:
    """Raise BadOptionError where a file to be written is there already, and may not be written over."""
    if path is not None and path.exists() and not force:
        raise BadOptionError(f"{path} is there already: give another name, or --force to write over it")


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to standard output."""
    for line in lines:
        sys.stdout.write(line + "\n")
