"""Make the pictures of the terminal: run the real program on a pseudo-terminal and draw what it left there.

.venv/bin/python docs/pictures/make.py
"""

import os
import sys
from pathlib import Path
from typing import Any

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

HERE = Path(__file__).parent
CAPTURES = HERE.parent.parent / "tests" / "data" / "vesc"
COLUMNS = 118
WIDE = 156

#: rich's own template fetches a font from elsewhere; this one uses the viewer's.
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def on_terminal(arguments: list[str], seconds: float | None, rows: int, columns: int = COLUMNS) -> Text:
    """Run packwire on a terminal; end it with Ctrl-C after some seconds, or let it end by itself."""
    screen = pyte.Screen(columns, rows)
    child: Any = pexpect.spawn(
        sys.executable,
        ["-m", "packwire", *arguments],
        dimensions=(rows, columns),
        timeout=seconds or 30,
        cwd=CAPTURES,
        env=os.environ
        | {"TERM": "xterm-256color", "XDG_CACHE_HOME": os.devnull, "PACKWIRE_PASSWORD": "simulated"},
    )
    if child.expect([pexpect.EOF, pexpect.TIMEOUT]) == 1:
        child.sendintr()
        child.expect(pexpect.EOF)
    pyte.ByteStream(screen).feed(child.before or b"")
    lines = [_line(screen, row) for row in range(rows)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return Text("\n").join(lines)


def _line(screen: pyte.Screen, row: int) -> Text:
    line = Text()
    for column in range(screen.columns):
        character = screen.buffer[row][column]
        colour = None if character.fg == "default" else {"brown": "yellow"}.get(character.fg, character.fg)
        line.append(character.data, Style(color=colour, bold=character.bold))
    line.rstrip()
    return line


def draw(name: str, command: str, screen: Text, columns: int = COLUMNS) -> None:
    """Draw a screen, with the command that led to it above it."""
    console = Console(record=True, width=columns, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(Text(f"$ packwire {command}", "bold"))
    console.print(screen, soft_wrap=True)
    console.save_svg(str(HERE / f"{name}.svg"), title="packwire", code_format=SVG, unique_id=name)


def main() -> None:
    """Make all pictures."""
    simulator: Any = pexpect.spawn(sys.executable, ["-m", "packwire", "sim", "hub", "--vesc"], timeout=20)
    simulator.expect("packwire read (veschub://[^\r\n]*)")
    address = simulator.match[1].decode()
    hub = "veschub://SIMPACK@127.0.0.1"
    draw("read", f"read {hub}", on_terminal(["read", address], None, 16))
    draw("watch", f"watch {hub}", on_terminal(["watch", address], 12.0, 24))
    simulator.sendintr()
    simulator.expect(pexpect.EOF)
    broken: Any = pexpect.spawn(
        sys.executable, ["-m", "packwire", "sim", "vesc", "--listen", "0", "--fault", "no-bms"], timeout=20
    )
    broken.expect("packwire read (vesc://[^\r\n]*)")
    address = broken.match[1].decode()
    shown = on_terminal(["doctor", address, "--quick"], None, 60, WIDE)
    draw("doctor", f"doctor {address} --quick", shown, WIDE)
    broken.sendintr()
    broken.expect(pexpect.EOF)
    capture = CAPTURES / "own-client-timeouts.pcap"
    shown = on_terminal(["decode", capture.name], None, 200, WIDE)
    # The second connection is the hub's own to the device: the same once more.
    first = Text("\n").join(shown.split("\n")[: shown.plain[: shown.plain.index("[2]")].count("\n")])
    draw("decode", f"decode {capture.name}", first, WIDE)


if __name__ == "__main__":
    main()
