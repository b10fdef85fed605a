"""Sequence numbers to positions, and overlapping segments to pieces, against slow and obvious ways."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.layers.pieces import MAX_JUMP, first_wins, unwrap

segments = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 25)), max_size=30)


@given(segments)
def test_each_byte_comes_from_the_first_segment_that_has_it(rows):
    expected: dict[int, tuple[int, int]] = {}
    for index, (position, size) in enumerate(rows):
        for offset in range(size):
            expected.setdefault(position + offset, (index, offset))
    pieces = first_wins(
        *(np.array(column, dtype=np.int64) for column in (zip(*rows, strict=True) if rows else ([], [])))
    )
    got = {}
    for position, size, segment, skip in zip(*(column.tolist() for column in pieces), strict=True):
        for offset in range(size):
            assert position + offset not in got, "pieces do not overlap"
            got[position + offset] = (segment, skip + offset)
    assert got == expected
    assert pieces.position.tolist() == sorted(pieces.position.tolist())


def test_segments_in_reverse_order_take_no_square_time():
    count = 100_000
    position = np.arange(count, dtype=np.int64)[::-1].copy() * 3
    begin = time.perf_counter()
    pieces = first_wins(position, np.full(count, 5, dtype=np.int64))  # each overlaps the next
    assert time.perf_counter() - begin < 5
    assert int(pieces.size.sum()) == 3 * count + 2


@given(
    st.integers(0, (1 << 32) - 1),
    st.lists(st.tuples(st.integers(-5000, 100_000), st.integers(0, 1460)), min_size=1, max_size=50),
)
def test_positions_follow_the_numbers_around_the_wrap(base, rows):
    """Each segment lies near where the stream has got to, earlier or later; numbers are modulo 2^32."""
    reached, positions = 0, []
    for step, size in rows:
        positions.append(max(reached + step, 0))
        reached = max(reached, positions[-1] + size)
    seq = np.array([(base + position) % (1 << 32) for position in positions], dtype=np.int64)
    advance = np.array([size for _, size in rows], dtype=np.int64)
    got, stray = unwrap(seq, advance, base)
    assert got.tolist() == positions
    assert not stray.any()


@given(
    st.integers(0, (1 << 32) - 1),
    st.integers(MAX_JUMP + 1000, (1 << 32) - MAX_JUMP - 1000),
    st.integers(0, 9),
)
def test_a_stray_is_found_wherever_it_stands(base, off, place):
    seq = [(base + 100 * index) % (1 << 32) for index in range(10)]
    seq.insert(place, (base + 100 * place + off) % (1 << 32))
    known, stray = unwrap(np.array(seq), np.full(11, 100), base)
    assert np.flatnonzero(stray).tolist() == [place]
    assert known[~stray].tolist() == [100 * index for index in range(10)]
    _, stray = unwrap(np.array(seq), np.full(11, 100), None)
    assert np.flatnonzero(stray).tolist() == [place]
