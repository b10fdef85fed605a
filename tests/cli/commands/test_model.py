"""`packwire model`, and models of one's own at the command line."""

import json
from pathlib import Path

import pytest

from packwire.models.beginning import beginning
from packwire.models.store import Source
from tests.cli.running import packwire


@pytest.fixture
def home(tmp_path):
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


async def test_a_new_model_is_right_from_the_start(tmp_path, home):
    made = await packwire("model", "new", "acme", **home)
    path = tmp_path / "config/packwire/models/acme.yaml"
    assert (made.code, path.exists(), (path.parent / "model.schema.json").exists()) == (0, True, True)
    for named in ("acme", str(path)):
        checked = await packwire("model", "check", named, **home)
        assert (checked.code, "right" in checked.out) == (0, True)
    tested = await packwire("model", "test", "acme", **home)
    assert tested.out == "acme: 1 example, all as they say\n"
    again = await packwire("model", "new", "acme", **home)
    assert (again.code, "is there already" in again.err) == (2, True)
    refused = await packwire("model", "new", "A b", **home)
    assert (refused.code, "is no name" in refused.err) == (2, True)


async def test_what_the_page_says_to_type_works_with_a_model_of_ones_own(home):
    page = (Path(__file__).parents[3] / "docs/how-to/add-your-bms.md").read_text(encoding="utf-8")
    typed = [
        line.strip().partition("#")[0].split()[1:]
        for line in page.splitlines()
        if line.startswith("    packwire ")
    ]
    assert [words[0] for words in typed[:5]] == ["model", "model", "model", "sim", "read"]
    for words in typed[:5]:
        ended = ("--for", "0.1") if words[0] == "sim" else ()
        ran = await packwire(*(word for word in words if word != "--bluetooth"), *ended, **home)
        assert ran.code == 0, (words, ran.err)
    assert "20 cells" in ran.out
    unasked = await packwire("read", "sim:acme", **home)
    assert unasked.code == 0, "agreed once"


async def test_a_strangers_model_is_not_used_unasked(home):
    await packwire("model", "new", "acme", **home)
    refused = await packwire("read", "sim:acme", **home)
    assert refused.code != 0
    assert "agree once with --trust" in refused.err


async def test_the_list_says_what_is_ones_own_and_what_it_stands_in_for(tmp_path, home):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "jbd.yaml").write_text(Source("jbd").text() + "# mine\n")
    (folder / "bad.yaml").write_text("packwire: 1\n")
    listed = await packwire("model", "list", "--models", str(folder), **home)
    assert listed.code == 9
    assert "bad.yaml, line 1: name is missing" in listed.err
    assert "in place of packwire's own" in listed.out
    records = await packwire("model", "list", "--json", "--models", str(folder), **home)
    jbd = next(json.loads(line) for line in records.out.splitlines() if '"jbd"' in line)
    assert (jbd["shadows"], jbd["trusted"]) == (True, False)


async def test_show_says_each_frame_that_is_sent(home):
    shown = await packwire("model", "show", "jbd", **home)
    assert "  login (acts): ff aa 15 .. {pin} .." in shown.out
    assert "  basic info (reads): dd a5 03 00 ff fd 77" in shown.out
    assert "MOSFETs: both on, charge off, discharge off, both off" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 110
    unknown = await packwire("model", "show", "jbx", **home)
    assert (unknown.code, "did you mean jbd?" in unknown.err) == (2, True)


async def test_a_wrong_example_is_said(tmp_path, home):
    path = tmp_path / "acme.yaml"
    path.write_text(beginning("acme").replace("voltage: 13.32", "voltage: 13.33"))
    tested = await packwire("model", "test", str(path), **home)
    assert tested.code == 11
    assert "example 1: voltage is 13.33, and the model says 13.32" in tested.err


async def test_a_model_of_ones_own_is_asked_about_before_it_talks(tmp_path, home):
    await packwire("model", "new", "acme", **home)
    address = "tcp://127.0.0.1:1?model=acme"
    refused = await packwire("read", address, **home)
    assert refused.code == 2
    assert "status (reads): aa 55 01 10 31 b0" in refused.err
    assert "agree once with --trust" in refused.err
    agreed = await packwire("read", address, "--trust", **home)
    assert agreed.code == 3, "the port is closed, but it was tried"
    after = await packwire("read", address, **home)
    assert (after.code, "not packwire's own" in after.err) == (3, False)


async def test_a_model_is_exported(tmp_path, home):
    shown = await packwire("model", "export", "jbd", "--format", "wireshark", **home)
    assert (shown.code, shown.err, shown.out.startswith("-- JBD: a post-dissector")) == (0, "", True)
    out = tmp_path / "jbd.yaml"
    made = await packwire("model", "export", "jbd", "--to", "esphome", "-o", str(out), **home)
    assert (made.code, made.out) == (0, "")
    assert "5 things esphome cannot express: said at the beginning" in made.err
    assert out.read_text().startswith("# JBD: a configuration of ESPHome")
    again = await packwire("model", "export", "jbd", "--format", "esphome", "-o", str(out), **home)
    assert (again.code, "--force writes over it" in again.err) == (2, True)


async def test_a_plugin_is_exported_with_its_test(tmp_path, home):
    path = tmp_path / "acme.yaml"
    path.write_text(beginning("acme"))
    out = tmp_path / "acme_bms.py"
    made = await packwire("model", "export", str(path), "--format", "aiobmsble", "-o", str(out), **home)
    assert made.code == 0
    assert "is not packwire's own, and what is made asks your pack: look at it first" in made.err
    assert "from aiobmsble.bms.acme_bms import BMS" in (tmp_path / "test_acme_bms.py").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("jbd --format dbc", "jbd is not spoken on CAN"),
        ("jbd --format html --over ble", "--over is for esphome"),
        ("jbd --format wireshark --unit 3", "--unit is for dbc, esphome, aiobmsble"),
        ("pace --format esphome --unit 99", "--unit 99: address is 0 to 15"),
        ("vesc --format html", "vesc is no model"),
        ("jbd --format html -o /nowhere/at/all.html", "cannot be written (No such file or directory)"),
    ],
)
async def test_what_cannot_be_exported_is_one_line(words, says, home):
    refused = await packwire("model", "export", *words.split(), **home)
    assert refused.code in {2, 9}
    assert says in refused.err
    assert len(refused.err.splitlines()) == 1
