"""A VESC behind a hub: what a hub without words means when it closes, and whom it lets in."""

import asyncio
import contextlib

import pytest

from packwire.address import hub_address
from packwire.device import open_device
from packwire.device.follow import Connected, Outage, Reading, follow, retry_delay
from packwire.errors import BadAddressError, DisplacedError, GoneError, RefusedError, UnreachableError
from packwire.link.hub import HubLink, Presence, ping_hub
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.vesc.framing import Framer, encode_frame
from tests.device.scripted import CONTROLLER, EXPRESS, bms_reply
from tests.sim.raw import eventually

PASSWORD = "s3cret"


@contextlib.asynccontextmanager
async def hub_with_vesc(**hub_options):
    async with SimulatedHub(**hub_options) as hub:
        options = SimOptions(
            port=None, hub=("127.0.0.1", hub.port), hub_id="TESTPACK", hub_password=PASSWORD, ping_time=0.05
        )
        async with SimulatedVesc(options):
            await hub.device_connected("TESTPACK")
            yield hub


def address(hub, device_id="TESTPACK", password=PASSWORD):
    return hub_address(device_id, "127.0.0.1", hub.port, password=password)


def device(hub, **changes):
    return open_device(address(hub, **changes), can_ids=(), timeout=0.3)


async def test_the_login_is_alone_in_its_segment():
    segments = []

    async def serve(reader, writer):
        segments.append(await reader.read(4096))
        segments.append(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        link = HubLink("127.0.0.1", server.sockets[0].getsockname()[1], "testpack", PASSWORD)
        await link.open(_Nobody())
        link.write(b"next")
        await asyncio.sleep(0.05)
        await link.close()
    assert segments == [b"VESCTOOL:TESTPACK:s3cret\n", b"next"]


class _Nobody:
    def data_received(self, data):
        pass

    def link_closed(self, error):
        pass


async def test_bytes_swallowed_with_the_login_do_no_harm():
    async with hub_with_vesc(swallow=True) as hub, device(hub) as reached:
        samples = await reached.read()
    assert samples[1].values["cell_count"] == 20


async def test_ids_are_as_the_hub_sees_them():
    async with hub_with_vesc() as hub, device(hub, device_id="test pack") as reached:
        assert reached.name == "VESC Express T"


async def test_ping():
    async with hub_with_vesc() as hub:
        assert await ping_hub("127.0.0.1", hub.port, "TestPack") is Presence.THERE
        assert await ping_hub("127.0.0.1", hub.port, "OTHERPACK") is Presence.NOT_THERE
    with pytest.raises(UnreachableError):
        await ping_hub("127.0.0.1", hub.port, "TESTPACK")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "knows TESTPACK, but closed at login: the password is wrong"),
        ({"device_id": "OTHERPACK"}, "has no device OTHERPACK connected to it"),
    ],
)
async def test_refusals(changes, words):
    async with hub_with_vesc() as hub:
        with pytest.raises(RefusedError, match=words) as caught:
            async with device(hub, **changes):
                pass
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("changes", [{"device_id": "A:B"}, {"device_id": "AB"}, {"password": "a:b"}])
async def test_what_can_never_work_is_not_tried(changes):
    with pytest.raises(BadAddressError):
        device(SimulatedHub(), **changes)


async def test_another_client_displaces_us_and_we_say_so():
    async with hub_with_vesc() as hub, device(hub) as first:
        await first.read()
        async with device(hub):
            with pytest.raises(
                DisplacedError, match="another client logged in with this id, and the newest wins"
            ):
                await first.read()


async def test_the_displaced_do_not_come_back_at_once():
    assert retry_delay(DisplacedError(""), 0) >= 10
    assert retry_delay(GoneError(""), 0) < 1
    assert retry_delay(GoneError(""), 100) == retry_delay(GoneError(""), 101)


async def test_a_device_that_leaves_the_hub():
    """As when its plug is pulled: the hub has not noticed yet, or lost its close; PING tells."""
    async with SimulatedHub() as hub:
        options = SimOptions(
            port=None, hub=("127.0.0.1", hub.port), hub_id="TESTPACK", hub_password=PASSWORD, ping_time=0.05
        )
        async with contextlib.AsyncExitStack() as stack:
            simulation = await stack.enter_async_context(SimulatedVesc(options))
            await hub.device_connected("TESTPACK")
            reached = await stack.enter_async_context(
                open_device(address(hub), can_ids=(), timeout=0.1, tries=1)
            )
            await reached.read()
            simulation.faults.order("silence")
            hub.pairings.clear()
            with pytest.raises(GoneError, match="has no device TESTPACK connected to it"):
                for _ in range(4):
                    await reached.read()


async def test_two_that_displace_each_other_wait_longer_and_longer(monkeypatch):
    monkeypatch.setattr("packwire.device.follow.DISPLACED_DELAYS", (0.2, 0.6, 60.0))
    delays: list[float] = []
    note = delays.append

    async def watch(hub, after):
        await asyncio.sleep(after)
        async with contextlib.aclosing(follow(lambda: device(hub), 0.05)) as stream:
            async for event in stream:
                note(getattr(event, "retry_in", 0.0))

    async with hub_with_vesc() as hub:
        watching = [asyncio.ensure_future(watch(hub, after)) for after in (0, 0.5)]
        await eventually(lambda: 60.0 in delays)
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def test_a_reply_meant_for_the_client_before_us_does_not_name_the_device():
    stale = encode_frame(CONTROLLER)

    async def serve(reader, writer):
        await reader.readline()
        framer = Framer()
        writer.write(stale)
        while data := await reader.read(4096):
            for frame in framer.feed(data):
                reply = {0: EXPRESS, 96: bms_reply()}.get(frame.payload[0])
                if reply:
                    writer.write(encode_frame(reply))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_device(
            hub_address("TESTPACK", "127.0.0.1", port, password="x"), can_ids=()
        ) as reached:
            assert reached.name == "VESC Express T"


async def test_following_survives_a_displacement(monkeypatch):
    monkeypatch.setattr("packwire.device.follow.DISPLACED_DELAYS", (0.2,))
    async with hub_with_vesc() as hub:
        events = []
        async with contextlib.aclosing(follow(lambda: device(hub), 0.05)) as stream, asyncio.timeout(90):
            async for event in stream:
                events.append(event)
                if isinstance(event, Reading) and len(events) == 2:
                    async with device(hub):
                        await asyncio.sleep(0.1)
                if isinstance(event, Outage):
                    assert isinstance(event.error, DisplacedError)
                if len([e for e in events if isinstance(e, Connected)]) == 2 and isinstance(event, Reading):
                    break
    assert any(isinstance(event, Outage) for event in events)
