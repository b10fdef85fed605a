"""TCP: whatever order segments were recorded in, the streams are those that were sent, and gaps are gaps."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.layers.tcp import Connections, Ending
from packwire.capture.layers.tcp_stream import Stream
from packwire.errors import BadFileError
from tests.capture.builder import (
    ACK,
    EPOCH,
    FIN,
    MILLISECOND,
    PSH,
    RST,
    SYN,
    Recorded,
    Session,
    connections,
    ethernet,
    ipv4,
    pcap,
    read,
    tcp,
)

NEAR_WRAP = (1 << 32) - 40


def only(session: Session):
    (connection,) = connections(session.packets)
    return connection


def check_pieces(stream: Stream, sent: bytes) -> None:
    """Every piece is what was sent at its position, and pieces and gaps cover the stream without overlap."""
    view = [stream.data[s : s + n].tobytes() for s, n in zip(stream.start, stream.size, strict=True)]
    positions = stream.position.tolist()
    for position, piece in zip(positions, view, strict=True):
        assert piece == sent[position : position + len(piece)]
    covered = [(position, position + len(piece)) for position, piece in zip(positions, view, strict=True)]
    covered += [(gap.position, gap.position + gap.missing) for gap in stream.gaps]
    covered.sort()
    assert all(before[1] == after[0] for before, after in pairwise(covered))
    if covered:
        assert covered[0][0] == 0


class TestOneConnection:
    def test_both_streams_with_times_and_packets(self):
        session = Session().open().send(0, b"hello").send(1, b"world").send(0, b"!").close()
        connection = only(session)
        assert connection.ends == ("10.0.0.1:50000", "10.0.0.2:65102")
        assert str(connection.channel) == "tcp 10.0.0.2:65102 <-> 10.0.0.1:50000"
        assert [stream.joined() for stream in connection.streams] == [b"hello!", b"world"]
        assert connection.streams[0].number.tolist() == [4, 6]
        assert connection.streams[0].time.tolist() == [EPOCH + 3 * MILLISECOND, EPOCH + 5 * MILLISECOND]
        assert [connection.streams[0].piece_at(position) for position in (0, 4, 5, 6)] == [0, 0, 1, 1]
        assert (connection.began_before, connection.ending, connection.ended_by) == (False, Ending.CLOSED, 0)
        assert connection.streams[0].acknowledged == 6

    def test_ipv6_endpoints_are_in_brackets(self):
        session = Session(hosts=("fe80::1", "fe80::2")).open().send(0, b"x")
        assert only(session).ends == ("[fe80::1]:50000", "[fe80::2]:65102")

    def test_a_connection_that_carried_nothing(self):
        connection = only(Session().open().close())
        for stream in connection.streams:
            assert stream.joined() == b""
            assert (stream.end, stream.recorded, stream.gaps) == (0, 0, ())
            assert stream.piece_at(0) == -1

    def test_who_dialled_is_known_from_the_answer_alone(self):
        session = Session().open().send(1, b"x")
        del session.packets[0]
        connection = only(session)
        assert connection.ends[0] == "10.0.0.1:50000"
        assert not connection.began_before

    def test_a_reset_ends_it_and_its_text_is_no_data(self):
        session = Session().open().send(0, b"x")
        session.record(session.segment(1, RST | ACK, b"go away"))
        connection = only(session)
        assert (connection.ending, connection.ended_by) == (Ending.RESET, 1)
        assert connection.ended_at == session.packets[-1].time
        assert connection.streams[1].joined() == b""

    def test_data_in_the_syn_comes_first(self):
        session = Session()
        session.record(session.segment(0, SYN, b"early", seq=session.isn[0]))
        session.next[0] += 5
        session.send(0, b"late")
        assert only(session).streams[0].joined() == b"earlylate"

    @pytest.mark.parametrize("isn", [NEAR_WRAP, (1 << 32) - 1, 0])
    def test_sequence_numbers_wrap_around(self, isn):
        session = Session(isn=(isn, isn)).open()
        for index in range(20):
            session.send(0, bytes([index]) * 7).send(1, bytes([index]) * 9)
        connection = only(session.close())
        assert [stream.joined() for stream in connection.streams] == session.sent
        assert connection.streams[0].gaps == ()

    def test_a_connection_to_itself(self):
        packets = [Recorded(EPOCH, ethernet(ipv4(tcp(5, 5, 10, 0, ACK, b"x"), "10.0.0.1", "10.0.0.1")))]
        (connection,) = connections(packets)
        assert connection.streams[0].joined() == b"x"


class TestRecordedLate:
    """A recording that began after the connection did."""

    def test_positions_count_from_the_first_byte_seen(self):
        session = Session().open().send(0, b"unseen").send(0, b"seen").send(1, b"too")
        session.packets = session.packets[4:]
        connection = only(session)
        assert connection.began_before
        assert connection.streams[0].joined() == b"seen"
        assert connection.streams[0].position.tolist() == [0]
        assert connection.streams[0].gaps == ()

    def test_an_earlier_byte_that_comes_late_is_position_0(self):
        session = Session().open().send(0, b"first").send(0, b"second")
        session.packets = session.packets[3:][::-1]
        assert only(session).streams[0].joined() == b"firstsecond"

    def test_a_keep_alive_is_no_data(self):
        session = Session().open().send(0, b"x").send(1, b"y")
        session.packets = session.packets[3:]
        session.record(session.segment(0, ACK, b"\0", seq=session.next[0] - 1))
        session.record(session.segment(0, ACK, seq=session.next[0] - 1))
        session.send(0, b"z")
        stream = only(session).streams[0]
        assert stream.joined() == b"xz"
        assert stream.retransmitted == 0

    def test_one_way_only_what_the_other_side_acknowledged_is_missing(self):
        session = Session().open().send(1, b"abc").send(0, b"1").send(1, b"defg").send(0, b"2")
        session.packets = [packet for row, packet in enumerate(session.packets) if row in (4, 6)]
        stream = only(session).streams[1]
        assert [(gap.position, gap.missing, gap.after) for gap in stream.gaps] == [(0, 4, 0)]


class TestGaps:
    def test_a_packet_that_was_not_recorded(self):
        session = Session().open().send(0, b"abc").send(0, b"LOST", recorded=False).send(0, b"def")
        stream = only(session).streams[0]
        assert stream.joined() == b"abcdef"
        assert [tuple(gap) for gap in stream.gaps] == [(3, 4, 4, False)]
        assert stream.position.tolist() == [0, 7]

    def test_at_the_begin_and_at_the_end(self):
        session = Session().open().send(0, b"LOST", recorded=False).send(0, b"abc")
        session.send(0, b"LOST TOO", recorded=False).send(1, b"ok")
        stream = only(session).streams[0]
        assert [tuple(gap) for gap in stream.gaps] == [(0, 4, 0, False), (7, 8, 4, False)]
        assert stream.acknowledged == 15

    def test_a_missing_end_is_known_from_the_fin(self):
        session = Session().open().send(0, b"abc").send(0, b"LOST", recorded=False)
        session.record(session.segment(0, FIN | ACK))
        assert [tuple(gap) for gap in only(session).streams[0].gaps] == [(3, 4, 4, False)]

    def test_a_fin_that_was_not_recorded_is_no_missing_byte(self):
        session = Session().open().send(0, b"abc")
        session.next[0] += 1
        session.record(session.segment(1, ACK))
        stream = only(session).streams[0]
        assert stream.gaps == ()
        assert stream.acknowledged == 3

    def test_a_packet_that_was_cut_short(self):
        session = Session().open()
        frame = session.segment(0, ACK | PSH, b"0123456789")
        session.record(frame[:-4], len(frame))
        session.next[0] += 10
        stream = only(session.send(0, b"abc")).streams[0]
        assert stream.joined() == b"012345abc"
        assert [tuple(gap) for gap in stream.gaps] == [(6, 4, 4, True)]

    def test_what_was_cut_short_is_filled_when_it_is_sent_again(self):
        session = Session().open()
        frame = session.segment(0, ACK | PSH, b"0123456789")
        session.record(frame[:-4], len(frame)).record(frame)
        assert only(session).streams[0].joined() == b"0123456789"

    def test_headers_that_were_cut_off_are_counted(self):
        session = Session().open().send(0, b"abc")
        last = session.packets[-1]
        session.packets[-1] = Recorded(last.time, last.data[:40], len(last.data))
        found = connections(session.packets)
        assert found.left_out == {"cut off inside the TCP header": 1}


class TestSegmentsOutOfOrder:
    def test_a_retransmission_brings_nothing_new(self):
        session = Session().open().send(0, b"abc")
        session.record(session.packets[-1].data).send(0, b"def")
        stream = only(session).streams[0]
        assert stream.joined() == b"abcdef"
        assert (stream.retransmitted, stream.reordered) == (1, 0)

    def test_where_segments_overlap_the_first_wins(self):
        session = Session().open().send(0, b"abcdef")
        session.record(session.segment(0, ACK, b"XXXXghi", seq=session.next[0] - 4))
        assert only(session).streams[0].joined() == b"abcdefghi"

    def test_a_hole_that_is_filled_late_delays_what_is_behind_it(self):
        session = Session().open()
        first, second = (
            session.segment(0, ACK, b"abc"),
            session.segment(0, ACK, b"def", seq=session.next[0] + 3),
        )
        session.record(second).wait(5)
        session.record(first)
        stream = only(session).streams[0]
        assert stream.joined() == b"abcdef"
        assert stream.number.tolist() == [5, 4]
        assert stream.time.tolist() == [session.packets[-1].time] * 2, (
            "a receiver gets both when the hole is filled"
        )
        assert stream.reordered == 1

    def test_a_stray_is_counted_and_left_out(self):
        session = Session().open().send(0, b"abc")
        session.record(session.segment(0, ACK, b"old", seq=session.next[0] + (1 << 31))).send(0, b"def")
        stream = only(session).streams[0]
        assert stream.joined() == b"abcdef"
        assert stream.strays == 1
        assert stream.gaps == ()

    @given(st.data())
    def test_any_order_any_loss_any_overlap(self, data):
        """Segments cut at random, repeated, joined differently, shuffled and lost, around the wrap."""
        sent = data.draw(st.binary(min_size=1, max_size=300))
        isn = data.draw(st.sampled_from([0, 1000, NEAR_WRAP, (1 << 32) - 1]))
        spans = st.tuples(st.integers(0, len(sent) - 1), st.integers(1, 60))
        segments = data.draw(st.lists(spans, max_size=25))
        session = Session(isn=(isn, 5)).open()
        recorded: set[int] = set()
        for begin, size in segments:
            payload = sent[begin : begin + size]
            session.record(session.segment(0, ACK, payload, seq=isn + 1 + begin))
            recorded.update(range(begin, begin + len(payload)))
        stream = only(session).streams[0]
        check_pieces(stream, sent)
        assert stream.recorded == len(recorded)
        assert stream.joined() == bytes(sent[position] for position in sorted(recorded))
        assert stream.time.tolist() == sorted(stream.time.tolist())

    @given(st.randoms(use_true_random=False), st.booleans(), st.booleans())
    def test_a_shuffled_session_reads_like_the_original(self, rng, with_begin, doubled):
        session = Session(isn=(NEAR_WRAP, NEAR_WRAP - 300)).open()
        for index in range(30):
            session.send(index % 2, rng.randbytes(rng.randint(1, 40)))
        begin, rest = session.packets[:3], session.packets[3:]
        if doubled:
            rest = [packet for packet in rest for _ in range(2)]
        shuffled = nearby(rng, rest)
        session.packets = retimed([*begin, *shuffled] if with_begin else shuffled)
        connection = only(session)
        by_end = {connection.ends[side]: connection.streams[side].joined() for side in (0, 1)}
        assert by_end == {"10.0.0.1:50000": session.sent[0], "10.0.0.2:65102": session.sent[1]}


def nearby(rng: random.Random, packets: list[Recorded]) -> list[Recorded]:
    """Shuffle packets as a network does: none overtakes another by far."""
    return [
        packet for _, packet in sorted((row + rng.random() * 6, packet) for row, packet in enumerate(packets))
    ]


def retimed(packets: list[Recorded]) -> list[Recorded]:
    return [packet._replace(time=EPOCH + row * MILLISECOND) for row, packet in enumerate(packets)]


class TestPortReuse:
    def sessions(self, second_isn: tuple[int, int]) -> Connections:
        first = Session().open().send(0, b"one").send(1, b"eins").close()
        second = Session(isn=second_isn, time=first.time).open().send(0, b"two").send(1, b"zwei")
        return connections(first.packets + second.packets)

    @pytest.mark.parametrize("second_isn", [(500, 600), (3_000_000_000, 7), (1004, 9005)])
    def test_a_syn_with_another_number_is_another_connection(self, second_isn):
        found = self.sessions(second_isn)
        assert [[stream.joined() for stream in each.streams] for each in found] == [
            [b"one", b"eins"],
            [b"two", b"zwei"],
        ]

    def test_a_syn_that_is_sent_again_is_not(self):
        session = Session()
        session.record(session.segment(0, SYN, seq=session.isn[0])).open().send(0, b"x")
        assert len(connections(session.packets)) == 1

    def test_nor_is_one_that_was_recorded_out_of_order(self):
        session = Session().open().send(0, b"abc")
        rows = session.packets
        for order in ([1, 0, 2, 3], [2, 0, 1, 3], [3, 0, 1, 2]):
            found = connections(retimed([rows[row] for row in order]))
            assert len(found) == 1
            assert found[0].ends[0] == "10.0.0.1:50000"
            assert found[0].streams[0].joined() == b"abc"

    def test_a_syn_behind_a_connection_that_began_before_is_another_one(self):
        first = Session(isn=(77, 88)).open().send(0, b"old")
        second = Session(isn=(4_000_000_000, 9), time=first.time).open().send(0, b"new")
        found = connections(first.packets[3:] + second.packets)
        assert [each.streams[0].joined() for each in found] == [b"old", b"new"]

    def test_two_answers_to_one_syn_are_one_connection(self):
        session = Session()
        session.record(session.segment(0, SYN, seq=session.isn[0]))
        session.record(session.segment(1, SYN | ACK, seq=1234))
        session.packets[-1:] = []
        session.record(session.segment(1, SYN | ACK, seq=session.isn[1]))
        assert len(connections(session.packets)) == 1

    def test_connections_come_in_the_order_of_their_first_packets(self):
        late = Session(ports=(1, 2)).open()
        early = Session(ports=(60000, 60001), time=EPOCH).open()
        found = connections(early.packets + late.packets)
        assert [each.ends[0] for each in found] == ["10.0.0.1:60000", "10.0.0.1:1"]
        assert [each.ends[0] for each in found[::-1]] == ["10.0.0.1:1", "10.0.0.1:60000"]
        assert found[-1] is found[1]
        with pytest.raises(IndexError):
            found[2]


class TestHostileInput:
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 63),
                st.integers(0, (1 << 32) - 1),
                st.integers(0, (1 << 32) - 1),
                st.binary(max_size=9),
                st.booleans(),
            ),
            max_size=25,
        )
    )
    def test_any_segments_at_all(self, rows):
        """Flags, numbers and payloads at random between two endpoints: no crash, no byte counted twice."""
        packets = [
            Recorded(EPOCH, ethernet(ipv4(tcp(*((1, 2) if forth else (2, 1)), seq, ack, flags, payload))))
            for flags, seq, ack, payload, forth in rows
        ]
        total = 0
        for connection in connections(packets):
            for stream in connection.streams:
                assert (stream.position[1:] >= stream.position[:-1] + stream.size[:-1]).all()
                assert (stream.size > 0).all()
                assert all(gap.missing > 0 for gap in stream.gaps)
                total += len(stream.joined())
        assert total <= sum(len(payload) for _, _, _, payload, _ in rows)

    @given(st.data())
    def test_bit_flips_never_crash(self, data):
        whole = bytearray(pcap(Session().open().send(0, b"abc").send(1, b"def").close().packets))
        for _ in range(data.draw(st.integers(1, 6))):
            whole[data.draw(st.integers(24, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        try:
            found = Connections(read(bytes(whole)))
        except BadFileError:
            return
        for connection in found:
            assert connection.streams
