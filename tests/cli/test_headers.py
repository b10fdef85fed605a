"""Where a framing is known, it says how long the header is: in groups, pairs and diff alike."""

import json

import numpy as np
import pytest

from packwire.capture import open_capture
from packwire.cli.headers import family_names, known_headers, unframed
from packwire.messages import Direction
from tests.cli.running import packwire
from tests.shared_data import CAPTURES, needs_captures


def _headers(name, way):
    capture = open_capture(CAPTURES / name)
    lengths = known_headers([capture])[0]
    messages = capture.messages
    rows = np.flatnonzero(messages.direction == way).tolist()
    return {messages.payload(row)[: lengths[row]].hex() for row in rows if not unframed(capture)[row]}


@needs_captures
@pytest.mark.parametrize(
    ("name", "way", "some"),
    [
        ("ble/ant-ble16zmub.btsnoop", Direction.TO_DEVICE, {"7ea1010000", "7ea1510700", "7ea1510f00"}),
        ("ble/ant24c-rfcomm-classic.btsnoop", Direction.TO_DEVICE, {"5a5aff", "a5a5f1", "a5a5f2"}),
        ("ble/daly-balancer.btsnoop", Direction.TO_DEVICE, {"d2030080", "d20600cf", "a54002"}),
        ("ble/jbd-sp04s034.btsnoop", Direction.TO_DEVICE, {"dda510", "dda511", "dd5a00"}),
        ("ble/jbd-sp04s034.btsnoop", Direction.FROM_DEVICE, {"dd10", "dd11", "dd03"}),
        ("ble/jk-b2a16s.btsnoop", Direction.FROM_DEVICE, {"55aaeb9002", "55aaeb9001"}),
        ("text/pace-25_uart_debug_esphome-pace-24.log", Direction.TO_DEVICE, {"7e3235303234363432"}),
        ("vesc/vesc-tool-direct-motor-sll2.pcap", Direction.TO_DEVICE, {"60", "220a60", "225404", "5d"}),
    ],
)
def test_the_header_is_what_the_framing_says(name, way, some):
    assert some <= _headers(name, way)


@needs_captures
async def test_pieces_of_broken_frames_are_told_in_a_line():
    out = (await packwire("groups", str(CAPTURES / "ble" / "seplos-v2.btsnoop"))).out
    assert out.splitlines()[-1] == (
        "23 pieces in no whole frame  from device, att 0x0011 ff01 notify, 4 to 57 bytes, packets 103..432"
    )


@needs_captures
async def test_frames_are_named_after_their_framing():
    file = str(CAPTURES / "ble" / "ant-ble16zmub.btsnoop")
    out = (await packwire("diff", "--split-at-writes", "--all", file)).out
    assert "frame 7e a1 11 (ANT, checksum ok (CRC-16/MODBUS), 166 frames" in out
    groups = [json.loads(line) for line in (await packwire("groups", file, "--json")).out.splitlines()]
    assert {group["framing"] for group in groups} == {"ANT", None}
    assert set(family_names([open_capture(file)]).values()) == {"ANT"}


@needs_captures
@pytest.mark.parametrize("command", ["groups", "pairs", "diff"])
async def test_a_header_longer_than_any_is_refused(command):
    file = str(CAPTURES / "ble" / "jbd-mosfets-onoff.btsnoop")
    result = await packwire(command, file, "--header", "17")
    assert result.err.strip() == "packwire: --header must be 0 to 16"
