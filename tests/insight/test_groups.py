"""Which kinds of messages there are, and how long the header is that tells them apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.insight.groups import facts, group_messages, header_lengths
from tests.insight.tables import FROM, NOTIFY, TO, WRITE, table


def test_kinds_that_take_turns_make_the_header():
    said = []
    for n in range(20):
        said += [
            (n, TO, bytes.fromhex("dda50300fffd77")),
            (n + 0.1, FROM, b"\xdd\x03\x00\x04" + bytes([n, 7, 7, 7])),
        ]
        said += [
            (n + 0.5, TO, bytes.fromhex("dda50400fffc77")),
            (n + 0.6, FROM, b"\xdd\x04\x00\x04" + bytes([9, n, 5, 5])),
        ]
    messages = table(said)
    assert header_lengths(messages) == {(TO, WRITE): 3, (FROM, NOTIFY): 2}
    groups = group_messages(messages)
    assert [group.header.hex() for group in groups] == ["dda503", "dda504", "dd03", "dd04"]
    known = facts(messages, groups[2])
    assert known.constant == (True, True, True, True, False, True, True, True)
    assert known.per_second == pytest.approx(1)
    assert (known.first_packet, known.last_packet) == (2, 78)


def test_a_switch_in_the_third_byte_is_a_state_and_no_kind_of_message():
    said = [(n, FROM, bytes([1, 0, 3 if n < 20 else 2, 0, n % 7, n % 5])) for n in range(40)]
    groups = group_messages(table(said))
    assert [(group.header, len(group)) for group in groups] == [(b"\x01\x00", 40)]


def test_many_registers_asked_in_turn_are_kinds_of_messages():
    said = [
        (n, TO, bytes([0xDD, 0xA5, register, 0, 0xFF, 0xFF - register]))
        for n, register in enumerate([*range(16, 76)] * 3)
    ]
    assert header_lengths(table(said)) == {(TO, WRITE): 3}


def test_a_counter_is_no_kind_of_message():
    said = [(n, FROM, bytes([1, 2, n % 256, 7, 0xFF - n % 256])) for n in range(600)]
    assert header_lengths(table(said)) == {(FROM, NOTIFY): 2}


def test_something_measured_is_no_kind_of_message():
    random = np.random.default_rng(1)
    said = [(n, FROM, bytes([1, 2, *random.integers(0, 12, 6).tolist()])) for n in range(200)]
    assert header_lengths(table(said)) == {(FROM, NOTIFY): 2}


def test_rare_commands_beside_a_poll_are_kinds_of_messages():
    said = [(float(n), TO, bytes([0xC5, 0x65, 0, 0xBC])) for n in range(60)]
    said += [(n + 0.5, TO, bytes([0x86 + n % 2, 0, 0x88, 0xBC])) for n in range(10)]
    messages = table(sorted(said, key=lambda each: each[0]))
    assert [group.header for group in group_messages(messages)] == [b"\xc5", b"\x86", b"\x87"]


def test_each_message_may_have_a_length_of_its_own():
    messages = table([(n, FROM, bytes([1, n % 2, 9, n % 3])) for n in range(12)])
    lengths = np.array([2] * 6 + [1] * 6)
    assert {group.header: len(group) for group in group_messages(messages, lengths)} == {
        b"\1\0": 3,
        b"\1\1": 3,
        b"\1": 6,
    }


def test_a_length_given_is_taken():
    said = [(n, FROM, bytes([1, n % 4, 9])) for n in range(8)]
    assert [len(group.header) for group in group_messages(table(said), 2)] == [2] * 4
    assert len(group_messages(table(said), 0)) == 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([TO, FROM]), st.binary(max_size=12)), max_size=60),
    st.none() | st.integers(0, 8),
)
def test_each_message_is_in_exactly_one_group(said, header):
    messages = table([(n, way, payload) for n, (way, payload) in enumerate(said)])
    groups = group_messages(messages, header)
    rows = np.concatenate([group.rows for group in groups]) if groups else np.zeros(0, int)
    assert sorted(rows.tolist()) == list(range(len(said)))
    for group in groups:
        for row in group.rows:
            assert messages.payload(int(row)).startswith(group.header)
            assert messages.size[row] == group.size
        facts(messages, group)
