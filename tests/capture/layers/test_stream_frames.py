"""Finding frames many at a time gives what the framer gives, byte for byte and count for count."""

import random
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.layers.stream_frames import find_frames
from packwire.capture.layers.tcp_stream import Stream
from packwire.protocols import observer
from packwire.vesc import columns
from packwire.vesc.columns import frames_among, plausible_frames
from packwire.vesc.framing import Framer, encode_frame
from packwire.wire.checksum import crc16_xmodem
from tests.capture.builder import array

VESC = observer("vesc")


def is_frame(data, at) -> bool:
    rows, size = plausible_frames(data, np.array([at]), np.array([len(data)]))
    return bool(frames_among(data, np.array([at])[rows], size).all()) and len(rows) == 1


payloads = st.one_of(st.binary(min_size=1, max_size=20), st.binary(min_size=250, max_size=300))
frames = payloads.map(encode_frame)
#: A header that claims more than there is, junk, a frame with a wrong byte, and whole frames.
pieces = st.one_of(
    frames,
    frames,
    st.tuples(frames, frames).map(b"".join),
    st.binary(min_size=1, max_size=12),
    st.sampled_from(
        [b"\x02\xff", b"\x03\x01\x10", b"\x02\x00", b"\x04\0\0", encode_frame(b"abc")[:-1] + b"\x04"]
    ),
    frames.map(lambda frame: frame[: len(frame) // 2]),
)


def stream(parts: list[bytes], gaps: frozenset[int] = frozenset()) -> Stream:
    """Make a stream of pieces that lie one behind the other, with a byte missing before some of them."""
    size = np.array([len(part) for part in parts], dtype=np.int64)
    start = np.concatenate(([0], np.cumsum(size)))[:-1].astype(np.int64)
    missing = np.cumsum([index in gaps for index in range(len(parts))], dtype=np.int64)
    number = np.arange(1, len(parts) + 1, dtype=np.int64)
    return Stream(array(b"".join(parts)), start + missing, size, start, number, number * 1000)


def by_framer(parts: list[bytes], gaps: frozenset[int], skip: int):
    """Feed a framer piece by piece, as live bytes are."""
    framer, found = Framer(), []
    for index, part in enumerate(parts):
        if index in gaps:
            found += rescued(framer)
            framer.reset()
        skipped = min(skip, len(part))
        skip -= skipped
        found += framer.feed(part[skipped:])
    return framer, found + rescued(framer)


def rescued(framer: Framer):
    found = []
    while more := framer.rescue():
        found += more
    return found


@given(st.lists(pieces, max_size=12), st.frozensets(st.integers(0, 11), max_size=3), st.integers(0, 30))
def test_it_gives_what_the_framer_gives(parts, gaps, skip):
    skip = min(skip, sum(map(len, parts)))
    framer, expected = by_framer(parts, gaps, skip)
    found = find_frames(stream(parts, gaps), skip, VESC)
    assert found.start.tolist() == [frame.start + skip for frame in expected]
    assert found.size.tolist() == [frame.size for frame in expected]
    assert found.payload_size.tolist() == [len(frame.payload) for frame in expected]
    whole = b"".join(parts)
    for row, frame in enumerate(expected):
        end = frame.start + skip + frame.size - 3
        assert whole[end - len(frame.payload) : end] == frame.payload
        if row in found.payloads:
            assert found.payloads[row] == frame.payload
    said, wanted = asdict(found.stats), asdict(framer.stats)
    if wanted["waiting"] is not None:
        wanted["waiting"] = framer.stats.waiting._replace(since=framer.stats.waiting.since + skip)
        said["waiting"] = found.stats.waiting
    assert said == wanted


@given(st.lists(frames, min_size=1, max_size=20))
def test_frames_that_come_in_one_piece_are_not_copied(parts):
    found = find_frames(stream(parts), 0, VESC)
    assert len(found) == len(parts)
    assert found.payloads == {}
    assert found.stats.frames == len(parts)
    assert found.stats.junk == 0


@pytest.mark.parametrize("size", [1, 2, 254, 255, 256, 257, 9999, 10_000])
def test_both_header_forms(size):
    frame = encode_frame(bytes(size))
    rows, sizes = plausible_frames(array(frame), np.array([0]), np.array([len(frame)]))
    assert (rows.tolist(), sizes.tolist()) == ([0], [len(frame)])
    assert is_frame(array(frame), 0)
    assert find_frames(stream([frame]), 0, VESC).payload_size.tolist() == [size]


def test_a_payload_above_the_limit_is_no_frame():
    found = find_frames(stream([encode_frame(bytes(10_001))]), 0, VESC)
    assert len(found) == 0
    assert found.stats.oversize == 1


def test_a_wrong_checksum_is_no_frame():
    frame = bytearray(encode_frame(b"abcdef"))
    frame[4] ^= 1
    found = find_frames(stream([bytes(frame), encode_frame(b"good")]), 0, VESC)
    assert len(found) == 1
    assert found.stats.crc_errors == 1


def test_nothing_is_put_together_across_a_gap():
    frame = encode_frame(b"abcdef")
    found = find_frames(stream([frame[:5], frame[5:], frame], frozenset({1})), 0, VESC)
    assert found.start.tolist() == [len(frame)]
    assert found.stats.junk == len(frame)


def test_what_is_still_waited_for_is_said_where_it_stands():
    frame = encode_frame(bytes(130))
    waiting = find_frames(stream([b"login\n", frame, frame[:40]]), 6, VESC).stats.waiting
    assert waiting is not None
    assert tuple(waiting) == (6 + len(frame), len(frame), 40)


def test_the_checksums_of_all_places_are_right_at_once():
    """Where false headers overlap, checksums come from sums of all bytes: the same as one by one."""
    chance = random.Random(3)
    parts = [encode_frame(chance.randbytes(chance.randrange(1, 700))) for _ in range(60)]
    stream = b"".join(part + b"\x03\x27\x03" * chance.randrange(3000) for part in parts)
    data = np.frombuffer(stream, dtype=np.uint8)
    at = np.flatnonzero((data == 2) | (data == 3))
    rows, size = plausible_frames(data, at, np.full(len(at), len(data)))
    places = at[rows]
    assert int(size.sum()) > 100 * len(data), "they overlap"
    right = frames_among(data, places, size)
    wanted = [is_frame(data, place) for place in places[::37].tolist()]
    assert right[::37].tolist() == wanted
    assert len(parts) <= int(right.sum()) <= len(parts) + 2


@pytest.mark.parametrize("overlapping", [False, True])
def test_checksums_are_computed_over_few_bytes(monkeypatch, overlapping):
    checked = 0

    def counted(data: bytes) -> int:
        nonlocal checked
        checked += len(data)
        return crc16_xmodem(data)

    monkeypatch.setattr(columns, "crc16_xmodem", counted)
    stream = b"\x03\x27\x03" * 100_000 if overlapping else encode_frame(bytes(range(200))) * 1000
    data = np.frombuffer(stream, dtype=np.uint8)
    at = np.flatnonzero((data == 2) | (data == 3))
    rows, size = plausible_frames(data, at, np.full(len(at), len(data)))
    columns.frames_among(data, at[rows], size)
    assert checked <= 16 * len(data)
