"""Following a capture while it grows: every packet once, whatever the pieces it arrives in."""

import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture.follow import follow_packets
from packwire.errors import BadFileError
from tests.capture.builder import EPOCH, Recorded, enhanced, interface, pcap, read, section
from tests.capture.formats.bluetooth_files import EPOCH_US, YEAR_0_US, btsnoop, btsnoop_record

ROWS = [Recorded(EPOCH + row * 1000, bytes([row]) * row) for row in range(12)]
PCAPNG = (
    section()
    + interface()
    + b"".join(map(enhanced, ROWS[:5]))
    + interface(link_type=113)
    + enhanced(ROWS[5], interface_id=1)
    + section(">")
    + interface(">", link_type=276)
    + b"".join(enhanced(row, ">") for row in ROWS[6:])
)
FILES = {
    "pcap": pcap(ROWS),
    "pcap, big-endian": pcap(ROWS, order=">", nano=True),
    "pcapng": PCAPNG,
    "btsnoop": btsnoop([btsnoop_record(row.data, YEAR_0_US + EPOCH_US) for row in ROWS]),
}


def rows_of(packets):
    return [
        (int(packets.time[row]), int(packets.link_type[row]), packets.packet(row))
        for row in range(len(packets))
    ]


class Growing:
    """A file that grows by a piece whenever the reader looks whether it should stop."""

    def __init__(self, path, data, sizes):
        self.path, self.data, self.sizes = path, data, sizes
        self.at = self.calls = 0
        path.write_bytes(b"")

    def stop(self):
        if self.at >= len(self.data):
            self.calls += 1
            return self.calls > 3
        size = self.sizes[self.at % len(self.sizes)]
        with self.path.open("ab") as file:
            file.write(self.data[self.at : self.at + size])
        self.at += size
        return False


@pytest.mark.parametrize("name", FILES)
@given(sizes=st.lists(st.integers(1, 90), min_size=1, max_size=7))
@settings(max_examples=20, deadline=None)
def test_every_packet_comes_once_whatever_the_pieces(tmp_path_factory, name, sizes):
    growing = Growing(tmp_path_factory.mktemp("grow") / "file", FILES[name], sizes)
    got = []
    for packets in follow_packets(growing.path, poll=0, stop=growing.stop):
        assert packets.damage == ()
        got += rows_of(packets)
    assert got == rows_of(read(FILES[name]))


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_ends_with_its_writer(tmp_path, name):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(FILES[name],))
    writer.start()
    assert sum(len(packets) for packets in follow_packets(pipe)) == 12
    writer.join()


def test_an_interrupt_ends_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(FILES["pcap"])
    calls = iter([False, False])

    def stop():
        if (answer := next(calls, None)) is None:
            raise KeyboardInterrupt
        return answer

    assert sum(len(packets) for packets in follow_packets(path, poll=0, stop=stop)) == 12


@pytest.mark.parametrize("name", FILES)
def test_damage_is_said_after_what_comes_before_it(tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(FILES[name] + b"\xff" * 40)
    got = 0
    with pytest.raises(BadFileError, match=rf"claims \d+ bytes.*\(offset {len(FILES[name])}\)"):
        for packets in follow_packets(path, poll=0):
            got += len(packets)
    assert got == 12


def test_what_cannot_be_followed_is_said(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"text of a log that is long enough to be seen as such")
    with pytest.raises(BadFileError, match="only pcap, pcapng and btsnoop can be followed"):
        list(follow_packets(path))
    with pytest.raises(BadFileError, match="no such file"):
        list(follow_packets(tmp_path / "missing"))


def test_a_file_that_gets_shorter_is_said(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(FILES["pcap"])
    with pytest.raises(BadFileError, match="got shorter"):
        for _ in follow_packets(path, poll=0):
            path.write_bytes(b"")
