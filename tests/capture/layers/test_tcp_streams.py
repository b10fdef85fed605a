"""Protocols of batteries on TCP, as a bridge from a serial line to the network carries them."""

import pytest

from packwire.capture import open_capture
from tests.capture.builder import Session
from tests.insight.sessions import _jbd, _jbd_request, _modbus

BASIC = _jbd(3, bytes(range(23)))
CELLS = _jbd(4, b"\x0c\xe4\x0c\xe5\x0c\xe6\x0c\xe7")


def conversation(rounds=6):
    session = Session(ports=(50000, 8899)).open()
    for _ in range(rounds):
        for number, reply in ((3, BASIC), (4, CELLS)):
            session.send(0, _jbd_request(0xA5, number)).wait(0.05)
            session.send(1, reply[:11]).send(1, reply[11:]).wait(0.2)
    return session


def opened(tmp_path, session):
    file = tmp_path / "bridge.pcap"
    file.write_bytes(session.pcap())
    return open_capture(file)


def test_frames_come_out_whole_whatever_the_segments(tmp_path):
    capture = opened(tmp_path, conversation())
    messages = capture.messages
    assert len(messages) == 24
    assert {messages.payload(row) for row in range(24)} == {
        BASIC,
        CELLS,
        _jbd_request(0xA5, 3),
        _jbd_request(0xA5, 4),
    }
    assert tuple(map(str, messages.channels)) == ("tcp 10.0.0.2:8899 <-> 10.0.0.1:50000",)
    assert messages.direction.tolist() == [1, -1] * 12
    assert capture.framed.checksum_ok.all()
    assert {framing.name for framing in capture.framing_of(0, -1)} == {"JBD"}


def test_a_battery_that_dials_its_server_is_the_device_all_the_same(tmp_path):
    session = Session(ports=(50000, 8899)).open()
    for _ in range(6):
        session.send(1, _jbd_request(0xA5, 3)).wait(0.05).send(0, BASIC).wait(0.2)
    assert opened(tmp_path, session).messages.direction.tolist() == [1, -1] * 6


def test_modbus_requests_and_replies_have_one_form_and_are_told_apart(tmp_path):
    session = Session(ports=(50000, 502)).open()
    for number in range(8):
        request = _modbus(bytes((1, 3, 0, number, 0, 4)))
        session.send(1, request).wait(0.05).send(0, _modbus(bytes((1, 3, 8)) + bytes(8))).wait(0.2)
    assert opened(tmp_path, session).messages.direction.tolist() == [1, -1] * 8


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes(range(256)), b"\xdd\xa5\x03"])
def test_what_is_in_no_known_frame_is_not_read(tmp_path, said):
    session = Session().open()
    for _ in range(5):
        session.send(0, said).send(1, said[::-1])
    assert len(opened(tmp_path, session).messages) == 0


def test_a_password_is_masked_on_tcp_too(tmp_path, capsys):
    from packwire.cli.commands.messages import messages

    session = conversation().send(0, _jbd_request(0x5A, 6, b"\x06hunter")).wait(0.1).send(1, _jbd(6, b""))
    file = tmp_path / "bridge.pcap"
    file.write_bytes(session.pcap())
    for redact in (False, True):
        assert messages(file, redact=redact) == 0
        shown = capsys.readouterr().out
        assert b"hunter".hex(" ") not in shown
        assert b"******".hex(" ") in shown
        assert BASIC.hex(" ") in shown
