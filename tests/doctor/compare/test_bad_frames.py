"""What is wrong with bytes that are no frame, told from the bytes; nothing secret is shown."""

from hypothesis import given
from hypothesis import strategies as st

from packwire.doctor.compare.bad_frames import Wrong, shown_hex
from packwire.doctor.vesc.bad_frames import bad_vesc_frames
from packwire.vesc.framing import encode_frame

PAYLOADS = st.binary(min_size=1, max_size=300)


@given(st.binary(max_size=2000))
def test_any_bytes_are_looked_at_and_none_is_counted_twice(stretch):
    found = list(bad_vesc_frames(stretch))
    assert sum(each.size for each in found) <= len(stretch)
    assert all(each.offset + each.size <= len(stretch) for each in found)


@given(PAYLOADS.filter(lambda payload: len(payload) <= 255 and b":" not in payload), st.integers(1, 255))
def test_a_wrong_length_is_found_by_the_checksum(payload, wrong):
    frame = encode_frame(payload)
    if wrong == len(payload):
        return
    (found, *_) = bad_vesc_frames(bytes((2, wrong)) + frame[2:])
    assert found.wrong is Wrong.LENGTH
    assert f"the payload has {len(payload)}" in found.text or len(payload) > 200


def test_several_bad_frames_in_one_stretch():
    bad = bytes.fromhex("02 01 60 a6 6c 03")
    found = list(bad_vesc_frames(bad * 3))
    assert [each.offset for each in found] == [0, 6, 12]
    assert {each.command for each in found} == {96}


def test_of_a_forwarded_request_the_inner_command_counts():
    frame = encode_frame(b"\x22\x54\x60")
    (found,) = bad_vesc_frames(frame[:-1])
    assert (found.wrong, found.command, found.ids) == (Wrong.STOP, 96, (84,))


def test_a_login_among_frames_is_named_and_not_shown():
    (found,) = bad_vesc_frames(b"VESCTOOL:TESTPACK:secret42")
    assert found.wrong is Wrong.LOGIN
    assert "secret42" not in repr(found)


def test_a_configuration_is_not_shown():
    (found,) = bad_vesc_frames(encode_frame(b"\x5f\x00secret")[:-1])
    assert (found.wrong, found.hex, found.right) == (Wrong.STOP, "", "")


def test_a_password_of_another_maker_s_frame_is_not_shown():
    assert shown_hex(bytes.fromhex("dd a5 03 00 ff fd 77")) == "dd a5 03 00 ff fd 77"
    assert shown_hex(bytes.fromhex("dd 5a 06 07 06 31 32 33 34 35 36 fe bd 77")) == ""


def test_what_is_not_looked_at_is_said():
    bad = bytes.fromhex("02 01 60 a6 6c 03")
    *frames, last = bad_vesc_frames(bad * 2 + b"\2" * 5000)
    assert len(frames) == 2
    assert (last.wrong, last.offset + last.size) == (Wrong.NO_FRAME, 5012)
    assert "more bytes that were not looked at" in last.text
