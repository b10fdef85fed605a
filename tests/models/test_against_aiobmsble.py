"""Every family value by value against aiobmsble, for the same bytes."""

import pytest

from packwire.models.load import model
from tests.models.aiobmsble_vectors import VECTORS, compare, exchanges

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/aiobmsble is not here")

#: Plugin of aiobmsble -> our model.
FAMILIES = {
    "jbd_bms": "jbd",
    "jikong_bms": "jk02",
}
#: Exchanges that are upstream's tests of errors, and what is wrong in them.
ERRORS: dict[tuple[str, int], str] = {}
#: Quantities that differ, and why.
DIFFERENT: dict[str, dict[str, str]] = {}

CASES = [
    pytest.param(plugin, each, id=f"{plugin}-{each.number}")
    for plugin in FAMILIES
    for each in exchanges(plugin)
]


@pytest.mark.parametrize(("plugin", "exchange"), CASES)
def test_a_model_says_what_aiobmsble_says(plugin, exchange):
    if (plugin, exchange.number) in ERRORS:
        pytest.skip(ERRORS[plugin, exchange.number])
    different = compare(model(FAMILIES[plugin]), exchange, frozenset(DIFFERENT.get(plugin, ())))
    assert different == []
