"""The device on real TCP, byte by byte: its parser, its CAN bus, its one client, its slot for slow commands."""

import asyncio
import socket
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.sim.express import Express
from packwire.sim.faults import Faults
from packwire.sim.nodes import default_config
from packwire.sim.vehicle import Vehicle
from packwire.vesc.commands import Command
from packwire.vesc.framing import DEVICE_MAX_PAYLOAD, Framer, encode_frame
from packwire.vesc.replies import BMS_GET_VALUES, FW_VERSION, GET_VALUES
from packwire.vesc.requests import FILLER, forward_can
from tests.sim.raw import PATIENCE, QUIET, Raw, eventually, raw, simulated, vesc_and_client

VERSION = bytes((Command.FW_VERSION,))
PACK = bytes((Command.BMS_GET_VALUES,))
VALUES = bytes((Command.GET_VALUES,))
PING = bytes((Command.PING_CAN,))
TERMINAL = bytes((Command.TERMINAL_CMD,)) + b"faults"


def hardware(reply: bytes) -> Any:
    return FW_VERSION.decode(reply).reply.hw_type


def pack_values(reply: bytes) -> Any:
    return BMS_GET_VALUES.decode(reply).reply


def motor_values(reply: bytes) -> Any:
    return GET_VALUES.decode(reply).reply


async def test_the_express_answers_for_itself():
    async with vesc_and_client() as (sim, client):
        assert hardware(await client.ask(VERSION)) == 2
        pack = pack_values(await client.ask(PACK))
        assert pack.v_tot == pytest.approx(sim.vehicle.pack.measured_voltage, abs=1e-6)
        assert len(client.received) == 48 + 135


@pytest.mark.parametrize("command", [4, 47, 50, 51, 128, 34 + 100, 200, 255])
async def test_what_it_does_not_know_it_meets_with_silence(command):
    async with vesc_and_client() as (_, client):
        client.send(bytes((command, 0, 0, 0, 1)))
        assert await client.is_silent()
        assert hardware(await client.ask(VERSION)) == 2


async def test_requests_may_come_in_any_pieces():
    async with vesc_and_client() as (_, client):
        for byte in encode_frame(VERSION) + encode_frame(PACK):
            client.writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        assert [reply[0] for reply in await client.replies(2)] == [0, 96]


@pytest.mark.parametrize(("can_id", "kind"), [(10, 1), (84, 0)], ids=["the BMS", "the controller"])
async def test_forwarded_requests_reach_the_other_nodes(can_id, kind):
    async with vesc_and_client() as (_, client):
        assert hardware(await client.ask(forward_can(can_id, VERSION))) == kind


async def test_the_bms_asked_over_can_gives_its_own_pressure():
    async with vesc_and_client() as (_, client):
        own = pack_values(await client.ask(forward_can(10, PACK)))
        express = pack_values(await client.ask(PACK))
        controller = pack_values(await client.ask(forward_can(84, PACK)))
    assert own.pressure == pytest.approx(101_325, abs=100)
    assert express.pressure == controller.pressure == 0
    assert own.can_id == express.can_id == 10
    assert own.temp_max_cell != express.temp_max_cell == int(express.temp_max_cell)


@pytest.mark.parametrize("can_id", [2, 3, 254], ids=["its own", "nobody", "nobody"])
async def test_its_own_and_unknown_ids_never_answer_over_can(can_id):
    async with vesc_and_client() as (_, client):
        client.send(forward_can(can_id, VERSION))
        assert await client.is_silent()


async def test_broadcast_brings_all_replies_without_names():
    async with vesc_and_client() as (_, client):
        replies = [await client.ask(b"\x22\xff" + VERSION), await client.reply()]
        assert sorted(map(hardware, replies)) == [0, 1]
        assert await client.is_silent()


async def test_forwarding_inside_forwarding_and_forwarding_nothing_are_met_with_silence():
    async with vesc_and_client() as (_, client):
        client.send(forward_can(84, forward_can(10, VERSION)), b"\x22\x54")
        assert await client.is_silent()
        assert hardware(await client.ask(VERSION)) == 2


async def test_forward_can_without_an_id_wedges_it_for_good():
    async with simulated() as sim:
        async with raw(sim.port) as client:
            await client.ask(PACK)
            client.send(b"\x22")
            client.send(PACK, VERSION)
            assert await client.is_silent()
        async with raw(sim.port, FILLER) as client:
            client.send(VERSION)
            assert await client.is_silent()
        sim.revive()
        async with raw(sim.port) as client:
            assert hardware(await client.ask(VERSION)) == 2


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x02\x01\x00\xff\xff\x03",
        b"\x02\x01\x00\x00\x00\x04",
        b"\x03\x00\x01\x00\x00\x00\x03",
        b"\x04\x00\x00\x01\x00\x00\x00\x03",
        encode_frame(PACK + bytes(DEVICE_MAX_PAYLOAD)),
    ],
    ids=["wrong checksum", "wrong stop byte", "length too long a form", "start byte 4", "oversize"],
)
async def test_what_is_no_frame_is_never_answered_and_the_next_is_found(hostile):
    async with vesc_and_client() as (_, client):
        client.writer.write(hostile)
        assert await client.is_silent()
        assert hardware(await client.ask(VERSION)) == 2


async def test_the_largest_request_is_taken():
    async with vesc_and_client() as (_, client):
        assert (await client.ask(PACK + bytes(DEVICE_MAX_PAYLOAD - 1)))[0] == 96


async def test_ping_can_takes_its_time_and_does_not_name_the_device_itself():
    async with vesc_and_client(ping_time=0.1) as (_, client):
        started = asyncio.get_running_loop().time()
        assert await client.ask(PING) == b"\x3e\x0a\x54"
        assert asyncio.get_running_loop().time() - started > 0.09
        assert await client.ask(forward_can(84, PING)) == b"\x3e\x02\x0a"


async def test_a_second_slow_command_is_dropped_and_the_pack_still_answers():
    async with vesc_and_client(ping_time=0.1) as (_, client):
        client.send(PING, PING, TERMINAL, PACK)
        assert [(await client.reply())[0] for _ in range(2)] == [Command.BMS_GET_VALUES, Command.PING_CAN]
        assert await client.is_silent(0.2)
        assert await client.ask(PING) == b"\x3e\x0a\x54"
        client.send(TERMINAL, PING)
        assert (await client.reply())[0] == Command.PRINT
        assert await client.is_silent(0.2)


async def test_the_reply_to_a_ping_reaches_the_next_client():
    async with simulated(ping_time=0.15) as sim:
        async with raw(sim.port) as first:
            first.send(PING)
            await eventually(lambda: sim.device._busy)
        async with raw(sim.port) as second:
            assert await second.reply() == b"\x3e\x0a\x54"


async def test_forwarded_replies_take_the_time_of_the_bus():
    async with vesc_and_client(can_delay=0.1) as (_, client):
        client.send(forward_can(84, VALUES), PACK)
        assert [reply[0] for reply in await client.replies(2)] == [Command.BMS_GET_VALUES, Command.GET_VALUES]


async def test_forwarded_replies_go_to_whoever_forwarded_last():
    async with simulated(can_delay=0.1) as sim:
        serial = sim.device.port("serial")
        heard: list[bytes] = []
        serial.attach(heard.append, lambda: None)
        async with raw(sim.port) as client:
            client.send(forward_can(84, VALUES))
            await eventually(lambda: sim.device._forwarder is not None)
            serial.received(encode_frame(forward_can(10, VERSION)))
            await eventually(lambda: len(heard) == 2)
            assert await client.is_silent()
        assert [frame.payload[0] for frame in Framer().feed(b"".join(heard))] == [4, 0]
        serial.detach()


async def test_a_half_frame_of_the_client_before_swallows_requests():
    async with simulated() as sim:
        async with raw(sim.port) as broken:
            await broken.ask(VERSION)
            broken.writer.write(b"\x03\x02\x00")  # announces 512 bytes
            await broken.writer.drain()
        async with raw(sim.port) as client:
            client.send(VERSION)
            assert await client.is_silent()
            client.writer.write(FILLER)
            assert hardware(await client.reply()) == 2  # found again behind the false header
            assert (await client.ask(PACK))[0] == 96


async def test_filler_at_connect_cures_it():
    async with simulated() as sim:
        async with raw(sim.port) as broken:
            broken.writer.write(b"\x02\xff")
            await broken.writer.drain()
            await eventually(lambda: sim._local.port.framer.stats.waiting)
        async with raw(sim.port, FILLER) as client:
            assert hardware(await client.ask(VERSION)) == 2


async def test_a_second_client_hears_nothing_until_the_first_leaves_and_is_then_reset():
    async with simulated() as sim, raw(sim.port) as first:
        await first.ask(VERSION)
        async with raw(sim.port) as second:
            second.send(VERSION)
            assert await second.is_silent()
            assert (await first.ask(PACK))[0] == 96
            await first.close()
            with pytest.raises(ConnectionResetError):
                await second.read()
        async with raw(sim.port) as third:
            assert hardware(await third.ask(VERSION)) == 2


async def test_a_second_client_that_gives_up_changes_nothing():
    async with simulated() as sim:
        async with raw(sim.port) as first:
            await first.ask(VERSION)
            async with raw(sim.port):
                await eventually(lambda: sim._local.waiting)
            assert (await first.ask(PACK))[0] == 96
        async with raw(sim.port) as third:
            assert (await third.ask(PACK))[0] == 96
        assert not sim._local.waiting


async def test_values_move_with_the_physics():
    async with vesc_and_client(scenario="ride", speed=20.0) as (_, client):
        first = await client.ask(PACK)
        async with asyncio.timeout(PATIENCE):
            while await client.ask(PACK) == first:
                await asyncio.sleep(0.01)


async def test_advance_moves_the_values_at_once():
    async with vesc_and_client(scenario="ride") as (sim, client):
        before = motor_values(await client.ask(forward_can(84, VALUES)))
        sim.advance(10)
        after = motor_values(await client.ask(forward_can(84, VALUES)))
        assert after.tacho > before.tacho


async def test_polls_are_answered_from_what_was_encoded_once(monkeypatch):
    async with vesc_and_client() as (sim, client):
        await client.ask(PACK)

        def fail(_):
            raise AssertionError("encoded again")

        monkeypatch.setattr(sim.device.node, "answer", fail)
        for _ in range(100):
            assert len(await client.ask(PACK)) == 130


async def test_a_client_that_leaves_with_a_reset_does_no_harm():
    async with simulated() as sim:
        client = await Raw.open(sim.port)
        client.send(PING, PACK)
        connection = client.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()
        async with raw(sim.port, FILLER) as after:
            assert (await after.ask(VERSION))[0] in (0, 62)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=40) | st.binary(max_size=30).map(lambda data: b"\x22" + data), max_size=8),
    st.data(),
)
def test_hostile_bytes_never_raise(pieces, data):
    framed = [encode_frame(piece) if piece and data.draw(st.booleans()) else piece for piece in pieces]

    async def feed() -> None:
        vehicle = Vehicle(1, cells=2)
        express = Express(vehicle, Faults(), default_config(), ping_time=0.001, can_delay=0.0)
        port = express.port("test")
        sent: list[bytes] = []
        port.attach(sent.append, lambda: None)
        for piece in framed:
            port.received(piece)
        await asyncio.sleep(0.002)
        port.detach()
        stats = port.framer.stats
        assert stats.received == sum(map(len, framed))

    asyncio.run(feed())


async def test_garbage_over_tcp_and_then_a_client():
    async with simulated() as sim:
        async with raw(sim.port, bytes(range(256)) * 40):
            pass
        await asyncio.sleep(QUIET)
        async with raw(sim.port, FILLER) as client:
            client.send(VERSION)
            while (await client.reply())[0] != Command.FW_VERSION:
                pass
