"""The help of a command fills the terminal: no line ends because a line of the source does."""

import re
from itertools import pairwise

import pytest

from packwire.cli.help_text import filled
from packwire.cli.main import COMMANDS
from tests.cli.running import packwire


def test_paragraphs_are_one_line_and_lists_stay():
    assert filled("One\ntwo.\n\nThree\nfour.\n\n- a\n- b\n\n  packwire x\n  packwire y") == (
        "One two.\n\nThree four.\n\n- a\n- b\n\n  packwire x\n  packwire y"
    )


@pytest.mark.parametrize("command", sorted(COMMANDS))
async def test_no_line_of_a_description_ends_early(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = (await packwire(command, "--help")).out
    description = out.partition("\n\n")[2].partition("\n╭")[0].split("\n\n")
    for paragraph in description:
        lines = paragraph.rstrip().split("\n")
        for line, following in pairwise(lines):
            word = re.split(r"\s", following.strip())[0]
            assert len(line.rstrip()) + 1 + len(word) > 80 or line.startswith((" ", "-")), line
