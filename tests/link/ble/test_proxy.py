"""A pack is read through an ESPHome device as over an adapter: the real client, the API, a pack on the air."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("aioesphomeapi", reason="the extra proxies is not installed")

from packwire.address import BluetoothProxy, ble_address
from packwire.cli.exit_codes import ExitCode
from packwire.device import open_device
from packwire.errors import GoneError, Reason, UnreachableError
from packwire.link.ble import observed, proxy, proxy_failures
from packwire.link.ble.proxy import OpenProxy, opened
from packwire.link.scan import look_around
from packwire.models.load import model
from packwire.sample import Condition
from packwire.sim.air import Air
from packwire.sim.model import SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions
from tests.cli.running import packwire
from tests.link.ble.fake_proxy import PASSIVE, Esphome, FakeProxy, number_of

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
JBD = "A4:C1:38:00:00:01"
KEY = bytes(range(32))


@asynccontextmanager
async def garage(*models, esphome=None, faults=()):
    """Yield a proxy and the addresses of the packs that it hears."""
    async with AsyncExitStack() as stack:
        air = await stack.enter_async_context(Air())
        options = SimOptions(port=0, faults=faults, bluetooth=BluetoothOptions(air=air))
        packs = [await stack.enter_async_context(SimulatedModel(model(each), options)) for each in models]
        server = await stack.enter_async_context(FakeProxy(esphome or Esphome(), air))
        key = server.esphome.key
        urls = [each.bluetooth.url for each in packs if each.bluetooth is not None]
        yield server, [replace(each, proxy=server.proxy(key)) for each in urls]


@given(st.binary(max_size=600), st.booleans())
def test_any_line_of_its_log_is_read(line, about):
    client: Any = None  # it is not asked
    found = OpenProxy(BluetoothProxy("esp"), client)
    found._logged(SimpleNamespace(message=b"Subscription from packwire (1) replaces " * about + line))
    assert len(found.taken_from) <= 120 * 4
    assert found.taken_from.isprintable()


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
@pytest.mark.parametrize("spoken", ["", "jbd"], ids=["by aiobmsble", "by its model"])
async def test_a_pack_is_read(key, spoken):
    async with garage("jbd", esphome=Esphome(key=key)) as (server, (address,)):
        async with open_device(replace(address, model=spoken)) as device:
            (sample,) = await device.read()
            assert sample.condition is Condition.FRESH
            assert sample.values["voltage"] == pytest.approx(84, abs=3)
            assert device.identity == "ble-a4c138000001"
            assert len(server.clients) == 1
            assert [*server.connected] == [number_of(JBD)]
        assert not server.connected
        assert server.asked[-1] == "DisconnectRequest"


async def test_it_is_taken_from_nobody_unasked():
    async with garage("jbd", esphome=Esphome(had_by="Home Assistant 2026.10.1 (10.0.0.5)")) as (
        server,
        (url,),
    ):
        device = open_device(replace(url, proxy=server.proxy(takes=False)))
        with pytest.raises(UnreachableError, match="one program at a time") as caught:
            await device.open()
        await device.close()
        assert caught.value.reason is Reason.NOT_ALLOWED
        assert "SubscribeBluetoothLEAdvertisementsRequest" not in server.asked
        async with open_device(url) as device:
            await device.read()
            (remark,) = device.remarks
        assert "taken from Home Assistant 2026.10.1 (10.0.0.5): reload" in remark


async def test_packs_share_one_connection_to_the_proxy():
    async with garage("jbd", "jk02") as (server, addresses):
        async with open_device(addresses[0]) as first:
            async with open_device(addresses[1]) as second:
                samples = [await first.read(), await second.read()]
                assert server.asked.count("HelloRequest") == 1
            assert all(each.condition is Condition.FRESH for each, *_ in samples)
            assert [*server.connected] == [number_of(JBD)]
            assert (await first.read())[0].condition is Condition.FRESH


async def test_a_write_type_that_is_refused_is_found_out():
    async with garage("jbd", faults=("other-write-type",)) as (_, (address,)):
        async with open_device(replace(address, model="jbd")) as device:
            assert (await device.read())[0].condition is Condition.FRESH


@pytest.mark.parametrize("spoken", ["", "jbd"], ids=["by aiobmsble", "by its model"])
async def test_a_proxy_that_goes_ends_the_reading_and_may_come_back(spoken):
    async with garage("jbd") as (server, (address,)):
        wanted = replace(address, model=spoken)
        async with open_device(wanted) as device:
            await device.read()
            server.lose()
            with pytest.raises(GoneError, match="proxy esp32-garage .* ended the connection"):
                while True:
                    await device.read()
                    await asyncio.sleep(0.02)
        async with open_device(wanted) as device:
            assert (await device.read())[0].condition is Condition.FRESH


@pytest.mark.parametrize(
    ("esphome", "reason"),
    [
        (Esphome(key=KEY), Reason.NO_PASSWORD),
        (Esphome(features=0), Reason.NO_BLUETOOTH),
        (Esphome(features=3), Reason.NO_BLUETOOTH),
        (Esphome(taken=True), Reason.BUSY),
        (Esphome(connect_error=133), Reason.OUT_OF_RANGE),
        (Esphome(held=[1, 2, 3]), Reason.BUSY),
        (Esphome(features=PASSIVE), Reason.NO_BLUETOOTH),
        (Esphome(hides_services=True), Reason.TIMED_OUT),
    ],
    ids=["no key", "no proxy", "too old", "taken", "133", "full", "passive", "no services"],
)
async def test_what_is_in_the_way_is_said(esphome, reason, monkeypatch):
    monkeypatch.setattr(observed, "ATTEMPTS", 1)
    monkeypatch.setattr(proxy, "SAID_TIMEOUT", 0.3)
    monkeypatch.setattr(proxy, "SLOT_TIMEOUT", 0.3)
    monkeypatch.setattr(proxy_failures, "SERVICES_TIMEOUT", 0.3)
    async with garage("jbd", esphome=esphome) as (server, (address,)):
        device = open_device(replace(address, proxy=server.proxy()))
        with pytest.raises(UnreachableError) as caught:
            await device.open()
        await device.close()
        assert caught.value.reason is reason
        assert len(str(caught.value).splitlines()) == 1


async def test_a_scan_hears_what_the_proxy_hears():
    async with garage("jbd", "jk02") as (server, addresses):
        found = await look_around(0.6, 47111, server.proxy())
    heard = {each.place: each for each in found.finds if each.place.count(":") == 5}
    assert {*heard} == {each.target for each in addresses}
    assert heard[JBD].address == str(ble_address(JBD, radio=server.proxy()))
    assert heard[JBD].speaks


async def test_the_key_is_kept_apart_on_the_command_line():
    async with garage("jbd", esphome=Esphome(key=KEY)) as (server, (address,)):
        secret = server.proxy(KEY).key
        assert secret is not None
        without = await packwire("read", str(address))
        read = await packwire("read", str(address), PACKWIRE_PROXY_KEY=secret)
        wrong = await packwire(
            "scan", "--proxy", str(server.proxy()), "--for", "0.2", PACKWIRE_PROXY_KEY="me"
        )
        untaken = await packwire("scan", "--proxy", str(server.proxy()), PACKWIRE_PROXY_KEY=secret)
    assert without.code == ExitCode.USAGE
    assert "wants a key: set PACKWIRE_PROXY_KEY" in without.err
    assert read.code == ExitCode.OK
    assert "JBD-SP04S034" in read.out
    assert "is none" in wrong.err
    assert "--take" in untaken.err
    assert untaken.code != ExitCode.OK  # whatever else was found
    assert not any(
        secret in text for each in (without, read, wrong, untaken) for text in (each.out, each.err)
    )


async def test_an_opening_that_is_cut_short_leaves_nothing():
    async with garage("jbd", esphome=Esphome(taken=True)) as (server, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                async with opened(server.proxy()):
                    pass
        async with asyncio.timeout(90):
            while server.clients:
                await asyncio.sleep(0.01)


def test_nothing_of_it_is_loaded_without_a_proxy():
    code = (
        "import sys, packwire.link.ble.link, packwire.device.bluetooth, packwire.doctor.ble.proxy_rules\n"
        "print([each for each in sys.modules if each.startswith(('aioesphomeapi', 'bleak_esphome', 'zeroconf'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
