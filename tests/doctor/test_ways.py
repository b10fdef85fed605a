"""The ways to a device: hubs, ports, other clients, serial ports, CAN ids; each trouble has its verdict."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from packwire.address import parse_address
from packwire.check import Confidence, Outcome
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.doctor.diagnosis import Diagnosis, Standing
from packwire.doctor.examination import ExaminationOptions
from packwire.doctor.examine import examine
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.device.scripted import Handler, bms_reply, framed, scripted, usual
from tests.hub.hubs import client, running_hub
from tests.sim.raw import eventually, hub_with_device, raw, simulated

BRISK = ExaminationOptions(listen=0.05, poll=0.3, patience=0.4)


async def look(address: object, options: ExaminationOptions = BRISK) -> Diagnosis:
    return await examine(parse_address(str(address)), options)


def hub_address(port: int, device_id: str = "TESTPACK", password: str = "secret42") -> str:
    return f"veschub://{device_id}:{password}@127.0.0.1:{port}"


def standing(diagnosis: Diagnosis, key: str) -> Standing:
    return next(hypothesis.standing for hypothesis in diagnosis.hypotheses if hypothesis.key == key)


def outcomes(diagnosis: Diagnosis) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in diagnosis.checks}


async def test_a_hub_and_a_device_that_are_well():
    async with hub_with_device() as (hub, _):
        diagnosis = await look(hub_address(hub.port))
    assert diagnosis.verdict.key == "ok"
    assert {each.standing for each in diagnosis.hypotheses} == {Standing.EXCLUDED}
    assert outcomes(diagnosis)["login"] is Outcome.PASSED


async def test_a_wrong_password():
    async with hub_with_device() as (hub, _):
        diagnosis = await look(hub_address(hub.port, password="wrong"))
    assert (diagnosis.verdict.key, diagnosis.verdict.confidence) == ("wrong-password", Confidence.CERTAIN)
    assert exit_code_of(diagnosis.verdict.reason) == ExitCode.REFUSED
    assert standing(diagnosis, "hub-permission") is Standing.CONFIRMED


async def test_an_id_that_the_hub_does_not_know():
    async with hub_with_device() as (hub, _):
        diagnosis = await look(hub_address(hub.port, device_id="OTHERPACK"))
    assert diagnosis.verdict.key == "unknown-id"


async def test_a_hub_that_hangs():
    async with SimulatedHub(faults=["one-way"], login_timeout=0.6) as hub:
        diagnosis = await look(hub_address(hub.port))
    assert diagnosis.verdict.key == "hub-hung"


async def test_a_device_that_says_nothing_behind_a_hub_that_works():
    async with hub_with_device() as (hub, device):
        device.faults.order("silence")
        diagnosis = await look(hub_address(hub.port))
    assert diagnosis.verdict.key == "mute-behind-hub"


async def test_another_client_that_takes_over_at_the_hub():
    async with hub_with_device(faults=["displaced:0.4"]) as (hub, _):
        diagnosis = await look(hub_address(hub.port))
    assert diagnosis.verdict.key == "displaced"
    assert exit_code_of(diagnosis.verdict.reason) == ExitCode.DISPLACED


async def test_the_address_of_a_hub_instead_of_a_device():
    async with hub_with_device() as (hub, _):
        diagnosis = await look(f"vesc://127.0.0.1:{hub.port}")
    assert diagnosis.verdict.key == "hub-port"
    assert diagnosis.verdict.remedy.endswith(f"veschub://ID@127.0.0.1:{hub.port}")


async def test_the_device_and_the_hub_say_the_same():
    async with hub_with_device() as (hub, _):
        async with simulated() as other:
            options = ExaminationOptions(listen=0.05, poll=0.5, patience=0.4, direct=other.address)
            diagnosis = await look(hub_address(hub.port), options)
    assert outcomes(diagnosis)["direct"] is Outcome.PASSED


async def test_a_hub_that_holds_the_battery_back():
    def selective(payload: bytes):
        return None if payload[0] == 0x60 else usual(payload)

    async with selective_hub(selective) as port, scripted(usual) as device:
        options = ExaminationOptions(
            listen=0.05, poll=0.3, patience=0.2, direct=parse_address(f"vesc://127.0.0.1:{device.port}")
        )
        diagnosis = await look(hub_address(port), options)
    assert diagnosis.verdict.key == "hub-blocks"
    assert standing(diagnosis, "hub-permission") is Standing.CONFIRMED


@contextlib.asynccontextmanager
async def selective_hub(handler: Handler) -> AsyncIterator[int]:
    """A hub that answers PING and hands on what a handler lets through."""
    async with scripted(handler) as device:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = await reader.readline()
            if line.startswith(b"PING"):
                writer.write(b"PONG\n")
                writer.close()
                return
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await device._serve(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]


async def test_our_own_hub_lets_several_in_and_all_is_well(tmp_path):
    async with running_hub(tmp_path) as hub:
        vesc = SimOptions(
            port=None, hub=("127.0.0.1", hub.port), hub_id="TESTPACK", hub_password="secret42", ping_time=0.3
        )
        async with SimulatedVesc(vesc):
            await eventually(lambda: hub.registry.connected("TESTPACK") is not None)
            async with client(hub) as other:
                diagnosis = await look(hub_address(hub.port), ExaminationOptions(listen=0.05, poll=0.3))
                assert await other.ask(b"\0"), "the other client was not displaced"
    assert diagnosis.verdict.key == "ok"


async def test_it_can_be_cancelled_and_leaves_nothing_behind():
    async with simulated(speed=0.0) as device:
        before = asyncio.all_tasks()
        looking = asyncio.create_task(look(device.address))
        await eventually(lambda: device._local.client is not None)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        await eventually(lambda: device._local.client is None)
        assert asyncio.all_tasks() == before


async def test_a_port_that_refuses():
    diagnosis = await look("vesc://127.0.0.1:9")
    assert (diagnosis.verdict.key, exit_code_of(diagnosis.verdict.reason)) == (
        "refused-port",
        ExitCode.UNREACHABLE,
    )


async def test_a_name_that_nobody_knows():
    diagnosis = await look("vesc://no-such-name.invalid")
    assert diagnosis.verdict.key == "unknown-name"


async def test_a_port_where_another_client_is_served():
    async with simulated() as device, raw(device.port) as other:
        assert await other.ask(b"\0")
        diagnosis = await look(device.address)
        assert (diagnosis.verdict.key, diagnosis.verdict.confidence) == ("occupied", Confidence.CERTAIN)
        assert await other.ask(b"\0"), "the other client was not disturbed"


async def test_a_device_that_hung_until_it_was_switched_off_and_on():
    async with simulated("wedge", speed=1.0) as device:

        async def switch_off_and_on() -> bool:
            device.revive()
            return True

        options = ExaminationOptions(listen=0.05, poll=0.3, patience=0.3, restart=switch_off_and_on)
        diagnosis = await look(device.address, options)
    assert diagnosis.verdict.key == "hung"
    assert diagnosis.pack["cell_count"] == 20


async def test_a_device_that_a_restart_does_not_mend():
    async def switch_off_and_on() -> bool:
        return True

    async with simulated("silence") as device:
        options = ExaminationOptions(listen=0.05, patience=0.3, restart=switch_off_and_on)
        diagnosis = await look(device.address, options)
    assert diagnosis.verdict.key == "mute"
    assert "did not help" in diagnosis.verdict.remedy


async def test_an_echo():
    async with scripted(framed) as device:
        diagnosis = await look(f"vesc://127.0.0.1:{device.port}")
    assert diagnosis.verdict.key == "echo"


async def test_a_login_that_an_echo_sends_back_is_not_shown():
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        diagnosis = await look(hub_address(port))
    assert exit_code_of(diagnosis.verdict.reason) != ExitCode.OK
    assert "secret42" not in repr(diagnosis)
    assert not any(b"secret42" in each.data for each in diagnosis.transcript.redacted())


async def test_the_devices_own_id_over_can():
    async with simulated() as device:
        diagnosis = await look(f"{device.address}/can/2")
    assert diagnosis.verdict.key == "own-id"


async def test_an_id_that_nobody_has():
    async with simulated() as device:
        diagnosis = await look(f"{device.address}/can/42")
    assert diagnosis.verdict.key == "no-such-id"
    assert "10, 84" in diagnosis.verdict.words


async def test_one_node_that_is_well():
    async with simulated(speed=1.0) as device:
        diagnosis = await look(f"{device.address}/can/10")
    assert diagnosis.verdict.key == "ok"


async def test_the_battery_is_on_another_node():
    empty = bytes.fromhex("60") + bytes(24) + b"\0" + b"\0" + bytes(8) + bytes(4) + b"\xff" + bytes(20)

    def handler(payload: bytes):
        if payload[0] == 0x60:
            return framed(empty)
        if payload == bytes((34, 84, 0x60)):
            return framed(bms_reply())
        return usual(payload)

    async with scripted(handler) as device:
        diagnosis = await look(f"vesc://127.0.0.1:{device.port}")
    assert diagnosis.verdict.key == "other-node"
    assert diagnosis.verdict.remedy.endswith("/can/84")
    assert standing(diagnosis, "device-selection") is Standing.CONFIRMED


async def test_a_device_that_wants_the_handshake_of_vesc_tool():
    greeted: set[bytes] = set()

    def handler(payload: bytes):
        if payload[0] in (92, 93):
            greeted.add(payload[:1])
            return framed(payload + bytes(8))
        if payload[0] == 0x60 and len(greeted) < 2:
            return None
        return usual(payload)

    async with scripted(handler) as device:
        diagnosis = await look(
            f"vesc://127.0.0.1:{device.port}", ExaminationOptions(listen=0.05, poll=0.3, patience=0.2)
        )
    assert diagnosis.verdict.key == "needs-handshake"
    assert standing(diagnosis, "handshake") is Standing.CONFIRMED


@pytest.mark.parametrize(("faults", "key"), [((), "ok"), (("silence",), "mute"), (("no-bms",), "no-bms")])
async def test_a_serial_port(faults: tuple[str, ...], key: str):
    pytest.importorskip("serialx")
    async with simulated(*faults, serial=True, speed=1.0) as device:
        diagnosis = await look(device.serial_address)
    assert diagnosis.verdict.key == key


async def test_no_such_serial_port():
    pytest.importorskip("serialx")
    diagnosis = await look("serial:/dev/no-such-port")
    assert (diagnosis.verdict.key, exit_code_of(diagnosis.verdict.reason)) == (
        "nothing-there",
        ExitCode.UNREACHABLE,
    )


async def test_replies_in_pieces_are_usual_on_a_serial_port():
    pytest.importorskip("serialx")
    async with simulated("split", serial=True, speed=1.0) as device:
        diagnosis = await look(device.serial_address)
    assert diagnosis.verdict.key == "ok"


async def test_it_ends_in_the_time_that_it_is_given():
    async with simulated() as device:
        diagnosis = await examine(device.address, BRISK, limit=0.02)
    assert not diagnosis.complete
    assert exit_code_of(diagnosis.verdict.reason) != ExitCode.OK


async def test_nothing_but_read_commands_is_sent():
    from packwire.vesc.commands import Command
    from packwire.vesc.requests import unwrap

    reading = {
        Command.FW_VERSION,
        Command.GET_VALUES,
        Command.BMS_GET_VALUES,
        Command.PING_CAN,
        Command.GET_APPCONF,
        Command.GET_MCCONF,
        Command.GET_CUSTOM_CONFIG,
        Command.GET_CUSTOM_CONFIG_XML,
    }
    async with scripted(usual) as device:
        await look(f"vesc://127.0.0.1:{device.port}")
        await eventually(lambda: True)
    assert {unwrap(payload).command for payload in device.asked} <= reading
    assert all(len(payload) > 2 for payload in device.asked if payload[0] == Command.FORWARD_CAN)
