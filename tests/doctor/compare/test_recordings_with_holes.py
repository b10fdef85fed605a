"""Recordings that do not show everything: gaps, cut packets, one direction, a late begin, a clock set back.

What was not recorded is held against nobody, and is said.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from packwire.capture import open_capture
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.choose import NoSessionError, choose
from packwire.doctor.compare.verdict import NO_DIFFERENCE, Comparison, compare
from tests.capture.builder import Recorded, pcap
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, VescSession, bms, version
from tests.doctor.compare.clients import compared
from tests.shared_data import CAPTURES, ROOT, needs_captures

DATA = ROOT / "tests" / "data" / "vesc"
TOOL, OWN = DATA / "vesc-tool-hub-bms.pcap", DATA / "own-client-timeouts.pcap"
CLIENT = struct.pack(">H", 51392)
_PORTS = slice(34, 38)


def packets_of(path: Path) -> list[Recorded]:
    capture = open_capture(path)
    times = capture.packets.time.tolist()
    return [Recorded(time, capture.packets.packet(row)) for row, time in enumerate(times)]


def beside_the_tool(folder: Path, packets: list[Recorded]) -> Comparison:
    path = folder / "mine.pcap"
    path.write_bytes(pcap(packets))
    theirs, ours = choose((open_capture(TOOL), open_capture(path)))
    return compare(theirs.session, ours.session)


def edited(folder: Path, keep: Callable[[Recorded], bool]) -> Comparison:
    return beside_the_tool(folder, [packet for packet in packets_of(OWN) if keep(packet)])


def from_client(packet: Recorded) -> bool:
    return packet.data[_PORTS][:2] == CLIENT


def to_client(packet: Recorded) -> bool:
    return packet.data[_PORTS][2:] == CLIENT


def test_replies_that_were_not_recorded_are_held_against_nobody(tmp_path):
    found = edited(tmp_path, lambda packet: not (to_client(packet) and len(packet.data) > 170))
    assert found.key == Cause.NOT_RECORDED
    assert "405 bytes that the device sent are not in the recording" in found.mine.notes
    assert Cause.NEVER_ANSWERED in [each.cause for _, each in found.also]


def test_only_what_the_client_sent(tmp_path):
    found = edited(tmp_path, from_client)
    assert found.key == Cause.NOT_RECORDED
    assert "it shows one direction" in found.mine.notes[0]


def test_only_what_the_device_sent_is_no_client_that_sends_nothing(tmp_path):
    found = edited(tmp_path, to_client)
    assert found.key == Cause.NOT_RECORDED


def test_packets_cut_short_are_no_bad_frames_and_no_bad_login(tmp_path):
    for path in (OWN, TOOL):
        cut = [Recorded(each.time, each.data[:80], len(each.data)) for each in packets_of(path)]
        found = beside_the_tool(tmp_path, cut)
        assert found.key == Cause.NOT_RECORDED
        assert not found.mine.bad
        assert any("packets cut short" in note for note in found.mine.notes)
        assert any("beside gaps are in no frame, and not judged" in note for note in found.mine.notes)


@pytest.mark.parametrize("period", [2, 3, 5, 7, 11])
def test_lost_packets_do_not_turn_a_client_that_works_into_a_faulty_one(tmp_path, period):
    some = [packet for number, packet in enumerate(packets_of(TOOL)) if (number * 7919) % 97 % period]
    harmless = (NO_DIFFERENCE, Cause.NOT_RECORDED, Cause.CANNOT_TELL)  # its pace of 0.1 s shows nothing
    assert beside_the_tool(tmp_path, some).key in harmless


def test_the_fault_is_found_where_the_recording_begins_inside_the_session(tmp_path):
    found = beside_the_tool(tmp_path, packets_of(OWN)[24:])
    assert (found.key, found.mine.label) == (Cause.RECEIVE_PATH, "127.0.0.1:51392 -> 127.0.0.1:65101")
    assert "it began before the recording" in found.mine.notes[0]


def test_a_login_that_was_not_recorded_is_not_missing(tmp_path):
    mine = VescSession(ports=(51392, 65101), step=100_000)
    for _ in range(3):
        mine.ask(ASK_BMS).wait(2.0)
    found = beside_the_tool(tmp_path, mine.close().packets)
    assert found.key == Cause.SILENT_DEVICE


def test_a_recording_that_ends_before_the_first_reply_is_not_called_well(tmp_path):
    found = beside_the_tool(tmp_path, packets_of(OWN)[:7])
    assert found.key == Cause.NOT_RECORDED


def test_a_clock_that_is_set_back(tmp_path):
    back = [
        packet._replace(time=packet.time - (5_000_000_000 if number > 30 else 0))
        for number, packet in enumerate(packets_of(OWN))
    ]
    found = beside_the_tool(tmp_path, back)
    assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.LIKELY)
    assert "the clock of the recording is set back by 5.0 s at packet 32" in found.mine.notes[0]


def test_retransmitted_and_doubled_packets_change_nothing(tmp_path):
    doubled = [
        each for packet in packets_of(OWN) for each in (packet, packet._replace(time=packet.time + 1000))
    ]
    found = beside_the_tool(tmp_path, doubled)
    assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.LIKELY)


def test_bytes_that_were_not_looked_at_are_counted(tmp_path):
    mine = VescSession(step=100_000).open().ask(ASK_VERSION).answer(version())
    for number in range(400):
        mine.send(0, bytes((0x55, number & 0xFF, 0x77))).ask(ASK_BMS).answer(bms()).wait(0.1)
    found = compared(tmp_path, [mine], [mine.close()])
    assert found.mine.notes == ("1140 more bytes of the client in no frame were not looked at: too many",)


@needs_captures
def test_nobody_is_accused_of_sending_nothing_where_no_direction_is_known():
    can = open_capture(CAPTURES / "text" / "vesc-can_bldc-422.canlog.txt")
    with pytest.raises(NoSessionError, match="nothing that a client asks is in it"):
        choose((can, can))
    theirs, ours = choose((open_capture(TOOL), can))
    assert compare(theirs.session, ours.session).key == Cause.NOT_RECORDED


@needs_captures
@pytest.mark.parametrize(
    ("app", "log"),
    [("jk-b2a16s", "jk_HAdebug_TX_BMS_BLE-HA-768"), ("jbd-sp04s034", "supervolt-jbd_HAdebug_BMS_BLE-HA-22")],
)
def test_a_log_of_one_direction_shows_no_fault(app, log):
    captures = (
        open_capture(CAPTURES / "ble" / f"{app}.btsnoop"),
        open_capture(CAPTURES / "text" / f"{log}.log"),
    )
    theirs, ours = choose(captures)
    assert compare(theirs.session, ours.session).key == Cause.NOT_RECORDED


@needs_captures
def test_a_bluetooth_reconnection_is_a_session_of_its_own(tmp_path):
    content = (CAPTURES / "ble" / "lolan-status-controls.btsnoop").read_bytes()
    again = bytearray(content[16:])
    at = 0
    while at < len(again):
        (size,) = struct.unpack_from(">I", again, at + 4)
        (time,) = struct.unpack_from(">q", again, at + 16)
        struct.pack_into(">q", again, at + 16, time + 3_600_000_000)
        at += 24 + size
    path = tmp_path / "twice.btsnoop"
    path.write_bytes(content + again)
    once, twice = choose(
        (open_capture(CAPTURES / "ble" / "lolan-status-controls.btsnoop"), open_capture(path))
    )
    assert len(twice.others) == len(once.others) + 1
    assert twice.session.asked == once.session.asked
    assert compare(once.session, twice.session).key == NO_DIFFERENCE


@needs_captures
@pytest.mark.parametrize("period", [2, 3, 5])
def test_a_tool_that_polls_several_nodes_is_not_accused_for_lost_packets(tmp_path, period):
    path = CAPTURES / "vesc" / "vesc-tool-direct-motor-sll2.pcap"
    capture = open_capture(path)
    some = [
        Recorded(int(time), capture.packets.packet(row))
        for row, time in enumerate(capture.packets.time.tolist())
        if (row * 7919) % 97 % period
    ]
    lossy = tmp_path / "lossy.pcap"
    lossy.write_bytes(pcap(some, link_type=276))
    theirs, ours = choose((open_capture(TOOL), open_capture(lossy)))
    found = compare(theirs.session, ours.session)
    assert found.key in (NO_DIFFERENCE, Cause.NOT_RECORDED, Cause.CANNOT_TELL)
