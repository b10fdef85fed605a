"""Repairs: what an owner can mend is said once, with what to do, and is gone when it is over."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState

import custom_components.packwire as integration
from custom_components.packwire.const import DOMAIN
from custom_components.packwire.issues import TRANSLATION_KEYS
from packwire.errors import NoAnswerError
from packwire.sample import Condition
from packwire.sim.server import DEVICE_ID, SimulatedVesc
from tests.conftest import add_entry, free_port, refresh, rest, tcp_data
from tests.test_connection import take_over

STRINGS = json.loads(Path(integration.__file__).with_name("strings.json").read_text(encoding="utf-8"))


def raised(issue_registry, entry):
    """Return what is told about an entry now: kind -> the words, filled in."""
    issues = {
        issue_id: issue for (domain, issue_id), issue in issue_registry.issues.items() if domain == DOMAIN
    }
    told = {}
    for issue_id, issue in issues.items():
        kind = issue_id.removesuffix(f"_{entry.entry_id}")
        assert issue.translation_key.startswith(kind)
        assert not issue.is_fixable
        words = STRINGS["issues"][issue.translation_key]
        told[kind] = {
            part: text.format(**(issue.translation_placeholders or {})) for part, text in words.items()
        }
    return told


async def test_not_answering_for_minutes(hass, clock, issue_registry):
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port), repair_after=3)
    await refresh(hass, entry)
    clock.advance(170)
    await refresh(hass, entry)
    assert not raised(issue_registry, entry), "too early"
    clock.advance(20)
    await refresh(hass, entry)
    told = raised(issue_registry, entry)
    assert told["not_answering"]["title"] == "VESC Express T has not answered for 3 min"
    assert "nothing listens on that port" in told["not_answering"]["description"]
    assert "The verdict of packwire's doctor: `refused-port`" in told["not_answering"]["description"]
    async with SimulatedVesc(rest(port=port)):
        await refresh(hass, entry)
        assert not raised(issue_registry, entry)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_not_answering_since_before_home_assistant_was_started(hass, clock, issue_registry):
    """The entry is set up again and again; the outage is one."""
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port), setup=False, repair_after=1)
    for _ in range(2):
        await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert not raised(issue_registry, entry)
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_setup(entry.entry_id)
    clock.advance(61)
    entry._async_cancel_retry_setup()
    await entry.async_setup_locked(hass)
    assert set(raised(issue_registry, entry)) == {"not_answering"}
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert not raised(issue_registry, entry)


async def test_another_cause_is_told_anew(hass, clock, issue_registry):
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port), repair_after=1)
    await refresh(hass, entry)
    clock.advance(61)
    await refresh(hass, entry)
    before = raised(issue_registry, entry)["not_answering"]["description"]
    async with SimulatedVesc(rest(port=port, faults=("http",))):
        await refresh(hass, entry)
        after = raised(issue_registry, entry)["not_answering"]["description"]
        assert "refused" in before
        assert "no VESC" in after
        await hass.config_entries.async_unload(entry.entry_id)


async def test_another_client_took_it(hass, behind_hub, clock, issue_registry):
    entry = await add_entry(hass, behind_hub.data)
    ours = behind_hub.hub.pairings[DEVICE_ID].client
    other = await take_over(behind_hub.hub.port)
    while behind_hub.hub.pairings[DEVICE_ID].client is ours:
        await asyncio.sleep(0.01)
    await refresh(hass, entry)
    told = raised(issue_registry, entry)
    assert told["displaced"]["title"] == "Another client took VESC Express T"
    assert "packwire hub" in told["displaced"]["description"], "the remedy"
    other.transport.abort()
    await refresh(hass, entry)
    assert set(raised(issue_registry, entry)) == {"displaced"}, "back, but perhaps not for long"
    clock.advance(31)
    await refresh(hass, entry)
    assert not raised(issue_registry, entry)


async def test_no_bms_behind_it(hass, vesc, clock, issue_registry):
    entry = await add_entry(hass, tcp_data(vesc.port), stale_after=30)
    vesc.faults.order("no-bms")
    await refresh(hass, entry)
    assert not raised(issue_registry, entry), "it may be starting"
    clock.advance(31)
    await refresh(hass, entry)
    assert set(raised(issue_registry, entry)) == {"no_bms"}
    vesc.faults.cancel("no-bms")
    await refresh(hass, entry)
    assert not raised(issue_registry, entry)


async def test_no_bms_is_no_issue_where_none_was_expected(hass, clock, issue_registry):
    async with SimulatedVesc(rest(faults=("no-bms",))) as vesc:
        entry = await add_entry(hass, {**tcp_data(vesc.port), "bms_expected": False})
        clock.advance(3600)
        await refresh(hass, entry)
        assert not raised(issue_registry, entry)


async def test_the_bms_stopped_reporting(hass, clock, issue_registry, caplog):
    async with SimulatedVesc(rest(scenario="ride", speed=1.0)) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port), stale_after=30)
        vesc.faults.order("frozen-bms")
        while entry.runtime_data.data["bms"].sample.condition != "stale":
            await refresh(hass, entry)
        clock.advance(31)
        caplog.clear()
        for _ in range(3):
            await refresh(hass, entry)
        told = raised(issue_registry, entry)
        assert told["bms_silent"]["title"] == "The BMS of VESC Express T stopped reporting"
        assert "no value of its battery moves" in told["bms_silent"]["description"]
        await refresh(hass, entry)
        assert raised(issue_registry, entry) == told, "it is told once"
        vesc.faults.cancel("frozen-bms")
        while raised(issue_registry, entry):
            await refresh(hass, entry)
        ours = [record.getMessage() for record in caplog.records if "BMS" in record.getMessage()]
        assert len(ours) == 2, "one line when it goes, one when it comes back"
        assert "no longer reports" in ours[0]
        assert "reports again" in ours[1]
        await hass.config_entries.async_unload(entry.entry_id)


async def test_removing_an_entry_takes_its_issues_along(hass, vesc, clock, issue_registry):
    entry = await add_entry(hass, tcp_data(vesc.port))
    vesc.faults.order("no-bms")
    clock.advance(100)
    await refresh(hass, entry)
    assert raised(issue_registry, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not raised(issue_registry, entry)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_words_of_a_repair_are_all_in_the_owners_language(language):
    """What fills them in are names and numbers; only for what has no words the error speaks, in English."""
    texts = Path(integration.__file__).with_name("translations") / f"{language}.json"
    for key, words in json.loads(texts.read_text(encoding="utf-8"))["issues"].items():
        used = set(re.findall(r"{(\w+)}", words["title"] + words["description"]))
        assert used <= {"name", "minutes", "verdict"} | ({"error"} if key.endswith("_other") else set()), key


async def test_what_has_no_words_is_told_by_its_error(hass, clock, issue_registry):
    """It works again when the doctor looks: nobody knows why it did not."""
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port), repair_after=1)
        issues = entry.runtime_data.issues
        await issues.unanswered(NoAnswerError("no answer to GET_VALUES"), entry.runtime_data.address)
        clock.advance(61)
        await entry.runtime_data._disconnect()
        await issues.unanswered(NoAnswerError("no answer to GET_VALUES"), entry.runtime_data.address)
        told = raised(issue_registry, entry)["not_answering"]["description"]
        assert "The last reading failed with: no answer to GET_VALUES" in told
        await hass.config_entries.async_unload(entry.entry_id)


async def test_the_vesc_is_there_but_tells_of_no_battery(hass, clock, issue_registry, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port), stale_after=30)
    entry.runtime_data.issues.bms_silent(Condition.SILENT)
    told = raised(issue_registry, entry)["bms_silent"]
    assert "not when it is asked for its battery" in told["description"]
    await refresh(hass, entry)
    assert not raised(issue_registry, entry)


async def test_every_issue_has_words():
    assert set(STRINGS["issues"]) == TRANSLATION_KEYS
