"""`packwire doctor --log`, run as a user runs it, and the page that tells of it."""

import gzip
import re
from pathlib import Path

import pytest

from packwire.doctor.log.examine import RULES
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.shared_data import CAPTURES, ROOT, needs_captures

LOGS = ROOT / "tests" / "data" / "logs"
PAGE = ROOT / "docs" / "how-to" / "a-stranger-posted-a-log.md"
#: A command of the page, and what it prints.
EXAMPLE = re.compile(r"^    \$ packwire ([^\n]*)\n((?:(?:    [^\n]*)?\n)+)", re.MULTILINE)
SECRET = "correcthorsebattery"


@pytest.mark.parametrize("example", EXAMPLE.findall(PAGE.read_text()), ids=lambda each: each[0])
async def test_the_page_shows_what_is_printed(example, monkeypatch):
    command, shown = example
    monkeypatch.chdir(LOGS)
    result = await packwire(*command.split())
    printed = result.out.splitlines()
    wanted = [line[4:] for line in shown.rstrip("\n").split("\n")]
    begin = wanted[: wanted.index("...")] if "..." in wanted else wanted
    assert printed[: len(begin)] == begin
    assert len(printed) == len(begin) or "..." in wanted


def test_every_kind_of_cause_is_documented():
    page = (ROOT / "docs/reference/verdicts.md").read_text().partition("## `doctor --log`")[2]
    listed = set(re.findall(r"`([\w.-]+)`", page))
    assert {rule.key for rule in RULES} <= listed


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("host-podman-rejected", 11),
        ("slots-sentence-alone", 11),
        ("uart-requests-only", 7),
        ("unrelated-home-assistant", 7),
        ("healthy-esphome", 0),
    ],
)
async def test_exit_codes(name: str, code: int):
    result = await packwire("doctor", "--log", str(LOGS / f"{name}.log"))
    assert (result.code, result.err) == (code, "")


async def test_json_is_one_record_and_the_time_line_more():
    path = str(LOGS / "slots-none-free-on-two-proxies.log")
    [record] = checked((await packwire("doctor", "--log", path, "--json")).out)
    assert record["verdict"]["key"] == "ble.no-free-slot"
    assert record["verdict"]["confidence"] == "certain"
    assert record["verdict"]["evidence"][0].startswith("line ")
    records = checked((await packwire("doctor", "--log", path, "--json", "--timeline")).out)
    assert records[-1] == record
    assert {each["kind"] for each in records[:-1]} == {"log_event"}


async def test_a_packed_log_and_one_that_is_piped_are_read(tmp_path):
    content = (LOGS / "host-podman-rejected.log").read_bytes()
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress(content))
    for result in (
        await packwire("doctor", "--log", str(packed)),
        await packwire("doctor", "--log", "-", stdin=content),
    ):
        assert "[host.permission]" in result.out


async def test_a_report_holds_no_secret(tmp_path):
    log = tmp_path / "x.log"
    log.write_text(
        "2026-03-04 10:00:00.000 ERROR (MainThread) [custom_components.bms_ble] Error fetching A4:C1:37:11:22:33"
        f" data: BMS communication timed out (ssid: {SECRET}, password={SECRET}, 192.168.7.8)\n"
    )
    for suffix in ("md", "html"):
        report = tmp_path / f"r.{suffix}"
        await packwire("doctor", "--log", str(log), "--report", str(report))
        text = report.read_text()
        assert "What to ask for" in text
        for hidden in (SECRET, "192.168.7.8", "11:22:33"):
            assert hidden not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--log", "nowhere.log"), "there is no such file"),
        (("--log", str(LOGS)), "this is a directory"),
        (("--log", "/dev/null"), "the file is empty"),
        (("--log", str(LOGS / "index.json"), "vesc://host"), "--log stands for itself"),
        (("vesc://host", "--timeline"), "--timeline goes with --log"),
    ],
)
async def test_wrong_use_is_one_clear_line(arguments, words):
    result = await packwire("doctor", *arguments)
    assert result.code in {2, 9}
    assert words in result.err
    assert result.out == ""


async def test_bytes_that_are_no_log_are_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)) * 9)
    result = await packwire("doctor", "--log", str(path))
    assert result.code == 9
    assert "no capture format" in result.err


@needs_captures
@pytest.mark.parametrize(
    "path",
    sorted(each for each in CAPTURES.rglob("*") if each.suffix in {".btsnoop", ".pcap", ".pcapng", ".cfa"})[
        :6
    ],
    ids=lambda path: Path(path).name,
)
async def test_captures_are_judged_too(path):
    result = await packwire("doctor", "--log", str(path))
    assert result.code in {0, 7, 11}
    assert "VERDICT" in result.out
