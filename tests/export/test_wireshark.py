"""An exported dissector in tshark: it finds the frames, and says what the model says of them."""

import subprocess
from typing import Any

import pytest

from packwire import open_device
from packwire.capture.open import open_capture
from packwire.direction import Direction
from packwire.export.wireshark import wireshark
from packwire.models.heard import Heard
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import template_of
from packwire.models.store import library
from packwire.quantity import QUANTITIES, Kind
from tests.cli.running import packwire
from tests.export.captured import captured, tshark, usb
from tests.export.exportable import COMPARABLE, EXPORTABLE
from tests.models.aiobmsble_vectors import exchanges
from tests.models.test_against_aiobmsble import FAMILIES, OTHERS
from tests.shared_data import CAPTURES, needs_captures, needs_luac, needs_tshark, needs_vectors

#: Captures of real devices, by the model that is spoken there, and how many replies are known in each at least.
REAL = {
    "jbd-sp04s034": ("jbd", 130),
    "jbd-mosfets-onoff": ("jbd", 100),
    "jk-b2a16s": ("jk04", 20),
    "jk-heating-setting": ("jk02", 20),
    "ant-ble16zmub": ("ant", 20),
    "daly-balancer": ("daly", 20),
    "basen": ("basen", 60),
    "seplos-v2": ("seplos", 30),
    "lolan-status-controls": ("lolan", 100),
}


def script_of(protocol: ModelProtocol, folder) -> Any:
    path = folder / "dissector.lua"
    path.write_text(wireshark(protocol).text, encoding="utf-8")
    return path


def name_of(protocol: ModelProtocol) -> str:
    return f"packwire_{protocol.name.replace('-', '_')}"


def differences(values, shown):
    """Yield what Wireshark shows otherwise than the model says it."""
    for key, value in values.items():
        got = shown.get(key, [])
        if isinstance(value, tuple) and QUANTITIES[key].kind is Kind.FLAG:
            same = got == ["".join("1" if each else "0" for each in value)]
        elif isinstance(value, tuple):
            same = [float(each) for each in got][: len(value)] == pytest.approx(list(value))
        elif isinstance(value, bool):
            same = bool(got) and got[0] == str(int(value))
        elif isinstance(value, str):
            words = value.partition("\0")[0] or "none"  # as far as Wireshark shows a text
            same = (", ".join(each for each in got if each not in {"", "none"}) or "none") == words
        else:
            same = pytest.approx(value) in (sum(map(float, got)), float(got[0]) if got else None)
        if not same:
            yield f"{key}: the model says {value}, tshark {got}"


def compare(protocol: ModelProtocol, frames, shown):
    heard = Heard(protocol)
    said = [(frame, taken) for frame in frames if (taken := heard.take(frame)).reply is not None]
    known = [each for each in shown if not each["message"][0].startswith("unknown")]
    assert len(known) == len(said)
    for (frame, taken), tree in zip(said, known, strict=True):
        name = taken.reply.name if taken.reply else ""
        assert tree["message"][0].startswith(name.replace("|", " ")), frame.hex(" ")
        assert list(differences(taken.values, tree)) == [], frame.hex(" ")


@needs_tshark
@pytest.mark.parametrize("name", EXPORTABLE)
def test_the_examples_of_a_model_are_shown(name, tmp_path):
    protocol = model(name)
    frames = [
        template_of(text, protocol.framings, {}).frame({})
        for example in protocol.content.get("examples", ())
        for text in example["frames"]
    ] or [made(protocol)]
    path = tmp_path / "capture"
    path.write_bytes(captured(protocol, frames))
    compare(protocol, frames, tshark(path, script_of(protocol, tmp_path), name_of(protocol)))


def made(protocol: ModelProtocol) -> bytes:
    """Return some reply of a model that has no examples."""
    return protocol.encode(protocol.replies[0].name, {})


@needs_tshark
@needs_vectors
@pytest.mark.parametrize("plugin", COMPARABLE)
def test_what_aiobmsble_was_told_is_shown(plugin, tmp_path):
    chosen: dict[str, list[bytes]] = {}
    for exchange in exchanges(plugin):
        protocol = model(OTHERS.get((plugin, exchange.number), FAMILIES[plugin][0]))
        framer = protocol.framer()
        found = [frame.payload for piece in exchange.received for frame in framer.feed(piece)]
        chosen.setdefault(protocol.name, []).extend(found)
    for name, frames in chosen.items():
        protocol = model(name)
        path = tmp_path / name
        path.write_bytes(captured(protocol, frames))
        compare(protocol, frames, tshark(path, script_of(protocol, tmp_path), name_of(protocol)))


@needs_tshark
@needs_captures
@pytest.mark.parametrize("capture", REAL)
def test_a_capture_of_a_real_device_is_shown(capture, tmp_path):
    name, least = REAL[capture]
    protocol = model(name)
    path = CAPTURES / "ble" / f"{capture}.btsnoop"
    frames = [
        message.payload
        for message in open_capture(path).messages
        if message.direction is Direction.FROM_DEVICE and protocol.framing_of(message.payload)
    ]
    shown = tshark(path, script_of(protocol, tmp_path), name_of(protocol))
    replies = [each for each in shown if not each["message"][0].endswith(("(request)", "(is set)"))]
    compare(protocol, frames, [each for each in replies if each["message"][0] != "unknown request"])
    assert len(frames) >= least
    # A second pass, as where one filters in Wireshark, says the same.
    assert tshark(path, script_of(protocol, tmp_path), name_of(protocol), "-2") == shown


@needs_tshark
@needs_captures
def test_what_the_app_sets_is_named(tmp_path):
    capture = CAPTURES / "ble" / "jbd-mosfets-onoff.btsnoop"
    shown = tshark(capture, script_of(model("jbd"), tmp_path), "packwire_jbd")
    said = [each["message"][0] for each in shown]
    assert said.count("MOSFETs (is set)") == said.count("switched")


@needs_tshark
@needs_captures
def test_a_command_is_known_whatever_rubbish_is_in_it(tmp_path):
    capture = CAPTURES / "ble" / "jk-heating-setting.btsnoop"
    shown = tshark(capture, script_of(model("jk02"), tmp_path), "packwire_jk02")
    said = [each["message"][0] for each in shown]
    assert {"status (request)", "device info (request)"} <= set(said)


@needs_tshark
def test_a_serial_adapter_on_usb(tmp_path):
    protocol = model("jbd")
    (text,) = protocol.content["examples"][0]["frames"]
    frame = template_of(text, protocol.framings, {}).frame({})
    path = tmp_path / "usb.pcap"
    path.write_bytes(usb(frame))
    compare(protocol, [frame], tshark(path, script_of(protocol, tmp_path), name_of(protocol)))


@needs_tshark
async def test_what_packwire_records_of_a_serial_line(tmp_path):
    path = tmp_path / "session.pcapng"
    async with open_device("sim:jbd") as device:
        (sample,) = await device.read()
    recorded = await packwire("record", "sim:jbd", "-o", str(path), "--count", "1")
    assert recorded.code == 0
    protocol = model("jbd")
    shown = tshark(path, script_of(protocol, tmp_path), name_of(protocol))
    assert {each["message"][0] for each in shown} >= {"basic info (request)", "basic info", "cell voltages"}
    (cells,) = {len(each["cell_voltages"]) for each in shown if "cell_voltages" in each}
    assert cells == sample.values["cell_count"]


@needs_luac
@pytest.mark.parametrize("name", library())
def test_it_is_lua(name, tmp_path):
    subprocess.run(["luac5.2", "-p", script_of(model(name), tmp_path)], check=True)


def test_what_it_cannot_express_stands_at_its_beginning():
    made = wireshark(model("jk04"))
    head = made.text.split("local floor")[0]
    assert made.left_out
    assert "-- Not expressed here:" in head
    assert head.count("-- - ") == len(made.left_out)
    assert "What is made is yours, under any terms" in head
