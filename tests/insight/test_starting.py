"""What an app sent before a stream began: what is sent again by a draft, and what never is."""

import numpy as np
import pytest

from packwire.channel import Channel, Transport
from packwire.direction import Direction
from packwire.insight.starting import SentBefore, StartedStream, sent_before, start_lines
from packwire.messages import MessageRow, from_rows

#: A Tuesday, 2026-11-24, 14:03:20.
NOON = 1_795_529_000
WRITE = Channel(Transport.ATT, 16, "ffe1", "write")
NOTIFY = Channel(Transport.ATT, 16, "ffe1", "notify")
SUBSCRIPTION = Channel(Transport.ATT, 17, "2902", "write")
ON, ASK, SWITCH = b"\x01\x00", bytes.fromhex("aa 31 00 00 db"), bytes.fromhex("aa 44 01 00 ef")


def said(*messages):
    """Return a table of messages towards a device: seconds, channel and bytes of each."""
    rows, data = [], b""
    channels = (WRITE, NOTIFY, SUBSCRIPTION)
    for seconds, channel, payload in messages:
        time = NOON * 10**9 + round(seconds * 1e9)
        rows.append(
            MessageRow(time, Direction.TO_DEVICE, channels.index(channel), len(data), len(payload), ())
        )
        data += payload
    return from_rows(rows, channels, np.frombuffer(data, dtype=np.uint8), np.zeros(0, dtype=np.uint8))


def started(*messages, first=3.0):
    return sent_before(said(*messages), NOTIFY, NOON * 10**9 + round(first * 1e9))


def test_what_follows_the_subscription_and_precedes_the_stream_only_asks():
    (found,) = started((0.0, SUBSCRIPTION, ON), (0.5, WRITE, ASK))
    assert found == SentBefore(ASK, 2.5, asks=True)


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("nobody knows when the conversation began", [(0.5, WRITE, SWITCH)]),
        ("sent before the subscription", [(0.5, WRITE, SWITCH), (1, SUBSCRIPTION, ON)]),
        ("notifications were switched off", [(0, SUBSCRIPTION, b"\0\0"), (1, WRITE, SWITCH)]),
        ("a password in digits", [(0, SUBSCRIPTION, ON), (1, WRITE, b"\xaa\x15\x06123456\x44")]),
        ("a password in letters", [(0, SUBSCRIPTION, ON), (1, WRITE, b"\xaa\x15\x06secret\x44")]),
        ("seconds since 1970", [(0, SUBSCRIPTION, ON), (1, WRITE, b"\xaa" + NOON.to_bytes(4, "little"))]),
        ("the same, big-endian", [(0, SUBSCRIPTION, ON), (1, WRITE, b"\xaa\x01" + NOON.to_bytes(4))]),
        ("a date", [(0, SUBSCRIPTION, ON), (1, WRITE, bytes([0xAA, 26, 11, 24, 14, 3, 20]))]),
        ("a date in BCD", [(0, SUBSCRIPTION, ON), (1, WRITE, bytes.fromhex("aa 20 26 11 24 14"))]),
        (
            "so many that somebody does things",
            [(0, SUBSCRIPTION, ON), *((0.5 + at / 4, WRITE, bytes([0xAA, at])) for at in range(4))],
        ),
    ],
)
def test_what_may_set_something_is_told_apart(name, messages):
    assert not any(each.asks for each in started(*messages)), name


def test_what_came_long_before_is_not_told():
    assert started((0, SUBSCRIPTION, ON), (1, WRITE, ASK), first=60) == ()
    (late,) = started((0, SUBSCRIPTION, ON), (56, WRITE, SWITCH), first=60)
    assert not late.asks


def lines(*streams):
    return list(start_lines([StartedStream(name, before, 5) for name, before in streams], lambda frame: True))


def test_a_switch_that_was_moved_while_readings_came_is_never_sent():
    """A second kind of message begins right after a switch was moved: the first one was seen by then."""
    text = "\n".join(
        lines(
            ("readings", (SentBefore(ASK, 0.5, asks=True),)),
            ("events", (SentBefore(SWITCH, 0.1, asks=True),)),
        )
    )
    sending = [line for line in text.splitlines() if not line.startswith("#")]
    assert ASK.hex(" ") in "\n".join(sending)
    assert SWITCH.hex(" ") not in "\n".join(sending)
    assert SWITCH.hex(" ") in text


def test_where_the_last_frame_is_doubtful_nothing_is_sent():
    found = lines(("readings", (SentBefore(ASK, 1, asks=True), SentBefore(SWITCH, 0.2, asks=False))))
    assert found
    assert all(line.startswith("#") for line in found)
    assert lines() == []
