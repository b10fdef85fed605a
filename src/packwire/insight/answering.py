"""What answers what in a recording: known from the framing, repeated by the reply, or learnt from the order.

`learn` looks at all messages once and gives the rule for `Exchange`.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.direction import Direction
from packwire.insight.echoes import Echo, find_echoes
from packwire.insight.groups import Group
from packwire.messages import Int64s, Messages
from packwire.wire.family import Family

#: A reply without echo follows so many of its requests ...
_MIN_SHARE = 0.5
#: ... and so many times as often as it follows other requests.
_MIN_LIFT = 1.2
#: What comes this many times as often as it is asked for comes by itself, or in several parts: so many of the
#: replies have the same number of them.
_OFTEN, _SAME_COUNT = 1.5, 0.7
#: A stream stood still where nothing came for so many of its intervals.
_STILL = 3
#: So few messages of a kind tell nothing of a stream.
_FEW = 4
#: What a request of a known framing asks for is in its first bytes.
_TOLD_BY = 7
#: So many messages of a kind, different in their first bytes, are looked at to see what they may answer.
_EXAMPLES, _BEGIN = 32, 8
#: Nor are there more kinds of requests: what is different each time is asked by nobody again.
_MAX_KINDS = 1024
#: Parts of a reply follow one another within this time, ns.
_TOGETHER = 2_000_000_000
#: So many requests tell whether what follows keeps its own time.
_FEW_WAITS = 8


@dataclass(frozen=True, slots=True)
class SaidMessage:
    """One message: its row, its kind (the number of its group), its family (empty: unknown), its lane."""

    row: int
    kind: int
    family: str
    lane: int
    payload: bytes = field(repr=False)


def is_request(said: SaidMessage) -> bool:
    """Say whether a message went to the device."""
    return said.lane % 4 == Direction.TO_DEVICE + 1


@dataclass(slots=True)
class Learnt:
    """The rule of a recording, for `Exchange`.

    echoes    between the lane (channel) of requests and that of replies
    followed  kinds of messages that follow a kind of request, where no byte is repeated
    parts     how many messages of a kind make up a reply
    running   rows of messages that go on with a stream
    """

    known: Mapping[str, Family]
    echoes: dict[tuple[int, int], Echo] = field(default_factory=dict)
    followed: dict[int, frozenset[int]] = field(default_factory=dict)
    parts: dict[int, int] = field(default_factory=dict)
    running: frozenset[int] = frozenset()

    def kind(self, request: SaidMessage) -> Hashable | None:
        """Return what a request asks for."""
        echoed = tuple(
            (to, echo.without_number(echo.of_request(request.payload)))
            for (lane, to), echo in self.echoes.items()
            if lane == request.lane
        )
        if request.family or not echoed:
            return (request.kind, request.payload[:_TOLD_BY] if request.family else b"")
        return (request.kind, echoed)

    def answers(self, request: SaidMessage, message: SaidMessage) -> bool:
        """Say whether a message may be the reply to a request."""
        return message.row not in self.running and self.fits(request, message)

    def fits(self, request: SaidMessage, message: SaidMessage, *, of_any_number: bool = False) -> bool:
        """Say whether a message has the form of a reply to a request, also if it comes by itself.

        `of_any_number`: to a request of this kind, whatever its sequence number is.
        """
        if request.family in self.known:
            return request.family == message.family and self.known[request.family].is_answer(
                request.payload, message.payload
            )
        if message.family:
            return False
        if message.kind in self.followed.get(request.kind, ()):
            return True
        echo = self.echoes.get((request.lane, message.lane))
        if echo is None:
            return False
        wanted, repeated = echo.of_request(request.payload), echo.of_reply(message.payload)
        if of_any_number:
            wanted, repeated = echo.without_number(wanted), echo.without_number(repeated)
        return wanted is not None and wanted == repeated

    def continues(
        self,
        request: SaidMessage,  # noqa: ARG002 - what `Exchange` asks for
        message: SaidMessage,
        earlier: Sequence[SaidMessage],
    ) -> bool:
        """Say whether a message goes on with a reply: one of another kind, or as many as there always are."""
        alike = sum(each.kind == message.kind for each in earlier)
        return alike < self.parts.get(message.kind, 1)


def learn(
    messages: Messages, groups: tuple[Group, ...], said: Sequence[SaidMessage], known: Mapping[str, Family]
) -> Learnt:
    """Find out what answers what; `groups` are those of all messages of `said`, requests and replies."""
    rule = Learnt(known)
    requests = [number for number, group in enumerate(groups) if group.direction is Direction.TO_DEVICE]
    _learn_echoes(rule, messages, said)
    _learn_order(rule, messages, requests, said)
    _learn_streams(rule, messages, said)
    return rule


def _learn_echoes(rule: Learnt, messages: Messages, said: Sequence[SaidMessage]) -> None:
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for each in said:
        if each.family not in rule.known:
            rows[each.lane].append(each.row)
    names = {lane: (Direction(lane % 4 - 1), messages.channels[lane // 4]) for lane in rows}
    numbers = {name: lane for lane, name in names.items()}
    found = find_echoes(messages, {names[lane]: np.array(own) for lane, own in rows.items()})
    rule.echoes = {(numbers[one], numbers[other]): echo for (one, other), echo in found.items()}


def _learn_order(rule: Learnt, messages: Messages, requests: list[int], said: Sequence[SaidMessage]) -> None:
    """Learn what follows each kind of request, where it is the only one that waits.

    Of requests of one kind sent in a burst, the last counts. Where as many answers follow as there were
    requests in a row, they are in the same order.
    """
    asked: Counter[int] = Counter()
    follows: defaultdict[int, Counter[int]] = defaultdict(Counter)
    after: Counter[int] = Counter()
    waits: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    heard_at: defaultdict[int, list[int]] = defaultdict(list)
    for each in said:
        heard_at[each.kind].append(each.row)
    for burst, heard in _turns(said):
        kinds = {each.kind for each in burst}
        if len(kinds) == 1:
            pairs = [(burst[-1], heard)]
        elif len(burst) == len(heard):
            pairs = [(one, [other]) for one, other in zip(burst, heard, strict=True)]
        else:
            continue
        for request, replies in pairs:
            asked[request.kind] += 1
            first = {each.kind: each for each in reversed(replies) if _unknown(rule, request, each)}
            for kind, each in first.items():
                follows[request.kind][kind] += 1
                after[kind] += 1
                waits[kind].append((request.row, each.row))
    total = sum(asked.values())
    for number in requests:
        count = asked[number]
        rule.followed[number] = frozenset(
            kind
            for kind, times in follows[number].items()
            if not _keeps_time(messages, waits[kind], heard_at[kind])
            and times / count
            >= max(_MIN_SHARE, min(_MIN_LIFT * (after[kind] - times) / max(total - count, 1), 0.999))
        )


def _keeps_time(messages: Messages, waits: list[tuple[int, int]], rows: list[int]) -> bool:
    """Say whether a kind of message keeps its own time, whenever it is asked for: then it is no reply.

    The time from one to the next is steadier than that from the requests to them.
    """
    asked, first = (messages.time[[pair[at] for pair in waits]] for at in (0, 1))
    own = messages.time[rows]
    if len(waits) < _FEW_WAITS or (own == NO_TIME).any() or (asked == NO_TIME).any():
        return False
    return _spread(np.diff(own)) < _spread(first - asked)


def _spread(values: Int64s) -> float:
    low, high = np.percentile(values, (25, 75))
    return float(high - low)


def _unknown(rule: Learnt, request: SaidMessage, message: SaidMessage) -> bool:
    """Say whether only the order can tell that a message answers a request."""
    known = request.family in rule.known or message.family
    return not known and (request.lane, message.lane) not in rule.echoes


def _turns(said: Sequence[SaidMessage]) -> list[tuple[list[SaidMessage], list[SaidMessage]]]:
    """Return requests in a row, each time with what the device said until the next request."""
    turns: list[tuple[list[SaidMessage], list[SaidMessage]]] = []
    for each in said:
        if not is_request(each):
            if turns:
                turns[-1][1].append(each)
        elif turns and not turns[-1][1]:
            turns[-1][0].append(each)
        else:
            turns.append(([each], []))
    return turns


def _learn_streams(rule: Learnt, messages: Messages, said: Sequence[SaidMessage]) -> None:
    """Learn which messages come by themselves, and which replies have several parts.

    A message that comes much more often than it is asked for is a part of a reply where each reply has the
    same number of them. Otherwise it is a stream: the request may have started it, but its reply is only what
    came first; a stream that ran before is nobody's reply.
    """
    rows: defaultdict[int, list[int]] = defaultdict(list)
    examples: defaultdict[int, dict[bytes, SaidMessage]] = defaultdict(dict)
    requests: defaultdict[Hashable, list[SaidMessage]] = defaultdict(list)
    for each in said:
        if is_request(each):
            requests[rule.kind(each)].append(each)
        else:
            rows[each.kind].append(each.row)
            if len(examples[each.kind]) < _EXAMPLES:
                examples[each.kind].setdefault(each.payload[:_BEGIN], each)
    running: set[int] = set()
    for kind, own in rows.items():
        if len(own) < _FEW:
            continue
        asked = [
            each.row
            for group in islice(requests.values(), _MAX_KINDS)
            if any(rule.fits(group[0], one, of_any_number=True) for one in examples[kind].values())
            for each in group
        ]
        if len(own) <= _OFTEN * len(asked) or not asked:
            continue
        parts = _parts(messages, np.sort(np.array(asked)), np.array(own))
        if parts > 1:
            rule.parts[kind] = parts
        else:
            running.update(_running(messages, np.array(own)))
    rule.running = frozenset(running)


def _parts(messages: Messages, asked: Int64s, heard: Int64s) -> int:
    """Return how many messages a reply has, if nearly all have as many, close together; 1 otherwise."""
    owner = np.searchsorted(asked, heard) - 1
    counts = np.bincount(owner[owner >= 0], minlength=len(asked))
    answered = counts[counts > 0]
    usual = int(np.bincount(answered).argmax()) if len(answered) else 1
    if usual < 2 or (answered == usual).mean() < _SAME_COUNT or (counts > 0).sum() < 2:
        return 1
    time = messages.time[heard]
    if (time == NO_TIME).any():
        return usual
    same = owner[1:] == owner[:-1]
    gaps = np.diff(time)
    return usual if (gaps[same] <= _TOGETHER).mean() >= _SAME_COUNT and _apart(gaps, same) else 1


def _apart(gaps: Int64s, same: Int64s) -> bool:
    """Say whether parts are closer together than replies: a stream goes on at its own pace."""
    if same.all():
        return True
    return float(np.median(gaps[same])) * 2 < float(np.median(gaps[~same]))


def _running(messages: Messages, rows: Int64s) -> list[int]:
    """Return the rows that go on with a stream."""
    time = messages.time[rows]
    if (time == NO_TIME).any():
        return [int(row) for row in rows[1:]]
    gaps = np.diff(time)
    on = gaps <= _STILL * float(np.median(gaps))
    return [int(row) for row in rows[1:][on]]
