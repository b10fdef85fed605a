"""Recognising files by their content, gzip, and what is said about files that are no captures."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import gzipped
from packwire.errors import BadFileError
from tests.capture.builder import EPOCH, Recorded, enhanced, interface, pcap, read, section
from tests.capture.formats.bluetooth_files import btsnoop, btsnoop_record

ROWS = [Recorded(EPOCH + row * 1000, bytes(range(100))) for row in range(50)]


def test_each_format_is_recognised_by_its_content():
    assert read(pcap(ROWS)).format == "pcap"
    assert read(section() + interface() + enhanced(ROWS[0])).format == "pcapng"


@pytest.mark.parametrize(
    ("begin", "advice"),
    [
        (b"", "empty"),
        (b"PK\x03\x04....", "cut off at offset 8"),
        (b"\xfd7zXZ\0....", "unxz"),
        (b"GMBU....", "editcap"),
        (b"<!DOCTYPE html>", "download the capture itself"),
        (b"No.  Time  Source\n", "text"),
        (b"\x00\x01\x02\x03", "no capture format begins with 00 01 02 03"),
    ],
)
def test_wrong_files_are_told_what_they_are(begin, advice):
    with pytest.raises(BadFileError, match=advice):
        read(begin)


@given(st.binary(max_size=100))
def test_random_bytes_are_read_or_refused_in_one_line(data):
    try:
        read(data)
    except BadFileError as error:
        assert "\n" not in str(error)


class TestGzip:
    def test_it_is_unpacked(self):
        packets = read(gzip.compress(pcap(ROWS)))
        assert packets.format.startswith("pcap in gzip")
        assert packets.packet(49) == ROWS[49].data
        assert packets.damage == ()

    def test_all_its_members_are_unpacked(self):
        data = pcap(ROWS)
        assert len(read(gzip.compress(data[:1000]) + gzip.compress(data[1000:]))) == 50

    def test_what_was_cut_off_keeps_its_begin(self):
        packed = gzip.compress(
            pcap([Recorded(EPOCH, zlib.compress(bytes([row]) * 500)) for row in range(255)])
        )
        packets = read(packed[: len(packed) // 2])
        assert 0 < len(packets) < 255
        assert "gzip data cut off" in packets.damage[0]

    def test_nothing_unpacked_is_an_error(self):
        with pytest.raises(BadFileError, match="nothing could be unpacked"):
            read(gzip.compress(pcap(ROWS))[:12])

    def test_damage_within_is_said(self):
        packed = bytearray(gzip.compress(pcap(ROWS), compresslevel=0))
        packed[-6] ^= 0xFF  # the checksum
        assert "gzip data damaged" in read(bytes(packed)).damage[0]

    def test_of_a_bomb_the_beginning_is_kept(self, monkeypatch):
        monkeypatch.setattr(gzipped, "FREE_EXPANDED", 1 << 20)
        packets = read(gzip.compress(pcap(ROWS) + bytes(3 << 20)))
        assert len(packets) >= len(ROWS)
        assert packets.damage[0] == (
            "it unpacks to more than 1048576 bytes: what follows them is left out; unpack it yourself and give"
            " the result to have all"
        )

    def test_the_ratio_only_counts_above_a_size_that_does_no_harm(self, monkeypatch):
        monkeypatch.setattr(gzipped, "MAX_RATIO", 1)
        same = pcap([ROWS[0]] * 20_000)
        assert len(read(gzip.compress(same))) == 20_000

    @given(st.data())
    def test_bit_flips_never_crash(self, data):
        packed = bytearray(gzip.compress(pcap(ROWS[:5])))
        for _ in range(data.draw(st.integers(1, 4))):
            packed[data.draw(st.integers(3, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        try:
            read(bytes(packed))
        except BadFileError as error:
            assert "\n" not in str(error)


def test_another_recording_behind_the_first_is_said():
    first = pcap(ROWS[:2])
    packets = read(first + pcap(ROWS[:3]))
    assert len(packets) == 2
    assert packets.damage[0].startswith(f"another recording (pcap) begins at offset {len(first)}: ")
    log = btsnoop([btsnoop_record(b"\x01\x03\x0c\x00", 0)])
    packets = read(log + log)
    assert len(packets) == 1
    assert packets.damage[0].startswith(f"another recording (btsnoop) begins at offset {len(log)}: ")
    part = section() + interface() + enhanced(ROWS[0])
    packets = read(part + part)
    assert len(packets) == 2
    assert packets.notes == (f"another recording begins at offset {len(part)}, behind packet 1",)
