"""Ports are probed with harmless questions; what was found is tried first the next time."""

import os

import pytest

from packwire.errors import UnreachableError
from packwire.link.probing import probe
from packwire.models.load import model
from tests.link.lines import line

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")


@pytest.mark.parametrize(
    ("name", "echo"), [("jbd", False), ("daly-a5", True), ("seplos-v3", False), ("victron-vedirect", False)]
)
async def test_each_is_found_at_its_rate(name, echo):
    with line(name, cells=4, baud=model(name).baud, echo=echo) as serial:
        tried: list[str] = []
        hit = await probe(serial.path, tried.append)
        assert hit is not None
        assert (hit.model, hit.baud) == (name, model(name).baud)
        assert hit.address == f"serial:{serial.path}?model={name}"
        again: list[str] = []
        assert await probe(serial.path, again.append) == hit
        assert len(again) == 1


async def test_where_nobody_answers_nothing_is_found():
    with line("jbd", faults=("silence:0",)) as serial:
        assert await probe(serial.path) is None


async def test_a_port_that_is_not_there():
    with pytest.raises(UnreachableError, match="no serial port"):
        await probe("/dev/ttyNOTHERE")
