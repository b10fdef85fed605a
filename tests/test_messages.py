"""The table of messages: payloads in the file and put together, packets, selection, matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.channel import Channel, Transport
from packwire.messages import Direction, MessageRow, Messages, from_rows


def table(payloads: list[bytes], joined_from: int) -> Messages:
    """Put the first payloads in the file (after a header) and those from `joined_from` in the second segment."""
    data, joined, rows = b"HEADER", b"", []
    size_of_file = len(data) + sum(map(len, payloads[:joined_from]))
    for index, payload in enumerate(payloads):
        start = len(data) if index < joined_from else size_of_file + len(joined)
        if index < joined_from:
            data += payload
        else:
            joined += payload
        rows.append(
            MessageRow(index, Direction.TO_DEVICE, 0, start, len(payload), range(index, index + index % 3))
        )
    return from_rows(
        rows, [Channel(Transport.TCP)], np.frombuffer(data, np.uint8), np.frombuffer(joined, np.uint8)
    )


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=20), st.integers(0, 20), st.data())
def test_payloads_and_packets_survive_selection(payloads, joined_from, data):
    messages = table(payloads, min(joined_from, len(payloads)))
    assert list(messages.payloads()) == payloads
    rows = data.draw(st.lists(st.integers(0, max(0, len(payloads) - 1)), max_size=10)) if payloads else []
    picked = messages.select(np.array(rows, dtype=np.int64))
    assert list(picked.payloads()) == [payloads[row] for row in rows]
    assert [picked.packets_of(i) for i in range(len(rows))] == [tuple(range(r, r + r % 3)) for r in rows]


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(0, 20), st.data())
def test_payloads_come_in_one_piece_as_well(payloads, joined_from, data):
    messages = table(payloads, min(joined_from, len(payloads)))
    rows = data.draw(st.lists(st.integers(0, max(0, len(payloads) - 1)), max_size=10)) if payloads else []
    assert messages.stream(np.array(rows, dtype=np.int64)) == b"".join(payloads[row] for row in rows)


def test_long_payloads_come_in_one_piece_as_well():
    payloads = [bytes([number]) * 100_000 for number in range(5)]
    assert table(payloads, 5).stream(np.arange(5)) == b"".join(payloads)


def test_a_mask_selects():
    messages = table([b"ab", b"cd", b"ef"], 2)
    assert list(messages.select(np.array([True, False, True])).payloads()) == [b"ab", b"ef"]


def test_equal_lengths_make_a_matrix():
    assert table([b"ab", b"cd", b"ef"], 2).matrix().tolist() == [[97, 98], [99, 100], [101, 102]]
    assert table([], 0).matrix().shape == (0, 0)


def test_different_lengths_make_none():
    with pytest.raises(ValueError, match="group them by size"):
        table([b"a", b"bc"], 1).matrix()
