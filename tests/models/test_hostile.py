"""A stranger's model is hostile input, and so are a stranger's frames: one clear line each, bounded work."""

import json
import re
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.errors import BadFileError, PackwireError
from packwire.models import store
from packwire.models.heard import Heard
from packwire.models.load import model, parse, read_file
from packwire.models.store import library

BASE = """packwire: 1
name: acme
title: Acme
framings:
  - start: aa 55
    size: [{at: 2, add: 5}]
    checksum: {name: CRC-16/MODBUS, to: -2, at: -2, order: little}
    kind: 4
parameters:
  pin: {type: text, least: 4, most: 8, secret: true}
requests:
  status: {send: aa 55 .. 10 .. .., reply: status}
  login: {send: "aa 55 .. 20 {pin} .. ..", reply: [], kind: acts}
replies:
  status:
    begins: aa 55 ?? 90
    fields:
      - {name: cell_count, at: 4, quantity: cell_count}
      - {name: cells, type: u16, scale: 0.001, count: cell_count, most: 32, quantity: cell_voltages}
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "at: 4, quantity",
            "at: 9999, quantity",
            "line 18: replies.status.fields.0.at: .*less than or equal",
        ),
        (
            "name: cell_count, at: 4",
            "name: cell_count, at: 4, colour: red",
            "line 18: .*colour: there is no such",
        ),
        ("name: cell_count, at: 4", "name: cell_count, at: 4, quantety: soc", "did you mean quantity"),
        (
            "count: cell_count",
            "count: cell_cuont",
            "line 1[78]: replies.status.fields: cells: it is counted by",
        ),
        ("count: cell_count", "count: other.cells", "there is no reply 'other': status"),
        ("{at: 2, add: 5}", "{at: 2, add: -9999}", "line 6: framings.0.size.0.add"),
        ("size: [{at: 2, add: 5}]", "size: []", "say how long a frame is"),
        ("begins: aa 55 ?? 90", "begins: bb 55", "no frame begins so: they begin with aa 55"),
        ("begins: aa 55 ?? 90", "begins: aa 5", "is no byte"),
        ("{pin}", "{pim}", "there is no parameter 'pim': pin"),
        (".. 10 .. ..", ".. 10 00*9999 .. ..", "behind a \\* comes how many times"),
        (".. 10 .. ..", ".. 10 00*600 .. ..", "at most 512 bytes"),
        (
            "reply: status}",
            "reply: [status, stotus]}",
            "line 12: requests.status.reply: there is no reply 'stotus'",
        ),
        ("quantity: cell_count", "quantity: cells", "there is no quantity 'cells'"),
        ("type: u16", "type: u17", "type: "),
        ("title: Acme", "title: [a, b]", "title: "),
        ("packwire: 1", "packwire: 7", "line 1: packwire: "),
    ],
)
def test_a_mistake_is_one_line_with_its_place(old, new, words):
    assert old in BASE
    with pytest.raises(BadFileError) as caught:
        parse(BASE.replace(old, new, 1), "acme.yaml")
    assert "\n" not in str(caught.value)
    assert re.search(words, str(caught.value)), str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [*x]",
        "&a a: *a",
        "x: !!python/object/apply:os.system [ls]",
        "<<: {a: 1}",
        "[" * 5000,
        "a: " + "[" * 5000 + "]" * 5000,
        "{" * 100,
        "- " * 3000,
        "? [a, b]\n: 1",
        "\x00",
        "a: 1\na: 2",
        "",
        "- 1",
        "just words",
        "packwire: 1\nname: 5\n",
        "%YAML 9.9\n---\n",
    ],
)
def test_yaml_that_is_no_plain_tree_is_refused(text):
    with pytest.raises(BadFileError) as caught:
        parse(text, "x.yaml")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("x.yaml")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    begun = time.process_time()
    with pytest.raises(BadFileError, match="at most 1048576 bytes"):
        read_file(path)
    assert time.process_time() - begun < 5


def test_no_file_and_no_text_are_said(tmp_path):
    with pytest.raises(BadFileError, match="there is no such file"):
        read_file(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadFileError, match="no text in UTF-8"):
        read_file(tmp_path / "bytes.yaml")


def test_a_folder_has_no_model_under_another_name(tmp_path):
    """A file that is named itself may have any name; in a folder that name is what a model is found by."""
    path = tmp_path / "other.yaml"
    path.write_text(BASE)
    assert read_file(path).name == "acme"
    store.use([tmp_path])
    try:
        with pytest.raises(BadFileError, match=r"line 2: name: it is acme, and the file other\.yaml"):
            model("other")
    finally:
        store.use([])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail_otherwise(text):
    with pytest.raises(PackwireError):
        parse(text, "x.yaml")


scalars = st.one_of(st.none(), st.booleans(), st.integers(-9, 300), st.text("abu16 .{}*?", max_size=9))
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_", max_size=6), inner),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["framings", "requests", "replies", "parameters", "links", "switches", "start"]), trees
)
def test_no_content_makes_the_reader_fail_otherwise(key, tree):
    content = yaml.safe_load(BASE) | {key: tree}
    try:
        parse(json.dumps(content), "x.yaml")
    except BadFileError as error:
        assert "\n" not in str(error)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(library()), st.data())
def test_no_frame_makes_a_model_fail(name, data):
    protocol = model(name)
    heard = Heard(protocol)
    for _ in range(3):
        reply = data.draw(st.sampled_from(protocol.replies))
        begins = bytes(byte or 0 for byte in reply.begins)
        frame = begins + data.draw(st.binary(max_size=320))
        taken = heard.take(frame)
        protocol.mask(frame)
        protocol.spans(frame, heard.known)
        protocol.describe(frame)
        for value in taken.values.values():
            assert not isinstance(value, tuple) or len(value) <= 1024
    for value in heard.values().values():
        assert not isinstance(value, tuple) or len(value) <= 1024


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(library()), st.binary(max_size=600), st.integers(1, 40))
def test_no_stream_makes_a_framer_fail_or_wait_forever(name, stream, size):
    protocol = model(name)
    framer = protocol.framer()
    for at in range(0, len(stream), size):
        for frame in framer.feed(stream[at : at + size]):
            assert protocol.framing_of(frame.payload) is not None
    framer.rescue()
    while framer.stats.waiting:
        framer.give_up()


def test_a_count_that_lies_is_bounded_and_said():
    acme = parse(BASE, "acme.yaml")
    frame = acme.encode("status", {"cells": (3.3, 3.31)})
    check = acme.framings[0].check
    assert check is not None
    lying = check.set(frame[:4] + b"\xff" + frame[5:])
    taken = Heard(acme).take(lying)
    assert taken.values["cell_voltages"] == (3.3, 3.31)
    assert taken.missing == ("cells[2..254]",)


def test_a_pin_is_masked_and_never_in_an_error():
    acme = parse(BASE, "acme.yaml")
    login = acme.asked_by_name["login"]
    frame = login.template.frame({"pin": "123456"})
    assert acme.framing_of(frame) is not None
    assert b"123456" not in acme.mask(frame)
    assert login.template.match(frame) == {"pin": "123456"}
    with pytest.raises(ValueError, match="pin has 4 to 8 characters") as caught:
        login.template.frame({"pin": "123456789"})
    assert "123456789" not in str(caught.value)


def test_no_question_of_a_strangers_model_is_harmless(tmp_path):
    """It says itself that it only reads."""
    path = tmp_path / "acme.yaml"
    path.write_text(BASE, encoding="utf-8")
    strangers = read_file(path)
    assert [each.harmless for each in strangers.questions] == [True, False]
    assert strangers.harmless == ()
    assert model("jbd").harmless


@pytest.mark.parametrize("kind", ["f32", "text, width: 4"])
def test_what_another_reply_is_asked_for_is_a_whole_number(kind):
    other = (
        f"  limits:\n    begins: aa 55 ?? 91\n    fields:\n      - {{name: state, at: 4, type: {kind}}}\n"
        "      - {name: count, at: 8, type: u8}\n"
    )
    text = BASE.replace(
        "quantity: cell_voltages}", "quantity: cell_voltages, when: [{field: limits.state, has_bit: 0}]}"
    )
    with pytest.raises(BadFileError, match=r"limits\.state is no whole number"):
        parse(text + other, "acme.yaml")
    parse((text + other).replace("limits.state", "limits.count"), "acme.yaml")
