"""Whether what a client does next depends on a reply: the only sign in a recording that it took it.

A reply was taken where the client went on as soon as it was there, where its pauses follow the replies and
not its own requests, where it waits much longer when nothing comes, or where it sends what only the reply's
content explains. A steady pace shows nothing: a client that never reads may have one too.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from operator import itemgetter
from statistics import median, pstdev
from typing import NamedTuple

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.session import ClientSession, Query, QueryKind
from packwire.messages import Int64s

#: Nobody's timeout, and hardly a pace, is shorter, in ns.
LEAST_TIMEOUT = 50_000_000
#: Requests that follow each other so soon are sent together, in ns.
TOGETHER = 5_000_000
#: What follows a reply so soon follows it at once: in ns, and as a share of the wait.
_AT_ONCE_SHARE = 0.2
#: By chance a request stands so near behind a reply once in a while; not several times, nor after so long.
_SURELY_SHARE = 0.02
_SEVERAL = 3
_LONG = 1_000_000_000
#: From so many pauses it is told what they follow, at most from so many.
_LEAST_FOLLOWED = 6
_MAX_FOLLOWED = 5000
#: Replies whose times are spread by less (ns) show nothing; a slope is sure at so many standard errors.
_LEAST_SPREAD = 50_000
_SURE = 3
_LIKELY = 1.5
_HALF = 0.5
#: Pauses lie close together where half of them fit into this share of what they fit into otherwise; by chance
#: so many of all shuffles of the latencies bring them as close. Looked at are at most so many pauses.
CLOSE = 0.6
_BY_CHANCE = 0.001
_SHUFFLES = 2000
MAX_SHUFFLED = 500
#: A share that counts as nearly all.
_NEARLY_ALL = 0.8


class FollowingStep(NamedTuple):
    """Requests that were sent together (mostly one): exchanges by number, when the last was sent, in ns.

    `replied` is when the last reply came, NO_TIME where one is missing; `next_time` when the client went on.
    """

    numbers: tuple[int, ...]
    kinds: tuple[QueryKind, ...]
    time: int
    replied: int
    next_time: int

    @property
    def wait(self) -> int:
        """Return how many ns the client sent nothing."""
        return self.next_time - self.time

    @property
    def latency(self) -> int:
        """Return after how many ns all replies were there."""
        return self.replied - self.time

    @property
    def gap(self) -> int:
        """Return how many ns after the replies the client went on; below 0: before they were there."""
        return self.wait - self.latency


def steps_of(session: ClientSession, queries: Mapping[int, Query] | None = None) -> Iterator[FollowingStep]:
    """Yield the steps of a session whose times are known; of some of its exchanges, where these are given."""
    pending: dict[int, Query] = {}
    some = list((dict(enumerate(session.queries)) if queries is None else queries).items())
    starts = {bisect_left(some, start, key=itemgetter(0)) for start in session.starts}
    for at, (number, each) in enumerate(some, 1):
        pending[number] = each
        if at not in starts and each.wait is not None and each.wait < TOGETHER and _did_not_wait(each):
            continue
        step = _step(pending)
        pending = {}
        if step is not None:
            yield step


def answered_ones(session: ClientSession) -> dict[int, Query]:
    """Return the exchanges, by number, as if nothing were asked that nobody ever answers."""
    kinds = {each.kind for each in session.queries if each.answered}
    left: dict[int, Query] = {}
    last: int | None = None
    for number, each in enumerate(session.queries):
        if number in session.starts:
            last = None
        if each.kind in kinds:
            left[number], last = each, number
        elif last is not None:
            left[last] = left[last]._replace(next_time=each.next_time)
    return left


def late_by(each: Query) -> bool:
    """Tell whether the client did something before the reply was there."""
    return each.latency is not None and each.wait is not None and each.latency > each.wait


def went_on(each: Query) -> bool:
    """Tell whether the client went on before the reply came; of requests sent together it waits for all."""
    return late_by(each) and each.wait is not None and each.wait >= TOGETHER


def _did_not_wait(each: Query) -> bool:
    """Tell whether the next request was sent before the reply was there."""
    return each.wait is not None and (each.latency is None or each.latency >= each.wait)


def _step(some: Mapping[int, Query]) -> FollowingStep | None:
    numbers, queries = tuple(some), tuple(some.values())
    last = queries[-1]
    if NO_TIME in (last.time, last.next_time) or any(each.lost for each in queries):
        return None
    expected = [each for each in queries if each.expects]
    if not expected:
        return None
    times = [each.reply_time if each.answered else NO_TIME for each in expected]
    replied = NO_TIME if NO_TIME in times else max(times)
    return FollowingStep(numbers, tuple(each.kind for each in queries), last.time, replied, last.next_time)


def answered(steps: Sequence[FollowingStep]) -> list[FollowingStep]:
    """Return the steps whose replies are all there."""
    return [step for step in steps if step.replied != NO_TIME]


def numbers_of(steps: Sequence[FollowingStep]) -> tuple[int, ...]:
    """Return the exchanges of steps."""
    return tuple(number for step in steps for number in step.numbers)


def by_kinds(steps: Sequence[FollowingStep]) -> dict[tuple[QueryKind, ...], list[FollowingStep]]:
    """Return the steps by what was asked in them."""
    groups: dict[tuple[QueryKind, ...], list[FollowingStep]] = {}
    for step in steps:
        groups.setdefault(step.kinds, []).append(step)
    return groups


def follow_replies(steps: Sequence[FollowingStep]) -> bool | None:
    """Tell whether a client goes on a fixed time after each reply, or after each request; None: not known.

    That shows where replies take unequally long: then its waits grow with them, or they do not. What two ways
    to look at it say differently is not known.
    """
    known = [step for step in steps[:_MAX_FOLLOWED] if step.gap >= 0]
    if len(known) < _LEAST_FOLLOWED or len(known) < _NEARLY_ALL * len(steps[:_MAX_FOLLOWED]):
        return None
    if pstdev(step.latency for step in known) < _LEAST_SPREAD:
        return None
    told = {_by_growth(known), _by_closeness(known)} - {None}
    follows = told.pop() if len(told) == 1 else None
    return None if follows and _recorded_late(known) else follows


def _recorded_late(known: Sequence[FollowingStep]) -> bool:
    """Tell whether requests were recorded late: that shortens the latency and the wait behind them alike.

    It lengthens the pause before such a request, which has nothing to do with its latency otherwise.
    """
    pauses, latencies = [step.gap for step in known[:-1]], [step.latency for step in known[1:]]
    return _association(pauses, latencies) < -_LIKELY


def _by_growth(known: Sequence[FollowingStep]) -> bool | None:
    """Tell it by whether waits grow with the latencies."""
    latencies = [step.latency for step in known]
    # With half of the latency taken off, a wait still grows with it where the client follows the replies, and
    # gets less where it does not.
    rests = [step.wait - _HALF * step.latency for step in known]
    grows, alone = _association(latencies, rests), _alone(latencies, rests)
    if grows < -_SURE:
        return False
    if grows > _SURE and alone > _SURE:
        return True
    return _by_slope(known, may_follow=min(grows, alone) > _HALF * _SURE)


def _by_slope(known: Sequence[FollowingStep], *, may_follow: bool) -> bool | None:
    """Tell the same of few steps, or where few replies are late; `may_follow` is what their ranks allow."""
    slope, error = _slope(known)
    # Where the whole computer stood still once, one late reply makes any slope: it has to hold without.
    late = max(known, key=lambda step: step.latency)
    others, doubt = _slope([step for step in known if step is not late])
    if slope + _SURE * error < _HALF and others + doubt < _HALF:
        return False
    return True if may_follow and slope - _SURE * error > _HALF and others - 2 * doubt > _HALF else None


def _slope(steps: Sequence[FollowingStep]) -> tuple[float, float]:
    """Return by how much a wait grows with the latency, and the standard error of that."""
    waits, latencies = [step.wait for step in steps], [step.latency for step in steps]
    usual, late = sum(waits) / len(waits), sum(latencies) / len(latencies)
    spread = sum((each - late) ** 2 for each in latencies)
    if not spread:
        return 0.0, float("inf")
    slope = sum((x - late) * (y - usual) for x, y in zip(latencies, waits, strict=True)) / spread
    rest = sum((y - usual - slope * (x - late)) ** 2 for x, y in zip(latencies, waits, strict=True))
    return slope, sqrt(rest / (len(steps) - 2) / spread)


def _alone(latencies: Sequence[float], rests: Sequence[float]) -> float:
    """Return by how many standard errors rests grow with their own latencies, beside those of the next step.

    On a busy computer clients and replies are late together: then the rest grows with the latency behind it.
    """
    own, behind, left = latencies[:-1], latencies[1:], rests[:-1]
    scale = sqrt(len(own) - 1)
    like_own = _association(own, left) / scale
    like_next = max(_association(behind, left) / scale, 0.0)
    like_each = max(_association(own, behind) / scale, 0.0)
    free = sqrt(max(1 - like_next**2, 0.0) * max(1 - like_each**2, 0.0))
    return (like_own - like_next * like_each) / free * sqrt(len(own) - 2) if free else 0.0


def _association(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return by how many standard errors one grows with the other; of their ranks, so no odd one decides."""
    left, right = _ranks(ones), _ranks(others)
    middle = (len(left) - 1) / 2
    together = sum((x - middle) * (y - middle) for x, y in zip(left, right, strict=True))
    spread = sqrt(sum((x - middle) ** 2 for x in left) * sum((y - middle) ** 2 for y in right))
    return together / spread * sqrt(len(left) - 1) if spread else 0.0


def _ranks(numbers: Sequence[float]) -> list[float]:
    """Return the place of each in the order of all; of equal ones that in their middle."""
    ordered = sorted(numbers)
    return [(bisect_left(ordered, each) + bisect_right(ordered, each) - 1) / 2 for each in numbers]


def _by_closeness(known: Sequence[FollowingStep]) -> bool | None:
    """Tell it by where pauses lie closest together: counted from the replies on, or from the requests on.

    A busy computer makes pauses longer, never shorter: what a client waits for is their lower edge, and those
    that are much too late do not count.
    """
    some = known[:MAX_SHUFFLED]
    latencies = np.array([step.latency for step in some])
    waits = np.array([step.wait for step in some])
    if lie_close(waits - latencies, latencies):
        rests = [step.wait - _HALF * step.latency for step in some]
        return True if _alone([step.latency for step in some], rests) > _LIKELY else None
    return False if lie_close(waits, -latencies) else None


def lie_close(pauses: Int64s, change: Int64s, by_chance: float = _BY_CHANCE) -> bool:
    """Tell whether pauses lie much closer together than what is changed, and not by chance."""
    close = width(pauses)
    if close > CLOSE * width(pauses + change):
        return False
    shuffled = np.random.default_rng(1).permuted(np.tile(change, (_SHUFFLES, 1)), axis=1)
    as_close = width(pauses + change - shuffled) <= close
    return bool(as_close.mean() <= by_chance)


def width(rows: Int64s) -> Int64s:
    """Return into how wide a range half of the numbers of each row fit."""
    ordered = np.sort(rows, axis=-1)
    half = (ordered.shape[-1] + 1) // 2
    widths: Int64s = (ordered[..., half - 1 :] - ordered[..., : 1 - half or None]).min(axis=-1)
    return widths


def at_once(steps: Sequence[FollowingStep]) -> bool:
    """Tell whether a client goes on as soon as the replies are there, and not before."""
    in_time = [step for step in steps if step.gap >= 0]
    if not in_time or len(in_time) < _NEARLY_ALL * len(steps):
        return False
    gap, wait = median(step.gap for step in in_time), median(step.wait for step in in_time)
    if gap <= _SURELY_SHARE * wait and (len(steps) >= _SEVERAL or wait >= _LONG):
        return True
    return gap <= _AT_ONCE_SHARE * wait and follow_replies(steps) is True


def shown_taken(
    session: ClientSession, steps: Sequence[FollowingStep], timeout: int | None
) -> frozenset[QueryKind]:
    """Return the kinds of request whose replies the client is seen to take; `timeout` is known in ns."""
    shown = set(_by_content(session))
    replied = answered(steps)
    if sum(step.gap >= 0 for step in replied) < _NEARLY_ALL * len(replied):
        return frozenset(shown)  # it does not wait for replies
    within = follow_replies(list(_within_kinds(replied)))
    pooled = follow_replies(replied) if within is None else within
    at_reply = [step for step in replied if 0 <= step.gap <= _SURELY_SHARE * step.wait]
    if len(at_reply) >= max(_SEVERAL, _HALF * len(replied)):
        shown.update(kind for step in at_reply for kind in step.kinds)
    for kinds, group in by_kinds(replied).items():
        longer = timeout is not None and _sooner(group, timeout)
        follows = pooled is not False and follow_replies(group)
        if longer or follows or at_once(group) or (pooled and _like_all(group, replied)):
            shown.update(kinds)
    return frozenset(shown)


def _within_kinds(steps: Sequence[FollowingStep]) -> Iterator[FollowingStep]:
    """Yield steps less what is usual of their kind: a client may pause after one kind of request alone."""
    for group in by_kinds([step for step in steps if step.gap >= 0]).values():
        latency, wait = int(median(step.latency for step in group)), int(median(step.wait for step in group))
        yield from (
            step._replace(replied=step.replied - latency, next_time=step.next_time - wait + _LONG)
            for step in group
        )


def _like_all(group: Sequence[FollowingStep], steps: Sequence[FollowingStep]) -> bool:
    """Tell whether the pauses behind these replies are as long as behind all, beside how replies differ."""
    apart = abs(median(step.gap for step in group) - median(step.gap for step in steps))
    return apart <= _HALF * pstdev(step.latency for step in steps)


def _sooner(group: Sequence[FollowingStep], timeout: int) -> bool:
    """Tell whether a client nearly always goes on much sooner than where nothing comes."""
    soon = [step for step in group if step.gap >= 0 and step.wait < _HALF * timeout]
    return len(soon) >= 2 and len(soon) >= _NEARLY_ALL * len(group)


def _by_content(session: ClientSession) -> Iterator[QueryKind]:
    """Yield kinds where the client asks what only an earlier reply can have told it.

    The last piece of a configuration's description ends where the first reply said that it does.
    """
    total, heard = -1, session.observer
    for each in session.queries:
        if each.kind.command < 0 or each.kind.ids or each.row < 0:
            continue
        piece = heard.piece(session.messages.payload(each.row))
        if piece is None:
            continue
        size, offset = piece
        if total > 0 and offset and offset + size == total:
            yield each.kind
            return
        if each.answered:
            whole = heard.whole(session.messages.payload(each.reply))
            total = total if whole is None else whole


def not_shown(session: ClientSession, shown: frozenset[QueryKind]) -> list[QueryKind]:
    """Return the kinds whose replies the client is not seen to take, nor others that are as hard to read.

    As hard are replies that are as long and whose length is written in the same way.
    """
    sizes: dict[QueryKind, int] = {}
    for each in session.queries:
        if each.answered:
            sizes[each.kind] = max(sizes.get(each.kind, 0), int(session.messages.size[each.reply]))
    hardest: dict[int, int] = {}
    for kind in shown & sizes.keys():
        form = length_form(sizes[kind])
        hardest[form] = max(hardest.get(form, 0), sizes[kind])
    return [
        kind for kind, size in sizes.items() if kind not in shown and size > hardest.get(length_form(size), 0)
    ]


def length_form(size: int) -> int:
    """Return in which way a length is written: a byte below 128, a byte above, more bytes."""
    return (size > 0x7F) + (size > 0xFF)
