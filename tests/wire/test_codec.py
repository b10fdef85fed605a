"""The engine of fields: one message, a matrix of them, and back to bytes, all from the same table."""

import math
import struct

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from packwire.wire.codec import Codec
from packwire.wire.fields import TO_THE_END, Field, FieldCondition, FieldError, Operator, Type
from packwire.wire.matrix import values_of

#: Something like a BMS's status reply: a version that changes what follows, cells, flags, odd widths.
STATUS = (
    Field(name="voltage", width=2, scale=0.01),
    Field(name="current", type=Type.INT, width=2, scale=0.01),
    Field(name="soc", at=4),
    Field(name="remaining", width=3, order="little", scale=0.001),
    Field(name="switches", bits=(0, 2), at=8, flags=((0, "charge"), (1, "discharge"))),
    Field(name="heater", bits=(2, 1), at=8, names=((0, False), (1, True))),
    Field(name="state", bits=(4, 4), at=8, names=((0, "idle"), (1, "charging"), (2, "discharging"))),
    Field(name="version", at=9),
    Field(name="cell_count"),
    Field(name="cells", width=2, scale=0.001, count="cell_count", most=32),
    Field(name="probes"),
    Field(name="temperatures", width=2, scale=0.1, addend=-273.1, unknown=(0xFFFF,), count="probes"),
    Field(name="cycles", width=2, when=(FieldCondition("version", Operator.AT_LEAST, 2),)),
    Field(name="drift", type=Type.SIGN_MAGNITUDE, width=2, scale=0.1),
)
CODEC = Codec(STATUS)


def status(**changes):
    return {
        "voltage": 13.32,
        "current": -2.87,
        "soc": 76,
        "remaining": 74.123,
        "switches": ("charge", "discharge"),
        "heater": False,
        "state": "discharging",
        "version": 2,
        "cells": (3.331, 3.328, 0.0, 3.332),
        "probes": 2,
        "temperatures": (25.0, None),
        "cycles": 117,
        "drift": -0.5,
    } | changes


def test_every_kind_of_field_comes_back_from_its_bytes():
    data = CODEC.encode(status())
    assert data.hex() == "0534fee14c8b21012302040d030d0000000d04020ba5ffff00758005"
    values, missing, left_over = CODEC.decode(data)
    assert values == status(cell_count=4)
    assert (missing, left_over) == ((), 0)


def test_a_condition_that_does_not_hold_leaves_its_field_out():
    data = CODEC.encode(status(version=1))
    values, missing, _ = CODEC.decode(data)
    assert "cycles" not in values
    assert values["drift"] == -0.5
    assert missing == ()


def test_a_count_beyond_the_message_is_not_believed_and_said():
    data = bytearray(CODEC.encode(status()))
    data[10] = 200
    values, missing, _ = CODEC.decode(bytes(data))
    assert len(values["cells"]) == 8
    assert missing == ("cells[8..199]", "probes", "temperatures", "cycles", "drift")


@given(st.integers(0, 40))
def test_a_message_that_ends_early_keeps_what_came(size):
    whole = CODEC.decode(CODEC.encode(status())).values
    values, missing, _ = CODEC.decode(CODEC.encode(status())[:size])
    for name, value in values.items():
        if isinstance(value, tuple) and name != "switches":
            assert value == whole[name][: len(value)]
        else:
            assert value == whole[name]
    # Whether there are cycles cannot be told where the version is missing.
    assert set(whole) - set(values) - {"cycles"} <= {name.partition("[")[0] for name in missing}


@given(st.binary(max_size=80), st.integers(0, 3))
def test_no_bytes_make_the_engine_fail_and_spans_agree_with_values(data, at):
    assume(at <= len(data))
    values, _, left_over = CODEC.decode(data, at)
    assert left_over >= 0
    for span in CODEC.spans(data, at):
        assert at <= span.offset <= span.offset + span.width <= len(data)
        name, _, index = span.name.rstrip("]").partition("[")
        assert span.value == (values[name][int(index)] if index else values.get(name))


@given(st.lists(st.binary(min_size=34, max_size=34), min_size=1, max_size=8), st.integers(12, 34))
def test_a_matrix_gives_what_single_messages_give(rows, width):
    rows = [row[:width] for row in rows]
    codec = Codec(tuple(field for field in STATUS if field.name != "temperatures"))
    table = values_of(codec, np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), width))
    assert table is not None
    for index, row in enumerate(rows):
        values, missing, _ = codec.decode(row)
        expected = {} if missing else values
        assert {
            name: column[index] for name, column in table.items() if column[index] is not None
        } == expected


kinds = st.sampled_from([Type.UINT, Type.INT, Type.SIGN_MAGNITUDE, Type.BCD])
scales = st.sampled_from([1, 0.1, 0.01, 0.001, 1e-6, 10, 0.5, 0.125, 0.00390625, 0.016667])
addends = st.sampled_from([0, -40, -273.1, -273.15, -300.0, 12.5])


@given(kinds, st.integers(1, 8), st.sampled_from(["big", "little"]), scales, addends, st.data())
def test_a_raw_number_survives_its_value(kind, width, order, scale, addend, data):
    bits = None
    if kind is not Type.BCD and data.draw(st.booleans()):
        lowest = data.draw(st.integers(0, 8 * width - 2))
        bits = (lowest, data.draw(st.integers(2, 8 * width - lowest)))
    field = Field(name="x", type=kind, width=width, order=order, scale=scale, addend=addend, bits=bits)
    low, high = field.limits()
    raw = data.draw(st.integers(max(low, -(2**44)), min(high, 2**44)))
    item = field.bytes_of(raw, "big", bytes(width))
    assert field.raw_in(item, 0, "big") == raw
    assert field.raw(field.value(raw)) == raw
    table = values_of(Codec((field,)), np.frombuffer(item, dtype=np.uint8).reshape(1, width))
    assert width > 6 or table == {"x": [field.value(raw)]}


@given(st.floats(width=32, allow_nan=False))
def test_floats_of_both_widths(number):
    codec = Codec(
        (Field(name="a", type=Type.FLOAT, width=4), Field(name="b", type=Type.FLOAT, width=8)), "little"
    )
    data = codec.encode({"a": number, "b": number})
    assert data == struct.pack("<fd", number, number)
    assert codec.decode(data).values == {"a": number, "b": number}
    matrix = np.frombuffer(data, dtype=np.uint8)[None, :4]
    assert values_of(Codec(codec.fields[:1], "little"), matrix) == {"a": [number]}


def test_digits_that_are_none_are_no_value():
    field = Field(name="serial", type=Type.BCD, width=2)
    assert Codec((field,)).decode(b"\x12\x34").values == {"serial": 1234}
    assert Codec((field,)).decode(b"\x1a\x34").values == {}


def test_scales_give_the_decimal_number_that_was_meant():
    assert Field(name="t", width=2, scale=0.1, addend=-273.1).value(2981) == 25.0
    assert Field(name="v", width=2, scale=0.001).value(4187) == 4.187
    assert Field(name="i", width=2, scale=0.1, addend=-3000).value(29871) == -12.9


def test_items_apart_from_each_other_and_behind_a_named_field():
    codec = Codec(
        (
            Field(name="id", type=Type.TEXT, width=4),
            Field(name="resistance", at=10, width=2, scale=0.001, count=2, stride=4),
            Field(name="rest", after="id", count=TO_THE_END, most=3),
        )
    )
    data = b"AB\0\0" + bytes(range(4, 20))
    assert codec.decode(data).values == {
        "id": "AB",
        "resistance": (0x0A0B / 1000, 0x0E0F / 1000),
        "rest": (4, 5, 6),
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((Field(name="a"), Field(name="a")), "a: every field has a name of its own"),
        ((Field(name="a", count="b"), Field(name="b")), "counted by b, which does not come before"),
        ((Field(name="a", after="b"),), "placed behind b, which does not come before"),
        (
            (Field(name="a", when=(FieldCondition("b", Operator.EQUAL, 1),)),),
            "there depending on b, which does not come before",
        ),
        ((Field(name="a", type=Type.TEXT), Field(name="b", count="a")), "counted by a, which is no number"),
    ],
)
def test_fields_that_name_others_wrongly_are_refused(fields, words):
    with pytest.raises(FieldError, match=words):
        Codec(fields)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 9}, "a number is 1 to 8 bytes wide"),
        ({"type": Type.FLOAT, "width": 2}, "a float is 4 or 8 bytes wide"),
        ({"bits": (6, 3)}, "bits 6 to 8 do not lie in 1 bytes"),
        ({"scale": 0}, "the scale is a number other than 0"),
        ({"scale": math.nan}, "the scale is a number other than 0"),
        ({"type": Type.TEXT, "scale": 0.1}, "are for numbers"),
        ({"count": -2}, "the count is at least 0"),
        ({"width": 2, "stride": 1}, "the stride is at least the width"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused(changes, words):
    with pytest.raises(FieldError, match=words):
        Field(name="x", **changes)


def test_a_word_that_a_field_never_says_cannot_be_encoded():
    with pytest.raises(FieldError, match="state is never 'asleep'"):
        CODEC.encode(status(state="asleep"))
    with pytest.raises(FieldError, match="switches has no flag 'horn'"):
        CODEC.encode(status(switches=("horn",)))
