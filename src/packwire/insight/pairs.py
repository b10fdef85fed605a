"""Requests and what comes back: which query commands the app sends, their replies and how long they take.

A request is a message towards the device. What the device says until the next request may be its reply;
which kind of message really is one is told by numbers: it follows at least half of the requests of that kind,
and clearly more often than it follows other requests. The rest comes by itself.
"""

from dataclasses import dataclass

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.direction import Direction
from packwire.insight.groups import Group, group_messages
from packwire.messages import Int64s, Messages

#: A reply follows so many of its requests ...
_MIN_SHARE = 0.5
#: ... and so many times as often as it follows other requests.
_MIN_LIFT = 1.2
#: In the channel of the descriptor that switches notifications on [Assigned Numbers, 3.7].
_SWITCH_ON = " 2902 "


@dataclass(frozen=True, slots=True)
class Reply:
    """A kind of reply: how many requests it followed, and after how long (seconds; None: not recorded)."""

    group: Group
    count: int
    median: float | None
    longest: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A kind of request, its kinds of replies (most frequent first), and how many requests had none."""

    request: Group
    replies: tuple[Reply, ...]
    unanswered: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """All requests with replies, and the kinds of messages that are no reply to any."""

    pairs: tuple[Pair, ...]
    unasked: tuple[Group, ...]


def find_pairs(messages: Messages, header: int | Int64s | None = None) -> Pairs:
    """Pair requests with replies; `messages` in the order of time, `header` as for `group_messages`."""
    groups = group_messages(messages, header)
    requests = [group for group in groups if group.direction == Direction.TO_DEVICE and _asks(group)]
    answers = [group for group in groups if group.direction != Direction.TO_DEVICE]
    asked = np.sort(np.concatenate([group.rows for group in requests])) if requests else np.zeros(0, np.int64)
    owner = _owners(asked, requests, answers)
    turn = _turns(asked, answers)
    firsts = [_first_after(asked, group.rows, turn)[owner] for group in answers]
    pairs, used = [], set()
    for request in requests:
        at = np.searchsorted(asked, request.rows)
        replies, answered = [], np.zeros(len(request), dtype=bool)
        for number, (group, first) in enumerate(zip(answers, firsts, strict=True)):
            here = first[at]
            share = float((here >= 0).mean())
            others = (int((first >= 0).sum()) - int((here >= 0).sum())) / max(len(asked) - len(request), 1)
            if share < max(_MIN_SHARE, min(_MIN_LIFT * others, 0.999)):
                continue
            used.add(number)
            answered |= here >= 0
            replies.append(_reply(messages, group, request.rows[here >= 0], here[here >= 0]))
        replies.sort(key=lambda reply: -reply.count)
        pairs.append(Pair(request, tuple(replies), int((~answered).sum())))
    return Pairs(tuple(pairs), tuple(group for number, group in enumerate(answers) if number not in used))


def _asks(group: Group) -> bool:
    """Say whether a write may be a request: what switches notifications on asks for nothing."""
    return _SWITCH_ON not in f"{group.channel} "


def _owners(asked: Int64s, requests: list[Group], answers: list[Group]) -> Int64s:
    """Return for each request the one behind which its reply is to be looked for: itself, as a rule.

    Of requests of one kind sent in a burst, before the device said anything, it is the last one.
    """
    kind = np.full(len(asked), -1, dtype=np.int64)
    heard = np.zeros(len(asked) + 1, dtype=bool)
    for number, request in enumerate(requests):
        kind[np.searchsorted(asked, request.rows)] = number
    for answer in answers:
        heard[np.searchsorted(asked, answer.rows)] = True  # heard[i]: right before request i
    last = np.ones(len(asked), dtype=bool)
    last[:-1] = heard[1:-1] | (kind[1:] != kind[:-1])
    ends = np.flatnonzero(last)
    return ends[np.searchsorted(ends, np.arange(len(asked)))] if len(asked) else ends


def _turns(asked: Int64s, answers: list[Group]) -> dict[int, int]:
    """Return which request each answer to a burst of requests belongs to: row -> place among the requests.

    Where as many answers follow as there were requests in a row, they are in the same order.
    """
    rows = np.sort(np.concatenate([group.rows for group in answers])) if answers else np.zeros(0, np.int64)
    behind = np.searchsorted(asked, rows) - 1
    last, first, count = np.unique(behind, return_index=True, return_counts=True)
    result: dict[int, int] = {}
    before = -1
    for place, begin, number in zip(last.tolist(), first.tolist(), count.tolist(), strict=True):
        if 1 < number == place - before:
            result |= {int(row): before + 1 + turn for turn, row in enumerate(rows[begin : begin + number])}
        before = place
    return result


def _first_after(asked: Int64s, rows: Int64s, turn: dict[int, int]) -> Int64s:
    """Return for each request the first of `rows` before the next request (or in its turn), or -1."""
    result = np.full(len(asked), -1, dtype=np.int64)
    owner = np.searchsorted(asked, rows) - 1
    if turn:
        owner = np.array([turn.get(row, at) for row, at in zip(rows.tolist(), owner.tolist(), strict=True)])
    rows, owner = rows[owner >= 0], owner[owner >= 0]
    numbers, first = np.unique(owner, return_index=True)
    result[numbers] = rows[first]
    return result


def _reply(messages: Messages, group: Group, asked: Int64s, answered: Int64s) -> Reply:
    known = (messages.time[answered] != NO_TIME) & (messages.time[asked] != NO_TIME)
    seconds = (messages.time[answered] - messages.time[asked])[known] / 1e9
    if len(seconds) == 0:
        return Reply(group, len(answered), None, None)
    return Reply(group, len(answered), float(np.median(seconds)), float(seconds.max()))
