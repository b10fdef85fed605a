"""The imitated hub and the device that dials it: all that the known hub says, and all that it does not."""

import asyncio
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.errors import BadOptionError
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.hublogin import MAX_LINE
from packwire.vesc.replies import EXPRESS_CONFIG
from packwire.vesc.requests import custom_config, forward_can
from tests.sim.raw import PATIENCE, eventually, hub_with_device, raw, simulated

LOGIN = b"VESCTOOL:TESTPACK:secret42\n"
PACK = bytes((Command.BMS_GET_VALUES,))
PING = bytes((Command.PING_CAN,))


async def logged_in(hub: SimulatedHub) -> None:
    """Wait until the hub has taken the client in: a request in the same segment would be swallowed."""
    await eventually(lambda: "TESTPACK" in hub.pairings and hub.pairings["TESTPACK"].client)


async def test_a_client_reads_the_pack_through_it():
    async with hub_with_device() as (hub, _), raw(hub.port, LOGIN) as client:
        assert await client.is_silent()  # a login is not answered
        assert len(await client.ask(PACK)) == 130
        assert (await client.ask(forward_can(84, b"\x04")))[0] == 4


@pytest.mark.parametrize(
    "line",
    [
        b"VESCTOOL:testpack:secret42\n",
        b"vesctool: Test Pack :secret42\r\n",
        b"VESCTOOL:T E S T P A C K:secret42\n",
    ],
)
async def test_ids_are_upper_cased_and_lose_their_blanks(line):
    async with hub_with_device() as (hub, _), raw(hub.port, line) as client:
        await logged_in(hub)
        assert len(await client.ask(PACK)) == 130


@pytest.mark.parametrize(
    "line",
    [
        b"VESCTOOL:TESTPACK:wrong\n",
        b"VESCTOOL:TESTPACK:SECRET42\n",
        b"VESCTOOL:OTHERPACK:secret42\n",
        b"VESCTOOL:TESTPACK:secret42:\n",
        b"VESCTOOL:TESTPACK\n",
        b"VESCTOOL:AB:secret42\n",
        b"HELLO:TESTPACK:secret42\n",
        b"GET / HTTP/1.1\r\n",
        b"\n",
        b"\x02\x01\x00\x00\x00\x03\n",
        b"x" * (MAX_LINE + 1),
    ],
    ids=[
        "password",
        "case of the password",
        "id",
        "a colon more",
        "two tokens",
        "short id",
        "role",
        "http",
        "empty",
        "frame",
        "endless",
    ],
)
async def test_what_it_does_not_like_it_closes_without_a_word(line):
    async with hub_with_device() as (hub, _), raw(hub.port, line) as client:
        assert await client.until_closed() == b""


async def test_it_waits_for_the_line_and_then_closes():
    async with SimulatedHub(login_timeout=0.1) as hub, raw(hub.port, b"VESCTOOL:TEST") as client:
        assert await client.is_silent(0.03)
        assert await client.until_closed() == b""


async def test_a_line_may_come_in_pieces():
    async with hub_with_device() as (hub, _), raw(hub.port) as client:
        for byte in LOGIN:
            client.writer.write(bytes((byte,)))
            await client.writer.drain()
            await asyncio.sleep(0)
        await logged_in(hub)
        assert len(await client.ask(PACK)) == 130


@pytest.mark.parametrize(("device_id", "answer"), [(b"testpack", b"PONG\n"), (b"nobody", b"NULL\n")])
async def test_ping_tells_who_is_there_and_closes(device_id, answer):
    async with hub_with_device() as (hub, _), raw(hub.port, b"PING:" + device_id + b":0\n") as client:
        assert await client.until_closed() == answer


async def test_the_newest_client_wins_and_the_older_is_closed():
    async with hub_with_device() as (hub, _), raw(hub.port, LOGIN) as first:
        await logged_in(hub)
        assert len(await first.ask(PACK)) == 130
        before = len(first.received)
        async with raw(hub.port, LOGIN) as second:
            assert len(await first.until_closed()) == before
            assert len(await second.ask(PACK)) == 130


async def test_a_wrong_password_displaces_nobody():
    async with hub_with_device() as (hub, _), raw(hub.port, LOGIN) as first:
        await logged_in(hub)
        async with raw(hub.port, b"VESCTOOL:TESTPACK:wrong\n") as second:
            assert await second.until_closed() == b""
        assert len(await first.ask(PACK)) == 130


async def test_bytes_behind_the_login_in_the_same_segment_are_swallowed():
    async with hub_with_device() as (hub, _), raw(hub.port, LOGIN + encode_frame(PACK)) as client:
        assert await client.is_silent()
        assert len(await client.ask(PACK)) == 130


async def test_a_kinder_hub_hands_them_on():
    async with (
        hub_with_device(swallow=False) as (hub, _),
        raw(hub.port, LOGIN + encode_frame(PACK)) as client,
    ):
        assert len(await client.reply()) == 130


async def test_replies_on_their_way_to_the_client_before_reach_the_next():
    async with hub_with_device() as (hub, sim), raw(hub.port, LOGIN) as first:
        await logged_in(hub)
        first.send(PING)
        await eventually(lambda: sim.device._busy)
        async with raw(hub.port, LOGIN) as second:
            assert await second.reply() == b"\x3e\x0a\x54"


async def test_a_device_that_goes_takes_its_client_with_it():
    async with hub_with_device() as (hub, _), raw(hub.port, LOGIN) as client:
        await logged_in(hub)
        await client.ask(PACK)
        before = hub.pairings["TESTPACK"]
        before.device.transport.abort()
        await client.until_closed()
        await eventually(lambda: hub.pairings.get("TESTPACK") not in (None, before))  # it dialled again
        async with raw(hub.port, LOGIN) as again:
            await logged_in(hub)
            assert len(await again.ask(PACK)) == 130


async def test_a_second_device_of_the_same_id_replaces_the_first_and_its_password():
    async with SimulatedHub() as hub, raw(hub.port, b"VESC:TESTPACK:secret42\n\0") as first:
        await hub.device_connected("TESTPACK")
        async with raw(hub.port, LOGIN) as client:
            await logged_in(hub)
            async with raw(hub.port, b"VESC:testpack:another\n\0") as second:
                assert await first.until_closed() == b""
                assert hub.pairings["TESTPACK"].password == "another"
                assert await client.until_closed() == b""
                async with raw(hub.port, LOGIN) as refused:
                    assert await refused.until_closed() == b""
                async with raw(hub.port, b"VESCTOOL:TESTPACK:another\n") as newer:
                    await logged_in(hub)
                    newer.send(PACK)
                    assert await second.read() == encode_frame(PACK)


async def test_a_device_redials_at_once():
    async with hub_with_device() as (hub, _):
        for _ in range(3):
            before = hub.pairings["TESTPACK"]
            before.device.transport.close()
            await eventually(lambda before=before: hub.pairings.get("TESTPACK") not in (None, before))


async def test_a_device_dials_until_the_hub_is_there(caplog):
    async with SimulatedHub() as hub:
        port = hub.port
    with caplog.at_level(logging.INFO, "packwire.sim"):
        async with simulated(port=None, hub=("127.0.0.1", port)) as sim:
            await asyncio.sleep(0.05)
            assert sim.hub_dialler is not None
            assert not sim.hub_dialler.connected.is_set()
            async with SimulatedHub(port=port) as hub:
                async with asyncio.timeout(PATIENCE):
                    await hub.device_connected("SIMPACK")
                    await sim.hub_dialler.connected.wait()
    assert len([line for line in caplog.messages if "cannot be reached" in line]) == 1


async def test_displaced_is_a_fault_of_a_hub():
    async with hub_with_device(faults=["displaced:0.1"]) as (hub, _), raw(hub.port, LOGIN) as client:
        await logged_in(hub)
        assert len(await client.ask(PACK)) == 130
        await client.until_closed()


async def test_one_way_is_a_fault_of_a_hub():
    async with (
        SimulatedHub(faults=["one-way"], login_timeout=0.1) as hub,
        raw(hub.port, b"PING:ABC:0\n") as client,
    ):
        assert await client.until_closed() == b""


def test_a_hub_cannot_have_every_fault():
    with pytest.raises(BadOptionError, match="a hub cannot have no-bms: it can have displaced, one-way"):
        SimulatedHub(faults=["no-bms"])


@pytest.mark.parametrize(
    "options", [{"hub_id": "AB"}, {"hub_id": "A:BC"}, {"hub_password": "a:b"}, {"hub_password": "a\n"}]
)
def test_logins_that_can_never_work_are_refused(options):
    with pytest.raises(BadOptionError) as caught:
        SimOptions(hub=("127.0.0.1", 1), **options)
    assert "a:b" not in str(caught.value)


async def test_no_credentials_in_logs_nor_in_what_is_printed(caplog):
    with caplog.at_level(logging.DEBUG):
        async with hub_with_device() as (hub, sim):
            async with raw(hub.port, LOGIN) as client:
                await logged_in(hub)
                await client.ask(PACK)
            for line in (b"VESCTOOL:TESTPACK:guess77\n", b"VESCTOOL:NOBODY88:guess77\n", b"bad:guess77\n"):
                async with raw(hub.port, line) as refused:
                    await refused.until_closed()
            shown = f"{sim.options!r} {hub.pairings!r}"
    for secret in ("secret42", "guess77"):
        assert secret not in caplog.text
        assert secret not in shown
    assert "TESTPACK" not in caplog.text
    assert "NOBODY88" not in caplog.text
    assert "refused (wrong password)" in caplog.text


async def test_the_devices_configuration_names_its_hub():
    async with hub_with_device() as (hub, _), raw(hub.port, LOGIN) as client:
        await logged_in(hub)
        config = EXPRESS_CONFIG.decode(await client.ask(custom_config())).reply
        assert (config.tcp_hub_port, config.tcp_hub_id, config.tcp_hub_pass) == (
            hub.port,
            "TESTPACK",
            "secret42",
        )


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.binary(min_size=1, max_size=60) | st.sampled_from([b"VESC:ABC:d\n", LOGIN, b"PING:ABC:0\n"]),
        max_size=4,
    )
)
def test_hostile_bytes_never_harm_it(segments):
    async def run() -> None:
        async with SimulatedHub(login_timeout=0.05) as hub, raw(hub.port, b"VESC:ABC:pass\n\0"):
            await hub.device_connected("ABC")
            async with raw(hub.port) as client:
                for segment in segments:
                    client.writer.write(segment)
                    await asyncio.sleep(0)
            async with raw(hub.port, b"PING:XYZ:0\n") as after:
                assert await after.until_closed() == b"NULL\n"

    asyncio.run(run())
