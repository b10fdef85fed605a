"""Who is recognised by what it advertises, and where it is spoken to."""

from importlib import metadata

import pytest

from packwire import user_cache
from packwire.advertisement import Advertisement
from packwire.errors import BadFileError
from packwire.models.aiobmsble_plugins import plugin_for, plugins
from packwire.models.load import model, parse
from packwire.models.recognition import Pattern, read_uuid
from packwire.protocol.base import Gatt
from packwire.protocols import recognised

FF00 = read_uuid("ff00")


def test_where_jbd_is_spoken_over_bluetooth():
    assert model("jbd").gatt == (Gatt(FF00, read_uuid("ff01"), read_uuid("ff02")),)


@pytest.mark.parametrize(
    ("seen", "known"),
    [
        (Advertisement("A4:C1:38:00:00:01", "JBD-SP15S004", service_uuids=(FF00,)), True),
        (Advertisement("00:00:00:00:00:01", "xiaoxiang BMS", service_uuids=(FF00,)), True),
        (Advertisement("00:00:00:00:00:01", "JBD-SP15S004"), False),
        (Advertisement("00:00:00:00:00:01", "xBMS-77", service_uuids=(FF00,)), False),
    ],
)
def test_recognised_by_advertisement(seen, known):
    assert [each.name for each in recognised(seen)] == (["jbd"] if known else [])


def test_what_aiobmsble_knows_is_taken_from_it():
    pytest.importorskip("aiobmsble")
    assert any(pattern.address == "A4:C1:38" for pattern in plugins()["jbd_bms"].patterns)
    seen = Advertisement("A4:C1:38:00:00:01", "whatever", service_uuids=(FF00,))
    assert model("jbd").recognises(seen)
    assert "nobody_bms" not in plugins()


def test_every_advertisement_of_aiobmsble_is_known_as_it_says():
    data = pytest.importorskip("aiobmsble.test_data")
    for said, address, family, _ in data.bms_advertisements():
        seen = Advertisement(
            address,
            said.local_name or "",
            service_uuids=tuple(said.service_uuids),
            manufacturer_data=said.manufacturer_data,
            service_data=said.service_data,
        )
        found = plugin_for(seen)
        assert found is not None
        assert found.name == family


def test_what_is_kept_of_aiobmsble_is_what_it_says(monkeypatch):
    pytest.importorskip("aiobmsble")
    first = plugins.__wrapped__()
    monkeypatch.setattr("packwire.models.aiobmsble_plugins._from_aiobmsble", lambda: pytest.fail("kept"))
    assert plugins.__wrapped__() == first
    user_cache.store("aiobmsble-plugins.json", {"form": 1, "version": metadata.version("aiobmsble")})
    monkeypatch.setattr("packwire.models.aiobmsble_plugins._from_aiobmsble", list)
    assert plugins.__wrapped__() == {}


def test_a_pattern_wants_all_that_it_says():
    pattern = Pattern(manufacturer=0x0B65, data=b"\x88\xa0")
    assert pattern.fits(Advertisement("", manufacturer_data={0x0B65: b"\x88\xa0\x01"}))
    assert not pattern.fits(Advertisement("", manufacturer_data={0x0B65: b"\x88"}))
    assert not pattern.fits(Advertisement("", manufacturer_data={1: b"\x88\xa0"}))
    assert Pattern(service_data="").fits(Advertisement(""))
    assert not Pattern(service_data="").fits(Advertisement("", service_data={FF00: b""}))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{}", "say at least one of"),
        ("{service: f00}", "no UUID"),
        ("{data: 88 a0}", "needs the manufacturer"),
    ],
)
def test_a_pattern_that_says_nothing_is_refused(entry, words):
    text = f"packwire: 1\nname: x\ntitle: X\nlinks: {{}}\nrecognise: {{advertisements: [{entry}]}}\n"
    text += "framings: [{start: aa, size: [{add: 4}]}]\nreplies: {a: {begins: aa}}\n"
    with pytest.raises(BadFileError, match=words):
        parse(text, "x.yaml")
