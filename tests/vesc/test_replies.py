"""Replies against what real firmware sent: every field at its place, with its value."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.vesc.commands import Command, command_name
from packwire.vesc.replies import (
    BMS_GET_VALUES,
    FW_VERSION,
    GET_STATS,
    GET_VALUES,
    GET_VALUES_SELECTIVE,
    LAYOUTS,
    BmsValues,
    FwVersion,
    Values,
    decode_reply,
    reply_spans,
)
from packwire.vesc.requests import unwrap
from tests.shared_data import needs_replies, recorded_replies

if TYPE_CHECKING:
    from packwire.wire.fields import Field

RECORDED = recorded_replies()
DECODED = {name: entry for name, entry in RECORDED.items() if name != "get_custom_config"}


@needs_replies
@pytest.mark.parametrize("name", DECODED)
class TestRecorded:
    def test_every_field_lies_where_it_was_recorded_and_has_its_value(self, name):
        entry = DECODED[name]
        spans = {span.name: span for span in reply_spans(bytes.fromhex(entry["reply"]))}
        for field in entry["fields"]:
            span = spans[field["name"]]
            assert (span.offset, span.width, span.raw) == (field["offset"], field["width"], field["raw"])
            assert span.value == field["value"]

    def test_nothing_is_left_over(self, name):
        payload = bytes.fromhex(DECODED[name]["reply"])
        decoded = decode_reply(payload)
        assert decoded is not None
        assert decoded.left_over == DECODED[name]["bytes_left_over"] == 0

    def test_values_are_the_true_ones_within_one_step(self, name):
        entry = DECODED[name]
        for span in reply_spans(bytes.fromhex(entry["reply"])):
            true = (entry["true_values"] or {}).get(span.name)
            if true is None:
                continue
            if isinstance(true, str):
                assert span.value == true
            else:
                assert abs(span.value - true) <= _step(entry, span) + 1e-9

    def test_encoding_gives_the_recorded_bytes_back(self, name):
        payload = bytes.fromhex(DECODED[name]["reply"])
        decoded = decode_reply(payload)
        assert decoded is not None
        assert payload[:1] + LAYOUTS[payload[0]].encode(decoded.reply) == payload

    def test_the_reply_is_to_its_request(self, name):
        entry = DECODED[name]
        if entry["request"]:
            _, request = unwrap(bytes.fromhex(entry["request"]))
            assert request[0] == bytes.fromhex(entry["reply"])[0]


def _step(entry, span) -> float:
    """One step of a field's encoding; what crossed the CAN bus was rounded there too."""
    command = bytes.fromhex(entry["reply"])[0]
    fields: dict[str, Field] = {field.name: field for field in LAYOUTS[command].fields}
    number = fields[span.name.partition("[")[0]]
    step = abs(span.value) * 2**-23 if number.code == "f" else max(number.scale, 1e-9)
    if entry["value_crossed_can"] and span.name in {"soc", "soh"}:
        return step + 1 / 255
    if entry["value_crossed_can"] and span.name == "temp_max_cell":
        return 1.0
    return step


def test_all_command_ids_have_a_name_but_the_reserved_ones():
    assert {command.value for command in Command} == set(range(160)) - {153, 154, 155}
    assert (command_name(0), command_name(96), command_name(200)) == (
        "FW_VERSION",
        "BMS_GET_VALUES",
        "command 200",
    )
    assert len(Command.__members__) == len(Command), "no number has two names"


BMS_20 = BmsValues(
    v_tot=83.92,
    v_charge=0.0,
    i_in=-3.125,
    i_in_ic=-3.0625,
    ah_cnt=1.234,
    wh_cnt=98.765,
    v_cell=(4.196,) * 20,
    bal=(0,) * 20,
    temp_adc=(23.45, -5.25),
    temp_ic=31.5,
    temp_hum=22.75,
    hum=41.5,
    temp_max_cell=25.0,
    soc=0.866,
    soh=0.988,
    can_id=10,
    ah_chg_total=1234.5,
    wh_chg_total=98765.398,
    ah_dis_total=1200.25,
    wh_dis_total=96543.203,
    pressure=101320.0,
    data_version=1,
    status="ok",
)


def test_a_bms_reply_of_any_age_is_decoded_as_far_as_it_goes():
    payload = b"\x60" + BMS_GET_VALUES.encode(BMS_20)
    whole, missing, left_over = BMS_GET_VALUES.decode(payload)
    assert (missing, left_over) == ((), 0)
    names = BMS_GET_VALUES.codec.names
    for size in range(1, len(payload)):
        reply, missing, left_over = BMS_GET_VALUES.decode(payload[:size])
        assert missing
        for name in names:
            value = getattr(reply, name)
            if isinstance(value, tuple):
                assert value == getattr(whole, name)[: len(value)]
            elif isinstance(value, str):
                assert getattr(whole, name).startswith(value)
            elif value is not None:
                assert value == getattr(whole, name)


def test_a_reply_of_newer_firmware_says_what_is_left_over():
    payload = b"\x60" + BMS_GET_VALUES.encode(BMS_20) + b"new"
    assert BMS_GET_VALUES.decode(payload).left_over == 3


@pytest.mark.parametrize(
    ("cut", "last"), [("can_id", "soh"), ("ah_chg_total", "can_id"), ("pressure", "wh_dis_total")]
)
def test_what_an_older_firmware_lacks_is_none(cut, last):
    index = BmsValues._fields.index(cut)
    fields: tuple[Any, ...] = BMS_20[:index]
    older = BmsValues(*fields)
    reply, missing, _ = BMS_GET_VALUES.decode(b"\x60" + BMS_GET_VALUES.encode(older))
    assert missing[0] == cut
    assert getattr(reply, cut) is None
    assert getattr(reply, last) is not None


def test_no_bms_is_told_from_a_script_and_from_a_pack():
    nothing = BmsValues(v_tot=0.0, cell_num=0, can_id=255)
    assert nothing.absent
    assert not nothing.scripted
    assert not BMS_20._replace(cell_num=20).absent
    assert BMS_20._replace(cell_num=20, can_id=255).scripted


def test_the_bms_firmware_version_reply_is_shorter():
    bms = FwVersion(7, 0, "BMS", "00" * 12, 0, 0, 1, 1)
    reply, missing, _ = FW_VERSION.decode(b"\0" + FW_VERSION.encode(bms))
    assert reply == bms
    assert missing[0] == "has_phase_filters"


def test_a_firmware_version_reply_of_two_bytes():
    reply, missing, left_over = FW_VERSION.decode(b"\0\x03\x21")
    assert reply.version == "3.33"
    assert "hw_name" in missing
    assert left_over == 0


@given(st.integers(0, 2**22 - 1))
def test_selective_replies_hold_what_the_mask_says(mask):
    full = Values(*range(24))
    selective = GET_VALUES_SELECTIVE.kind(mask, *full)
    payload = b"\x32" + GET_VALUES_SELECTIVE.encode(selective)
    reply, missing, left_over = GET_VALUES_SELECTIVE.decode(payload)
    assert (missing, left_over) == ((), 0)
    for name, bit in GET_VALUES.bits.items():
        expected = getattr(full, name) if mask >> bit & 1 else None
        assert getattr(reply, name) == pytest.approx(expected)


@given(st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=300))
def test_no_bytes_make_a_decoder_fail(command, body):
    decoded = decode_reply(bytes([command]) + body)
    assert decoded is not None
    assert decoded.left_over >= 0
    reply_spans(bytes([command]) + body)


@given(st.binary(max_size=300))
def test_what_decodes_whole_encodes_to_the_same_bytes(body):
    for command in (Command.GET_VALUES, Command.GET_VALUES_SETUP):
        layout = LAYOUTS[command]
        size = sum(field.width or 0 for field in layout.fields)
        payload = bytes([command]) + body.ljust(size, b"\x5a")[:size]
        assert payload[:1] + layout.encode(layout.decode(payload).reply) == payload


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_auto(value):
    stats = GET_STATS.kind(1, value, *[None] * 10)
    reply = GET_STATS.decode(b"\x80" + GET_STATS.encode(stats)).reply
    assert reply.speed_avg == (0.0 if abs(value) < 1.5e-38 else value)


def test_a_hostile_cell_count_is_bounded_by_the_bytes_that_are_there():
    payload = b"\x60" + bytes(24) + b"\xff" + b"\x10\x68" * 3
    reply, missing, _ = BMS_GET_VALUES.decode(payload)
    assert reply.v_cell == (4.2, 4.2, 4.2)
    assert missing[0] == "v_cell[3..254]"
