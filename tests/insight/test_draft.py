"""From a recording of an unknown protocol to a model that reads it."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.understanding.sessions import draw, run

from packwire.insight.draft import DraftKind, DraftLinks, draft
from packwire.insight.fields import Frames, find_fields
from packwire.insight.frame_form import find_forms
from packwire.insight.observations import read_observation
from packwire.insight.values import find_values
from packwire.models.load import parse
from tests.insight.test_values import EPOCH, pack

CHECKED = 0x10000


def framed(kind):
    """Put a length, a checksum and an end around the frames of a made-up pack."""
    rows = []
    for row in kind.matrix:
        body = row[:2].tobytes() + bytes([len(row) - 2]) + row[2:].tobytes()
        rows.append(body + (-sum(body) % CHECKED).to_bytes(2, "big") + b"\x77")
    matrix = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)
    return Frames(matrix, 2, kind.time)


def test_a_draft_reads_what_was_noted():
    plain, voltage, soc = pack()
    kind = framed(plain)
    rows = [row.tobytes() for row in kind.matrix]
    short = [bytes([0xDD, 5, size, *range(size)]) for size in (2, 3, 4, 6)]
    acks = [each + (-sum(each) % CHECKED).to_bytes(2, "big") + b"\x77" for each in short]
    forms = find_forms([*rows, *acks, *acks])
    first = forms[0]
    assert (first.start, first.end) == (b"\xdd", b"\x77")
    assert first.length is not None
    assert (first.length.at, first.length.add) == (2, 6)
    fields = find_fields([kind])
    notes = [
        read_observation(f"{name}={value}", EPOCH + row * 10**9)
        for row in (5, 60, 110)
        for name, value in (("voltage", f"{voltage[row]:.2f}V"), ("soc", f"{soc[row]}%"))
    ]
    found = find_values([kind], fields, [*notes, read_observation("8cells")], seconds=1.5)
    ask = bytes.fromhex("dd 03 00 ff 20 77")
    text = draft("mybms", [DraftKind((0xDD, 3), kind, fields[0], ask)], found, forms, DraftLinks())
    protocol = parse(text, "mybms.yaml")
    for row in (0, 57, 119):
        values = protocol.values(rows[row])
        assert values["voltage"] == pytest.approx(voltage[row])
        assert values["soc"] == soc[row]
        cells = values["cell_voltages"]
        assert isinstance(cells, tuple)
        assert len(cells) == 8


@pytest.mark.parametrize("ends", [(), (100,), range(100, 120)])
@pytest.mark.parametrize(("lowest", "wanted"), [(3.0, -0.09), (-3.0, -0.09)])
def test_a_current_has_a_sign_whichever_way_it_flowed(lowest, wanted, ends):
    random = np.random.default_rng(7)
    current = np.round(lowest + np.cumsum(random.normal(0, 0.05, 120)).clip(-2, 2), 2)
    current[list(ends)] *= -1  # it flowed the other way too, where nobody noted it
    raw = (current * 100).round().astype(np.int64) & 0xFFFF
    body = np.zeros((120, 8), dtype=np.uint8)
    body[:, 0], body[:, 1] = 0xDD, 3
    body[:, 2], body[:, 3] = raw >> 8, raw & 0xFF
    body[:, 4:] = random.integers(0, 256, (120, 4))
    kind = framed(Frames(body, 2, EPOCH + np.arange(120, dtype=np.int64) * 10**9))
    rows = [row.tobytes() for row in kind.matrix]
    fields = find_fields([kind])
    notes = [
        read_observation(f"current={current[row]:.2f}A", EPOCH + row * 10**9) for row in (3, 40, 60, 80, 92)
    ]
    found = find_values([kind], fields, notes, seconds=0.5)
    text = draft("mybms", [DraftKind((0xDD, 3), kind, fields[0])], found, find_forms(rows), DraftLinks())
    frame = rows[0][:3] + (round(wanted * 100) & 0xFFFF).to_bytes(2) + rows[0][5:-3]
    frame += (-sum(frame) % CHECKED).to_bytes(2, "big") + b"\x77"
    assert parse(text, "mybms.yaml").values(frame)["current"] == pytest.approx(wanted)


@pytest.mark.parametrize("seed", range(5))
def test_a_draft_of_anything_is_a_model(seed):
    random = np.random.default_rng((seed, 3))
    layout = draw(random, run(random, "ride", 40, 8, 2))
    kind = Frames(layout.matrix, layout.header)
    fields = find_fields([kind])
    forms = find_forms([row.tobytes() for row in kind.matrix])
    begins = tuple(layout.matrix[0, : layout.header].tolist())
    text = draft("draft", [DraftKind(begins, kind, fields[0])], [], forms, DraftLinks("ffe1", "ffe1"))
    assert parse(text, "draft.yaml").name == "draft"


def test_a_value_by_which_frames_are_told_is_warned_of():
    """A voltage that never changed in a recording begins every frame of it."""
    random = np.random.default_rng(5)
    body = random.integers(0, 256, (60, 20)).astype(np.uint8)
    body[:, 0], body[:, 1] = 0x35, 0x05
    kind = Frames(body, 2, EPOCH + np.arange(60, dtype=np.int64) * 10**9)
    fields = find_fields([kind])
    notes = [read_observation("voltage=13.33V", EPOCH + at * 10**9) for at in (5, 30, 50)]
    (noted,) = find_values([kind], fields, notes)
    match = next(each for each in noted.matches if each.field.at == 0)
    found = [replace(noted, matches=(replace(match, chance=0.01),))]
    forms = find_forms([row.tobytes() for row in body])
    text = draft("d", [DraftKind((0x35, 5), kind, fields[0])], found, forms, DraftLinks(unnamed=True))
    assert "voltage lies there: with another value" in text
    assert "does not name the characteristics" in text
    parse(text, "d.yaml")
