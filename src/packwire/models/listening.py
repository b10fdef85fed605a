"""What a model knows of messages that are only heard, and how it says them in words."""

from collections.abc import Callable, Hashable
from typing import Any, override

from packwire.models.protocol import ModelProtocol
from packwire.protocol.base import Protocol
from packwire.protocol.observing import Observer
from packwire.protocol.words import Words
from packwire.value_words import value_words
from packwire.visible import printable
from packwire.wire.codec import Span
from packwire.wire.family import Family


class ModelObserver(Observer):
    """What a model knows: its requests and its replies."""

    def __init__(self, protocol: ModelProtocol) -> None:
        super().__init__(protocol)
        self._model = protocol
        self._asked = {question.payload for question in protocol.questions}

    @property
    @override
    def family(self) -> Family:
        return self._model.family

    @override
    def number(self, message: bytes) -> int:
        """Return the place of the reply in the model; of what has none there, a number behind them all."""
        model = self._model
        question, reply = model.question_of(message), model.reply_of(message)
        name = question.replies[0] if question and question.replies else reply.name if reply else ""
        places = model.order_of_replies
        return places[name] if name in places else len(places) + super().number(message)

    @override
    def kind(self, request: bytes) -> Hashable | None:
        """Return what a request asks for; None where the model does not know it, nor what would answer it."""
        if self._model.question_of(request) is None and not self.family.answers:
            return None
        return super().kind(request)

    @override
    def acceptance(self, request: bytes) -> Callable[[bytes], bool]:
        family = self.family
        if self._model.question_of(request) is not None or not family.answers:
            return super().acceptance(request)
        return lambda message: family.is_answer(request, message)

    @override
    def asks_for_values(self, request: bytes) -> bool:
        question = self._model.question_of(request)
        return question is not None and question.reads_values

    @override
    def asks(self, message: bytes) -> bool | None:
        if message in self._asked:
            return True
        return False if self._model.reply_of(message) is not None else None


class ModelWords(Words):
    """What a model's fields say."""

    def __init__(self, protocol: ModelProtocol) -> None:
        super().__init__(protocol)
        self._model = protocol

    @override
    def fields(self, message: bytes) -> list[Span]:
        return self._model.spans(message)

    @override
    def reply(self, message: bytes, *, keep_secrets: bool) -> str:
        said = "  ".join(value_words(self.values(message, keep_secrets=keep_secrets) or {}))
        return printable(said) or self._some_bytes(message, keep_secrets=keep_secrets)

    @override
    def values(self, message: bytes, *, keep_secrets: bool) -> dict[str, Any] | None:
        return self._model.values(message if keep_secrets else self._model.mask(message)) or None


def observer_of(protocol: Protocol) -> Observer:
    """Return what is known of a protocol by those who only hear it."""
    return ModelObserver(protocol) if isinstance(protocol, ModelProtocol) else Observer(protocol)


def words_of(protocol: Protocol) -> Words:
    """Return a protocol's words for its messages."""
    return ModelWords(protocol) if isinstance(protocol, ModelProtocol) else Words(protocol)
