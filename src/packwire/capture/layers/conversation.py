"""Requests and replies: which reply answers which request, how long it took, and what was never answered.

Which reply is whose is `packwire.protocol.exchange`'s to say, here as everywhere; what answers what, the
protocol's. What only a reader of a whole recording knows comes on top: a device answers in order, and a
request that was sent again before its reply came makes that a late one.
"""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.messages import Direction, Int8s, Int64s, Messages
from packwire.protocol.exchange import Exchange, Replied
from packwire.protocol.observing import HeardRequest, HeardRule, Introduced, Observer

#: Of a request that was asked again, so many repetitions are looked at.
_MAX_REPEATS = 256


class Part(IntEnum):
    """What a message is in the conversation."""

    UNCLEAR = 0
    """Nobody knows which end is the device."""
    REQUEST = 1
    """A request that was answered."""
    UNANSWERED = 2
    ONE_WAY = 3
    """Sent to the device; a command that no device answers."""
    REPLY = 4
    LATE = 5
    """A reply that came after its request had been sent again."""
    UNSOLICITED = 6
    """From the device, without a request that it could answer."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages with their parts; the columns have one row for each message.

    part     int8, see `Part`
    partner  int64, row of the reply of a request, or of the request of a reply; -1 for none
    repeats  int64, how often the same request was sent again before its reply came (rows of requests)

    `nodes` are the devices that said who they are, `can_ids` those that the last search found (None: nobody
    searched, or there was no reply).
    """

    messages: Messages
    observer: Observer
    part: Int8s
    partner: Int64s
    repeats: Int64s
    nodes: dict[int | None, Introduced]
    can_ids: tuple[int, ...] | None

    def __len__(self) -> int:
        return len(self.part)

    @property
    def latency(self) -> Int64s:
        """Return ns from the request, for each row of a reply to a request; NO_TIME elsewhere."""
        time = self.messages.time
        replies = np.flatnonzero((self.part == Part.REPLY) | (self.part == Part.LATE))
        asked = self.partner[replies]
        known = (time[replies] != NO_TIME) & (time[asked] != NO_TIME)
        result = np.full(len(time), NO_TIME)
        result[replies[known]] = time[replies[known]] - time[asked[known]]
        return result


def converse(messages: Messages, observer: Observer) -> Conversation:
    """Pair the messages of one connection, which are in the order of time."""
    pairing = _Pairing(messages, observer)
    pairing.hear()
    for kind in pairing.asked:
        pairing.settle(kind)
    return pairing.conversation()


class _Pair(NamedTuple):
    """A request, and the row of its reply."""

    request: HeardRequest
    reply: int


class _Pairing:
    """Pairs the messages of one connection."""

    def __init__(self, messages: Messages, observer: Observer) -> None:
        count = len(messages)
        self._messages = messages
        self._observer = observer
        self._rule = HeardRule(observer)
        self._part = np.full(count, Part.UNCLEAR, dtype=np.int8)
        self._part[messages.direction == Direction.TO_DEVICE] = Part.ONE_WAY
        self._part[messages.direction == Direction.FROM_DEVICE] = Part.UNSOLICITED
        self._partner = np.full(count, -1, dtype=np.int64)
        self._repeats = np.zeros(count, dtype=np.int64)
        self.asked: defaultdict[Hashable, list[HeardRequest]] = defaultdict(list)
        """By what they ask for, the requests that expect a reply."""
        self._answered: defaultdict[Hashable, list[_Pair]] = defaultdict(list)
        self._telling: list[int] = []
        """The rows of replies that say something of the nodes that there are."""

    def hear(self) -> None:
        """Let the exchange engine hear everything."""
        exchange: Exchange[HeardRequest, bytes] = Exchange(self._rule)
        limits: dict[Hashable, int] = {}
        messages, kind_of, tells = self._messages, self._rule.kind, self._observer.tells_of_nodes
        to_device, from_device = int(Direction.TO_DEVICE), int(Direction.FROM_DEVICE)
        columns = (messages.direction.tolist(), messages.time.tolist(), messages.payloads())
        for row, (direction, time, payload) in enumerate(zip(*columns, strict=True)):
            if direction == to_device:
                request = HeardRequest(payload, row)
                kind = kind_of(request)
                if kind is not None:
                    if kind not in limits:
                        limits[kind] = int(self._observer.patience(payload) * 1e9)
                    self.asked[kind].append(request)
                    exchange.ask(time, request, limits[kind])
            elif direction == from_device:
                said = exchange.hear(time, payload)[-1]
                if isinstance(said, Replied):
                    self._answered[kind_of(said.request)].append(_Pair(said.request, row))
                    if tells(payload):
                        self._telling.append(row)

    def settle(self, kind: Hashable) -> None:
        """Give the replies, in their order, to the answered requests of a kind in theirs."""
        asked = self.asked[kind]
        requests = np.array([request.at for request in asked])
        self._part[requests] = Part.UNANSWERED
        pairs = self._in_order(self._answered[kind])
        if not pairs:
            return
        answered = np.array([pair.request.at for pair in pairs])
        replies = np.array([pair.reply for pair in pairs])
        self._partner[answered], self._partner[replies] = replies, answered
        self._repeats[answered] = again = self._repeated(asked, requests, answered, replies)
        self._part[answered] = Part.REQUEST
        self._part[replies] = np.where(again > 0, Part.LATE, Part.REPLY)

    def _in_order(self, pairs: list[_Pair]) -> list[_Pair]:
        """Uncross pairs, where each reply may still answer its request then; else those of equal requests."""
        pairs = sorted(pairs, key=lambda pair: pair.request.at)
        if all(one.reply < other.reply for one, other in pairwise(pairs)):
            return pairs
        crossed, uncrossed = set(pairs), _uncrossed(pairs)
        payload, answers = self._messages.payload, self._rule.answers
        if all(pair in crossed or answers(pair.request, payload(pair.reply)) for pair in uncrossed):
            return uncrossed
        alike: defaultdict[bytes, list[_Pair]] = defaultdict(list)
        for pair in pairs:
            alike[pair.request.message].append(pair)
        return [pair for own in alike.values() for pair in _uncrossed(own)]

    @staticmethod
    def _repeated(asked: list[HeardRequest], rows: Int64s, answered: Int64s, replies: Int64s) -> Int64s:
        """Return of each answered request how often it was sent again before its reply came."""
        first = np.searchsorted(rows, answered, side="right")
        behind = np.minimum(np.searchsorted(rows, replies), first + _MAX_REPEATS)
        result = np.zeros(len(answered), dtype=np.int64)
        for index in np.flatnonzero(behind > first).tolist():
            begin, end = int(first[index]), int(behind[index])
            own = asked[begin - 1].message
            result[index] = sum(each.message == own for each in asked[begin:end])
        return result

    def conversation(self) -> Conversation:
        """Return all, with what the replies say of the nodes that there are."""
        nodes: dict[int | None, Introduced] = {}
        found: tuple[int, ...] | None = None
        for row in self._telling:
            request, reply = self._messages.payload(int(self._partner[row])), self._messages.payload(row)
            node, numbers = self._observer.introduced(request, reply), self._observer.found(reply)
            if node is not None:
                nodes[node.can_id] = node
            found = found if numbers is None else numbers
        return Conversation(
            self._messages, self._observer, self._part, self._partner, self._repeats, nodes, found
        )


def _uncrossed(pairs: list[_Pair]) -> list[_Pair]:
    """Give the replies, in their order, to requests that are in theirs."""
    replies = sorted(pair.reply for pair in pairs)
    return [_Pair(pair.request, reply) for pair, reply in zip(pairs, replies, strict=True)]
