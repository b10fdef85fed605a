"""The families on serial lines and CAN: against recorded bytes, and value by value against aiobmsble."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.models.heard import Heard
from packwire.models.load import model
from packwire.wire.columned import ColumnCodec
from packwire.wire.fields import Field, Type
from packwire.wire.finding import frames_in
from packwire.wire.keyed import KeyedCodec
from tests.shared_data import SHARED, VECTORS, needs_vectors

TEXT = SHARED / "captures" / "text"
recorded = pytest.mark.skipif(not TEXT.exists(), reason="../shared/captures is not here")


def said(name, *frames):
    heard = Heard(model(name))
    for frame in frames:
        assert heard.take(frame).reply is not None
    return heard.values()


@needs_vectors
def test_seplos_v3_says_of_a_pack_what_aiobmsble_says():
    """Of three exchanges the first is whole; aiobmsble's samples are of the master, its packs within."""
    raw = json.loads(VECTORS.read_text())["seplos_bms"][0]
    protocol = model("seplos-v3")
    stream = b"".join(
        # aiobmsble's radio leaves the padding of notifications in: c0ffee.
        bytes.fromhex(data.removesuffix("c0ffee"))
        for way, data in raw["io"]
        if way == "rx"
    )
    packs: dict[int, Heard] = {}
    for found in frames_in(stream, protocol.framings):
        frame = stream[found.start : found.start + found.size]
        unit = protocol.unit_of(frame)
        if protocol.reply_of(frame) is not None and found.ok and unit:
            packs.setdefault(unit, Heard(protocol)).take(frame)
    assert sorted(packs) == [1, 2]
    for number, pack in enumerate(raw["sample"]["packs"], 1):
        values = packs[number].values()
        assert values["voltage"] == pack["voltage"]
        assert values["current"] == pack["current"]
        assert values["soc"] == pack["battery_level"]
        assert values["soh"] == pack["battery_health"]
        assert values["cycles"] == pack["cycles"]
        assert values["cell_voltages"] == pytest.approx(pack["cell_voltages"])
        cells, ambient, mosfet = (
            values["temperatures"],
            values["temperature_ambient"],
            values["temperature_mosfet"],
        )
        assert cells == pytest.approx([value for value, _ in pack["temp_values"][:4]])
        assert [ambient, mosfet] == pytest.approx([value for value, _ in pack["temp_values"][4:]])


def test_pace_as_a_public_program_shows_it():
    frame = (
        b"~25014600F07A0001100CC70CC80CC70CC70CC70CC50CC60CC70CC70CC60CC70CC60CC60CC70CC60CC7"
        b"060B9B0B990B990B990BB30BBCFF1FCCCD12D303286A008C2710E1E4\r"
    )
    assert model("pace").framing_of(frame) is not None
    values = said("pace", frame)
    assert values["voltage"] == 52.429
    assert values["current"] == -2.25
    assert (values["charge_remaining"], values["capacity"], values["capacity_design"]) == (48.19, 103.46, 100)
    assert (values["cycles"], len(values["cell_voltages"]), len(values["temperatures"])) == (140, 16, 6)
    assert values["cell_voltages"][:3] == (3.271, 3.272, 3.271)


@recorded
def test_what_a_pace_was_asked_in_a_recording_is_what_we_ask():
    log = (TEXT / "pace-25_uart_debug_esphome-pace-24.log").read_text()
    (text,) = re.findall(r">>> ([0-9A-F:]+)", log)
    sent = bytes.fromhex(text.replace(":", " "))
    (question,) = model("pace").questions
    assert question.template.match(sent) == {"address": 2}
    assert question.template.frame({"address": 2}) == sent


def test_pylontech_packs_of_a_public_log():
    frames = (
        (
            b"~20024600F07A00020F0D170D140D150D150D180D170D140D150D150D180D170D140D150D150D18050C0B0BEF0BF0"
            b"0BED0C0B00C9C447FFFF04FFFF00120172B90186A0E2D1\r"
        ),
        b"~20024600B01402D002AFC800C8FE0CC0F915\r",
    )
    assert all(model("pylontech").framing_of(each) for each in frames)
    values = said("pylontech", *frames)
    assert (values["voltage"], values["current"]) == (50.247, 20.1)
    assert (values["charge_remaining"], values["capacity"], values["cycles"]) == (94.905, 100, 18)
    assert (values["charge_voltage_limit"], values["discharge_voltage_limit"]) == (53.25, 45.0)
    assert (values["charge_current_limit"], values["discharge_current_limit"]) == (20, 50)
    assert (values["charge_enabled"], values["discharge_enabled"]) == (True, True)


@recorded
def test_a_recorded_can_bus_says_what_its_display_said():
    log = (TEXT / "victron-can_candump_esphome-virtual-can-bms-3.candump.txt").read_text()
    found = re.findall(r"can8\s+([0-9A-F]{3})\s+\[\d\]\s+([0-9A-F ]+)", log)
    protocol = model("victron-can")
    heard = Heard(protocol)
    for number, data in found:
        heard.take(int(number, 16).to_bytes(4) + bytes.fromhex(data))
    values = heard.values()
    shown = {"charge_voltage_limit": 57.9, "soh": 100, "voltage": 52.17, "current": -30.1}
    assert {key: values[key] for key in shown} == shown
    assert values["temperatures"] == (23.5,)
    assert values["soc"] == 60.2


BLOCK = (
    b"\r\nPID\t0x203\r\nV\t26201\r\nI\t-1300\r\nP\t-34\r\nCE\t-13452\r\nSOC\t876\r\nTTG\t1640\r\nAlarm\tOFF"
    b"\r\nRelay\tOFF\r\nAR\t0\r\nBMV\t700\r\nFW\t0307\r\nChecksum\t"
)
HISTORY = b"\r\nH1\t-55000\r\nH4\t17\r\nH6\t-1234567\r\nH7\t11900\r\nH17\t1500\r\nH18\t1800\r\nChecksum\t"


def summed(block):
    return block + bytes([-sum(block) & 0xFF])


def test_blocks_of_ve_direct_are_found_in_a_stream_that_begins_in_the_middle():
    protocol = model("victron-vedirect")
    stream = summed(BLOCK)[17:] + summed(BLOCK) + summed(HISTORY) + summed(BLOCK)[:40] + summed(BLOCK)
    framer = protocol.framer()
    heard = Heard(protocol)
    frames = []
    for at in range(0, len(stream), 7):
        frames += framer.feed(stream[at : at + 7])
    assert [each.payload for each in frames] == [summed(BLOCK), summed(HISTORY), summed(BLOCK)]
    for each in frames:
        heard.take(each.payload)
    values = heard.values()
    assert values["model"] == "BMV-700"
    assert (values["voltage"], values["current"], values["soc"]) == (26.201, -1.3, 87.6)
    assert (values["runtime"], values["cycles"]) == (98400, 17)
    assert (values["charge_discharged_total"], values["energy_charged_total"]) == (1234.567, 18000)
    assert framer.stats.received == sum(each.size for each in frames) + framer.stats.junk


KEYED = KeyedCodec(
    [
        Field(name="volts", key="V", type=Type.DECIMAL, width=None, scale=0.001),
        Field(name="text", key="FW", type=Type.TEXT, width=None),
        Field(name="none", key="T", type=Type.DECIMAL, width=None, unknown=(-1,)),
    ]
)


@given(st.binary(max_size=300) | st.text("\r\n\tVFWT0123456789-x", max_size=200).map(str.encode))
def test_any_text_of_keys_is_read_and_its_places_lie_in_it(data):
    KEYED.decode(data)
    for span in KEYED.spans(data):
        assert 0 <= span.offset <= span.offset + span.width <= len(data)


@given(st.integers(-(10**9), 10**9), st.text("0123456789ABC", min_size=1, max_size=8))
def test_a_text_of_keys_comes_back(millivolts, text):
    encoded = KEYED.encode({"volts": millivolts / 1000, "text": text, "none": None})
    assert KEYED.decode(encoded).values["text"] == text
    assert KEYED.decode(encoded).values["volts"] == millivolts / 1000


def test_what_is_no_number_behind_a_key_is_no_value():
    assert KEYED.decode(b"\r\nV\t---\r\nT\t-1\r\nFW\t").values == {}
    assert KEYED.decode(b"\r\nV\t0x10").values == {"volts": 0.016}


COLUMNS = ColumnCodec(
    [
        Field(name="volts", column=1, type=Type.DECIMAL, width=4, scale=0.01),
        Field(name="many", column=2, type=Type.DECIMAL, width=None),
        Field(name="cells", column=3, type=Type.DECIMAL, width=3, count="many", most=8),
        Field(name="low", column=12, type=Type.HEXADECIMAL, width=4, bits=(0, 4)),
        Field(name="high", column=12, type=Type.HEXADECIMAL, width=4, bits=(8, 8)),
        Field(name="text", column=13, type=Type.TEXT, width=None),
    ],
    "big",
    ",",
)


@given(st.binary(max_size=300) | st.text(",0123456789abcdef-+.\r\n", max_size=200).map(str.encode))
def test_any_line_of_columns_is_read_and_its_places_lie_in_it(data):
    said = COLUMNS.decode(data)
    assert len(said.values.get("cells", ())) <= 8
    for span in COLUMNS.spans(data):
        assert 0 <= span.offset <= span.offset + span.width <= len(data)


@given(
    st.integers(-999, 9999),
    st.lists(st.integers(0, 999), max_size=8),
    st.integers(0, 15),
    st.integers(0, 255),
    st.text("0123456789ABC", min_size=1, max_size=8),
)
def test_a_line_of_columns_comes_back(volts, cells, low, high, text):
    values = {"volts": volts / 100, "cells": tuple(cells), "low": low, "high": high, "text": text}
    said = COLUMNS.decode(COLUMNS.encode(values) + b"\r\n")
    assert said == ({**values, "many": len(cells)}, (), 0)


def test_what_a_line_lacks_is_missing_and_what_is_no_number_is_no_value():
    assert COLUMNS.decode(b"0,xx,2,330").missing == ("cells", "low", "high", "text")
    assert COLUMNS.decode(b"0,xx,2,330").values == {"many": 2, "cells": (330,)}
    assert COLUMNS.decode(b"0,1" + b"0" * 400).values == {"cells": ()}


def test_a_line_with_another_number_of_columns_is_another():
    protocol = model("lithionics")
    assert protocol.values(b"1331,333,332,333,333,68,66,-12,71,000000\r\n")["current"] == -12
    assert protocol.values(b"1,331,333,332,333,333,68,66,-12,71,000000\r\n") == {}
    assert protocol.values(b"3,333,68,66,-12,71,000000\r\n") == {}


def test_problems_of_several_cells_are_named_once():
    protocol = model("x123smart")
    heard = Heard(protocol)
    for line in (b"C_01_02_29B_129_13_30\r", b"C_02_02_29B_129_13_30\r"):
        heard.take(line)
    values = heard.values()
    assert (values["problem_code"], values["alarms"]) == (16, "cell overvoltage")


@pytest.mark.parametrize(
    ("version", "raw", "current"),
    [
        (1, 0x80D0, 2.08),
        (1, 0x07D0, -20.0),
        (0, 10000, 0.0),
        (0, 9500, 5.0),
        (0, 11000, -10.0),
        (2, 9500, None),
    ],
)
def test_how_jk_writes_its_current_is_told_by_the_version(version, raw, current):
    jk = model("jk-uart")
    said = jk.content["examples"][0]["frames"][0].replace("84 80 d0", f"84 {raw >> 8:02x} {raw & 255:02x}")
    frame = bytes.fromhex(said.replace("c0 01", f"c0 {version:02x}").replace("..", "00"))
    assert jk.values(jk.framings[0].seal(frame)).get("current") == pytest.approx(current)
