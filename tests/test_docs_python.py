"""The page "From Python" is true: its blocks run, one after the other, as they stand there."""

import importlib.util
import re
import shutil
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import pytest

from tests.shared_data import ROOT

PAGE = ROOT / "docs" / "how-to" / "python.md"
BLOCKS = re.findall(r"```python(?: needs=(\S+))?\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder in which the page's file is where the page says."""
    shutil.copytree(ROOT / "tests" / "data", tmp_path / "tests" / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(blocks: list[str]) -> str:
    names: dict[str, Any] = {}
    out = StringIO()
    with redirect_stdout(out):
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)
    return out.getvalue()


def test_the_page_runs(folder):
    text = run([code for needs, code in BLOCKS if not needs])
    assert "bms 20" in text
    assert "nobody listens there" in text
    assert "Voltage V 83.91 V" in text
    assert "pcap 203 <129 messages" in text
    assert "replies a second" in text
    assert len(BLOCKS) >= 12


@pytest.mark.parametrize("needs", [needs for needs, _ in BLOCKS if needs])
def test_other_libraries(folder, needs):
    for name in needs.split(","):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    run([code for wanted, code in BLOCKS if wanted in ("", needs)])
