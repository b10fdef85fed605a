"""Frames that are written in digits, behind a byte of any value."""

from hypothesis import given
from hypothesis import strategies as st

from packwire.models.load import model
from packwire.wire.framing import FrameCheck

DIGITS = b"0123456789ABCDEF"


def test_a_checksum_of_what_digits_write_is_wrong_where_they_are_none():
    check = FrameCheck("sum16", 1, -4, -4, digits=True, of_digits=True)
    assert check.holds(b"~0102FF0102")
    assert not check.holds(b"~0102FF0101")
    assert not check.holds(b"~01x2FF0000")
    assert not check.holds(b"~0000")


@given(st.integers(0, 255).filter(lambda byte: byte not in DIGITS), st.binary(max_size=40), st.data())
def test_a_frame_is_found_between_bytes_without_meaning_however_it_is_cut(head, rubbish, data):
    topband = model("topband")
    frame = bytes([head]) + topband.encode("status", {"voltage": 13.3, "soc": 79})[1:]
    stream = rubbish.translate(None, DIGITS) + frame + bytes([9] * 8) + frame
    framer, found = topband.framer(), []
    at = 0
    while at < len(stream):
        size = data.draw(st.integers(1, 60))
        found += framer.feed(stream[at : at + size])
        at += size
    assert [each.payload for each in found] == [frame, frame]
