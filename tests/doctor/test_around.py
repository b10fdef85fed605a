"""A look around, where no device was named: all that there is, and what to do first."""

import json
import os

import pytest

from packwire.check import Outcome
from packwire.doctor.around import examine_around
from packwire.link import scan
from packwire.link.serial import SerialPort
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.doctor.live.wired import interface
from tests.link.ble.fake_bluez import FakeBlueZ, needs_daemon, power, private_bus

pytest.importorskip("can")
#: UDP ports on which nobody announces itself, and on which one test's VESC does; seconds to listen.
UNUSED, ANNOUNCED, BRIEFLY = 45_213, 45_214, 0.1


@pytest.fixture
def ports(monkeypatch):
    """Let these be the serial ports of this computer."""
    found: list[SerialPort] = []
    monkeypatch.setattr(scan, "list_ports", lambda: found)
    return found


@pytest.fixture
def buses(monkeypatch, tmp_path):
    """Let `ip` tell of these interfaces."""

    def tell(*rows):
        script = tmp_path / "ip"
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(rows)}\nEND\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    tell()
    return tell


@pytest.fixture
def pty():
    """Return the path of a serial port that is there."""
    ours, theirs = os.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


async def around(names=(), seconds=BRIEFLY, udp=UNUSED):
    return (await examine_around(dict(names), seconds, udp)).diagnosis


def check(diagnosis, name):
    return next(each for each in diagnosis.checks if each.name == name)


async def test_where_nothing_is_one_is_told_so(ports, buses):
    found = await around()
    assert found.verdict.key in {"nothing-found", "configuration", "host.adapter-hung"}
    assert not found.verdict.ok
    assert check(found, "serial").answer == "no serial port"
    assert check(found, "CAN").answer == "no CAN interface"
    assert "packwire name" in check(found, "names").answer


async def test_a_free_port_is_something_to_begin_with(ports, buses, pty):
    ports.append(SerialPort(pty, "USB converter"))
    found = await around()
    assert (found.verdict.key, found.verdict.ok, found.verdict.reason) == ("found", True, None)
    assert f"serial:{pty}?model=NAME" in found.verdict.remedy
    assert check(found, "serial").evidence == (f"{pty}  USB converter",)


async def test_a_vesc_in_this_network_comes_before_ports(ports, buses, pty):
    ports.append(SerialPort(pty, ""))
    options = SimOptions(broadcast="127.0.0.1", broadcast_port=ANNOUNCED, ping_time=0.05)
    async with SimulatedVesc(options) as vesc:
        found = await around(seconds=4, udp=ANNOUNCED)
        assert found.verdict.remedy == f"packwire doctor vesc://127.0.0.1:{vesc.port}"
    assert check(found, "network").answer == "1 VESC in 4 s"


async def test_a_named_device_that_is_there_comes_first(ports, buses, pty):
    found = await around({"van": f"serial:{pty}?model=jbd", "boat": "vesc://127.0.0.1:9"})
    assert found.verdict.remedy == "packwire doctor van"
    assert check(found, "names").evidence == ("boat: only asking it tells", "van: its port is there and free")


async def test_a_named_device_that_is_out_of_reach_is_told_before_all_else(ports, buses, pty):
    ports.append(SerialPort(pty, ""))
    found = await around({"van": "serial:/dev/ttyNOTHERE7?model=jbd", "boat": f"serial:{pty}?model=jbd"})
    assert found.verdict.key == "configuration"
    assert "/dev/ttyNOTHERE7" in found.verdict.words
    assert "found" in {each.key for each in found.remarks}
    assert check(found, "names").outcome is Outcome.FAILED


async def test_a_named_pack_without_bluetooth_is_told_before_a_free_port(ports, buses, pty, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
    ports.append(SerialPort(pty, ""))
    found = await around({"van": "ble://A4:C1:38:00:00:01"})
    assert (found.verdict.key, found.verdict.ok) == ("configuration", False)
    assert "found" in {each.key for each in found.remarks}


async def test_interfaces_are_listed_as_they_are(ports, buses):
    buses(interface("can0"), interface("can1", up=False))
    found = await around()
    assert "can://can0?model=" in found.verdict.remedy
    assert check(found, "CAN").outcome is Outcome.FAILED
    assert [each.partition(",")[0] for each in check(found, "CAN").evidence] == ["can0: up", "can1: down"]


async def test_a_named_bus_that_is_down_has_its_command(ports, buses):
    buses(interface("can1", up=False))
    found = await around({"pack": "can://can1?model=victron-can"})
    assert found.verdict.key == "configuration"
    assert "ip link set" in found.verdict.remedy
    gone = await around({"pack": "can://can7?model=victron-can"})
    assert "there is no CAN interface can7" in gone.verdict.words


async def test_a_name_that_is_wrong_is_no_crash(ports, buses):
    found = await around({"odd": "nonsense://x"})
    assert any("odd: " in each for each in check(found, "names").evidence)


async def test_the_command_shows_it_and_writes_records(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    shown = await packwire("doctor", "--for", "0.2")
    assert "VERDICT" in shown.out
    assert "What to do: " in shown.out
    *finds, told = checked((await packwire("doctor", "--for", "0.2", "--json")).out)
    assert {each["kind"] for each in finds} <= {"find"}
    assert (told["kind"], told["address"], told["where"]) == ("diagnosis", "", "this computer")
    assert [each["name"] for each in told["checks"]] == ["Bluetooth", "network", "serial", "CAN", "names"]


@needs_daemon
async def test_packs_on_air_and_the_adapter_are_listed(ports, buses, tmp_path, monkeypatch):
    async with private_bus(tmp_path) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus)
        async with FakeBlueZ(bus) as service:
            found = await around(seconds=1.0)
            assert found.verdict.key == "found"
            assert found.verdict.remedy.startswith("packwire doctor ble://")
            assert check(found, "Bluetooth").evidence[0] == "adapter hci0, powered"
            power(service, on=False)
            off = await around({"pack": "ble://A4:C1:38:00:00:01"}, seconds=1.0)
    assert off.verdict.key == "configuration"
    assert check(off, "Bluetooth").outcome is Outcome.FAILED
    assert check(off, "Bluetooth").evidence == ("adapter hci0, off",)
