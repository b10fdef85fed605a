"""One file, read live over TCP and a serial line, and served as a device."""

import contextlib

import pytest

from packwire.device.client import Client
from packwire.device.reader import Reader
from packwire.link.serial import SerialLink
from packwire.link.tcp import TcpLink
from packwire.models.load import model
from packwire.protocol.base import Options, Request
from packwire.protocols import protocol
from packwire.sample import Condition
from packwire.sim.model import SimulatedModel
from packwire.sim.pack_values import pack_values
from packwire.sim.server import SimOptions

JBD = model("jbd")
BASIC, CELLS = (JBD.asked_by_name[name].payload for name in ("basic info", "cell voltages"))


@contextlib.asynccontextmanager
async def read_from(link, **options):
    client = Client(link, protocol("jbd"), **options)
    async with Reader(client, Options()) as device:
        yield device


def simulated(**options):
    return SimulatedModel(JBD, SimOptions(cells=4, speed=0, **options))


def near(values, expected):
    for key in ("voltage", "current", "soc", "cell_voltages", "temperatures", "cycles", "charge_enabled"):
        assert values[key] == pytest.approx(expected[key], abs=0.11), key


@pytest.mark.parametrize("serial", [False, True])
async def test_the_same_file_serves_a_device_and_reads_it(serial):
    async with simulated(serial=serial) as sim:
        link = SerialLink(sim.serial_path, 9600) if serial else TcpLink("127.0.0.1", sim.port)
        async with read_from(link) as device:
            (sample,) = await device.read()
            (node,) = device.nodes
            assert (device.name, node.key, sample.node) == ("SIMULATED", "bms", "bms")
            near(sample.values, pack_values(sim.vehicle))
            assert sample.values["cell_count"] == 4
            assert sample.values["power"] == pytest.approx(
                sample.values["voltage"] * sample.values["current"]
            )
            assert sample.condition is Condition.FRESH
            assert device.statistics.timeouts == 0


async def test_a_frame_whose_checksum_is_wrong_is_no_reply():
    async with simulated(faults=("corrupt:1",)) as sim:
        with pytest.raises(Exception, match="one JBD frame|damaged on the way|nothing comes back"):
            async with read_from(TcpLink("127.0.0.1", sim.port), timeout=0.2, tries=1):
                pass


def test_what_a_documented_frame_says():
    """The example of the maker's document, with its values."""
    frame = JBD.encode(
        "basic info",
        {"voltage": 13.32, "current": -2.87, "soc": 76, "temperatures": (25.0, 24.5), "protection": ()}
        | dict.fromkeys(("remaining_charge", "nominal_capacity", "cycles", "production_date"), 0)
        | {"software_version": 20, "charge_switch": True, "discharge_switch": False, "cell_count": 4},
    )
    assert frame.startswith(bytes.fromhex("dd 03 00 1b 05 34 fe e1"))
    values = JBD.values(frame)
    assert (values["voltage"], values["current"], values["soc"]) == (13.32, -2.87, 76)
    assert values["temperatures"] == (25.0, 24.5)
    assert (values["charge_enabled"], values["discharge_enabled"]) == (True, False)
    assert JBD.describe(frame) == "basic info"


def test_a_refusal_answers_what_it_repeats():
    refused = JBD.encode("refused", {})
    assert not JBD.answers(Request(CELLS), refused)
    asked = bytes.fromhex("dd 04 80 00 ff 80 77")
    assert JBD.answers(Request(CELLS), asked)
    assert not JBD.answers(Request(BASIC), asked)


def test_a_cell_at_0_v_is_a_cell():
    frame = JBD.encode("cell voltages", {"cells": (3.331, 0.0, 3.328)})
    assert JBD.values(frame)["cell_voltages"] == (3.331, 0.0, 3.328)


async def test_a_pack_that_does_not_answer_is_said():
    async with simulated(faults=("silence:0",)) as sim:
        with pytest.raises(Exception, match="nothing comes back"):
            async with read_from(TcpLink("127.0.0.1", sim.port), timeout=0.1, tries=1):
                pass
