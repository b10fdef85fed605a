"""Where noted values lie: found where they are, told how sure, and nothing made of accidents."""

import numpy as np
import pytest
from benchmarks.understanding.noted import accidents, measure_notes
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.insight.fields import Frames, find_fields
from packwire.insight.observations import Measured, Way, read_observation
from packwire.insight.values import find_values
from packwire.wire.fields import Type

EPOCH = 1_700_000_000 * 10**9


def pack(rows=120, cells=8):
    random = np.random.default_rng(6)
    columns = [3320 + np.cumsum(random.integers(-2, 3, rows)) for _ in range(cells)]
    voltage = sum(columns) // 10
    soc = 87 - np.arange(rows) // 30
    fields = [*columns, voltage]
    body = np.concatenate(
        [np.asarray(each).astype(">u2").view(np.uint8).reshape(-1, 2) for each in fields], axis=1
    )
    head = np.tile(np.array([0xDD, 3], dtype=np.uint8), (rows, 1))
    matrix = np.concatenate((head, body, soc.astype(np.uint8)[:, None]), axis=1)
    return Frames(matrix, 2, EPOCH + np.arange(rows) * 10**9), voltage / 100, soc


def look(kind, *observations):
    return find_values([kind], find_fields([kind]), observations, seconds=1.5)


def test_voltage_cells_and_soc_are_found():
    kind, voltage, soc = pack()
    notes = [
        read_observation(f"{name}={value}", EPOCH + row * 10**9)
        for row in (5, 60, 110)
        for name, value in (("voltage", f"{voltage[row]:.2f}V"), ("soc", f"{soc[row]}%"))
    ]
    found = {each.name: each for each in look(kind, *notes, read_observation("8cells"))}
    first = found["voltage"].matches[0]
    assert (first.field.at, first.field.width, first.field.scale) == (18, 2, 0.01)
    assert first.chance < 1e-3
    assert (found["soc"].matches[0].field.at, found["soc"].matches[0].field.width) == (20, 1)
    cells = found["cells"].matches[0]
    assert (cells.field.at, cells.count, cells.field.order) == (2, 8, "big")


def test_a_value_that_never_changes_is_listed_with_its_ties():
    matrix = np.tile(np.array([0xDD, 3, 96, 0, 0, 96, 5], dtype=np.uint8), (20, 1))
    (found,) = look(Frames(matrix, 2), read_observation("soc=96%"))
    assert {2, 5} <= {each.field.at for each in found.matches}
    assert found.ties > 1
    assert not any(each.moves for each in found.matches)


def test_how_a_value_went_narrows():
    kind, _, _ = pack()
    fell = read_observation("soc=fell", EPOCH + 5 * 10**9, EPOCH + 115 * 10**9)
    (found,) = look(kind, read_observation("soc=87%", EPOCH + 5 * 10**9), fell)
    assert found.matches[0].field.at == 20


def test_a_note_outside_of_the_recording_finds_nothing():
    kind, _, _ = pack()
    (found,) = look(kind, read_observation("soc=87%", EPOCH + 10**15))
    assert found.matches == ()


@pytest.mark.parametrize(
    ("text", "subject", "low", "high"),
    [
        ("83.92V", Measured.VOLTAGE, 83.915, 83.93),
        ("soc=87%", Measured.PERCENT, 86.5, 88),
        ("current=-1.3A", Measured.CURRENT, -1.4, -1.25),
        ("temp=24.5", Measured.TEMPERATURE, 24.45, 24.6),
        ("3412mV", Measured.VOLTAGE, 3.4115, 3.413),
        ("20cells", Measured.CELLS, 20, 20),
    ],
)
def test_a_display_rounds(text, subject, low, high):
    read = read_observation(text)
    assert read.subject is subject
    assert [read.low, read.high] == pytest.approx([low, high])


def test_ways_are_read():
    assert read_observation("soc=rose", 1, 2).way is Way.ROSE


@given(st.text(max_size=20))
def test_other_texts_are_refused_in_words(text):
    try:
        read_observation(text)
    except ValueError as error:
        assert "such as" in str(error)


def test_notes_like_an_owners_come_out_as_the_bench_promises():
    notes = measure_notes(5, 100, seed=9)
    assert notes.listed >= 0.95 * notes.moving
    assert notes.first >= 0.8 * notes.moving
    assert notes.ties_listed == notes.constants


@pytest.mark.parametrize("many", [1, 2, 3])
def test_accidents_are_as_rare_as_is_said(many):
    chances = np.array(accidents(20, 60, many, seed=4))
    for number in (20, 100, 1000):
        # The 99.9th percentile of what a chance of 1 in `number` may give in 20 sessions.
        assert (chances <= 1 / number).sum() <= {20: 6, 100: 3, 1000: 1}[number]


@settings(max_examples=10, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 16),
    st.integers(0, 2**32),
    st.sampled_from(["1V", "0A", "5cells", "x=0.001", "t=-3C", "100%", "99999999W"]),
)
def test_any_frames_are_looked_at(rows, width, seed, text):
    matrix = np.random.default_rng(seed).integers(0, 256, (rows, width), dtype=np.uint8)
    (found,) = look(Frames(matrix, 0), read_observation(text))
    for each in found.matches:
        assert 0 <= (each.field.at or 0) < width
        assert each.low <= each.high


def _signed_frames(currents):
    """Frames of 1 Hz, with an i32 in mA behind two bytes, and noise."""
    random = np.random.default_rng(3)
    body = random.integers(0, 256, (len(currents), 12), dtype=np.uint8)
    body[:, 0], body[:, 1] = 0x55, 0xAA
    raw = np.round(np.array(currents) * 1000).astype("<i4")
    body[:, 2:6] = raw.view(np.uint8).reshape(-1, 4)
    return Frames(body, 2, EPOCH + np.arange(len(currents), dtype=np.int64) * 10**9)


def test_a_number_with_a_sign_is_taken_with_the_bytes_that_are_nothing_but_its_sign():
    currents = [-0.09, 14.88, -19.07, 3.21, -11.86, 14.89, 35.71, -2.98, 7.4, 12.6]
    kind = _signed_frames(currents)
    notes = [
        read_observation(f"current={currents[row]:.2f}A", EPOCH + row * 10**9) for row in (0, 1, 2, 4, 7)
    ]
    (found,) = find_values([kind], find_fields([kind]), notes, seconds=0.3)
    first = found.matches[0]
    assert (first.field.at, first.field.width, first.field.type) == (2, 4, Type.INT)
    assert {each.field.width for each in found.matches if each.field.at == 2} == {4}


@pytest.mark.parametrize(("late", "says"), [(0.9, True), (1.6, False)])
def test_what_is_shown_after_the_last_frame_came_with_it(late, says):
    kind = _signed_frames([-0.09, 14.88, -19.07, 3.21, -11.86, 14.89, 5.71, -2.98, 7.4, 12.6])
    moments = {"-19.07": 2.0, "3.21": 3.0, "-11.86": 4.0, "99.99": 9 + late}
    notes = [
        read_observation(f"current={value}A", EPOCH + round(at * 10**9)) for value, at in moments.items()
    ]
    (found,) = find_values([kind], find_fields([kind]), notes, seconds=0.3)
    assert any(each.field.at == 2 for each in found.matches) != says
