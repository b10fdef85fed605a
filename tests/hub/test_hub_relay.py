"""`packwire hub` between devices and clients: who gets what, and who is cut off."""

import asyncio
import socket
import sys

import pytest

from packwire.share.device import UNSENT
from packwire.share.permissions import Effect, Policy, kind_of
from packwire.vesc.commands import Command
from packwire.vesc.framing import Framer, encode_frame
from packwire.vesc.requests import request
from tests.hub.hubs import CLIENT, DEVICE, client, device, running_hub, simulated_device, vesc_client
from tests.share.replay import every_session
from tests.sim.raw import Raw, eventually, raw

ASK = request(Command.BMS_GET_VALUES)
REPLY = bytes([Command.BMS_GET_VALUES]) + bytes(range(129))
#: What the hub asks by itself.
FENCE = bytes([Command.FW_VERSION])
STOP = bytes([Command.MOTOR_ESTOP])
TERMINAL = bytes([Command.TERMINAL_CMD]) + b"faults\0"


async def test_three_clients_use_one_device_at_once(tmp_path):
    async with (
        running_hub(tmp_path) as hub,
        simulated_device(hub),
        vesc_client(hub.port) as first,
        vesc_client(hub.port) as second,
        vesc_client(hub.port) as third,
    ):

        async def read(vesc):
            for _ in range(40):
                assert (await vesc.request(ASK))[0] == Command.BMS_GET_VALUES
                assert (await vesc.request(request(Command.GET_VALUES), 84))[0] == Command.GET_VALUES

        async with asyncio.TaskGroup() as group:
            for vesc in (first, second, third):
                group.create_task(read(vesc))
        for vesc in (first, second, third):
            assert (vesc.stats.timeouts, vesc.stats.late, vesc.stats.unasked) == (0, 0, 0)


@every_session
async def test_what_it_lets_pass_of_a_recorded_session_passes_byte_for_byte(session, tmp_path):
    exchanges = [each for each in session.exchanges if Policy().permits(kind_of(each.request))]
    async with running_hub(tmp_path) as hub, device(hub) as vesc, client(hub) as asker:
        # Where no reply was recorded, the hub waits for one, then asks a question of its own (a fence).
        hub.registry.devices["TESTPACK"].shared._timeout = 0.05
        told = b""
        for sent, reply in exchanges:
            asker.send(sent)
            while (asked := await vesc.reply()) != sent:
                assert asked == FENCE
                vesc.send(FENCE + b"\x06\x05")
            if reply is not None:
                vesc.send(reply)
                told += encode_frame(reply)
            while asker.received != told:
                assert await asker.read()
        for packet in session.unsolicited:
            vesc.send(packet)
            told += encode_frame(packet)
            while asker.received != told:
                assert await asker.read()
        assert vesc.framer.stats.oddities() == asker.framer.stats.oddities() == []


async def test_bytes_behind_the_login_in_the_same_segment_are_not_lost(tmp_path):
    async with (
        running_hub(tmp_path) as hub,
        device(hub) as vesc,
        raw(hub.port, CLIENT + encode_frame(ASK)) as asker,
    ):
        assert await vesc.reply() == ASK
        vesc.send(REPLY)
        assert await asker.reply() == REPLY


async def test_so_are_those_of_a_device_and_the_nul_behind_its_login_is_no_junk(tmp_path):
    async with running_hub(tmp_path) as hub, device(hub, DEVICE + encode_frame(b"\x15hello")):
        assert hub.registry.devices["TESTPACK"].shared.stats().device_junk == 0
        assert hub.registry.devices["TESTPACK"].shared.stats().unsolicited == 1


async def test_commands_that_do_more_than_read_do_not_pass_and_the_log_says_so(tmp_path, caplog):
    caplog.set_level("INFO", "packwire.hub")
    async with running_hub(tmp_path) as hub, device(hub) as vesc, client(hub) as asker:
        asker.send(bytes([Command.SET_CURRENT, 0, 0, 0, 9]), TERMINAL, ASK)
        assert await vesc.reply() == ASK
        assert hub.registry.devices["TESTPACK"].shared.stats().refused == {"control": 1, "terminal": 1}
    assert "request refused" in caplog.text


async def test_each_device_may_allow_more(tmp_path):
    devices = {"testpack": {"allow": ["terminal"]}}
    async with running_hub(tmp_path, devices=devices) as hub, device(hub) as vesc, client(hub) as asker:
        asker.send(bytes([Command.SET_CURRENT, 0, 0, 0, 9]), TERMINAL)
        assert await vesc.reply() == TERMINAL


async def test_an_emergency_stop_always_passes(tmp_path):
    assert kind_of(STOP) is Effect.STOP
    async with running_hub(tmp_path) as hub, device(hub) as vesc, client(hub) as asker:
        asker.send(STOP)
        assert await vesc.reply() == STOP


def cut(hub):
    connection = hub.registry.devices["TESTPACK"].connection
    assert connection is not None
    connection.abort()


async def test_the_system_is_asked_to_find_lost_links(tmp_path):
    async with running_hub(tmp_path, limits={"lost_link_seconds": 12}) as hub, device(hub):
        connection = hub.registry.devices["TESTPACK"].connection
        assert connection is not None
        options = connection.get_extra_info("socket")
        assert options.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if sys.platform == "linux":
            found = [
                options.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_{name}"))
                for name in ("KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT")
            ]
            assert found == [6, 2, 3, 12000]


async def test_a_client_stays_while_its_device_dials_again(tmp_path):
    async with running_hub(tmp_path) as hub:
        async with device(hub), client(hub) as asker:
            cut(hub)
            await eventually(lambda: hub.registry.connected("TESTPACK") is None)
            async with device(hub) as again:
                asker.send(ASK)
                assert await again.reply() == ASK
                again.send(REPLY)
                assert await asker.reply() == REPLY


async def test_a_device_that_stays_away_ends_its_clients_and_the_log_says_why(tmp_path, caplog):
    caplog.set_level("INFO", "packwire.hub")
    async with running_hub(tmp_path, limits={"absence_seconds": 0.05}) as hub:
        async with device(hub) as vesc, client(hub) as asker:
            vesc.writer.transport.abort()
            assert await asker.until_closed() == b""
        assert not hub.registry.devices
    assert "clients ended" in caplog.text


async def test_a_device_that_logs_in_again_replaces_its_old_connection(tmp_path):
    async with (
        running_hub(tmp_path) as hub,
        device(hub) as old,
        client(hub) as asker,
        raw(hub.port, DEVICE) as new,
    ):
        assert await old.until_closed() == b""
        asker.send(ASK)
        assert await new.reply() == ASK
        assert hub.counters.replaced == 1
        assert hub.registry.connected("TESTPACK") is not None


async def test_a_client_that_does_not_read_is_cut_off_and_holds_nobody_up(tmp_path, caplog):
    caplog.set_level("INFO", "packwire.hub")
    async with running_hub(tmp_path, limits={"unread_bytes": 4096}) as hub, device(hub) as vesc:
        async with client(hub) as slow, client(hub) as good:
            slow.reader._transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(400):
                vesc.writer.write(encode_frame(b"\x15" + b"x" * 4000) * 10)
                await good.replies(10)
                if hub.counters.cut_off["client"]:
                    break
            assert hub.counters.cut_off["client"] == 1
            good.send(ASK)
            assert await vesc.reply() == ASK
    assert "client cut off" in caplog.text


LONG_ACT = encode_frame(bytes([Command.GPD_FILL_BUFFER]) + bytes(500))
CONTROL = {"testpack": {"allow": ["control"]}}


def take_nothing(hub, vesc):
    """Have a device read nothing, and as little as may be wait in the system."""
    vesc.reader._transport.pause_reading()
    vesc.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection = hub.registry.devices["TESTPACK"].connection
    connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return connection


async def flood_until(asker, done):
    for _ in range(20_000):
        if done():
            return
        asker.writer.write(LONG_ACT * 4)
        await asker.writer.drain()
        await asyncio.sleep(0)
    raise AssertionError("it never happened")


async def test_for_a_device_that_does_not_read_little_waits_and_what_acts_is_dropped(tmp_path, caplog):
    async with running_hub(tmp_path, devices=CONTROL) as hub, device(hub) as vesc, client(hub) as asker:
        shared = hub.registry.devices["TESTPACK"].shared
        connection = take_nothing(hub, vesc)
        await flood_until(asker, lambda: shared.stats().dropped > 100)
        assert connection.get_write_buffer_size() <= UNSENT + len(LONG_ACT)
        vesc.reader._transport.resume_reading()  # type: ignore[attr-defined]
        asker.send(ASK)
        while await vesc.reply() != ASK:
            pass
    assert "device takes nothing" in caplog.text


async def test_a_device_that_goes_on_reading_nothing_is_cut_off(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("packwire.hub.relay.STUCK", 0.02)
    async with running_hub(tmp_path, devices=CONTROL) as hub, device(hub) as vesc, client(hub) as asker:
        take_nothing(hub, vesc)
        await flood_until(asker, lambda: hub.counters.cut_off["device"] == 1)
        await eventually(lambda: hub.registry.connected("TESTPACK") is None)
    assert "device cut off" in caplog.text


async def test_to_a_connection_that_was_reset_nothing_more_is_written(tmp_path, caplog):
    many = [encode_frame(bytes([command])) for command in (4, 14, 17, 47, 50, 96, 0)]
    async with running_hub(tmp_path) as hub, device(hub), client(hub), client(hub):
        known = hub.registry.devices["TESTPACK"]
        first, second = known.shared._clients
        next(iter(known.clients)).abort()
        for _ in range(20):
            known.shared.device_received(encode_frame(b"\x15hello"))
        cut(hub)
        for frame in many:
            (second if first.gone else first).received(frame)
    assert "socket.send() raised exception" not in caplog.text


async def test_no_more_clients_than_a_device_may_have(tmp_path):
    async with running_hub(tmp_path, limits={"clients_per_device": 2}) as hub, device(hub) as vesc:
        async with client(hub) as one, client(hub), raw(hub.port, CLIENT) as third:
            assert await third.until_closed() == b""
            one.send(ASK)
            assert await vesc.reply() == ASK


async def test_stopping_ends_every_connection(tmp_path):
    async with running_hub(tmp_path) as hub:
        vesc = await Raw.open(hub.port, DEVICE)
        await eventually(lambda: hub.registry.connected("TESTPACK") is not None)
        asker = await Raw.open(hub.port, CLIENT)
        await eventually(lambda: hub.counters.logins["client"] == 1)
    assert await vesc.until_closed() == await asker.until_closed() == b""
    await vesc.close()
    await asker.close()
    assert hub.admission.total == 0


@pytest.mark.parametrize("size", [1, 7, 5000])
async def test_requests_in_pieces_of_any_size(tmp_path, size):
    stream = encode_frame(ASK) * 300
    async with running_hub(tmp_path) as hub, device(hub) as vesc, client(hub) as asker:
        framer, answered = Framer(), 0
        for at in range(0, len(stream), size):
            asker.writer.write(stream[at : at + size])
            await asyncio.sleep(0)
        while answered == 0 or hub.registry.devices["TESTPACK"].shared.stats().requests < 300:
            answered += len(framer.feed(await vesc.read()))
            vesc.send(REPLY)
        assert (await asker.reply()) == REPLY
