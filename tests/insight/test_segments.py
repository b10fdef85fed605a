"""Where a recording is cut, and which state each segment is in."""

from dataclasses import replace

import pytest

from packwire.channel import Channel
from packwire.insight.segments import at_times, by_recording
from packwire.insight.writes import count_logins, cuts_at_writes
from packwire.wire.checksum import CHECKSUMS
from tests.insight.tables import FROM, TO, table

POLL = bytes.fromhex("dda50300fffd77")


def _session(writes, seconds=60):
    said = [(0.2, TO, bytes.fromhex("dd5a060706000000000000ffed77"))]
    for n in range(seconds):
        said += [(n + 0.5, TO, POLL), (n + 0.6, FROM, b"\xdd\x03\x00\x00")]
    said += [(at, TO, payload) for at, payload in writes]
    return table(sorted(said))


def _cut(messages, prefix=None):
    cut = next(iter(cuts_at_writes(messages, prefix)), None)
    assert cut is not None
    return cut


def _switch(value):
    return bytes([0xDD, 0x5A, 0xE1, 2, 0, value, 0xFF, 0x1D - value, 0x77])


def test_polls_and_the_login_do_not_cut():
    confirm = bytes.fromhex("dd5a01020000fffd77")
    writes = []
    for number, value in enumerate([1, 0, 2, 0, 1]):
        writes += [(10 + 8 * number, _switch(value)), (10.2 + 8 * number, confirm)]
    cut = _cut(_session(writes))
    assert cut.pattern == "dd 5a e1 02 00 XX"
    assert cut.states == ("00", "01", "02")
    assert [one.state for one in cut.segments] == [None, "01", "00", "02", "00", "01"]
    assert cut.marks == 5
    assert {(write.payload, write.count) for write in cut.other_writes} == {
        (confirm, 5),
        (bytes.fromhex("dd5a060706000000000000ffed77"), 1),
    }


def test_rubbish_behind_a_command_does_not_count():
    writes = []
    for number in range(8):
        rubbish = bytes((number * 37 + at * 11) % 251 for at in range(12))
        writes.append((5 + 6 * number, bytes([0xAA, 0x55, 0x90, 0xEB, 0x37 + number % 2, 1, 3]) + rubbish))
    cut = _cut(_session(writes))
    assert cut.states == ("37", "38")
    assert cut.marks == 8


def test_a_prefix_says_what_cuts():
    cut = _cut(_session([(10, _switch(1)), (20, _switch(0))]), b"\xdd\x5a\x06")
    assert cut.marks == 1


def test_nothing_but_polls_is_no_cut():
    assert next(iter(cuts_at_writes(_session([]))), None) is None
    assert next(iter(cuts_at_writes(table([]))), None) is None


def test_marks_in_time_alternate_or_are_named():
    messages = _session([])
    cut = at_times(messages, [30.0, 10.0])
    assert [one.state for one in cut.segments] == ["A", "B", "A"]
    assert [one.state for one in at_times(messages, [10, 30], ["x", "y", "z"]).segments] == ["x", "y", "z"]
    assert cut.segments[0].begin == 0
    assert cut.segments[-1].end == len(messages)


def test_each_recording_is_a_segment():
    cut = by_recording([_session([])] * 3, ["on", "off", "on"])
    assert (cut.states, cut.marks) == (("on", "off"), 0)


def _jk(register, value):
    """Return a JK command: its length byte says where the value ends, behind it is rubbish."""
    rubbish = bytes((register * 37 + len(value) * 11 + at * 5) % 251 for at in range(13 - len(value)))
    frame = b"\xaa\x55\x90\xeb" + bytes([register, len(value)]) + value + rubbish
    return frame + bytes([sum(frame) & 0xFF])


def test_a_framing_says_what_a_command_means_and_what_only_asks():
    writes = [(4.0, _jk(0x97, b"")), (5.0, _jk(0x96, b""))]
    writes += [(10 + 5 * n, _jk(0x1D, bytes([n % 2, 0, 0, 0]))) for n in range(4)]
    cut = _cut(_session(writes))
    assert cut.pattern == "aa 55 90 eb 1d 04 XX"
    assert cut.states == ("00", "01")
    assert cut.marks == 4


def test_what_a_phone_says_to_a_headset_does_not_cut():
    said = [(1 + n / 10, TO, b"AT+VGS=%d\r" % (n % 9)) for n in range(12)]
    said += [(30.0, TO, _switch(1)), (40.0, TO, _switch(0))]
    assert _cut(table(sorted(said))).pattern == "dd 5a e1 02 00 XX"


def test_a_pause_of_an_hour_makes_no_poll_a_mark():
    polls = [(n + 0.5 + 3600 * (n > 29), TO, POLL) for n in range(60)]
    polls += [(10.0, TO, _switch(1)), (20.0, TO, _switch(0)), (25.0, TO, _switch(1))]
    polls += [(3610.2, TO, bytes.fromhex("dda52d00ffd377"))]
    assert _cut(table(sorted(polls))).pattern == "dd 5a e1 02 00 XX"


def test_a_switch_that_is_moved_many_times_while_a_device_streams_is_no_poll():
    said = [(n / 4, FROM, b"\x55\xaa" + bytes([n % 256, 1])) for n in range(400)]
    said += [(4.1 * n + 2, TO, bytes([0xAA, 0x10 + n % 2, 0, 1])) for n in range(22)]
    cut = _cut(table(sorted(said)))
    assert (cut.states, cut.marks) == (("10", "11"), 22)


def _modbus(register, value, function=16):
    head = bytes([1, function]) + register.to_bytes(2)
    frame = head + (b"\0\1\2" if function == 16 else b"") + value.to_bytes(2)
    return frame + CHECKSUMS["CRC-16/MODBUS"].of(frame).to_bytes(2, "little")


@pytest.mark.parametrize("function", [6, 16])
def test_the_state_is_the_value_written_to_a_register(function):
    """All writes differ in their checksum, which is no part of what they say."""
    writes = [(5.0 + 4 * n, _modbus(0x96, n % 4, function)) for n in range(12)]
    cut = _cut(_session(writes, 70))
    assert cut.states == ("0000", "0001", "0002", "0003")
    assert cut.register == b"\x01\x00\x96"
    assert _cut(_session(writes, 70), bytes([1, function])).states == cut.states


def test_each_register_is_a_control_and_one_bit_is_said():
    writes = [(5.0 + 4 * n, _modbus(0x10 + n // 4, n % 2)) for n in range(8)]
    cuts = cuts_at_writes(_session(writes))
    assert [cut.pattern for cut in cuts] == [f"01 10 00 1{at} 00 01 02 XX XX" for at in (0, 1)]
    assert cuts[0].place == (8, 0)
    assert cuts[0].written == (b"\0\0", b"\0\1")


def test_a_checksum_of_an_unknown_framing_is_no_part_of_the_state():
    frames = [b"\x77\x31" + bytes([n % 3, 9]) for n in range(9)]
    cut = _cut(_session([(5.0 + 4 * n, one + bytes([sum(one) & 0xFF])) for n, one in enumerate(frames)]))
    assert cut.states == ("00", "01", "02")


def test_logins_and_subscriptions_set_nothing():
    logins = [b"\xff\xaa" + bytes([code, 6]) + b"secret" for code in (0x15, 0x18, 0x15, 0x18)]
    messages = _session([(5.0 + 9 * n, one + bytes([sum(one[2:]) & 0xFF])) for n, one in enumerate(logins)])
    assert cuts_at_writes(messages) == ()
    assert count_logins(messages) == 5
    said = [(5.0 * n, TO, bytes([n % 2, 0])) for n in range(6)]
    subscribed = replace(
        table(said), channels=(Channel.parse("att 0x0011 notify"), Channel.parse("att 0x0012 2902 write"))
    )
    assert cuts_at_writes(subscribed) == ()


def _writes_with_checksum(frames):
    said = []
    for number in range(40):
        if number % 8 == 4:
            write = bytes((0xAB, 0x21, 1, number // 8 % 2))
            said.append((number - 0.5, TO, write + bytes((write[0] ^ write[1] ^ write[2] ^ write[3],))))
        said.append((float(number), FROM, frames(number)))
    return table(said)


def _frame(number, close):
    body = bytes((0xAB, 0x11, number * 7 & 0xFF, 3, number // 3))
    check = body[0] ^ body[1] ^ body[2] ^ body[3] ^ body[4]
    return body + bytes((check,)) if close else body


def test_a_checksum_behind_what_is_written_is_no_state():
    cut = next(iter(cuts_at_writes(_writes_with_checksum(lambda number: _frame(number, True)))), None)
    assert cut is not None
    assert (cut.pattern, cut.states, cut.doubt) == ("ab 21 01 XX", ("00", "01"), "")
    assert cut.place == (3, 0)


def test_too_few_writes_to_know_a_checksum_are_said_to_be():
    cut = next(iter(cuts_at_writes(_writes_with_checksum(lambda number: _frame(number, False)))), None)
    assert cut is not None
    assert (cut.pattern, cut.states) == ("ab 21 01 XX XX", ("008b", "018a"))
    assert cut.doubt.startswith("the last byte may be a checksum (xor8")


def test_writes_with_sequence_numbers_are_told_apart_by_what_they_say():
    said = []
    for number in range(120):
        payload = (
            bytes((0x68, number, 0x10, number // 15 % 2)) if number % 15 == 7 else bytes((0x68, number, 2, 0))
        )
        said += [(number, TO, payload), (number + 0.1, FROM, bytes((0x68, number, payload[2] | 0x80, 5)))]
    cut = next(iter(cuts_at_writes(table(said))), None)
    assert cut is not None
    assert (cut.pattern, cut.states) == ("68 ·· 10 XX", ("00", "01"))
    by_prefix = next(iter(cuts_at_writes(table(said), bytes((0x68, 99, 0x10)))), None)
    assert by_prefix is not None
    assert (by_prefix.pattern, by_prefix.marks) == (cut.pattern, cut.marks)
