"""The terminal: a console whose colours vanish when piped, and text from devices made safe to print."""

from collections.abc import Iterable, Iterator
from typing import IO, override

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from packwire.visible import printable

__all__ = ["Writer", "hanging", "make_console", "printable"]


class _Console(Console):
    @override
    def on_broken_pipe(self) -> None:
        """Leave it to `main` to end quietly; rich would end with exit code 1."""
        raise BrokenPipeError

    @override
    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, and let no control character through that nobody has looked for."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text == "\n":
                yield segment
            else:
                text = printable(segment.text, keep="\n")
                yield segment if text is segment.text else Segment(text, segment.style)


def make_console(*, stderr: bool = False, file: IO[str] | None = None) -> Console:
    """Return a console: lines are wrapped on a terminal; what is piped is neither wrapped nor coloured."""
    console = _Console(file=file, stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.soft_wrap = True
        console.width = 10_000
    return console


def hanging(console: Console, line: Text, indent: int = 2) -> Iterator[Text]:
    """Yield a line in pieces that fit the terminal, those after the first `indent` beyond its beginning."""
    begin = len(line.plain) - len(line.plain.lstrip()) + indent
    if not console.is_terminal or line.cell_len <= console.width:
        yield line
        return
    first = line.wrap(console, console.width)[0]
    yield first
    rest = line[len(first) :]
    rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
    for piece in rest.wrap(console, max(console.width - begin, 10)):
        yield Text(" " * begin) + piece


def say(console: Console, line: Text | str) -> None:
    """Print a line, on a terminal in pieces that fit; what may be in it is for the caller to make sure of."""
    for piece in hanging(console, Text(line) if isinstance(line, str) else line):
        console.print(piece, soft_wrap=True)


class Writer:
    """Writes lines of styled parts; when piped, plain text and quickly."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._plain = not console.is_terminal

    def line(self, *parts: str | tuple[str, str]) -> None:
        """Write one line."""
        if self._plain:
            text = "".join(part if isinstance(part, str) else part[0] for part in parts)
            self._console.file.write(printable(text.rstrip(), keep="\n\t") + "\n")
        else:
            self._console.print(Text.assemble(*parts))
