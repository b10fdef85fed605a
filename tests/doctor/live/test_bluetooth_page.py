"""The page for owners shows what `packwire doctor ble://...` prints, of the simulated packs that it names."""

import re

import pytest

from packwire.models.load import model
from packwire.sim.model import SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions
from tests.cli.running import packwire
from tests.shared_data import ROOT

PAGE = ROOT / "docs" / "how-to" / "my-pack-gives-no-data.md"
#: A command, the simulated pack that it is for, and what it prints.
EXAMPLE = re.compile(
    r"^    packwire doctor '?(ble://[^'\n]*)'?\n(?:(?!^    packwire).*\n)*?"
    r"^<!-- packwire sim (\S+)(.*) -->\n\n((?:(?:    [^\n]*)?\n)+)",
    re.MULTILINE,
)
EXAMPLES = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))


def _without_numbers(text: list[str]) -> list[str]:
    """Return the lines without what differs from one time to the next."""
    lines = [
        re.sub(r"-?\d+(?:\.\d+)?(?= (?:m?s|dBm|V|A|%|times|readings|bytes)\b)", "#", each) for each in text
    ]
    return [each for line in lines if (each := re.sub(r"  # s$", "", line).rstrip())]


def test_there_are_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each[1])
async def test_the_page_shows_what_is_printed(example):
    address, name, said, shown = example
    faults = tuple(re.findall(r"--fault (\S+)", said))
    options = SimOptions(cells=4, speed=0, faults=faults, bluetooth=BluetoothOptions())
    async with SimulatedModel(model(name), options) as simulated:
        assert simulated.bluetooth is not None
        assert address.partition("?")[0] == f"ble://{simulated.bluetooth.address}"
        with_adapter = f"{address}{'&' if '?' in address else '?'}adapter={simulated.bluetooth.adapter}"
        result = await packwire("doctor", with_adapter)
    printed = _without_numbers(result.out.splitlines())
    wanted = _without_numbers([line[4:] for line in shown.splitlines()])
    assert printed == wanted
