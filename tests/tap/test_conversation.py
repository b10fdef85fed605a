"""What a tap hears: the same as is found in the finished recording."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from packwire.tap.conversation import LiveConversation, TapEvent, What
from packwire.vesc.framing import encode_frame
from tests.capture.vesc_session import ASK_BMS, ASK_VALUES, ASK_VERSION, PING, bms, controller, version, via
from tests.share.replay import every_session

SECOND = 1_000_000_000


def heard(*what: tuple[int, bytes], end: bool = True):
    """Say things a millisecond apart, as (side, payload); return what was heard."""
    conversation, now = LiveConversation(), 0
    events: list[TapEvent] = []
    for side, payload in what:
        now += SECOND // 1000
        events += conversation.feed(side, encode_frame(payload), now)
    if end:
        events += conversation.end(now)
    return events


def kinds(events):
    return [event.what for event in events]


def test_a_reply_belongs_to_its_request():
    events = heard((0, ASK_BMS), (1, bms()))
    assert kinds(events) == [What.REQUEST, What.REPLY]
    assert events[1].request == ASK_BMS
    assert events[1].latency == SECOND // 1000


def test_a_reply_of_another_controller_is_no_answer():
    events = heard((0, via(84, ASK_VALUES)), (1, controller(85)), (1, controller(84)))
    assert kinds(events) == [What.REQUEST, What.UNSOLICITED, What.REPLY]


def test_silence_is_told_after_a_while_and_at_the_end():
    conversation = LiveConversation()
    list(conversation.feed(0, encode_frame(PING), 0))
    assert list(conversation.tick(5 * SECOND)) == []
    assert kinds(conversation.tick(11 * SECOND)) == [What.UNANSWERED]
    assert kinds(heard((0, ASK_BMS), (0, ASK_VERSION), (1, version()))) == [
        What.REQUEST,
        What.REQUEST,
        What.REPLY,
        What.UNANSWERED,
    ]


def test_what_comes_unasked_and_what_expects_nothing_is_told_apart():
    alive, text = b"\x1e", b"\x15hello\0"
    assert kinds(heard((0, alive), (1, text))) == [What.ONE_WAY, What.UNSOLICITED]


def test_a_device_that_dials_its_hub_is_the_device():
    conversation = LiveConversation()
    events = list(conversation.feed(0, b"VESC:TESTPACK:secret42\n\0", 0))
    events += conversation.feed(1, encode_frame(ASK_BMS), 1)
    events += conversation.feed(0, encode_frame(bms()), 2)
    assert kinds(events) == [What.LOGIN, What.REQUEST, What.REPLY]
    assert events[0].login is not None
    assert events[0].login.device_id == "TESTPACK"
    assert "secret42" not in repr(events[0])
    assert [stats.junk for stats in conversation.stats] == [0, 0]


def test_a_question_to_a_hub_and_its_answer():
    conversation = LiveConversation()
    events = [*conversation.feed(0, b"PING:TESTPACK:0\n", 0), *conversation.feed(1, b"PONG\n", 1)]
    assert kinds(events) == [What.LOGIN, What.HUB_ANSWER]


def test_a_false_header_is_looked_behind_when_nothing_comes():
    conversation = LiveConversation()
    assert list(conversation.feed(1, b"\x03\x10\x00" + encode_frame(bms()), 0)) == []
    assert kinds(conversation.tick(SECOND)) == [What.UNSOLICITED]
    assert conversation.stats[1].abandoned == 1


@every_session
def test_every_recorded_session_is_heard_as_it_is_decoded(session):
    conversation = LiveConversation()
    events: list[TapEvent] = []
    for index, piece in enumerate(session.pieces):
        events += conversation.feed(piece.side, piece.data, index)
    events += conversation.end(len(session.pieces))
    counts: Counter[What] = Counter(kinds(events))
    asked = [event.payload for event in events if event.what in {What.REQUEST, What.ONE_WAY}]
    assert asked == [exchange.request for exchange in session.exchanges]
    assert counts[What.REPLY] == sum(exchange.reply is not None for exchange in session.exchanges)
    assert counts[What.UNSOLICITED] == len(session.unsolicited)


@given(st.lists(st.tuples(st.integers(0, 1), st.binary(min_size=1, max_size=60))), st.booleans())
def test_anything_at_all_is_taken(pieces, framed):
    conversation = LiveConversation()
    for index, (side, data) in enumerate(pieces):
        for event in conversation.feed(side, encode_frame(data) if framed else data, index):
            assert event.at == index
    list(conversation.tick(20 * SECOND))
    list(conversation.end(20 * SECOND))
    assert conversation.asked == conversation.answered + conversation.unanswered
