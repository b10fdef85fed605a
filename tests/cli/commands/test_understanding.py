"""`fields`, `checksum`, `find`, `draft` and `plot` on real captures, and what they refuse."""

import json
from typing import Any

import pytest

from packwire.models.load import parse
from tests.cli.running import packwire
from tests.shared_data import CAPTURES, needs_captures

SEPLOS = str(CAPTURES / "ble/seplos-v2.btsnoop")
BASEN = str(CAPTURES / "ble/basen.btsnoop")
JBD = str(CAPTURES / "ble/jbd-mosfets-onoff.btsnoop")


@needs_captures
async def test_fields_of_a_capture():
    lines = (await packwire("fields", BASEN, "--json")).out.splitlines()
    cells = next(each for each in map(json.loads, lines) if each["header"] == "3a1624")
    moving = [(each["at"], each["width"], each["order"]) for each in cells["fields"] if each["confidence"]]
    assert moving == [(at, 2, "little") for at in range(4, 20, 2)]


@needs_captures
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("basen", ("sum16", 1, -4)),
        ("ant-ble16zmub", ("CRC-16/MODBUS", 1, -4)),
        ("jk-heating-setting", ("sum8", 0, -1)),
        ("seplos-v2", ("CRC-16/XMODEM", 1, -3)),
        ("jbd-sp04s034", ("sum16 negated", 2, -3)),
    ],
)
async def test_checksums_of_captures(name, found):
    lines = (await packwire("checksum", str(CAPTURES / f"ble/{name}.btsnoop"), "--json")).out.splitlines()
    assert found in [(each["name"], each["begins"], each["at"]) for each in map(json.loads, lines)]


async def test_a_checksum_of_given_messages():
    found = await packwire("checksum", "dd a5 03 00 ff fd 77", "dda50400fffc77")
    assert "sum16 negated big-endian at byte -3, over bytes from 2 right before it" in found.out


@needs_captures
async def test_values_of_a_capture():
    result = await packwire("find", SEPLOS, "54.55V", "16cells", "--json")
    first: dict[str, dict[str, Any]] = {}
    for each in map(json.loads, result.out.splitlines()):
        first.setdefault(each["name"], each)
    assert (first["voltage"]["at"], first["voltage"]["scale"]) == (57, 0.01)
    assert (first["cells"]["at"], first["cells"]["count"], first["cells"]["order"]) == (10, 16, "big")


@needs_captures
async def test_a_draft_never_asks_what_may_set_something(tmp_path):
    path = tmp_path / "mybms.yaml"
    result = await packwire("draft", JBD, "13.32V", "4cells", "-o", str(path))
    assert result.code == 0, result.err
    text = path.read_text()
    assert "dd a5 03 00 ff fd 77" in text
    assert "dd 5a" not in text
    frame = bytes.fromhex("dd04000 80d030d010d030d02ffbb77".replace(" ", ""))
    assert parse(text, "mybms.yaml").values(frame)["cell_voltages"] == (3.331, 3.329, 3.331, 3.33)
    again = await packwire("draft", JBD, "-o", str(path))
    assert (again.code, "--force" in again.err) == (2, True)


@needs_captures
async def test_a_draft_starts_a_stream_as_the_app_did_and_moves_no_switch():
    """JK's app asks for device and readings, then heats, toggles and sets."""
    result = await packwire("draft", str(CAPTURES / "ble/jk-b2a16s.btsnoop"))
    model = parse(result.out, "mybms.yaml")
    sent = [each.payload[4] for each in model.questions]
    assert sent == [0x97, 0x96]
    assert [each.streams for each in model.questions] == [0, 5]
    assert "90 eb 6c" not in result.out


@needs_captures
@pytest.mark.parametrize(
    "name", ["basen", "seplos-v2", "daly-balancer", "jk-b2a16s", "ant-ble16zmub", "lolan-status-controls"]
)
async def test_every_capture_gives_a_draft_that_is_a_model(name):
    result = await packwire("draft", str(CAPTURES / f"ble/{name}.btsnoop"))
    assert result.code == 0, result.err
    assert parse(result.out, name).replies


async def test_decimal_text_is_looked_into(tmp_path):
    """Lines of fields between commas, in pieces as notifications cut them."""
    text = "".join(f"#,1,OK,{520 + row % 7},{3.30 + row / 100:.2f},-{row},4{row}\r\n" for row in range(40))
    pieces = [text[at : at + 20].encode().hex(" ") for at in range(0, len(text), 20)]
    log = tmp_path / "s.log"
    log.write_text("".join(f"14:03:{row % 60:02d}.100 RX {each}\n" for row, each in enumerate(pieces)))
    found = json.loads((await packwire("find", str(log), "3.42V", "--json")).out.splitlines()[0])
    assert (found["key"], found["type"], found["scale"]) == ("4", "decimal", 1)
    shown = await packwire("fields", str(log))
    assert "field 4       decimal            3.3 .. 3.69" in shown.out
    record = json.loads((await packwire("fields", str(log), "--json")).out)
    assert [each["key"] for each in record["fields"]] == ["1", "3", "4", "5", "6"]
    assert "writes decimal text" in (await packwire("groups", str(log))).out
    drafted = await packwire("draft", str(log), "3.42V")
    assert drafted.code == 9
    assert "not by its number in a line" in drafted.err
    assert len(drafted.err.strip().splitlines()) == 1


@needs_captures
async def test_a_field_is_drawn(tmp_path):
    shown = await packwire("plot", SEPLOS, "7e 14 00 61", "55-56:i16", "--scale", "0.01")
    assert "25.13" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    path = tmp_path / "a.svg"
    assert (await packwire("plot", SEPLOS, "7e140061", "55-56", "-o", str(path))).code == 0
    assert "<polyline" in path.read_text()


@needs_captures
async def test_notes_files(tmp_path):
    notes = tmp_path / "notes.yaml"
    notes.write_text("- at: +15\n  voltage: 54.54V\n- at: +70\n  voltage: 54.56V\n")
    result = await packwire("find", SEPLOS, "--notes", str(notes), "--within", "15", "--json")
    assert json.loads(result.out.splitlines()[0])["at"] == 57


@pytest.mark.parametrize(
    "notes",
    [
        "just text",
        "- 1",
        "- at: nonsense\n  voltage: 1V",
        "- voltage: [1]",
        "- voltage: 1 furlong",
        ": :",
        "- at: 1\n  x: rose",
    ],
)
@needs_captures
async def test_odd_notes_are_refused_in_one_line(tmp_path, notes):
    path = tmp_path / "notes.yaml"
    path.write_text(notes)
    result = await packwire("find", SEPLOS, "--notes", str(path))
    assert result.code in {2, 9}
    assert len(result.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "line",
    [
        ("find", "nowhere.btsnoop", "83.92V"), ("checksum",), ("checksum", "dd0"), ("draft", "nowhere"),
        ("plot", "nowhere", "dd", "4"), ("fields", "nowhere"),
    ],
)  # fmt: skip
async def test_wrong_use_is_one_line(line):
    result = await packwire(*line)
    assert result.code in {2, 9}
    assert "Traceback" not in result.err
    assert len(result.err.strip().splitlines()) == 1
