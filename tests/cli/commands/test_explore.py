"""A device that nobody knows: what it has, what it says, who answers, and the beginning of its model."""

import asyncio
import json

import pytest
import yaml

from packwire.cli.commands.explore import explore
from packwire.errors import BadOptionError, UnreachableError
from packwire.link.ble import discovery, exploring, probing
from packwire.link.ble.exploring import Characteristic, Service, likely_pairs, name_of
from packwire.protocol.base import WriteType
from packwire.protocols import protocol, protocol_names
from tests.link.ble.fake_air import JBD_NOTIFY, JBD_SERVICE, JBD_WRITE, installed, jbd_pack

UNKNOWN = "0000abf0-0000-1000-8000-00805f9b34fb"
MAKER = "00002a29-0000-1000-8000-00805f9b34fb"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(discovery, "GRACE", 0.02)
    monkeypatch.setattr(probing, "ANSWER", 0.04)
    monkeypatch.setattr(probing, "_BOTH_WAYS", 0.02)


def stranger(**options):
    return jbd_pack(**{"name": "xBMS-77", "address": "55:44:33:00:00:03", "uuids": ()} | options)


def explored(capsys, pack, *words, **options):
    with installed(pack):
        code = explore(f"ble://{pack.name}", *words, for_=0.05, **options)
    return code, capsys.readouterr()


def test_what_it_has_and_where_it_is_likely_spoken_with(capsys):
    code, said = explored(capsys, stranger(values={MAKER: b"Acme\0"}))
    assert code == 0
    assert "xBMS-77  55:44:33:00:00:03  -61 dBm" in said.out
    assert "nobody here knows what it advertises" in said.out
    assert '2a29  Manufacturer Name String  read  41 63 6d 65 00  "Acme"' in said.out
    assert "2902  Client Characteristic Configuration" in said.out
    assert "likely spoken with: service ff00, write ff02, notify ff01; Braun Power, JBD" in said.out
    assert "JBD, Seplos V2 and TianPower are all spoken there" in said.out
    assert "--probe" in said.out


def test_nothing_is_written_unasked(capsys):
    pack = stranger()
    explored(capsys, pack)
    assert pack.written == []


@pytest.mark.parametrize("takes", [True, False])
def test_who_answers_is_told_and_how_it_is_read(capsys, takes):
    code, said = explored(capsys, stranger(takes=(takes,)), probe=True)
    assert code == 0
    assert "JBD answered basic info: dd 03 00 1b" in said.out
    assert "packwire read 'ble://xBMS-77?model=jbd'" in said.out


def test_only_harmless_questions_are_asked(capsys):
    pack = stranger(answer=lambda _: [])
    _, said = explored(capsys, pack, probe=True)
    harmless = {
        each.frame(request) for each in map(protocol, protocol_names()) for request in each.harmless[:1]
    }
    pieces = {data[at : at + 20] for data in harmless for at in range(0, len(data), 20)}
    assert {data for data, _ in pack.written} <= pieces
    assert "no answer" in said.out


def test_at_another_place_the_answer_is_found_too(capsys):
    pack = stranger(
        service=UNKNOWN, notify=UNKNOWN.replace("abf0", "abf1"), write=UNKNOWN.replace("abf0", "abf2")
    )
    _, said = explored(capsys, pack, probe=True)
    assert "JBD answered" in said.out


def test_what_it_notifies_is_shown_and_its_family_named(capsys):
    pack = stranger()
    frame = pack.replies[3]
    asked = pack.subscribe

    def subscribe():
        asked()
        asyncio.get_running_loop().call_soon(lambda: [pack.push(frame) for _ in range(5)])

    pack.subscribe = subscribe
    _, said = explored(capsys, pack)
    assert "notified 5 times in 0.05 s, frames of JBD" in said.out


def test_for_scripts(capsys):
    _, said = explored(capsys, stranger(manufacturer={0x0B65: b"\x88\xa0"}), json=True, probe=True)
    record = json.loads(said.out)
    assert record["kind"] == "exploration"
    assert record["manufacturer_data"] == {"0x0b65": "88a0"}
    assert record["pairs"][0]["notify"] == JBD_NOTIFY
    assert record["asked"][-1]["model"] == "jbd"
    assert record["asked"][-1]["reply"].startswith("dd03")


def test_the_beginning_of_a_model(capsys, tmp_path):
    out = tmp_path / "My BMS.yaml"
    explored(capsys, stranger(), out=out)
    content = yaml.safe_load(out.read_text())
    assert content["name"] == "my-bms"
    assert content["links"]["ble"] == [{"service": "ff00", "notify": "ff01", "write": "ff02"}]
    assert content["recognise"]["advertisements"] == [{"name": "xBMS-*"}]
    with pytest.raises(BadOptionError, match="is there already"):
        explored(capsys, stranger(), out=out)


def test_the_beginning_of_a_model_of_what_aiobmsble_knows(capsys, tmp_path):
    out = tmp_path / "x.yaml"
    explored(capsys, jbd_pack(), out=out)
    assert yaml.safe_load(out.read_text())["recognise"] == {"aiobmsble": "jbd_bms"}


def test_a_name_that_is_yaml_does_no_harm(capsys, tmp_path):
    out = tmp_path / "x.yaml"
    pack = stranger(name='a": !!python/object:os.system {x: "\n- *y')
    with installed(pack):
        explore(f"ble://{pack.address}", for_=0.05, out=out)
    assert yaml.safe_load(out.read_text())["title"].startswith('a": !!python')


def test_a_device_that_only_advertises(capsys):
    _, said = explored(capsys, stranger(properties=()))
    assert "no pair of characteristics" in said.out


def test_who_is_not_there_and_what_is_no_bluetooth():
    with installed(), pytest.raises(UnreachableError):
        discovery.FIND_TIMEOUT, before = 0.05, discovery.FIND_TIMEOUT
        try:
            explore("ble://nobody", for_=0.05)
        finally:
            discovery.FIND_TIMEOUT = before
    with pytest.raises(BadOptionError, match="explore is for Bluetooth"):
        explore("vesc://127.0.0.1")


def test_a_device_that_leaves_meanwhile_is_shown_as_far_as_it_was_seen(capsys):
    pack = stranger()
    pack.subscribe = lambda: asyncio.get_running_loop().call_later(0.01, pack.drop)
    code, said = explored(capsys, pack, probe=True)
    assert code == 0
    assert "ended the connection before all was done" in said.out


async def test_a_value_that_does_not_come_is_no_end(monkeypatch):
    monkeypatch.setattr(exploring, "READ_TIMEOUT", 0.01)

    async def hang(_):
        await asyncio.sleep(60)

    assert await exploring._read(hang, None) == (None, "no answer")


def test_update_services_are_no_place_to_speak():
    update = Service(1, "0000fe59-0000-1000-8000-00805f9b34fb")
    update.characteristics.append(Characteristic(3, UNKNOWN, ("write", "notify")))
    own = Service(9, JBD_SERVICE)
    own.characteristics.append(Characteristic(11, JBD_NOTIFY, ("notify",)))
    own.characteristics.append(Characteristic(13, JBD_WRITE, ("write-without-response",)))
    (pair,) = likely_pairs([update, own], ())
    assert pair.gatt.service == JBD_SERVICE
    assert pair.gatt.write_type is WriteType.WITHOUT_RESPONSE
    assert "only service of the maker's own" in pair.why


def test_names_of_known_uuids():
    assert name_of(MAKER) == "Manufacturer Name String"
    assert name_of("6e400001-b5a3-f393-e0a9-e50e24dcca9e") == "Nordic UART Service"
    assert name_of(UNKNOWN) == ""
