"""What a reply repeats: learnt where chance is ruled out, and only there."""

from random import Random

import numpy as np
import pytest

from packwire.insight.echoes import echo_headers, find_echo
from packwire.insight.groups import group_messages, header_text, lane_rows
from packwire.insight.pairs import find_pairs
from tests.insight.tables import FROM, TO, table


def _echo(said):
    messages = table(said)
    lanes = {direction: rows for (direction, _), rows in lane_rows(messages).items()}
    return find_echo(messages, lanes[TO], lanes[FROM])


def _stream_with_writes(random, writes, show):
    """A device that speaks once a second, an app that writes 0 and 1 in turn; `show` makes the flags."""
    said, state, level = [], 0, 0x1400
    at = sorted(random.sample(range(5, 195), writes))
    for second in range(200):
        if second in at:
            state ^= 1
            said.append((second - 0.5, TO, bytes((0xA5, 0x60, 0, state))))
        level += random.choice((-2, -1, 0, 1, 2))
        said.append(
            (float(second), FROM, bytes((0xA5, 0x90)) + level.to_bytes(2) + show(random, second, state))
        )
    return said


def _flags(random, second, state):
    return bytes((second // 40 % 2, random.random() < 0.3, second // 7 % 3, 1, 0))


@pytest.mark.parametrize("writes", [4, 6, 9])
def test_few_writes_are_repeated_by_nothing_in_a_stream_of_flags(writes):
    found = [_echo(_stream_with_writes(Random(seed), writes, _flags)) for seed in range(40)]
    assert found == [None] * 40


def test_a_state_that_was_written_is_no_echo():
    said = _stream_with_writes(Random(1), 9, lambda random, second, state: bytes((state, 0, 0, 0)))
    assert _echo(said) is None


def test_a_few_rare_registers_are_enough():
    said = []
    for number, register in enumerate((0x9A, 0x3C, 0xB7, 0x9A, 0x3C, 0xB7)):
        said += [
            (number, TO, bytes((0x55, 4, register))),
            (number + 0.1, FROM, bytes((0x55, register, number))),
        ]
    echo = _echo(said)
    assert echo is not None
    assert (echo.asked, echo.answered) == ((2,), (1,))


def test_a_start_mark_says_nothing_of_the_header():
    said = []
    for number in range(60):
        kind = bytes((number % 2 + 1,))
        said += [
            (number, TO, b"\x7c\x13\x10" + kind),
            (number + 0.1, FROM, b"\x7c\x13\x05" + kind + bytes(9)),
        ]
    said += [(61, TO, b"\xff\xaa\x15\x06123456"), (61.1, FROM, b"\xff\xaa\x15\x01\0")]
    messages = table(said)
    assert min(echo_headers(messages, np.zeros(len(messages), dtype=np.bool_)).values()) >= 4


def _numbered(count, lost=()):
    said = []
    for number in range(count):
        command = (1, 2, 3, 7)[number % 4]
        said.append((float(number), TO, bytes((0x68, number + 200 & 0xFF, command, 0))))
        if number not in lost:
            said.append(
                (number + 0.1, FROM, bytes((0x68, number + 200 & 0xFF, command | 0x80, 2, 5, number % 5)))
            )
    return said


def test_a_sequence_number_is_no_part_of_a_kind():
    messages = table(_numbered(200))
    lengths = np.full(len(messages), 3)
    names = {header_text(group.header, group.skipped) for group in group_messages(messages, lengths)}
    assert names == {f"68 ·· {command:02x}" for command in (1, 2, 3, 7, 0x81, 0x82, 0x83, 0x87)}
    assert len(group_messages(messages, 3)) == 400  # as the user wants it


def test_a_sequence_number_pairs_requests_with_replies():
    said = _numbered(200, lost=(20, 21, 90))
    found = find_pairs(table(said), np.full(len(said), 3))
    for row, partner in enumerate(found.partner.tolist()):
        if said[row][1] == FROM:
            assert said[partner][2][1] == said[row][2][1]
    assert sum(pair.unanswered for pair in found.pairs) == 3
    assert len(found.pairs) == 4


def test_registers_asked_for_in_turn_are_no_sequence_number():
    said = []
    for number in range(240):
        said.append((float(number), TO, bytes((0x55, 0x80 + number % 12, 1))))
        said.append((number + 0.1, FROM, bytes((0x55, 0x80 + number % 12, number % 12, 9))))
    messages = table(said)
    assert len(group_messages(messages, np.full(len(messages), 2))) == 24
