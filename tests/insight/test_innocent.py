"""Messages that look like something they are not: noise is no number, a number sent twice no checksum."""

import numpy as np
import pytest

from packwire.insight.checksums import find_checksum
from packwire.insight.fields import FieldRole, Frames, find_fields


@pytest.mark.parametrize("rows", [20, 60, 300, 1000])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_said_of_noise(rows: int, seed: int):
    matrix = np.random.default_rng(seed).integers(0, 256, (rows, 16), dtype=np.uint8)
    (found,) = find_fields([Frames(matrix)])
    assert {field.role for field in found} == {FieldRole.NOISE}
    assert all(field.confidence is None for field in found)


@pytest.mark.parametrize("seed", range(6))
def test_what_stands_before_noise_is_not_sure_to_reach_into_it(seed: int):
    random = np.random.default_rng(seed)
    volts = (13_000 + np.cumsum(random.integers(-9, 10, 200))).astype(">u2")
    noise = random.integers(0, 256, (200, 8), dtype=np.uint8)
    matrix = np.hstack((volts.view(np.uint8).reshape(-1, 2), noise))
    (found,) = find_fields([Frames(matrix)])
    number, *rest = found
    assert number.role is FieldRole.NUMBER
    assert number.width == 2 or (number.confidence or 0) < 0.9
    assert {field.role for field in rest} == {FieldRole.NOISE}


@pytest.mark.parametrize("where", [8, 9])
def test_a_counter_that_is_sent_twice_is_no_checksum(where: int):
    matrix = np.zeros((40, 10), dtype=np.uint8)
    matrix[:, 0] = 0xAA
    matrix[:, 1] = matrix[:, where] = np.arange(40)
    assert find_checksum(matrix) is None


def test_a_sum_of_a_header_and_one_byte_is_one():
    matrix = np.zeros((40, 6), dtype=np.uint8)
    matrix[:, 0], matrix[:, 1], matrix[:, 2] = 0xAA, 3, np.arange(40)
    matrix[:, 5] = matrix[:, :5].sum(axis=1)
    found = find_checksum(matrix)
    assert found is not None
    assert found.at + found.size == 6
