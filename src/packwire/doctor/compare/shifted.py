"""Replies that were given to the request before theirs, because one request got none: each one up.

A device answers in order, so that a reply belongs to the first request of its kind that has none. Where one
was never answered (swallowed with a login, lost on the way), all later replies seem late by a round of the
client. A device's own latency tells: counted from the requests behind, it is much steadier.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.following import CLOSE, width
from packwire.doctor.compare.session import ClientSession, Query

#: Of fewer replies nothing is said.
_LEAST = 3


def shifted_back(session: ClientSession) -> ClientSession:
    """Return a session in which such replies belong to the requests that were sent just before them."""
    queries = list(session.queries)
    for numbers in session.by_kind().values():
        for run in _late_runs(numbers, queries):
            _shift(run, queries)
    return session if queries == list(session.queries) else replace(session, queries=tuple(queries))


def _late_runs(numbers: Sequence[int], queries: Sequence[Query]) -> Iterator[list[int]]:
    """Yield runs of requests of a kind, each but the last answered after the next of them was sent."""
    run: list[int] = []
    for number, following in zip(numbers, [*numbers[1:], None], strict=True):
        run.append(number)
        if following is not None and _answered_behind(queries[number], queries[following]):
            continue
        if len(run) > _LEAST:
            yield run
        run = []


def _answered_behind(query: Query, following: Query) -> bool:
    known = NO_TIME not in (query.time, query.reply_time, following.time)
    return query.answered and known and query.reply_time > following.time


def _shift(run: Sequence[int], queries: list[Query]) -> None:
    """Give each reply to the next request of a run, if that makes the latencies much steadier."""
    replies = [(queries[number].reply, queries[number].reply_time) for number in run[:-1]]
    if queries[run[-1]].answered:
        return
    times = np.array([time for _, time in replies])
    late = times - np.array([queries[number].time for number in run[:-1]])
    soon = times - np.array([queries[number].time for number in run[1:]])
    if width(soon) > CLOSE * width(late):
        return
    queries[run[0]] = queries[run[0]]._replace(reply=-1, reply_time=NO_TIME)
    for number, (reply, time) in zip(run[1:], replies, strict=True):
        queries[number] = queries[number]._replace(reply=reply, reply_time=time)
