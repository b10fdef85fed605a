"""Reports fit for a forum: where they may go is found out before anything takes time."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from packwire.errors import BadFileError, BadOptionError, missing_extra

HTML, MARKDOWN = ".html", ".md"
FORMATS = (HTML, MARKDOWN)


def check_reports(files: tuple[Path, ...]) -> None:
    """Raise BadOptionError, BadFileError or MissingExtraError where a report could not be written."""
    for file in files:
        if file.suffix.lower() not in FORMATS:
            raise BadOptionError(f"--report {file}: the name of a report ends in {' or '.join(FORMATS)}")
        if not file.absolute().parent.is_dir():
            raise BadOptionError(f"--report {file}: there is no folder {file.absolute().parent}")
        _try_to_write(file)
    if files and find_spec("jinja2") is None:
        raise missing_extra("cli", "a report")


def _try_to_write(file: Path) -> None:
    is_new = not file.exists()
    try:
        with file.open("ab"):
            pass
        if is_new:
            file.unlink()
    except OSError as error:
        raise _cannot_write(file, error) from None


def write_report(file: Path, make: Callable[[str], str]) -> None:
    """Write a report; `make` is given the format (HTML or MARKDOWN). Raises BadFileError."""
    try:
        file.write_text(make(file.suffix.lower()), encoding="utf-8")
    except OSError as error:
        raise _cannot_write(file, error) from None


def _cannot_write(file: Path, error: OSError) -> BadFileError:
    return BadFileError(f"the report {file} cannot be written: {error.strerror or error}")
