"""Every family value by value against aiobmsble, for the same bytes."""

from pathlib import Path

import pytest

from packwire.models.heard import Heard
from packwire.models.load import model
from packwire.models.store import library
from tests.models.aiobmsble_vectors import compare, exchanges, same
from tests.shared_data import needs_vectors

pytestmark = needs_vectors

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "aiobmsble.md"


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading of the page."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


#: Plugin of aiobmsble -> our models; most have one.
FAMILIES = {plugin: models.split(", ") for plugin, models, *_ in rows("Values")}
#: Of those with several, by the number of the exchange.
OTHERS = {("daly_bms", 1): "daly81", ("daly_bms", 8): "daly81"}
DIFFERENT = {(plugin, said.strip("`")) for plugin, _, said, *_ in rows("Values") if said}
ONLY_ONE = {
    (plugin, int(number)): why for plugin, number, why in rows("Exchanges that only one of them reads")
}


def differing(plugin, exchange):
    """Return the quantities that differ in an exchange, with what each says."""
    name = OTHERS.get((plugin, exchange.number), FAMILIES[plugin][0])
    return {line.partition(":")[0]: line for line in compare(model(name), exchange)}


CASES = [
    pytest.param(plugin, each, id=f"{plugin}-{each.number}")
    for plugin in FAMILIES
    for each in exchanges(plugin)
]


@pytest.mark.parametrize(("plugin", "exchange"), CASES)
def test_a_model_says_what_aiobmsble_says_but_for_what_the_page_lists(plugin, exchange):
    unlisted = [line for key, line in differing(plugin, exchange).items() if (plugin, key) not in DIFFERENT]
    if (plugin, exchange.number) in ONLY_ONE:
        assert unlisted, "take it off the page"
    else:
        assert unlisted == []


def test_the_page_lists_no_difference_that_is_none():
    found = {
        (plugin, key) for plugin in FAMILIES for each in exchanges(plugin) for key in differing(plugin, each)
    }
    assert found >= DIFFERENT


def test_the_page_lists_each_model_that_was_compared_and_says_so():
    compared = {name for name in library() if "aiobmsble" in model(name).content.get("proof", ())}
    assert compared == {*(name for names in FAMILIES.values() for name in names), "seplos-v3"}


@pytest.mark.parametrize("exchange", exchanges("seplos_bms"), ids=lambda each: str(each.number))
def test_the_packs_of_a_master(exchange):
    protocol = model("seplos-v3-master")
    packs: dict[int, Heard] = {}
    framer = protocol.framer()
    for piece in exchange.received:
        # aiobmsble's radio leaves the padding of notifications in: c0ffee.
        for frame in framer.feed(piece.removesuffix(b"\xc0\xff\xee")):
            packs.setdefault(frame.payload[0], Heard(protocol)).take(frame.payload)
    assert list(packs) == [0, 1, 2]
    for number, theirs in enumerate(exchange.sample["packs"], 1):
        ours = packs[number].values()
        assert same(ours["cell_voltages"], tuple(theirs["cell_voltages"]))
        for key, name in {"voltage": "voltage", "current": "current", "soc": "battery_level"}.items():
            assert ours[key] == theirs[name]
