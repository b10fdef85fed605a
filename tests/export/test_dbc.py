"""An exported DBC file: cantools decodes frames with it as the model does, and packwire reads it back."""

import math
from typing import Any

import pytest

from packwire.errors import BadOptionError
from packwire.export.dbc import dbc
from packwire.models.dbc import dbc_model
from packwire.models.heard import Heard
from packwire.models.load import model, parse
from packwire.models.requests import template_of
from packwire.models.store import library
from packwire.wire.codec import Codec

CAN = [name for name in library() if model(name).can]
#: SaidQuantity twice in a message, finely where the device knows it so, and told apart by no rule that DBC has.
COARSE = {("victron-can", "soc")}
#: A model of all that DBC can say.
ALL = """
packwire: 1
name: acme
title: Acme
order: big
links: {can: {bit_rate: 500000}}
framings: [{form: can}]
replies:
  state:
    id: 0x123
    fields:
      - {name: page, at: 0, bits: [0, 4]}
      - {name: mode, at: 0, bits: [4, 4], names: {0: idle, 1: "run\\"ning", 2: ""}}
      - {name: level, type: i16, at: 1, bits: [3, 9], scale: 0.25, addend: -3}
      - {name: middle, type: u24, at: 3, order: little, bits: [5, 13]}
      - {name: first, type: u16, at: 6, when: [{field: page, is: 1}], quantity: voltage}
      - {name: second, type: i16, at: 6, order: little, when: [{field: page, is: 2}], quantity: current}
  floats:
    id: 0x1234567
    fields:
      - {name: one, type: f32, at: 0, quantity: power}
      - {name: other, type: f32, order: little, scale: -2, quantity: soc}
  wide:
    id: 0x7f0
    extended: true
    fields:
      - {name: cells, type: u16, scale: 0.001, count: 3, quantity: cell_voltages}
      - {name: states, type: u8, flags: {0: low, 3: high, 7: "a; \\"b\\" SG_ x"}, quantity: alarms}
"""


def frames_of(protocol):
    """Return the frames of the examples, as from the device whose address the file is for."""
    return [
        at_first_address(protocol, template_of(text, protocol.framings, {}).frame({}))
        for example in protocol.content.get("examples", ())
        for text in example["frames"]
    ]


def decoded(database, frame: bytes):
    number = int.from_bytes(frame[:4]) & 0x1FFF_FFFF
    message = database.get_message_by_frame_id(number, force_extended_id=bool(frame[0] & 0x80))
    return message.decode(frame[4:], decode_choices=False, scaling=True, allow_truncated=True)


def fields_of(protocol, frame):
    """Return the numbers of a frame as the model decodes them, by field, without names and flags."""
    reply = protocol.reply_of(frame)
    return {
        span.name: (span.raw, reply.codec.by_name[span.name.partition("[")[0]])
        for span in Codec(reply.codec.fields, reply.codec.order).spans(frame[4:])
    }


@pytest.mark.parametrize("name", CAN)
def test_cantools_decodes_alike(name):
    cantools = pytest.importorskip("cantools", reason="cantools is not installed")
    protocol = model(name)
    made = dbc(protocol)
    database = cantools.database.load_string(made.text, "dbc", strict=True)
    compared = 0
    for frame in frames_of(protocol):
        said, values = decoded(database, frame), protocol.values(frame)
        for key, value in values.items():
            if key in said:
                lone = value[0] if isinstance(value, tuple) else value
                assert said[key] == pytest.approx(float(lone)) or (name, key) in COARSE, key
                compared += 1
            for index, each in enumerate(value if isinstance(value, tuple) else ()):
                if f"{key}_{index + 1}" in said:
                    assert said[f"{key}_{index + 1}"] == pytest.approx(float(each))
                    compared += 1
    assert compared > 5


def at_first_address(protocol, frame):
    if protocol.bus is None:
        return frame
    at = protocol.bus["at"]
    return frame[:at] + bytes([protocol.bus.get("first", 1)]) + frame[at + 1 :]


@pytest.mark.parametrize("seed", range(20))
def test_every_bit_is_where_cantools_finds_it(seed):
    cantools = pytest.importorskip("cantools", reason="cantools is not installed")
    protocol = parse(ALL, "acme.yaml")
    made = dbc(protocol)
    database = cantools.database.load_string(made.text, "dbc", strict=True)
    data = bytes((seed * 37 + at * 101 + at * at * seed) % 256 for at in range(8))
    for reply in protocol.replies:
        page = 1 + seed % 2
        frame = bytes(byte or 0 for byte in reply.begins) + bytes([data[0] & 0xF0 | page]) + data[1:]
        said = decoded(database, frame)
        for name, (raw, field) in fields_of(protocol, frame).items():
            key = field.quantity if field.quantity in said else name
            if field.flags or field.count is not None or key not in said:
                continue
            value = (
                field.scaled(field.raw_in(frame[4:], field.at or 0, "big")) if field.at is not None else None
            )
            if value is not None and not math.isnan(value):
                assert said[key] == pytest.approx(value), (reply.name, name, raw)
    flags = decoded(database, bytes.fromhex("800007f0 0001 0002 0003 89".replace(" ", "")))
    assert (flags["low"], flags["high"], flags["a_b_sg_x"]) == (1, 1, 1)
    assert [flags[f"cell_voltages_{number}"] for number in (1, 2, 3)] == pytest.approx([0.001, 0.002, 0.003])


@pytest.mark.parametrize("name", CAN)
def test_read_back_it_says_the_same(name, tmp_path):
    protocol = model(name)
    path = tmp_path / f"{name}.dbc"
    path.write_text(dbc(protocol).text, encoding="utf-8")
    again = dbc_model(path)
    compared = 0
    for frame in frames_of(protocol):
        heard = Heard(again)
        heard.take(frame)
        ours: dict[str, Any] = protocol.values(frame)
        for key, value in heard.values().items():
            if key in ours and not (isinstance(value, tuple) and len(ours[key]) != len(value)):
                assert value == pytest.approx(ours[key]) or (name, key) in COARSE, (frame.hex(" "), key)
                compared += 1
    assert compared > 5


def test_the_address_is_in_the_identifiers():
    assert "BO_ 2147493376 " in dbc(model("vesc-can")).text  # 0x2600, marked as one of 29 bits
    assert "BO_ 2147493386 " in dbc(model("vesc-can"), 10).text
    with pytest.raises(BadOptionError, match="is not addressed"):
        dbc(model("victron-can"), 3)


def test_what_it_cannot_express_stands_in_its_comment():
    made = dbc(model("vesc-can"))
    assert "- pack current, current: it is there only where another field says so" in made.text
    assert made.text.count("\n- ") == len(made.left_out)


def test_a_model_that_is_not_of_can_is_refused():
    with pytest.raises(BadOptionError, match="is not spoken on CAN"):
        dbc(model("jbd"))
