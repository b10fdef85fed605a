"""What a client took for a timeout, told from its pauses, or from its log.

A client that waits in vain goes on after its timeout, and always after the same time. Where it paused just as
long although the reply had come long before, it did not take that reply.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.following import (
    LEAST_TIMEOUT,
    FollowingStep,
    answered,
    answered_ones,
    by_kinds,
    follow_replies,
    length_form,
    shown_taken,
    steps_of,
)
from packwire.doctor.compare.log_file import ClientLog, LogEvent, placed
from packwire.doctor.compare.session import ClientSession, Query, QueryKind

#: Timeouts of one client are alike within this share; on a busy computer they may be late: by so much, in ns.
ALIKE = 0.1
_LATE_SHARE = 0.2
_LATE = 50_000_000
#: A reply is taken where the client goes on within this share of its timeout.
_SOON = 0.5
#: What goes on sooner than this (ns) without a reply may do so by a clock: nobody is accused by it.
_LEAST_CERTAIN = 200_000_000
#: A pause that comes once a round is shorter in most clients that make one, in ns.
_LEAST_ONCE = 400_000_000
#: A line of a log may be this much off, in ns.
_LOG_TOLERANCE = 300_000_000
#: So many requests around the time of a line are looked at.
_MAX_NEAR = 1000
#: Pauses stand out where they are so many times as long as the others.
_FAR = 3
#: Of a kind of request more than this share tells how the client deals with it.
_MOST = 0.6
_TWICE = 2
_HALF = 0.5


class PatienceSource(StrEnum):
    """What tells what the client took for a timeout.

    `ROUND`: pauses alone, and all after one kind of request; a client that pauses once a round has such too.
    """

    LOG = "log"
    UNANSWERED = "unanswered"
    PAUSES = "pauses"
    ROUND = "round"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ClientPatience:
    """A client's timeout in ns (None: not known), and what became of its replies; numbers of exchanges.

    refused    the reply is on the wire, and yet the client waited its timeout out
    taken      the client went on soon after the reply
    `shown` are the kinds of request whose replies it is seen to take. `matched` are the lines of the log that
    were found in the session. `counted`: the pauses after refused replies are as long from the request on,
    however late a reply came.
    """

    timeout: int | None
    source: PatienceSource
    refused: tuple[int, ...]
    taken: tuple[int, ...]
    matched: tuple[tuple[LogEvent, int], ...] = ()
    shown: frozenset[QueryKind] = frozenset()
    counted: bool = False


def patience_of(session: ClientSession, log: ClientLog | None = None) -> ClientPatience:
    """Find out what a client took for a timeout."""
    found = _patience_of(session, log)
    refused = {session.queries[number].kind for number in found.refused}
    return replace(found, shown=found.shown | (_shown_beside(session) - refused))


def _shown_beside(session: ClientSession) -> frozenset[QueryKind]:
    """Return the kinds whose replies are seen to be taken between the requests that nobody ever answers.

    Some clients ask these by a timer of their own: without them, its waits are those for the others.
    """
    some = answered_ones(session)
    if len(some) == len(session.queries):
        return frozenset()
    steps = list(steps_of(session, some))
    return shown_taken(session, steps, _longer_in_vain(steps))


def _patience_of(session: ClientSession, log: ClientLog | None) -> ClientPatience:
    steps = list(steps_of(session))
    if log is not None:
        found = _from_log(session, log, steps)
        if found is not None:
            return found
    timeout = _common([step.wait for step in _in_vain(session, steps)])
    if timeout is not None and timeout >= _LEAST_CERTAIN:
        return _judge(session, steps, timeout, PatienceSource.UNANSWERED)
    return _from_pauses(session, steps)


def _in_vain(session: ClientSession, steps: Sequence[FollowingStep]) -> Iterator[FollowingStep]:
    """Yield the steps without replies whose pause can be the client's timeout.

    Where it pauses just as long after answered requests of the same kind, it is the pace of its polling.
    """
    paces = _paces(steps)
    for step in steps:
        if step.replied != NO_TIME or step.wait < LEAST_TIMEOUT:
            continue
        if any(session.queries[number].answered for number in step.numbers):
            continue
        if not _at_pace(step, paces):
            yield step


def _longer_in_vain(steps: Sequence[FollowingStep]) -> int | None:
    """Return after how long the client goes on without a reply, where that shows that it heeds the others.

    Of requests that are answered else, and more than once: another kind of request may have a timer of its
    own, and what loses a reply may hold a client up once. Where most go on as with a reply, a clock does it.
    """
    paces = _paces(steps)
    in_vain = [step for step in steps if step.replied == NO_TIME and step.kinds in paces]
    waits = [step.wait for step in in_vain if not _at_pace(step, paces)]
    timeout = _common(waits)
    if timeout is None or timeout < _LEAST_CERTAIN or len(waits) < max(_TWICE, _HALF * len(in_vain)):
        return None
    return timeout


def _paces(steps: Sequence[FollowingStep]) -> dict[tuple[QueryKind, ...], int | None]:
    """Return the time that a client pauses after answered requests, by what it asked."""
    return {
        kinds: _common([step.wait for step in group]) for kinds, group in by_kinds(answered(steps)).items()
    }


def _at_pace(step: FollowingStep, paces: dict[tuple[QueryKind, ...], int | None]) -> bool:
    """Tell whether the client goes on as it does after answered requests of the same kind."""
    pace = paces.get(step.kinds)
    return pace is not None and alike(step.wait, pace)


def alike(wait: int, timeout: int) -> bool:
    """Tell whether a pause is as long as a timeout."""
    return -ALIKE * timeout <= wait - timeout <= max(_LATE_SHARE * timeout, _LATE)


def _common(waits: Sequence[int]) -> int | None:
    """Return the time that most of the waits share; None where they do not."""
    if not waits:
        return None
    usual = int(median(waits))
    near = sum(1 for wait in waits if alike(wait, usual))
    return usual if 2 * near > len(waits) else None


def _judge(
    session: ClientSession, steps: Sequence[FollowingStep], timeout: int, source: PatienceSource
) -> ClientPatience:
    """Tell the replies that were taken from those that were not, given the timeout.

    Where nothing ever follows a reply sooner, the pause is the pace of a polling, and tells nothing. Where
    the pauses follow the replies, these are taken.
    """
    refused: list[FollowingStep] = []
    taken: list[FollowingStep] = []
    for group in by_kinds(answered(steps)).values():
        waited = [step for step in group if alike(step.wait, timeout) and step.latency < _SOON * timeout]
        # What the device refuses is no reply that a client has a use for.
        long = [step for step in waited if session.refused.isdisjoint(step.numbers)]
        soon = [step for step in group if step.gap >= 0 and step.wait - step.latency < _SOON * timeout]
        if long and follow_replies(long):
            soon, long = [*soon, *long], []
        if soon and long and not _tells_apart(session, soon, long):
            # Now and then is chance: a busy computer, a clock that catches up.
            soon, long = (
                soon if len(soon) > _MOST * len(group) else [],
                long if len(long) > _MOST * len(group) else [],
            )
        refused += long
        taken += soon
    shown = shown_taken(session, steps, _longer_in_vain(steps))
    if not taken or not refused or _once_and_short(session, refused, taken):
        return ClientPatience(timeout, source, (), _numbers(taken), shown=shown)
    shown -= {kind for step in refused for kind in step.kinds}
    counted = follow_replies(refused) is False
    return ClientPatience(timeout, source, _numbers(refused), _numbers(taken), shown=shown, counted=counted)


def _once_and_short(
    session: ClientSession, refused: Sequence[FollowingStep], taken: Sequence[FollowingStep]
) -> bool:
    """Tell whether it paused once, and took longer replies: it may pause after that request."""
    size, longest = (
        max(
            int(session.messages.size[reply])
            for step in steps
            for number in step.numbers
            if (reply := session.queries[number].reply) >= 0
        )
        for steps in (refused, taken)
    )
    return len(refused) == 1 and size <= longest


def _numbers(steps: Sequence[FollowingStep]) -> tuple[int, ...]:
    """Return the exchanges of steps; but for those of requests sent together, of which nobody knows more."""
    return tuple(sorted(step.numbers[0] for step in steps if len(step.numbers) == 1))


#: What a reply has that no timer of a client can know.
_CONTENTS: tuple[Callable[[ClientSession, Query], bool], ...] = (
    lambda session, each: len(session.messages.packets_of(each.reply)) > 1,
    lambda session, each: session.shares_packet(each.reply),
)


def _tells_apart(
    session: ClientSession, soon: Sequence[FollowingStep], long: Sequence[FollowingStep]
) -> bool:
    """Tell whether replies to the same request are taken or not by how they came: in pieces, or joined."""

    def shares(steps: Sequence[FollowingStep], has: Callable[[ClientSession, Query], bool]) -> float:
        replies = [session.queries[step.numbers[0]] for step in steps if len(step.numbers) == 1]
        return sum(has(session, each) for each in replies) / len(replies) if replies else 0.5

    least = min(len(soon), len(long)) > 1
    return least and any(shares(long, has) == 1 and shares(soon, has) == 0 for has in _CONTENTS)


def _from_pauses(session: ClientSession, steps: Sequence[FollowingStep]) -> ClientPatience:
    """Look for a timeout where every request has its reply.

    A client that does not take some replies pauses after these, always equally long. A polling pauses after
    one kind of request, the last of its round: after one kind alone, only how long its replies are tells.
    """
    shown = shown_taken(session, steps, _longer_in_vain(steps))
    told = _told_by_content(session, steps)
    if told is not None:
        return told
    groups = by_kinds([step for step in answered(steps) if step.gap >= 0])
    taken = _numbers([step for kinds, group in groups.items() if shown.issuperset(kinds) for step in group])
    nothing = ClientPatience(None, PatienceSource.NOTHING, (), taken, shown=shown)
    pauses = {kinds: median(step.gap for step in group) for kinds, group in groups.items()}
    longest = max(pauses.values(), default=0)
    if longest < LEAST_TIMEOUT:
        return nothing
    long = [kinds for kinds, pause in pauses.items() if pause >= _SOON * longest]
    quick = [kinds for kinds, pause in pauses.items() if _FAR * pause <= longest]
    paused = [step for kinds in long for step in groups[kinds]]
    timeout = int(median(step.wait for step in paused if step.gap >= _SOON * longest))
    steady = sum(alike(step.wait, timeout) for step in paused) >= _MOST * len(paused)
    whole = not session.lost and not session.arrived.missing  # else quick requests may be missing
    if not steady or follow_replies(paused) or not whole or not quick:
        return nothing
    if len(long) + len(quick) < len(pauses) or not _again_soon(steps, timeout):
        return nothing
    # Of requests sent together the last one tells: a pause behind a round is the same behind both.
    # What was asked once, behind the first round, is no second kind.
    if len({kinds[-1] for kinds in long if len(groups[kinds]) > 1}) > 1:
        return _judge(session, steps, timeout, PatienceSource.PAUSES)
    once = _judge(session, steps, timeout, PatienceSource.ROUND)
    return once if timeout >= _LEAST_ONCE and _longer(session, once) else nothing


def _longer(session: ClientSession, found: ClientPatience) -> bool:
    """Tell whether all replies that were not taken are longer than all that were, several of each.

    Or whether all of these, and none of those, have a length that is written in another way.
    """
    refused = [int(session.messages.size[session.queries[number].reply]) for number in found.refused]
    taken = [int(session.messages.size[session.queries[number].reply]) for number in found.taken]
    if min(len(refused), len(taken)) < _TWICE:
        return False  # one odd reply between those of a steady polling tells nothing
    return min(refused) > max(taken) or {*map(length_form, refused)}.isdisjoint(map(length_form, taken))


def _told_by_content(session: ClientSession, steps: Sequence[FollowingStep]) -> ClientPatience | None:
    """Look for replies to one request that are taken or not by how they come, which no timer knows."""
    for has in _CONTENTS:
        soon: list[FollowingStep] = []
        long: list[FollowingStep] = []
        alone = [step for step in answered(steps) if step.gap >= 0 and len(step.numbers) == 1]
        for group in by_kinds(alone).values():
            such: list[FollowingStep] = []
            others: list[FollowingStep] = []
            for step in group:
                (such if has(session, session.queries[step.numbers[0]]) else others).append(step)
            if min(len(such), len(others)) < _TWICE:
                continue
            least = sorted(step.wait for step in such)[len(such) // 5]
            most = sorted(step.wait for step in others)[-1 - len(others) // 5]
            if (
                least >= _LEAST_CERTAIN
                and least > most
                and _FAR * median(step.gap for step in others) <= least
            ):
                soon, long = [*soon, *others], [*long, *such]
        if long:
            timeout = int(median(step.wait for step in long))
            shown = shown_taken(session, steps, None) - {kind for step in long for kind in step.kinds}
            refused = [step for step in long if step.wait >= _SOON * timeout]
            return ClientPatience(
                timeout, PatienceSource.PAUSES, _numbers(refused), _numbers(soon), shown=shown, counted=True
            )
    return None


def _again_soon(steps: Sequence[FollowingStep], timeout: int) -> bool:
    """Tell whether quick replies come after slow ones too: else the client may only have begun to poll."""
    slow = False
    for step in answered(steps):
        if slow and 0 <= step.gap < _SOON * timeout:
            return True
        slow = slow or alike(step.wait, timeout)
    return False


def _from_log(
    session: ClientSession, log: ClientLog, steps: Sequence[FollowingStep]
) -> ClientPatience | None:
    """Give each line of the log to the request after which the client went on at that time."""
    matched: list[tuple[LogEvent, int]] = []
    ends = [each.next_time if each.next_time != NO_TIME else session.end for each in session.queries]
    names = session.observer.names()
    for event, time in placed(log, session.begin, session.end, _LOG_TOLERANCE):
        first, last = bisect_left(ends, time - _LOG_TOLERANCE), bisect_right(ends, time + _LOG_TOLERANCE)
        command = event.named(names)
        near = [
            (abs(ends[number] - time), number)
            for number in range(first, min(last, first + _MAX_NEAR))
            if command in (None, session.queries[number].kind.command)
        ]
        if near:
            matched.append((event, min(near)[1]))
    if not matched:
        return None
    numbers = {number for _, number in matched}
    timeout = _common(session.waits(numbers))
    refused = [
        number
        for number in sorted(numbers)
        if (latency := session.queries[number].latency) is not None and (timeout is None or latency < timeout)
    ]
    taken = [number for number in _taken(session, timeout) if number not in numbers]
    shown = shown_taken(session, steps, timeout)
    return ClientPatience(
        timeout, PatienceSource.LOG, tuple(refused), tuple(taken), tuple(matched), shown=shown
    )


def _taken(session: ClientSession, timeout: int | None) -> list[int]:
    """Return the exchanges whose reply the client waited for, and went on soon after it."""
    return [
        number
        for number, each in enumerate(session.queries)
        if each.latency is not None
        and each.wait is not None
        and each.latency <= each.wait
        and (timeout is None or each.wait - each.latency < _SOON * timeout)
        and each.kind.command != session.observer.search
    ]
