"""Requests and replies: which reply answers which request, how long it took, and what was never answered.

VESC replies bear no sequence number and, but for some, no sender. A reply belongs to a request with the same
command (of a forwarded request: the inner command); where a reply does carry its controller's id or its
request's mask, that must fit too. Of several requests that wait, a device answers the first one first. A
request that was repeated because nothing came stays unanswered if only one reply comes.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import NO_TIME
from packwire.messages import Direction, Int8s, Int64s, Messages
from packwire.vesc.commands import Command
from packwire.vesc.replies import LAYOUTS, FwVersion, decode_reply
from packwire.vesc.requests import unwrap
from packwire.vesc.secrets import mask_payload
from packwire.vesc.traits import expects_reply, traits

#: A reply later than this is not taken for the answer to a request, in seconds: the worst seen over a public
#: hub is half a second, PING_CAN takes up to 5. Erasing flash and detecting a motor take their time.
PATIENCE = 10.0
_SLOW_PATIENCE = 180.0

#: How many waiting requests of one kind are remembered, and how many kinds of one command.
_MAX_WAITING = 256
_MAX_KINDS = 64


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


class Node(NamedTuple):
    """What FW_VERSION told of a node; `can_id` is None for the device at the end of the link."""

    can_id: int | None
    hardware: int | None
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages with their parts; the columns have one row for each message.

    part     int8, see `Part`
    partner  int64, row of the reply of a request, or of the request of a reply; -1 for none
    repeats  int64, how often the same request was sent again before its reply came (rows of requests)

    `nodes` are the devices that said who they are, `can_ids` those that answered the last PING_CAN (None: it
    was not asked or not answered).
    """

    messages: Messages
    part: Int8s
    partner: Int64s
    repeats: Int64s
    nodes: dict[int | None, Node]
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


def converse(messages: Messages) -> Conversation:
    """Pair the messages of one connection, which are in the order of time."""
    return _Pairing(messages).conversation()


def _commands(messages: Messages) -> Int64s:
    """Return the command that each message is about: of a forwarded request the inner one; -1: none."""
    command = _bytes_at(messages, np.arange(len(messages)), 0)
    forwarded = np.flatnonzero((command == Command.FORWARD_CAN) & (messages.direction == Direction.TO_DEVICE))
    command[forwarded] = _bytes_at(messages, forwarded, 2)
    for row in forwarded[command[forwarded] == Command.FORWARD_CAN].tolist():
        _, inner = unwrap(messages.payload(row))
        command[row] = inner[0] if inner else -1
    return command


def _bytes_at(messages: Messages, rows: Int64s, offset: int) -> Int64s:
    """Return one byte of each message, -1 where it is shorter."""
    result = np.full(len(rows), -1, dtype=np.int64)
    long_enough = messages.size[rows] > offset
    start = messages.start[rows] + offset
    in_file = long_enough & (messages.start[rows] < len(messages.data))
    put_together = long_enough & ~in_file
    result[in_file] = messages.data[start[in_file]]
    result[put_together] = messages.joined[start[put_together] - len(messages.data)]
    return result


class _Question(NamedTuple):
    """A request that waits for its reply."""

    row: int
    time: int


class _Sign(NamedTuple):
    """What request and reply have in common besides the command: the mask, and the controller's id."""

    mask: int | None = None
    sender: int | None = None


_NO_SIGN = _Sign()
_MASKED = frozenset(number for number, layout in LAYOUTS.items() if layout.mask is not None)
_SIGNED = frozenset(number for number, layout in LAYOUTS.items() if "controller_id" in layout.bits)


class _Pairing:
    """Pairs command by command: what follows its request at once all together, the rest one by one."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        count = len(messages)
        self._part = np.full(count, Part.UNCLEAR, dtype=np.int8)
        self._partner = np.full(count, -1, dtype=np.int64)
        self._repeats = np.zeros(count, dtype=np.int64)
        self._command = _commands(messages)

    def conversation(self) -> Conversation:
        """Pair everything."""
        to_device = self._messages.direction == Direction.TO_DEVICE
        from_device = self._messages.direction == Direction.FROM_DEVICE
        self._part[to_device] = Part.ONE_WAY
        self._part[from_device] = Part.UNSOLICITED
        rows = np.flatnonzero((to_device | from_device) & (self._command >= 0))
        rows = rows[np.argsort(self._command[rows], kind="stable")]
        begins = np.flatnonzero(np.diff(self._command[rows], prepend=-1))
        for of_command in np.split(rows, begins)[1:]:
            command = int(self._command[of_command[0]])
            asked = to_device[of_command]
            if expects_reply(command):
                self._part[of_command[asked]] = Part.UNANSWERED
                self._pair(command, of_command, asked)
        scans = self._replies_to(Command.PING_CAN)
        return Conversation(
            self._messages,
            self._part,
            self._partner,
            self._repeats,
            {node.can_id: node for node in self._nodes()},
            tuple(self._messages.payload(scans[-1])[1:]) if scans else None,
        )

    def _replies_to(self, command: Command) -> list[int]:
        answered = (self._part == Part.REPLY) | (self._part == Part.LATE)
        return np.flatnonzero(answered & (self._command == command)).tolist()

    def _nodes(self) -> Iterator[Node]:
        """Yield what the nodes said about themselves, in the order in which they said it."""
        for row in self._replies_to(Command.FW_VERSION):
            ids, _ = unwrap(self._messages.payload(int(self._partner[row])))
            decoded = decode_reply(mask_payload(self._messages.payload(row), private=False))
            if decoded is not None and isinstance(decoded.reply, FwVersion):
                said = decoded.reply
                yield Node(ids[-1] if ids else None, said.hw_type, said.hw_name or "", said.version)

    def _pair(self, command: int, rows: Int64s, asked: NDArray[np.bool_]) -> None:
        """Pair the requests and replies of one command."""
        if command in _MASKED or command in _SIGNED:
            by_sign = _pair_one_by_one(self._messages, command, rows, asked)
        else:
            # A reply right behind a request answers it, or one before it that is still to be answered.
            time = self._messages.time[rows]
            close = asked[:-1] & ~asked[1:] & (time[1:] - time[:-1] <= patience(command))
            at = np.flatnonzero(close)
            left = np.ones(len(rows), dtype=np.bool_)
            left[at] = left[at + 1] = False
            by_sign = _pair_one_by_one(self._messages, command, rows[left], asked[left])
            others = by_sign.get(_NO_SIGN, (np.zeros(0, dtype=np.int64),) * 2)
            by_sign = {
                _NO_SIGN: (
                    np.concatenate([rows[at], others[0]]),
                    np.concatenate([rows[at + 1], others[1]]),
                )
            }
        for questions, replies in by_sign.values():
            self._settle(np.sort(questions), np.sort(replies), rows[asked])

    def _settle(self, questions: Int64s, replies: Int64s, asked: Int64s) -> None:
        """Give the replies, in their order, to the answered questions of one kind in theirs."""
        self._partner[questions], self._partner[replies] = replies, questions
        self._part[questions], self._part[replies] = Part.REQUEST, Part.REPLY
        first = np.searchsorted(asked, questions, side="right")
        between = np.searchsorted(asked, replies) - first
        if not between.any():
            return
        numbers: dict[bytes, int] = {}
        payload = [self._messages.payload(row) for row in asked.tolist()]
        number = np.array([numbers.setdefault(each, len(numbers)) for each in payload])
        for index in np.flatnonzero(between).tolist():
            begin = int(first[index])
            others = number[begin : begin + min(int(between[index]), _MAX_WAITING)]
            repeats = int(np.count_nonzero(others == number[begin - 1]))
            if repeats:
                self._repeats[questions[index]] = repeats
                self._part[replies[index]] = Part.LATE


def _pair_one_by_one(
    messages: Messages, command: int, rows: Int64s, asked: NDArray[np.bool_]
) -> dict[_Sign, tuple[Int64s, Int64s]]:
    """Pair requests and replies of one command in the order of time; return the pairs by their sign.

    A reply is taken for that to the last request that waits: so the first ones stay unanswered where replies
    are missing, and of those that are answered, `_settle` makes the first the first.
    """
    waiting: dict[_Sign, deque[_Question]] = {}
    pairs: defaultdict[_Sign, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    limit = patience(command)
    columns = (rows.tolist(), asked.tolist(), messages.time[rows].tolist())
    for row, is_request, time in zip(*columns, strict=True):
        if is_request:
            sign = _request_sign(command, messages, row)
            if sign not in waiting:
                if len(waiting) == _MAX_KINDS:
                    del waiting[next(iter(waiting))]
                waiting[sign] = deque(maxlen=_MAX_WAITING)
            waiting[sign].append(_Question(row, time))
        elif waiting:
            answered = _who_waits(waiting, _reply_sign(command, messages, row), time - limit)
            if answered is not None:
                questions, replies = pairs[answered]
                questions.append(waiting[answered].pop().row)
                replies.append(row)
    return {sign: (np.array(pair[0]), np.array(pair[1])) for sign, pair in pairs.items()}


def _who_waits(waiting: dict[_Sign, deque[_Question]], reply: _Sign, since: int) -> _Sign | None:
    """Return which kind of question a reply answers: one that names its sender, else any that fits.

    Questions asked before `since` are forgotten. Of several kinds that fit, the one asked last counts.
    """
    fitting: list[tuple[bool, int, _Sign]] = []
    for sign, questions in waiting.items():
        while questions and questions[0].time < since:
            questions.popleft()
        fits = sign.mask in (None, reply.mask) and (
            sign.sender is None or reply.sender in (None, sign.sender)
        )
        if questions and fits:
            fitting.append((sign.sender is not None, questions[-1].row, sign))
    return max(fitting, key=lambda kind: kind[:2])[2] if fitting else None


def patience(command: int) -> int:
    """Return for how many ns after a request its reply may come."""
    slow = (traits(command).takes or 0.0) > PATIENCE
    return int((_SLOW_PATIENCE if slow else PATIENCE) * 1e9)


def _request_sign(command: int, messages: Messages, row: int) -> _Sign:
    if command not in _MASKED and command not in _SIGNED:
        return _NO_SIGN
    ids, request = unwrap(messages.payload(row))
    mask = int.from_bytes(request[1:5]) if command in _MASKED else None
    return _Sign(mask, ids[-1] if ids and command in _SIGNED else None)


def _reply_sign(command: int, messages: Messages, row: int) -> _Sign:
    if command not in _MASKED and command not in _SIGNED:
        return _NO_SIGN
    fields = LAYOUTS[command].decode(messages.payload(row)).reply
    return _Sign(getattr(fields, "mask", None), getattr(fields, "controller_id", None))
