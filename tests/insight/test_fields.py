"""Fields of unknown messages: on made-up sessions, on real captures, and on hostile bytes."""

import numpy as np
import pytest
from benchmarks.understanding.exchanges import exchange_sessions
from benchmarks.understanding.score import Score, score
from benchmarks.understanding.sessions import random_sessions
from benchmarks.understanding.truth import captures
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from packwire.insight.fields import FieldRole, Frames, find_fields
from packwire.wire.fields import Type
from tests.shared_data import needs_captures, needs_vectors


def words(*columns, order=">"):
    return np.concatenate(
        [np.asarray(each).astype(f"{order}u2").view(np.uint8).reshape(-1, 2) for each in columns], axis=1
    )


def of(matrix, header=0):
    return find_fields([Frames(matrix, header)])[0]


@pytest.mark.parametrize(("order", "name"), [(">", "big"), ("<", "little")])
def test_cells_are_numbers_of_two_bytes_in_one_order(order, name):
    random = np.random.default_rng(1)
    cells = [3320 + np.cumsum(random.integers(-3, 4, 60)) for _ in range(6)]
    found = [each for each in of(words(*cells, order=order)) if each.moves]
    assert [(each.at, each.width, each.order) for each in found] == [(at, 2, name) for at in range(0, 12, 2)]


def test_a_number_below_zero_has_a_sign():
    current = np.array([12, 7, -3, -8, 4, -1, 9, -20, 3, 0] * 4)
    moving = 500 + np.arange(40)
    (first, *_) = [each for each in of(words(current, moving)) if each.moves]
    assert (first.type, first.at, first.width) == (Type.INT, 0, 2)
    assert first.values(words(current, moving)).tolist() == current.tolist()


def test_floats_are_found():
    random = np.random.default_rng(2)
    values = (3.3 + random.normal(0, 0.01, (50, 4))).astype("<f4")
    found = of(values.view(np.uint8).reshape(50, 16))
    assert [(each.at, each.width, each.type) for each in found] == [
        (at, 4, Type.FLOAT) for at in (0, 4, 8, 12)
    ]


def test_text_in_digits_is_read_as_what_it_stands_for():
    cells = 3320 + np.cumsum(np.random.default_rng(3).integers(-40, 41, (40, 6)), axis=0)
    rows = [b"~" + b"".join(b"%04X" % cell for cell in row) + b"\r" for row in cells.tolist()]
    matrix = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)
    moving = [each for each in of(matrix) if each.moves]
    assert [(each.at, each.width, each.digits) for each in moving] == [
        (1 + 4 * at, 4, True) for at in range(6)
    ]
    assert moving[2].values(matrix).tolist() == cells[:, 2].tolist()


def test_a_counter_a_state_and_a_text_are_called_so():
    rows = 40
    matrix = np.zeros((rows, 9), dtype=np.uint8)
    matrix[:, 0] = np.arange(rows)
    matrix[:, 1] = np.arange(rows) // 10 % 2 * 128
    matrix[:, 3:9] = np.frombuffer(b"BMS-16", dtype=np.uint8)
    (found,) = find_fields([Frames(matrix, 0, np.arange(rows) * 10**9)])
    roles = {each.at: each.role for each in found}
    assert roles[0] in {FieldRole.COUNTER, FieldRole.CLOCK}
    assert FieldRole.STATES in roles.values()
    assert FieldRole.TEXT in roles.values()


def test_made_up_layouts_come_out_as_the_bench_promises():
    scores = []
    for session in random_sessions(8, 60, seed=3):
        (known,) = session.known
        one = score(known.frames.matrix, known.fields, find_fields(session.all)[0])
        if one.true >= 3:
            scores.append(one)
    assert np.mean([one.f1 for one in scores]) >= 0.8
    assert np.mean([one.border_f1 for one in scores]) >= 0.88
    assert np.mean([one.precision for one in scores]) >= 0.8


@needs_captures
def test_real_captures_come_out_as_the_bench_promises():
    scores = []
    for session in captures():
        total = Score()
        found = dict(zip(map(id, session.all), find_fields(session.all), strict=True))
        for known in session.known:
            total.add(score(known.frames.matrix, known.fields, found[id(known.frames)]))
        scores.append(total)
        assert total.right_orders == total.orders, session.name
    assert np.mean([one.f1 for one in scores]) >= 0.85
    assert np.mean([one.border_f1 for one in scores]) >= 0.92


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(0, 20), st.integers(0, 24))), st.integers(0, 30))
def test_any_bytes_are_cut_without_gaps(matrix, header):
    (found,) = find_fields([Frames(matrix, header)]) if len(matrix) else ((),)
    assert [each.end for each in found[:-1]] == [each.at for each in found[1:]]
    if found:
        assert (found[0].at, found[-1].end) == (0, matrix.shape[1])
    for each in found:
        assert len(each.values(matrix)) == len(matrix)
        assert each.confidence is None or 0 <= each.confidence < 1


@needs_vectors
def test_exchanges_are_scored_where_a_family_has_enough_of_them():
    found = exchange_sessions()
    assert {each.name for each in found.sessions} >= {"jikong_bms", "neey_bms", "redodo_bms"}
    assert {"abc_bms", "tianpwr_bms"} <= set(found.few)
    neey = next(each for each in found.sessions if each.name == "neey_bms").known[0]
    assert score(neey.frames.matrix, neey.fields, find_fields([neey.frames])[0]).f1 > 0.8
