"""Frames put together from the pieces that a channel brings: nothing is lost, and each says where it is from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture import framed as framed_module
from packwire.capture.framed import put_together
from packwire.channel import Channel
from packwire.messages import Direction, MessageRow, Messages, from_rows
from packwire.models.load import model

CHANNELS = [Channel.parse("att 0x0011 notify"), Channel.parse("att 0x0015 write")]


def jbd(content: bytes, *, wrong: bool = False) -> bytes:
    covered = bytes([0, len(content)]) + content
    return b"\xdd\x03" + covered + (-sum(covered) + wrong & 0xFFFF).to_bytes(2) + b"\x77"


def recorded(
    stream: bytes, cuts: list[int], channel: int = 0, first_packet: int = 1
) -> list[tuple[int, bytes]]:
    ends = [*sorted({cut for cut in cuts if 0 < cut < len(stream)}), len(stream)]
    return [(0, stream[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]


def table(pieces: list[tuple[int, bytes]], channels: list[Channel] = CHANNELS) -> Messages:
    """Make one message of each piece, from packets 2n + 1 and 2n + 2; in the file they do not touch."""
    data, rows = b"HEADER", []
    for number, (channel, payload) in enumerate(pieces):
        direction = Direction.TO_DEVICE if channel else Direction.FROM_DEVICE
        rows.append(
            MessageRow(number, direction, channel, len(data), len(payload), [2 * number + 1, 2 * number + 2])
        )
        data += payload + b"----"
    return from_rows(rows, channels, np.frombuffer(data, np.uint8), np.zeros(0, np.uint8))


#: Each with what lies before it: no byte of that begins a frame.
frames = st.lists(
    st.tuples(st.binary(max_size=60).filter(lambda content: 0xDD not in content), st.binary(max_size=9)),
    min_size=1,
    max_size=8,
).map(lambda rows: [(jbd(content), junk.replace(b"\xdd", b"")) for content, junk in rows])


@pytest.fixture(autouse=True)
def _few_at_a_time(monkeypatch):
    monkeypatch.setattr(framed_module, "_BATCH", 3)


@given(frames, st.lists(st.integers(0, 500), max_size=40))
def test_frames_come_out_whole_and_what_lies_between_as_it_came(rows, cuts):
    stream = b"".join(junk[: len(frame) - 1] + frame for frame, junk in rows)
    framed = put_together(table(recorded(stream, cuts)))
    payloads = list(framed.messages.payloads())
    whole = [
        payload for payload, number in zip(payloads, framed.framing.tolist(), strict=True) if number >= 0
    ]
    assert whole == [frame for frame, _ in rows]
    assert b"".join(payloads) == stream
    assert framed.checksum_ok.tolist() == (framed.framing >= 0).tolist()
    assert framed.framings[0].name == "JBD"
    assert (np.diff(framed.messages.time) >= 0).all()


def test_each_message_knows_the_packets_that_it_came_from():
    one, two = jbd(b"first"), jbd(b"second")
    raw = table(
        [(0, one[:4]), (1, b"\xdd\xa5\x03\x00\xff\xfd\x77"), (0, one[4:] + two[:3]), (0, two[3:] + b"x")]
    )
    messages = put_together(raw).messages
    assert list(messages.payloads()) == [b"\xdd\xa5\x03\x00\xff\xfd\x77", one, two, b"x"]
    packets = [messages.packets_of(row) for row in range(4)]
    assert packets == [(3, 4), (1, 2, 5, 6), (5, 6, 7, 8), (7, 8)]
    assert messages.channel.tolist() == [1, 0, 0, 0]


def test_a_packet_that_brought_two_pieces_is_named_once():
    frame = jbd(b"in two notifications of one packet")
    raw = table([(0, frame[:20]), (0, frame[20:])])
    same = Messages(
        **{**{name: getattr(raw, name) for name in Messages.__slots__}, "packets": raw.packets * 0 + 7}
    )
    assert put_together(same).messages.packets_of(0) == (7,)


def test_a_wrong_checksum_is_said():
    framed = put_together(table([(0, jbd(b"one")), (0, jbd(b"two", wrong=True)), (0, jbd(b"three"))]))
    assert framed.checksum_ok.tolist() == [True, False, True]
    assert framed.framing.tolist() == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=40)), max_size=30))
def test_no_byte_is_lost_whatever_there_is(pieces):
    raw = table(pieces)
    framed = put_together(raw)
    for channel in (0, 1):
        rows = np.flatnonzero(framed.messages.channel == channel)
        if {framing.payload for framing in framed.framings} <= {slice(None)}:
            held = b"".join(framed.messages.payload(row) for row in rows.tolist())
            assert held == b"".join(payload for number, payload in pieces if number == channel)


def test_nothing_is_known_of_no_messages():
    assert len(put_together(table([])).messages) == 0


LOLAN = [model("lolan").encode("status", {"soc": 39}), model("lolan").encode("cells", {"cell_count": 7})]


def in_twenties(stream: bytes, asked: bytes = b"\xc5\x65\x00\xbc\x61\x4e") -> list[tuple[int, bytes]]:
    return [(1, asked), *((0, stream[at : at + 20]) for at in range(0, len(stream), 20))]


def at_place(uuid: str, written: str = "ffe2") -> list[Channel]:
    return [Channel.parse(f"att 0x0010 {uuid} notify"), Channel.parse(f"att 0x0013 {written} write")]


def test_frames_without_a_checksum_are_found_where_their_model_notifies():
    framed = put_together(table(in_twenties(b"".join(LOLAN * 3)), at_place("ffe1")))
    assert list(framed.messages.payloads())[1:] == LOLAN * 3
    assert [each.name for each in framed.framings] == ["Lolan"] * len(framed.framings)


@pytest.mark.parametrize(
    ("uuid", "stream"),
    [
        ("fff1", b"".join(LOLAN * 3)),  # another characteristic
        ("ffe1", LOLAN[0]),  # once may be an accident
        ("ffe1", (LOLAN[0] + b"something else") * 4),  # it says more than such a pack does
    ],
)
def test_and_nowhere_else(uuid, stream):
    assert not put_together(table(in_twenties(stream), at_place(uuid))).by_way


def test_and_where_its_questions_were_asked():
    channels, stream = at_place("ffe1"), b"".join(LOLAN * 3)
    for asked, at in ((b"another", channels), (b"\xc5\x65****", at_place("ffe1", "ffe1"))):
        assert not put_together(table(in_twenties(stream, asked), at)).by_way


parts = st.sampled_from([b"\x01\x00", b"\x02\x00", b"\xc5\x65", b"\x55\x14", b"\xaa", b"\0" * 17])


@given(st.lists(parts, max_size=200))
def test_what_only_seems_to_be_such_frames_is_kept_byte_by_byte(parts):
    stream = b"".join(parts)
    messages = put_together(table(in_twenties(stream), at_place("ffe1"))).messages
    assert b"".join(messages.payloads())[6:] == stream
