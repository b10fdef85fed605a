"""What is found in the package of a small app that the tests build, in each form that packages have."""

import json

import pytest

from packwire.apk.findings import look_into
from packwire.apk.found import Captured
from packwire.apk.package import AppPackage
from packwire.errors import BadFileError
from packwire.wire.checksum import CHECKSUMS, table_of
from tests.apk.writer import (
    BASIC_INFO,
    BLE,
    CELLS,
    COMMANDS,
    Class,
    archive,
    classes,
    dex,
    files,
    hermes,
    manifest,
    method,
    write_app,
)
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.shared_data import CAPTURES, needs_captures


def frames(found):
    return {bytes(each or 0 for each in one.data): one for one in found.frames}


def look(tmp_path, *extra, **more):
    path = tmp_path / "app.apk"
    path.write_bytes(archive({"AndroidManifest.xml": manifest("com.acme.bms", "2.1"), **more}))
    return look_into(path, *extra)


def of_code(tmp_path, *made):
    return look(tmp_path, **{"classes.dex": dex(made)})


def test_an_app_tells_its_protocol(tmp_path):
    found = look_into(write_app(tmp_path / "app.apk"))
    assert found.app == ("com.acme.bms", "2.1")
    assert {each.uuid: each.places for each in found.uuids} == {
        "ff00": ("com.acme.bms.Commands.SERVICE",),
        "ff01": ("com.acme.bms.BleLink.subscribe",),
        "ff02": ("com.acme.bms.BleLink.open",),
    }
    assert all("jbd" in each.protocols for each in found.uuids)
    own = frames(found)
    assert own[BASIC_INFO].family == own[CELLS].family == "JBD"
    assert own[BASIC_INFO].places == ("com.acme.bms.Commands.BASIC_INFO",)
    assert (own[BASIC_INFO].sent, own[CELLS].sent) == (True, False)
    assert own[BASIC_INFO].checksum.startswith("sum16 negated")
    # What a caller gives is not known, and no guess is made.
    (switch,) = (each.data for each in found.frames if None in each.data)
    assert switch == (0xDD, 0x5A, 0xE1, None, 0)
    assert not any(each[:3] == b"\xfa\xca\xde" for each in own), "a word is no frame"
    (sends,) = (each for each in found.calls if each.does == "writes")
    assert sends.method == "com.acme.bms.BleLink.send"
    assert set(sends.callers) == {"com.acme.bms.Commands.switchMosfets", "com.acme.bms.MainScreen.onResume"}
    (crc,) = found.checksums
    assert (crc.polynomial, crc.names[0]) == (0xA001, "CRC-16/MODBUS")


@pytest.mark.parametrize("kind", ["xapk", "apks", "aab", "folder", "unpacked", "dex"])
def test_each_form_of_a_package(tmp_path, kind):
    own = files()
    path = tmp_path / f"app.{kind}"
    match kind:
        case "xapk":
            path.write_bytes(archive({"com.acme.bms.apk": archive(own), "manifest.json": b"{}"}))
        case "apks":
            path.write_bytes(archive({"splits/base-master.apk": archive(own)}))
        case "aab":
            said = b"\x12\x07package\x1a\x0ccom.acme.bms" + b"\x12\x0bversionName\x1a\x032.1"
            path.write_bytes(
                archive(
                    {
                        "base/dex/classes.dex": own["classes.dex"],
                        "base/manifest/AndroidManifest.xml": b"\x0a\x20" + said,
                    }
                )
            )
        case "folder":
            path.mkdir()
            (path / "base.apk").write_bytes(archive(own))
        case "unpacked":
            path.mkdir()
            for name, data in own.items():
                (path / name).write_bytes(data)
        case "dex":
            path.write_bytes(own["classes.dex"])
    found = look_into(path)
    assert BASIC_INFO in frames(found)
    assert found.app.package == ("" if kind == "dex" else "com.acme.bms")


@pytest.mark.parametrize("name", ["CRC-16/MODBUS", "CRC-16/XMODEM", "CRC-8/SMBUS", "CRC-8/MAXIM-DOW"])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_tables_of_checksums(tmp_path, name, width):
    table = table_of(CHECKSUMS[name])
    if CHECKSUMS[name].bits > 8 * width:
        table = tuple(each >> 8 for each in table)  # as two tables of bytes
    made = Class("Lcom/acme/Crc;")
    made.method("<clinit>").const(0, 256).new_array(0, 0, {1: "[B", 2: "[S", 4: "[I"}[width]).fill(
        0, table, width
    )
    (found,) = of_code(tmp_path, made).checksums
    assert any(each.startswith(name) for each in found.names)
    assert found.place == "com.acme.Crc.<clinit>"


@pytest.mark.parametrize(
    ("polynomial", "others", "named"),
    [
        (0x1021, (), True),
        (0x07, (8, 0x80), True),
        (0x07, (), False),
        (0x1234, (), False),
        (-0x5FFF, (), True),
    ],
)
def test_polynomials(tmp_path, polynomial, others, named):
    made = Class("Lcom/acme/Crc;")
    code = made.method("of").const(0, polynomial).shift_right(0, 1).xor(0, 0x7E)
    for each in others:
        code.const(1, each)
    assert bool(of_code(tmp_path, made).checksums) == named


def test_a_register_that_may_come_from_elsewhere_is_not_known(tmp_path):
    """Both branches lead to one place: which byte was put there nobody can say."""
    made = Class(COMMANDS)
    code = made.method("ask").const(1, 4).new_array(0, 1)
    for at, byte in enumerate((0x3A, 0x16)):
        code.const(1, at).const(2, byte).put_byte(2, 0, 1)
    code.const(2, 1)
    code.raw(0x38 | 3 << 8, 5)  # if v3 is zero, go on behind the next const
    code.const(2, 2)
    code.const(1, 2).put_byte(2, 0, 1).const(1, 3).const(4, 0x77).put_byte(4, 0, 1)
    code.call(method(BLE, "send"), 0)
    ble = next(each for each in classes() if each.name == BLE)
    (found,) = (each for each in of_code(tmp_path, made, ble).frames if each.sent)
    assert found.data == (0x3A, 0x16, None, 0x77)


def test_bytes_in_code_that_sends_nothing_are_counted_alone(tmp_path):
    made = Class("Lcom/acme/Picture;")
    made.method("draw").const(0, 4).new_array(0, 0).fill(0, [9, 17, 33, 5])
    found = of_code(tmp_path, made)
    assert (found.frames, found.other_bytes) == ((), 1)


def test_a_script_of_an_app_is_looked_through(tmp_path):
    script = "var a=[0xdd,0xa5,0x03,0,0xff,0xfd,0x77],b='DD A5 04 00 FF FC 77',u=\"0000fff1-0000-1000-8000-00805F9B34FB\""
    found = look(tmp_path, **{"assets/www/index.html": b"<p>", "assets/www/js/app.js": script.encode()})
    assert {each.name for each in found.frameworks} == {"Cordova"}
    assert set(frames(found)) == {BASIC_INFO, CELLS}
    assert frames(found)[BASIC_INFO].places == ("assets/www/js/app.js, character 6",)
    assert [each.uuid for each in found.uuids] == ["fff1"]


def test_what_hides_its_logic_is_told(tmp_path):
    uuid = "0000ffe1-0000-1000-8000-00805f9b34fb"
    found = look(
        tmp_path,
        **{
            "lib/arm64-v8a/libflutter.so": b"",
            "lib/arm64-v8a/libapp.so": b"\x01\x02" + uuid.encode() + b"\0dda50300fffd77\0",
            "lib/arm64-v8a/libjiagu.so": b"",
            "assets/index.android.bundle": bytes.fromhex("c61fbc03c103191f"),
            "assemblies/a.dll": "0000fff0-0000-1000-8000-00805f9b34fb".encode("utf-16-le"),
        },
    )
    names = [each.name for each in found.frameworks]
    assert names == ["Flutter", "React Native", "packed by 360 Jiagu", "Hermes"]
    assert {each.uuid for each in found.uuids} == {"ffe1", "fff0"}
    assert BASIC_INFO in frames(found)


@pytest.mark.parametrize("version", [84, 96])
def test_texts_of_compiled_javascript_lie_side_by_side(version, tmp_path):
    uuid = "0000fff2-0000-1000-8000-00805f9b34fb"
    texts = ["0123456789ab" * 30, uuid, "abc", "DD A5 04 00 FF FC 77", "grüße", "電池", "9" * 7]
    lists = [tuple(BASIC_INFO), (1, 2, 70_000), tuple(range(20))]
    found = look(tmp_path, **{"assets/index.android.bundle": hermes(texts, lists, version)})
    assert [each.name for each in found.frameworks] == ["React Native", "Hermes"]
    assert [each.uuid for each in found.uuids] == ["fff2"]
    assert set(frames(found)) == {BASIC_INFO, CELLS}
    assert not found.left_out


def test_compiled_javascript_of_another_form_is_looked_through_as_it_is(tmp_path):
    data = bytes.fromhex("c61fbc03c103191f") + (300).to_bytes(4, "little") + bytes(200)
    bundle = data + b"0000fff2-0000-1000-8000-00805f9b34fb"
    found = look(tmp_path, **{"assets/index.android.bundle": bundle})
    assert [each.uuid for each in found.uuids] == ["fff2"]
    (left,) = found.left_out
    assert "version 300, which is not known" in left


def test_texts_of_native_libraries(tmp_path):
    uuid = b"0000fff3-0000-1000-8000-00805f9b34fb"
    library = b"\x7fELF\0" + uuid + b"\0DD A5 04 00 FF FC 77\0dda50300fffd77\0"
    other = b"\x7fELF\0" + uuid.replace(b"fff3", b"fff4")
    found = look(
        tmp_path,
        **{
            "lib/arm64-v8a/libbms.so": library,
            "lib/x86_64/libbms.so": other,
            "lib/arm64-v8a/libreactnativejni.so": other,
        },
    )
    assert found.libraries == ("libbms.so",)
    assert [each.uuid for each in found.uuids] == ["fff3"]
    assert set(frames(found)) == {BASIC_INFO, CELLS}


def test_what_a_recording_has_comes_first(tmp_path):
    heard = Captured({CELLS: 3, b"\x01\x02": 9}, frozenset({"ff01"}))
    found = look_into(write_app(tmp_path / "app.apk"), heard)
    assert (found.frames[0].data, found.frames[0].captured) == (tuple(CELLS), 3)
    assert (found.uuids[0].uuid, found.uuids[0].captured) == ("ff01", True)


@needs_captures
async def test_an_app_beside_a_real_recording(tmp_path):
    app, capture = write_app(tmp_path / "app.apk"), str(CAPTURES / "ble/jbd-mosfets-onoff.btsnoop")
    result = await packwire("apk", str(app), "--capture", capture, "--json")
    rows = [each for each in checked(result.out) if each["kind"] == "app-frame"]
    assert rows[0]["captured"] > 3
    # The switch, whose value the app fills in, is in the recording too.
    assert next(each for each in rows if each["hex"].startswith("dd 5a e1 ??"))["captured"] >= 3
    shown = await packwire("apk", str(app), "--capture", capture)
    assert "times in the recording" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


async def test_what_is_no_package_is_refused_in_one_line(tmp_path):
    path = tmp_path / "a.apk"
    path.write_bytes(b"PK\x03\x04 and no more")
    for name in (str(path), str(tmp_path / "none.apk")):
        result = await packwire("apk", name)
        assert result.code == 9
        assert len(result.err.strip().splitlines()) == 1
    with pytest.raises(BadFileError):
        list(AppPackage(path).parts())


async def test_an_app_that_says_nothing(tmp_path):
    path = tmp_path / "a.apk"
    path.write_bytes(archive({"AndroidManifest.xml": manifest("com.acme.bms", "2.1")}))
    result = await packwire("apk", str(path))
    assert (result.code, "Nothing was found" in result.out) == (7, True)
    assert json.loads((await packwire("apk", str(path), "--json")).out)["package"] == "com.acme.bms"
