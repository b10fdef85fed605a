"""Requests and what comes back: which query commands the app sends, their replies and how long they take.

A request is a message towards the device. What answers it is known from its framing, repeats some of its
bytes, or follows it; `Exchange` then gives each message to one request at most. The rest comes by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log

import numpy as np

from packwire.capture.framings import answering
from packwire.capture.packets import NO_TIME
from packwire.columns import distinct
from packwire.direction import Direction
from packwire.insight.answering import Learnt, SaidMessage, is_request, learn
from packwire.insight.groups import MAX_HEADER, Group, group_messages, lane_rows
from packwire.messages import Int64s, Messages
from packwire.protocol.exchange import Exchange, Replied

#: Messages without times count as so far apart, ns.
_STEP = 100_000_000
#: A message that nearly always follows a reply at once (ns) is a part of it; seen so often at least.
_ALWAYS, _AT_ONCE, _OFTEN_ENOUGH = 0.9, 200_000_000, 3


#: A request that is sent so often is asked again; of so few different ones each is told apart.
_AGAIN, _FEW_REQUESTS = 3, 32


@dataclass(frozen=True, slots=True)
class PairedReply:
    """A kind of reply: how many messages answered requests, and after how long (seconds; None: unknown).

    `after` is that of the first message of each reply.
    """

    group: Group
    count: int
    median: float | None
    longest: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A kind of request, its kinds of replies (most frequent first), and how many requests had none."""

    request: Group
    replies: tuple[PairedReply, ...]
    unanswered: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """All requests with replies, and the messages that are no reply to any, by kind.

    `partner` holds for each row the request that it answers, -1: none.
    """

    pairs: tuple[Pair, ...]
    unasked: tuple[Group, ...]
    partner: Int64s


def find_pairs(
    messages: Messages, header: int | Int64s | None = None, families: Sequence[str] | None = None
) -> Pairs:
    """Pair requests with replies.

    `messages` in the order of time, `header` as for `group_messages`, `families` the family of each message's
    framing (empty: unknown).
    """
    if isinstance(header, np.ndarray):
        header = _tell_requests_apart(messages, header, families)
    groups = [
        group
        for group in group_messages(messages, header)
        if group.direction is not Direction.TO_DEVICE or not group.channel.subscribes
    ]
    said = _said(messages, groups, families)
    partner = np.full(len(messages), -1, dtype=np.int64)
    by_device: defaultdict[str, list[SaidMessage]] = defaultdict(list)
    devices = [channel.device for channel in messages.channels]
    for each in said:
        by_device[devices[each.lane // 4]].append(each)
    for own in by_device.values():
        _pair(messages, groups, own, partner)
    return _counted(messages, groups, partner)


def _tell_requests_apart(messages: Messages, header: Int64s, families: Sequence[str] | None) -> Int64s:
    """Make the headers of requests so long that whatever an app asks again and again is a kind of its own."""
    result = header.copy()
    known = np.array([bool(name) for name in families or [""] * len(messages)], dtype=np.bool_)
    for (direction, _), rows in lane_rows(messages).items():
        own = rows[~known[rows]]
        if direction is not Direction.TO_DEVICE or not len(own):
            continue
        counts = Counter(messages.payload(row) for row in own.tolist())
        again = [payload for payload, count in counts.items() if count >= _AGAIN]
        if len(counts) > _FEW_REQUESTS or sum(counts[each] for each in again) < _ALWAYS * len(own):
            continue
        kinds = len({payload[:MAX_HEADER] for payload in again})
        length = next(at for at in range(MAX_HEADER + 1) if len({each[:at] for each in again}) == kinds)
        result[own] = np.maximum(result[own], length)
    return result


def _said(messages: Messages, groups: Sequence[Group], families: Sequence[str] | None) -> list[SaidMessage]:
    kind = np.full(len(messages), -1, dtype=np.int64)
    for number, group in enumerate(groups):
        kind[group.rows] = number
    lane = messages.channel.astype(np.int64) * 4 + messages.direction + 1
    return [
        SaidMessage(
            row, int(kind[row]), families[row] if families else "", int(lane[row]), messages.payload(row)
        )
        for row in np.flatnonzero(kind >= 0).tolist()
    ]


def _pair(messages: Messages, groups: Sequence[Group], said: Sequence[SaidMessage], partner: Int64s) -> None:
    """Pair what was said with one device: the first time to learn how long replies take."""
    said = _both_known(said)
    rule = learn(messages, tuple(groups), said, answering())
    times = _times(messages, said)
    begun = _begun(messages, said, times)
    first = Exchange[SaidMessage, SaidMessage](rule)
    _run(first, said, times, begun)
    second = Exchange[SaidMessage, SaidMessage](rule, latencies=first.latencies)
    found = _run(second, said, times, begun)
    for each in found:
        partner[each.message.row] = each.request.row
    at = dict(zip((each.row for each in said), times, strict=True))
    _uncross(second, rule, found, at, partner)
    _attach(messages, said, partner)


def _both_known(said: Sequence[SaidMessage]) -> Sequence[SaidMessage]:
    """Forget framings of which only one side was recognised: what answers what is then to be learnt."""
    asked = {each.family for each in said if is_request(each)}
    heard = {each.family for each in said if not is_request(each)}
    both = (asked & heard) | (heard - answering().keys())
    return [each if each.family in both else replace(each, family="") for each in said]


def _times(messages: Messages, said: Sequence[SaidMessage]) -> list[int]:
    """Return times that never go back; where none were recorded, the order counts, a message a step."""
    time = messages.time[[each.row for each in said]] if said else np.zeros(0, dtype=np.int64)
    if len(time) and (time == time[0]).all():
        return list(range(0, len(time) * _STEP, _STEP))
    known = np.where(time == NO_TIME, np.iinfo(np.int64).min // 2, time)
    result: list[int] = np.maximum.accumulate(known).tolist()
    return result


def _begun(messages: Messages, said: Sequence[SaidMessage], times: Sequence[int]) -> Mapping[int, int]:
    """Return for messages in several packets, by row, when the last request before the first one was sent."""
    several = np.diff(messages.packet_offsets) > 1
    first = messages.packets[np.minimum(messages.packet_offsets[:-1], max(len(messages.packets) - 1, 0))]
    asked = [(int(first[each.row]), time) for each, time in zip(said, times, strict=True) if is_request(each)]
    asked.sort()
    numbers = np.array([number for number, _ in asked])
    result = {}
    for each, time in zip(said, times, strict=True):
        if several[each.row] and not is_request(each):
            at = int(np.searchsorted(numbers, first[each.row])) - 1
            result[each.row] = min(time, asked[at][1]) if at >= 0 else times[0] - 1
    return result


def _run(
    exchange: Exchange[SaidMessage, SaidMessage],
    said: Sequence[SaidMessage],
    times: Sequence[int],
    begun: Mapping[int, int],
) -> list[Replied[SaidMessage, SaidMessage]]:
    events: list[Replied[SaidMessage, SaidMessage]] = []
    for each, time in zip(said, times, strict=True):
        if is_request(each):
            exchange.ask(time, each)
        else:
            heard = exchange.hear(time, each, begun=begun.get(each.row))
            events += [event for event in heard if isinstance(event, Replied)]
    return events


def _uncross(
    exchange: Exchange[SaidMessage, SaidMessage],
    rule: Learnt,
    found: Sequence[Replied[SaidMessage, SaidMessage]],
    times: Mapping[int, int],
    partner: Int64s,
) -> None:
    """Swap replies of requests that ask for the same where that fits better how long replies take.

    A device that is late answers in order all the same; one at a time, the first reply went to the request
    that was nearest. A reply that repeats a sequence number stays where it is.
    """
    said = {each.row: each for one in found for each in (one.request, one.message)}
    alike: defaultdict[Hashable, dict[int, list[int]]] = defaultdict(dict)
    for each in found:
        alike[exchange.kind(each.request)].setdefault(each.request.row, []).append(each.message.row)
    for kind, replies in alike.items():
        usual = max(exchange.usual(kind) or 1, 1)
        for one, other in pairwise(sorted(replies)):
            if replies[other][0] > replies[one][0]:
                continue
            if not rule.fits(said[one], said[replies[other][0]]):
                continue

            def misfit(request: int, message: int, usual: int = usual) -> float:
                return abs(log(max(times[message] - times[request], 1) / usual))

            kept = misfit(one, replies[one][0]) + misfit(other, replies[other][0])
            if misfit(one, replies[other][0]) + misfit(other, replies[one][0]) < kept:
                replies[one], replies[other] = replies[other], replies[one]
                partner[replies[one]], partner[replies[other]] = one, other


def _attach(messages: Messages, said: Sequence[SaidMessage], partner: Int64s) -> None:
    """Take what always comes directly behind one kind of reply, and nowhere else, for a part of it."""
    kind = {each.row: each.kind for each in said}
    before: dict[int, int] = {}
    behind: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    answered: Counter[int] = Counter()
    for each in said:
        last = before.get(each.lane, -1)
        before[each.lane] = each.row
        if partner[each.row] >= 0:
            answered[each.kind] += 1
        elif not is_request(each):
            behind[each.kind].append((last, each.row))
    for one, places in behind.items():
        kinds = Counter(kind[last] for last, _ in places if last >= 0 and partner[last] >= 0)
        if answered[one] or len(places) < _OFTEN_ENOUGH or not kinds:
            continue
        (reply, count), *_ = kinds.most_common(1)
        own = [
            (last, row) for last, row in places if last >= 0 and kind[last] == reply and partner[last] >= 0
        ]
        waits = messages.time[[row for _, row in own]] - messages.time[[last for last, _ in own]]
        if count >= _ALWAYS * max(len(places), answered[reply]) and (waits <= _AT_ONCE).mean() >= _ALWAYS:
            for last, row in own:
                partner[row] = partner[last]


def _counted(messages: Messages, groups: Sequence[Group], partner: Int64s) -> Pairs:
    """Count by kinds of requests and replies; what answers nothing stays."""
    kind = np.full(len(messages), -1, dtype=np.int64)
    for number, group in enumerate(groups):
        kind[group.rows] = number
    answering = np.flatnonzero(partner >= 0)
    asked = kind[partner[answering]]
    has_reply = np.zeros(len(messages), dtype=np.bool_)
    has_reply[partner[answering]] = True
    pairs, unasked = [], []
    for number, group in enumerate(groups):
        if group.direction is not Direction.TO_DEVICE:
            left = group.rows[partner[group.rows] < 0]
            if len(left):
                unasked.append(replace(group, rows=left))
            continue
        own = answering[asked == number]
        replies = [_reply(messages, groups[of], own[kind[own] == of], partner) for of in distinct(kind[own])]
        replies.sort(key=lambda reply: -reply.count)
        pairs.append(Pair(group, tuple(replies), int(np.count_nonzero(~has_reply[group.rows]))))
    return Pairs(tuple(pairs), tuple(unasked), partner)


def _reply(messages: Messages, group: Group, rows: Int64s, partner: Int64s) -> PairedReply:
    asked, first = np.unique(partner[rows], return_index=True)
    heard = rows[first]
    known = (messages.time[heard] != NO_TIME) & (messages.time[asked] != NO_TIME)
    seconds = (messages.time[heard] - messages.time[asked])[known] / 1e9
    if len(seconds) == 0:
        return PairedReply(group, len(rows), None, None)
    return PairedReply(group, len(rows), float(np.median(seconds)), float(seconds.max()))
