"""Columns: what numpy says to the same question."""

import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from packwire.columns import Growing, constant, distinct, distinct_rows, spans

small = st.integers(0, 5)


@settings(deadline=None)  # np.unique loads numpy.ma the first time
@given(arrays(st.sampled_from([np.int32, np.uint8, np.int64]), st.integers(0, 40), elements=small))
def test_distinct_is_unique(values):
    assert distinct(values) == np.unique(values).tolist()


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 2)))
def test_distinct_rows_are_unique_ones(table):
    assert distinct_rows(table).tolist() == np.unique(table, axis=0).tolist()


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 4)), max_size=12))
def test_spans_are_ranges_one_behind_the_other(pairs):
    start, size = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert spans(start, size).tolist() == [
        each for begin, count in pairs for each in range(begin, begin + count)
    ]


def test_a_constant_column_takes_no_memory_and_cannot_be_written_to():
    column = constant(7, 10**12)
    assert len(column) == 10**12
    assert column[5] == 7
    assert not column.flags.writeable


@given(st.lists(st.lists(small, max_size=9), max_size=9), st.integers(0, 20))
def test_columns_grow_beyond_what_was_expected(blocks, expected):
    growing = Growing((np.int64, np.uint8), expected)
    for block in blocks:
        growing.add(np.array(block, dtype=np.int64), np.array(block, dtype=np.uint8))
    everything = [each for block in blocks for each in block]
    assert [column.tolist() for column in growing.columns()] == [everything, everything]
    assert [column.dtype for column in growing.columns()] == [np.int64, np.uint8]


def test_neither_loads_a_part_of_numpy_that_takes_long():
    code = (
        "import sys, numpy as np; from packwire.columns import distinct, distinct_rows;"
        "distinct(np.arange(5)); distinct_rows(np.eye(3, dtype=int)); assert 'numpy.ma' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
