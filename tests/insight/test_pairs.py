"""Requests are paired with the messages that really answer them."""

from dataclasses import replace

import pytest

from packwire.channel import Channel
from packwire.insight.pairs import find_pairs
from tests.insight.tables import FROM, NOTIFY, TO, table


def _session(rounds=20):
    said = []
    for n in range(rounds):
        said += [(n, TO, b"\xdd\xa5\x03\x01"), (n + 0.08, FROM, b"\xdd\x03" + bytes([n, 1, 2, 3]))]
        said += [(n + 0.5, TO, b"\xdd\xa5\x04\x02")]
        if n != 7:
            said += [(n + 0.54, FROM, b"\xdd\x04" + bytes([n, 9]))]
    return said


def test_each_request_has_its_reply_and_latency():
    found = find_pairs(table(_session()))
    three, four = found.pairs
    assert three.request.header.endswith(b"\x03")
    (reply,) = three.replies
    assert (reply.group.header, reply.count) == (b"\xdd\x03", 20)
    assert reply.median == pytest.approx(0.08)
    assert three.unanswered == 0
    assert four.unanswered == 1
    assert four.replies[0].group.header == b"\xdd\x04"
    assert found.unasked == ()


def test_what_comes_by_itself_is_no_reply():
    said = sorted(
        [
            *_session(),
            (5.3, FROM, b"\x99\x01\x02\x03\x04\x05\x06"),
            (9.9, FROM, b"\x99\x01\x02\x03\x04\x05\x07"),
        ]
    )
    (unasked,) = find_pairs(table(said)).unasked
    assert unasked.header.startswith(b"\x99")


def test_nothing_said():
    assert find_pairs(table([])).pairs == ()


def test_a_burst_of_equal_requests_is_answered_behind_its_last():
    said = []
    for n in range(10):
        said += [
            (n, TO, b"\x5a\x01"),
            (n + 0.02, TO, b"\x5a\x01"),
            (n + 0.1, FROM, b"\x5a\x02"),
            (n + 0.1, FROM, b"\x5a\x02"),
        ]
    (pair,) = find_pairs(table(said)).pairs
    assert pair.unanswered == 0
    assert pair.replies[0].count == 20


def test_replies_to_requests_in_a_row_are_in_the_same_order():
    said = []
    for n in range(10):
        said += [(n, TO, b"\x32"), (n + 0.01, TO, b"\x80\x07")]
        said += [(n + 0.1, FROM, b"\x32" + bytes(3)), (n + 0.2, FROM, b"\x80" + bytes(9))]
    found = find_pairs(table(said), 1)
    replies = {pair.request.header: [each.group.header for each in pair.replies] for pair in found.pairs}
    assert replies == {b"\x32": [b"\x32"], b"\x80": [b"\x80"]}


def test_switching_notifications_on_is_no_request():
    messages = replace(table(_session()), channels=(NOTIFY, Channel.parse("att 0x0012 2902 write")))
    assert find_pairs(messages).pairs == ()
