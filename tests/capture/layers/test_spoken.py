"""VESC traffic: found on any port by its content, with roles by content, whatever TCP did to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.layers import frame_scan, spoken
from packwire.capture.layers.spoken import SpokenTraffic, read_vesc
from packwire.capture.layers.tcp import Connection, Connections
from packwire.messages import Direction
from packwire.vesc.framing import encode_frame
from packwire.vesc.hublogin import Role
from tests.capture.builder import ACK, EPOCH, Recorded, Session, connections, ethernet, ipv4, pcap, read, tcp
from tests.capture.layers.test_tcp import nearby, retimed
from tests.capture.vesc_session import ASK_BMS, ASK_VALUES, ASK_VERSION, VescSession, bms, version, via

TO, FROM = Direction.TO_DEVICE, Direction.FROM_DEVICE


def traffic(*sessions: Session) -> SpokenTraffic[Connection]:
    packets = sorted(
        (packet for session in sessions for packet in session.packets), key=lambda packet: packet.time
    )
    return read_vesc(connections(packets))


class TestManyConnections:
    """A small file may hold more connections than there is memory for: what is left out is counted."""

    def sessions(self, count):
        ports = [(50_000 + each, 65_102) for each in range(count)]
        return [VescSession(ports=each).open().ask(ASK_BMS).answer(bms()) for each in ports]

    def test_vesc_connections_that_are_too_many_are_counted(self, monkeypatch):
        monkeypatch.setattr(frame_scan, "_FREE_CONNECTIONS", 2)
        found = traffic(*self.sessions(3))
        assert len(found.connections) == 2
        assert found.left_out == {"a VESC connection, more than a recording of this size has": 1}

    def test_streams_that_are_not_kept_are_the_same(self, monkeypatch):
        kept = traffic(*self.sessions(2))
        monkeypatch.setattr(spoken, "_MANY", 1)
        again = traffic(*self.sessions(2))
        assert list(again.messages.payloads()) == list(kept.messages.payloads())
        for one, other in zip(kept.connections, again.connections, strict=True):
            assert one.connection.streams[1].joined() == other.connection.streams[1].joined()


class TestMessages:
    def test_payloads_stay_where_they_lie_in_the_file(self):
        session = VescSession().open().ask(ASK_BMS).answer(bms())
        found = traffic(session)
        messages = found.messages
        assert list(messages.payloads()) == [ASK_BMS, bms()]
        assert messages.direction.tolist() == [TO, FROM]
        assert [messages.packets_of(row) for row in (0, 1)] == [(4,), (5,)]
        assert messages.time.tolist() == [session.packets[3].time, session.packets[4].time]
        assert tuple(map(str, messages.channels)) == ("tcp 10.0.0.2:65102 <-> 10.0.0.1:50000",)
        assert len(messages.joined) == 0
        at = int(messages.start[1])
        assert messages.data[at : at + int(messages.size[1])].tobytes() == bms()

    @pytest.mark.parametrize("pieces", [(1,), (2,), (20, 40, 60), (-3, -2, -1), tuple(range(1, 100))])
    def test_a_frame_over_several_packets_knows_them_all(self, pieces):
        size = len(encode_frame(bms()))
        places = tuple(place % size for place in pieces)
        messages = traffic(VescSession().open().ask(ASK_BMS).answer(bms(), pieces=places)).messages
        assert messages.payload(1) == bms()
        assert messages.packets_of(1) == tuple(range(5, 6 + len(pieces)))

    def test_a_payload_in_one_packet_is_not_copied_though_its_header_is_in_another(self):
        messages = traffic(VescSession().open().ask(ASK_BMS).answer(bms(), pieces=(2,))).messages
        assert messages.payload(1) == bms()
        assert len(messages.joined) == 0
        assert messages.packets_of(1) == (5, 6)

    def test_several_frames_in_one_packet(self):
        session = VescSession().open()
        session.send(0, encode_frame(ASK_BMS) + encode_frame(ASK_VERSION))
        messages = traffic(session.answer(bms()).answer(version())).messages
        assert list(messages.payloads()) == [ASK_BMS, ASK_VERSION, bms(), version()]
        assert [messages.packets_of(row) for row in range(4)] == [(4,), (4,), (5,), (6,)]

    def test_a_reply_with_a_packet_missing_is_not_put_together(self):
        session = VescSession().open().ask(ASK_BMS)
        frame = encode_frame(bms())
        session.send(1, frame[:50]).send(1, frame[50:60], recorded=False).send(1, frame[60:])
        found = traffic(session.ask(ASK_BMS).answer(bms()))
        (vesc,) = found.connections
        assert list(found.messages.payloads()) == [ASK_BMS, ASK_BMS, bms()]
        assert vesc.streams[1].stats.junk == len(frame) - 10
        assert [(junk.position, junk.size) for junk in vesc.streams[1].junk] == [(0, 50 + len(frame) - 60)]

    def test_what_is_waited_for_at_the_end(self):
        session = VescSession().open().ask(ASK_BMS)
        (vesc,) = traffic(session.send(1, encode_frame(bms())[:50])).connections
        waiting = vesc.streams[1].stats.waiting
        assert waiting is not None
        assert (waiting.arrived, waiting.expected) == (50, len(encode_frame(bms())))
        assert vesc.streams[1].waiting_number == 5
        assert vesc.streams[1].junk == ()

    def test_a_false_header_does_not_hide_what_is_behind_it(self):
        session = VescSession().open().send(1, b"\x03\x10\x00").ask(ASK_BMS).answer(bms())
        (vesc,) = traffic(session).connections
        assert list(vesc.conversation.messages.payloads()) == [ASK_BMS, bms()]
        assert vesc.streams[1].stats.abandoned == 1
        assert [(junk.size, junk.begin) for junk in vesc.streams[1].junk] == [(3, b"\x03\x10\x00")]

    @given(st.randoms(use_true_random=False), st.data())
    def test_the_same_messages_however_the_network_cut_shuffled_and_repeated_them(self, rng, data):
        session = VescSession(isn=((1 << 32) - 9, (1 << 32) - 200)).open()
        for _ in range(8):
            session.ask(ASK_BMS)
            session.answer(
                bms(rng.randint(60, 90)), pieces=tuple(sorted(rng.sample(range(1, 60), rng.randint(0, 3))))
            )
        expected = list(traffic(session).messages.payloads())
        begin, rest = session.packets[:3], session.packets[3:]
        if data.draw(st.booleans()):
            rest += rng.sample(rest, 5)
        session.packets = retimed(begin + nearby(rng, rest))
        messages = traffic(session).messages
        for way in (TO, FROM):
            got = list(messages.select(messages.direction == way).payloads())
            assert got == [payload for payload in expected if (len(payload) == 1) == (way == TO)]
        assert messages.time.tolist() == sorted(messages.time.tolist())


class TestFinding:
    def test_other_connections_are_counted(self):
        web = Session(ports=(40000, 443)).open().send(0, b"\x16\x03\x01 hello").send(1, b"\x16\x03\x03 hello")
        found = traffic(web, VescSession().open().ask(ASK_BMS).answer(bms()))
        assert len(found.connections) == 1
        assert found.other_connections == 1

    def test_frames_that_never_begin_a_segment(self):
        session = Session().open()
        data = encode_frame(ASK_BMS) * 3
        session.send(0, b"x" + data[:3]).send(0, data[3:10]).send(0, data[10:])
        assert len(traffic(session).messages) == 3

    def test_one_frame_by_chance_within_other_bytes_is_not_enough(self):
        session = Session().open().send(0, b"HTTP body " + encode_frame(ASK_BMS) + b" and more")
        found = traffic(session)
        assert found.connections == ()
        assert found.other_connections == 1
        assert len(found.messages) == 0

    def test_a_wrong_checksum_is_no_vesc_traffic(self):
        assert traffic(Session().open().send(0, b"\x02\x01\x60\x00\x00\x03")).connections == ()

    def test_a_recording_without_tcp(self):
        found = read_vesc(Connections(read(pcap([Recorded(EPOCH, ethernet(ipv4(bytes(20), protocol=17)))]))))
        assert found.connections == ()
        assert len(found.messages) == 0

    def test_a_long_stream_is_searched_in_pieces(self, monkeypatch):
        monkeypatch.setattr("packwire.capture.layers.frame_scan._CHUNK", 100)
        session = Session().open()
        data = b"x" * 95 + encode_frame(bms()) + b"y" * 300 + encode_frame(ASK_BMS)
        for at in range(0, len(data), 90):
            session.send(0, data[at : at + 90])
        assert len(traffic(session).messages) == 2


class TestRoles:
    def roles(self, session: Session) -> int | None:
        (vesc,) = traffic(session).connections
        return vesc.device

    def test_who_is_asked_is_the_device(self):
        assert self.roles(VescSession().open().ask(ASK_BMS).answer(bms())) == 1

    def test_though_it_dialled(self):
        session = Session().open().send(1, encode_frame(ASK_BMS)).send(0, encode_frame(bms()))
        assert self.roles(session) == 0

    @pytest.mark.parametrize(
        "asked", [ASK_BMS, via(84, ASK_VALUES), via(84, b"\x40"), b"\x32\0\0\0\x1f", b"\x80\x07\xff"]
    )
    def test_a_request_alone_tells(self, asked):
        assert self.roles(Session().open().send(0, encode_frame(asked))) == 1

    @pytest.mark.parametrize(
        "payload", [bms(), version(), b"\x15hello", b"\x87lisp", b"\x3e\x0a\x54", b"\x71\x0a\x26" + bytes(4)]
    )
    def test_a_reply_alone_tells(self, payload):
        assert self.roles(Session().open().send(0, encode_frame(payload))) == 0

    def test_nothing_tells(self):
        session = Session().open().send(0, encode_frame(b"\xc8abc"))
        (vesc,) = traffic(session).connections
        assert vesc.device is None
        assert vesc.conversation.messages.direction.tolist() == [Direction.UNKNOWN]


class TestHubLines:
    def lines(self, session: Session):
        (vesc,) = traffic(session).connections
        return vesc, vesc.hub_lines

    @pytest.mark.parametrize("pieces", [(27,), (10, 27), (1, 2, 3, 27), (33,)])
    def test_a_client_logs_in(self, pieces):
        """The login and the first request: alone, in pieces, and in one segment."""
        session = Session().open()
        data = b"VESCTOOL:TESTPACK:secret42\n" + encode_frame(ASK_VERSION)
        for begin, end in zip((0, *pieces), (*pieces, len(data)), strict=True):
            if end > begin:
                session.send(0, data[begin:end])
        vesc, (line,) = self.lines(session.send(1, encode_frame(version())))
        assert line.login is not None
        assert (line.login.role, line.login.device_id, line.login.password) == (
            Role.CLIENT,
            "TESTPACK",
            "secret42",
        )
        assert (line.side, line.size) == (0, 27)
        assert vesc.device == 1
        assert list(vesc.conversation.messages.payloads()) == [ASK_VERSION, version()]
        assert vesc.streams[0].stats.junk == 0
        assert "secret42" not in repr(vesc.hub_lines)

    def test_a_device_dials_the_hub(self):
        session = Session().open().send(0, b"VESC:TESTPACK:secret42\n\0").send(1, encode_frame(b"\xc8"))
        vesc, (line,) = self.lines(session)
        assert line.login is not None
        assert line.login.role is Role.DEVICE
        assert line.size == 24
        assert vesc.device == 0
        assert vesc.conversation.messages.direction.tolist() == [TO]

    @pytest.mark.parametrize("answer", [b"PONG\n", b"NULL\n", b"PONG"])
    def test_a_ping_and_its_answer(self, answer):
        _, lines = self.lines(Session().open().send(0, b"PING:TESTPACK:0\n").send(1, answer))
        assert [line.text for line in lines] == ["", answer.decode().strip()]

    def test_a_login_alone_is_vesc_traffic(self):
        vesc, (line,) = self.lines(Session().open().send(0, b"VESCTOOL:TESTPACK:wrong\n").close(1))
        assert vesc.device == 1
        assert line.number == 4

    def test_a_colon_in_the_password_is_said_without_it(self):
        _, (line,) = self.lines(Session().open().send(0, b"VESCTOOL:TESTPACK:sec:ret42\n"))
        assert line.login is None
        assert "4 parts" in line.text
        assert "ret42" not in repr(line)

    def test_other_protocols_that_begin_with_ping(self):
        assert traffic(Session().open().send(0, b"PING:\n")).connections == ()


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.one_of(
                st.binary(min_size=1, max_size=40),
                st.sampled_from(
                    [
                        encode_frame(ASK_BMS),
                        encode_frame(bms()),
                        encode_frame(bms())[:30],
                        b"VESC:ABC:d\n",
                        b"VESCTOOL:A",
                    ]
                ),
            ),
        ),
        max_size=12,
    )
)
def test_any_bytes_at_all(rows):
    """Both streams at random: no crash, and every byte is accounted for."""
    numbers = [100, 200]
    packets = []
    for row, (forth, payload) in enumerate(rows):
        side = 0 if forth else 1
        ports = (1, 2) if forth else (2, 1)
        packets.append(Recorded(EPOCH + row, ethernet(ipv4(tcp(*ports, numbers[side], 0, ACK, payload)))))
        numbers[side] += len(payload)
    found = read_vesc(connections(packets))
    for vesc in found.connections:
        for side in (0, 1):
            stats, line = vesc.streams[side].stats, vesc.streams[side].hub_line
            waiting = stats.waiting.arrived if stats.waiting else 0
            assert stats.received >= stats.junk + waiting
            assert stats.received + (line.size if line else 0) == vesc.connection.streams[side].recorded
            assert sum(junk.size for junk in vesc.streams[side].junk) == stats.junk
        assert len(vesc.conversation) == len(vesc.rows)
