"""VESC framing as the firmware does it: lengths, resynchronisation, and an account of every byte."""

import random
from binascii import crc_hqx
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.vesc import framing
from packwire.vesc.framing import (
    DEVICE_MAX_PAYLOAD,
    LOOK,
    MAX_PAYLOAD,
    MAX_WORK,
    SENT_MAX_PAYLOAD,
    WORK_A_BYTE,
    Framer,
    encode_frame,
)
from packwire.wire.frame import Frame

#: Bytes that are no start of a frame: what is between frames but these is found at once.
junk = st.binary(max_size=30).map(lambda data: data.translate(None, b"\x02\x03\x04"))
payloads = st.binary(min_size=1, max_size=600)


def feed_all(framer: Framer, pieces) -> list[Frame]:
    return [frame for piece in pieces for frame in framer.feed(piece)]


def cut(data: bytes, places) -> list[bytes]:
    return [data[a:b] for a, b in pairwise([0, *sorted(places), len(data)])]


def check_account(framer: Framer, frames: list[Frame]) -> None:
    """Every byte received is in a frame, junk, or still waited with."""
    stats = framer.stats
    assert stats.frames == len(frames)
    waiting = stats.waiting.arrived if stats.waiting else 0
    assert stats.received - stats.junk - waiting == sum(frame.size for frame in frames)


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (1, "0201"),
        (127, "027f"),
        (128, "0280"),
        (166, "02a6"),
        (254, "02fe"),
        (255, "02ff"),
        (256, "030100"),
        (511, "0301ff"),
        (512, "030200"),
        (513, "030201"),
        (600, "030258"),
        (65535, "03ffff"),
        (65536, "04010000"),
    ],
)
def test_the_length_form_is_the_shortest_that_holds_the_length(size, header):
    frame = encode_frame(bytes(size))
    assert frame.startswith(bytes.fromhex(header))
    assert len(frame) == len(header) // 2 + size + 3


def test_a_known_frame():
    assert encode_frame(b"\x60").hex() == "0201606ca603"
    assert Framer().feed(bytes.fromhex("0201606ca603")) == [Frame(b"\x60", 0, 6)]


def test_one_byte_lengths_above_127_are_not_two_bytes():
    """The defect this project began with: 0xA6 (166) read as the first of two length bytes."""
    payload = bytes(range(166))
    assert Framer().feed(encode_frame(payload)) == [Frame(payload, 0, 171)]


@pytest.mark.parametrize("size", range(1, 601))
def test_every_length_in_any_chunking(size):
    payload = random.Random(size).randbytes(size)
    data = encode_frame(payload)
    assert [frame.payload for frame in Framer().feed(data)] == [payload]
    assert [frame.payload for frame in feed_all(Framer(), (data[i : i + 1] for i in range(len(data))))] == [
        payload
    ]


@pytest.mark.parametrize("size", [127, 128, 254, 255, 256, 511, 512, 513])
def test_every_place_to_cut_a_frame_in_two(size):
    payload = random.Random(size).randbytes(size)
    data = encode_frame(payload)
    for place in range(len(data) + 1):
        framer = Framer()
        frames = feed_all(framer, (data[:place], data[place:]))
        assert [frame.payload for frame in frames] == [payload]
        check_account(framer, frames)


def test_24_bit_lengths():
    payload = bytes(70_000)
    framer = Framer(max_payload=100_000)
    assert framer.feed(encode_frame(payload)) == [Frame(payload, 0, 70_007)]


@pytest.mark.parametrize("header", ["0200", "0300fe", "0400ffff"])
def test_a_length_form_longer_than_needed_is_no_frame(header):
    framer = Framer()
    assert framer.feed(bytes.fromhex(header) + b"\0") == []
    assert framer.stats.waiting is None


def test_the_ceiling_on_the_payload():
    framer = Framer(max_payload=DEVICE_MAX_PAYLOAD)
    assert framer.feed(encode_frame(bytes(513)) + encode_frame(b"ok")) == [Frame(b"ok", 519, 7)]
    assert framer.stats.oversize >= 1  # false headers within are counted too
    assert Framer().feed(encode_frame(bytes(MAX_PAYLOAD)))
    assert not Framer().feed(encode_frame(bytes(MAX_PAYLOAD + 1)))


@given(st.lists(st.tuples(junk, payloads), max_size=5), junk, st.data())
def test_frames_between_junk_in_any_chunking(parts, tail, data):
    stream = b"".join(before + encode_frame(payload) for before, payload in parts) + tail
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    framer = Framer()
    frames = feed_all(framer, cut(stream, places))
    assert [frame.payload for frame in frames] == [payload for _, payload in parts]
    for frame, (_, payload) in zip(frames, parts, strict=True):
        assert stream[frame.start : frame.end] == encode_frame(payload)
    assert framer.stats.junk == sum(len(before) for before, _ in parts) + len(tail)
    check_account(framer, frames)


@given(st.binary(max_size=2000), st.data())
def test_any_bytes_in_any_chunking_give_the_same_frames(stream, data):
    whole, pieces = Framer(), Framer()
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    frames = whole.feed(stream)
    assert feed_all(pieces, cut(stream, places)) == frames
    check_account(whole, frames)
    check_account(pieces, frames)
    assert whole.stats == pieces.stats


@given(payloads, st.integers(0, 7), st.integers(0, 10_000))
def test_a_flipped_bit_never_gives_a_wrong_payload(payload, bit, place):
    data = bytearray(encode_frame(payload))
    place %= len(data)
    data[place] ^= 1 << bit
    framer = Framer()
    frames = framer.feed(bytes(data))
    assert payload not in [frame.payload for frame in frames]
    check_account(framer, frames)


@given(payloads, st.integers(1, 600))
def test_truncation_is_waited_for_and_said(payload, missing):
    data = encode_frame(payload)
    missing = min(missing, len(data) - 1)
    framer = Framer()
    assert framer.feed(data[:-missing]) == []
    waiting = framer.stats.waiting
    assert waiting is not None
    assert waiting.since == 0
    assert waiting.arrived == len(data) - missing
    if waiting.arrived > data[0]:  # the whole length field is there
        assert waiting.missing == missing
    assert [frame.payload for frame in framer.feed(data[-missing:])] == [payload]
    assert framer.stats.waiting is None


def test_a_false_header_shows_what_it_waits_for():
    framer = Framer()
    reply = encode_frame(bytes(range(130)))
    assert framer.feed(b"\x03\x26\x60" + reply) == []
    assert framer.stats.waiting
    assert framer.stats.waiting.expected == 9824 + 6
    assert framer.stats.waiting.since == 0
    assert "waiting for 9692 more bytes of the 9830 that a header at byte 0" in framer.stats.summary()


@pytest.mark.parametrize("header", ["02ff", "032700", "03ffff", "04ffffff", "02"])
@pytest.mark.parametrize("method", ["rescue", "give_up"])
def test_frames_behind_a_false_header_are_recovered(header, method):
    framer = Framer()
    stream = bytes.fromhex(header) + encode_frame(b"one") + encode_frame(b"two")
    frames = framer.feed(stream)
    frames += getattr(framer, method)()
    assert [frame.payload for frame in frames] == [b"one", b"two"]
    check_account(framer, frames)


@given(st.binary(min_size=1, max_size=4), payloads)
def test_rescue_finds_what_is_whole_behind_any_header(header, payload):
    framer = Framer()
    frames = framer.feed(header + encode_frame(payload))
    while framer.stats.waiting and not frames:
        frames += framer.rescue()
        frames += framer.give_up()
    assert payload in [frame.payload for frame in frames]
    check_account(framer, frames)


def test_rescue_leaves_a_slow_frame_alone():
    """A frame that is still coming is not given up because of a pause."""
    data = encode_frame(bytes(300))
    framer = Framer()
    framer.feed(data[:100])
    assert framer.rescue() == []
    assert [frame.payload for frame in framer.feed(data[100:])] == [bytes(300)]
    assert framer.stats.abandoned == 0


def test_nothing_is_waited_for_after_a_reset():
    framer = Framer()
    framer.feed(b"\x02\x10abc")
    framer.reset()
    assert framer.stats.waiting is None
    frames = framer.feed(encode_frame(b"next"))
    assert frames == [Frame(b"next", 5, 9)]
    check_account(framer, frames)


def test_errors_are_counted_by_kind():
    bad_crc = bytearray(encode_frame(b"abc"))
    bad_crc[-2] ^= 0xFF
    bad_stop = encode_frame(b"abc")[:-1] + b"\xff"
    for stream, counts in ((bytes(bad_crc), (1, 0)), (bad_stop, (0, 1))):
        framer = Framer()
        assert framer.feed(stream) == []
        assert (framer.stats.crc_errors, framer.stats.bad_stops) == counts
        check_account(framer, [])


@settings(max_examples=20)
@given(st.integers(0, 255))
def test_memory_is_bounded_by_the_ceiling(byte):
    framer = Framer()
    for _ in range(20):
        framer.feed(bytes([byte]) * 4096)
        assert framer.stats.waiting is None or framer.stats.waiting.arrived <= MAX_PAYLOAD + 7


def test_an_empty_payload_is_refused():
    with pytest.raises(ValueError, match="empty"):
        encode_frame(b"")


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_positions_count_the_stream(sizes):
    framer = Framer()
    ends = list(accumulate(size + 5 for size in sizes))
    frames = feed_all(framer, (encode_frame(bytes(size)) for size in sizes))
    assert [frame.end for frame in frames] == ends


#: Headers that claim much, or little, and stop bytes wherever they claim to end.
FLOODS = [
    b"\x03\x27\x03",
    b"\x03\x0f\x03",
    b"\x03\x27\x02\x03",
    b"\x02\x03\x03",
    b"\x02\xff\x03",
    b"\x02",
    b"\x03",
]


class TestNothingButFalseHeaders:
    SIZE = 200_000

    @pytest.mark.parametrize("flood", FLOODS)
    @pytest.mark.parametrize("limit", [SENT_MAX_PAYLOAD, MAX_PAYLOAD])
    def test_cost_bounded_work_a_byte(self, monkeypatch, flood, limit):
        checked = 0

        def counted(data: bytes, crc: int) -> int:
            nonlocal checked
            checked += len(data)
            return crc_hqx(data, crc)

        monkeypatch.setattr(framing, "crc_hqx", counted)
        framer = Framer(limit)
        stream = (flood * self.SIZE)[: self.SIZE]
        for at in range(0, self.SIZE, 1400):
            assert framer.feed(stream[at : at + 1400]) == []
            assert framer.rescue() == []
        assert checked <= framer.work + self.SIZE
        assert framer.work <= MAX_WORK + self.SIZE * WORK_A_BYTE + 2 * (MAX_PAYLOAD + LOOK)
        check_account(framer, [])

    @pytest.mark.parametrize("flood", FLOODS)
    def test_hide_what_follows_them_for_a_moment_only(self, flood):
        framer = Framer(SENT_MAX_PAYLOAD)
        framer.feed(flood * (self.SIZE // len(flood)))
        frames = []
        for _ in range(200):
            frames += framer.feed(encode_frame(bytes(range(130))))
        assert len(frames) >= 150
        assert framer.stats.unchecked > 0

    def test_bytes_by_chance_are_all_looked_at(self):
        framer = Framer()
        chance = random.Random(1)
        for _ in range(100):
            framer.feed(chance.randbytes(10_000))
            framer.give_up()
        assert framer.stats.unchecked == 0
        assert framer.work < 1_000_000 * WORK_A_BYTE / 4

    def test_a_damaged_reply_full_of_start_bytes_is_looked_at(self):
        framer = Framer()
        reply = bytearray(encode_frame(bytes((96, 2, 3, 1, 2)) * 100))
        reply[5] ^= 0x10
        for _ in range(50):
            framer.feed(bytes(reply))
            framer.feed(encode_frame(b"\x04" + bytes(70)) * 40)
        assert framer.stats.frames > 1800
        assert framer.stats.unchecked == 0
