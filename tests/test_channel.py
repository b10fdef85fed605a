"""Channels are values, and their text can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.channel import UNKNOWN_HANDLE, Channel, Transport

TEXTS = [
    "tcp 10.0.0.2:65102 <-> 10.0.0.1:50000",
    "att 0x0011 ff01 notify",
    "att 0x???? write",
    "att 0x0012 2902 write of the app C8:47:80:01:02:03",
    "att 0x0040 notify connection 0x0041",
    "att ff02 write of JBD-1",
    "att of more than 4096 channels",
    "can 0x355",
    "can 0x00000954 vesc STATUS 84",
    "can 0x123 request",
    "can 0x7e8 iso-tp",
    "can vesc 84 -> 10",
    "rfcomm 1",
    "uart",
    "hex of C8:47:80:01:02:03",
    "att",
    "",
    "can  0x123",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_channel_read_from_its_text_shows_the_same_text(text):
    assert str(Channel.parse(text)) == text


@given(st.text(max_size=60) | st.sampled_from(TEXTS).flatmap(lambda each: st.just(each + " of ")))
def test_any_text_is_a_channel(text):
    assert str(Channel.parse(text)) == text


def test_what_a_text_says_is_told_apart():
    assert Channel.parse("att 0x0011 ff01 notify") == Channel(Transport.ATT, 0x11, "ff01", "notify")
    assert Channel.parse("att 0x???? write").handle == UNKNOWN_HANDLE
    assert Channel.parse("can 0x00000123").extended
    assert Channel.parse("rfcomm 1").handle == 1


def test_a_device_is_told_from_others_of_the_recording():
    assert Channel.parse("att 0x0011 ff01 notify").device == ""
    assert Channel.parse("att 0x0012 2902 write of the app").device == ""
    assert Channel.parse("att 0x0012 2902 write of the app C8:47:80:01:02:03").device == "C8:47:80:01:02:03"
    assert Channel.parse("att ff02 write of JBD-1").device == "JBD-1"
    assert Channel.parse("hex of C8:47:80:01:02:03").device == "C8:47:80:01:02:03"
    assert Channel.parse("state of charge").device == ""


def test_a_connection_over_a_network_lasts_only_as_such():
    assert Channel.parse("tcp 10.0.0.2:1 <-> 10.0.0.1:2").lasting == Channel(Transport.TCP)
    assert Channel.parse("tcp") == Channel(Transport.TCP)
    assert Channel.parse("can 0x123").lasting == Channel.parse("can 0x123")


def test_only_the_descriptor_of_notifications_subscribes():
    assert Channel.parse("att 0x0012 2902 write").subscribes
    assert not Channel.parse("att 0x2902 ff01 write").subscribes
