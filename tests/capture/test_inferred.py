"""Where no framing is known, frames in pieces are put together, and only where the frames say how long they are."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.framed import put_together
from packwire.channel import Channel
from packwire.messages import Direction, MessageRow, from_rows


def table(pieces):
    data, rows = b"", []
    for number, piece in enumerate(pieces):
        rows.append(
            MessageRow(number * 10**8, Direction.FROM_DEVICE, 0, len(data), len(piece), (number + 1,))
        )
        data += piece
    return from_rows(
        rows, [Channel.parse("att 0x0011 notify")], np.frombuffer(data, np.uint8), np.zeros(0, np.uint8)
    )


def cut(frames, size):
    return [frame[at : at + size] for frame in frames for at in range(0, len(frame), size)]


def summed(frame):
    return frame + bytes((sum(frame) & 0xFF,))


def xored(frame, end=b"\xff"):
    check = 0
    for byte in frame:
        check ^= byte
    return frame + bytes((check,)) + end


def little(random, size):
    """Start of three bytes, length of the whole in bytes 6 and 7, an end: no checksum that is known."""
    size = max(size, 12)
    return xored(b"\x55\xaa\x11\x01\x02\x00" + size.to_bytes(2, "little") + random.randbytes(size - 10))


def big(random, size):
    """Length of what follows, big end first; an 8-bit sum."""
    return summed(b"\xfa\xce" + size.to_bytes(2) + random.randbytes(size))


def short(random, size):
    """One byte of start, a command, one byte that counts the content, an end."""
    size = min(size, 200)
    return b"\x9d" + bytes((random.choice((3, 4)), size)) + random.randbytes(size) + b"\x0d"


FORMS = {"little": little, "big": big, "short": short}


@pytest.mark.parametrize(
    ("form", "piece"),
    [(form, piece) for form in FORMS for piece in (20, 60, 244) if (form, piece) != ("short", 244)],
)
def test_frames_of_several_sizes_come_out_whole(form, piece):
    random = Random(f"{form} {piece}")
    frames = [FORMS[form](random, random.choice((12, 4 * piece // 3, 3 * piece))) for _ in range(40)]
    framed = put_together(table(cut(frames, piece)))
    assert list(framed.messages.payloads()) == frames
    (framing,) = framed.framings
    assert framing.inferred
    assert framed.checksum_ok.all()


def test_frames_of_one_size_need_a_length_of_two_bytes():
    random = Random(1)
    frames = [little(random, 300) for _ in range(12)]
    assert list(put_together(table(cut(frames, 20))).messages.payloads()) == frames


def test_frames_of_one_size_that_say_no_length_are_whole_where_a_checksum_shows_it():
    random = Random(11)
    frames = [summed(b"\x55\xaa\xeb\x90" + random.randbytes(295)) for _ in range(12)]
    framed = put_together(table(cut(frames, 128)))
    assert list(framed.messages.payloads()) == frames
    assert framed.checksum_ok.all()


def test_frames_of_one_size_without_a_checksum_stay_in_pieces():
    random = Random(12)
    pieces = cut([b"\x55\xaa\xeb\x90" + random.randbytes(296) for _ in range(12)], 128)
    assert list(put_together(table(pieces)).messages.payloads()) == pieces


def test_a_checksum_of_the_last_piece_alone_joins_nothing():
    random = Random(13)
    pieces = [
        piece
        for _ in range(12)
        for piece in (b"\x55\xaa\xeb\x90" + random.randbytes(124), summed(b"\x01" + random.randbytes(20)))
    ]
    assert list(put_together(table(pieces)).messages.payloads()) == pieces


def test_a_lost_piece_joins_nothing_wrongly():
    random = Random(2)
    frames = [little(random, random.choice((100, 300))) for _ in range(40)]
    pieces = cut(frames, 20)
    lost = [pieces.index(frames[number][20:40]) for number in (5, 20)]
    kept = [piece for number, piece in enumerate(pieces) if number not in lost]
    whole = [payload for payload in put_together(table(kept)).messages.payloads() if len(payload) > 20]
    assert whole == [frame for number, frame in enumerate(frames) if number not in (5, 20)]


def test_kinds_of_messages_that_take_turns_are_not_joined():
    random = Random(3)
    said = [
        piece
        for number in range(60)
        for piece in (
            b"\x55\xaa\x01" + bytes((number & 0xFF,)) + random.randbytes(16),
            b"\x77\x20" + random.randbytes(10),
        )
    ]
    assert list(put_together(table(said)).messages.payloads()) == said


def test_a_type_that_happens_to_grow_with_the_size_is_not_enough():
    """All pieces but a frame's last are as large as pieces get; here none is."""
    said = [piece for number in range(40) for piece in (b"\x55\xaa\x20" + bytes(13), bytes(12 + number % 5))]
    assert list(put_together(table(said)).messages.payloads()) == said


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=60))
def test_no_byte_is_lost(pieces):
    framed = put_together(table(pieces))
    if not framed.framings or framed.framings[0].inferred:
        assert b"".join(framed.messages.payloads()) == b"".join(pieces)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_left_as_it_came(seed):
    random = Random(seed)
    said = [
        random.choice((b"\x55\xaa", b"\x01\x03", b"\xa5\x01")) + random.randbytes(random.choice((4, 9, 18)))
        for _ in range(300)
    ]
    framed = put_together(table(said))
    assert not any(framing.inferred for framing in framed.framings)
