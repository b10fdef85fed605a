"""Why requests of a session have no reply on the wire: each is given one cause, the surest first."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from packwire.capture.packets import NO_TIME
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause, SessionVerdict, session_verdict
from packwire.doctor.compare.following import LEAST_TIMEOUT
from packwire.doctor.compare.session import ClientSession, Query, QueryKind
from packwire.phrases import counted, few

#: How long a scan of the CAN bus may take, in ns: 2.5 to 5 s are usual.
_SCAN = 8_000_000_000
#: A device is called silent, and surely, where it was waited for so long, in ns, and asked so often.
_LONG_ENOUGH = 900_000_000
_OFTEN_ENOUGH = 2
#: Where more than this share of what was asked on too early is answered, that is not why the rest is not.
_MOST = 0.5
#: Behind the end of a recording a reply may still have come, for so long, in ns.
_MAY_STILL_COME = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Sides:
    """The session that is judged and the other one, with what is looked up often."""

    own: ClientSession
    other: ClientSession
    answered_there: frozenset[QueryKind]
    asked_there: frozenset[QueryKind]
    asked_here: frozenset[QueryKind]
    answered_here: frozenset[QueryKind]
    heard_ids: frozenset[int]
    latency: dict[QueryKind, float]
    served_all_the_same: bool
    wedged_at: int | None
    silent_from: int


def silence_findings(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Yield one finding for each cause of silence, with its exchanges."""
    sides = _sides(own, other)
    found: defaultdict[tuple[Cause, Confidence], list[int]] = defaultdict(list)
    for number, query in enumerate(own.queries):
        if not query.answered and query.row >= 0 and (query.expects or _foreign(query, sides)):
            cause = _cause(number, query, sides)
            if cause is not None:
                found[cause].append(number)
    for (named, confidence), numbers in found.items():
        yield _finding(named, confidence, numbers, sides)


def _sides(own: ClientSession, other: ClientSession) -> _Sides:
    latency: dict[QueryKind, float] = {}
    for session in (own, other):
        for kind, usual in _latencies(session).items():
            latency[kind] = max(usual, latency.get(kind, 0.0))
    answered = [each for session in (own, other) for each in session.queries if each.answered]
    last = max(own.numbers(lambda each: each.answered), default=0)
    wedges = (
        number
        for number, each in enumerate(own.queries[last:], last)
        if each.kind.command == own.observer.wedging and not each.answered
    )
    return _Sides(
        own,
        other,
        frozenset(each.kind for each in other.queries if each.answered),
        frozenset(each.kind for each in other.queries),
        frozenset(each.kind for each in own.queries),
        frozenset(each.kind for each in own.queries if each.answered),
        frozenset(each.kind.ids[-1] for each in answered if each.kind.ids),
        latency,
        _served_all_the_same(own, latency),
        next(wedges, None),
        _silent_from(own, other, last),
    )


def _silent_from(own: ClientSession, other: ClientSession, last: int) -> int:
    """Return from which exchange on the device answers nothing any more; behind the last where it does.

    It is silent where even what it answered before, or answers in the other session, gets no reply.
    """
    answers_it = {each.kind for session in (own, other) for each in session.queries if each.answered}
    silent = any(
        each.expects and not each.kind.ids and each.kind in answers_it for each in own.queries[last + 1 :]
    )
    return last + 1 if silent else len(own.queries)


def _latencies(session: ClientSession) -> dict[QueryKind, float]:
    """Return how long a reply of each kind usually takes, in ns."""
    times: defaultdict[QueryKind, list[int]] = defaultdict(list)
    for each in session.queries:
        if each.latency is not None:
            times[each.kind].append(each.latency)
    return {kind: median(some) for kind, some in times.items()}


def _foreign(query: Query, sides: _Sides) -> bool:
    """Tell whether this is a command that nobody answers, sent instead of one that the other side sends."""
    return not query.expects and query.kind not in sides.asked_there and bool(_instead(sides))


def _instead(sides: _Sides) -> list[QueryKind]:
    """Return what the other side asks with success and this one never asks."""
    return [kind for kind in sides.latency if kind in sides.answered_there and kind not in sides.asked_here]


def _cause(number: int, query: Query, sides: _Sides) -> tuple[Cause, Confidence] | None:
    own, kind = sides.own, query.kind
    if not query.expects:
        return Cause.WRONG_COMMAND, Confidence.LIKELY
    if kind not in sides.answered_here and _hardware(kind, sides) is not None:
        return Cause.NEVER_ANSWERED, Confidence.CERTAIN
    if query.lost:
        return Cause.NOT_RECORDED, Confidence.LIKELY
    if own.observer.everybody in kind.ids:
        return None  # it has a cause of its own, whether something came or not
    if sides.wedged_at is not None and number >= sides.wedged_at:
        return Cause.WEDGED, Confidence.CERTAIN
    if kind.ids and kind.ids[-1] not in sides.heard_ids and number < sides.silent_from:
        scanned = own.bus is not None and kind.ids[-1] not in own.bus
        if sides.answered_here:
            return Cause.NOBODY_THERE, Confidence.CERTAIN if scanned else Confidence.LIKELY
        if sides.heard_ids and all(each.kind.ids for each in own.queries if each.expects):
            return Cause.NOBODY_THERE, Confidence.LIKELY
    return _cause_on_the_way(number, query, sides)


def _cause_on_the_way(number: int, query: Query, sides: _Sides) -> tuple[Cause, Confidence] | None:
    """Return why a request has no reply that somebody who is there could have given."""
    own, kind = sides.own, query.kind
    if _cut_off(query, own):
        return Cause.NOT_RECORDED, Confidence.LIKELY
    if own.ending.by == "device" and number == len(own.queries) - 1:
        return None  # the end of the connection has a cause of its own
    arrived = own.arrived
    damaged = arrived.damaged or arrived.waiting or (arrived.junk and not sides.answered_here)
    if damaged and not arrived.missing:
        return Cause.DAMAGED_REPLIES, Confidence.LIKELY
    if kind.command == own.observer.search and query.wait is not None and query.wait < _SCAN:
        return Cause.IMPATIENT, Confidence.LIKELY
    if _too_soon(query, sides):
        waited = query.wait is not None and query.wait >= LEAST_TIMEOUT
        return Cause.IMPATIENT if waited else Cause.TOO_FAST, Confidence.LIKELY
    if own.login is not None and not own.login.alone and number in own.starts:
        return Cause.SWALLOWED, Confidence.LIKELY
    foreign = kind not in sides.asked_there and kind not in sides.answered_here
    if foreign and sides.answered_here and number < sides.silent_from and _instead(sides):
        return Cause.WRONG_COMMAND, Confidence.LIKELY
    return Cause.SILENT_DEVICE, Confidence.LIKELY


def _hardware(kind: QueryKind, sides: _Sides) -> int | None:
    """Return the hardware type of the node asked, where it is known and never answers this command."""
    if kind.command < 0:
        return None
    node = kind.ids[-1] if kind.ids else None
    for session in (sides.own, sides.other):
        if node in session.nodes:
            hardware = session.nodes[node].hardware
            return None if session.observer.ever_answers(hardware, kind.command) else hardware
    return None


def _cut_off(query: Query, session: ClientSession) -> bool:
    if query.time == NO_TIME:
        return False
    open_end = session.ending.by == "" and query.next_time == NO_TIME
    return open_end and session.end - query.time < _MAY_STILL_COME


def _too_soon(query: Query, sides: _Sides) -> bool:
    """Tell whether the client asked on before a reply could have been there, and that does harm here."""
    if sides.own.lost or query.kind.command == sides.own.observer.search or sides.served_all_the_same:
        return False
    return _early(query, sides.latency)


def _early(query: Query, latency: dict[QueryKind, float]) -> bool:
    """Tell whether the client asked on sooner than a reply of this kind usually comes."""
    usual = latency.get(query.kind)
    return usual is not None and query.wait is not None and query.wait < usual


def _served_all_the_same(own: ClientSession, latency: dict[QueryKind, float]) -> bool:
    """Tell whether most requests after which the client asked on too early have their reply."""
    early = [each for each in own.queries if each.expects and _early(each, latency)]
    return sum(each.answered for each in early) > _MOST * len(early)


def _finding(cause: Cause, confidence: Confidence, numbers: list[int], sides: _Sides) -> SessionVerdict:
    own = sides.own
    kinds = own.kinds_of(numbers)
    make = _EVIDENCE.get(cause)
    evidence = make(numbers, kinds, sides) if make else (f"{_counted(numbers, kinds)} got no reply.",)
    opens = tuple(_before(numbers[0], sides)) if cause is Cause.SILENT_DEVICE else ()
    if cause is Cause.SILENT_DEVICE and not opens and _surely_silent(numbers, kinds, sides):
        confidence = Confidence.CERTAIN
    if cause is Cause.NOBODY_THERE and not sides.answered_here:
        opens = (
            "Nothing at all is answered in this session: the files alone cannot rule out a silent device.",
        )
    remedy = _remedy(cause, sides)
    return session_verdict(own, cause, confidence, *evidence, numbers=numbers, open=opens, remedy=remedy)


def _surely_silent(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> bool:
    """Tell whether only the device can have kept the replies: the same bytes are answered elsewhere."""
    patient = sum(wait >= _LONG_ENOUGH for wait in sides.own.waits(numbers)) >= _OFTEN_ENOUGH
    known = all(kind in sides.answered_there for kind in kinds)
    return patient and known and _same_bytes(numbers, sides) == ", byte for byte,"


def _names(kinds: tuple[QueryKind, ...]) -> str:
    return few((kind.label for kind in kinds), 4)


def _counted(numbers: list[int], kinds: tuple[QueryKind, ...]) -> str:
    return f"{counted(len(numbers), 'request')} ({_names(kinds)})"


def _never(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    del numbers
    heard = sides.own.observer
    for kind in kinds:
        name = heard.protocol.describe(bytes((kind.command,)))
        hardware = heard.hardware_label(_hardware(kind, sides))
        yield (
            f"{name} ({kind.command}) sent to a {hardware} is never answered, by anyone"
            f"{_who_does(kind, sides.own)}."
        )


def _who_does(kind: QueryKind, session: ClientSession) -> str:
    ids = [
        str(node)
        for node, told in session.nodes.items()
        if node is not None and session.observer.ever_answers(told.hardware, kind.command)
    ]
    return f" (CAN id {', '.join(ids)} answers it)" if ids else ""


def _nobody(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    ids = list(dict.fromkeys(kind.ids[-1] for kind in kinds))
    bus = sides.own.bus if sides.own.bus is not None else sides.other.bus
    heard = ", ".join(map(str, sorted(sides.heard_ids | set(bus or ())))) or "none"
    for each in ids:
        if bus is not None:
            yield f"There is no CAN id {each}: {heard} answered the scan of the bus (PING_CAN)."
        else:
            yield (
                f"Nothing ever comes from CAN id {each} ({_counted(numbers, kinds)}); ids heard: {heard}."
                " A device does not answer to its own id over CAN either."
            )


def _wrong(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    instead = tuple(_instead(sides))
    yield f"{_counted(numbers, kinds)} got no reply, and the other session never asks that."
    yield f"The other session asks {_names(instead)} and is answered; this one never does."


def _silent(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    own = sides.own
    if not own.answered:
        what = "Nothing at all" if not own.arrived.junk and not own.unasked else "No reply"
        yield f"{what} came back to {_counted(numbers, kinds)}."
    else:
        yield f"{_counted(numbers, kinds)} got no reply on the wire; {own.answered} others were answered."
    if any(kind in sides.answered_there for kind in kinds):
        same = _same_bytes(numbers, sides)
        yield f"In the other session the same request{same} is answered."


def _same_bytes(numbers: list[int], sides: _Sides) -> str:
    others = sides.other.answered_payloads(sides.own.queries[numbers[0]].kind)
    same = sides.own.payload(numbers[0]) in others
    return ", byte for byte," if same else ", with other arguments,"


def _before(number: int, sides: _Sides) -> Iterator[str]:
    """Say what the other side sent before it asked the same, and this one did not: it may be needed."""
    own, other = sides.own, sides.other
    kind = own.queries[number].kind
    sent = {each.kind for each in own.queries[:number]}
    missing: dict[QueryKind, None] = {}
    for each in other.queries:
        if each.kind == kind:
            if missing:
                yield (
                    f"Before this the other session sends {_names(tuple(missing))}, which this one does not:"
                    " the files alone cannot rule out that the device wants it first."
                )
            return
        if each.kind not in sent:
            missing[each.kind] = None


def _impatient(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    if any(kind.command != sides.own.observer.search for kind in kinds):
        yield from _fast(numbers, kinds, sides)
        return
    wait = median(sides.own.waits(numbers))
    yield (
        f"{_counted(numbers, kinds)} got no reply: the client went on {wait / 1e9:.3g} s later, and"
        " a scan of the bus takes 2.5 to 5 s, or longer."
    )


def _fast(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    wait = median(sides.own.waits(numbers))
    yield (
        f"{_counted(numbers, kinds)} got no reply: the next request came {wait / 1e6:.3g} ms later,"
        f" and a reply takes {min(sides.latency.get(kind, 0.0) for kind in kinds) / 1e6:.3g} ms."
    )


def _cut(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    missing = sides.own.arrived.missing
    if any(sides.own.queries[number].lost for number in numbers):
        yield f"{missing} bytes of the device are not in the file; {_counted(numbers, kinds)} got no reply."
    else:
        yield f"The recording ends right after {_counted(numbers, kinds)}."


def _damaged(numbers: list[int], kinds: tuple[QueryKind, ...], sides: _Sides) -> Iterator[str]:
    arrived = sides.own.arrived
    parts = [f"{arrived.damaged} frames with a wrong checksum or stop byte"] if arrived.damaged else []
    parts += [f"{arrived.junk} bytes in no frame"] if arrived.junk else []
    if arrived.waiting:
        parts.append(f"{arrived.waiting[0]} of the {arrived.waiting[1]} bytes of a last frame")
    yield f"{_counted(numbers, kinds)} got no whole reply; from the device came {', '.join(parts)}."


_EVIDENCE = {
    Cause.NEVER_ANSWERED: _never,
    Cause.NOBODY_THERE: _nobody,
    Cause.WRONG_COMMAND: _wrong,
    Cause.SILENT_DEVICE: _silent,
    Cause.TOO_FAST: _fast,
    Cause.IMPATIENT: _impatient,
    Cause.NOT_RECORDED: _cut,
    Cause.DAMAGED_REPLIES: _damaged,
}


def _remedy(cause: Cause, sides: _Sides) -> str:
    if cause is Cause.WRONG_COMMAND:
        return f"Send {_names(tuple(_instead(sides)))}, as the other session does."
    values = sides.own.observer.pack_values
    if cause is Cause.NEVER_ANSWERED and any(kind.command == values for kind in _instead(sides)):
        return "Ask BMS_GET_VALUES (96), as the other session does: it is answered there."
    return ""
