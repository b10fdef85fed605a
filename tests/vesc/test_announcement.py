"""The broadcast by which a VESC Express says where it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.protocol.announcing import Announcement
from packwire.vesc.announcement import parse_announcement


def test_an_announcement():
    assert parse_announcement(b"Express::192.168.1.20::65102\0") == Announcement(
        "Express", "192.168.1.20", 65102
    )


def test_a_name_with_colons():
    assert parse_announcement(b"my::board::10.0.0.1::65102\0") == Announcement("my::board", "10.0.0.1", 65102)


@pytest.mark.parametrize(
    "datagram", [b"", b"::", b"a::b", b"a::1.2.3.4::", b"a::1.2.3.4::0", b"a::1.2.3.4::99999", b"a::::1"]
)
def test_what_is_none(datagram):
    assert parse_announcement(datagram) is None


@given(st.binary(max_size=200))
def test_any_datagram_is_read_or_refused(datagram):
    parse_announcement(datagram)
