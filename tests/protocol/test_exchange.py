"""One engine pairs requests with replies: each message answers one request at most, whatever order they come in."""

from collections.abc import Hashable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from packwire.protocol.exchange import Damaged, Exchange, Lost, Patience, Replied, Unsolicited

SECOND = 1_000_000_000


class Echo:
    """A request is a letter and a number of its own; a message answers the same letter. `!` expects nothing."""

    parts = 1

    def kind(self, request: str) -> Hashable | None:
        return None if request.startswith("!") else request[0]

    def answers(self, request: str, message: str) -> bool:
        return request[0] == message[0]

    def continues(self, request: str, message: str, earlier: Sequence[str]) -> bool:
        return len(earlier) < self.parts


def told(exchange, *said):
    """Return the events of (seconds, `>` or `<`, text)."""
    events = []
    for seconds, way, text in said:
        time = round(seconds * SECOND)
        events += exchange.ask(time, text) if way == ">" else exchange.hear(time, text)
    return events


def pairs(events):
    return [(each.request, each.message) for each in events if isinstance(each, Replied)]


def test_a_reply_answers_one_request():
    events = told(Exchange(Echo()), (0, ">", "a1"), (0.1, "<", "a"), (0.2, "<", "a"))
    assert events == [Replied("a1", "a", round(0.1 * SECOND), late=False, part=0), Unsolicited("a")]


def test_requests_in_a_row_are_answered_by_what_they_ask_for_in_any_order():
    events = told(
        Exchange(Echo()),
        (0, ">", "a1"),
        (0.01, ">", "b1"),
        (0.02, ">", "c1"),
        (0.1, "<", "c"),
        (0.2, "<", "a"),
    )
    assert pairs(events) == [("c1", "c"), ("a1", "a")]


def test_equal_requests_in_a_row_are_answered_in_order():
    exchange = Exchange(Echo())
    told(exchange, (0, ">", "a0"), (0.1, "<", "a"))
    events = told(exchange, (1, ">", "a1"), (1.01, ">", "a2"), (1.1, "<", "a"), (1.11, "<", "a"))
    assert pairs(events) == [("a1", "a"), ("a2", "a")]


def test_a_lost_reply_does_not_shift_those_that_follow():
    exchange = Exchange(Echo())
    told(exchange, (0, ">", "a0"), (0.1, "<", "a"))
    events = told(exchange, (1, ">", "a1"), (2, ">", "a2"), (2.1, "<", "a"), (3, ">", "a3"), (3.1, "<", "a"))
    assert pairs(events) == [("a2", "a"), ("a3", "a")]
    assert exchange.close() == [Lost("a1")]


def test_a_late_reply_says_so_and_one_after_the_limit_answers_nothing():
    exchange = Exchange(Echo(), Patience(due=SECOND, limit=5 * SECOND))
    (late,) = told(exchange, (0, ">", "a1"), (1.3, "<", "a"))
    assert isinstance(late, Replied)
    assert late.late
    assert told(exchange, (10, ">", "b1"), (20, "<", "b")) == [Lost("b1"), Unsolicited("b")]


def test_a_reply_in_parts_goes_on_though_an_older_request_was_lost():
    rule = Echo()
    rule.parts = 3
    exchange = Exchange(rule)
    told(exchange, (0, ">", "a0"), *((0.1 + at / 100, "<", "a") for at in range(3)))
    events = told(exchange, (1, ">", "a1"), (2, ">", "a2"), *((2.1 + at / 100, "<", "a") for at in range(3)))
    assert pairs(events) == [("a2", "a")] * 3
    assert [each.part for each in events] == [0, 1, 2]


def test_what_began_before_a_request_does_not_answer_it():
    exchange = Exchange(Echo())
    exchange.ask(0, "a1")
    exchange.ask(3 * SECOND, "a2")
    events = exchange.hear(3 * SECOND + 1000, "a", begun=3 * SECOND - 1)
    assert events == [Replied("a1", "a", 3 * SECOND + 1000, late=True, part=0)]


def test_what_expects_no_reply_waits_for_none():
    assert told(Exchange(Echo()), (0, ">", "!"), (0.1, "<", "!")) == [Unsolicited("!")]


def test_a_damaged_message_answers_nothing():
    exchange = Exchange(Echo())
    exchange.ask(0, "a1")
    assert exchange.hear(1, "a", damaged=True) == [Damaged("a")]


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from("><"), st.sampled_from("abc")), max_size=300))
def test_nothing_is_counted_twice_and_nothing_vanishes(said):
    exchange = Exchange(Echo())
    now = 0
    asked: list[str] = []
    heard: list[str] = []
    events: list[Any] = []
    for number, (wait, way, letter) in enumerate(said):
        now += round(wait * SECOND)
        text = f"{letter}{number}"
        (asked if way == ">" else heard).append(text)
        events += exchange.ask(now, text) if way == ">" else exchange.hear(now, text)
    events += exchange.close()
    answered = [each.request for each in events if isinstance(each, Replied)]
    lost = [each.request for each in events if isinstance(each, Lost)]
    messages = [each.message for each in events if not isinstance(each, Lost)]
    assert sorted(answered + lost) == sorted(asked)
    assert sorted(messages) == sorted(heard)
    assert all(
        each.request[0] == each.message[0] and each.after >= 0 for each in events if isinstance(each, Replied)
    )


def test_memory_is_bounded_where_nobody_answers():
    exchange = Exchange(Echo())
    for number in range(10_000):
        exchange.ask(number, f"a{number}")
    assert len(pairs(told(exchange, *((0.001, "<", "a") for _ in range(200))))) <= 64
