"""The decoder that is written reads any layout as packwire's own engine reads it; here in Python."""

import math
from typing import Any, override

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.export.aiobmsble_reader import PlainReader
from packwire.export.framing import write_framings
from packwire.export.python import Python, used
from packwire.export.said import ValueReplies
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.models.store import library
from packwire.wire.checksum import CHECKSUMS
from packwire.wire.fields import FieldError
from packwire.wire.framing import FrameCheck, Framing, Size


class AllFields(PlainReader):
    """Says every field by its name, as the codec does."""

    @override
    def reads(self, reading):
        return True

    @override
    def one(self, reading, raw, at, index=""):
        field = reading.field
        value = self.to.scaled(field, raw)
        if field.negative:
            held = self.to.all(self.to.condition(each, f"raw_{each.field}") for each in field.negative)
            value = f"-({value}) if {held} else {value}"
        if index:
            self.to.put(f'said.append(("{field.name}", [{value}]))')
        else:
            self.to.put(f'said.append(("{field.name}", {value}))')

    @override
    def text(self, reading, at, behind):
        self.to.put(f'said.append(("{reading.field.name}", bytes(data[{at}:{behind}])))')


def protocol(fields, order="big"):
    return ModelProtocol(
        {
            "name": "acme",
            "title": "Acme",
            "order": order,
            "framings": [{"start": "aa", "size": [{"at": 1, "add": 0}]}],
            "replies": {"it": {"begins": "aa", "fields": fields}},
        }
    )


def reader_of(made: ModelProtocol):
    to = Python()
    writer = AllFields(to, ValueReplies(made))
    with to.block("def read(data):"):
        to.put("size, said, part = len(data), [], 0")
        writer.reply(made.replies[0])
        to.put("return said")
    body = "\n".join(to.lines)
    scope: dict[str, Any] = {}
    exec("import struct\n" + "\n".join(used(body)) + "\n" + body, scope)
    return scope["read"]


NUMBERS = [
    "u8",
    "u16",
    "u24",
    "u32",
    "u56",
    "u64",
    "i8",
    "i16",
    "i24",
    "i40",
    "sm8",
    "sm16",
    "bcd8",
    "bcd16",
    "f32",
]


@st.composite
def layouts(draw):
    fields: list[dict[str, Any]] = []
    numbers: list[str] = []  # that others may ask for
    for index in range(draw(st.integers(1, 8))):
        field = {"name": f"f{index}"} | place(draw, fields)
        kind = draw(st.sampled_from(["number", "number", "list", "text", "bytes"]))
        if kind in {"number", "list"}:
            field |= number(draw)
        if kind == "list":
            field |= many(draw, field, numbers)
        elif kind == "text":
            field["type"] = draw(st.sampled_from(["text", "cstring"]))
        elif kind == "bytes":
            field |= {"type": "bytes", "width": draw(st.integers(1, 4))}
        if numbers:
            field |= conditions(draw, kind, numbers)
        if kind == "number" and field["type"][0] in "ui" and "when" not in field:
            numbers.append(field["name"])
        fields.append(field)
    return fields


def place(draw, fields):
    where = draw(st.sampled_from(["next", "next", "at", "end", "after"]))
    # Where one stands behind a field that is not there is not told here.
    if where == "at" or not fields or ("when" in fields[-1] and where == "next"):
        return {"at": draw(st.integers(0, 12))}
    if where == "end":
        return {"at": -draw(st.integers(1, 12))}
    return {"after": draw(st.sampled_from([each["name"] for each in fields]))} if where == "after" else {}


def number(draw):
    kind = draw(st.sampled_from(NUMBERS))
    orders = ["big", "little"] + ["low word first"] * (kind in {"u16", "u32", "u64", "i16"})
    field = {
        "type": kind,
        "order": draw(st.sampled_from(orders)),
        "scale": draw(st.sampled_from([1, 0.1, 0.001, 2, -0.5, 0.3])),
        "addend": draw(st.sampled_from([0, -40, 273.1, -0.05])),
        "unknown": draw(st.lists(st.sampled_from([0, 255, -1]), max_size=1)),
    }
    if kind[0] in "ui" and draw(st.booleans()):
        low = draw(st.integers(0, 5))
        field["bits"] = [low, draw(st.integers(1, 8 - low))]
    return field


def many(draw, field, numbers):
    counts = st.one_of(st.integers(0, 4), st.just("to the end"), *map(st.just, numbers))
    said = {"count": draw(counts), "counts": draw(st.sampled_from([1, 1, 2]))}
    if draw(st.booleans()):
        said["stride"] = int(field["type"].lstrip("uismbcdf")) // 8 + draw(st.integers(0, 2))
    if draw(st.booleans()):
        said["most"] = draw(st.integers(1, 5))
    return said


def conditions(draw, kind, numbers):
    field: dict[str, Any] = {}
    if draw(st.integers(0, 2)) == 0:
        compared = draw(st.sampled_from(["is", "is_not", "less_than", "at_most", "more_than", "at_least"]))
        field["when"] = [{"field": draw(st.sampled_from(numbers)), compared: draw(st.integers(0, 3))}]
        if draw(st.booleans()):
            bit = {"field": draw(st.sampled_from(numbers)), "lacks_bit": draw(st.integers(0, 7))}
            field["when"].append(bit)
    if kind == "number" and draw(st.integers(0, 3)) == 0:
        field["negative"] = [{"field": draw(st.sampled_from(numbers)), "has_bit": draw(st.integers(0, 7))}]
    return field


def same(one, other):
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return one == pytest.approx(other, rel=1e-12) if isinstance(one, float | int) else one == other


def told(value: Any) -> Any:
    """Return a value of the codec's as the reader here says it: lists without what is no value."""
    return [each for each in value if each is not None] if isinstance(value, tuple) else value


@settings(max_examples=400)
@given(
    layouts(),
    st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=30, max_size=40)), min_size=1, max_size=4),
)
def test_any_layout_is_read_as_the_codec_reads_it(fields, messages):
    try:
        made = protocol(fields)
    except FieldError:
        return
    read = reader_of(made)
    codec = made.replies[0].codec
    for data in (b"\xaa" + each for each in messages):
        # A list with nothing in it says nothing.
        said: dict[str, Any] = {}
        for key, value in read(data):
            said[key] = said.get(key, []) + value if isinstance(value, list) else value
        decoded = codec.decode(data)
        values = {key: told(value) for key, value in decoded.values.items()}
        values = {key: value for key, value in values.items() if value != []}
        texts = {field.name for field in codec.fields if not field.type.numeric}
        if decoded.missing:
            continue  # it was cut short: how far it is read may differ
        assert said.keys() - texts == {key for key, value in values.items() if key not in texts}
        for key, value in values.items():
            if key not in texts:
                assert same(value, said[key]), key
            elif codec.by_name[key].type == "bytes":
                assert said.get(key) == value
            else:
                text = (
                    said[key].split(b"\0")[0]
                    if codec.by_name[key].type.name == "CSTRING"
                    else said[key].rstrip(b"\0")
                )
                assert text.decode("utf-8", "backslashreplace") == value


@pytest.mark.parametrize("name", CHECKSUMS)
def test_every_checksum_of_the_catalogue(name):
    check = FrameCheck(name, 1, -CHECKSUMS[name].size, -CHECKSUMS[name].size)
    framing = Framing("it", b"\xaa", (Size(24),), check)
    to = Python()
    write_framings(to, (framing,))
    scope: dict[str, Any] = {}
    exec("\n".join(to.lines), scope)
    for seed in range(4):
        frame = framing.seal(b"\xaa" + bytes((seed * 91 + at * 57) % 256 for at in range(23)))
        stream = b"\x00" + frame + b"\x01"
        assert scope["_frame_1"](stream, len(stream), 1) == 24
        assert scope["_frame_1"](stream, 20, 1) == -1
        damaged = bytearray(stream)
        damaged[5] ^= 0x10
        assert scope["_frame_1"](bytes(damaged), len(damaged), 1) == 0


@pytest.mark.parametrize("name", [name for name in library() if not model(name).can])
def test_frames_are_found_as_packwire_finds_them(name):
    made = model(name)
    to = Python()
    write_framings(to, made.framings)
    body = "\n".join(to.lines)
    scope: dict[str, Any] = {}
    exec("\n".join(used(body)) + "\n" + body, scope)
    for reply in made.replies:
        try:
            frame = made.encode(reply.name, {})
        except ValueError:
            continue  # it has no such size by itself
        found = [scope[f"_frame_{at}"](frame, len(frame), 0) for at in range(1, len(made.framings) + 1)]
        right = [each.form_of(frame) is not None for each in made.framings]
        assert [each == len(frame) for each in found] == right, reply.name
