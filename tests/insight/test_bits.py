"""Bit counts agree with np.unpackbits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.insight.bits import count_bits


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(0, 700), width=st.integers(1, 40), seed=st.integers(0, 1000))
def test_counts_are_those_of_unpackbits(rows, width, seed):
    matrix = np.random.default_rng(seed).integers(0, 256, (rows, width), dtype=np.uint8)
    bits = np.unpackbits(matrix, axis=1, bitorder="little").reshape(rows, width, 8)
    counts = count_bits(matrix)
    assert (counts.ones == bits.sum(axis=0)).all()
    assert (counts.flips == (bits[1:] != bits[:-1]).sum(axis=0)).all()


def test_many_rows_are_counted_in_chunks():
    matrix = np.random.default_rng(2).integers(0, 256, (100_003, 9), dtype=np.uint8)
    bits = np.unpackbits(matrix, axis=1, bitorder="little").reshape(len(matrix), 9, 8)
    counts = count_bits(matrix)
    assert (counts.ones == bits.sum(axis=0)).all()
    assert (counts.flips == (bits[1:] != bits[:-1]).sum(axis=0)).all()


def test_constant_bits_and_activity():
    counts = count_bits(np.array([[1, 0], [1, 2], [1, 0]], dtype=np.uint8))
    assert (counts.ones[0] == counts.count).tolist() == [True] + [False] * 7
    assert counts.ones[1, 0] == 0
    assert counts.ones[1, 1] != 0
    assert counts.activity[1, 1] == 1.0
