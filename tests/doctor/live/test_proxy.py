"""What can be wrong with a proxy has its own verdict, over ESPHome's real client; a healthy way has none."""

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

pytest.importorskip("aioesphomeapi", reason="the extra proxies is not installed")

from aioesphomeapi.model import BluetoothProxyFeature as Feature

from packwire.address import BluetoothProxy, ble_address
from packwire.check import Confidence, Outcome
from packwire.cli.views.doctor import diagnosis_record
from packwire.doctor.ble import air, link
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from packwire.doctor.report import markdown_report
from packwire.link.ble import observed, proxy
from packwire.models.load import model
from packwire.sim.air import Air
from packwire.sim.model import SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions
from tests.link.ble.fake_proxy import ALL, PASSIVE, Esphome, FakeProxy, number_of

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
JBD = "A4:C1:38:00:00:01"
OTHERS = tuple(number_of(f"C8:47:8C:00:00:0{each}") for each in (1, 2, 3))
KEY = bytes(range(32))
CERTAIN, LIKELY, POSSIBLE = Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE
BRISK = ExaminationOptions(listen=0.8, poll=0.6)


@dataclass(frozen=True)
class ProxyFault:
    """A fault: what the device is like, and the verdict; `said` is a part of the verdict's words."""

    name: str
    kind: str
    most: Confidence
    said: str = ""
    esphome: dict[str, Any] = field(default_factory=dict)
    key: bytes | None = None
    target: str = JBD
    faults: tuple[str, ...] = ()


FAULTS = (
    ProxyFault("no key", "configuration", CERTAIN, "wants a key", {"key": KEY}),
    ProxyFault("wrong key", "configuration", CERTAIN, "does not take the key", {"key": KEY}, bytes(32)),
    ProxyFault("needless key", "configuration", CERTAIN, "has no encryption", {}, KEY),
    ProxyFault("no bluetooth_proxy", "configuration", CERTAIN, "no Bluetooth proxy", {"features": 0}),
    ProxyFault("passive", "proxy.passive", CERTAIN, "listens only", {"features": PASSIVE}),
    ProxyFault(
        "too old",
        "proxy-too-old",
        CERTAIN,
        "2022.11.0",
        {"features": Feature.PASSIVE_SCAN | Feature.ACTIVE_CONNECTIONS, "version": "2022.11.0"},
    ),
    ProxyFault(
        "keeps no services",
        "proxy-too-old",
        LIKELY,
        esphome={"features": ALL & ~Feature.REMOTE_CACHING},
    ),
    ProxyFault("full", "ble.no-free-slot", CERTAIN, "C8:47:8C:00:00:02", {"held": [*OTHERS]}),
    ProxyFault(
        "full for Home Assistant", "ble.no-free-slot", CERTAIN, "all 3", {"held": [*OTHERS], "taken": True}
    ),
    ProxyFault("taken", "two-clients.ble", LIKELY, "one program at a time", {"taken": True}),
    ProxyFault(
        "holds the pack",
        "two-clients.ble",
        LIKELY,
        "connected to this pack",
        {"held": [number_of(JBD)], "connect_error": 133},
    ),
    ProxyFault("hears nothing", "ble.weak-signal", POSSIBLE, "hears no Bluetooth", {"deaf": True}),
    ProxyFault("hears others", "phone-app-holds-it", POSSIBLE, "not heard", target="A4:C1:38:00:00:77"),
    ProxyFault("133", "ble.pack-stuck", LIKELY, "never completed", {"connect_error": 133}),
    ProxyFault("no link", "ble.pack-stuck", LIKELY, "never completed", {"connect_error": 0x3E}),
    ProxyFault("weak", "ble.weak-signal", LIKELY, faults=("weak-signal:-95", "no-link")),
)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(observed, "ATTEMPTS", 2)
    monkeypatch.setattr(air, "LISTEN", 0.8)
    monkeypatch.setattr(link, "AGAIN", 0.8)
    monkeypatch.setattr(proxy, "SAID_TIMEOUT", 0.5)
    monkeypatch.setattr(proxy, "OPEN_TIMEOUT", 5.0)
    monkeypatch.setattr(proxy, "SLOT_TIMEOUT", 0.3)


@asynccontextmanager
async def arranged(esphome: Esphome, faults: tuple[str, ...] = ()):
    options = SimOptions(port=0, faults=faults)
    async with AsyncExitStack() as stack:
        air = await stack.enter_async_context(Air())
        options = replace(options, bluetooth=BluetoothOptions(air=air))
        await stack.enter_async_context(SimulatedModel(model("jbd"), options))
        yield await stack.enter_async_context(FakeProxy(esphome, air))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_has_its_verdict(fault):
    async with arranged(Esphome(**fault.esphome), fault.faults) as server:
        found = await examine(ble_address(fault.target, radio=server.proxy(fault.key)), BRISK)
    told = [(each.name, each.outcome.value, each.answer) for each in found.checks]
    assert found.verdict.key == fault.kind, (found.verdict, told)
    assert fault.said in found.verdict.words
    assert list(Confidence).index(found.verdict.confidence) >= list(Confidence).index(fault.most)
    assert found.verdict.remedy


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
async def test_a_healthy_way_has_none(key):
    async with arranged(Esphome(key=key, held=[OTHERS[0]])) as server:
        found = await examine(ble_address(JBD, radio=server.proxy(key)), BRISK)
    told = {each.name: each for each in found.checks}
    assert found.verdict.key == "ok", (found.verdict, told)
    assert found.pack["voltage"] > 0
    assert "2026.10.0" in told["proxy"].answer
    assert told["slots"].answer == "2 of 3 connection slots free"
    assert told["slots"].evidence == ("taken by C8:47:8C:00:00:01",)
    assert "via" in told["seen"].answer
    assert not found.remarks
    if key is not None:
        secret = server.proxy(key).key
        assert secret not in markdown_report(found)
        assert secret not in str(diagnosis_record(found))
        assert secret not in repr(server.proxy(key))


async def test_it_is_taken_from_nobody_unasked():
    async with arranged(Esphome(held=[OTHERS[0]], had_by="Home Assistant 2026.10.1 (10.0.0.5)")) as server:
        unasked = await examine(ble_address(JBD, radio=server.proxy(takes=False)), BRISK)
        assert "SubscribeBluetoothLEAdvertisementsRequest" not in server.asked
        server.esphome.slots = 1
        full = await examine(ble_address(JBD, radio=server.proxy(takes=False)), BRISK)
        server.esphome.slots = 3
        asked = await examine(ble_address(JBD, radio=server.proxy()), BRISK)
    assert (unasked.verdict.key, unasked.verdict.confidence) == ("inconclusive", POSSIBLE)
    assert "2 of 3 connection slots free" in unasked.verdict.words
    assert "&take" in unasked.verdict.remedy
    assert (full.verdict.key, full.verdict.confidence) == ("ble.no-free-slot", CERTAIN)
    assert asked.verdict.key == "ok"
    assert "taken from Home Assistant 2026.10.1" in asked.checks[-1].answer


async def test_a_connection_of_the_pack_that_was_another_s_is_no_finding_once_it_is_read():
    async with arranged(Esphome(held=[number_of(JBD)])) as server:

        def ended(check):
            if check.name == "slots":
                server.esphome.held.clear()

        found = await examine(ble_address(JBD, radio=server.proxy()), BRISK, ended=ended)
    assert found.verdict.key == "ok"
    assert "two-clients.ble" not in {each.key for each in found.remarks}


async def test_a_connection_that_just_ends_leaves_its_slot(monkeypatch):
    monkeypatch.setattr(proxy, "SLOT_TIMEOUT", 30.0)
    async with arranged(Esphome(held=[*OTHERS])) as server:
        settle = proxy.OpenProxy.settle_slots

        async def ends(found):
            if found.slots.free == 0:
                server.esphome.held.pop()
                server.clients[0].send(server.free())
            await settle(found)

        monkeypatch.setattr(proxy.OpenProxy, "settle_slots", ends)
        found = await examine(ble_address(JBD, radio=server.proxy()), BRISK)
    assert found.verdict.key == "ok"


async def test_slots_that_are_not_told_are_tried():
    async with arranged(Esphome(tells_slots=False)) as server:
        found = await examine(ble_address(JBD, radio=server.proxy()), BRISK)
        assert found.verdict.key == "ok"
        assert next(each for each in found.checks if each.name == "slots").outcome is Outcome.ODD
        server.esphome.connect_error = 133
        found = await examine(ble_address(JBD, radio=server.proxy()), BRISK)
    assert "proxy-too-old" in {each.key for each in found.remarks}


async def test_a_proxy_that_goes_is_told():
    async with arranged(Esphome()) as server:

        def ended(check):
            if check.name == "slots":
                server.lose()

        found = await examine(ble_address(JBD, radio=server.proxy()), BRISK, ended=ended)
    assert (found.verdict.key, found.verdict.confidence) == ("ble.proxy-network", LIKELY)
    assert "meanwhile" in found.verdict.words


async def _says(content: bytes, wait: float = 0.0):
    async def answer(reader, writer):
        await reader.read(100)
        await asyncio.sleep(wait)
        writer.write(content)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, BluetoothProxy("127.0.0.1", server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("content", "wait", "confidence", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 0.0, LIKELY, "does not speak ESPHome's API"),
        (b"", 0.0, LIKELY, "does not speak ESPHome's API"),
        (b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0.0, LIKELY, "does not speak ESPHome's API"),
        (b"\x01\xff\xff" + bytes(100), 0.0, CERTAIN, "wants a key"),
        (b"", 30.0, LIKELY, "does not answer"),
    ],
)
async def test_what_is_no_proxy_is_told(content, wait, confidence, said, monkeypatch):
    monkeypatch.setattr(proxy, "OPEN_TIMEOUT", 0.6)
    server, place = await _says(content, wait)
    found = await examine(ble_address(JBD, radio=place), BRISK)
    server.close()
    assert said in found.verdict.words
    assert found.verdict.confidence is confidence


async def test_nobody_there(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = await examine(ble_address(JBD, radio=BluetoothProxy("127.0.0.1", port)), BRISK)
    assert (found.verdict.key, found.verdict.confidence) == ("ble.proxy-network", LIKELY)
    assert found.verdict.causes[0].kind == "configuration"
    assert "Nothing listens" in found.verdict.words
    monkeypatch.setattr(proxy, "RESOLVE_TIMEOUT", 0.5)
    found = await examine(ble_address(JBD, radio=BluetoothProxy("nobody.invalid")), BRISK)
    assert (found.verdict.key, found.verdict.confidence) == ("ble.proxy-network", LIKELY)
    assert "not known here" in found.verdict.words
