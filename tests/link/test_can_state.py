"""What the system tells of CAN interfaces, and what error frames say."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.link.can_errors import errors_of
from packwire.link.can_state import can_interfaces, read_interfaces

pytest.importorskip("can")

from tests.doctor.live.wired import interface

#: Anything that JSON can say.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


async def test_interfaces_are_read_from_ip(tmp_path, monkeypatch) -> None:
    script = tmp_path / "ip"
    import json

    rows = [interface("can0", counters=(128, 3), modes=("LISTEN-ONLY",)), {"link_type": "ether"}]
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(rows)}\nEND\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (found,) = await can_interfaces()
    assert (found.name, found.up, found.bit_rate, found.state) == ("can0", True, 500_000, "ERROR-ACTIVE")
    assert (found.tx_errors, found.rx_errors, found.listens_only) == (128, 3, True)
    assert "error counters tx 128 rx 3" in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{}",
        "[1, null, [], {}]",
        '[{"link_type": "can"}]',
        '[{"link_type": "can", "ifname": 7}]',
        "[" * 100_000,
    ],
)
def test_what_ip_does_not_say_is_not_guessed(text: str) -> None:
    assert read_interfaces(text) == ()


def test_odd_values_of_ip_are_left_out() -> None:
    row = {
        "link_type": "can",
        "ifname": "can0",
        "flags": 3,
        "linkinfo": [],
        "stats64": {"rx": {"packets": -1}},
    }
    import json

    (found,) = read_interfaces(json.dumps([row]))
    assert (found.up, found.bit_rate, found.received) == (False, None, None)


def test_error_frames_are_told_as_in_a_log() -> None:
    told = [each.code for each in errors_of(0x20, bytes(8))]
    assert told == ["nobody-acks"]
    assert [each.code for each in errors_of(0x88, bytes([0, 0, 0x80, 0x19, 0, 0, 0, 0]))] == ["nobody-acks"]
    assert [each.code for each in errors_of(0x88, bytes([0, 0, 0x04, 0x0A]))] == ["can-frame-bad"]
    assert [each.code for each in errors_of(0x04, bytes([0, 0x20]))] == ["can-passive"]
    assert [each.code for each in errors_of(0x40, b"")] == ["can-bus-off"]
    assert list(errors_of(0x200, bytes(8))) == []


@given(st.text())
def test_no_text_is_too_much_for_it(text: str) -> None:
    assert isinstance(read_interfaces(text), tuple)


@given(st.dictionaries(st.sampled_from(["flags", "linkinfo", "stats64", "stats"]), ANYTHING), ANYTHING)
def test_no_row_is_too_much_for_it(row: dict[str, object], data: object) -> None:
    row = {"link_type": "can", "ifname": "can0", "linkinfo": {"info_data": data}} | row
    (found,) = read_interfaces(json.dumps([row]))
    assert found.name == "can0"
    assert str(found)


@given(st.integers(0, (1 << 29) - 1), st.binary(max_size=8))
def test_no_error_frame_is_too_much_for_it(identifier: int, data: bytes) -> None:
    codes = [each.code for each in errors_of(identifier, data)]
    assert len(codes) == len(set(codes)) <= 4
