"""What wrong framers do with real bytes."""

from binascii import crc_hqx

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.doctor.vesc.misreadings import Fate, misread
from packwire.vesc.framing import encode_frame


def fates(payload: bytes) -> dict[str, tuple[Fate, str]]:
    return {each.key: (each.fate, each.words) for each in misread(encode_frame(payload))}


def test_the_length_of_a_pack_of_twenty_cells_read_as_fifteen_bits():
    fate, words = fates(b"\x60" + bytes(129))["length-15-bits"]
    assert fate is Fate.WAITS
    assert "reads 02 82 60 as a length of 608: waits for 479 more bytes" in words


def test_a_short_reply_is_taken_by_all_who_only_fail_on_long_ones():
    taken = {key for key, (fate, _) in fates(bytes(40)).items() if fate is Fate.TAKEN}
    assert {"length-15-bits", "length-signed", "holds-64", "holds-128", "start-03-unknown"} <= taken


@pytest.mark.parametrize(
    ("size", "fails", "takes"),
    [
        (127, "holds-128", "length-signed"),
        (128, "length-signed", "start-03-unknown"),
        (300, "start-03-unknown", "length-15-bits"),
    ],
)
def test_where_each_rule_begins_to_fail(size: int, fails: str, takes: str):
    outcome = fates(bytes(size))
    assert outcome[fails][0] is not Fate.TAKEN
    assert outcome[takes][0] is Fate.TAKEN


def test_a_checksum_over_the_header_is_another_one():
    payload = bytes(range(20))
    frame = encode_frame(payload)
    assert crc_hqx(frame[:-3], 0) != crc_hqx(payload, 0)
    assert fates(payload)["crc-with-header"][0] is Fate.DROPPED


@given(st.binary(min_size=1, max_size=600))
def test_every_rule_says_something_of_every_frame(payload: bytes):
    for each in misread(encode_frame(payload)):
        assert each.words
        assert each.fate in Fate
