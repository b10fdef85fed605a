"""Every family value by value against aiobmsble, for the same bytes."""

import pytest

from packwire.models.heard import Heard
from packwire.models.load import model
from tests.models.aiobmsble_vectors import VECTORS, compare, exchanges, same

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/aiobmsble is not here")

#: Plugin of aiobmsble -> our model; of those with several, by the number of the exchange.
FAMILIES = {
    "abc_bms": "sok",
    "ej_bms": "supervolt",
    "jbd_bms": "jbd",
    "neey_bms": "neey",
    "redodo_bms": "litime",
    "seplos_bms": "seplos-v3-master",
    "seplos_v2_bms": "seplos",
    "tianpwr_bms": "tianpower",
    "jikong_bms": "jk02",
    "daly_bms": "daly",
    "ant_bms": "ant",
    "ant_leg_bms": "ant-old",
}
OTHERS = {("daly_bms", 1): "daly81", ("daly_bms", 8): "daly81"}
#: Exchanges that are upstream's tests of errors, and what is wrong in them.
ERRORS: dict[tuple[str, int], str] = {
    ("ej_bms", 4): "its checksum is wrong, and of devices called libatt* aiobmsble looks at none",
    ("redodo_bms", 0): "aiobmsble remembers from earlier replies how many sensors there are; all read 0 here",
    ("redodo_bms", 5): "the same",
}
#: Quantities that differ, and why.
DIFFERENT: dict[str, dict[str, str]] = {
    # Those of the packs are compared in test_the_packs_of_a_master.
    "seplos_bms": {
        "temperatures": "the master's is an average; those of the cells are its packs'",
        "balancing": "aiobmsble takes the state of the current limiter for it",
        **dict.fromkeys(
            ("cell_voltages", "cell_voltage_max", "cell_max_number"),
            "aiobmsble gives the master the cells of all its packs",
        ),
    },
    "daly_bms": {"temperature_mosfet": "0 and 65535 mean that there is no such sensor"},
    "ant_bms": {"cycles": "aiobmsble divides the charge of all cycles by the capacity"},
    "ant_leg_bms": {
        "cycles": "aiobmsble divides the charge of all cycles by the capacity",
        "capacity_design": "where the board says 0, aiobmsble divides the charge by the level",
    },
}

CASES = [
    pytest.param(plugin, each, id=f"{plugin}-{each.number}")
    for plugin in FAMILIES
    for each in exchanges(plugin)
]


@pytest.mark.parametrize(("plugin", "exchange"), CASES)
def test_a_model_says_what_aiobmsble_says(plugin, exchange):
    if (plugin, exchange.number) in ERRORS:
        pytest.skip(ERRORS[plugin, exchange.number])
    name = OTHERS.get((plugin, exchange.number), FAMILIES[plugin])
    assert compare(model(name), exchange, frozenset(DIFFERENT.get(plugin, ()))) == []


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
