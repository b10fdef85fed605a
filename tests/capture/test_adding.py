"""A capture format is one file and one row, a link type is one row: here are some of a test's own."""

import numpy as np
import pytest

from packwire.capture import formats, open_capture
from packwire.capture.content import look
from packwire.capture.formats import read_packets
from packwire.capture.links import LINKS
from packwire.errors import BadFileError
from tests.capture import own_format
from tests.capture.builder import Session
from tests.insight.sessions import _jbd, _jbd_request


@pytest.fixture
def _own(monkeypatch):
    monkeypatch.setattr(formats, "BINARY", (*formats.BINARY, own_format.__name__))
    monkeypatch.setitem(LINKS, own_format.LINK.number, own_format.LINK)


def _tape(packets):
    return b"TAPE" + b"".join(len(each).to_bytes(2) + each for each in packets)


REQUEST, REPLY = _jbd_request(0xA5, 3), _jbd(3, bytes(range(23)))


def _packets():
    """Return IP packets of a conversation, each behind three bytes."""
    session = Session(ports=(50000, 8899)).open()
    for _ in range(4):
        session.send(0, REQUEST).wait(0.05).send(1, REPLY).wait(0.2)
    packets = read_packets(np.frombuffer(session.pcap(), dtype=np.uint8))
    header = LINKS[int(packets.link_type[0])].header
    return [b"abc" + packets.packet(row)[header:] for row in range(len(packets))]


@pytest.mark.usefixtures("_own")
def test_a_file_is_read_with_a_format_and_a_link_type_of_ones_own(tmp_path):
    file = tmp_path / "any name"
    file.write_bytes(_tape(_packets()))
    capture = open_capture(file)
    assert capture.format == "tape"
    assert set(capture.messages.payloads()) == {REQUEST, REPLY}
    assert look(capture).links == {"a tape's link": len(capture.packets)}
    assert capture.losses == ()


def test_without_the_rows_nothing_is_read(tmp_path):
    file = tmp_path / "any name"
    file.write_bytes(_tape(_packets()))
    with pytest.raises(BadFileError, match="no capture format begins with 54 41 50 45"):
        open_capture(file)
