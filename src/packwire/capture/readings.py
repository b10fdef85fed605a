"""What recorded messages say: the model that fits a channel, and the values of each of its frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from packwire.direction import Direction
from packwire.models.heard import Heard
from packwire.models.protocol import ModelProtocol
from packwire.protocols import usable
from packwire.quantity import QUANTITIES, Value

#: Which of several models fits a channel is decided by so many of its frames.
_TRIAL = 50
#: So many different frames of a channel are remembered: packs repeat themselves.
_REMEMBERED = 4096
#: Volts that a cell can have.
_CELL = (0.0, 6.0)


@dataclass(frozen=True, slots=True)
class MessageReading:
    """What one message says: by which model, what it is, its values by quantity."""

    model: str
    name: str
    values: Mapping[str, Value]


@dataclass(slots=True)
class _Channel:
    """One channel: the models that know its frames, and how well each fits."""

    scores: dict[str, float] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    tried: int = 0
    best: ModelProtocol | None = None
    remembered: dict[bytes, MessageReading | None] = field(default_factory=dict)


class Readings:
    """Reads messages, channel by channel, in the order in which they came."""

    def __init__(self, models: Sequence[ModelProtocol]) -> None:
        self._models = {each.name: each for each in models}
        self._channels: dict[int, _Channel] = {}
        self._requests: dict[bytes, MessageReading | None] = {}

    @property
    def models(self) -> tuple[ModelProtocol, ...]:
        """Return the models that fit a channel so far."""
        best = {each.best.name: each.best for each in self._channels.values() if each.best}
        return tuple(best.values())

    def read(self, channel: int, direction: int, message: bytes) -> MessageReading | None:
        """Return what a message says; None where no model knows it."""
        if direction == Direction.TO_DEVICE:
            return self._request(message)
        state = self._channels.get(channel)
        if state is None:
            state = self._channels[channel] = _Channel()
        if state.tried < _TRIAL:
            return self._tried(state, message)
        best = state.best
        if best is None:
            return None
        if message in state.remembered:
            return state.remembered[message]
        reading = self._of(best, state.heard[best.name], message)
        if reading is not None and reading.name in best.asked_for:
            state.remembered.clear()  # what others say may depend on it
        if len(state.remembered) < _REMEMBERED:
            state.remembered[message] = reading
        return reading

    def _tried(self, state: _Channel, message: bytes) -> MessageReading | None:
        """Read with all models that know the frame; return what the one says that fits best so far."""
        state.tried += 1
        found: dict[str, MessageReading] = {}
        for model in self._models.values():
            if model.framing_of(message) is None:
                continue
            heard = state.heard.setdefault(model.name, Heard(model))
            taken = heard.take(message)
            if taken.model in self._models:  # it is another's
                state.scores[model.name] = state.scores.get(model.name, 0.0) - 2 * _TRIAL
                state.scores[taken.model] = state.scores.get(taken.model, 0.0) + _TRIAL
            elif taken.reply is not None:
                values = taken.values
                found[model.name] = MessageReading(model.name, taken.reply.name, values)
                fits = 1.0 + _plausible(values) - bool(taken.missing)
                state.scores[model.name] = state.scores.get(model.name, 0.0) + fits
        if state.scores:
            best = max(state.scores, key=lambda name: state.scores[name])
            state.best = self._models[best]
            state.heard.setdefault(best, Heard(self._models[best]))
            return found.get(best)
        return None

    def _of(self, model: ModelProtocol, heard: Heard, message: bytes) -> MessageReading | None:
        if model.framing_of(message) is None:
            return None
        taken = heard.take(message)
        if taken.reply is None:
            return None
        return MessageReading(model.name, taken.reply.name, taken.values)

    def _request(self, message: bytes) -> MessageReading | None:
        if message in self._requests:
            return self._requests[message]
        preferred = [*self.models, *(each for each in self._models.values() if each not in self.models)]
        reading = next((each for each in (_asked(model, message) for model in preferred) if each), None)
        if len(self._requests) < _REMEMBERED and (reading is None or self.models):
            self._requests[message] = reading
        return reading


def _asked(model: ModelProtocol, message: bytes) -> MessageReading | None:
    if model.framing_of(message) is None:
        return None
    question = model.question_of(message)
    if question is not None:
        return MessageReading(model.name, question.name, {})
    switched = model.switch_of(message)
    if switched is None:
        return None
    switch, number = switched
    word = next((name for name, value in switch.values.items() if value == number), str(number))
    return MessageReading(model.name, f"{switch.name}: {word}", {})


def _plausible(values: Mapping[str, Value]) -> float:
    """Return how much values look like those of a pack, from -1 to 1; 0 where there is nothing to look at."""
    cells = values.get("cell_voltages")
    if not isinstance(cells, tuple) or not cells:
        return 0.0
    low, high = _CELL
    numbers = [each for each in cells if isinstance(each, float | int)]
    if any(not low <= each <= high for each in numbers):
        return -1.0
    voltage, total = values.get("voltage"), sum(numbers)
    if isinstance(voltage, float | int) and abs(voltage - total) > 0.1 * max(total, 1.0):
        return -1.0
    return 1.0


def all_models() -> list[ModelProtocol]:
    """Return all models; those of the user's that are wrong are left out."""
    return [each for each in usable() if isinstance(each, ModelProtocol)]


def keys_of(models: Sequence[ModelProtocol]) -> list[str]:
    """Return the quantities that models know, in the order of the registry."""
    said = {
        saying.quantity.key
        for model in models
        for reply in model.replies
        for layout in reply.layouts
        for saying in layout.sayings
    }
    return [key for key in QUANTITIES if key in said]
