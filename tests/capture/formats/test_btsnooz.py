"""btsnooz: the section of a bug report, wherever it is, in both versions; cut off, damaged, or a bomb."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import btsnooz as btsnooz_format
from packwire.errors import BadFileError
from tests.capture.builder import read
from tests.capture.formats.bluetooth_files import EPOCH_US, btsnooz, btsnooz_body

TYPES = {0x10: (4, -1), 0x11: (2, -1), 0x12: (3, -1), 0x17: (5, -1), 0x20: (1, 1), 0x21: (2, 1), 0x2D: (5, 1)}
rows_of = st.lists(
    st.tuples(st.sampled_from(sorted(TYPES)), st.integers(0, 10**6), st.binary(max_size=40)), max_size=10
)
ROWS = [(0x20, 1000 * row, bytes([row]) * 20) for row in range(20)]


@given(rows_of, st.sampled_from([1, 2]))
def test_what_was_written_is_read(rows, version):
    packets = read(btsnooz(btsnooz_body(rows, version), version=version))
    assert [packets.packet(row) for row in range(len(packets))] == [
        bytes([TYPES[kind][0]]) + data for kind, _, data in rows
    ]
    assert packets.direction.tolist() == [TYPES[kind][1] for kind, _, _ in rows]
    ago = [sum(delta for _, delta, _ in rows[row + 1 :]) for row in range(len(rows))]
    assert packets.time.tolist() == [(EPOCH_US - each) * 1000 for each in ago]
    assert set(packets.link_type.tolist()) <= {187}
    assert packets.damage == ()


def test_the_section_may_have_megabytes_before_it():
    assert len(read(btsnooz(btsnooz_body(ROWS), before=b"== dumpstate: 2026\n" + b"line\n" * 100_000))) == 20


def test_what_the_phone_left_out_is_counted():
    packets = read(btsnooz(btsnooz_body(ROWS, cut=4)))
    assert packets.size.tolist() == [5] * 20
    assert packets.original.tolist() == [21] * 20


def test_truncation_keeps_what_comes_before():
    whole = btsnooz(btsnooz_body(ROWS))
    for size in range(whole.index(b"\n"), whole.index(b"--- END")):
        try:
            packets = read(whole[:size])
        except BadFileError as error:
            assert "\n" not in str(error)
            continue
        assert packets.damage


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace(b"\n", b"\n*", 2), "none of version 1 or 2|no base64"),
        (lambda text: text.replace(b"Ag", b"CQ", 1), "none of version 1 or 2"),
    ],
)
def test_a_section_of_no_use_is_an_error(change, words):
    with pytest.raises(BadFileError, match=words):
        read(change(btsnooz(btsnooz_body(ROWS))))


def test_a_bomb_is_cut_off(monkeypatch):
    monkeypatch.setattr(btsnooz_format, "MAX_EXPANDED", 10_000)
    packets = read(btsnooz(btsnooz_body([(0x20, 0, bytes(500))] * 1000)))
    assert 0 < len(packets) < 30
    assert "unpacks to more than 10000 bytes" in packets.damage[0]


@given(st.data())
def test_bit_flips_never_crash(data):
    whole = bytearray(btsnooz(btsnooz_body(ROWS)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        packets = read(bytes(whole))
    except BadFileError as error:
        assert "\n" not in str(error)
    else:
        assert (packets.start + packets.size <= len(packets.data)).all()


@given(st.binary(max_size=200), st.sampled_from([1, 2]))
def test_random_bodies_never_crash(body, version):
    try:
        packets = read(btsnooz(body, version=version))
    except BadFileError as error:
        assert "\n" not in str(error)
    else:
        assert (packets.start + packets.size <= len(packets.data)).all()
