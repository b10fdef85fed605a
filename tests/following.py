"""Follows a page of the documentation: runs its commands as they are written, in order, in one folder.

A command is an indented line that begins with `packwire`, or `$ packwire`; the lines below one with `$` are what
it prints: as they are written, and `...` stands for any lines. A block of YAML below a line that names a file in
backquotes is that file.
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_FILE = re.compile(r"`([\w-]+\.yaml)`[^`]*\n+```yaml\n(.*?)```", re.DOTALL)


@dataclass
class Step:
    """A command, and the lines that it should print; none were given: anything."""

    words: list[str]
    prints: list[str] = field(default_factory=list)


def steps(page: Path) -> list[Step]:
    """Return the commands of a page."""
    found: list[Step] = []
    shown = False
    for line in page.read_text(encoding="utf-8").splitlines():
        text = line[4:] if line.startswith("    ") else None
        if text is None:
            shown = False
        elif text.startswith(("$ packwire ", "packwire ")):
            shown = text.startswith("$ ")
            found.append(Step(shlex.split(text.removeprefix("$ "), comments=True)[1:]))
        elif shown:
            found[-1].prints.append(text.rstrip())
    return found


def files(page: Path) -> dict[str, str]:
    """Return the files that a page shows whole, by name."""
    return dict(_FILE.findall(page.read_text(encoding="utf-8")))


def prints(out: str, wanted: list[str]) -> bool:
    """Tell whether an output is as a page shows it."""
    pattern = "".join(".*" if line == "..." else re.escape(line) + r"[ ]*\n" for line in wanted)
    return re.fullmatch(pattern + r"\n*", out.rstrip("\n") + "\n", re.DOTALL) is not None
