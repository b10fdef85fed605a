"""A planted switch is found and ranked first; what only counts, checks or rustles is set aside."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from packwire.insight.differences import Tier, find_differences, plain_differences
from packwire.insight.segments import at_times, by_recording
from packwire.insight.writes import cuts_at_writes
from tests.insight.tables import FROM, TO, table

WIDTH = 24
POLL = b"\xdd\xa5\x03\x00\xff\xfd\x77"


def _frame(noise, number, bits, switches):
    """Bytes 0-1 header, 2 counter, 3 clock, 4-5 noise, then constant but for the switches; sum8 at the end."""
    body = bytearray(WIDTH)
    body[0:2] = b"\xdd\x03"
    body[2] = number & 0xFF
    body[3] = int(number * 0.7) & 0xFF
    body[4:6] = noise.randbytes(2)
    for (byte, bit), value in zip(bits, switches, strict=True):
        body[byte] |= value << bit
    return bytes(body) + bytes([sum(body) & 0xFF])


def _write(value):
    return bytes([0xDD, 0x5A, 0xE1, value, 0x77])


def _session(seed, bits, states, each=8, lag=0):
    """Return a session that goes through (write, switches) states; the first is there without a write."""
    noise = random.Random(seed)
    said, number, before = [], 0, states[0][1]
    for place, (write, switches) in enumerate(states):
        if place:
            said.append((number * 0.7 - 0.3, TO, _write(write)))
        for at in range(each):
            said += [(number * 0.7, TO, POLL)]
            shown = before if at < lag else switches
            said += [(number * 0.7 + 0.1, FROM, _frame(noise, number, bits, shown))]
            number += 1
        before = switches
    return table(said)


def _cut(messages):
    cut = next(iter(cuts_at_writes(messages)), None)
    assert cut is not None
    return cut


places = st.tuples(st.integers(6, WIDTH - 1), st.integers(0, 7))


@settings(max_examples=40, deadline=None)
@given(places, st.integers(0, 1000), st.integers(0, 2))
def test_a_planted_switch_is_first_and_the_rest_is_set_aside(place, seed, lag):
    messages = _session(seed, [place], [(0, (0,))] + [(1, (1,)), (0, (0,))] * 3, lag=lag)
    found = find_differences([messages], _cut(messages))
    (frame,) = [frame for frame in found.frames if frame.bits]
    first = frame.bits[0]
    assert (first.byte, first.bit) == place
    assert first.values == (0, 1)
    assert first.chance < 0.01
    assert [(bit.byte, bit.bit) for bit in frame.bits if bit.chance < 0.01] == [place]
    assert frame.checksum is not None
    assert (frame.checksum.at, frame.checksum.size) == (WIDTH, 1)
    assert {at for counter in frame.counters for at in counter.at} >= {2, 3}
    assert found.before_first == "00"
    assert found.found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_without_a_switch_nothing_is_found(seed):
    messages = _session(seed, [], [(0, ())] + [(1, ()), (0, ())] * 3)
    assert not find_differences([messages], _cut(messages)).found


@settings(max_examples=20, deadline=None)
@given(st.lists(places, min_size=3, max_size=3, unique=True), st.integers(0, 1000))
@example([(8, 7), (20, 7), (6, 7)], 0)  # byte 20 is the XOR of the two others
def test_a_bit_that_follows_two_others_comes_after_them_with_the_reason(three, seed):
    on, charge_off, discharge_off = (0, (1, 1, 0)), (1, (0, 1, 1)), (2, (1, 0, 1))
    messages = _session(seed, three, [on, charge_off, on, discharge_off, on, charge_off, on, discharge_off])
    found = find_differences([messages], _cut(messages))
    (frame,) = [frame for frame in found.frames if frame.bits]
    charge, discharge, follower = three
    assert {(bit.byte, bit.bit, bit.tied_to) for bit in frame.bits[:2]} == {
        (*charge, "01"),
        (*discharge, "02"),
    }
    last = frame.bits[2]
    assert (last.byte, last.bit, last.tier) == (*follower, Tier.FOLLOWS)
    assert last.why == "set whenever either of the two is off"


def test_writes_that_did_not_all_take_effect():
    """As some packs do: the switch ignores every third write."""
    states, value = [(0, (0,))], 0
    for number in range(12):
        wanted = 1 - number % 2
        value = value if number % 6 == 4 else wanted
        states.append((wanted, (value,)))
    messages = _session(1, [(9, 3)], states)
    found = find_differences([messages], _cut(messages))
    (bit,) = [bit for frame in found.frames for bit in frame.bits]
    assert (bit.byte, bit.bit, bit.tier) == (9, 3, Tier.REACTS)
    assert bit.chance < 0.01
    assert "sets it" in bit.why


def test_recordings_on_off_on_off():
    recordings = [_session(seed, [(9, 3)], [(0, (seed % 2,))]) for seed in range(6)]
    cut = by_recording(recordings, ["on", "off"] * 3)
    found = find_differences(recordings, cut)
    first = found.frames[0].bits[0]
    assert (first.byte, first.bit, first.values, first.segments) == (9, 3, (0, 1), (3, 3))
    assert first.chance == 2 / 2**6


def test_one_recording_each_is_weak_evidence_and_said_so():
    recordings = [_session(seed, [(9, 3)], [(0, (seed,))]) for seed in range(2)]
    found = find_differences(recordings, by_recording(recordings, ["off", "on"]))
    (bit,) = found.frames[0].bits
    assert (bit.byte, bit.bit, bit.chance) == (9, 3, 0.5)


def test_marks_in_time():
    messages = _session(3, [(9, 3)], [(0, (0,)), (1, (1,)), (0, (0,))], each=10)
    found = find_differences([messages], at_times(messages, [6.9, 13.9]))
    assert (found.frames[0].bits[0].byte, found.frames[0].bits[0].bit) == (9, 3)
    assert [change.after for change in found.frames[0].bits[0].changes] == [23, 44]


def test_the_plain_method_gives_what_only_changed_between():
    recordings = [_session(seed, [(9, 3)], [(0, (seed,))]) for seed in range(2)]
    ((_, size, header, bits),) = plain_differences(recordings, by_recording(recordings, ["off", "on"]))
    assert (size, header) == (WIDTH + 1, b"\xdd\x03")
    assert bits == ((9, 3),)


def test_nothing_said():
    empty = table([])
    assert not find_differences([empty, empty], by_recording([empty, empty], ["a", "b"])).found
    assert plain_differences([empty], by_recording([empty], ["a"])) == ()


def test_a_byte_that_counts_all_kinds_of_messages_is_set_aside():
    """In the kind that comes rarely it goes up in leaps, and here one of its bits does as the switch does."""
    source, said = random.Random(1), []
    for number in range(6 * 64):
        session, place = divmod(number, 64)
        if place == 0:
            said.append((20.0 * session, TO, _write(session % 2)))
        kind = 1 if source.random() < 0.15 else 2
        shown = session % 2 if kind == 1 else 0
        said.append((20 * session + 0.25 * place + 1, FROM, bytes([0x55, kind, number % 256, shown])))
    messages = table(said)
    found = find_differences([messages], _cut(messages), header=2)
    assert {(bit.byte, bit.bit) for frame in found.frames for bit in frame.bits} == {(3, 0)}


def _polled(states, each, show):
    """Return a session of polls; `show(number, state)` gives the bytes behind the header of each reply."""
    said, number = [], 0
    for place, state in enumerate(states):
        if place:
            said += [
                (number - 0.5, TO, _write(state)),
                (number - 0.45, FROM, b"\xdd\xe1" + bytes([state, 0])),
            ]
        for _ in range(each):
            said += [(number, TO, POLL), (number + 0.1, FROM, b"\xdd\x03" + show(number, state))]
            number += 1
    return table(said)


@pytest.mark.parametrize("rate", [-0.3, -0.07, 0.07, 0.4])
def test_a_voltage_that_falls_or_rises_is_no_switch(rate):
    messages = _polled([0, 1, 0], 12, lambda n, _: int(3300 + rate * n).to_bytes(2))
    assert not find_differences([messages], _cut(messages)).found


def test_a_bit_that_flips_before_the_first_write_is_no_switch():
    messages = _polled([0, 1, 0], 12, lambda n, state: bytes([state if n > 11 else n // 3 % 2]))
    assert not find_differences([messages], _cut(messages)).found


def test_what_changes_while_nothing_was_said_for_minutes_is_no_switch():
    said = [(float(n), FROM, b"\xdd\x03" + bytes([n > 19])) for n in range(40)]
    said = [(at + 300 * (at > 19), way, payload) for at, way, payload in said] + [
        (5.5, TO, _write(0)), (100.0, TO, _write(1))]  # fmt: skip
    messages = table(sorted(said))
    (bit,) = find_differences([messages], _cut(messages)).frames[0].bits
    assert bit.chance > 0.2


def test_an_acknowledgement_is_no_state():
    messages = _polled([0, 1, 0, 1, 0, 1, 0, 1, 0], 4, lambda n, _: b"\x05\x06")
    found = find_differences([messages], _cut(messages), 2)
    assert not found.found
    (frame,) = found.frames
    assert (frame.header, frame.echoes) == (b"\xdd\xe1", (2,))


def test_a_number_written_is_read_back_as_one_field():
    values = [0, 1, 2, 3, 1, 0]
    messages = _polled(values, 5, lambda n, state: bytes([n * 7 & 0xFF, state, 0]))
    (field, *_) = find_differences([messages], _cut(messages), 2).frames[0].fields
    assert (field.byte, field.size, field.read_back, field.values) == (3, 1, (5, 5), (0, 1, 2, 3))


def test_bits_that_change_together_are_one_field():
    messages = _polled([0, 1, 0, 1, 0, 1], 5, lambda n, state: bytes([n * 7 & 0xFF, 0x55 if state else 0xAA]))
    (field,) = find_differences([messages], _cut(messages), 2).frames[0].fields
    assert (field.byte, len(field.bits), field.values) == (3, 8, (0xAA, 0x55))
