"""`Share` on real TCP: recorded sessions request by request, three clients at once, outages, slow readers."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from packwire.address import tcp_address
from packwire.device import open_link
from packwire.errors import BadOptionError, NoAnswerError, NotAVescError, UnreachableError
from packwire.link.hub import HubLink
from packwire.link.tcp import TcpLink
from packwire.share.permissions import READ_ONLY, kind_of, parse_policy
from packwire.share.server import ClientCame, ClientLeft, DeviceAway, DeviceThere, Refused, Share, ShareEvent
from packwire.vesc.commands import Command
from packwire.vesc.framing import Framer
from packwire.vesc.requests import request
from tests.device.scripted import framed, scripted, usual
from tests.device.vesc_client import VescClient
from tests.share.replay import Exchange, RecordedDevice, every_session
from tests.sim.raw import Raw, eventually, hub_with_device, raw, simulated

BMS = request(Command.BMS_GET_VALUES)


class Sharing:
    """A running share with what it told."""

    def __init__(self, share: Share, events: list[ShareEvent]) -> None:
        self.share = share
        self.events = events

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[VescClient]:
        client = VescClient(TcpLink("127.0.0.1", self.share.port))
        await client.connect()
        try:
            yield client
        finally:
            await client.close()


@contextlib.asynccontextmanager
async def shared(device_port: int, **options: Any) -> AsyncIterator[Sharing]:
    events: list[ShareEvent] = []
    link = options.pop("link", lambda: TcpLink("127.0.0.1", device_port))
    async with Share(link, watch=events.append, **options) as share:
        running = asyncio.create_task(share.run())
        yield Sharing(share, events)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert not [task for task in asyncio.all_tasks() if "packwire/share/" in repr(task)]


async def play(client: Raw, exchanges: tuple[Exchange, ...]) -> list[bytes]:
    """Ask all that was recorded, each when the one before was answered; return the replies."""
    got = []
    for exchange in exchanges:
        if exchange.reply is None:
            client.send(exchange.request)
        else:
            got.append(await client.ask(exchange.request))
    return got


@every_session
async def test_a_recorded_session_is_the_same_request_by_request_and_reply_by_reply(session):
    device = RecordedDevice(session)
    async with (
        device.serving(),
        shared(device.port, max_age=0.0) as sharing,
        raw(sharing.share.port) as client,
    ):
        del device.asked[:]
        got = await play(client, session.exchanges)
        assert got == [exchange.reply for exchange in session.exchanges if exchange.reply is not None]
        await eventually(lambda: sharing.share.stats().requests == len(session.exchanges))
        assert not device.strange
        asked = [exchange.request for exchange in session.exchanges]
        assert set(device.asked) <= {b"\0", *asked}
        if all(exchange.reply is not None for exchange in session.exchanges):
            assert device.asked == asked


@every_session
async def test_three_clients_at_once_each_get_the_session_as_it_was_recorded(session):
    device = RecordedDevice(session)
    recorded: dict[bytes, set[bytes | None]] = {}
    for exchange in session.exchanges:
        recorded.setdefault(exchange.request, set()).add(exchange.reply)
    wanted = [exchange.request for exchange in session.exchanges if exchange.reply is not None]
    async with device.serving(), shared(device.port) as sharing, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw(sharing.share.port)) for _ in range(3)]
        for got in await asyncio.gather(*(play(client, session.exchanges) for client in clients)):
            assert len(got) == len(wanted)
            assert all(reply in recorded[asked] for asked, reply in zip(wanted, got, strict=True))
        assert all(READ_ONLY.permits(kind_of(asked)) for asked in device.asked)
        assert len(device.asked) < 3 * len(session.exchanges), "some were answered together"


async def test_three_clients_work_as_if_each_was_alone():
    async with (
        simulated(ping_time=0.3) as sim,
        shared(sim.port) as sharing,
        contextlib.AsyncExitStack() as stack,
    ):
        tool, home, watch = [await stack.enter_async_context(sharing.client()) for _ in range(3)]

        async def search() -> None:
            for _ in range(2):
                assert await tool.ping_can() == (10, 84)

        async def nodes() -> None:
            for _ in range(20):
                assert (await home.fw_version(84)).hw_type == 0
                assert (await home.request(request(Command.GET_VALUES), 84))[0] == Command.GET_VALUES

        async def battery() -> None:
            direct = await watch.request(BMS)
            for _ in range(20):
                assert await watch.request(BMS) == direct
                assert (await watch.fw_version(10)).hw_name == "VESC BMS Sim"

        async with asyncio.TaskGroup() as group:
            for work in (search(), nodes(), battery(), search()):
                group.create_task(work)
        assert [client.stats.timeouts for client in (tool, home, watch)] == [0, 0, 0]
        assert sharing.share.stats().timeouts == 0


async def test_the_device_sees_whole_frames_and_no_others():
    async with scripted(usual) as device, shared(device.port) as sharing, raw(sharing.share.port) as client:
        client.writer.write(b"GET / HTTP/1.1\r\n\r\n\x02\x05abc" + bytes(520))
        client.send(bytes((Command.SET_CURRENT, 0, 0, 1, 0)), bytes((Command.FORWARD_CAN, 84)))
        # It is told of both, in its terminal: one is of a kind that --allow names, the other never passes.
        printed = [await client.ask(BMS), await client.reply()]
        assert [text[0] for text in printed] == [Command.PRINT, Command.PRINT]
        assert b"SET_CURRENT refused" in printed[0]
        assert (await client.reply())[0] == Command.BMS_GET_VALUES
        framer = Framer()
        assert Counter(frame.payload for frame in framer.feed(device.raw.lstrip(b"\0"))) == {b"\0": 1, BMS: 1}
        assert framer.stats.junk == 0
        assert [event.line.partition(": ")[2].split()[0] for event in sharing.told(Refused)] == [
            "SET_CURRENT",
            "FORWARD_CAN",
        ]


async def test_clients_stay_while_the_device_is_gone():
    async with (
        scripted(usual) as device,
        shared(device.port, max_age=0.0) as sharing,
        sharing.client() as client,
    ):
        await client.request(BMS)
        device.hang_up()
        await eventually(lambda: sharing.told(DeviceAway))
        # Asked while the device is away, answered when it is back, half a second later.
        reply = await client.request(BMS, timeout=4.0)
        assert reply[0] == Command.BMS_GET_VALUES
        assert [type(event) for event in sharing.events] == [DeviceThere, ClientCame, DeviceAway, DeviceThere]
        assert sharing.share.stats().connections == 2


async def test_through_a_hub():
    async with hub_with_device() as (hub, _):

        def link() -> Any:
            return HubLink("127.0.0.1", hub.port, "TESTPACK", "secret42")

        async with shared(0, link=link) as sharing, sharing.client() as one, sharing.client() as two:
            assert await one.request(BMS) == await two.request(BMS)
            assert "secret42" not in repr(sharing.events)


async def test_packets_that_nobody_asked_for_reach_every_client():
    def handler(payload: bytes) -> Any:
        if payload == BMS:
            return [*framed(b"\x15hello\0"), *(usual(payload) or ())]
        return usual(payload)

    async with scripted(handler) as device, shared(device.port) as sharing:
        async with raw(sharing.share.port) as one, raw(sharing.share.port) as two:
            await eventually(lambda: len(sharing.told(ClientCame)) == 2)
            assert await one.ask(BMS) == b"\x15hello\0"
            assert await two.reply() == b"\x15hello\0"


async def test_a_client_that_does_not_read_is_cut_off_and_nobody_waits():
    def handler(payload: bytes) -> Any:
        return framed(payload + bytes(9000)) if payload[0] == Command.GET_APPCONF else usual(payload)

    async with scripted(handler) as device, shared(device.port, max_age=0.0) as sharing:
        async with raw(sharing.share.port) as lazy, sharing.client() as client:
            appconf = request(Command.GET_APPCONF)
            async with asyncio.timeout(90):
                while not sharing.told(ClientLeft):
                    lazy.send(*[appconf] * 30)
                    await client.request(BMS)
            assert "unread" in sharing.told(ClientLeft)[0].reason
            assert client.stats.timeouts == 0


async def test_a_client_that_leaves_is_told_with_its_account():
    async with scripted(usual) as device, shared(device.port) as sharing:
        async with raw(sharing.share.port) as client:
            await client.ask(BMS)
        await eventually(lambda: sharing.told(ClientLeft))
        left = sharing.told(ClientLeft)[0]
        assert (left.stats.requests, left.stats.replies, left.reason) == (1, 1, "")


async def test_what_is_not_there_is_told_at_once():
    async with scripted(usual) as device:
        port = device.port
    with pytest.raises(UnreachableError):
        async with shared(port):
            pass


async def test_what_does_not_answer_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr("packwire.share.upstream.FIRST_ANSWER", 0.1)
    async with scripted(lambda _: None) as device:
        with pytest.raises(NoAnswerError, match="one client at a time"):
            async with shared(device.port):
                pass
    async with scripted(lambda _: [(0.0, b"HTTP/1.1 400 Bad Request\r\n\r\n")]) as device:
        with pytest.raises(NotAVescError, match="is no VESC"):
            async with shared(device.port):
                pass


async def test_a_device_that_falls_silent_is_dialled_anew(monkeypatch):
    monkeypatch.setattr("packwire.share.upstream.DOUBTFUL", 0.1)
    monkeypatch.setattr("packwire.share.upstream.SILENT", 0.2)
    monkeypatch.setattr("packwire.share.upstream._GLANCE", 0.05)
    silent = False

    def handler(payload: bytes) -> Any:
        return None if silent else usual(payload)

    async with scripted(handler) as device, shared(device.port, max_age=0.0) as sharing:
        async with raw(sharing.share.port) as client:
            await client.ask(BMS)
            silent = True
            client.send(BMS)
            await eventually(lambda: sharing.told(DeviceAway))
            assert "wedged" in str(sharing.told(DeviceAway)[0].error)
            silent = False
            await eventually(lambda: len(sharing.told(DeviceThere)) == 2)
            assert (await client.reply())[0] == Command.BMS_GET_VALUES


async def test_a_device_that_answers_nothing_but_who_it_is_is_kept(monkeypatch):
    monkeypatch.setattr("packwire.share.upstream.DOUBTFUL", 0.05)
    monkeypatch.setattr("packwire.share.upstream._GLANCE", 0.02)

    def handler(payload: bytes) -> Any:
        return None if payload == BMS else usual(payload)

    async with scripted(handler) as device, shared(device.port) as sharing, raw(sharing.share.port) as client:
        client.send(BMS)
        await eventually(lambda: device.asked.count(request(Command.FW_VERSION)) == 2)
        await eventually(lambda: sharing.share.device.silent == 0)
        assert device.asked.count(BMS) == 1
        assert not sharing.told(DeviceAway)


async def test_a_device_that_takes_nothing_costs_no_memory_and_is_dialled_anew(monkeypatch):
    monkeypatch.setattr("packwire.share.upstream.STUCK", 0.1)
    monkeypatch.setattr("packwire.share.upstream._GLANCE", 0.05)
    allowed = parse_policy("control")

    async with scripted(usual) as device, shared(device.port, policy=allowed) as sharing:
        async with raw(sharing.share.port) as client:
            await client.ask(BMS)
            device.writers[0].transport.pause_reading()  # type: ignore[attr-defined]
            async with asyncio.timeout(90):
                while not sharing.told(DeviceAway):
                    client.send(*[bytes((Command.GPD_FILL_BUFFER,)) + bytes(480)] * 100)
                    await client.writer.drain()
                    await asyncio.sleep(0)
                    assert unsent(sharing.share) < 64 * 1024
            assert "has taken nothing" in str(sharing.told(DeviceAway)[0].error)
            assert sharing.share.stats().dropped > 0


def unsent(share: Share) -> int:
    transport = share._upstream.link._transport  # type: ignore[attr-defined]
    return transport.get_write_buffer_size() if transport else 0


async def test_a_port_in_use_is_told_with_the_option_and_costs_nobody_the_device():
    async with scripted(usual) as device, scripted(usual) as other:
        with pytest.raises(BadOptionError, match="--listen"):
            async with shared(device.port, port=other.port):
                pass
        assert device.writers == []


async def test_a_host_that_is_not_here_is_told_with_the_option():
    for host in ("192.0.2.1", "nowhere.example"):
        with pytest.raises(BadOptionError, match="--host"):
            async with shared(1, host=host):
                pass


async def test_an_address_is_what_read_takes():
    async with simulated() as sim:
        async with shared(0, link=lambda: open_link(tcp_address("127.0.0.1", sim.port))) as sharing:
            async with raw(sharing.share.port) as client:
                assert (await client.ask(BMS))[0] == Command.BMS_GET_VALUES


async def test_where_all_places_are_taken_the_one_is_ended_that_has_long_asked_nothing(monkeypatch):
    monkeypatch.setattr("packwire.share.server.MAX_CLIENTS", 2)
    monkeypatch.setattr("packwire.share.server.NEVER_ASKED", 0.0)
    async with scripted(usual) as device, shared(device.port) as sharing:
        async with raw(sharing.share.port) as idle, raw(sharing.share.port) as busy:
            await busy.ask(BMS)
            async with raw(sharing.share.port) as third:
                await idle.until_closed()
                assert (await third.ask(BMS))[0] == Command.BMS_GET_VALUES
                assert (await busy.ask(BMS))[0] == Command.BMS_GET_VALUES
        assert "asked nothing for" in sharing.told(ClientLeft)[0].reason


async def test_one_address_elsewhere_gets_no_more_than_its_places(monkeypatch):
    monkeypatch.setattr("packwire.share.server.MAX_OF_ADDRESS", 1)
    monkeypatch.setattr("packwire.share.server.is_loopback", lambda _: False)
    async with scripted(usual) as device, shared(device.port) as sharing:
        async with raw(sharing.share.port) as first, raw(sharing.share.port) as second:
            await second.until_closed()
            assert "of its address" in sharing.told(ClientLeft)[0].reason
            assert (await first.ask(BMS))[0] == Command.BMS_GET_VALUES


async def test_a_client_that_resets_its_connection_is_written_nothing_more(caplog):
    async with scripted(usual) as device, shared(device.port) as sharing:
        async with raw(sharing.share.port) as client:
            await client.ask(BMS)
            place = next(iter(sharing.share.clients))
            place._transport.abort()
            for _ in range(20):
                place._seat.write(b"more")
            assert place._seat.gone
        await eventually(lambda: sharing.told(ClientLeft))
    assert "exception" not in caplog.text


async def test_more_clients_than_there_are_places_are_closed_and_told(monkeypatch):
    monkeypatch.setattr("packwire.share.server.MAX_CLIENTS", 1)
    async with scripted(usual) as device, shared(device.port) as sharing:
        async with raw(sharing.share.port) as first, raw(sharing.share.port) as second:
            await second.until_closed()
            assert "1 clients already" in sharing.told(ClientLeft)[0].reason
            assert (await first.ask(BMS))[0] == Command.BMS_GET_VALUES
