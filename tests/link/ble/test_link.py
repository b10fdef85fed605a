"""A device's GATT as a stream: what is written and heard, how it ends, and what goes wrong on the way."""

import asyncio

import pytest
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

from packwire.address import ble_address
from packwire.att import Opcode
from packwire.device.client import Client
from packwire.device.reader import Reader
from packwire.direction import Direction
from packwire.errors import GoneError, NoAnswerError, NotAVescError, Reason, UnreachableError
from packwire.event import EventKind
from packwire.link.ble import link as link_module
from packwire.link.ble import link_of, observed, write_types
from packwire.link.ble.link import BleLink
from packwire.link.ble.observed import Watch
from packwire.link.gatt_traffic import GattObserver, ServiceTree
from packwire.protocol.base import Options, WriteType
from packwire.protocols import protocol
from packwire.user_cache import cache_folder
from tests.link.ble.fake_air import JBD_SERVICE, installed, jbd_cells, jbd_pack

JBD = protocol("jbd")
ADDRESS = ble_address("A4:C1:38:00:00:01", model="jbd")


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch):
    monkeypatch.setattr(write_types, "_unanswered", {})


def reader(link, **options):
    return Reader(Client(link, JBD, **{"timeout": 0.2, "tries": 4} | options), Options())


class Log(GattObserver):
    def __init__(self):
        self.trees: tuple[ServiceTree, ...] = ()
        self.all = []
        self.over = 0

    def connected(self, connected):
        self.trees = connected.services
        self.mtu = connected.mtu

    def passed(self, passed):
        self.all.append(passed)

    def disconnected(self, time):
        self.over += 1


async def test_a_pack_is_read_and_everything_that_passes_is_seen():
    log, events, stream = Log(), [], []
    with installed(jbd_pack()) as air:
        link = BleLink(ADDRESS, JBD, watch=Watch([log]))
        link.listeners.append(lambda event: events.append(event.kind))
        link.observers.append(lambda way, data: stream.append((way, data)))
        async with reader(link) as device:
            (sample,) = await device.read()
            assert sample.values["cell_voltages"] == (3.328, 3.330, 3.331, 3.332)
            assert (device.name, device.where, device.identity) == (
                "JBD-SP15S004",
                "Bluetooth, JBD",
                "ble-a4c138000001",
            )
            assert device.nodes[0].identity == device.identity
        assert not air.packs[0].clients
    assert events == [EventKind.CONNECTING, EventKind.CONNECTED, EventKind.LEFT]
    assert log.over == 1
    assert log.mtu == 23
    assert [tree.service.uuid for tree in log.trees] == [JBD_SERVICE]
    subscribed, confirmed, *rest = log.all
    assert (subscribed.opcode, subscribed.handle, subscribed.value) == (Opcode.WRITE_REQ, 4, b"\1\0")
    assert confirmed.opcode is Opcode.WRITE_RSP
    sent = [each for each in rest if each.direction is Direction.TO_DEVICE]
    assert {(each.opcode, each.handle) for each in sent} == {(Opcode.WRITE_CMD, 6)}
    assert b"".join(each.value for each in sent) == b"".join(
        data for way, data in stream if way is Direction.TO_DEVICE
    )
    assert max(len(each.value) for each in rest) <= 20


async def test_a_link_by_the_name_of_its_kind():
    assert isinstance(link_of(ADDRESS, JBD), BleLink)


async def test_what_is_longer_than_the_mtu_goes_in_pieces():
    with installed(jbd_pack(mtu=33)) as air:
        link = BleLink(ADDRESS, JBD)
        await link.open(Client(link, JBD))
        link.write(bytes(range(70)))
        await asyncio.sleep(0.05)
        await link.close()
        assert [len(data) for data, _ in air.packs[0].written] == [30, 30, 10]


@pytest.mark.parametrize("takes", [True, False])
async def test_the_way_to_write_that_works_is_found_and_remembered(takes):
    ways = []
    for _ in range(2):
        with installed(jbd_pack(takes=(takes,))) as air:
            async with reader(BleLink(ADDRESS, JBD)) as device:
                await device.read()
            ways.append([response for _, response in air.packs[0].written])
    assert ways[0][-1] is takes
    assert set(ways[1]) == {takes}
    finder = write_types.WriteTypeFinder("A4:C1:38:00:00:01|ff02", WriteType.WITH_RESPONSE)
    assert finder.next() is (WriteType.WITH_RESPONSE if takes else WriteType.WITHOUT_RESPONSE)


async def test_one_try_a_connection_finds_it_too():
    with installed(jbd_pack(takes=(True,))):
        with pytest.raises(NoAnswerError):
            async with reader(BleLink(ADDRESS, JBD), tries=1):
                pass
        async with reader(BleLink(ADDRESS, JBD), tries=1) as device:
            assert await device.read()


async def test_a_way_that_is_refused_is_left_at_once():
    with installed(jbd_pack(refuses=(False,))) as air:
        async with reader(BleLink(ADDRESS, JBD), tries=1) as device:
            await device.read()
        assert {response for _, response in air.packs[0].written} == {True}


async def test_a_way_that_was_proved_is_not_left_for_one_lost_reply():
    finder = write_types.WriteTypeFinder("x", WriteType.WITHOUT_RESPONSE)
    for _ in range(2):
        assert finder.next() is WriteType.WITHOUT_RESPONSE
        finder.answered()
    ways = [finder.next() for _ in range(5)]
    assert ways[:3] == [WriteType.WITHOUT_RESPONSE] * 3
    assert ways[3] is WriteType.WITH_RESPONSE


async def test_a_cache_that_is_damaged_costs_nothing_but_time():
    (cache_folder() / "write-types.json").write_text('{"x": 7}')
    assert write_types.WriteTypeFinder("x", WriteType.WITH_RESPONSE).next() is WriteType.WITH_RESPONSE


async def test_a_peer_that_vanishes_ends_what_waits():
    with installed(jbd_pack()) as air:
        link = BleLink(ADDRESS, JBD)
        events = []
        link.listeners.append(lambda event: events.append(event.kind))
        async with reader(link) as device:
            air.packs[0].answer = lambda _: air.packs[0].drop() or []
            with pytest.raises(GoneError, match="ended the connection") as caught:
                await device.read()
        assert caught.value.reason is Reason.CLOSED
    assert events[-1] is EventKind.LOST


async def test_notifications_that_fall_silent_are_noticed():
    with installed(jbd_pack()) as air:
        async with reader(BleLink(ADDRESS, JBD), tries=1, timeout=0.05) as device:
            air.packs[0].answer = lambda _: []
            with pytest.raises(NoAnswerError, match="answers nothing"):
                for _ in range(4):
                    await device.read()


async def test_silence_from_the_beginning_names_what_it_may_be():
    with installed(jbd_pack(answer=lambda _: [], rssi=-88)), pytest.raises(NoAnswerError) as caught:
        async with reader(BleLink(ADDRESS, JBD), tries=1):
            pass
    assert "weak: -88 dBm" in str(caught.value)
    assert "PIN" in str(caught.value)


async def test_other_services_are_said():
    with installed(jbd_pack(service="0000fff0-0000-1000-8000-00805f9b34fb")):
        with pytest.raises(NotAVescError, match="has not the service ff00 of a JBD.*packwire explore"):
            await BleLink(ADDRESS, JBD).open(Client(BleLink(ADDRESS, JBD), JBD))


def failing(*errors):
    queue = list(errors)

    def fail():
        if queue:
            raise queue.pop(0)

    return fail


async def test_a_connection_that_fails_at_first_is_tried_again():
    with installed(jbd_pack(connect=failing(BleakError("le-connection-abort-by-local")))):
        async with reader(BleLink(ADDRESS, JBD)) as device:
            assert await device.read()


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (BleakError("failed to discover services"), Reason.OUT_OF_RANGE, "go nearer"),
        (TimeoutError(), Reason.OUT_OF_RANGE, "no connection came about"),
        (BleakDBusError("org.bluez.Error.InProgress", ["x"]), Reason.BUSY, "another program"),
        (BleakDBusError("org.bluez.Error.NotReady", ["x"]), Reason.POWERED_OFF, "restarts"),
        (BleakDBusError("org.bluez.Error.AuthenticationFailed", ["x"]), Reason.NOT_PAIRED, "paired"),
        (EOFError(), Reason.OUT_OF_RANGE, "restart"),
    ],
)
async def test_a_connection_that_does_not_come_about(monkeypatch, error, reason, words):
    monkeypatch.setattr(observed, "ATTEMPTS", 1)
    monkeypatch.setattr("bleak_retry_connector.MAX_TRANSIENT_ERRORS", 1)
    with installed(jbd_pack(connect=failing(*[error] * 20))), pytest.raises(UnreachableError) as caught:
        async with reader(BleLink(ADDRESS, JBD)):
            pass
    assert caught.value.reason is reason
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


async def test_a_connection_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(observed, "CONNECT_TIMEOUT", 0.1)
    with installed(jbd_pack(hang=True, rssi=-85)), pytest.raises(UnreachableError) as caught:
        async with reader(BleLink(ADDRESS, JBD)):
            pass
    assert caught.value.reason is Reason.OUT_OF_RANGE
    assert "the signal is weak" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (BleakError("Not connected"), GoneError, Reason.CLOSED),
        (
            BleakGATTProtocolError(BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION),
            UnreachableError,
            Reason.NOT_PAIRED,
        ),
        (EOFError(), GoneError, Reason.CLOSED),
    ],
)
async def test_a_subscription_that_fails(error, kind, reason):
    with installed(jbd_pack(subscribe=failing(error))) as air, pytest.raises(kind) as caught:
        async with reader(BleLink(ADDRESS, JBD)):
            pass
    assert caught.value.reason is reason
    assert not air.packs[0].clients


async def test_a_write_that_hangs_ends_the_link(monkeypatch):
    monkeypatch.setattr(link_module, "WRITE_TIMEOUT", 0.05)
    with installed(jbd_pack()) as air:
        async with reader(BleLink(ADDRESS, JBD)) as device:

            async def hang(*_):
                await asyncio.sleep(60)

            air.packs[0].clients[0].write_gatt_char = hang
            with pytest.raises(GoneError, match="no longer takes") as caught:
                await device.read()
    assert caught.value.reason is Reason.FELL_SILENT


async def test_what_is_written_to_a_closed_link_goes_nowhere():
    with installed(jbd_pack()) as air:
        link = BleLink(ADDRESS, JBD)
        link.write(b"before")
        await link.open(Client(link, JBD))
        await link.close()
        await link.close()
        link.write(b"after")
        assert air.packs[0].written == []


async def test_a_cell_at_0_mv_is_a_cell():
    pack = jbd_pack()
    pack.replies[4] = jbd_cells(3300, 0, 3310, 3320)
    with installed(pack):
        async with reader(BleLink(ADDRESS, JBD)) as device:
            (sample,) = await device.read()
    assert sample.values["cell_voltages"] == (3.3, 0.0, 3.31, 3.32)
