"""What a client took for a timeout, told from its pauses, or from its log.

A client that waits in vain goes on after its timeout, and always after the same time. Where it paused just as
long although the reply had come long before, it did not take that reply.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median, pstdev

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.log_file import ClientLog, Event, placed
from packwire.doctor.compare.session import Exchange, Kind, Session
from packwire.vesc.commands import Command

#: A client that goes on sooner than this without a reply does not wait for one, in ns.
LEAST_TIMEOUT = 50_000_000
#: Timeouts of one client are alike within this share.
ALIKE = 0.1
#: A reply is taken where the client goes on within this share of its timeout.
_SOON = 0.5
#: A line of a log may be this much off, in ns.
_LOG_TOLERANCE = 300_000_000
#: So many requests around the time of a line are looked at.
_MAX_NEAR = 1000
#: Pauses are told to follow the replies from so many of them, at most of so many, where the times of the
#: replies are spread by so much (ns), and the pauses behind the replies are so many times steadier.
_LEAST_FOLLOWED = 5
_MAX_FOLLOWED = 5000
_LEAST_SPREAD = 1_000_000
_STEADIER = 3
#: Pauses stand out where they are so many times as long as the others.
_FAR = 5


class Source(StrEnum):
    """What tells what the client took for a timeout."""

    LOG = "log"
    UNANSWERED = "unanswered"
    PAUSES = "pauses"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Patience:
    """A client's timeout in ns (None: not known), and what became of its replies; numbers of exchanges.

    refused    the reply is on the wire, and yet the client waited its timeout out
    taken      the client went on soon after the reply
    `matched` are the lines of the log that were found in the session. `pace` is a pause in ns that may be the
    client's timeout or the pace of its polling.
    """

    timeout: int | None
    source: Source
    refused: tuple[int, ...]
    taken: tuple[int, ...]
    matched: tuple[tuple[Event, int], ...] = ()
    pace: int | None = None


def patience_of(session: Session, log: ClientLog | None = None) -> Patience:
    """Find out what a client took for a timeout."""
    if log is not None:
        found = _from_log(session, log)
        if found is not None:
            return found
    vain = list(_in_vain(session))
    timeout = _common(vain)
    if timeout is not None:
        return _judge(session, timeout, Source.UNANSWERED)
    timeout, pace = (None, None) if vain else _from_pauses(session)
    if timeout is not None:
        return _judge(session, timeout, Source.PAUSES)
    return Patience(None, Source.NOTHING, (), tuple(_taken(session.exchanges, None)), pace=pace)


def _in_vain(session: Session) -> Iterator[int]:
    """Yield how long the client waited for replies that did not come, where that can be its timeout.

    Where it pauses just as long after answered requests of the same kind, it is the pace of its polling;
    where the recording has a gap, the reply may have come.
    """
    paces = {kind: _common(waits) for kind, waits in _waits_after_replies(session).items()}
    for each in session.exchanges:
        wait = each.wait
        if wait is None or not each.expects or each.answered or each.lost or wait < LEAST_TIMEOUT:
            continue
        pace = paces.get(each.kind)
        if pace is None or not alike(wait, pace):
            yield wait


def _waits_after_replies(session: Session) -> dict[Kind, list[int]]:
    waits: dict[Kind, list[int]] = {}
    for each in session.exchanges:
        if each.wait is not None and each.answered:
            waits.setdefault(each.kind, []).append(each.wait)
    return waits


def alike(wait: int, timeout: int) -> bool:
    """Tell whether a pause is as long as a timeout."""
    return abs(wait - timeout) <= ALIKE * timeout


def _common(waits: Sequence[int]) -> int | None:
    """Return the time that most of the waits share; None where they do not."""
    if not waits:
        return None
    usual = int(median(waits))
    near = sum(1 for wait in waits if alike(wait, usual))
    return usual if 2 * near > len(waits) else None


def _judge(session: Session, timeout: int, source: Source) -> Patience:
    """Tell the replies that were taken from those that were not, given the timeout.

    Where nothing ever follows a reply sooner, the pause is the pace of a polling, and tells nothing. Where
    the pauses follow the replies, these are taken.
    """
    refused = [number for number, each in enumerate(session.exchanges) if _paused(each, timeout)]
    taken = list(_taken(session.exchanges, timeout))
    if follow_replies([session.exchanges[number] for number in refused]):
        return Patience(timeout, source, (), tuple(sorted([*taken, *refused])))
    if not taken:
        pace = timeout if refused else None
        return Patience(timeout, source, (), (), pace=pace)
    return Patience(timeout, source, tuple(refused), tuple(taken))


def follow_replies(exchanges: Sequence[Exchange]) -> bool:
    """Tell whether a client goes on a fixed time after each reply, not after each request: it sees them.

    That shows where replies take unequally long: then the pause behind the reply is steadier than the one
    behind the request.
    """
    known = [
        (wait, latency)
        for each in exchanges[:_MAX_FOLLOWED]
        if (wait := each.wait) is not None and (latency := each.latency) is not None
    ]
    if len(known) < _LEAST_FOLLOWED or pstdev(latency for _, latency in known) < _LEAST_SPREAD:
        return False
    behind_reply = pstdev(wait - latency for wait, latency in known)
    return _STEADIER * behind_reply < pstdev(wait for wait, _ in known)


def _paused(each: Exchange, timeout: int) -> bool:
    wait, latency = each.wait, each.latency
    return wait is not None and latency is not None and alike(wait, timeout) and latency < _SOON * timeout


def _taken(exchanges: Sequence[Exchange], timeout: int | None) -> list[int]:
    """Return the exchanges whose reply the client waited for, and went on soon after it."""
    return [
        number
        for number, each in enumerate(exchanges)
        if each.latency is not None
        and each.wait is not None
        and each.latency <= each.wait
        and (timeout is None or each.wait - each.latency < _SOON * timeout)
        and each.kind.command != Command.PING_CAN
    ]


def _from_pauses(session: Session) -> tuple[int | None, int | None]:
    """Look for a timeout where every request has its reply: return it, or a pause that may be one.

    A polling pauses after one kind of request, the last of its round. A client that does not take some
    replies pauses after several kinds, always equally long. After one kind alone nobody can tell the two.
    """
    waited = [
        (each.wait, each.kind)
        for each in session.exchanges
        if each.wait is not None and each.latency is not None and each.wait > each.latency
    ]
    if not waited:
        return None, None
    most = max(wait for wait, _ in waited)
    longest = int(median(wait for wait, _ in waited if wait >= _SOON * most))
    paused = [(wait, kind) for wait, kind in waited if wait >= _SOON * longest]
    quick = [(wait, kind) for wait, kind in waited if wait < _SOON * longest]
    if longest < LEAST_TIMEOUT or not all(alike(wait, longest) for wait, _ in paused):
        return None, None
    after = [
        each
        for each in session.exchanges
        if each.wait is not None and each.wait >= _SOON * longest and each.answered
    ]
    if follow_replies(after):
        return None, None
    kinds = {kind for _, kind in paused}
    told = (
        quick
        and _FAR * median(wait for wait, _ in quick) <= longest
        and not kinds & {kind for _, kind in quick}
    )
    whole = not session.lost and not session.arrived.missing  # else quick requests may be missing
    if whole and told and len(kinds) > 1 and _again_soon(session, longest):
        return longest, None
    return None, longest


def _again_soon(session: Session, timeout: int) -> bool:
    """Tell whether quick replies come after slow ones too: else the client may only have begun to poll."""
    slow = False
    for each in session.exchanges:
        if each.wait is not None and each.latency is not None:
            if slow and each.wait < _SOON * timeout:
                return True
            slow = slow or alike(each.wait, timeout)
    return False


def _from_log(session: Session, log: ClientLog) -> Patience | None:
    """Give each line of the log to the request after which the client went on at that time."""
    matched: list[tuple[Event, int]] = []
    ends = [each.next_time if each.next_time != NO_TIME else session.end for each in session.exchanges]
    for event, time in placed(log, session.begin, session.end, _LOG_TOLERANCE):
        first, last = bisect_left(ends, time - _LOG_TOLERANCE), bisect_right(ends, time + _LOG_TOLERANCE)
        near = [
            (abs(ends[number] - time), number)
            for number in range(first, min(last, first + _MAX_NEAR))
            if event.command in (None, session.exchanges[number].kind.command)
        ]
        if near:
            matched.append((event, min(near)[1]))
    if not matched:
        return None
    numbers = {number for _, number in matched}
    waits = [wait for number in numbers if (wait := session.exchanges[number].wait) is not None]
    timeout = _common(waits)
    refused = [
        number
        for number in sorted(numbers)
        if (latency := session.exchanges[number].latency) is not None
        and (timeout is None or latency < timeout)
    ]
    taken = [number for number in _taken(session.exchanges, timeout) if number not in numbers]
    return Patience(timeout, Source.LOG, tuple(refused), tuple(taken), tuple(matched))
