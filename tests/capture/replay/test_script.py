"""What answers what in a recording, in which order, and when it ends."""

from packwire.capture.replay.script import LONGEST_PAUSE, Due, RecordedReply, RecordedRequest, Script

SECOND = 1_000_000_000


def said(*texts, at=0):
    return [RecordedReply(at + number * SECOND // 10, 3, text) for number, text in enumerate(texts, 1)]


def texts(answer):
    return None if answer is None else [due.data for due in answer]


def test_each_answer_is_given_once_and_in_order():
    script = Script(
        [
            RecordedRequest(0, "who"), *said(b"me"),
            RecordedRequest(SECOND, "values"), *said(b"1", b"2", at=SECOND),
            RecordedRequest(2 * SECOND, "values"), *said(b"3", at=2 * SECOND),
        ]
    )  # fmt: skip
    assert texts(script.answer("who")) == [b"me"]
    assert texts(script.answer("values")) == [b"1", b"2"]
    assert texts(script.answer("who")) == [b"me"], "it is still the same device"
    assert texts(script.answer("values")) == [b"3"]
    assert not script.over
    assert script.answer("values") is None
    assert script.over


def test_what_was_never_asked_has_no_answer():
    script = Script([RecordedRequest(0, "values"), *said(b"1")])
    assert script.answer("other") == ()
    assert script.unknown == 1
    assert not script.over


def test_the_pace_is_that_of_the_recording_but_for_long_pauses():
    script = Script(
        [
            RecordedReply(0, 3, b"0"),
            RecordedRequest(SECOND, "x"),
            RecordedReply(SECOND + 5, 3, b"1"),
            RecordedReply(99 * SECOND, 4, b"2"),
        ]
    )
    assert script.unasked == (Due(0.0, 3, b"0"),)
    assert script.answer("x") == (Due(5e-9, 3, b"1"), Due(LONGEST_PAUSE, 4, b"2"))


def test_times_that_go_back_are_no_pause():
    script = Script([RecordedRequest(SECOND, "x"), RecordedReply(0, 3, b"1")])
    assert script.answer("x") == (Due(0.0, 3, b"1"),)


def test_an_empty_recording_has_no_answers():
    script = Script([])
    assert script.answer("x") == ()


def test_a_request_in_other_words_is_answered_like_one_that_is_alike():
    script = Script(
        [RecordedRequest(0, b"a1"), *said(b"1"), RecordedRequest(9, b"b1")], lambda key: str(key)[:3]
    )
    assert texts(script.answer(b"a7")) == [b"1"]
    assert script.answer(b"c1") == ()
    assert script.unknown == 1
