"""`packwire read`, against the simulator over TCP, a hub and a pseudo-terminal, and what it says to each fault."""

import asyncio
import contextlib
import csv
import io
import re
import sys
from typing import Any

import pexpect
import pytest

from packwire.cli.exit_codes import ExitCode
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.device.scripted import scripted, usual

PASSWORD = "s3cret-of-the-hub"


@contextlib.asynccontextmanager
async def vesc(*faults, **options):
    simulated: dict[str, Any] = {"ping_time": 0.05, "can_delay": 0.001, "scenario": "rest"} | options
    async with SimulatedVesc(SimOptions(faults=faults, **simulated)) as simulation:
        yield simulation


@contextlib.asynccontextmanager
async def hub_with_vesc(*faults, **options):
    async with SimulatedHub(**options) as hub:
        dialled: dict[str, Any] = {
            "hub": ("127.0.0.1", hub.port),
            "hub_id": "TESTPACK",
            "hub_password": PASSWORD,
        }
        async with vesc(*faults, port=None, **dialled):
            await hub.device_connected("TESTPACK")
            yield hub


def check_card(text: str) -> None:
    first, pack, *_ = lines = text.splitlines()
    assert re.fullmatch(r"VESC Express T  fw 7\.00  (at|through|on) .* +\d\.\d\d s", first)
    assert re.match(
        r"  BMS  can 10   83\.9\d V   -?\d\.\d\d A   -?\d+ W   SoC 100 %   SoH \d+ %   20 cells", pack
    )
    assert re.search(r" 1 4\.\d{3} .* 10 4\.\d{3}$", lines[2])
    assert re.search(r"11 4\.\d{3} .* 20 4\.\d{3}$", lines[3])
    assert re.match(r"    lowest 4\.\d{3} \(\d+\)  highest 4\.\d{3} \(\d+\)  spread \d+ mV", lines[4])
    assert "temperatures  cells " in lines[5]
    assert any(
        re.match(r"  Controller  can 84   8\d\.\d V   .* drawn .* no fault$", line) for line in lines[6:]
    )
    assert "\x1b" not in text, "no colours in a pipe"


async def test_directly_over_tcp():
    async with vesc() as simulation:
        result = await packwire("read", str(simulation.address))
    assert (result.code, result.err) == (0, "")
    check_card(result.out)
    assert f"at 127.0.0.1:{simulation.port}" in result.out


async def test_through_a_hub_with_a_password_from_the_environment():
    async with hub_with_vesc() as hub:
        result = await packwire(
            "read", f"veschub://testpack@127.0.0.1:{hub.port}", PACKWIRE_PASSWORD=PASSWORD
        )
    assert (result.code, result.err) == (0, "")
    check_card(result.out)
    assert f"through hub 127.0.0.1:{hub.port}" in result.out


async def test_through_a_hub_with_a_password_from_a_file_or_in_the_address(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    async with hub_with_vesc() as hub:
        place = f"127.0.0.1:{hub.port}"
        for arguments in (
            (f"veschub://TESTPACK@{place}", "--password-file", str(file)),
            (f"veschub://TESTPACK:{PASSWORD}@{place}",),
        ):
            result = await packwire("read", *arguments)
            assert result.code == 0, result.err
            assert PASSWORD not in result.out + result.err


async def test_over_a_serial_port():
    async with vesc(port=None, serial=True) as simulation:
        result = await packwire("read", str(simulation.serial_address))
    assert (result.code, result.err) == (0, "")
    check_card(result.out)
    assert "on serial port /dev/" in result.out


async def test_a_simulator_started_for_the_occasion():
    result = await packwire("read", "sim:vesc", "--node", "bms")
    assert result.code == 0, result.err
    assert "20 cells" in result.out


async def test_json():
    async with vesc() as simulation:
        result = await packwire("read", str(simulation.address), "--json")
    record = checked(result.out)[0]
    assert record["device"] == "VESC Express T"
    samples = {sample["node"]: sample for sample in record["samples"]}
    assert len(samples["bms"]["values"]["cell_voltages"]) == 20
    assert samples["can/84"]["values"]["fault"] == "none"
    assert record["units"]["voltage"] == "V"
    assert {node["key"] for node in record["nodes"]} == set(samples) == {"vesc", "bms", "can/84"}


async def test_csv():
    async with vesc() as simulation:
        result = await packwire("read", str(simulation.address), "--csv", "--node", "bms")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert {row["node"] for row in rows} == {"bms"}
    cells = [row for row in rows if row["quantity"] == "cell_voltages"]
    assert [row["index"] for row in cells] == [str(number) for number in range(1, 21)]
    assert all(4.18 < float(row["value"]) < 4.21 and row["unit"] == "V" for row in cells)


async def test_one_node_alone():
    async with vesc() as simulation:
        result = await packwire("read", str(simulation.address), "--node", "can/84")
    assert result.code == 0
    assert "Controller  can 84" in result.out
    assert "BMS" not in result.out


async def test_the_second_time_the_can_bus_is_not_searched():
    async with vesc(ping_time=0.6) as simulation:
        first, second = [await packwire("read", str(simulation.address)) for _ in range(2)]
        simulation.faults.order("dead-node:84")
        third = await packwire("read", str(simulation.address), "--timeout", "0.1")
    check_card(first.out)
    check_card(second.out)
    assert third.code == 0
    assert "Controller" not in third.out


async def expect(code, words, *arguments, **variables):
    result = await packwire("read", *arguments, "--timeout", "0.2", **variables)
    assert result.code == code, result
    assert result.err.startswith("packwire: ")
    assert len(result.err.splitlines()) == 1, "one clear line"
    assert re.search(words, result.err), result.err
    assert PASSWORD not in result.err + result.out
    return result


async def test_a_can_id_that_nobody_has():
    async with vesc() as simulation:
        words = r"^packwire: CAN id 42 did not answer \(3 tries, 0\.2 s each\): .*\. Ids that answer: 10, 84. See: packwire doctor vesc://"
        await expect(ExitCode.NO_ANSWER, words, str(simulation.address), "--node", "can/42")


async def test_wrong_host_and_refused_port():
    await expect(
        ExitCode.UNREACHABLE, "the name no-such-host.invalid is not known", "vesc://no-such-host.invalid"
    )
    async with vesc() as simulation:
        pass
    await expect(ExitCode.UNREACHABLE, "refused the connection", str(simulation.address))


async def test_a_serial_port_that_is_not_there():
    await expect(ExitCode.UNREACHABLE, "there is no serial port /dev/ttyNOT0", "serial:/dev/ttyNOT0")


async def test_wrong_password_and_unknown_id():
    async with hub_with_vesc() as hub:
        place = f"127.0.0.1:{hub.port}"
        wrong = f"veschub://TESTPACK:wrong{PASSWORD}@{place}"
        await expect(ExitCode.REFUSED, "knows TESTPACK, but closed at login: the password is wrong", wrong)
        unknown = f"veschub://OTHERPACK:{PASSWORD}@{place}"
        await expect(ExitCode.REFUSED, "has no device OTHERPACK connected to it", unknown)


async def test_a_password_that_can_never_work():
    await expect(2, "colon in a hub password", f"veschub://TESTPACK:a:{PASSWORD}@127.0.0.1")


async def test_no_password_and_nobody_to_ask():
    await expect(2, "needs its password: set PACKWIRE_PASSWORD", "veschub://TESTPACK@127.0.0.1")


async def test_garbage_on_the_port():
    async with vesc("http") as simulation:
        await expect(
            ExitCode.NOT_A_VESC,
            r"is no VESC: it sent \d+ bytes without one VESC frame",
            str(simulation.address),
        )


async def test_a_port_that_stays_silent():
    async with vesc("silence") as simulation:
        await expect(
            ExitCode.NO_ANSWER, "nothing comes back .* serves one client at a time", str(simulation.address)
        )


async def test_a_second_client_hears_nothing_while_the_first_is_there():
    async with vesc() as simulation:
        _, writer = await asyncio.open_connection("127.0.0.1", simulation.port)
        await asyncio.sleep(0.05)
        await expect(ExitCode.NO_ANSWER, "close VESC Tool and other clients", str(simulation.address))
        writer.close()


async def test_a_device_that_goes_away_in_the_middle():
    async with vesc("close-in-the-middle") as simulation:
        result = await packwire("read", str(simulation.address), "--timeout", "0.2")
    assert result.code in {ExitCode.GONE, ExitCode.NOT_A_VESC}
    assert "closed the connection" in result.err or "no VESC" in result.err


async def test_no_bms():
    async with vesc("no-bms") as simulation:
        result = await packwire("read", str(simulation.address))
    assert result.code == 0
    assert "  BMS  no BMS: this VESC hears none on its CAN bus" in result.out
    assert "0.00 V" not in result.out


@pytest.mark.parametrize("fault", ["junk", "prints", "split", "join", "cold-parser", "corrupt:4", "slow-can"])
async def test_faults_that_a_reader_lives_with(fault):
    options = {"ping_time": 0.05} if fault != "slow-can" else {}
    async with vesc(fault, **options) as simulation:
        result = await packwire("read", str(simulation.address), "--timeout", "1.0")
    assert result.code == 0, result
    check_card(result.out)


@pytest.mark.parametrize("size", [109, 110, 126, 128])
async def test_old_firmware(size):
    async with vesc(f"old-firmware:{size}") as simulation:
        result = await packwire("read", str(simulation.address))
    assert result.code == 0, result
    assert "20 cells" in result.out


async def test_replies_that_come_late():
    async with vesc("delay:0.3") as simulation:
        address = str(simulation.address)
        patient = await packwire("read", address, "--node", "bms", "--timeout", "1.0")
        assert (patient.code, "20 cells" in patient.out) == (0, True), patient
        impatient = await packwire("read", address, "--node", "bms", "--timeout", "0.2")
    assert (impatient.code, "20 cells" in impatient.out) == (0, True), impatient
    assert re.search(r"^  \d late repl(y|ies)$", impatient.out, re.MULTILINE), "what came too late is said"


async def test_replies_that_are_cut_short():
    async with vesc("truncate:2") as simulation:
        result = await packwire("read", str(simulation.address), "--node", "bms", "--timeout", "0.3")
    assert result.code == 0, result
    assert "20 cells" in result.out
    assert "abandoned header" in result.out, "what was lost is said"


@pytest.mark.parametrize("fault", ["one-way", "wedge"])
async def test_devices_that_take_the_connection_and_no_more(fault):
    async with vesc(fault) as simulation:
        await expect(ExitCode.NO_ANSWER, "nothing comes back", str(simulation.address))


async def test_a_node_that_is_dead():
    async with vesc("dead-node:84") as simulation:
        result = await packwire("read", str(simulation.address))
        assert (result.code, "Controller" in result.out) == (0, False)
        await expect(
            ExitCode.NO_ANSWER,
            "Ids that answer: 10. See: packwire doctor vesc://",
            str(simulation.address),
            "--node",
            "can/84",
        )


async def test_values_of_a_script():
    async with vesc("script-bms") as simulation:
        result = await packwire("read", str(simulation.address))
    assert result.code == 0
    assert "  BMS set by a script   83." in result.out


async def test_a_frozen_bms_is_marked_stale_in_a_watch():
    async with vesc("frozen-bms", scenario="ride") as simulation:
        result = await packwire("watch", str(simulation.address), "--for", "8", "--rate", "5")
    assert result.code == 0
    assert "STALE: no value of the BMS has moved for" in result.out.splitlines()[-1]


async def test_stale_after_a_time_that_the_user_sets():
    async with vesc("frozen-bms") as simulation:
        arguments = ("--for", "1.5", "--rate", "5", "--stale-after", "0.5", "--json", "--node", "bms")
        result = await packwire("watch", str(simulation.address), *arguments)
    last = checked(result.out)[-1]
    assert last["condition"] == "stale"
    assert last["values"]["cell_count"] == 20


async def test_being_displaced_at_the_hub():
    async with hub_with_vesc(faults=("displaced:0.8",)) as hub:
        result = await packwire(
            "watch", f"veschub://TESTPACK:{PASSWORD}@127.0.0.1:{hub.port}", "--for", "3", "--json"
        )
    assert result.code == ExitCode.DISPLACED
    outage = checked(result.out)[-1]
    assert outage["kind"] == "outage"
    assert "another client logged in with this id, and the newest wins" in outage["error"]
    assert outage["retry_in"] >= 10


async def test_the_password_is_asked_for_at_a_terminal():
    async with hub_with_vesc() as hub:
        address = f"veschub://TESTPACK@127.0.0.1:{hub.port}"
        shown, code = await asyncio.to_thread(_type_password, address)
    assert code == 0, shown
    assert "20 cells" in shown
    assert PASSWORD not in shown


def _type_password(address):
    child: Any = pexpect.spawn(
        sys.executable, ["-m", "packwire", "read", address], timeout=20, encoding="utf-8"
    )
    child.expect("Password of TESTPACK at 127.0.0.1: ")
    child.sendline(PASSWORD)
    child.expect(pexpect.EOF)
    child.close()
    return child.before, child.exitstatus


async def test_addresses_that_are_none():
    await expect(2, "did you mean vesc://192.168.1.20", "192.168.1.20")
    await expect(2, "broadcast", "vesc://192.168.1.20/can/255")
    await expect(2, "names no node", "vesc://192.168.1.20", "--node", "motor")


async def test_text_from_a_device_cannot_reprogram_the_terminal():
    from tests.device.scripted import EXPRESS, framed

    evil = EXPRESS.replace(b"Express", b"\x1b[31mEv")

    def handler(payload):
        return framed(evil) if payload[0] == 0 else usual(payload)

    async with scripted(handler) as server:
        result = await packwire("read", f"vesc://127.0.0.1:{server.port}", "--node", "bms")
    assert result.code == 0
    assert "\x1b" not in result.out


async def test_a_silent_line_leads_to_its_doctor():
    async with vesc("silence") as simulation:
        address = f"tcp://127.0.0.1:{simulation.port}?model=jbd"
        result = await packwire("read", address, "--timeout", "0.1")
    assert result.code == ExitCode.NO_ANSWER
    assert result.err.rstrip().endswith(f"See: packwire doctor '{address}'")
    assert "pin=" not in result.err, "a line has no PIN to be given"
