"""Where output goes: lines to standard output, and files that a command writes."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from packwire.capture.writers.private import private
from packwire.errors import BadFileError


def open_output(path: Path, stack: ExitStack) -> BinaryIO:
    """Open a file to be written; raise BadFileError where that cannot be done."""
    try:
        return stack.enter_context(open(path, "wb", opener=private))
    except OSError as error:
        raise BadFileError(f"{path}: cannot be written ({error.strerror or error})") from error


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to standard output."""
    for line in lines:
        sys.stdout.write(line + "\n")
