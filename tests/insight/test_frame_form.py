"""The form of frames: start, length, end, checksum, as bytes and as hexadecimal digits."""

from dataclasses import replace
from random import Random

from packwire.insight.frame_form import checked_alike, find_forms
from packwire.wire.checksum import CHECKSUMS


def digits(content: str) -> bytes:
    """Return a frame as PACE and Seplos write them: digits between ~ and a carriage return."""
    body = content.encode()
    return b"~" + body + f"{-sum(body) & 0xFFFF:04X}".encode() + b"\r"


def info(random: Random, size: int) -> bytes:
    length = 2 * size
    check = -sum(int(digit, 16) for digit in f"{length:03X}") & 0xF
    return digits(f"25014600{check:X}{length:03X}" + random.randbytes(size).hex().upper())


def test_digits_with_a_length_that_checks_itself():
    random = Random(1)
    frames = [info(random, size) for size in (20, 20, 33, 33, 47, 58)]
    (form,) = find_forms(frames)
    assert (form.start, form.end, form.digits) == (b"~", b"\r", True)
    assert form.length is not None
    assert form.length.check_digit
    assert [form.length.said_by(each) for each in frames] == [len(each) for each in frames]
    assert form.checksums
    assert {len(each) for each in frames} == set(form.sizes)


def test_a_number_that_is_the_same_in_frames_of_another_size_is_no_length():
    random = Random(2)
    usual = [b"\x7e\xa1\x11\x00" + random.randbytes(16) for _ in range(60)]
    other = [b"\x7e\xa1\x11\x00" + random.randbytes(30) for _ in range(3)]
    # Of the usual size, any constant fits; that of the others says that it is none.
    for form in find_forms([*usual, *other]):
        assert form.length is None or not form.length.sure


def test_few_messages_have_the_checksum_of_others_that_begin_alike():
    random = Random(3)
    crc = CHECKSUMS["CRC-16/MODBUS"]

    def frame(content: bytes) -> bytes:
        body = b"\x7e\xa1" + content
        return body + crc.of(body).to_bytes(2, "little") + b"\xaa"

    many = [frame(random.randbytes(20)) for _ in range(20)]
    (told,) = find_forms(many)
    assert told.checksums
    few = [frame(random.randbytes(9)), frame(random.randbytes(9))]
    alone = replace(told, length=None, sizes=(len(few[0]),), checksums=())
    assert checked_alike(alone, [told], few).checksums == told.checksums
    wrong = [few[0], few[1][:-3] + bytes((few[1][-3] ^ 1,)) + few[1][-2:]]
    assert checked_alike(alone, [told], wrong).checksums == ()
