"""Layouts made at random: one message, a matrix, the places of all fields, and the way back to bytes agree."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from packwire.wire.codec import Codec
from packwire.wire.fields import TO_THE_END, Field, FieldCondition, Operator, Type
from packwire.wire.matrix import values_of

_KNOWN = {"other.version": 2}
_NUMBERS = [Type.UINT, Type.UINT, Type.INT, Type.SIGN_MAGNITUDE, Type.BCD]
_TEXTS = [Type.CSTRING, Type.TEXT, Type.HEX, Type.BYTES, Type.NUMBERS]


@st.composite
def number(draw, singles, conditions):
    """Return what else a number's field says; `singles` are what it may ask for."""
    said = {"type": draw(st.sampled_from(_NUMBERS)), "width": draw(st.sampled_from([1, 1, 2, 3, 4]))}
    form = draw(st.sampled_from(["one", "one", "one", "list", "bits", "each bit"]))
    if form == "list":
        said |= {
            "count": draw(st.sampled_from([2, TO_THE_END, *singles])),
            "stride": said["width"] + draw(st.integers(0, 1)),
            "most": draw(st.sampled_from([None, 1, 3])),
        }
    elif form == "bits" and said["type"] is Type.UINT:
        said["bits"] = draw(st.integers(0, 4)), 3
    elif form == "each bit" and said["type"] is Type.UINT:
        said["each_bit"] = draw(st.sampled_from([3, *singles]))
    else:
        said["unknown"] = draw(st.sampled_from([(), (0,), (1, 2)]))
        said["negative"] = tuple(draw(st.lists(conditions, max_size=1)))
    return said


def whole_number(unsigned):
    """Return the same of numbers whose values say all of their bytes."""
    return st.fixed_dictionaries(
        {"type": st.sampled_from(_NUMBERS[:3]), "width": st.integers(1, 4)},
        optional={"count": st.sampled_from(unsigned[-1:])} if unsigned else {},
    )


def column_number(unsigned):
    """Return the same of numbers that are read of many messages at once."""
    width = st.integers(1, 4)
    bits = st.tuples(st.integers(0, 4), st.just(3))
    parts = st.fixed_dictionaries({"type": st.just(Type.UINT), "width": width, "bits": bits})
    unknown = st.sampled_from([(0,), (1, 2)])
    others = parts | st.fixed_dictionaries(
        {"type": st.sampled_from(_NUMBERS), "width": width, "unknown": unknown}
    )
    return whole_number(unsigned) | others


@st.composite
def layouts(draw, *, whole=False, columns=False):
    """Return fields.

    `whole`: nothing overlaps, and each value says what its bytes were. `columns`: all can be read of many
    messages at once.
    """
    fields: list[Field] = []
    singles = ["other.version", "other.unheard"]
    for index in range(draw(st.integers(1, 8))):
        name = f"f{index}"
        conditions = st.builds(
            FieldCondition, st.sampled_from(singles), st.sampled_from(list(Operator)), st.integers(0, 3)
        )
        said: dict[str, Any] = {"name": name, "when": tuple(draw(st.lists(conditions, max_size=2)))}
        place = "behind" if whole else draw(st.sampled_from(["behind", "behind", "at", "after"]))
        if place == "at":
            said["at"] = draw(st.integers(-4, 12))
        elif place == "after" and fields:
            said["after"] = draw(st.sampled_from(fields)).name
        if not whole and not columns and draw(st.integers(0, 5)) == 0:
            width = draw(st.sampled_from([None, 1, 3]))
            fields.append(Field(type=draw(st.sampled_from(_TEXTS)), width=width, **said))
            continue
        unsigned = [each.name for each in fields if each.count is None and each.type is Type.UINT]
        if columns:
            said |= draw(column_number(unsigned))
        else:
            said |= draw(whole_number(unsigned) if whole else number(singles, conditions))
        if "count" not in said:
            singles.append(name)
        fields.append(Field(**said))
    return tuple(fields)


def messages(size):
    """Return the bytes of a message: mostly small numbers, which conditions ask for."""
    return st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 0x30, 255]), min_size=size, max_size=size).map(
        bytes
    )


@given(layouts(), st.integers(0, 20).flatmap(messages), st.integers(0, 2), st.sampled_from(["big", "little"]))
def test_the_places_of_fields_are_those_that_were_read(fields, data, at, order):
    codec = Codec(fields, order)
    at = min(at, len(data))
    values = codec.decode(data, at, _KNOWN).values
    spans = codec.spans(data, at, _KNOWN)
    for field in fields:
        own = [span.value for span in spans if span.name.partition("[")[0] == field.name]
        if field.count is not None:
            assert list(values.get(field.name, ())) == own
        else:
            assert [values[field.name]] == own if field.name in values else own in ([], [None])


@given(
    st.booleans().flatmap(lambda columns: st.tuples(st.just(columns), layouts(columns=columns))),
    st.integers(0, 20).flatmap(lambda size: st.lists(messages(size), min_size=1, max_size=4)),
    st.sampled_from(["big", "little"]),
)
def test_messages_read_at_once_say_what_they_say_one_by_one(drawn, rows, order):
    columns, fields = drawn
    codec = Codec(fields, order)
    matrix = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), len(rows[0]))
    table = values_of(codec, matrix)
    assert table is not None or not columns
    assert values_of(codec, np.asfortranarray(matrix)) == table
    for index, row in enumerate(rows if table is not None else ()):
        each = ((name, column[index]) for name, column in (table or {}).items())
        said = {name: value for name, value in each if value is not None}
        values, missing, _ = codec.decode(row)
        assert said == ({} if missing else values)
        assert list(map(type, said.values())) == [type(values[name]) for name in said]


@given(layouts(whole=True), st.integers(0, 20).flatmap(messages), st.sampled_from(["big", "little"]))
def test_what_was_read_whole_is_written_again(fields, data, order):
    codec = Codec(fields, order)
    values, missing, left_over = codec.decode(data, known=_KNOWN)
    if missing:
        return
    assert codec.encode(values, known=_KNOWN) == data[: len(data) - left_over]
