"""Completion of values: what a shell is offered when TAB is pressed, asked as the installed script asks."""

import json
from typing import Any

import pytest

from packwire.sim.faults import FAULTS
from packwire.sim.scenario import SCENARIOS
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.user_cache import cache_folder
from tests.cli.running import packwire


async def offered(*words, **variables):
    """Return what is offered for the last of some words of a command line."""
    result = await packwire("__complete", *words, **variables)
    assert result.code == 0, result.err
    _, begin, records = result.out.partition("\x1fbegin\n")
    assert begin
    return [line.partition("\t")[0] for line in records.splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sim", "vesc", "--scenario", ""), set(SCENARIOS)),
        (("demo", "--scenario", ""), set(SCENARIOS)),
        (("sim", "jbd", "--fault", ""), set(FAULTS)),
        (("sim", "hub", "--fault", ""), {"displaced", "one-way"}),
        (("share", "x", "--allow", ""), {"control", "config", "firmware"}),
        (("read", "sim"), {"sim:vesc", "sim:jbd"}),
        (("read", "serial:/dev/ttyUSB0?model="), {"serial:/dev/ttyUSB0?model=jbd"}),
        (("read", "x", "--node", ""), {"bms", "vesc"}),
        (("convert", "a", "b", "--format", ""), {"pcapng", "csv", "parquet"}),
    ],
)
async def test_what_packwire_knows_is_offered(words, expected):
    assert expected <= set(await offered(*words))


async def test_names_and_addresses_that_worked_are_offered_without_their_passwords(tmp_path):
    here: Any = {"XDG_CONFIG_HOME": str(tmp_path)}
    await packwire("name", "van", "vesc://192.168.1.20", **here)
    async with SimulatedVesc(SimOptions(ping_time=0.05)) as simulation:
        assert (await packwire("read", str(simulation.address), **here)).code == 0
        assert (await packwire("watch", f"{simulation.address}/can/84", "--count", "1", **here)).code == 0
    assert (await packwire("read", "vesc://127.0.0.1:9", **here)).code == 3
    found = await offered("read", "", **here)
    assert {"van", str(simulation.address), f"{simulation.address}/can/84"} <= set(found)
    assert "vesc://127.0.0.1:9" not in found
    assert "van" in await offered("name", "", **here)


async def test_a_damaged_cache_costs_nothing():
    for content in ("{", "7", json.dumps({"addresses": [5, "sim:x"]}), json.dumps({"addresses": 1})):
        (cache_folder() / "addresses.json").write_text(content)
        assert "sim:vesc" in await offered("read", "")


async def test_the_channels_of_the_recording_are_offered(folder):
    assert "tcp" in " ".join(await offered("messages", str(folder / "session.pcap"), "--channel", ""))
    assert await offered("messages", "no-such-file", "--channel", "") == []


async def test_the_installed_script_asks_for_values(tmp_path):
    await packwire("--install-completion", "--shell", "bash", HOME=str(tmp_path))
    script = next(tmp_path.rglob("packwire"))
    assert "__complete" in script.read_text()
