"""The table of messages: payloads in the file and put together, packets, selection, matrices."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.channel import Channel, Transport
from packwire.clock import NO_TIME
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


def several() -> Messages:
    """Return four messages of two channels, a second apart; nobody knows when the last one was."""
    channels = [Channel(Transport.ATT, 16, "ff01", "notify"), Channel(Transport.ATT, 18, "ff02", "write")]
    payloads = [b"\xdd\xa5\x03", b"\xdd\x03\x00", b"\xdd\xa5\x04", b"\x01"]
    times = [0, 10**9, 2 * 10**9, NO_TIME]
    rows = [
        MessageRow(
            time,
            Direction.TO_DEVICE if at % 2 == 0 else Direction.FROM_DEVICE,
            1 - at % 2,
            3 * at,
            len(each),
            [at + 1],
        )
        for at, (time, each) in enumerate(zip(times, payloads, strict=True))
    ]
    empty = np.zeros(0, dtype=np.uint8)
    return from_rows(rows, channels, np.frombuffer(b"".join(payloads), np.uint8), empty)


def test_its_repr_is_short():
    assert repr(several()) == "<4 messages, 2.0 s, on att 0x0010 ff01 notify, att 0x0012 ff02 write>"
    assert repr(several()[:0]) == "<0 messages, on no channel>"


def test_one_message_and_all_of_them():
    messages = several()
    first, last = messages[0], messages[-1]
    assert first.when == datetime(1970, 1, 1, tzinfo=UTC)
    assert (first.direction, str(first.channel), first.payload) == (
        Direction.TO_DEVICE, "att 0x0012 ff02 write", b"\xdd\xa5\x03"
    )  # fmt: skip
    assert (last.when, last.packets) == (None, (4,))
    assert [message.payload for message in messages] == list(messages.payloads())
    assert list(messages[1:3].payloads()) == list(messages.payloads())[1:3]
    assert list(messages[messages.size == 1].payloads()) == [b"\x01"]
    with pytest.raises(IndexError):
        messages[4]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({"prefix": b"\xdd\xa5"}, [0, 2]),
        ({"channel": "FF01"}, [1, 3]),
        ({"channel": ["ff01", "ff02"], "direction": Direction.TO_DEVICE}, [0, 2]),
        ({"begin": 10**9}, [1, 2]),
        ({"end": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)}, [0, 1]),
        ({"prefix": b"nothing"}, []),
        ({}, [0, 1, 2, 3]),
    ],
)
def test_choosing_by_what_is_known(options, rows):
    messages = several()
    assert list(messages.where(**options).payloads()) == [messages.payload(row) for row in rows]


def test_as_a_table_of_pyarrow():
    pytest.importorskip("pyarrow")
    table = several().to_arrow()
    assert table.column_names == ["time", "direction", "channel", "size", "data", "packets"]
    assert table["direction"].to_pylist() == ["to device", "from device", "to device", "from device"]
    assert table["time"].null_count == 1
    assert table["packets"].to_pylist() == [[1], [2], [3], [4]]


def test_as_a_frame_of_pandas():
    pytest.importorskip("pandas")
    frame = several().to_pandas()
    assert list(frame["size"]) == [3, 3, 3, 1]
    assert frame["time"].isna().tolist() == [False, False, False, True]
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]"
