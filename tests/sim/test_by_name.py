"""What a simulated pack of a model is like where nobody says it."""

from packwire.sim.by_name import cells_of

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


def test_a_draft_has_as_many_cells_as_it_says(tmp_path):
    path = tmp_path / "mybms.yaml"
    path.write_text(DRAFT)
    assert cells_of(str(path)) == 7
    assert cells_of("jbd") is None
    assert cells_of("vesc") is None
