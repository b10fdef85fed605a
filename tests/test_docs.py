"""The documentation says what is true: generated pages are current, links lead somewhere, codes are listed."""

import re
import runpy
from pathlib import Path

import pytest

from packwire.cli.exit_codes import ExitCode
from packwire.sim.faults import FAULTS
from tests.shared_data import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", ["quantities", "formats", "json", "model_schema"])
def test_a_page_that_is_made_is_current(name):
    make = runpy.run_path(str(ROOT / f"docs/reference/make_{name}.py"))
    assert make["PAGE"].read_text() == make["page"](), f"run docs/reference/make_{name}.py"


def test_the_pages_of_models_are_current():
    make = runpy.run_path(str(ROOT / "docs/reference/make_models.py"))
    assert make["PAGE"].read_text() == make["page"](), "run docs/reference/make_models.py"
    assert make["SUPPORTED"].read_text() == make["supported"](), "run docs/reference/make_models.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_exit_code_is_documented():
    listed = re.findall(r"^\| (\d+) \|", (ROOT / "docs/reference/exit-codes.md").read_text(), re.MULTILINE)
    assert [int(code) for code in listed] == sorted(ExitCode)


def test_every_fault_is_named():
    text = (ROOT / "docs/how-to/simulate.md").read_text()
    assert set(FAULTS) <= set(re.findall(r"[a-z][a-z-]+", text))
