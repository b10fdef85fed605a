"""Every fault that can be ordered: how it is asked for, and what it does on the wire."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.errors import BadOptionError
from packwire.sim.express import HALF_FRAME
from packwire.sim.faults import FAULTS, Fault, Faults, parse_fault
from packwire.sim.outgoing import JUNK
from packwire.sim.server import SimOptions
from packwire.vesc.commands import Command
from packwire.vesc.framing import Framer
from packwire.vesc.replies import BMS_FWD_CAN_RX, BMS_GET_VALUES, FW_VERSION
from packwire.vesc.requests import FILLER, forward_can
from packwire.vesc.traits import unsolicited
from tests.sim.raw import QUIET, eventually, raw, simulated, vesc_and_client

VERSION = bytes((Command.FW_VERSION,))
PACK = bytes((Command.BMS_GET_VALUES,))
VALUES = bytes((Command.GET_VALUES,))
PING = bytes((Command.PING_CAN,))
PACK_FRAME = 135

# How a fault is ordered


def test_every_fault_has_a_name_a_line_and_sensible_numbers():
    for name, kind in FAULTS.items():
        assert name == kind.name
        assert kind.summary
        assert "\n" not in kind.summary
        assert kind.usage.startswith(name)
        fault = parse_fault(name)
        assert len(fault.values) == len(kind.parameters)
        assert parse_fault(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("delay:0.4", Fault("delay", (0.4, 1))),
        ("delay:2,5", Fault("delay", (2.0, 5))),
        ("old-firmware", Fault("old-firmware", (109,))),
        ("dead-node:10,84", Fault("dead-node", (10, 84))),
        (" wedge ", Fault("wedge")),
    ],
)
def test_faults_are_read(text, fault):
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "no fault 'nonsense': there are silence, delay, .*wedge"),
        ("silent", "no fault 'silent': did you mean silence"),
        ("", "no fault ''"),
        ("delay:soon", r"'soon' is no number for fault delay\[:seconds\[,every\]\]"),
        ("delay:1,2,3", "too many numbers"),
        ("wedge:1", "too many numbers"),
        ("corrupt:0", "every is 1 to"),
        ("delay:-1", "seconds is 0 to"),
        ("delay:nan", "seconds is 0 to"),
        ("corrupt:1.5", "no number"),
        ("old-firmware:111", "bytes is one of 109, 110, 126, 128, 129"),
        ("dead-node:255", "can-id is 0 to 254"),
    ],
)
def test_what_cannot_be_ordered_says_what_can(text, words):
    with pytest.raises(BadOptionError, match=words):
        parse_fault(text)
    with pytest.raises(BadOptionError, match=words):
        SimOptions(faults=(text,))


@given(
    st.text(max_size=20)
    | st.sampled_from(list(FAULTS)).flatmap(lambda name: st.text().map(f"{name}:".__add__))
)
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(BadOptionError):
        parse_fault(text)


def test_faults_come_and_go_and_tell():
    told: list[str] = []
    faults = Faults(["delay:1"])
    faults.on_change.append(told.append)
    assert "delay" in faults
    assert faults.get("delay") == (1.0, 1)
    faults.order("delay:2")
    faults.order(Fault("wedge"))
    assert [str(fault) for fault in faults] == ["delay:2,1", "wedge"]
    faults.cancel("delay")
    faults.cancel("delay")
    assert faults.get("delay") is None
    assert told == ["delay", "wedge", "delay"]


# What each does


async def test_silence():
    async with vesc_and_client("silence") as (sim, client):
        client.send(VERSION, PACK, forward_can(84, VALUES))
        assert await client.is_silent()
        sim.faults.cancel("silence")
        assert len(await client.ask(PACK)) == 130


async def test_silence_after_some_replies():
    async with vesc_and_client("silence:3") as (_, client):
        for _ in range(3):
            await client.ask(PACK)
        client.send(PACK)
        assert await client.is_silent()


async def test_delay():
    async with vesc_and_client("delay:0.1") as (_, client):
        started = asyncio.get_running_loop().time()
        client.send(PACK, VERSION)
        assert [reply[0] for reply in await client.replies(2)] == [96, 0]
        assert asyncio.get_running_loop().time() - started > 0.09


async def test_delay_of_one_in_three():
    async with vesc_and_client("delay:0.15,3") as (_, client):
        loop = asyncio.get_running_loop()
        slow = []
        for _ in range(6):
            started = loop.time()
            await client.ask(PACK)
            slow.append(loop.time() - started > 0.14)
        assert slow[2]
        assert slow[5]
        assert slow.count(True) < 6


async def test_corrupt():
    async with vesc_and_client("corrupt:3") as (_, client):
        client.send(*[PACK] * 6)
        while len(client.received) < 6 * PACK_FRAME:
            await client.read()
        frames = [client.received[at : at + PACK_FRAME] for at in range(0, 6 * PACK_FRAME, PACK_FRAME)]
        assert [len(Framer().feed(frame)) for frame in frames] == [1, 1, 0, 1, 1, 0]
        for damaged in (frames[2], frames[5]):
            flipped = [one ^ other for one, other in zip(damaged, frames[0], strict=True)]
            assert sum(byte.bit_count() for byte in flipped) == 1
            assert damaged[:2] == frames[0][:2]


async def test_truncate():
    async with vesc_and_client("truncate:2") as (_, client):
        await client.ask(PACK)
        client.send(PACK)
        while len(client.received) < PACK_FRAME + PACK_FRAME // 2:
            await client.read()
        assert await client.is_silent()
        waiting = client.framer.stats.waiting
        assert waiting is not None
        assert waiting.missing == PACK_FRAME - PACK_FRAME // 2


async def test_junk():
    async with vesc_and_client("junk:1") as (_, client):
        client.send(*[PACK] * len(JUNK))
        while len(client.received) < len(b"".join(JUNK)) + len(JUNK) * PACK_FRAME:
            await client.read()
        at = 0
        for junk in JUNK:
            assert client.received[at : at + len(junk)] == junk
            frame = client.received[at + len(junk) : at + len(junk) + PACK_FRAME]
            assert len(Framer().feed(frame)) == 1
            at += len(junk) + PACK_FRAME
        assert b"\x02\xff" in JUNK
        assert b"\x03\x27\x00" in JUNK


async def test_junk_before_every_second_reply_alone():
    async with vesc_and_client("junk:2") as (_, client):
        await client.ask(PACK)
        assert len(client.received) == PACK_FRAME


async def test_split():
    async with vesc_and_client("split:50,0.02") as (_, client):
        assert len(await client.ask(PACK)) == 130
        assert len(client.chunks) > 1
        client.send(PACK, VERSION)
        assert [reply[0] for reply in await client.replies(2)] == [96, 0]


async def test_split_into_single_bytes():
    async with vesc_and_client("split:1,0") as (_, client):
        assert len(await client.ask(PACK)) == 130


async def test_join():
    async with vesc_and_client("join:3,0.05") as (_, client):
        client.send(PACK, PACK, PACK)
        assert len(await client.read()) == 3 * PACK_FRAME


async def test_a_reply_that_stays_alone_is_let_go():
    async with vesc_and_client("join:3,0.05") as (_, client):
        assert len(await client.ask(PACK)) == 130


async def test_join_split_and_delay_together():
    async with vesc_and_client("join:2,0.02", "split:60,0.001", "delay:0.02", "prints") as (_, client):
        client.send(PACK, VERSION, PACK)
        replies = [reply for reply in await client.replies(6) if not unsolicited(reply[0])]
        assert [reply[0] for reply in replies] == [96, 0, 96]


@pytest.mark.parametrize("length", [109, 110, 126, 128, 129])
async def test_old_firmware(length):
    async with vesc_and_client(f"old-firmware:{length}") as (_, client):
        assert len(await client.ask(PACK)) == length
        assert FW_VERSION.decode(await client.ask(VERSION)).reply.hw_type == 2


async def test_no_bms():
    async with vesc_and_client("no-bms") as (sim, client):
        reply = await client.ask(PACK)
        assert len(reply) == 60
        assert BMS_GET_VALUES.decode(reply).reply.absent
        assert await client.ask(PING) == b"\x3e\x54"
        client.send(forward_can(10, VERSION))
        assert await client.is_silent()
        sim.faults.cancel("no-bms")
        assert len(await client.ask(PACK)) == 130


async def test_script_bms():
    async with vesc_and_client("script-bms") as (_, client):
        assert BMS_GET_VALUES.decode(await client.ask(PACK)).reply.scripted


async def test_frozen_bms():
    async with vesc_and_client("frozen-bms", scenario="ride") as (sim, client):
        pack, motor = await client.ask(PACK), await client.ask(forward_can(84, VALUES))
        sim.advance(5)
        assert await client.ask(PACK) == pack
        assert await client.ask(forward_can(84, VALUES)) != motor
        assert FW_VERSION.decode(await client.ask(forward_can(10, VERSION))).reply.hw_type == 1


async def test_displaced():
    async with vesc_and_client("displaced:0.1") as (sim, client):
        assert len(await client.ask(PACK)) == 130
        await client.until_closed()
        async with raw(sim.port) as again:
            assert len(await again.ask(PACK)) == 130
            await again.until_closed()


async def test_displaced_while_a_client_is_connected():
    async with vesc_and_client() as (sim, client):
        await client.ask(PACK)
        sim.faults.order("displaced:0.05")
        await client.until_closed()


async def test_slow_can():
    async with vesc_and_client("slow-can:0.1,0.3") as (_, client):
        started = asyncio.get_running_loop().time()
        client.send(PING, forward_can(84, VALUES), PACK)
        assert [reply[0] for reply in await client.replies(3)] == [96, 4, 62]
        assert asyncio.get_running_loop().time() - started > 0.29


async def test_dead_node():
    async with vesc_and_client("dead-node:84") as (sim, client):
        client.send(forward_can(84, VALUES))
        assert await client.is_silent()
        assert await client.ask(PING) == b"\x3e\x0a"
        sim.faults.cancel("dead-node")
        assert (await client.ask(forward_can(84, VALUES)))[0] == 4


async def test_prints():
    async with vesc_and_client("prints") as (_, client):
        seen = []
        for _ in range(4):
            unasked = await client.ask(PACK)
            seen.append(unasked[0])
            assert len(await client.reply()) == 130
        assert seen == [Command.PRINT, Command.LISP_PRINT, Command.LISP_PRINT, Command.BMS_FWD_CAN_RX]
        assert all(map(unsolicited, set(seen)))
        frame = BMS_FWD_CAN_RX.decode(unasked).reply
        assert (frame.sender, frame.packet, len(frame.data or b"")) == (10, 38, 8)
        assert 0x03 in {chunk[0] for chunk in client.chunks}  # one of them needs a 16-bit length


async def test_close_in_the_middle():
    async with vesc_and_client("close-in-the-middle:2") as (sim, client):
        await client.ask(PACK)
        client.send(PACK)
        assert len(await client.until_closed()) == PACK_FRAME + PACK_FRAME // 2
        async with raw(sim.port) as again:
            assert len(await again.ask(PACK)) == 130


async def test_close_in_the_middle_of_a_split_reply():
    async with vesc_and_client("close-in-the-middle:1", "split:10,0.001") as (_, client):
        client.send(PACK)
        assert len(await client.until_closed()) == PACK_FRAME // 2


async def test_cold_parser():
    async with simulated("cold-parser") as sim:
        for _ in range(2):
            async with raw(sim.port) as client:
                client.send(VERSION)
                assert await client.is_silent()
        async with raw(sim.port, FILLER) as client:
            assert len(await client.ask(PACK)) == 130
    assert len(HALF_FRAME) + 515 == 518  # what its header announces


async def test_http():
    async with simulated("http") as sim:
        async with raw(sim.port) as client:
            client.send(VERSION)
            assert (await client.until_closed()).startswith(b"HTTP/1.1 400 ")
        sim.faults.cancel("http")
        async with raw(sim.port) as client:
            assert len(await client.ask(PACK)) == 130


async def test_one_way():
    async with vesc_and_client("one-way") as (sim, client):
        client.send(PACK)
        assert await client.is_silent()
        sim.faults.cancel("one-way")
        assert len(await client.reply()) == 130


async def test_one_way_fills_up_and_leaves_no_trace():
    async with vesc_and_client("one-way") as (_, client):
        client.writer.write(bytes(1 << 23))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(QUIET):
                await client.writer.drain()
        client.writer.transport.abort()


async def test_wedge():
    async with simulated("wedge") as sim:
        async with raw(sim.port) as client:
            client.send(PACK, VERSION, PING)
            assert await client.is_silent(0.1)
        sim.faults.cancel("wedge")
        async with raw(sim.port) as client:
            assert len(await client.ask(PACK)) == 130
            sim.faults.order("wedge")
            client.send(PACK)
            assert await client.is_silent()
            sim.revive()
            await client.until_closed()
        async with raw(sim.port) as client:
            assert len(await client.ask(PACK)) == 130
        assert "wedge" not in sim.faults


async def test_a_wedged_device_lets_one_wait_and_takes_no_other():
    async with simulated("wedge") as sim, raw(sim.port) as first:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(QUIET), raw(sim.port):
                pass
        first.writer.write(bytes(1 << 23))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(QUIET):
                await first.writer.drain()
        first.writer.transport.abort()


async def test_a_client_that_leaves_while_replies_wait_leaves_nothing_behind():
    async with simulated("delay:0.2", "join:5,0.2", "split:3,0.05") as sim:
        async with raw(sim.port) as client:
            client.send(*[PACK] * 7)
            await eventually(lambda: sim._local.port.outgoing and sim._local.port.outgoing._queue)
        await eventually(lambda: sim._local.port.outgoing is None)
    assert sim.faults.on_change == [sim.device._fault_changed]


async def test_faults_ordered_at_once_count_from_now():
    async with vesc_and_client() as (sim, client):
        for _ in range(5):
            await client.ask(PACK)
        sim.faults.order("silence:1")
        await client.ask(PACK)
        client.send(PACK)
        assert await client.is_silent()
