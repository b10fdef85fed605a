"""`packwire log` and `packwire name`: a file of one's own, a name of one's own."""

import csv
import sqlite3
from types import SimpleNamespace
from typing import Any

from packwire.cli.value_log import ValueLog
from packwire.device.follow import Outage, Reading
from packwire.errors import UnreachableError
from tests.cli.running import packwire


async def test_a_csv_is_added_to(tmp_path):
    file = tmp_path / "pack.csv"
    for _ in range(2):
        result = await packwire("log", "sim:vesc", "-o", str(file), "--every", "0.1", "--for", "0.8")
        assert result.code == 0, result.err
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert {"voltage", "cell_voltages"} <= {row["quantity"] for row in rows}
    assert sum(row["time"] == "time" for row in rows) == 0
    assert "readings" in result.err


async def test_a_database(tmp_path):
    file = tmp_path / "pack.sqlite"
    assert (await packwire("log", "sim:vesc", "-o", str(file), "--every", "0.1", "--for", "0.8")).code == 0
    with sqlite3.connect(file) as database:
        found = database.execute("SELECT value FROM samples WHERE quantity = 'voltage'").fetchall()
    assert found
    assert 40 < found[0][0] < 100
    database.close()


async def test_another_file_is_not_added_to(tmp_path):
    file = tmp_path / "other.csv"
    file.write_text("a,b\n")
    result = await packwire("log", "sim:vesc", "-o", str(file), "--for", "0.5")
    assert result.code == 2
    assert file.read_text() == "a,b\n"


DEVICE: Any = SimpleNamespace(nodes=())


def test_a_gap_is_one_row_and_a_large_file_is_put_aside(tmp_path, capsys):
    file = tmp_path / "pack.csv"
    with ValueLog(file, lambda _: True, rotate=0.0001) as log:
        for _ in range(3):
            log.show(Outage(UnreachableError("gone"), 1.0))
        log.show(Reading(DEVICE, ()))
        log.show(Outage(UnreachableError("gone again"), 1.0))
    written = [path.read_text() for path in tmp_path.iterdir()]
    gaps = [line for text in written for line in text.splitlines() if line.endswith(",gap")]
    assert len(gaps) == 2
    assert len(written) > 1
    assert "data again" in capsys.readouterr().err


async def test_a_name_stands_for_its_address(tmp_path):
    variables: dict[str, Any] = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert (await packwire("name", "van", "sim:vesc", **variables)).code == 0
    assert (await packwire("name", **variables)).out == "van  sim:vesc\n"
    assert (await packwire("read", "van", **variables)).code == 0
    assert (await packwire("name", "van", "--remove", **variables)).code == 0
    assert (await packwire("read", "van", **variables)).code == 2


async def test_a_file_of_names_that_is_newer_or_broken_is_one_line(tmp_path):
    (tmp_path / "packwire").mkdir()
    for content, said in (('{"version": 2}', "newer packwire"), ("{", "cannot be read"), ("[]", "no names")):
        (tmp_path / "packwire" / "names.json").write_text(content)
        result = await packwire("read", "van", XDG_CONFIG_HOME=str(tmp_path))
        assert result.code == 9
        assert said in result.err


async def test_a_password_is_not_kept(tmp_path):
    result = await packwire(
        "name", "van", "veschub://TESTPACK:secret@hub.example", XDG_CONFIG_HOME=str(tmp_path)
    )
    assert result.code == 2
    assert "secret" not in result.out + result.err
    assert not (tmp_path / "packwire").exists()
