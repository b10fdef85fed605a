"""Packages that were made to hurt: bombs, lies about sizes and places, and damage of any kind."""

import struct
import zipfile
from collections import Counter
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.apk import package
from packwire.apk.code import doings
from packwire.apk.crc import table_names
from packwire.apk.dex import Dex
from packwire.apk.findings import look_into
from packwire.apk.hermes import HermesFile
from packwire.apk.manifest import read_manifest, texts_of
from packwire.apk.texts import bytes_in, bytes_in_bytes, bytes_in_script, uuids_in_bytes
from packwire.errors import BadFileError
from tests.apk.writer import Class, archive, classes, dex, files, hermes, manifest

DEX = dex(classes())
MANIFEST = manifest("com.acme.bms", "2.1")


class Counted(list[int]):
    """Units of code that count how often they are looked at."""

    looks = 0

    def __getitem__(self, place):
        found = super().__getitem__(place)
        self.looks += len(found) if isinstance(place, slice) else 1
        return found


def walk(data):
    found = Dex(data)
    for number in range(min(found.string_count, 1000)):
        found.string(number)
    for each in found.classes():
        for method in each.methods:
            doings(method.code, found)
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(DEX) - 1), st.integers(0, 255)), max_size=8), st.integers(0, 3))
def test_a_damaged_dex_is_read_as_far_as_it_goes(changes, cut):
    data = bytearray(DEX)
    for at, byte in changes:
        data[at] = byte
    try:
        walk(bytes(data[: len(data) - cut * len(data) // 8]))
    except ValueError as error:
        assert str(error)


def test_a_long_text_of_digits_that_is_no_frame_takes_no_time():
    """A pattern that can match in many ways tries all of them before it gives up."""
    assert bytes_in("0123456789ab" * 30) is None
    assert bytes_in("0x" + "12, " * 150 + "z") is None
    assert not any(True for _ in bytes_in_bytes(b"ab " * 2000 + b"\x7f"))


HERMES_FILE = hermes(["dda50300fffd77", "x" * 300, "電池"], [(1, 2, 3), tuple(range(40))])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(8, len(HERMES_FILE) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(HERMES_FILE)),
)
def test_damaged_compiled_javascript_is_bounded(changes, cut):
    data = bytearray(HERMES_FILE)
    for at, byte in changes:
        data[at] = byte
    try:
        file = HermesFile(bytes(data[: len(data) - cut]))
    except ValueError as error:
        assert str(error)
        return
    assert sum(map(len, file.texts())) <= 1 << 26
    assert sum(map(len, file.lists())) <= len(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_code_is_walked(raw):
    units = list(struct.unpack(f"<{len(raw) // 2}H", raw[: len(raw) // 2 * 2]))
    found = doings(units, Dex(DEX))
    assert sum(len(each.values) for each in found.arrays) <= 8 * len(units) + 4096


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(MANIFEST)))
def test_any_manifest_is_read(raw, cut):
    for data in (raw, MANIFEST[:cut] + raw, MANIFEST[:8] + raw):
        read_manifest(data)
        texts_of(data)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='0123456789abcdefx[], "-:', max_size=200))
def test_any_text_is_read(text):
    bytes_in(text)
    assert all(0 < len(data) <= 256 for _, data in bytes_in_script(text))
    list(uuids_in_bytes(text.encode()))
    list(bytes_in_bytes(text.encode()))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 4000), st.integers(0, 255))
def test_any_damaged_package_is_told_or_read(tmp_path_factory, raw, at, byte):
    path = tmp_path_factory.mktemp("app") / "a.apk"
    data = bytearray(archive(files()))
    data[at % len(data)] = byte
    for one in (bytes(data), bytes(data)[: at % len(data)], raw):
        path.write_bytes(one)
        try:
            look_into(path)
        except BadFileError as error:
            assert "no app's package" in str(error)


def test_a_bomb_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "LARGEST", 100_000)
    path = tmp_path / "a.apk"
    path.write_bytes(archive(files() | {"classes2.dex": bytes(1 << 20)}))
    found = look_into(path)
    assert found.left_out == {"file too large once it is unpacked": 1}
    assert found.frames
    monkeypatch.setattr(package, "LARGEST_ALL", 150_000)
    path.write_bytes(archive({f"classes{n}.dex": b"dex\n" + bytes(60_000) for n in range(10)}))
    assert look_into(path).left_out["file too large once it is unpacked"] == 8


def test_packages_in_packages_are_looked_into_once(tmp_path):
    inner = archive({"a.apk": archive({"b.apk": archive(files())})})
    path = tmp_path / "a.xapk"
    path.write_bytes(archive({"c.apk": inner, "d.apk": b"no zip"}))
    found = look_into(path)
    assert not found.frames
    assert found.left_out == {"package within that is no zip": 1}


def test_a_mark_that_keeps_readers_out_does_not(tmp_path):
    data = bytearray(archive(files()))
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 1)
    path = tmp_path / "a.apk"
    path.write_bytes(data)
    with zipfile.ZipFile(path) as packed, pytest.raises(RuntimeError):
        packed.read("classes.dex")
    assert look_into(path).frames


def test_a_name_that_leads_out_of_the_package_is_a_name(tmp_path):
    path = tmp_path / "a.apk"
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("../../classes.dex", DEX)
    path.write_bytes(out.getvalue())
    assert look_into(path).frames
    assert [each.name for each in tmp_path.iterdir()] == ["a.apk"]


def test_a_dex_that_lies_about_its_tables():
    data = bytearray(DEX)
    for at in range(0x38, 0x68, 8):
        data[at : at + 4] = b"\xff\xff\xff\x7f"
    found = Dex(bytes(data))
    assert found.cut
    assert found.string_count <= len(data) // 4
    for each in found.classes():
        assert each.name is not None


def test_many_classes_that_share_one_list_of_methods():
    """A table of classes that all point to the same methods is no more work than the file is long."""
    one = dex([Class("La;", methods={f"m{n}": Class("La;").method("m") for n in range(200)})])
    at = int.from_bytes(one[0x64:0x68], "little")
    row = one[at : at + 32]
    data = bytearray(one + row * 50_000)
    data[0x60:0x68] = struct.pack("<II", 50_000, len(one))
    found = Dex(bytes(data))
    read = sum(len(each.methods) for each in found.classes())
    assert found.cut
    assert read <= 4 * len(data)


@pytest.mark.parametrize("code", [0x2B, 0x2C, 0x26])
def test_jumps_and_data_that_share_one_place(code):
    """Each of many instructions points to one large piece of data behind them."""
    count = 3000
    units = Counted()
    units += [0x12, 0x23, 0]  # an array, so that there is something to fill
    for number in range(count):
        units += [code, 3 * (count - number) & 0xFFFF, 3 * (count - number) >> 16]
    kind, size = {0x2B: (0x0100, 20_000), 0x2C: (0x0200, 20_000), 0x26: (0x0300, 1)}[code]
    units += [kind, size, *([1000, 0] if code == 0x26 else []), *([7] * 40_000)]
    doings(units, Dex(DEX))
    assert units.looks < 100 * len(units)


def test_a_table_needs_all_its_values():
    assert not table_names([None] * 256)
    assert not table_names(list(range(256)))
    assert Counter(table_names([0] * 256)) == Counter()
