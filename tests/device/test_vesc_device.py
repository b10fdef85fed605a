"""A VESC's nodes and samples, read from the simulator over real TCP."""

import contextlib
from typing import Any

import pytest

from packwire.device import NodeKind, open_device
from packwire.device.node_memory import SessionMemory
from packwire.errors import BadAddressError, GoneError, NoAnswerError
from packwire.quantity import QUANTITIES
from packwire.sample import Condition
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.vesc.commands import Command
from tests.device.scripted import EXPRESS, bms_reply, framed, scripted, usual, values_reply

QUICK: dict[str, Any] = {"ping_time": 0.05, "can_delay": 0.001}


@contextlib.asynccontextmanager
async def simulated(*faults, **options):
    async with SimulatedVesc(SimOptions(faults=faults, **QUICK, scenario="rest", **options)) as simulation:
        yield simulation


async def read_once(simulation, **options):
    async with open_device(simulation.address, timeout=0.3, **options) as device:
        samples = await device.read()
        return device, {sample.node: sample for sample in samples}


async def test_express_bms_and_controller():
    async with simulated() as simulation:
        device, samples = await read_once(simulation)
    assert [(node.key, node.kind, node.number, node.via) for node in device.nodes] == [
        ("vesc", NodeKind.GATEWAY, None, None),
        ("bms", NodeKind.BATTERY, 10, "vesc"),
        ("can/84", NodeKind.CONTROLLER, 84, "vesc"),
    ]
    assert len({node.identity for node in device.nodes}) == 3
    assert all(sample.condition is Condition.FRESH for sample in samples.values())
    pack = samples["bms"].values
    assert abs(pack["voltage"] - 83.92) < 0.05
    assert len(pack["cell_voltages"]) == 20
    assert sum(pack["cell_voltages"]) == pytest.approx(pack["voltage"], abs=0.05)
    assert samples["can/84"].values["fault"] == "none"
    for node in device.nodes:
        assert set(node.quantities) == set(samples[node.key].values) <= set(QUANTITIES)


async def test_identities_survive_a_restart():
    identities = []
    for _ in range(2):
        async with simulated() as simulation:
            device, _ = await read_once(simulation)
            identities.append([node.identity for node in device.nodes])
    assert identities[0] == identities[1]


async def test_no_bms_is_no_bms_and_not_zero_volts():
    async with simulated("no-bms") as simulation:
        _, samples = await read_once(simulation)
    assert samples["bms"].condition is Condition.ABSENT
    assert samples["bms"].values == {}
    assert samples["bms"].reason.startswith("no BMS")


async def test_values_that_a_script_set():
    async with simulated("script-bms") as simulation:
        device, samples = await read_once(simulation)
    assert samples["bms"].condition is Condition.FRESH
    assert next(node for node in device.nodes if node.key == "bms").name == "BMS set by a script"


@pytest.mark.parametrize("can_id", [10, 84])
async def test_one_node_alone(can_id):
    async with simulated() as simulation, open_device(f"{simulation.address}/can/{can_id}") as device:
        (sample,) = await device.read()
        assert sample.node == f"can/{can_id}"
        assert sample.values


@pytest.mark.parametrize("alone", [False, True])
async def test_a_bms_that_runs_the_firmware_of_an_express(alone):
    """VBMS32 says that it is of hardware type 2; so does a real Express, which tells of the BMS too."""
    vbms = EXPRESS.replace(b"VESC Express T\0", b"VBMS32\0").replace(b"\xaa" * 12, b"\xcc" * 12)

    def handler(payload):
        match payload[0], tuple(payload[1:]):
            case Command.PING_CAN, _:
                return framed(bytes([Command.PING_CAN, 3, 10]))
            case Command.FORWARD_CAN, (10, Command.FW_VERSION):
                return framed(vbms)
            case Command.FORWARD_CAN, (3, Command.FW_VERSION):
                return framed(EXPRESS.replace(b"\xaa" * 12, b"\xdd" * 12))
            case Command.FORWARD_CAN, (3 | 10, Command.BMS_GET_VALUES):
                return framed(bms_reply())
        return usual(payload)

    async with scripted(handler) as server:
        address = f"vesc://127.0.0.1:{server.port}" + ("/can/10" if alone else "")
        async with open_device(address, timeout=0.2) as device:
            samples = {sample.node: sample for sample in await device.read()}
    expected = {"can/10"} if alone else {"vesc", "bms", "can/3"}
    assert set(samples) == expected
    kinds = {node.key: node.kind for node in device.nodes}
    if alone:
        assert samples["can/10"].values["cell_count"] == 20
    else:
        assert (kinds["bms"], kinds["can/3"]) == (NodeKind.BATTERY, NodeKind.GATEWAY)
        assert (
            next(node for node in device.nodes if node.key == "bms").identity == "vesc-" + "aa" * 12 + "-bms"
        )


async def test_a_can_id_that_nobody_has_and_who_does_answer():
    async with simulated() as simulation:
        device = open_device(f"{simulation.address}/can/42", timeout=0.1)
        with pytest.raises(
            NoAnswerError, match=r"^CAN id 42 did not answer \(3 tries, 0\.1 s each\): .*answer: 10, 84$"
        ):
            await device.__aenter__()


async def test_a_node_that_stops_answering_is_silent_and_the_others_go_on():
    async with simulated() as simulation, open_device(simulation.address, timeout=0.1, tries=1) as device:
        await device.read()
        simulation.faults.order("dead-node:84")
        samples = {sample.node: sample for sample in await device.read()}
    assert samples["can/84"].condition is Condition.SILENT
    assert "CAN id 84 did not answer GET_VALUES" in samples["can/84"].reason
    assert samples["bms"].condition is Condition.FRESH


async def test_a_silent_node_does_not_slow_down_the_others():
    asked = []

    def handler(payload):
        if payload[0] == Command.FORWARD_CAN and payload[2] == Command.GET_VALUES:
            asked.append(payload)
            return None
        return usual(payload)

    async with scripted(handler) as server:
        address = f"vesc://127.0.0.1:{server.port}"
        async with open_device(address, timeout=0.05, tries=1) as device:
            for _ in range(10):
                samples = {sample.node: sample for sample in await device.read()}
                assert samples["bms"].condition is Condition.FRESH
                assert samples["can/84"].condition is Condition.SILENT
    assert len(asked) == 2, "twice in a row, then it is left alone"


async def test_a_device_that_says_nothing_any_more_is_gone():
    async with simulated() as simulation, open_device(simulation.address, timeout=0.05, tries=1) as device:
        await device.read()
        simulation.faults.order("silence")
        with pytest.raises(GoneError, match="nothing answered 3 rounds of questions"):
            for _ in range(3):
                samples = await device.read()
                assert {sample.condition for sample in samples[1:]} == {Condition.SILENT}


async def test_known_nodes_are_not_searched_for_again():
    memory = SessionMemory()
    async with simulated() as simulation:
        async with open_device(simulation.address, memory=memory) as first:
            asked_first = first.statistics.requests
        async with open_device(simulation.address, memory=memory, can_ids=()) as second:
            await second.find_nodes(quick=True)
            assert [node.key for node in second.nodes] == [node.key for node in first.nodes]
            assert second.statistics.requests == asked_first - 1  # no PING_CAN
            assert any("known from last time" in remark for remark in second.remarks)


async def test_an_empty_memory_is_no_knowledge():
    """Who was off the last time must be found the next time."""
    memory = SessionMemory()
    async with simulated("dead-node:10,84") as simulation:
        async with open_device(simulation.address, memory=memory, timeout=0.1) as first:
            assert [node.number for node in first.nodes if node.key != "bms"] == [None]
        simulation.faults.cancel("dead-node")
        async with open_device(simulation.address, memory=memory, can_ids=()) as second:
            await second.find_nodes(quick=True)
            assert "can/84" in {node.key for node in second.nodes}


async def test_who_joined_since_last_time_is_found_by_a_search_that_takes_its_time():
    memory = SessionMemory()
    async with simulated() as simulation:
        async with open_device(simulation.address, memory=memory) as device:
            memory.remember(device.nodes[0].identity, [10])
        async with open_device(simulation.address, memory=memory) as device:
            assert "can/84" in {node.key for node in device.nodes}


async def test_one_lost_reply_of_a_lone_node_is_no_end():
    answers = iter([True, True, False, True])

    def handler(payload):
        if payload[0] == Command.FORWARD_CAN and payload[2] == Command.GET_VALUES:
            return framed(values_reply(84)) if next(answers, True) else None
        return usual(payload)

    async with scripted(handler) as server:
        async with open_device(f"vesc://127.0.0.1:{server.port}/can/84", timeout=0.1, tries=1) as device:
            conditions = [(await device.read())[0].condition for _ in range(8)]
    assert conditions.count(Condition.SILENT) == 1


async def test_cells_of_a_reply_that_was_cut_short_are_left_out():
    def handler(payload):
        if payload[0] == Command.BMS_GET_VALUES:
            return framed(bms_reply()[:40])
        return usual(payload)

    async with scripted(handler) as server:
        async with open_device(f"vesc://127.0.0.1:{server.port}", timeout=0.1) as device:
            sample = (await device.read())[1]
            assert any("the reply ends before v_cell[" in remark for remark in device.remarks)
    assert sample.values["voltage"] == 83.92
    assert "cell_voltage_min" not in sample.values


async def test_a_bms_reply_without_values_is_no_bms_and_no_reading():
    def handler(payload):
        return framed(b"\x60") if payload[0] == Command.BMS_GET_VALUES else usual(payload)

    async with scripted(handler) as server:
        async with open_device(f"vesc://127.0.0.1:{server.port}", timeout=0.1) as device:
            sample = (await device.read())[1]
    assert sample.condition is Condition.SILENT
    assert "too short" in sample.reason


async def test_a_known_node_that_is_gone_makes_it_search():
    memory = SessionMemory()
    async with simulated() as simulation:
        async with open_device(simulation.address, memory=memory) as device:
            memory.remember(device.nodes[0].identity, [10, 77, 84])
        async with open_device(simulation.address, memory=memory, timeout=0.05) as device:
            assert [node.number for node in device.nodes] == [None, 10, 84]


async def test_speed_and_odometer_are_given_up_where_the_firmware_has_none():
    asked = []

    def handler(payload):
        if payload[0] == Command.FORWARD_CAN:
            asked.append(payload[2])
        return usual(payload)

    async with scripted(handler) as server:
        async with open_device(f"vesc://127.0.0.1:{server.port}", timeout=0.05) as device:
            for _ in range(2):
                samples = await device.read()
                assert samples[-1].values["input_current"] == 1.0
                assert "odometer" not in samples[-1].values
    assert asked.count(Command.GET_VALUES_SETUP_SELECTIVE) == 1


async def test_a_frozen_bms_is_found_out_by_the_motor(monkeypatch):
    monkeypatch.setattr("packwire.vesc.staleness.LEAST_SECONDS", 0.0)
    amperes = iter(range(100))

    def handler(payload):
        if payload[0] == Command.FORWARD_CAN and payload[2] == Command.GET_VALUES:
            return framed(values_reply(84, float(next(amperes))))
        return usual(payload)

    async with scripted(handler) as server:
        async with open_device(f"vesc://127.0.0.1:{server.port}", timeout=0.05) as device:
            for _ in range(6):
                samples = {sample.node: sample for sample in await device.read()}
    assert samples["bms"].stale
    assert "the BMS is gone" in samples["bms"].reason
    assert samples["bms"].values["voltage"] == 83.92


async def test_a_simulator_has_no_link_of_its_own():
    with pytest.raises(BadAddressError, match="packwire.open_device"):
        open_device("sim:vesc")


async def test_a_hub_needs_a_password():
    with pytest.raises(BadAddressError, match="needs its password"):
        open_device("veschub://TESTPACK@127.0.0.1")
