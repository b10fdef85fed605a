"""BLF files, which python-can writes, and what a hostile or damaged one does."""

import struct
import subprocess
import sys
import zlib
from typing import Any

import pytest

from packwire.capture.formats import blf_process, vector_blf
from packwire.capture.open import open_capture
from packwire.errors import BadFileError, MissingExtraError

can = pytest.importorskip("can")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.blf"
    frames: list[dict[str, Any]] = [
        {"arbitration_id": 0x355, "is_extended_id": False, "data": b"\x3e\0d\0", "is_rx": True},
        {"arbitration_id": 0x18FF50E5, "data": bytes(8), "channel": 1, "is_rx": False},
        {"arbitration_id": 0x123, "is_extended_id": False, "is_remote_frame": True, "dlc": 4},
        {"arbitration_id": 0x124, "is_extended_id": False, "is_fd": True, "bitrate_switch": True, "data": bytes(range(12))},
        {"is_error_frame": True},
        {"arbitration_id": 0x7FF, "is_extended_id": False, "data": b"\1"},
    ]  # fmt: skip
    with can.BLFWriter(path) as writer:
        for number, frame in enumerate(frames):
            writer(can.Message(timestamp=1_700_000_000 + number / 8, **{"channel": 0, **frame}))
    return path


def test_frames_of_python_cans_writer_come_back(log):
    capture = open_capture(log)
    assert capture.format == "Vector BLF log"
    packets = capture.packets
    assert [packets.packet(row).hex() for row in range(len(packets))] == [
        "00000355040000003e006400",
        "98ff50e5080000000000000000000000",
        "4000012300000000",
        "000001240c050000000102030405060708090a0b",
        "20000000080000000000000000000000",
        "000007ff0100000001",
    ]
    assert packets.direction.tolist()[:4] == [-1, 1, -1, -1]
    assert packets.time.tolist() == [1_700_000_000_000_000_000 + number * 125_000_000 for number in range(6)]
    assert "1 x CAN error frames" in capture.losses


def test_what_is_cut_off_keeps_its_begin(log, tmp_path):
    whole = log.read_bytes()
    cut = tmp_path / "cut.blf"
    cut.write_bytes(whole + b"LOBJ" + b"\xff" * 20)
    capture = open_capture(cut)
    assert len(capture.packets) == 6
    assert "the BLF file is damaged" in capture.damage[0]


@pytest.mark.parametrize("size", [4, 100, 144, 160])
def test_a_beginning_alone_is_refused_in_one_line(log, tmp_path, size):
    cut = tmp_path / "cut.blf"
    cut.write_bytes(log.read_bytes()[:size])
    with pytest.raises(BadFileError, match="no CAN frame") as found:
        open_capture(cut)
    assert "\n" not in str(found.value)


def test_a_process_that_takes_too_long_is_ended(log, monkeypatch):
    monkeypatch.setattr(vector_blf, "_SECONDS", 0.01)
    with pytest.raises(BadFileError, match="takes longer"):
        open_capture(log)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded by Linux")
def test_what_unpacks_to_more_than_the_bound_is_damage(log, tmp_path):
    container = zlib.compress(bytes(2 << 30 >> 1) + bytes(64 << 20), 9)
    size = 16 + 16 + len(container)
    head = b"LOBJ" + struct.pack("<HHII", 16, 1, size, 10) + struct.pack("<HxxxxxxIxxxx", 2, 1 << 30)
    bomb = tmp_path / "bomb.blf"
    bomb.write_bytes(log.read_bytes() + head + container)
    capture = open_capture(bomb)
    assert len(capture.packets) == 6
    assert "MemoryError" in capture.damage[0]


def test_without_python_can_the_extra_is_named(log, monkeypatch):
    done = subprocess.CompletedProcess([], blf_process.NO_LIBRARY, b"", b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(MissingExtraError, match="can"):
        open_capture(log)
