"""`packwire messages`: what was said, filtered, for people and for scripts."""

import csv
import io

import pytest

from packwire.cli.commands.messages import messages, parse_prefix
from packwire.cli.exit_codes import ExitCode
from packwire.errors import BadOptionError
from tests.capture.builder import Session
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, VescSession, bms, version
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.shared_data import ROOT

DATA = ROOT / "tests" / "data" / "vesc"
SECRETS = ("secret42", "vesc6wifi", "VESCTOOL:TESTPACK")


@pytest.fixture
def file(tmp_path):
    talk = VescSession().open().ask(ASK_VERSION).answer(version()).wait(5).ask(ASK_BMS)
    talk.answer(bms(), pieces=(40,))
    path = tmp_path / "session.pcap"
    path.write_bytes(talk.pcap())
    return path


@pytest.fixture
def shown(capsys):
    def run(*files, **options):
        code = messages(*files, **options)
        return code, capsys.readouterr().out

    return run


def test_a_line_a_message(shown, file):
    code, text = shown(file)
    assert code == ExitCode.OK
    lines = text.splitlines()
    assert len(lines) == 4
    assert lines[0].split() == [
        "4",
        "0.0030",
        "->",
        "tcp",
        "10.0.0.2:65102",
        "<->",
        "10.0.0.1:50000",
        "1",
        "00",
        "|.|",
    ]
    assert lines[3].split()[:2] == ["7..8", "5.0070"], "the packets and the time of the last piece"
    assert bms().hex(" ") in lines[3]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({"direction": "to"}, [0, 2]),
        ({"direction": "from"}, [1, 3]),
        ({"direction": "unknown"}, []),
        ({"prefix": "60"}, [2, 3]),
        ({"prefix": "0x60 06"}, []),
        ({"from_": 1.0}, [2, 3]),
        ({"to": 1.0}, [0, 1]),
        ({"count": 3}, [0, 1, 2]),
        ({"channel": ["10.0.0.2:65102"]}, [0, 1, 2, 3]),
        ({"channel": ["att"]}, []),
        ({"channel": ["ATT", "TCP"], "prefix": "60", "count": 1}, [2]),
    ],
)
def test_filters(shown, file, options, rows):
    everything = shown(file, json=True)[1].splitlines()
    code, text = shown(file, json=True, **options)
    assert text.splitlines() == [everything[row] for row in rows]
    assert code == ExitCode.OK


def test_json(shown, file):
    record = checked(shown(file, json=True)[1])[3]
    assert record == {
        "kind": "message",
        "version": 1,
        "time": "2023-11-14T22:13:25.007000000Z",
        "at": 5.007,
        "file": str(file),
        "packets": [7, 8],
        "direction": "from device",
        "channel": "tcp 10.0.0.2:65102 <-> 10.0.0.1:50000",
        "size": len(bms()),
        "hex": bms().hex(),
    }


def test_csv(shown, file):
    rows = list(csv.DictReader(io.StringIO(shown(file, csv=True)[1])))
    assert len(rows) == 4
    assert rows[3]["packets"] == "7 8"
    assert rows[3]["hex"] == bms().hex()


def test_parquet(shown, file, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    target = tmp_path / "out.parquet"
    assert shown(file, parquet=target)[0] == ExitCode.OK
    table = parquet.read_table(target).to_pylist()
    assert len(table) == 4
    assert table[3]["data"] == bms()
    assert table[3]["packets"] == [7, 8]
    assert table[3]["direction"] == "from device"


def test_several_files_have_heads(shown, file):
    lines = shown(file, file)[1].splitlines()
    assert lines[0] == lines[5] == f"{file}: 4 messages"


def test_absolute_times(shown, file):
    assert "2023-11-14T22:13:25.007" in shown(file, absolute=True)[1]


@pytest.mark.parametrize("options", [{}, {"json": True}, {"csv": True}])
@pytest.mark.parametrize("path", sorted(DATA.glob("*.pcap*")), ids=lambda path: path.name)
def test_no_secret_is_shown(shown, path, options):
    for more in ({}, {"raw": True}):
        text = shown(path, **options, **more)[1]
        for secret in SECRETS:
            assert secret not in text
            assert secret.encode().hex(" ") not in text
            assert secret.encode().hex() not in text


def test_secrets_are_shown_when_asked_for(shown):
    assert b"vesc6wifi".hex(" ") in shown(DATA / "no-bms.pcap", keep_secrets=True)[1]


def test_options_that_make_no_sense(shown, file):
    for options in ({"json": True, "csv": True}, {"prefix": "6"}, {"prefix": "xy"}):
        with pytest.raises(BadOptionError):
            shown(file, **options)
    assert parse_prefix("DD:03 0xa5") == b"\xdd\x03\xa5"


def test_a_file_without_data(tmp_path, capsys):
    path = tmp_path / "none.pcap"
    path.write_bytes(Session().open().pcap())
    assert messages(path) == ExitCode.NO_DATA
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no TCP data" in captured.err


async def test_piped(file):
    result = await packwire("messages", "-", "--prefix", "60", stdin=file.read_bytes())
    assert result.code == 0
    assert len(result.out.splitlines()) == 2


@pytest.mark.parametrize("options", [(), ("--json",), ("--csv",)])
async def test_followed_through_a_pipe(file, options):
    followed = await packwire("messages", "--follow", *options, "-", stdin=file.read_bytes())
    whole = await packwire("messages", *options, "-", stdin=file.read_bytes())
    assert followed.code == 0
    assert followed.out == whole.out
