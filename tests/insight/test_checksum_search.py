"""The search for checksums: every algorithm, ties, polynomials of one's own, and nothing where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.insight.checksum_search import MOST_CHANCE, find, search
from packwire.wire.checksum import CHECKSUMS, RARE, Checksum, ChecksumKind


def frames(entry, count, size=18, seed=0, start=b"\xdd", little=False, end=b"", begin=0):
    random = np.random.default_rng(seed)
    result = []
    for _ in range(count):
        body = start + random.integers(0, 256, size, dtype=np.uint8).tobytes()
        check = entry.of(body[begin:]).to_bytes(entry.size, "little" if little else "big")
        result.append(body + check + end)
    return result


@pytest.mark.parametrize("entry", list(CHECKSUMS.values())[::6], ids=lambda entry: entry.name)
def test_three_messages_tell_a_listed_checksum(entry):
    found = find(frames(entry, 3, seed=entry.bits))
    assert (entry.name, 0, -entry.size) in [(each.name, each.place.begin, each.place.at) for each in found]


@pytest.mark.parametrize("entry", RARE, ids=lambda entry: entry.name)
def test_rare_checksums_are_of_whole_bytes(entry):
    assert entry.bits % 8 == 0
    assert 0 <= entry.of(b"123456789") < 1 << entry.bits


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["sum8", "xor8", "sum16 negated", "CRC-16/MODBUS", "CRC-16/XMODEM", "Fletcher-16"]),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([b"", b"\x77", b"\r\n"]),
    st.integers(0, 10**6),
)
def test_range_place_and_order_are_found(name, begin, little, end, seed):
    entry = CHECKSUMS[name]
    found = find(frames(entry, 4, seed=seed, little=little, end=end, begin=begin))
    at = -entry.size - len(end)
    assert (name, begin, at, little and entry.size > 1) in [
        (each.name, each.place.begin, each.place.at, each.place.little) for each in found
    ]


def test_messages_of_several_lengths_agree():
    entry = CHECKSUMS["sum16"]
    several = frames(entry, 3, 12, seed=1) + frames(entry, 3, 20, seed=2)
    first = find(several)[0]
    assert (first.name, first.place.at, first.right) == ("sum16", -2, 6)


def test_a_checksum_in_the_head_is_found():
    random = np.random.default_rng(4)
    several = []
    for _ in range(4):
        body = random.integers(0, 256, 20, dtype=np.uint8).tobytes()
        several.append(b"\xaa" + CHECKSUMS["CRC-16/MODBUS"].of(body).to_bytes(2, "little") + body)
    assert ("CRC-16/MODBUS", 3, 1) in [(each.name, each.place.begin, each.place.at) for each in find(several)]


@pytest.mark.parametrize(
    ("bits", "poly", "reflected"), [(16, 0x2F15, False), (8, 0xB3, False), (16, 0xA097, True)]
)
def test_a_polynomial_in_no_catalogue_is_found(bits, poly, reflected):
    entry = Checksum("own", ChecksumKind.CRC, bits, poly, init=0x12, reflected=reflected)
    found = find(frames(entry, 14, begin=1))
    assert [(each.checksum.poly, each.checksum.reflected) for each in found] == [(poly, reflected)]


def test_what_explains_as_well_is_listed():
    entry = CHECKSUMS["sum8"]
    with_zero = [each[:-1] + bytes(1) + each[-1:] for each in frames(entry, 4, begin=0)]
    places = [(each.place.begin, each.place.end) for each in find(with_zero)]
    assert places[0] == (0, -1)
    assert (0, -2) in places


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_nothing_is_claimed_of_noise(count):
    random = np.random.default_rng(5)
    claims = 0
    for _ in range(5):
        lot = [random.integers(0, 256, 24, dtype=np.uint8).tobytes() for _ in range(count)]
        claims += bool(find(lot))
    assert claims <= 2


def test_progress_ends_at_the_whole():
    steps = list(search(frames(CHECKSUMS["sum8"], 3)))
    assert steps[-1].done == steps[-1].total
    assert [step.done for step in steps] == sorted(step.done for step in steps)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=6), st.booleans())
def test_any_messages_are_looked_at(messages, thorough):
    for each in find(messages, thorough=thorough):
        assert 0 <= each.chance <= MOST_CHANCE
        assert each.right <= each.total
