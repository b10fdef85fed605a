"""Real Bluetooth recordings give the same ATT PDUs as tshark does, and frames with right checksums."""

import subprocess
from collections import Counter

import numpy as np
import pytest

from packwire.capture import open_capture
from tests.shared_data import CAPTURES, needs_captures, needs_tshark

FILES = sorted((CAPTURES / "ble").glob("*.btsnoop"))
FIELDS = (
    "frame.number",
    "btatt.opcode",
    "btatt.handle",
    "btatt.value",
    "frame.time_epoch",
    "hci_h4.direction",
)
#: PDUs whose value tshark shows as one field.
WITH_VALUE = (0x12, 0x52, 0x1B, 0x1D)


def tshark(path):
    command = ["tshark", "-r", str(path), "-Y", "btatt.opcode", "-T", "fields"]
    for name in FIELDS:
        command += ["-e", name]
    output = subprocess.run(
        [*command, "-E", "occurrence=f"], capture_output=True, text=True, check=True
    ).stdout
    return [line.split("\t") for line in output.splitlines()]


def value(capture, row):
    start, size = int(capture.att.start[row]), int(capture.att.size[row])
    if start < len(capture.packets.data):
        return capture.packets.data[start : start + size].tobytes()
    return capture.bluetooth.joined[start - len(capture.packets.data) :][:size].tobytes()


@needs_captures
@needs_tshark
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_same_pdus_as_tshark(path):
    capture, expected = open_capture(path), tshark(path)
    att = capture.att
    assert (att.row + 1).tolist() == [int(line[0]) for line in expected]
    assert att.opcode.tolist() == [int(line[1], 16) for line in expected]
    values = 0
    for row, (_, opcode, handle, said, time, direction) in enumerate(expected):
        seconds, _, fraction = time.partition(".")
        assert int(att.time[row]) == int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
        sent = capture.packets.direction[att.row[row]] == 1
        assert sent == (int(direction, 16) == 0)
        if int(opcode, 16) in WITH_VALUE:
            assert att.handle[row] == int(handle, 16)
            if said:
                assert value(capture, row).hex() == said.replace(":", "")
                values += 1
    assert values > 50 or "rfcomm" in path.stem


@needs_captures
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_battery_is_the_server(path):
    capture = open_capture(path)
    messages = capture.raw_messages
    for channel, direction in set(zip(messages.channel.tolist(), messages.direction.tolist(), strict=True)):
        text = str(messages.channels[channel])
        if text.endswith("write"):
            assert direction == 1
        elif text.endswith(("notify", "read", "indicate")):
            assert direction == -1


@needs_captures
@pytest.mark.parametrize(
    ("name", "framing", "least"),
    [
        ("jbd-mosfets-onoff", "JBD", 260),
        ("jbd-sp04s034", "JBD", 390),
        ("jk-b2a16s", "JK", 50),
        ("jk-heating-setting", "JK", 100),
        ("ant-ble16zmub", "ANT", 340),
        ("ant24c-rfcomm-classic", "ANT (old) command", 280),
        ("daly-balancer", "Daly", 50),
        ("basen", "Basen", 180),
        ("seplos-v2", "Seplos", 100),
    ],
)
def test_frames_are_put_together(name, framing, least):
    framed = open_capture(CAPTURES / "ble" / f"{name}.btsnoop").framed
    names = [each.name for each in framed.framings]
    counts = Counter(names[number] for number in framed.framing[framed.framing >= 0].tolist())
    assert counts[framing] >= least, counts
    assert framed.checksum_ok[framed.framing >= 0].mean() > 0.9


@needs_captures
def test_no_byte_vanishes_between_raw_and_framed():
    for path in FILES:
        capture = open_capture(path)
        assert capture.messages.size.sum() == capture.raw_messages.size.sum()
        assert set(capture.messages.packets.tolist()) == set(capture.raw_messages.packets.tolist())
        assert (np.diff(capture.messages.time) >= 0).all()


@needs_captures
def test_rfcomm_carries_frames_both_ways():
    messages = open_capture(CAPTURES / "ble" / "ant24c-rfcomm-classic.btsnoop").raw_messages
    assert tuple(map(str, messages.channels)) == ("rfcomm 1",)
    assert len(messages) == 237
    assert set(messages.direction.tolist()) == {-1, 1}
