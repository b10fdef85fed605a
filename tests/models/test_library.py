"""Each model of the library by itself: its examples, its frames, its page."""

import pytest

from packwire.models.examples import problems
from packwire.models.load import model
from packwire.models.store import library


@pytest.mark.parametrize("name", library())
def test_its_examples_hold(name):
    assert list(problems(model(name))) == []


@pytest.mark.parametrize("name", library())
def test_what_it_sends_is_known_when_it_is_heard(name):
    protocol = model(name)
    for question in protocol.questions:
        if question.payload:
            assert protocol.question_of(question.payload) is question
            assert protocol.framing_of(question.payload) is not None


@pytest.mark.parametrize("name", library())
def test_each_reply_is_known_by_its_beginning(name):
    protocol = model(name)
    for reply in protocol.replies:
        said = dict(protocol.content.get("simulated", {}).get(reply.name, {}))
        if isinstance(said.get(reply.part), list):  # the numbers of its frames, in turn
            said[reply.part] = said[reply.part][0]
        frame = protocol.encode(reply.name, said)
        assert protocol.reply_of(frame) is not None, reply.name
        assert protocol.framing_of(frame) is not None, reply.name
