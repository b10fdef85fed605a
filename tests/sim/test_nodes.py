"""The three devices without I/O: what each answers, byte for byte, and what it meets with silence."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.protocol.words import MASKED
from packwire.sim.express import Express
from packwire.sim.faults import Faults
from packwire.sim.nodes import NO_BMS, default_config
from packwire.sim.scenario import SCENARIOS
from packwire.sim.vehicle import Vehicle
from packwire.vesc.commands import Command
from packwire.vesc.hardware import HardwareType
from packwire.vesc.replies import (
    BMS_GET_VALUES,
    EXPRESS_CONFIG,
    FW_VERSION,
    GET_STATS,
    GET_VALUES,
    GET_VALUES_SELECTIVE,
    GET_VALUES_SETUP,
    GET_VALUES_SETUP_SELECTIVE,
)
from packwire.vesc.requests import custom_config, request, stats, values_selective
from packwire.vesc.secrets import decode_config
from packwire.vesc.traits import answers
from packwire.wire.fields import Field
from packwire.wire.layout import Layout
from tests.shared_data import needs_replies, recorded_replies

REPLIES = recorded_replies()
PACK = request(Command.BMS_GET_VALUES)


def device(*faults: str, seed: int = 1, seconds: float = 0.0, **options: Any) -> Any:
    vehicle = Vehicle(seed, **options)
    vehicle.advance(seconds)
    return Express(vehicle, Faults(faults), default_config(), seed=seed)


STANDING = device()


def assert_within_one_step(layout: Layout[Any], payload: bytes | None, truth: object) -> None:
    """See that every field decodes to what it was, within one step of its raw number."""
    assert payload is not None
    reply, missing, left_over = layout.decode(payload)
    assert not missing
    assert not left_over
    for field in layout.fields:
        got, true = getattr(reply, field.name), getattr(truth, field.name)
        if field.type.numeric and field.count is None:
            assert_number(field, got, true)
        elif field.count is not None:
            assert len(got) == len(true)
            for one, other in zip(got, true, strict=True):
                assert_number(field, one, other)
        else:
            assert got == true


def assert_number(field: Field, got: float, true: float) -> None:
    step = 1e-6 * max(1.0, abs(true)) if field.code == "f" else field.scale
    assert abs(got - true) <= step * 1.000001, field.name


courses = {
    "seed": st.integers(0, 10_000),
    "scenario": st.sampled_from(list(SCENARIOS)),
    "seconds": st.floats(0, 150),
    "soc": st.none() | st.floats(0, 1),
}


@settings(max_examples=40, deadline=None)
@given(cells=st.integers(1, 50), **courses)
def test_the_packs_values_arrive_as_they_are(cells, seed, scenario, seconds, soc):
    express = device(seed=seed, cells=cells, scenario=scenario, seconds=seconds, soc=soc)
    true = express.bms.values()
    assert_within_one_step(BMS_GET_VALUES, express.bms.answer(PACK), true)
    for node in (express.node, express.controller):
        reply = node.answer(PACK)
        assert len(reply) == 70 + 3 * cells
        decoded: Any = BMS_GET_VALUES.decode(reply).reply
        assert decoded.can_id == 10
        assert decoded.pressure == 0
        assert abs(decoded.soc - true.soc) <= 1 / 255 + 0.001
        assert decoded.soc * 255 == pytest.approx(round(decoded.soc * 255), abs=0.26)
        assert decoded.temp_max_cell == int(true.temp_max_cell)
        assert decoded.v_cell == BMS_GET_VALUES.decode(express.bms.answer(PACK)).reply.v_cell


@settings(max_examples=40, deadline=None)
@given(**courses)
def test_the_controllers_values_arrive_as_they_are(seed, scenario, seconds, soc):
    express = device(seed=seed, scenario=scenario, seconds=seconds, soc=soc)
    controller = express.controller
    reply = controller.answer(request(Command.GET_VALUES))
    assert_within_one_step(GET_VALUES, reply, controller.values())
    reply = controller.answer(request(Command.GET_VALUES_SETUP))
    assert_within_one_step(GET_VALUES_SETUP, reply, controller.setup_values())
    assert_within_one_step(GET_STATS, controller.answer(stats()), controller.stats(0x07FF))


@settings(max_examples=40)
@given(st.integers(0, 0xFFFF_FFFF))
def test_selective_replies_hold_what_the_mask_says(mask):
    controller = device(scenario="ride", seconds=3).controller
    for command, layout, whole in (
        (Command.GET_VALUES_SELECTIVE, GET_VALUES_SELECTIVE, controller.values),
        (Command.GET_VALUES_SETUP_SELECTIVE, GET_VALUES_SETUP_SELECTIVE, controller.setup_values),
    ):
        reply, missing, left_over = layout.decode(controller.answer(values_selective(command, mask)))
        assert not missing
        assert not left_over
        assert reply.mask == mask
        truth = whole()
        for field in layout.fields[1:]:
            name, bit = field.name, layout.bits[field.name]
            if mask >> bit & 1:
                assert_number(field, getattr(reply, name), getattr(truth, name))
            else:
                assert getattr(reply, name) is None


@needs_replies
@pytest.mark.parametrize(
    ("recorded", "node", "asked"),
    [
        ("fw_version_express", "node", b"\0"),
        ("fw_version_motor", "controller", b"\0"),
        ("bms_20", "node", PACK),
        ("get_values", "controller", b"\x04"),
        ("get_values_selective_003fffff", "controller", bytes.fromhex("32003fffff")),
        ("get_values_selective_00000001", "controller", bytes.fromhex("3200000001")),
        ("get_values_setup", "controller", b"\x2f"),
        ("get_values_setup_selective_003fffff", "controller", bytes.fromhex("33003fffff")),
        ("get_stats_07ff", "controller", bytes.fromhex("8007ff")),
    ],
)
def test_replies_are_as_long_as_the_recorded_ones(recorded, node, asked):
    reply = getattr(device(), node).answer(asked)
    assert len(reply) == REPLIES[recorded]["length"]
    assert reply[0] == bytes.fromhex(REPLIES[recorded]["reply"])[0]


@needs_replies
def test_no_bms_is_the_recorded_reply():
    recorded = bytes.fromhex(REPLIES["bms_none"]["reply"])
    express = device("no-bms")
    assert express.node.answer(PACK) == express.controller.answer(PACK) == recorded
    assert BMS_GET_VALUES.decode(recorded).reply == NO_BMS


def test_what_each_device_says_it_is():
    express = device()
    versions = {
        node.can_id: FW_VERSION.decode(node.answer(b"\0"))
        for node in (express.node, express.bms, express.controller)
    }
    assert {can_id: found.reply.hw_type for can_id, found in versions.items()} == {
        2: HardwareType.EXPRESS,
        10: HardwareType.BMS,
        84: HardwareType.CONTROLLER,
    }
    assert versions[10].missing[0] == "has_phase_filters"  # a BMS ends behind custom_cfg_num
    assert len({found.reply.uuid for found in versions.values()}) == 3


def test_another_seed_is_another_device_and_the_same_seed_the_same():
    uuid = [FW_VERSION.decode(device(seed=seed).node.answer(b"\0")).reply.uuid for seed in (1, 1, 2)]
    assert uuid[0] == uuid[1] != uuid[2]


@pytest.mark.parametrize("name", ["node", "bms", "controller"])
def test_nothing_is_answered_that_such_hardware_never_answers(name):
    node = getattr(device(), name)
    for command in range(256):
        reply = node.answer(bytes((command, 0, 0, 0, 0)))
        assert reply is None or (reply[0] == command and answers(node.hardware, command))


@pytest.mark.parametrize(
    "command", [Command.GET_VALUES, Command.GET_VALUES_SETUP, Command.GET_VALUES_SELECTIVE, Command.GET_STATS]
)
def test_an_express_and_a_bms_ignore_what_only_a_controller_knows(command):
    express = device()
    assert express.node.answer(bytes((command, 0, 0, 0, 1))) is None
    assert express.bms.answer(bytes((command, 0, 0, 0, 1))) is None
    assert express.controller.answer(bytes((command, 0, 0, 0, 1))) is not None


@given(st.binary(max_size=40))
def test_no_request_raises(asked):
    for node in (STANDING.node, STANDING.bms, STANDING.controller):
        reply = node.answer(asked)
        assert reply is None or reply[0] == asked[0]


def test_requests_that_are_cut_short_are_met_with_silence():
    controller = device().controller
    assert controller.answer(b"\x32\0\0") is None
    assert controller.answer(b"\x33") is None
    assert controller.answer(b"\x80\x07") is None
    assert controller.answer(b"") is None


def test_the_configuration_holds_secrets_that_can_be_masked():
    reply = device().node.answer(custom_config())
    shown, masked = decode_config(reply, keep_secrets=True), decode_config(reply)
    assert shown
    assert masked
    assert shown.reply.wifi_ap_key == "made-up-ap-key"
    assert masked.reply.wifi_ap_key == MASKED
    default = device().node.answer(bytes((Command.GET_CUSTOM_CONFIG_DEFAULT, 0)))
    assert EXPRESS_CONFIG.decode(default).reply.controller_id == 2
    assert decode_config(device().bms.answer(custom_config())) is None  # another layout, unknown signature


def test_replies_are_encoded_once_until_the_physics_moves():
    express = device(scenario="ride", seconds=3)
    first = express.node.answer(PACK)
    assert express.node.answer(PACK) is first
    express.vehicle.advance(1)
    express.moved()
    assert express.node.answer(PACK) != first


def test_any_number_of_masks_fits_into_memory():
    controller = device().controller
    for mask in range(1000):
        controller.answer(values_selective(Command.GET_VALUES_SELECTIVE, mask))
    assert len(controller._cache) <= 64


def test_reading_values_begins_their_averages_anew():
    express = device(scenario="ride", seconds=4)
    motor, controller = express.vehicle.motor, express.controller
    controller.answer(values_selective(Command.GET_VALUES_SELECTIVE, 1 << 2))
    assert motor.averages.last("current_motor") > 0
    assert motor.averages.last("iq") == 0
    controller.answer(request(Command.GET_VALUES_SETUP))
    assert motor.averages.last("iq") == 0  # SETUP takes no averages
    controller.answer(request(Command.GET_VALUES))
    assert motor.averages.last("iq") > 0


def test_input_current_and_pack_current_belong_together():
    express = device(scenario="ride", seconds=10)
    setup = GET_VALUES_SETUP.decode(express.controller.answer(b"\x2f")).reply
    pack = BMS_GET_VALUES.decode(express.node.answer(PACK)).reply
    assert pack.i_in_ic == pytest.approx(setup.current_in_tot, abs=0.1)
    assert pack.v_tot == pytest.approx(setup.v_in, abs=0.5)


def test_a_fault_code_is_reported():
    express = device()
    express.vehicle.motor.fault = 5
    assert GET_VALUES.decode(express.controller.answer(b"\x04")).reply.fault == 5


@pytest.mark.parametrize("length", [109, 110, 126, 128, 129])
def test_old_firmware_ends_earlier(length):
    express = device(f"old-firmware:{length}")
    for node in (express.node, express.bms, express.controller):
        assert len(node.answer(PACK)) == length
    version = FW_VERSION.decode(express.node.answer(b"\0"))
    assert version.reply.hw_type == HardwareType.EXPRESS
    assert version.reply.major == (5 if length < 126 else 6)
    assert bool(version.missing) == (length < 129)
    values = express.controller.answer(b"\x04")
    assert len(values) == (65 if length <= 126 else 74)


@needs_replies
def test_old_firmware_ends_where_the_recorded_ones_end():
    express = device("old-firmware:110")
    assert len(express.controller.answer(b"\x04")) == REPLIES["get_values_cut_2019_02_to_mos"]["length"]
    assert len(express.node.answer(PACK)) == REPLIES["bms_hist_s4_can_id_20"]["length"]


def test_a_bms_of_2020_does_not_say_what_it_is():
    reply = device("old-firmware").bms.answer(b"\0")
    assert FW_VERSION.decode(reply).missing[0] == "hw_type"
    assert len(reply) == len(device().bms.answer(b"\0")) - 2


def test_a_script_sets_values_without_an_id():
    express = device("script-bms")
    reply = BMS_GET_VALUES.decode(express.node.answer(PACK)).reply
    assert reply.scripted
    assert reply.cell_num == 20
    assert [node.can_id for node in express.on_bus()] == [84]


def moved(express: Any, seconds: float) -> None:
    express.vehicle.advance(seconds)
    express.moved()


def test_a_frozen_bms_stands_still_while_the_motor_moves():
    express = device(scenario="ride", seconds=2)
    express.faults.order("frozen-bms")
    before = [node.answer(PACK) for node in (express.node, express.bms, express.controller)]
    motor = express.controller.answer(b"\x04")
    moved(express, 5)
    assert [node.answer(PACK) for node in (express.node, express.bms, express.controller)] == before
    assert express.controller.answer(b"\x04") != motor
    express.faults.cancel("frozen-bms")
    assert express.node.answer(PACK) != before[0]


def test_a_bms_that_died_is_remembered_for_ever():
    express = device(scenario="ride", seconds=2)
    before = express.node.answer(PACK)
    express.faults.order("dead-node:10")
    moved(express, 5)
    assert express.node.answer(PACK) == before
    assert [node.can_id for node in express.on_bus()] == [84]
    express.faults.cancel("dead-node")
    assert express.node.answer(PACK) != before
