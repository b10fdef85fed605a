"""What strangers send is text: shown short, on one line, and never as Markdown; and few of them are dialled."""

import asyncio
import re
import socket

import pytest
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.packwire import discovery
from custom_components.packwire.config_flow import PackwireConfigFlow
from custom_components.packwire.const import DOMAIN
from custom_components.packwire.plain import in_markdown, name, plain
from packwire.link import discovery as listening
from packwire.vesc import samples
from tests.conftest import add_entry, settle, tcp_data
from tests.flows import LOOPBACK
from tests.test_config_flow_changes import discovered

LONG = "x" * 400
LINK = "[add me](https://evil.example) <b>![](a.png)"
UNSEEN = "A\x1b[31m\u202e\u200b\x9b\nB"


@pytest.mark.parametrize("text", ["", LONG, UNSEEN, "ab" * 10_000, "\n" * 5000])
def test_a_text_is_short_and_on_one_line(text):
    assert len(plain(text, 255)) <= 255
    assert plain(text, 255).isprintable()
    assert name(text)


def test_a_short_text_stays_as_it_is():
    assert plain("größe 12 Ω", 10) == "größe 12 Ω"
    assert plain("x" * 11, 10) == "x" * 9 + "\u2026"


def test_nothing_in_a_name_is_markdown():
    shown = in_markdown(LINK + "www.evil.example a@b.example `code`")
    assert not re.search(r"(?<!\\)[\[\]()<>!`*_:.@]", shown)
    assert in_markdown("Pack 1") == "Pack 1"


async def test_a_status_and_a_name_beyond_255_characters_are_shown_cut_off(hass, vesc, monkeypatch):
    entry = await add_entry(hass, tcp_data(vesc.port), setup=False)
    hass.config_entries.async_update_entry(entry, title=LONG + LINK)
    monkeypatch.setattr(samples, "fault_name", lambda _: LONG + UNSEEN)
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    states = {state.entity_id: state.state for state in hass.states.async_all()}
    shown = [state for entity, state in states.items() if state.startswith("xxx")]
    assert shown
    assert all(len(state) <= 255 and state.isprintable() for state in states.values())
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert all(len(device.name) < 100 for device in devices)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_name_in_a_form_is_no_markdown(hass, vesc, monkeypatch):
    monkeypatch.setattr(PackwireConfigFlow, "_name", name(LINK + UNSEEN))
    flow = await discovered(hass, vesc.port)
    assert flow["step_id"] == "confirm"
    shown = flow["description_placeholders"]["name"]
    assert "\\[add me\\]\\(https\\:\\/\\/evil" in shown
    assert shown.isprintable()


async def test_an_error_in_an_issue_is_no_markdown(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    entry.runtime_data.issues._raise(
        "not_answering", "other", error=in_markdown(LINK), minutes="5", verdict=""
    )
    (issue,) = ir.async_get(hass).issues.values()
    assert "\\[add me\\]" in issue.translation_placeholders["error"]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_few_of_many_that_are_heard_are_dialled_and_not_all_at_once(hass, announcements, monkeypatch):
    monkeypatch.setattr(discovery, "LISTEN_SECONDS", 1.0)
    monkeypatch.setattr(listening, "MOST_OF_A_HOST", 1000)
    dialled, under_way, most = [], 0, 0

    async def identify(self, entry=None):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        dialled.append(self._data["port"])
        await settle_a_little()
        under_way -= 1
        self._reason = "refused"
        return False

    monkeypatch.setattr(PackwireConfigFlow, "_identify", identify)
    assert await async_setup_component(hass, DOMAIN, {})
    await settle_a_little()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for port in range(1, 401):
            stranger.sendto(b"Pack %d::10.0.0.1::%d\0" % (port, port), (LOOPBACK, announcements))
    await settle(hass)
    assert 0 < len(dialled) <= discovery.MOST_OFFERED
    assert most <= discovery.DIALLED_AT_ONCE


async def settle_a_little():
    """Let others have their turn for a while."""
    await asyncio.sleep(0.05)


async def test_one_sender_is_few_vescs(announcements, socket_enabled, monkeypatch):
    monkeypatch.setattr(discovery, "LISTEN_SECONDS", 0.5)
    heard = asyncio.ensure_future(discovery.scan())
    await asyncio.sleep(0.1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for port in range(1, 100):
            stranger.sendto(b"Pack::10.0.0.1::%d\0" % port, (LOOPBACK, announcements))
    assert len(await heard) == listening.MOST_OF_A_HOST
