"""A planted checksum is found; without one, none is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.insight.checksums import checksums, find_checksum
from packwire.wire.checksum import CATALOGUE

#: The check values of the CRC RevEng catalogue: the CRC of "123456789".
CHECKS = {
    "CRC-8/SMBUS": 0xF4,
    "CRC-8/ROHC": 0xD0,
    "CRC-8/SAE-J1850": 0x4B,
    "CRC-8/MAXIM-DOW": 0xA1,
    "CRC-8/NRSC-5": 0xF7,
    "CRC-16/MODBUS": 0x4B37,
    "CRC-16/ARC": 0xBB3D,
    "CRC-16/XMODEM": 0x31C3,
    "CRC-16/CCITT-FALSE": 0x29B1,
    "CRC-16/KERMIT": 0x2189,
    "CRC-16/X-25": 0x906E,
}


@pytest.mark.parametrize("entry", [one for one in CATALOGUE if one.poly], ids=lambda one: one.name)
def test_crcs_have_the_check_value_of_the_catalogue(entry):
    digits = np.frombuffer(b"123456789", dtype=np.uint8)[None]
    assert checksums(entry, digits, (0,))[-1, 0, 0] == CHECKS[entry.name]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CATALOGUE), st.integers(0, 4), st.booleans(), st.integers(0, 2), st.integers(0, 99))
def test_a_planted_checksum_is_found(entry, begin, little, tail, seed):
    body = np.random.default_rng(seed).integers(0, 256, (40, 20), dtype=np.uint8)
    value = checksums(entry, body, (begin,))[-1, :, 0]
    size = entry.bits // 8
    shifts = [0, 8] if little else [8, 0]
    stored = [(value >> shift & 0xFF).astype(np.uint8) for shift in (shifts if size == 2 else [0])]
    matrix = np.column_stack([body, *stored, *[np.full(40, 0x77, dtype=np.uint8)] * tail])
    found = find_checksum(matrix)
    assert found is not None
    assert (found.at, found.size) == (20, size)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_noise_has_no_checksum(seed):
    assert find_checksum(np.random.default_rng(seed).integers(0, 256, (40, 24), dtype=np.uint8)) is None


def test_too_few_or_equal_messages_tell_nothing():
    assert find_checksum(np.zeros((0, 8), dtype=np.uint8)) is None
    assert find_checksum(np.ones((9, 8), dtype=np.uint8)) is None
