"""`packwire doctor`, run as a user runs it."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.cli.records import checked
from tests.cli.running import COMMAND, packwire
from tests.sim.raw import hub_with_device, simulated

FAST = ("--listen", "0.05", "--poll", "0.5", "--timeout", "0.5")
PASSWORD = "secret42"


async def test_all_is_well_with_the_cells():
    async with simulated(speed=1.0) as device:
        result = await packwire("doctor", str(device.address), *FAST)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith("ok    name")
    verdict = next(line for line in lines if line.startswith("VERDICT"))
    assert "All is well" in verdict
    assert "20 cells, 4.1" in verdict
    assert verdict.endswith("[ok]")
    assert lines[-1].startswith("What to do: ")
    assert "packwire doctor --my-client" in lines[-1]


async def test_a_fault_shows_in_verdict_and_exit_code():
    async with simulated("no-bms") as device:
        result = await packwire("doctor", str(device.address), *FAST)
    assert result.code == 7
    assert "[no-bms]" in result.out
    assert "FAIL  pack" in result.out


async def test_quick_asks_less():
    async with simulated() as device:
        result = await packwire("doctor", str(device.address), "--quick", *FAST)
    assert result.code == 0
    assert "movement" not in result.out


async def test_json_is_the_whole_result():
    async with simulated("prints", speed=1.0) as device:
        result = await packwire("doctor", str(device.address), "--json", *FAST)
    record = checked(result.out)[0]
    assert result.code == record["verdict"]["exit_code"] == 11
    assert record["verdict"]["key"] == "chatter"
    assert len(record["pack"]["cell_voltages"]) == 20
    assert {"name", "question", "outcome", "answer", "evidence", "rules_out", "seconds"} == set(
        record["checks"][0]
    )
    assert {each["standing"] for each in record["hypotheses"]} == {"ruled out"}


async def test_reports_for_a_forum_hold_no_secret(tmp_path):
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    async with hub_with_device() as (hub, _):
        address = f"veschub://TESTPACK@127.0.0.1:{hub.port}"
        options = ("--thorough", *FAST, "--report", str(page), "--report", str(text))
        result = await packwire("doctor", address, *options, PACKWIRE_PASSWORD=PASSWORD)
    assert result.code == 0
    for report in (page.read_text(), text.read_text()):
        assert "All is well" in report
        assert "02 82 60" in report, "the battery's frame in hex"
        assert "02 82 60 as a length of 608" in report
        for secret in (
            PASSWORD,
            "TESTPACK",
            "made-up-wifi-key",
            PASSWORD.encode().hex(" "),
            b"TESTPACK".hex(" "),
        ):
            assert secret not in report
    assert "<script" not in page.read_text()
    assert "http" not in page.read_text().partition("</head>")[0], "needs no other file"
    assert PASSWORD not in result.out + result.err


async def test_what_a_device_calls_itself_cannot_break_a_report(tmp_path):
    from packwire.vesc.replies import FW_VERSION
    from tests.device.scripted import framed, scripted, usual

    name = "<script>alert(1)</script>|`*\x1b[31m"
    version = FW_VERSION.decode(b"\0" + bytes([7, 0]) + name.encode() + b"\0" + bytes(20)).reply

    def handler(payload: bytes):
        return framed(b"\0" + FW_VERSION.encode(version)) if payload[0] == 0 else usual(payload)

    page, text = tmp_path / "report.html", tmp_path / "report.md"
    async with scripted(handler) as device:
        address = f"vesc://127.0.0.1:{device.port}"
        reports = ("--report", str(page), "--report", str(text))
        result = await packwire("doctor", address, "--quick", *FAST, *reports)
    assert "\x1b" not in result.out
    assert "<script" not in page.read_text()
    assert "&lt;script" in page.read_text()
    assert "<script" not in text.read_text().replace("\\<script", "")


async def test_a_restart_is_asked_for_and_waited_for():
    async with simulated("silence") as device:
        result = await packwire("doctor", str(device.address), "--restart", "--timeout", "0.1", stdin=b"\n")
    assert result.code == 7
    assert "Switch the device off and on" in result.err
    assert "did not help" in result.out


async def test_the_simulator_is_started_for_its_address():
    result = await packwire("doctor", "sim:vesc", "--quick")
    assert result.code == 0


async def test_expected_ids():
    async with simulated("dead-node:84", speed=1.0) as one, simulated("dead-node:84", speed=1.0) as other:
        well, gone = await asyncio.gather(
            packwire("doctor", str(one.address), *FAST, "--expect", "10"),
            packwire("doctor", str(other.address), *FAST, "--expect", "10,84"),
        )
    assert well.code == 0
    assert "CAN id 84 does not answer, though expected here" in gone.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("vesc://127.0.0.1:1", "--quick", "--thorough"), "exclude each other"),
        (("vesc://127.0.0.1:1", "--report", "report.pdf"), "ends in .html or .md"),
        (("vesc://127.0.0.1:1", "--report", "no/such/folder/report.md"), "there is no folder"),
        (("vesc://127.0.0.1:1", "--expect", "10;84"), "CAN ids are numbers"),
        (("vesc://127.0.0.1:1", "--poll", "0"), "--poll is a number above 0"),
        (("nonsense",), "there is no name nonsense"),
        (("veschub://TESTPACK:a%3Ab@127.0.0.1:1",), "colon in a hub password"),
        (("--my-client", "port"), "name the port"),
        ((__file__,), "is a file: packwire doctor --log "),
    ],
)
async def test_wrong_use_is_one_clear_line(arguments: tuple[str, ...], words: str):
    result = await packwire("doctor", *arguments)
    assert result.code == 2
    assert len(result.err.splitlines()) == 1
    assert words in result.err


async def test_a_name_is_of_its_device_where_a_file_is_called_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    Path("van").touch()
    assert (await packwire("doctor", "van")).err.startswith("packwire: van is a file")
    assert (await packwire("name", "van", "serial:/dev/ttyNOTHERE7")).code == 0
    assert "no serial port /dev/ttyNOTHERE7" in (await packwire("doctor", "van")).out


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is no signal there")
async def test_ctrl_c_shows_what_is_known_so_far():
    async with simulated() as device, asyncio.timeout(90):
        running = await asyncio.create_subprocess_exec(
            *COMMAND,
            "doctor",
            str(device.address),
            "--listen",
            "0.05",
            "--poll",
            "600",
            stdout=PIPE,
            stderr=PIPE,
        )
        assert running.stdout is not None
        seen = b""
        while b"answers" not in seen:
            seen += await running.stdout.readline()
        running.send_signal(signal.SIGINT)
        rest, errors = await running.communicate()
    assert (running.returncode, errors) == (130, b"")
    assert b"this is what is known so far" in rest
    assert b"VERDICT (likely): All is well" in rest


@pytest.mark.parametrize("name", ["folder.md", "no/rights.html"])
async def test_a_report_that_cannot_be_written_is_said_first(tmp_path, name: str):
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "no").symlink_to("/proc")
    result = await packwire("doctor", "vesc://127.0.0.1:1", "--report", str(tmp_path / name))
    assert (result.code, result.out) == (9, "")
    assert "cannot be written" in result.err


async def test_a_name_of_a_report_is_not_taken_before_there_is_one(tmp_path):
    page = tmp_path / "report.md"
    result = await packwire("doctor", "vesc://127.0.0.1:1", "--report", str(page), "--listen", "0")
    assert result.code == 2
    assert not page.exists()


async def test_read_points_to_the_doctor():
    async with simulated("silence") as device:
        result = await packwire("read", str(device.address), "--timeout", "0.1")
    assert result.code == 7
    assert result.err.rstrip().endswith(f"See: packwire doctor {device.address}")
