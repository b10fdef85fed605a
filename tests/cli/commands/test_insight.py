"""`packwire groups`, `pairs` and `diff` as a user runs them, on real recordings and on made ones."""

import json

import pytest
from benchmarks.diffing import write_capture

from packwire.cli.exit_codes import ExitCode
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.shared_data import CAPTURES, SHARED, needs_captures

BLE = CAPTURES / "ble"
CASES = SHARED / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="../shared/cases is not here")
JBD = str(BLE / "jbd-mosfets-onoff.btsnoop")


@pytest.fixture
def captures(tmp_path):
    files = [tmp_path / "on.btsnoop", tmp_path / "off.btsnoop"]
    for switch, file in enumerate(files):
        write_capture(file, 90, switch=switch)
    return [str(file) for file in files]


@needs_captures
async def test_the_mosfets_of_a_jbd_each_tied_to_its_own_write():
    result = await packwire("diff", "--split-at-writes", JBD)
    assert result.code == ExitCode.OK
    lines = result.out.splitlines()
    assert lines[0].startswith(
        "15 segments cut at 14 writes of  dd 5a e1 02 00 XX  to att 0x0015; 3 states: XX = 00 (8), 01 (2), 02 (5)"
    )
    assert lines[1].startswith("frame dd 03 (JBD, checksum ok")
    assert "51 frames" in lines[1]
    assert lines[2].startswith("  byte 24 bit 0   00:1  01:0  02:1   every segment agrees   tied to write 01")
    assert lines[3].startswith("  byte 24 bit 1   00:1  01:1  02:0   every segment agrees   tied to write 02")
    assert lines[4].startswith(
        "  byte 20 bit 4   00:0  01:1  02:1   every segment agrees   set whenever either"
    )
    assert lines[5] == "set aside: 2 checksum bytes; --all shows them"


@needs_captures
async def test_the_same_as_json_with_packets_to_look_at():
    found = checked((await packwire("diff", "--split-at-writes", "dd5ae1", JBD, "--json")).out)[0]
    charge, discharge, follows = found["frames"][0]["bits"]
    assert (charge["byte"], charge["bit"], charge["tied_to"]) == (24, 0, "01")
    assert (discharge["byte"], discharge["bit"], discharge["tied_to"]) == (24, 1, "02")
    assert (follows["byte"], follows["bit"], follows["evidence"]) == (20, 4, "follows")
    assert [change["after"] for change in charge["changes"]] == [113, 137, 161, 173]
    assert all(bit["chance"] < 0.001 for bit in (charge, discharge, follows))
    assert found["before_first"] == "00"


@needs_captures
async def test_controls_of_a_lolan_although_not_all_writes_took_effect():
    """d8 88 / d9 00 switch charging, 85 55 / 86 00 discharging; seven of the sixteen writes changed nothing."""
    result = await packwire("diff", "--split-at-writes", str(BLE / "lolan-status-controls.btsnoop"), "--json")
    (found,) = checked(result.out)
    (frame,) = [frame for frame in found["frames"] if frame["bits"]]
    states = found["states"]
    seen = {
        (bit["byte"], bit["bit"]): {
            state: value for state, value in zip(states, bit["values"], strict=True) if value is not None
        }
        for bit in frame["bits"]
    }
    assert seen == {(2, 0): {"8555": 1, "8600": 0}, (2, 1): {"d888": 1, "d900": 0}}
    assert frame["counters"] == [{"type": "clock", "bytes": [34, 35]}]


@needs_captures
async def test_a_jk_whose_setting_shows_in_no_frame_gives_nothing():
    """The settings frame was read before and after only, and all four of them are equal but for a counter."""
    result = await packwire("diff", "--split-at-writes", str(BLE / "jk-heating-setting.btsnoop"))
    assert result.code == ExitCode.NO_ANSWER
    assert result.out.startswith("13 segments cut at 12 writes of  aa 55 90 eb XX")
    assert "nothing found" in result.out


@needs_captures
@pytest.mark.parametrize("name", sorted(path.name for path in BLE.glob("*")) if BLE.exists() else [])
@pytest.mark.parametrize("command", ["groups", "pairs"])
async def test_every_recording_has_groups_and_pairs(command, name):
    result = await packwire(command, str(BLE / name))
    silent = name == "packetlogger-big-endian.pklg"
    assert result.code == (ExitCode.NO_ANSWER if silent else ExitCode.OK), result.err
    assert "\x1b" not in result.out


@needs_captures
async def test_one_recording_is_cut_at_its_writes():
    name = str(BLE / "jbd-mosfets-onoff.btsnoop")
    alone, asked = await packwire("diff", name), await packwire("diff", "--split-at-writes", name)
    assert alone.out == asked.out
    assert "byte 24 bit 0" in alone.out


async def test_two_captures_and_the_plain_method(captures):
    result = await packwire("diff", *captures)
    assert result.code == ExitCode.OK
    assert "byte 24 bit 1   on:0  off:1" in result.out
    plain = await packwire("diff", *captures, "--plain")
    assert "  byte 24 bit 1\n" in plain.out
    named = await packwire("diff", "--state", f"x={captures[0]}", "--state", f"y={captures[1]}", "--json")
    assert checked(named.out)[0]["states"] == ["x", "y"]


@pytest.mark.parametrize(
    "arguments",
    [["diff"], ["diff", "--state", "x=ON"], ["diff", "--at", "x", "ON"], ["diff", "--state", "on", "ON"],
     ["diff", "--split-at-writes", "ON", "ON"], ["diff", "--at", "1", "--split-at-writes", "ON"],
     ["groups", "ON", "--plot", "x.gif"], ["groups", "ON", "--header", "99"]],
)  # fmt: skip
async def test_wrong_use_is_one_line(captures, arguments):
    result = await packwire(*[word.replace("ON", captures[0]) for word in arguments])
    assert result.code == ExitCode.USAGE
    assert len(result.err.splitlines()) == 1


async def test_polls_alone_are_no_marks(captures):
    result = await packwire("diff", "--split-at-writes", captures[0])
    assert result.code == ExitCode.NO_ANSWER
    assert "only polls" in result.out


async def test_groups_with_heat_maps(captures, tmp_path):
    picture = tmp_path / "heat.svg"
    result = await packwire("groups", captures[0], "--plot", str(picture))
    assert result.code == ExitCode.OK
    assert "dd 03  from device" in result.out
    assert "bit 7" in result.out
    assert "<title>byte 5 bit 0" in picture.read_text()
    records = list(checked((await packwire("groups", captures[0], "--json")).out))
    assert {record["header"] for record in records} >= {"dd03"}


async def test_pairs_as_json(captures):
    (record,) = list(checked((await packwire("pairs", captures[0], "--json")).out))
    assert record["request"]["count"] == 30
    assert record["replies"][0]["count"] == 30


@needs_captures
async def test_requests_that_read_each_setting_once_still_have_their_replies():
    """Too many kinds for statistics: the framing knows how long its header is."""
    result = await packwire("pairs", str(CAPTURES / "ble/jbd-sp04s034.btsnoop"), "--json")
    assert result.code == 0
    pairs = list(checked(result.out))
    basic = next(pair for pair in pairs if pair["request"]["header"] == "dda503")
    assert basic["unanswered"] <= 1
    assert "dd03" in json.dumps(basic["replies"])


@needs_cases
@pytest.mark.parametrize("name", ["ant-falling-voltage.btsnoop", "jbd-login-as-switch.btsnoop"])
async def test_falling_voltages_and_logins_are_no_switch(name):
    result = await packwire("diff", str(CASES / name))
    assert result.code == ExitCode.NO_ANSWER
    assert " by chance " not in result.out


@needs_cases
async def test_logins_are_said():
    result = await packwire("diff", str(CASES / "jbd-login-as-switch.btsnoop"))
    assert result.out.startswith("no switch: 11 writes are logins")


@needs_cases
@pytest.mark.parametrize(
    ("name", "arguments", "states", "place", "agreed"),
    [
        ("lumentree-reg96.txt", [], ["0000", "0001", "0004", "0005"], [3, 2], [5, 5]),
        ("modbus-write-value-lost.btsnoop", [], ["0000", "0001", "0004", "0005"], [3, 2], [5, 5]),
        ("one-read-after-each-write.txt", [], ["0000", "0001"], [3, 2], [12, 12]),
        ("09-modbus-write-value.log", ["--split-at-writes", "01100010"], ["0000", "0001"], [3, 2], [2, 2]),
    ],
)
async def test_a_register_is_read_back_as_it_was_written(name, arguments, states, place, agreed):
    result = await packwire("diff", *arguments, str(CASES / name), "--json")
    found = checked(result.out)[0]
    (frame,) = [frame for frame in found["frames"] if frame["fields"] and frame["fields"][0]["read_back"]]
    field = frame["fields"][0]
    assert (result.code, found["states"]) == (ExitCode.OK, states)
    assert ([field["byte"], field["size"]], field["read_back"]) == (place, agreed)
    assert field["values"] == [int(state, 16) for state in states]
    assert [one["chance"] <= 0.05 for one in frame["fields"]].count(True) == 1


@needs_cases
async def test_each_register_that_is_written_is_a_control_of_its_own():
    found = checked((await packwire("diff", str(CASES / "09-modbus-write-value.log"), "--json")).out)[0]
    seen = {each["pattern"]: each["frames"][0]["fields"][0]["byte"] for each in (found, *found["others"])}
    assert seen == {f"01 10 00 1{at} 00 01 02 XX XX": 3 + 2 * at for at in range(3)}
