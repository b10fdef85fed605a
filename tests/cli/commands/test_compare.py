"""`packwire compare` as a user runs it: the text, the data, the page."""

import subprocess
import sys
from pathlib import Path

import pytest

from packwire.cli.commands.compare import compare
from packwire.cli.exit_codes import ExitCode
from packwire.doctor.compare.causes import WORDS, Cause
from packwire.errors import BadFileError, BadOptionError
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.shared_data import ROOT

DATA = ROOT / "tests" / "data" / "vesc"
TOOL, OWN = DATA / "vesc-tool-hub-bms.pcap", DATA / "own-client-timeouts.pcap"
DISPLACED = DATA / "displaced-client.pcap"
SECRETS = ("secret42", "vesc6wifi", "mywifi", "secretkey")


@pytest.fixture
def shown(capsys):
    """Run the command in this process; return its exit code and what it printed."""

    def run(reference: Path, mine: Path, **options) -> tuple[int, str]:
        code = compare(reference, mine, **options)
        return code, capsys.readouterr().out

    return run


async def test_the_two_recorded_sessions():
    result = await packwire("compare", str(TOOL), str(OWN))
    assert result.code == ExitCode.DIFFERENT
    lines = result.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("VERDICT"))
    assert lines[at - 3 : at + 3] == [
        "Both sessions send BMS_GET_VALUES as  02 01 60 6c a6 03  : identical.",
        (
            "On the wire mine got 3 of 3 replies, whole, checksum right, 0.3 to 9.9 ms after the request: 20"
            " cells, 83.92 V."
        ),
        (
            "Yet mine waited 2.0 s after each before going on, and never after a reply shorter than 128 bytes"
            " (4 replies of 38 to 74)."
        ),
        (
            "VERDICT (likely): mine's receive path does not take these replies. Look first at how it reads the"
            " length:"
        ),
        "  start byte 02 means ONE length byte, 1 to 255; read as 15 bits, 82 60 would wait for 608 bytes.",
        (
            "  The file alone cannot rule out that a buffer of 128 bytes is too small; that it ignores"
            " command 96."
        ),
    ]
    assert "  To be sure: packwire doctor --my-client 65101" in lines
    assert "GET_VALUES (4) sent to a VESC Express is never answered, by anyone" in result.out
    first = next(line for line in lines if line.startswith("FIRST DIVERGENCE THAT MATTERS"))
    assert "BMS_GET_VALUES (96)" in first
    assert "mine at 5.0163 s (packet 30)" in first
    assert lines.index(first) < at


def test_which_sessions_are_compared_is_said(shown):
    _, text = shown(TOOL, OWN)
    assert "mine       own-client-timeouts.pcap [1] VESC, 127.0.0.1:51392 -> 127.0.0.1:65101" in text
    assert "left aside: [2] 127.0.0.1:65101 -> 127.0.0.1:51386, the hub's own connection" in text


def test_several_sessions_in_a_file(shown):
    code, text = shown(TOOL, DISPLACED)
    assert code == ExitCode.DIFFERENT
    assert "not compared: [3]" in text
    assert "FIRST DIVERGENCE THAT MATTERS  mine at 3.0003 s: the connection itself" in text
    assert "VERDICT (certain): another client took mine's place at the hub" in text
    _, text = shown(TOOL, DISPLACED, session=3)
    assert "displaced-client.pcap [3]" in text
    assert "VERDICT (certain): mine asks a device for what no device of its type ever answers." in text
    with pytest.raises(BadOptionError, match="there is no session 2: the sessions of clients are 1, 3"):
        shown(TOOL, DISPLACED, session=2)


def test_no_difference_that_matters(shown):
    code, text = shown(TOOL, TOOL)
    assert code == ExitCode.OK
    assert "no difference that matters" in text
    assert "FIRST" not in text


def test_equal_steps_are_folded_unless_all_are_wanted(shown):
    _, text = shown(TOOL, TOOL)
    assert "equal steps" in text
    _, text = shown(TOOL, TOOL, all=True)
    assert "equal steps" not in text
    assert "109x, 130 bytes after 0.2" in text


def test_json(shown):
    code, text = shown(TOOL, OWN, json=True)
    data = checked(text)[0]
    assert code == ExitCode.DIFFERENT
    assert data["verdict"]["key"] == "receive-path"
    assert data["verdict"]["confidence"] == "likely"
    assert data["verdict"]["suspects"][0]["key"] == "length above 127"
    assert data["verdict"]["suspects"][-1]["key"] == "command"
    assert {rule["key"] for rule in data["verdict"]["wrong_rules"]} >= {"length-15-bits", "length-signed"}
    assert data["mine"]["timeout"] == pytest.approx(2.0, abs=0.01)
    assert (data["mine"]["not_taken"], data["mine"]["taken"]) == (3, 4)
    assert data["first_divergence"]["mine"]["packet"] == 30
    assert [each["key"] for each in data["also"]] == ["never-answered"]


def test_a_log_of_the_client(shown, tmp_path):
    log = tmp_path / "client.log"
    log.write_text(
        "2026-11-21 02:40:15,009 INFO connected\n"
        "2026-11-21 02:40:19,019 ERROR BMS_GET_VALUES: Timeout\n"
        "2026-11-21 02:40:21,021 ERROR BMS_GET_VALUES: Timeout\n"
        "2026-11-21 02:40:23,023 ERROR BMS_GET_VALUES via can 84: Timeout\n"
    )
    _, text = shown(TOOL, OWN, log=log)
    assert "4 lines, 3 speak of a timeout, 3 of them with a time, 3 found in the session" in text
    assert "VERDICT (certain): mine's receive path" in text
    with pytest.raises(BadFileError, match=r"nowhere\.log: cannot be opened"):
        shown(TOOL, OWN, log=tmp_path / "nowhere.log")


def test_a_log_that_says_nothing_leaves_it_to_the_pauses(shown, tmp_path):
    log = tmp_path / "client.log"
    log.write_text("all is well\n")
    _, text = shown(TOOL, OWN, log=log)
    assert "not used, the pauses are" in text
    assert "VERDICT (likely)" in text


def test_the_page_needs_nothing_else_and_escapes(shown, tmp_path):
    strange = tmp_path / "<b>&mine.pcap"
    strange.write_bytes(OWN.read_bytes())
    page = tmp_path / "page.html"
    shown(TOOL, strange, report=(page,))
    text = page.read_text()
    assert "&lt;b&gt;&amp;mine.pcap" in text
    assert "<b>&mine" not in text
    assert "<script" not in text
    assert "http" not in text
    assert "receive path does not take these replies" in text


def test_the_same_as_markdown_in_which_nothing_of_a_file_is_markup(shown, tmp_path):
    strange = tmp_path / "my|_mine_.pcap"
    strange.write_bytes(OWN.read_bytes())
    page = tmp_path / "page.md"
    shown(TOOL, strange, report=(page,))
    text = page.read_text()
    assert text.startswith("## packwire compare: receive-path\n")
    assert r"my\|\_mine\_.pcap" in text
    assert "my|_mine_" not in text
    assert "receive path does not take these replies" in text
    assert "What to do: " in text
    assert "{{" not in text


@pytest.mark.parametrize(
    ("name", "said"), [("no/page.html", "there is no folder"), ("page.pdf", "ends in .html or .md")]
)
def test_a_report_that_cannot_be_is_refused_at_once(shown, tmp_path, name, said):
    with pytest.raises(BadOptionError, match=said):
        shown(TOOL, OWN, report=(tmp_path / name,))


@pytest.mark.parametrize("files", [(TOOL, OWN), (OWN, TOOL), (TOOL, DISPLACED)])
def test_nothing_secret_is_shown(shown, tmp_path, files):
    page, plain = tmp_path / "page.html", tmp_path / "page.md"
    _, text = shown(*files, report=(page, plain))
    _, data = shown(*files, json=True)
    for secret in SECRETS:
        assert secret not in text + data + page.read_text() + plain.read_text()


async def test_files_that_cannot_be_compared(tmp_path):
    nothing = tmp_path / "nothing.pcap"
    nothing.write_bytes(OWN.read_bytes()[:24])
    result = await packwire("compare", str(TOOL), str(nothing))
    assert result.code == ExitCode.NO_DATA
    assert "no session of a client in it" in result.err
    result = await packwire("compare", str(TOOL), str(tmp_path / "missing.pcap"))
    assert result.code == ExitCode.BAD_FILE


def test_a_damaged_file_is_compared_as_far_as_it_goes(shown, tmp_path):
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(OWN.read_bytes()[:-20])
    code, text = shown(TOOL, cut)
    assert code == ExitCode.BAD_FILE
    assert "receive path" in text


def test_every_verdict_is_documented():
    text = (ROOT / "docs" / "how-to" / "compare-two-sessions.md").read_text()
    listed = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert listed == ["no-difference", *Cause]
    assert list(WORDS) == list(Cause)


def test_what_cannot_be_told_is_neither_a_fault_nor_an_all_clear(shown, tmp_path):
    cut, page = tmp_path / "cut.pcap", tmp_path / "page.html"
    content = OWN.read_bytes()
    cut.write_bytes(content[:24] + b"".join(_records(content)[:7]))
    code, text = shown(TOOL, cut, report=(page,))
    assert code == ExitCode.DIFFERENT
    assert "VERDICT: cannot tell: what would show it is missing from the recording of mine." in text
    assert "CANNOT TELL FROM  FW_VERSION (0)" in text
    assert "no difference" not in text
    assert "Cannot tell from" in page.read_text()
    _, data = shown(TOOL, cut, json=True)
    assert checked(data)[0]["verdict"]["key"] == "not-recorded"


def test_notes_say_what_the_recording_does_not_show(shown, tmp_path):
    late, page = tmp_path / "late.pcap", tmp_path / "page.html"
    content = OWN.read_bytes()
    late.write_bytes(content[:24] + b"".join(_records(content)[24:]))
    _, text = shown(TOOL, late, report=(page,))
    _, data = shown(TOOL, late, json=True)
    note = "it began before the recording: what was said before is not known"
    assert f"note: {note}" in text
    assert note in page.read_text()
    assert checked(data)[0]["mine"]["notes"] == [note]


def _records(content: bytes) -> list[bytes]:
    """Return the packets of a pcap file, each with its header."""
    records, at = [], 24
    while at < len(content):
        size = 16 + int.from_bytes(content[at + 8 : at + 12], "little")
        records.append(content[at : at + size])
        at += size
    return records


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "lines",
    [
        ["02:40:19.019 vesc.js:41 Request timeout", "02:40:21.021 vesc.js:41 Request timeout"],
        ["\x1b[0;33m[02:40:19][W][vesc:123]: No response to command 96\x1b[0m"],
        ["2026-11-21 02:40:19.019 WARNING (MainThread) [custom_components.vesc] BMS_GET_VALUES: Timeout"],
        ["Nov 21 02:40:19 pi vesc[12]: timeout"],
        ["1795228819019 request timed out"],
    ],
    ids=["browser", "ESPHome", "Home Assistant", "journal", "milliseconds"],
)
def test_logs_of_many_kinds(shown, tmp_path, lines, encoding):
    log = tmp_path / "client.log"
    log.write_text("\n".join(lines) + "\n", encoding=encoding)
    _, data = shown(TOOL, OWN, log=log, json=True)
    told = checked(data)[0]["log"]
    assert (told["timeouts"], told["found_in_session"]) == (len(lines), len(lines))


def test_the_command_is_there_without_what_its_help_does_not_need():
    code = "import sys\nfrom packwire.cli.commands import compare\nprint('numpy' in sys.modules, 'jinja2' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False False\n"


@pytest.mark.parametrize("form", [".md", ".html"])
def test_a_report_names_no_computer(shown, tmp_path, form):
    page = tmp_path / f"report{form}"
    shown(TOOL, OWN, report=(page,))
    text = page.read_text()
    assert "127.0.0.1" not in text
    assert "x.x.x.x:65101" in text
