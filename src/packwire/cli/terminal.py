"""The terminal: a console whose colours vanish when piped, and text from devices made safe to print."""

from typing import IO, override

from rich.console import Console


class _Console(Console):
    @override
    def on_broken_pipe(self) -> None:
        """Leave it to `main` to end quietly; rich would end with exit code 1."""
        raise BrokenPipeError


def make_console(*, stderr: bool = False, file: IO[str] | None = None) -> Console:
    """Return a console: lines are wrapped on a terminal; what is piped is neither wrapped nor coloured."""
    console = _Console(file=file, stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.soft_wrap = True
        console.width = 10_000
    return console


def printable(text: str) -> str:
    """Return text from a device without control characters, which could reprogram the terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
