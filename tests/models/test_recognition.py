"""Who is recognised by what it advertises, and where it is spoken to."""

import pytest

from packwire.advertisement import Advertisement
from packwire.errors import BadFileError
from packwire.models.load import model, parse
from packwire.models.recognition import Pattern, known_to_aiobmsble, read_uuid
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
    assert any(pattern.address == "A4:C1:38" for pattern in known_to_aiobmsble("jbd_bms"))
    seen = Advertisement("A4:C1:38:00:00:01", "whatever", service_uuids=(FF00,))
    assert model("jbd").recognises(seen)
    assert known_to_aiobmsble("nobody_bms") == ()


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
