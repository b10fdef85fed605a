"""What is shown on a terminal of 60, 80 and 120 columns: no line is left to the terminal to wrap."""

import io
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from packwire.cli.terminal import hanging
from packwire.cli.views.cell_bars import cell_bars
from packwire.cli.views.groups import show
from packwire.cli.views.live import OLD, CardView
from packwire.device import NodeKind
from packwire.device.base import Statistics
from packwire.device.follow import Outage, Reading
from packwire.direction import Direction
from packwire.errors import UnreachableError
from packwire.insight.groups import group_messages
from packwire.sample import Sample
from tests.cli.every_command import NAMES, lines, run
from tests.insight.tables import table

#: Logs: a line an event, for files and other programs as much as for people.
NOT_WRAPPED = {"hub"}
CELLS = tuple(3.300 + number * 0.001 for number in range(40))
SAMPLE = Sample(
    "bms",
    1_700_000_000_000_000_000,
    {
        "voltage": sum(CELLS),
        "cell_voltages": CELLS,
        "cell_voltage_min": min(CELLS),
        "cell_voltage_max": max(CELLS),
        "cell_voltage_spread": max(CELLS) - min(CELLS),
        "cell_min_number": 1,
        "cell_max_number": 40,
    },
)


def _view(width, height):
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="standard"
    )
    return CardView(console, lambda _: True)


def _reading() -> Any:
    node = SimpleNamespace(
        key="bms", name="a BMS of forty cells", kind=NodeKind.BATTERY, number=10, identity="x"
    )
    device: Any = SimpleNamespace(
        name="VESC Express T", firmware="6.06", where="vesc://192.168.1.20:65102", nodes=(node,),
        asked=("bms",), statistics=Statistics(),
    )  # fmt: skip
    return Reading(device, (SAMPLE,))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_card_of_forty_cells_fits(width):
    view = _view(width, 60)
    view.show(_reading())
    view.show(Outage(UnreachableError("the device closed the connection, and " * 4), 2.0))
    assert max(cell_len(line.plain) for line in view.lines()) <= width


def test_of_a_dead_pack_the_outage_is_on_top_and_the_values_are_grey_with_their_age():
    view = _view(80, 24)
    view.show(_reading())
    view.show(Outage(UnreachableError("the device is gone"), 2.0))
    first, age, *values = view.lines()
    assert first.plain == "NO DATA: the device is gone (trying again in 2 s)"
    assert "s old" in age.plain
    assert {str(line.style) for line in values} == {OLD}


def test_the_outage_is_not_cut_off_where_the_terminal_is_low():
    view = _view(80, 12)
    with view:
        view.show(_reading())
        view.show(Outage(UnreachableError("the device is gone"), 2.0))
        drawn = view._live.console.file.getvalue().rpartition("\x1b[?2026h")[2]
    assert "NO DATA" in drawn
    assert "more lines" in drawn
    assert drawn.count("\n") < 12


def test_a_few_millivolts_are_a_small_part_of_a_bar():
    values = dict(SAMPLE.values) | {"cell_voltages": (3.300, 3.306)}
    low, high, scale = (line.plain for line in cell_bars(Sample("bms", 0, values), 48))
    assert "bars from 3.25 to 3.35 V" in scale
    assert high.count("█") - low.count("█") <= 2
    assert "-" in low


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_WRAPPED])
async def test_no_line_is_wider_than_the_terminal(name, columns, folder):
    terminal = {"FORCE_COLOR": "1", "COLUMNS": str(columns), "LINES": "50"}
    _, out, _ = await run(lines(str(folder))[name], folder, stdin=b"secret\n", **terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.decode()).replace("\r", "\n")
    assert out or name in {"log", "convert", "draft", "model export"}
    assert [line for line in text.splitlines() if cell_len(line) > columns] == []


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_map_of_bits_has_as_many_bytes_across_as_fit(columns):
    random = np.random.default_rng(1)
    data = random.integers(0, 256, (9, 70), dtype=np.uint8)
    data[:, 0] = 0xDD
    messages = table([(float(at), Direction.FROM_DEVICE, row.tobytes()) for at, row in enumerate(data)])
    console = Console(file=io.StringIO(), width=columns, force_terminal=True, color_system=None)
    show(console, messages, group_messages(messages), None)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    wide = {sum(line.count(mark * 2) for mark in "·░▒▓█") for line in lines if line.startswith("  bit 7")}
    assert max(wide) == {60: 16, 80: 16, 120: 32}[columns]
    assert max(map(cell_len, lines)) <= columns
    assert all(line.startswith(("  byte", "  bit", "dd", "  ")) or not line for line in lines)
    assert sum(line.startswith("  bit ") for line in lines) == 8 * -(-70 // max(wide))


@pytest.mark.parametrize(
    "name", ["doctor", "compare", "decode", "diff", "groups", "info", "messages", "pairs", "read"]
)
async def test_what_is_piped_has_no_blanks_at_its_ends(name, folder):
    _, out, _ = await run(lines(str(folder))[name], folder)
    assert [line for line in out.decode().splitlines() if line != line.rstrip()] == []


async def test_on_a_terminal_an_error_is_broken_between_words(folder):
    terminal = {"FORCE_COLOR": "1", "COLUMNS": "60"}
    _, _, err = await run("read vesc://127.0.0.1:9", folder, **terminal)
    lines_of = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err).splitlines()
    assert len(lines_of) > 1
    assert max(map(cell_len, lines_of)) <= 60
    _, _, piped = await run("read vesc://127.0.0.1:9", folder)
    assert piped.split() == " ".join(lines_of).split()
    assert len(piped.splitlines()) == 1


def test_what_a_terminal_has_no_room_for_stands_behind_its_beginning():
    console = Console(file=io.StringIO(), width=30, force_terminal=True)
    shown = [piece.plain for piece in hanging(console, Text("  name   " + "word " * 8), 7)]
    assert shown[0].rstrip() == "  name   word word word word"
    assert {line[:9] for line in shown[1:]} == {" " * 9}
    assert max(map(cell_len, shown)) <= 30
    assert " ".join(shown).split() == ["name", *["word"] * 8]
    piped = Console(file=io.StringIO(), width=30)
    assert len(list(hanging(piped, Text("word " * 20)))) == 1
