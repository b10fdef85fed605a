"""Writers: what is written is what was read, in every format that can hold it, and tshark agrees."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture import open_capture
from packwire.capture.formats import read_packets
from packwire.capture.packets import (
    APPLICATION,
    HCI_ACL,
    HCI_COMMAND,
    HCI_NOTE,
    NO_TIME,
    PacketDirection,
    Packets,
)
from packwire.capture.writers import PACKET_FORMATS, format_of
from packwire.capture.writers.records import H4_WITH_DIRECTION
from packwire.errors import BadOptionError
from tests.capture.builder import EPOCH, array
from tests.shared_data import CAPTURES, needs_captures, needs_tshark

HCI_H4 = 187


def packets(
    payloads: list[bytes],
    times: list[int] | None = None,
    link_types: list[int] | None = None,
    directions: list[int] | None = None,
    cut: int = 0,
) -> Packets:
    count = len(payloads)
    size = np.array([len(each) for each in payloads], dtype=np.int64)
    return Packets(
        format="made",
        time=np.array(times or [EPOCH + index * 1000 for index in range(count)], dtype=np.int64),
        start=np.cumsum(size) - size,
        size=size,
        original=size + cut,
        link_type=np.array(link_types or [HCI_H4] * count, dtype=np.int32),
        interface=np.zeros(count, dtype=np.int32),
        direction=np.array(directions or [0] * count, dtype=np.int8),
        data=array(b"".join(payloads)),
    )


def written(name: str, source: Packets) -> tuple[Packets, tuple[str, ...]]:
    file = io.BytesIO()
    notes = PACKET_FORMATS[name](source, file)
    return read_packets(array(file.getvalue())), notes


def contents(found: Packets, skip: int = 0) -> list[bytes]:
    return [found.packet(row)[skip:] for row in range(len(found))]


acl = st.binary(max_size=40).map(lambda rest: b"\x02" + rest)
rows = st.lists(
    st.tuples(acl, st.integers(0, 4_000_000_000), st.sampled_from([-1, 1])), min_size=1, max_size=12
)


class TestRoundTrips:
    @settings(max_examples=60, deadline=None)
    @given(rows, st.sampled_from(["btsnoop", "pcap", "pcapng"]), st.integers(0, 9))
    def test_bytes_times_sizes_and_directions(self, made, name, cut):
        payloads, seconds, directions = map(list, zip(*made, strict=True))
        times = [each * 1_000_000_000 + 123_456_000 for each in seconds]
        source = packets(payloads, times, directions=directions, cut=cut)
        found, notes = written(name, source)
        skip = 4 if name == "pcap" else 0
        assert notes == ()
        assert contents(found, skip) == payloads
        assert found.time.tolist() == times
        assert (found.original - found.size).tolist() == [cut] * len(payloads)
        if name != "pcap":
            assert found.direction.tolist() == directions
        else:
            assert set(found.link_type.tolist()) == {201}
            assert [int(found.data[start + 3]) for start in found.start] == [
                int(direction == -1) for direction in directions
            ]

    def test_nanoseconds_stay_where_there_is_room(self):
        source = packets([b"\x02ab"], [EPOCH + 123_456_789])
        assert written("pcap", source)[0].time.tolist() == [EPOCH + 123_456_789]
        assert written("pcapng", source)[0].time.tolist() == [EPOCH + 123_456_789]
        found, notes = written("btsnoop", source)
        assert found.time.tolist() == [EPOCH + 123_456_000]
        assert "microseconds" in notes[0]

    def test_packets_without_an_indicator_get_it(self):
        source = packets([b"\x01\x20\x00\x00"], link_types=[HCI_ACL], directions=[-1])
        for name in PACKET_FORMATS:
            found, _ = written(name, source)
            assert found.packet(0).endswith(b"\x02\x01\x20\x00\x00")

    def test_pcapng_keeps_several_links(self):
        source = packets([b"\x02abc", bytes(20)], link_types=[HCI_H4, 1])
        found, _ = written("pcapng", source)
        assert found.link_type.tolist() == [HCI_H4, 1]
        with pytest.raises(BadOptionError, match="write pcapng"):
            written("pcap", source)

    def test_what_is_no_packet_is_left_out_and_said(self):
        source = packets([b"note", b"\x02abc"], link_types=[HCI_NOTE, HCI_H4])
        found, notes = written("btsnoop", source)
        assert contents(found) == [b"\x02abc"]
        assert "1 packets left out (the recorder's own notes)" in notes[0]

    def test_no_time(self):
        found, notes = written("pcap", packets([b"\x02"], [NO_TIME]))
        assert found.time.tolist() == [0]
        assert "no time" in notes[0]

    @pytest.mark.parametrize("name", PACKET_FORMATS)
    def test_no_packets_at_all(self, name):
        assert len(written(name, packets([]))[0]) == 0

    @pytest.mark.parametrize("name", PACKET_FORMATS)
    def test_a_text_log_has_no_packets(self, name):
        with pytest.raises(BadOptionError, match="write csv or parquet"):
            written(name, packets([b"abc"], link_types=[APPLICATION]))

    def test_btsnoop_holds_bluetooth_alone(self):
        with pytest.raises(BadOptionError, match="link type 1"):
            written("btsnoop", packets([bytes(20)], link_types=[1]))

    @pytest.mark.parametrize("name", PACKET_FORMATS)
    @pytest.mark.parametrize("direction", PacketDirection)
    @pytest.mark.parametrize("link_type", [HCI_COMMAND, HCI_ACL, HCI_H4, H4_WITH_DIRECTION, 1])
    def test_a_packet_that_claims_to_have_been_as_long_as_can_be(self, name, direction, link_type):
        if name == "btsnoop" and link_type == 1:
            pytest.skip("btsnoop holds no Ethernet")
        source = packets([b"\0\0\0\1" + b"\x02abc"], link_types=[link_type])
        claimed = np.array([0xFFFF_FFFF], dtype=np.int64)
        told = np.array([direction], dtype=source.direction.dtype)
        found, _ = written(name, replace(source, original=claimed, direction=told))
        assert found.original.tolist()[0] >= 0xFFFF_FFFF - 8
        assert found.size.tolist()[0] >= 4

    def test_times_that_pcap_cannot_hold(self):
        with pytest.raises(BadOptionError, match="2106"):
            written("pcap", packets([b"\x02"], [1 << 62]))


def test_the_format_is_told_by_the_name():
    assert format_of(Path("a.PCAPNG")) == "pcapng"
    assert format_of(Path("a.log")) == "btsnoop"
    assert format_of(Path("a"), "csv") == "csv"
    for path, asked in ((Path("a.txt"), None), (Path("a.pcap"), "xlsx")):
        with pytest.raises(BadOptionError):
            format_of(path, asked)


def values(path: Path) -> list[str]:
    """Return every ATT value, or TCP payload, as tshark reads it."""
    fields = ("btatt.opcode", "btatt.handle", "btatt.value", "tcp.payload")
    command = [
        "tshark",
        "-r",
        str(path),
        "-T",
        "fields",
        *(word for field in fields for word in ("-e", field)),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@needs_captures
@needs_tshark
@pytest.mark.parametrize("name", PACKET_FORMATS)
@pytest.mark.parametrize(
    "source", ["ble/jbd-mosfets-onoff.btsnoop", "ble/lolan-status-controls.btsnoop", "vesc/no-bms.pcap"]
)
def test_tshark_reads_the_same_from_what_is_written(tmp_path, name, source):
    capture = open_capture(CAPTURES / source)
    path = tmp_path / f"out.{name}"
    if name == "btsnoop" and source.endswith(".pcap"):
        pytest.skip("btsnoop holds no Ethernet")
    with path.open("wb") as file:
        PACKET_FORMATS[name](replace(capture.packets), file)
    assert values(path) == values(CAPTURES / source)
