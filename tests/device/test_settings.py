"""Settings and events are read; a mode that must be entered for it is entered only where the user agreed."""

import json

import pytest

from packwire.device import open_device
from packwire.device.reader import Reader
from packwire.device.settings import ToldValue, differences, told_by
from packwire.errors import BadOptionError
from packwire.models.load import model
from packwire.sim.by_name import simulation
from packwire.sim.server import SimOptions
from tests.cli.every_command import run


async def told(name, topic, agreed=()):
    sent: list[bytes] = []
    async with simulation(name, SimOptions(speed=0)) as sim, open_device(sim.address) as device:
        reader = device.inner
        assert isinstance(reader, Reader)
        reader.client.link.observers.append(lambda way, data: sent.append(data))
        return await told_by(device, topic, agreed), sent


async def test_what_is_told_only_in_a_mode_is_asked_only_with_consent():
    with pytest.raises(BadOptionError, match="dd 5a 00 02 56 78 .*--allow factory-mode"):
        await told("jbd", "settings")
    said, sent = await told("jbd", "settings", ("factory-mode",))
    assert {"cell overvoltage", "discharge overcurrent", "balance from"} <= {each.name for each in said}
    jbd = model("jbd")
    writes = [each for each in sent if each[:2] == bytes.fromhex("dd5a")]
    assert writes == [jbd.asked_by_name[f"{verb} factory mode"].payload for verb in ("enter", "leave")]


@pytest.mark.parametrize(
    ("name", "field", "unit"),
    [
        ("daly-a5", "cell overvoltage alarm", "V"),
        ("jk02", "cell undervoltage recovery", "V"),
        ("jk-uart", "balance difference", "V"),
    ],
)
async def test_settings_have_units_and_secrets_are_not_among_them(name, field, unit):
    said, _ = await told(name, "settings")
    assert {each.name: each.unit for each in said}[field] == unit
    assert not any("passcode" in each.name for each in said)
    assert sum(bool(each.value) for each in said) > 0.7 * len(said), "they are as of a pack that was set up"


async def test_events_are_counts():
    said, sent = await told("jbd", "events")
    assert ("short circuits", 1) in {(each.name, each.value) for each in said}
    assert not any(each[:2] == bytes.fromhex("dd5a") for each in sent)
    with pytest.raises(BadOptionError, match="knows no way to read the events"):
        await told("renogy", "events")


def test_differences_are_said_in_words():
    one = {"a": ToldValue("a", 3.65, "V"), "b": ToldValue("b", True), "c": ToldValue("c", 1)}
    other = {"a": ToldValue("a", 3.6, "V"), "b": ToldValue("b", True), "d": ToldValue("d", "x")}
    assert differences(one, other) == [
        "a: 3.65 V in the first, 3.6 V in the second",
        "c: only the first has it: 1",
        "d: only the second has it: x",
    ]


async def test_files_are_written_and_compared(tmp_path):
    folder = tmp_path
    (folder / "session.pcap").write_bytes(b"no settings")
    code, _, err = await run(f"settings sim:daly-a5 -o {folder}/a.json", folder)
    assert code == 0, err
    content = json.loads((folder / "a.json").read_text())
    content["settings"][0]["value"] = 280
    (folder / "b.json").write_text(json.dumps(content))
    code, out, _ = await run(f"settings {folder}/a.json {folder}/b.json", folder)
    assert "280 Ah in the second" in out.decode()
    code, _, err = await run(f"settings {folder}/a.json {folder}/session.pcap", folder)
    assert code != 0
    assert "no file that packwire settings -o wrote" in err
    (folder / "deep.json").write_text("[" * 200_000)
    code, _, err = await run(f"settings {folder}/a.json {folder}/deep.json", folder)
    assert (code, err.count("\n")) == (9, 1)
    code, _, err = await run(f"settings sim:daly-a5 -o {folder}/a.json", folder)
    assert code != 0
    assert "--force" in err
