"""What recorded messages say: the model that fits a channel, and the values of each of its frames."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from packwire.channel import Channel, Transport
from packwire.direction import Direction
from packwire.messages import Messages
from packwire.models.heard import Heard
from packwire.models.protocol import ModelProtocol
from packwire.models.replies import EXTENDED, said_by_each
from packwire.protocols import usable
from packwire.quantity import QUANTITIES, Value
from packwire.wire.matrix import values_of

#: The channel of all frames of a CAN bus: their identifiers tell them apart.
BUS = -1
#: Which of several models fits a channel is decided by so many of its frames.
_TRIAL = 50
#: So many different frames of a channel are remembered: packs repeat themselves.
_REMEMBERED = 4096
#: Anybody's frame of CAN may have an identifier that a model knows; three are no accident.
_LEAST_KINDS = 3
#: Volts that a cell can have, and that one has which is well.
_CELL, _LIVING_CELL = (0.0, 6.0), (1.0, 5.0)
#: Cells make the voltage of their pack but for so much of it, and their spread but for so many volts.
_SUM_WITHIN, _SPREAD_WITHIN = 0.02, 0.003
#: So many messages are read at once, where what each says does not depend on the others.
_AT_ONCE = 8192
#: Fewer messages of a kind are read as quickly one by one.
_MANY = 64
#: So many messages are looked at to tell models apart.
_LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class MessageReading:
    """What one message says: by which model, what it is, its values by quantity."""

    model: str
    name: str
    values: Mapping[str, Value]


@dataclass(slots=True)
class _Channel:
    """One channel: the models that know its frames, and how well each fits."""

    models: Mapping[str, ModelProtocol]
    least: int = 0
    """So many different messages of a model must have come before it is taken."""
    kinds: dict[str, set[str]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    tried: int = 0
    best: ModelProtocol | None = None
    remembered: dict[bytes, MessageReading | None] = field(default_factory=dict)


class TableReadings:
    """Reads the messages of one table, by what their channels are."""

    def __init__(self, readings: "Readings", messages: Messages) -> None:
        self._readings = readings
        self._messages = messages
        self._identifiers = [_identifier(each) for each in messages.channels]
        self._ways = list(zip(messages.channel.tolist(), messages.direction.tolist(), strict=True))
        self._foreseen = 0

    def read(self, row: int, message: bytes) -> MessageReading | None:
        """Return what the message of a row says; None where no model knows it. Rows are read in order."""
        channel, direction = self._ways[row]
        identifier = self._identifiers[channel]
        if identifier:
            return self._readings.read(BUS, direction, identifier + message)
        if row >= self._foreseen and self._readings.foresees(channel):
            self._foresee(row)
        return self._readings.read(channel, direction, message)

    def _foresee(self, row: int) -> None:
        """Have the next messages from devices read at once."""
        self._foreseen = row + _AT_ONCE
        heard: dict[int, list[bytes]] = {}
        for at, (channel, direction) in enumerate(self._ways[row : row + _AT_ONCE], row):
            if direction != Direction.TO_DEVICE and not self._identifiers[channel]:
                heard.setdefault(channel, []).append(self._messages.payload(at))
        for channel, messages in heard.items():
            self._readings.foresee(channel, messages)


def _identifier(channel: Channel) -> bytes:
    """Return the identifier of CAN frames, as models have it before their data; empty: it is no CAN frame."""
    if channel.transport is not Transport.CAN or channel.handle is None:
        return b""
    return (channel.handle | EXTENDED * channel.extended).to_bytes(4)


class Readings:
    """Reads messages, channel by channel, in the order in which they came; `BUS` are all frames of CAN."""

    def __init__(self, models: Sequence[ModelProtocol]) -> None:
        self._on_bus = {each.name: each for each in models if each.can}
        self._models = {each.name: each for each in models if not each.can}
        self._channels: dict[int, _Channel] = {}
        self._requests: dict[bytes, MessageReading | None] = {}

    @property
    def models(self) -> tuple[ModelProtocol, ...]:
        """Return the models that fit a channel so far."""
        best = {each.best.name: each.best for each in self._channels.values() if each.best}
        return tuple(best.values())

    def read(self, channel: int, direction: int, message: bytes) -> MessageReading | None:
        """Return what a message says; None where no model knows it."""
        if direction == Direction.TO_DEVICE and channel != BUS:
            return self._request(message)
        state = self._channels.get(channel)
        if state is None:
            on_bus = channel == BUS
            state = _Channel(self._on_bus, _LEAST_KINDS) if on_bus else _Channel(self._models)
            self._channels[channel] = state
        if state.tried < (_TRIAL if state.best or not state.least else _LOOKED_AT):
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

    def foresees(self, channel: int) -> bool:
        """Tell whether the model of a channel is known, and each message says all of what it says itself."""
        state = self._channels.get(channel)
        return bool(state and state.best and state.tried >= _TRIAL and not state.best.asked_for)

    def foresee(self, channel: int, messages: Iterable[bytes]) -> None:
        """Read the messages from a device that will be asked for next, all of a kind and length at once."""
        if not self.foresees(channel):
            return
        state = self._channels[channel]
        model = state.best
        assert model is not None
        state.remembered.clear()
        alike: dict[tuple[str, int], list[bytes]] = {}
        for message in dict.fromkeys(messages):
            reply = model.reply_of(message)
            if reply is not None and reply.stands_alone and model.framing_of(message) is not None:
                alike.setdefault((reply.name, len(message)), []).append(message)
        for (name, _), group in alike.items():
            if len(group) < _MANY:
                continue
            layout = model.reply(name).layouts[0]
            data = [model.data(message) for message in group]
            matrix = np.frombuffer(b"".join(data), dtype=np.uint8).reshape(len(group), len(data[0]))
            columns = values_of(layout.codec, matrix)
            if columns is None:
                continue
            for message, values in zip(group, said_by_each(layout, columns), strict=False):
                if values:
                    state.remembered[message] = MessageReading(model.name, name, values)

    def _tried(self, state: _Channel, message: bytes) -> MessageReading | None:
        """Read with all models that know the frame; return what the one says that fits best so far."""
        state.tried += 1
        found: dict[str, MessageReading] = {}
        for model in state.models.values():
            if model.framing_of(message) is None:
                continue
            heard = state.heard.setdefault(model.name, Heard(model))
            taken = heard.take(message)
            if taken.model in state.models:  # it is another's
                state.scores[model.name] = state.scores.get(model.name, 0.0) - 2 * _TRIAL
                state.scores[taken.model] = state.scores.get(taken.model, 0.0) + _TRIAL
            elif taken.reply is not None:
                values = taken.values
                found[model.name] = MessageReading(model.name, taken.reply.name, values)
                fits = 1.0 + _plausible(values) - bool(taken.missing)
                state.scores[model.name] = state.scores.get(model.name, 0.0) + fits
                if state.least:
                    state.kinds.setdefault(model.name, set()).add(taken.reply.name)
        if state.scores:
            best = max(state.scores, key=lambda name: state.scores[name])
            if len(state.kinds.get(best, ())) < state.least:
                return None
            state.best = state.models[best]
            state.heard.setdefault(best, Heard(state.models[best]))
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


@dataclass(slots=True)
class _Candidate:
    """What recorded messages say for a model and against it."""

    heard: Heard
    asked: int = 0
    """Requests that are the model's own."""
    known: int = 0
    right: int = 0
    wrong: int = 0
    excluded: bool = False
    """The device's own version says that it is another model's."""

    def take(self, message: bytes) -> None:
        """Take a message from the device."""
        taken = self.heard.take(message)
        if taken.model:
            self.excluded = True
        elif taken.reply is not None:
            self.known += 1
            consistent = _consistent(taken.values)
            self.right += consistent is True
            self.wrong += consistent is False


def told_apart(
    models: Sequence[ModelProtocol], messages: Iterable[tuple[Direction, bytes]]
) -> Sequence[ModelProtocol]:
    """Return those of some models that recorded messages may be of; one where they leave no doubt.

    What speaks against a model: that none of its replies came or that other models' requests were asked, what
    the device says of its version, and cells that do not make the voltage or the spread that stand beside
    them.
    """
    found = {each.name: _Candidate(Heard(each)) for each in models}
    for direction, message in islice(messages, _LOOKED_AT):
        for model in models:
            if model.framing_of(message) is None:
                continue
            if direction == Direction.TO_DEVICE:
                found[model.name].asked += model.question_of(message) is not None
            else:
                found[model.name].take(message)
    left = [each for each in models if found[each.name].known and not found[each.name].excluded]
    left = [each for each in left if found[each.name].asked] or left
    return [each for each in left if found[each.name].right > found[each.name].wrong] or left


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


def _consistent(values: Mapping[str, Value]) -> bool | None:
    """Tell whether cells make what stands beside them, or None where nothing does."""
    cells = values.get("cell_voltages")
    if not isinstance(cells, tuple) or not cells:
        return None
    numbers = [float(each) for each in cells if isinstance(each, float | int)]
    voltage, spread = values.get("voltage"), values.get("cell_voltage_spread")
    low, high = _LIVING_CELL
    if any(not low <= each <= high for each in numbers):
        return False
    beside: list[bool] = []
    if isinstance(voltage, float | int):
        beside.append(abs(voltage - sum(numbers)) <= _SUM_WITHIN * sum(numbers))
    if isinstance(spread, float | int):
        beside.append(abs(spread - (max(numbers) - min(numbers))) <= _SPREAD_WITHIN)
    return all(beside) if beside else None


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
