"""A client that makes one connection after the other: all of them as one session, so that evidence adds up.

Another program may come from the same address and ask the same. So only connections are joined that cannot
be two at once, that follow each other at one pace, and in which replies that are alike are dealt with alike.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.following import answered, length_form, steps_of
from packwire.doctor.compare.session import ClientSession, Query, QueryKind
from packwire.messages import concatenated
from packwire.phrases import few

#: Between the connections of one client is about the same time: at most so many times the usual, and in ns.
_LONGER = 2
_LATE = 500_000_000
#: Of so few breaks none is usual; nobody changes programs within this time, in ns.
_FEW = 3
_BY_HAND = 2_000_000_000
#: One client does not wait so much longer after a reply than in its other connections: in ns, and in times.
_MUCH_LONGER = 200_000_000
_FAR = 3

#: What is asked, how its reply came (in pieces, behind another) and how its length is written.
type _Alike = tuple[QueryKind, bool, bool, int]


def joined(mine: ClientSession, sessions: Sequence[ClientSession]) -> tuple[ClientSession, ...]:
    """Return all connections of a session's client in order of time; itself alone where that is not sure."""
    some = sorted(
        (each for each in sessions if _ends(each) == _ends(mine)), key=lambda each: (each.begin, each.number)
    )
    if any(NO_TIME in (each.begin, each.end) for each in some):
        return (mine,)
    if any(after.begin < before.end for before, after in pairwise(some)):
        return (mine,)  # two at once: nothing tells which of them made the others
    at = next(index for index, each in enumerate(some) if each is mine)
    fits = [
        _asks_the_same(each, mine) and _port_as(each, mine, some) and _same_login(each, mine) for each in some
    ]
    run = _around(at, [fits[index] and _follows(some, index) for index in range(len(some))], fits)
    own = [some[index] for index in run]
    run = _around(at - run.start, _paced(own), [True] * len(own))
    own = [own[index] for index in run]
    one_table = all(
        each.messages.data is mine.messages.data and each.messages.joined is mine.messages.joined
        for each in own
    )
    return tuple(own) if one_table and not _contradict(own) else (mine,)


def as_one(own: Sequence[ClientSession], mine: ClientSession) -> ClientSession:
    """Return connections of one client as one session, which is shown as `mine`."""
    if len(own) == 1:
        return mine
    numbers = few((f"[{each.number}]" for each in own if each is not mine), 8)
    note = (
        f"with {len(own) - 1} more connections of this client, one after the other, that ask the same:"
        f" {numbers}"
    )
    return replace(
        mine,
        begin=own[0].begin,
        end=own[-1].end,
        messages=concatenated([each.messages for each in own]),
        queries=tuple(_queries(own)),
        starts=tuple(_starts(own)),
        sent=sum(each.sent for each in own),
        bad=tuple(bad for each in own for bad in each.bad),
        unasked=sum(each.unasked for each in own),
        login=own[0].login,
        ending=own[-1].ending,
        arrived=own[-1].arrived._replace(
            missing=sum(each.arrived.missing for each in own),
            unacknowledged=sum(each.arrived.unacknowledged for each in own),
            junk=sum(each.arrived.junk for each in own),
            damaged=sum(each.arrived.damaged for each in own),
        ),
        nodes={node: told for each in own for node, told in each.nodes.items()},
        bus=next((each.bus for each in reversed(own) if each.bus is not None), None),
        lost=sum(each.lost for each in own),
        begun=own[0].begun,
        notes=(note, *dict.fromkeys(text for each in own for text in each.notes)),
    )


def _starts(own: Sequence[ClientSession]) -> Iterator[int]:
    at = 0
    for each in own:
        yield at
        at += len(each.queries)


def _queries(own: Sequence[ClientSession]) -> Iterator[Query]:
    """Yield all exchanges, with their rows in one table of messages, and in one list of bad frames."""
    rows = bad = 0
    for session in own:
        for each in session.queries:
            yield each._replace(
                row=each.row + rows if each.row >= 0 else each.row - bad,
                reply=each.reply + rows if each.answered else each.reply,
            )
        rows += len(session.messages)
        bad += len(session.bad)


def _ends(session: ClientSession) -> tuple[str, str]:
    """Return the client's address, without its port (another one each time), and the device's."""
    client, way, device = session.label.partition(" -> ")
    return (client.rpartition(":")[0] if way else client), device


def _port_as(one: ClientSession, mine: ClientSession, some: Sequence[ClientSession]) -> bool:
    """Tell whether a connection's port is chosen as mine's: always the same one, or another each time."""
    ports = [each.label.partition(" -> ")[0] for each in some]
    own, its = (each.label.partition(" -> ")[0] for each in (mine, one))
    return its == own if ports.count(own) > 1 else one is mine or ports.count(its) == 1


def _same_login(one: ClientSession, mine: ClientSession) -> bool:
    said = [each.login and (each.login.login, each.login.problem, each.login.alone) for each in (one, mine)]
    return said[0] == said[1]


def _asks_the_same(one: ClientSession, other: ClientSession) -> bool:
    """Tell whether both begin with the same requests, byte for byte, and one of them goes on."""
    count = min(len(one.queries), len(other.queries))
    return count > 1 and all(
        one.queries[number].kind == other.queries[number].kind
        and one.payload(number) == other.payload(number)
        for number in range(count)
    )


def _follows(some: Sequence[ClientSession], index: int) -> bool:
    """Tell whether the client had closed the connection before this one; only one over radio can be open."""
    return not index or some[index - 1].ending.by == "client" or " -> " not in some[index].label


def _paced(own: Sequence[ClientSession]) -> list[bool]:
    """Tell of each connection whether it follows the one before at the client's pace."""
    breaks = [after.begin - before.end for before, after in pairwise(own)]
    most = _LONGER * median(breaks) + _LATE if len(breaks) >= _FEW else _BY_HAND
    return [True, *(each <= most for each in breaks)]


def _around(at: int, follows: Sequence[bool], fits: Sequence[bool]) -> range:
    """Return the unbroken run around a place; `follows`: each one goes on from the one before."""
    first = last = at
    while first > 0 and follows[first] and fits[first - 1]:
        first -= 1
    while last + 1 < len(fits) and follows[last + 1] and fits[last + 1]:
        last += 1
    return range(first, last + 1)


def _contradict(own: Sequence[ClientSession]) -> bool:
    """Tell whether one connection waits after replies where others go on: then they are two programs."""
    gaps: defaultdict[_Alike, list[list[int]]] = defaultdict(list)
    for session in own:
        here: defaultdict[_Alike, list[int]] = defaultdict(list)
        for step in answered(list(steps_of(session))):
            if len(step.numbers) == 1:
                here[_how(session, step.numbers[0])].append(step.gap)
        for how, some in here.items():
            gaps[how].append(some)
    return any(max(map(min, each)) >= max(_MUCH_LONGER, _FAR * min(map(max, each))) for each in gaps.values())


def _how(session: ClientSession, number: int) -> _Alike:
    each, messages = session.queries[number], session.messages
    pieces = len(messages.packets_of(each.reply)) > 1
    return (each.kind, pieces, session.shares_packet(each.reply), length_form(int(messages.size[each.reply])))
