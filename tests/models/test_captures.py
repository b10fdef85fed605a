"""What models say of what vendors' apps were told, recorded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.open import open_capture
from packwire.capture.redact import without_secrets
from packwire.capture.redact.families import _pins as pins
from packwire.device import open_device
from packwire.direction import Direction
from packwire.models.heard import Heard
from packwire.models.load import model
from tests.shared_data import SHARED, needs_captures

CAPTURES = SHARED / "captures" / "ble"

#: Capture -> model, the frames from the device that it knows at least, and what they say in the end.
CASES: dict[str, tuple[str, int, dict[str, float]]] = {
    "basen": ("basen", 60, {"voltage": 26.838, "soc": 7, "capacity_design": 100, "cycles": 7}),
    "lolan-status-controls": ("lolan", 100, {"soc": 39, "cycles": 1, "charge_discharged_total": 78.787}),
    "seplos-v2": ("seplos", 30, {"cell_count": 16, "soh": 100, "cycles": 6, "capacity_design": 302}),
}


@needs_captures
@pytest.mark.parametrize("name", CASES)
def test_a_capture_says_what_the_app_was_told(name):
    chosen, least, expected = CASES[name]
    protocol = model(chosen)
    messages = open_capture(CAPTURES / f"{name}.btsnoop").messages
    heard = Heard(protocol)
    known = 0
    for message in messages:
        if message.direction is Direction.FROM_DEVICE and protocol.framing_of(message.payload):
            known += heard.take(message.payload).reply is not None
    values = heard.values()
    assert known >= least
    assert {key: pytest.approx(values.get(key), abs=0.001) for key in expected} == expected


@needs_captures
@pytest.mark.parametrize(
    ("name", "said", "cells"),
    [
        ("jk-b2a16s", "Bluetooth, JK04", 16),
        ("jk-heating-setting", "Bluetooth, JK02", 16),
        ("daly-balancer", "Bluetooth, Daly", 16),
        ("seplos-v2", "Bluetooth, Seplos V2", 16),
        ("lolan-status-controls", "Bluetooth, Lolan", None),
    ],
)
async def test_what_an_app_was_told_is_read_again_with_no_word_of_the_model(name, said, cells):
    pytest.importorskip("bleak")
    async with open_device(f"replay:{CAPTURES / name}.btsnoop", timeout=2, tries=1) as device:
        (sample,) = await device.read()
        assert (device.where, sample.values.get("cell_count")) == (said, cells)
        assert sample.values["voltage"]


@given(st.binary(min_size=13, max_size=13))
def test_rubbish_in_a_command_changes_nothing_of_what_it_asks(rubbish):
    jk = model("jk02")
    command = jk.framings[1].seal(b"\xaa\x55\x90\xeb\x96\x00" + rubbish + b"\0")
    assert jk.describe(command) == "status"
    assert jk.kind(command) == jk.kind(jk.asked_by_name["status"].payload)
    assert jk.plain(command[:-1] + bytes([command[-1] ^ 1])) == command[:-1] + bytes([command[-1] ^ 1])


@needs_captures
def test_the_pin_in_each_request_of_lolan_is_masked():
    messages = open_capture(CAPTURES / "lolan-status-controls.btsnoop").messages
    protocol = model("lolan")
    asked = [each.payload for each in messages if each.payload[:2] == b"\xc5\x65"]
    assert asked
    assert all(protocol.mask(each) == b"\xc5\x65****" for each in asked)


@needs_captures
def test_whose_pin_a_request_holds_changes_nothing_of_what_it_asks():
    lolan, jbd = model("lolan"), model("jbd")
    assert (
        lolan.kind(b"\xc5\x65****") == lolan.kind(b"\xc5\x65\x00\xbc\x61\x4e") != lolan.kind(b"\x5b\x65****")
    )
    logins = [
        next(each for each in jbd.questions if each.name == "login").template.frame({"pin": pin})
        for pin in ("123456", "654321")
    ]
    assert len({jbd.kind(each) for each in logins}) == 2


@needs_captures
def test_a_recording_of_lolan_is_shown_without_its_pin():
    capture = open_capture(CAPTURES / "lolan-status-controls.btsnoop")
    pin = b"\x00\xbc\x61\x4e"
    assert any(pin in each.payload for each in capture.messages)
    assert not any(pin in each.payload for each in without_secrets(capture).messages)


@needs_captures
@pytest.mark.parametrize("name", ["jk-b2a16s", "daly-balancer", "seplos-v2", "ant-ble16zmub", "basen"])
def test_recordings_of_others_hold_no_pin_of_a_lolan(name):
    messages = open_capture(CAPTURES / f"{name}.btsnoop").messages
    assert list(pins(b"".join(each.payload for each in messages))) == []
