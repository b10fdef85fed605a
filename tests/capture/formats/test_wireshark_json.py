"""Wireshark's JSON: what tshark makes of a recording gives the messages of the recording itself."""

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.open import Capture, open_capture
from packwire.capture.writers import pcapng
from packwire.errors import BadFileError
from tests.capture.builder import read
from tests.capture.formats.can_forms import FORMS, Frame
from tests.fuzz.fuzz_formats import check
from tests.shared_data import CAPTURES, needs_captures, needs_tshark


def packet(layers: dict[str, Any]) -> dict[str, Any]:
    return {"_index": "packets-2023-11-14", "_type": "doc", "_score": None, "_source": {"layers": layers}}


def frame(number: int, way: str = "0") -> dict[str, Any]:
    return {
        "frame.encap_type": "99",
        "frame.time_epoch": f"170000000{number}.250000000",
        "frame.p2p_dir": way,
    }


WRITE = {
    "frame": frame(0),
    "btatt": {
        "btatt.opcode": "0x52",
        "btatt.opcode_tree": {"btatt.opcode.method": "0x12"},
        "btatt.handle": "0x0015",
        "btatt.handle_tree": {"btatt.service_uuid16": "0xff00", "btatt.uuid16": "0xff02"},
        "btatt.value": "dd:a5:03:00:ff:fd:77",
    },
}
NOTIFY = {
    "frame": frame(1, "1"),
    "btatt": {"btatt.opcode": "0x0000001b", "btatt.handle": "0x00000012", "btatt.value": "dd:03"},
}
EK = {
    "timestamp": "1700000002250",
    "layers": {
        "frame": {"frame_frame_time_epoch": "2023-11-14T22:13:22.250000000Z", "frame_frame_p2p_dir": "1"},
        "btatt": {"btatt_btatt_opcode": "0x1b", "btatt_btatt_handle": "0x0012", "btatt_btatt_value": "01:02"},
    },
}


def said(data: bytes):
    messages = Capture("log", read(data)).raw_messages
    return [
        (
            int(messages.direction[row]),
            str(messages.channels[messages.channel[row]]),
            messages.payload(row).hex(),
        )
        for row in range(len(messages))
    ]


@pytest.mark.parametrize("indent", [None, 2])
def test_att_values_with_handle_uuid_way_and_time(indent):
    data = json.dumps([packet(WRITE), packet(NOTIFY)], indent=indent).encode()
    assert said(data) == [(1, "att 0x0015 ff02 write", "dda50300fffd77"), (-1, "att 0x0012 notify", "dd03")]
    assert read(data).time.tolist() == [1_700_000_000_250_000_000, 1_700_000_001_250_000_000]


def test_lines_for_elasticsearch():
    data = "\n".join((json.dumps({"index": {"_index": "packets"}}), json.dumps(EK), "")).encode()
    assert said(data) == [(-1, "att 0x0012 notify", "0102")]
    assert read(data).time.tolist() == [1_700_000_002_250_000_000]


def test_several_pdus_in_one_packet_and_chosen_fields():
    twice = json.dumps([packet(NOTIFY)]).replace(
        '"btatt"', '"btatt": {"btatt.opcode": "0x1b", "btatt.handle": "0x0012", "btatt.value": "aa"}, "btatt"'
    )
    assert [content for *_, content in said(twice.encode())] == ["aa", "dd03"]
    chosen = {
        "frame.time_epoch": ["1700000000.0"],
        "btatt.opcode": ["0x1b"],
        "btatt.handle": ["0x0012"],
        "btatt.value": ["0102"],
    }
    assert said(json.dumps([packet(chosen)]).encode()) == [(-1, "att 0x0012 notify", "0102")]


def test_what_is_cut_off_keeps_its_begin():
    data = json.dumps([packet(WRITE), packet(NOTIFY)], indent=2).encode()
    packets = read(data[:-200])
    assert len(packets) == 1
    assert "cut off" in packets.damage[0]


def test_packets_without_data_are_refused_with_advice():
    with pytest.raises(BadFileError, match="tshark -T json -x"):
        read(json.dumps([packet({"frame": frame(0), "hci_h4": {"hci_h4.type": "0x04"}})]).encode())


@given(
    st.recursive(
        st.none() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    (
                        "btatt",
                        "btatt.opcode",
                        "btatt.value",
                        "tcp",
                        "tcp.payload",
                        "ip",
                        "ip.src",
                        "can",
                        "can.id",
                        "data",
                        "frame",
                        "frame_raw",
                    )
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_layers_of_any_kind_never_crash(layers):
    check(
        json.dumps(
            [packet({"btatt": layers, "can": layers, "tcp": layers, "frame": layers}), packet(layers)]
        ).encode()
    )
    check(b'[{"_index": 1, "_source": {"layers": ' + b"[" * 100_000)


@needs_tshark
@needs_captures
@pytest.mark.parametrize("options", [("json",), ("ek",), ("json", "-x"), ("ek", "-x")])
@pytest.mark.parametrize(
    "name", ["jbd-sp04s034.btsnoop", "seplos-v2.btsnoop", "ant24c-rfcomm-classic.btsnoop"]
)
def test_a_recording_through_tshark_says_the_same(name, options):
    path = CAPTURES / "ble" / name
    made = subprocess.run(["tshark", "-r", path, "-T", *options], capture_output=True, check=True).stdout
    original = open_capture(path).raw_messages
    again = Capture("log", read(made)).raw_messages
    # What a server reads out in pieces, and long writes, are only put together from packets.
    assert list(again.payloads()) == list(original.payloads())
    assert again.direction.tolist() == original.direction.tolist()
    assert abs(again.time - original.time).max() < 2000


@needs_tshark
def test_can_frames_convert_to_pcapng_and_tshark_reads_them(tmp_path):
    frames = [
        Frame(0, 0x355, False, b"\x3e\0d\0"),
        Frame(5, 0x18FF50E5, True, bytes(range(8))),
        Frame(7, 0x123, False, b"", remote=True),
        Frame(9, 0x124, False, bytes(range(12)), fd=True),
    ]
    packets = read(FORMS["candump -L"].write(frames).encode())
    target = tmp_path / "can.pcapng"
    with target.open("wb") as file:
        pcapng.write(packets, file)
    again = open_capture(target)
    assert [again.packets.packet(row) for row in range(4)] == [each.socketcan for each in frames]
    assert again.packets.direction.tolist() == packets.direction.tolist()
    assert again.packets.time.tolist() == packets.time.tolist()
    fields = ["can.id", "can.flags.xtd", "can.flags.rtr", "can.len", "data.data"]
    shown = subprocess.run(
        ["tshark", "-r", target, "-T", "fields", *(part for each in fields for part in ("-e", each))],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    rows = [line.split("\t") for line in shown.splitlines()]
    assert [(int(row[0]), row[4]) for row in rows] == [(each.id, each.data.hex()) for each in frames]
    assert [row[1:3] for row in rows[:3]] == [["0", "0"], ["1", "0"], ["0", "1"]]
    made = subprocess.run(["tshark", "-r", target, "-T", "json"], capture_output=True, check=True).stdout
    assert list(Capture("log", read(made)).can.raw.payloads()) == [each.data for each in frames]
