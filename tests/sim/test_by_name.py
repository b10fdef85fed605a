"""What a simulated pack of a model is like where nobody says it."""

import asyncio

import pytest

import packwire
from packwire.models.protocol import ModelProtocol
from packwire.models.store import library
from packwire.protocols import protocol
from packwire.sim.filled import cells_of

DRAFT = """packwire: 1
name: mybms
title: mybms
links: {tcp: true}
framings:
  - {start: b7, size: [{add: 16}]}
replies:
  cells:
    begins: b7
    unasked: true
    fields:
      - {name: cells, at: 1, type: u16, count: 7, scale: 0.001, quantity: cell_voltages}
"""


def model(name):
    spoken = protocol(name)
    assert isinstance(spoken, ModelProtocol)
    return spoken


def test_a_draft_has_as_many_cells_as_it_says(tmp_path):
    path = tmp_path / "mybms.yaml"
    path.write_text(DRAFT)
    assert cells_of(model(str(path)), 4) == 7


@pytest.mark.parametrize(("name", "cells"), [("jbd", 20), ("litime", 16), ("topband", 16), ("pylontech", 15)])
def test_a_pack_has_no_more_cells_than_its_model_has_room_for(name, cells):
    assert cells_of(model(name), 20) == cells


async def test_what_is_simulated_of_each_model_is_healthy():
    names = [name for name in library() if name != "byd-hv-can"]  # it says each of its values once in 10 s
    found = await asyncio.gather(*(packwire.diagnose(f"sim:{name}", quick=True) for name in names))
    assert {name: each.verdict.key for name, each in zip(names, found, strict=True)} == dict.fromkeys(
        names, "ok"
    )
