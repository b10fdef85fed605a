"""A planted checksum is found; without one, none is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.insight.checksums import checksums, find_checksum, find_closing
from packwire.wire.checksum import CATALOGUE

#: The check values of the CRC RevEng catalogue: the CRC of "123456789". Those of Fletcher's sums are worked out:
#: the sum of its bytes is 477, that of the sums so far 2325.
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
    "Fletcher-16": 2325 % 255 << 8 | 477 % 255,
    "Fletcher-16 modulo 256": 2325 % 256 << 8 | 477 % 256,
}


@pytest.mark.parametrize("entry", [one for one in CATALOGUE if one.poly], ids=lambda one: one.name)
def test_checksums_have_their_check_value(entry):
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


def _closed(*messages):
    return [message + bytes((sum(message) & 0xFF,)) + b"\x16" for message in messages]


def test_messages_of_several_lengths_have_one_checksum_at_their_ends():
    closing, proven = find_closing(_closed(b"\x68\x01\x05", b"\x68\x02\x06\x01\x07", b"\x68\x09\x0a\x0b"))
    assert closing is not None
    assert (closing.name, closing.begin, closing.tail, closing.size) == ("sum8", 0, 1, 1)
    assert proven


def test_two_writes_do_not_prove_a_checksum_but_what_the_device_says_does():
    writes = _closed(b"\x68\x21\x01\x00", b"\x68\x21\x01\x01")
    assert find_closing(writes)[1] is False
    frames = _closed(*(bytes((0x68, 0x90, level, 3, level // 2)) for level in range(40, 60)))
    closing, proven = find_closing(writes, frames)
    assert closing is not None
    assert closing.length == 2
    assert proven


def test_what_does_not_end_alike_has_no_checksum():
    assert find_closing([b"\x68\x21\x01\x00\x11", b"\x68\x21\x01\x01\x77", b"\x68\x21\x02\x09\x01"]) == (
        None,
        False,
    )
    assert find_closing([]) == (None, False)
