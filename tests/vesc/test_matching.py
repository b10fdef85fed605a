"""A reply from another node, or to another request, is not taken for the answer."""

from packwire.vesc.commands import Command
from packwire.vesc.hardware import FAULTS, HardwareType, fault_name, hardware_label
from packwire.vesc.matching import acceptance
from packwire.vesc.replies import FW_VERSION, GET_VALUES, GET_VALUES_SELECTIVE, FwVersion, Values
from packwire.vesc.requests import forward_can, request, stats, unwrap, values_selective
from packwire.vesc.traits import TRAITS, answers, unsolicited


def values_of(controller: int) -> bytes:
    return b"\x04" + GET_VALUES.encode(Values(*[0] * 24)._replace(controller_id=controller))


def test_values_of_another_controller_are_refused():
    accepts = acceptance(request(Command.GET_VALUES), 84)
    assert accepts(values_of(84))
    assert not accepts(values_of(85))
    assert acceptance(request(Command.GET_VALUES), None)(values_of(85))


def test_values_of_old_firmware_without_an_id_are_taken():
    assert acceptance(request(Command.GET_VALUES), 84)(values_of(85)[:30])


def test_a_selective_reply_to_another_mask_is_refused():
    accepts = acceptance(values_selective(Command.GET_VALUES_SELECTIVE, 3), None)
    kind = GET_VALUES_SELECTIVE.kind
    assert accepts(b"\x32" + GET_VALUES_SELECTIVE.encode(kind(3, 1.0, 2.0, *[None] * 22)))
    assert not accepts(b"\x32" + GET_VALUES_SELECTIVE.encode(kind(1, 1.0, *[None] * 23)))
    assert not accepts(b"\x60")


def test_stats_repeat_their_mask_as_32_bits():
    accepts = acceptance(stats(1), None)
    assert accepts(bytes.fromhex("800000000100000000"))
    assert not accepts(bytes.fromhex("800000000200000000"))


def test_the_version_of_another_device_is_refused():
    ours = FwVersion(7, 0, "A", "aa" * 12, 0, 0, 0, 0)
    accepts = acceptance(request(Command.FW_VERSION), 84, "aa" * 12)
    assert accepts(b"\0" + FW_VERSION.encode(ours))
    assert not accepts(b"\0" + FW_VERSION.encode(ours._replace(uuid="bb" * 12)))
    assert accepts(b"\0\x03\x21")


def test_forwarding_wraps_and_unwraps():
    assert forward_can(84, b"\x04") == bytes([34, 84, 4])
    assert unwrap(bytes([34, 84, 4])) == ((84,), b"\x04")
    assert unwrap(b"\x04") == ((), b"\x04")


def test_an_express_never_answers_a_motors_questions():
    for command in (Command.GET_VALUES, Command.GET_VALUES_SETUP, Command.GET_STATS):
        assert not answers(HardwareType.EXPRESS, command)
        assert answers(HardwareType.CONTROLLER, command)
    assert all(answers(kind, Command.BMS_GET_VALUES) for kind in HardwareType)
    assert answers(None, Command.GET_VALUES)
    assert answers(99, Command.GET_VALUES)
    assert answers(2, 200)


def test_unsolicited_packets_are_no_answers():
    assert any(unsolicited(command) for command in TRAITS)
    for command in TRAITS:
        assert not (unsolicited(command) and any(answers(kind, command) for kind in HardwareType))


def test_names():
    assert hardware_label(2) == "VESC Express"
    assert hardware_label(9) == "VESC device of unknown type 9"
    assert fault_name(0) == "none"
    assert fault_name(6) == "motor too hot"
    assert fault_name(99) == "fault 99"
    assert len(FAULTS) == 34
