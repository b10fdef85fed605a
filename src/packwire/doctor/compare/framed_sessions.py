"""Sessions of any other kind of link: Bluetooth, a serial line, a log. Frames where their framing is known.

A kind of request is told by its framing's header (of an unknown framing by the first bytes), and its reply by
what follows it most of the time, in either of the two captures.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from packwire.capture import Capture
from packwire.capture.framings import Framing, family, family_of
from packwire.capture.layers.conversation import Part, converse
from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.bad_frames import BadFrame, Wrong, explained
from packwire.doctor.compare.bluetooth_connections import writes
from packwire.doctor.compare.recorded_links import RecordedLink
from packwire.doctor.compare.session import Arrived, ClientSession, Query, QueryKind, observer_of
from packwire.doctor.vesc.bad_frames import bad_vesc_frames
from packwire.doctor.vesc.request_kinds import bad_requests, kind_of_request, named_kind
from packwire.messages import Direction, Messages
from packwire.protocol.exchange import Exchange, Patience, Replied
from packwire.protocol.observing import Observer

#: A reply is looked for this long, in ns.
_PATIENCE = Patience(due=10_000_000_000, limit=10_000_000_000)
#: What follows at least so many of the requests of a kind is its reply.
_SHARE = 0.5
#: So many first bytes tell the kinds of an unknown protocol apart.
_PLAIN_HEADER = 4

#: Kinds of requests with the kinds of messages that answer them.
type Expected = Mapping[QueryKind, frozenset[QueryKind]]


def expectations(links_of_both: list[RecordedLink]) -> dict[QueryKind, frozenset[QueryKind]]:
    """Learn which kind of message answers which kind of request: what comes before the next request.

    Each link teaches by itself: where one is silent, the other still tells what a reply would be.
    """
    learnt: defaultdict[QueryKind, frozenset[QueryKind]] = defaultdict(frozenset)
    for link in links_of_both:
        for kind, found in _following(link).items():
            learnt[kind] |= found
    return learnt


def _following(link: RecordedLink) -> dict[QueryKind, frozenset[QueryKind]]:
    asked: Counter[QueryKind] = Counter()
    follows: defaultdict[QueryKind, Counter[QueryKind]] = defaultdict(Counter)
    request: QueryKind | None = None
    seen: set[QueryKind] = set()
    for row, way in enumerate(link.messages.direction.tolist()):
        kind = _kind(link, row)
        if way == Direction.TO_DEVICE:
            request, seen = kind, set()
            asked[kind] += 1
        elif request is not None and kind not in seen:
            seen.add(kind)
            follows[request][kind] += 1
    return {
        kind: frozenset(each for each, count in found.items() if count >= _SHARE * asked[kind])
        for kind, found in follows.items()
    }


def _kind(link: RecordedLink, row: int) -> QueryKind:
    message, framing = link.messages.payload(row), link.framing[row]
    asks = link.messages.direction[row] == Direction.TO_DEVICE
    if framing is not None:
        return QueryKind(_header_name(message, framing, asks=asks))
    channel = replace(link.messages.channels[int(link.messages.channel[row])], address="")
    return QueryKind(f"{channel} {message[:_PLAIN_HEADER].hex(' ')}")


def framed_session(
    capture: Capture, number: int, link: RecordedLink, protocol: str, expected: Expected, model: str = ""
) -> ClientSession:
    """Return one link's session; bytes to the device in no right frame are bad where a framing is known."""
    times, written = link.messages.time, writes(capture, link.messages)
    sent = int(link.messages.size[link.messages.direction == Direction.TO_DEVICE].sum())
    link, bad = _with_bad_frames(link, protocol, expected)
    messages = link.messages
    heard = observer_of(model)
    # What a client in trouble is sent next is often no answer to what it asked last: it is learnt last.
    knows = heard.trailer or heard.family.answers
    queries, unasked = _heard_queries(link, heard) if knows else _queries(link, expected)
    broken = _broken(link, protocol)
    queries = [
        each._replace(reply=-1, reply_time=NO_TIME) if each.reply in broken else each for each in queries
    ]
    found = sorted([*queries, *bad_requests(bad)], key=lambda each: each.time)
    known = capture.packets.time[capture.packets.time != NO_TIME]
    from_device = messages.direction == Direction.FROM_DEVICE
    damaged = sum(
        1
        for row in np.flatnonzero(from_device).tolist()
        if row in broken or (link.framing[row] is not None and not link.right[row])
    )
    numbered = tuple(_with_next(found))
    session = ClientSession(
        file=capture.name,
        number=number,
        protocol=protocol,
        label=link.device or ", ".join(_ways(messages)) or "nothing but what is no frame",
        first=int(known[0]) if len(known) else NO_TIME,
        begin=int(times[0]),
        end=int(times[-1]),
        last=int(known.max()) if len(known) else NO_TIME,
        messages=messages,
        queries=numbered,
        sent=sent,
        bad=bad,
        unasked=unasked,
        arrived=Arrived(damaged=damaged),
        begun=not sent,
        model=model,
        foreign={
            number: family_of(framing)
            for number, each in enumerate(numbered)
            if each.row >= 0 and (framing := link.framing[each.row]) and family_of(framing) != protocol
        },
        writes=written,
    )
    return replace(session, refused=_refused(session))


def _broken(link: RecordedLink, protocol: str) -> frozenset[int]:
    """Return the messages of the device that are whole frames of the protocol but for their checksum.

    Where there are more right ones, a few others may be so for a reason: something in them was masked.
    """
    framings = [each for each in family(protocol) if each.start and each.check]
    rows = np.flatnonzero(link.messages.direction == Direction.FROM_DEVICE).tolist()
    wrong = {row: link.messages.payload(row) for row in rows if not link.right[row]}
    broken = frozenset(
        row
        for row, frame in wrong.items()
        if any(
            frame.startswith(each.start) and _explained(frame, each).wrong is Wrong.CHECKSUM
            for each in framings
        )
    )
    return broken if len(broken) > len(rows) - len(wrong) else frozenset()


def _refused(session: ClientSession) -> frozenset[int]:
    """Return the exchanges whose reply refuses what was asked, as far as a model knows."""
    known = session.described_by
    if known is None:
        return frozenset()
    replies = {
        number: known.reply_of(session.messages.payload(each.reply))
        for number, each in enumerate(session.queries)
        if each.answered
    }
    return frozenset(number for number, reply in replies.items() if reply is not None and reply.refuses)


def _ways(messages: Messages) -> list[str]:
    """Return the channels that most is said on, without what all have in common."""
    count = Counter(messages.channel.tolist())
    return [str(messages.channels[channel]) for channel, _ in count.most_common(2)]


def _with_next(found: list[Query]) -> Iterator[Query]:
    for index, each in enumerate(found):
        yield each._replace(next_time=found[index + 1].time if index + 1 < len(found) else NO_TIME)


def _heard_queries(link: RecordedLink, heard: Observer) -> tuple[list[Query], int]:
    vesc = heard.protocol.name == "vesc"
    rows = (
        np.flatnonzero([each is not None for each in link.framing]) if vesc else np.arange(len(link.framing))
    )
    conversation = converse(link.messages.select(rows), heard)
    times = conversation.messages.time.tolist()
    found = []
    for at in np.flatnonzero(conversation.messages.direction == Direction.TO_DEVICE).tolist():
        reply, row = int(conversation.partner[at]), int(rows[at])
        found.append(
            Query(
                kind_of_request(conversation.messages.payload(at)) if vesc else _kind(link, row),
                times[at],
                row,
                int(rows[reply]) if reply >= 0 else -1,
                times[reply] if reply >= 0 else NO_TIME,
                NO_TIME,
                bool(conversation.part[at] != Part.ONE_WAY) and link.framing[row] is not None,
            )
        )
    return found, int(np.count_nonzero(conversation.part == Part.UNSOLICITED))


class _Asked(NamedTuple):
    """A request of a recording: which query it is, and of which kind."""

    number: int
    kind: QueryKind


class _Learnt:
    """What answers what, as the recordings teach it."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected

    def kind(self, request: _Asked) -> QueryKind | None:
        return request.kind if self._expected.get(request.kind) else None

    def answers(self, request: _Asked, message: QueryKind) -> bool:
        return message in self._expected.get(request.kind, frozenset())

    def continues(self, request: _Asked, message: QueryKind, earlier: object) -> bool:  # noqa: ARG002
        return False


def _queries(link: RecordedLink, expected: Expected) -> tuple[list[Query], int]:
    """Pair requests with replies."""
    found: list[Query] = []
    exchange: Exchange[_Asked, QueryKind] = Exchange(_Learnt(expected), _PATIENCE)
    unasked = 0
    now = NO_TIME
    ways, times = link.messages.direction.tolist(), link.messages.time.tolist()
    for row, way in enumerate(ways):
        kind = _kind(link, row)
        now = max(now, times[row])
        if way == Direction.TO_DEVICE:
            exchange.ask(now, _Asked(len(found), kind), _PATIENCE.limit)
            found.append(Query(kind, times[row], row, -1, NO_TIME, NO_TIME, bool(expected.get(kind))))
            continue
        events = exchange.hear(now, kind)
        reply = next((each for each in events if isinstance(each, Replied)), None)
        if reply is not None:
            number = reply.request.number
            found[number] = found[number]._replace(reply=row, reply_time=times[row])
        elif link.right[row] or link.framing[row] is None:
            unasked += 1
    return found, unasked


def _with_bad_frames(
    link: RecordedLink, protocol: str, expected: Expected
) -> tuple[RecordedLink, tuple[BadFrame, ...]]:
    """Tell the requests apart that are no right frame of the protocol, and what is wrong with each.

    Where nearly all frames of a client are wrong, its framing was not recognised, and the other side's is
    tried: right frames among them are taken as such. Without a start of their own, frames are known by what
    is asked of either client.
    """
    names = {kind.name for kind in expected}
    bad: list[BadFrame] = []
    kept: list[int] = []
    start, size = link.messages.start.copy(), link.messages.size.copy()
    found, right = list(link.framing), list(link.right)
    for row, way in enumerate(link.messages.direction.tolist()):
        kept.append(row)
        if way != Direction.TO_DEVICE or right[row]:
            continue
        frame = link.messages.payload(row)
        fits = (each for each in family(protocol) if _begins_as(frame, each, names))
        framing = found[row] or next(fits, None)
        if framing is None:
            continue
        if found[row] is None and framing.form_of(frame) is not None:
            begin, end, _ = slice(*framing.payload).indices(len(frame))
            start[row], size[row] = start[row] + begin, end - begin
            found[row], right[row] = framing, True
            continue
        kept.pop()
        numbers = link.messages.packets_of(row)
        number, time = numbers[-1] if numbers else 0, int(link.messages.time[row])
        bad.append(_explained(frame, framing)._replace(number=number, time=time))
    messages = replace(link.messages, start=start, size=size).select(np.array(kept, dtype=np.int64))
    return (
        replace(
            link,
            messages=messages,
            framing=tuple(found[row] for row in kept),
            right=tuple(right[row] for row in kept),
        ),
        tuple(bad),
    )


def _begins_as(frame: bytes, framing: Framing, names: set[str]) -> bool:
    """Tell whether a request begins as those of a framing do."""
    return frame.startswith(framing.start) if framing.start else _header_name(frame, framing) in names


def _header_name(frame: bytes, framing: Framing, *, asks: bool = True) -> str:
    return f"{family_of(framing)} {frame[: framing.header_of(frame, asks=asks)].hex(' ')}"


def _explained(frame: bytes, framing: Framing) -> BadFrame:
    """Say what is wrong with a frame of a framing that is known."""
    if family_of(framing) == "VESC":
        first = next(bad_vesc_frames(frame))
        return first._replace(name=named_kind(first.command, first.ids).name if first.command >= 0 else "")
    return explained(frame, framing, _header_name(frame, framing))
