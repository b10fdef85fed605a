"""Which reply answers which request: in order, out of order, late, never, and unasked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.layers.conversation import Conversation, Part
from packwire.capture.layers.spoken import read_vesc
from packwire.capture.layers.tcp import Connections
from packwire.capture.packets import NO_TIME
from packwire.vesc.requests import unwrap
from tests.capture.builder import connections, interface, read, section, simple
from tests.capture.vesc_session import (
    ASK_BMS,
    ASK_VALUES,
    ASK_VERSION,
    PING,
    VescSession,
    bms,
    controller,
    version,
    via,
)


def converse(session: VescSession) -> Conversation:
    (vesc,) = read_vesc(connections(session.packets)).connections
    return vesc.conversation


def parts(conversation: Conversation) -> str:
    """Return the parts as letters: question, no answer, one way, reply, late, unasked, unclear."""
    return "".join("?qnorlu"[part] for part in conversation.part.tolist())


def pairs(conversation: Conversation) -> list[tuple[int, int]]:
    return [(row, partner) for row, partner in enumerate(conversation.partner.tolist()) if row < partner]


def session() -> VescSession:
    return VescSession().open()


def test_a_request_and_its_reply():
    talk = converse(session().ask(ASK_BMS).wait(0.097).answer(bms()))
    assert parts(talk) == "qr"
    assert pairs(talk) == [(0, 1)]
    assert talk.latency.tolist() == [NO_TIME, 98_000_000]
    assert talk.repeats.tolist() == [0, 0]


def test_replies_of_other_commands_come_in_between():
    talk = converse(session().ask(PING).ask(ASK_BMS).answer(bms()).wait(4.9).answer(b"\x3e\x0a\x54"))
    assert pairs(talk) == [(0, 3), (1, 2)]
    assert talk.can_ids == (10, 84)


def test_a_forwarded_request_is_answered_by_the_inner_command():
    talk = converse(session().ask(via(84, ASK_VALUES)).answer(controller(84)))
    assert pairs(talk) == [(0, 1)]


def test_forwarding_may_be_nested():
    assert unwrap(via(1, via(2, ASK_BMS))) == ((1, 2), ASK_BMS)
    assert pairs(converse(session().ask(via(1, via(2, ASK_BMS))).answer(bms()))) == [(0, 1)]


@pytest.mark.parametrize(("payload", "expected"), [
    (b"", ((), b"")),
    (b"\x22", ((), b"")),
    (b"\x22\x05", ((5,), b"")),
    (b"\x22\x05\x22", ((5,), b"")),
    (b"\x22" * 7, ((34, 34, 34), b"")),
    (b"\x60", ((), b"\x60")),
])  # fmt: skip
def test_forwarding_without_a_request(payload, expected):
    assert unwrap(payload) == expected


def test_several_requests_are_answered_in_their_order():
    talk = converse(
        session().ask(ASK_BMS).ask(ASK_BMS).ask(ASK_BMS).answer(bms(80)).answer(bms(81)).answer(bms(82))
    )
    assert pairs(talk) == [(0, 3), (1, 4), (2, 5)]
    assert parts(talk) == "qqqllr", "all but the last were asked again before their replies came"


def test_a_repeated_request_of_which_one_is_answered_was_lost_the_first_time():
    talk = converse(session().ask(ASK_BMS).wait(2).ask(ASK_BMS).answer(bms()).ask(ASK_BMS).answer(bms()))
    assert parts(talk) == "nqrqr"
    assert pairs(talk) == [(1, 2), (3, 4)], "one lost reply must not shift all that follow"


def test_a_reply_behind_the_retry_is_late():
    talk = converse(session().ask(ASK_BMS).wait(2).ask(ASK_BMS).answer(bms()).answer(bms()))
    assert parts(talk) == "qqlr"
    assert pairs(talk) == [(0, 2), (1, 3)]
    assert talk.repeats.tolist() == [1, 0, 0, 0]


def test_another_request_meanwhile_is_no_retry():
    talk = converse(session().ask(via(84, ASK_BMS)).ask(ASK_BMS).answer(bms()).answer(bms()))
    assert parts(talk) == "qqrr"


def test_a_reply_that_names_its_sender_belongs_to_that_node():
    talk = converse(
        session()
        .ask(via(84, ASK_VALUES))
        .ask(via(85, ASK_VALUES))
        .answer(controller(85))
        .answer(controller(84))
    )
    assert pairs(talk) == [(0, 3), (1, 2)]


def test_a_node_that_was_not_asked_answers_nothing():
    talk = converse(session().ask(via(84, ASK_VALUES)).answer(controller(99)))
    assert parts(talk) == "nu"


def test_a_reply_repeats_the_mask_of_its_request():
    few, many = b"\x32\0\0\0\x03", b"\x32\0\0\0\x0f"
    reply_few, reply_many = few + bytes(4), many + bytes(12)
    talk = converse(session().ask(few).ask(many).answer(reply_many).answer(reply_few))
    assert pairs(talk) == [(0, 3), (1, 2)]


def test_the_mask_of_get_stats_is_wider_in_the_reply():
    talk = converse(session().ask(b"\x80\x00\x03").answer(b"\x80\0\0\0\x03" + bytes(8)))
    assert pairs(talk) == [(0, 1)]


def test_a_reply_after_all_patience_is_unasked():
    assert parts(converse(session().ask(ASK_BMS).wait(11).answer(bms()))) == "nu"
    erase = b"\x02" + bytes(4)
    assert (
        parts(converse(session().ask(ASK_BMS).answer(bms()).ask(erase).wait(60).answer(b"\x02\x01")))
        == "qrqr"
    )


@pytest.mark.parametrize("payload", [b"\x15text", b"\x87lisp", b"\x71\x0a\x26" + bytes(4)])
def test_packets_that_come_by_themselves(payload):
    talk = converse(session().ask(ASK_BMS).answer(payload).answer(bms()))
    assert parts(talk) == "qur"


def test_a_reply_that_nobody_asked_for():
    assert parts(converse(session().answer(bms()).ask(ASK_BMS).answer(bms()))) == "uqr"


def test_commands_that_no_device_answers():
    assert parts(converse(session().ask(b"\x1e").ask(b"\x22\x05").ask(ASK_BMS).answer(bms()))) == "ooqr"


def test_a_command_that_nobody_knows_may_have_a_reply():
    assert parts(converse(session().ask(ASK_BMS).answer(bms()).ask(b"\xc8").answer(b"\xc8\x01"))) == "qrqr"


def test_nodes_say_who_they_are():
    talk = converse(
        session()
        .ask(ASK_VERSION).answer(version())
        .ask(via(84, ASK_VERSION)).answer(version(0, "75_300"))
        .ask(ASK_VERSION).answer(version(2, "newer"))
    )  # fmt: skip
    assert {key: (node.hardware, node.name) for key, node in talk.nodes.items()} == {
        None: (2, "newer"),
        84: (0, "75_300"),
    }


def test_without_times_there_are_pairs_but_no_latencies():
    packets = session().ask(ASK_BMS).answer(bms()).packets
    data = section() + interface() + b"".join(simple(packet) for packet in packets)
    (vesc,) = read_vesc(Connections(read(data))).connections
    assert pairs(vesc.conversation) == [(0, 1)]
    assert vesc.conversation.latency.tolist() == [NO_TIME, NO_TIME]


requests = st.sampled_from(
    [
        ASK_BMS,
        via(84, ASK_BMS),
        via(84, ASK_VALUES),
        ASK_VALUES,
        ASK_VERSION,
        b"\x32\0\0\0\x03",
        b"\x1e",
        b"\x22\x01",
    ]
)
replies = st.sampled_from(
    [bms(), controller(84), controller(9), version(), b"\x32\0\0\0\x03" + bytes(4), b"\x15x"]
)


@given(
    st.lists(
        st.tuples(st.booleans(), requests, replies, st.sampled_from([0, 0.1, 11])), min_size=1, max_size=30
    )
)
def test_whatever_is_said_pairs_are_pairs(rows):
    """Each reply has one request, asked before it, with the same command; and the other way round."""
    talk = session().ask(ASK_BMS).answer(bms())
    for asks, request, reply, seconds in rows:
        (talk.ask(request) if asks else talk.answer(reply)).wait(seconds)
    found = converse(talk)
    payloads = list(found.messages.payloads())
    for row, partner in enumerate(found.partner.tolist()):
        part = Part(int(found.part[row]))
        assert (partner >= 0) == (part in (Part.REQUEST, Part.REPLY, Part.LATE))
        if partner < 0:
            continue
        assert found.partner[partner] == row
        if part is Part.REQUEST:
            assert row < partner
            assert unwrap(payloads[row])[1][0] == payloads[partner][0]
            assert 0 <= found.latency[partner] <= 11 * 10**9 * len(rows)
    asked = sum(part in (Part.REQUEST, Part.UNANSWERED, Part.ONE_WAY) for part in found.part.tolist())
    assert asked == int((found.messages.direction == 1).sum())


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_as_many_as_can_be_are_answered(asks):
    """With one command and no long waits, pairing is that of brackets."""
    talk = session().ask(ASK_VERSION).answer(version())
    waiting = expected = 0
    for ask in asks:
        if ask:
            talk.ask(ASK_BMS)
            waiting += 1
        else:
            talk.answer(bms())
            expected += waiting > 0
            waiting -= waiting > 0
    found = converse(talk)
    rows = [(row, partner) for row, partner in pairs(found) if row > 1]
    assert len(rows) == expected
    assert [partner for _, partner in rows] == sorted(partner for _, partner in rows), (
        "the first are answered first"
    )
