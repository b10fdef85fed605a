"""What is wrong with a client of a pack that a model describes: seen beside a client that works."""

from collections import Counter
from collections.abc import Iterator

from packwire.att import Opcode
from packwire.capture.framings import request_of
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause, SessionVerdict, session_verdict
from packwire.doctor.compare.session import ClientSession, QueryKind
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import Question
from packwire.phrases import few
from packwire.protocol.base import RequestKind

#: What is asked again and again is asked so often, and by one that asks anything at all so often.
_AGAIN = 3
#: Where so many of its requests are refused, or are in foreign frames, that is what is wrong with it.
_MOST = 0.5
_WRITES = {
    Opcode.WRITE_REQ: "with response (Write Request)",
    Opcode.WRITE_CMD: "without response (Write Command)",
}
#: What says less of a client whose requests the device cannot have heeded.
_LESS = frozenset(
    (
        Cause.SILENT_DEVICE,
        Cause.CANNOT_TELL,
        Cause.NOT_RECORDED,
        Cause.TOO_FAST,
        Cause.IMPATIENT,
        Cause.WRONG_COMMAND,
    )
)
_MAX_NAMES = 4


def pack_findings(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Yield what is wrong with how a client asks."""
    yield from _other_protocol(own, other)
    yield from _write_mode(own, other)
    yield from _password(own, other)
    yield from _never_asked(own, other)


def _other_protocol(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Look for requests in frames of another family than those that the device speaks."""
    foreign = [number for number in own.foreign if not own.queries[number].answered]
    if not foreign or len(foreign) <= _MOST * len(own.queries) or not other.answered:
        return
    begins = {own.queries[number].kind.name.rpartition(" ")[0] for number in foreign}
    names = ", ".join(sorted(begins)[:_MAX_NAMES])
    family = Counter(own.foreign.values()).most_common(1)[0][0]
    text = (
        f"{len(foreign)} of its {len(own.queries)} requests are {family} frames ({names}), and none is"
        f" answered; in the other session the device is asked in {other.protocol} frames, and answers."
    )
    yield session_verdict(own, Cause.OTHER_PROTOCOL, Confidence.LIKELY, text, numbers=foreign, excludes=_LESS)


def _write_mode(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Look for requests that are written in another way than those that are answered."""
    here, there = own.writes.keys() & _WRITES, other.writes.keys() & _WRITES
    if own.answered or not own.queries or not other.answered or not here or not there or here & there:
        return
    ways = [" and ".join(_WRITES[Opcode(each)] for each in sorted(some)) for some in (here, there)]
    text = f"It writes its requests {ways[0]}, and nothing is answered; the other session {ways[1]}, and is."
    numbers = own.numbers(lambda each: each.row >= 0)
    first = own.queries[0].time
    yield session_verdict(
        own, Cause.WRITE_MODE, Confidence.LIKELY, text, numbers=numbers, time=first, excludes=_LESS
    )


def _password(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Look for requests that the device refuses, and for a login that it is not told."""
    refused = sorted(own.refused)
    if not refused or len(refused) <= _MOST * own.answered or len(other.refused) > _MOST * other.answered:
        return
    model = own.described_by
    login, mine = _logins(other, model), _logins(own, model)
    lines = [
        f"The device refuses {len(refused)} of {own.answered} requests; it refuses none in the other session."
    ]
    if login and not mine:
        lines.append(f"There it is told the password first ({login[0].name}); this one never says it.")
    elif login:
        lines.append(f"Both say a password ({login[0].name}); what it is is not compared.")
    sure = Confidence.LIKELY if login else Confidence.POSSIBLE
    yield session_verdict(own, Cause.PASSWORD_NEEDED, sure, *lines, numbers=refused, excludes=_LESS)


def _logins(session: ClientSession, model: ModelProtocol | None) -> list[Question]:
    """Return the requests of a session that say a password."""
    if model is None:
        return []
    asked = (model.question_of(session.payload(number)) for number in range(len(session.queries)))
    return [
        each
        for each in asked
        if each is not None and any(model.parameters[name].secret for name in each.template.names)
    ]


def _never_asked(own: ClientSession, other: ClientSession) -> Iterator[SessionVerdict]:
    """Look for what the other client asks again and again, and this one never does."""
    here = Counter(each.kind for each in own.queries)
    if own.answered < _AGAIN or len(own.refused) > _MOST * own.answered:
        return
    there = Counter(each.kind for each in other.queries if each.answered)
    model = own.described_by
    if model is None:
        return
    missing = [
        kind
        for kind, count in there.items()
        if count >= _AGAIN and kind not in here and _only_reads(kind, other, model)
    ]
    if not missing:
        return
    names = [_named(kind, other, model) for kind in missing]
    text = (
        f"It never asks {few(names, _MAX_NAMES)}; the other session does, again and again, and"
        " is answered. What stands in these replies it cannot show."
    )
    yield session_verdict(own, Cause.NEVER_ASKED, Confidence.POSSIBLE, text, kinds=tuple(missing))


def _only_reads(kind: QueryKind, session: ClientSession, model: ModelProtocol) -> bool:
    """Tell whether a request is known to change nothing: nobody is told to send what may be a switch."""
    payload = _first(kind, session)
    question = model.question_of(payload)
    return request_of(payload).query if question is None else question.kind is RequestKind.READS


def _first(kind: QueryKind, session: ClientSession) -> bytes:
    return session.payload(next(at for at, each in enumerate(session.queries) if each.kind == kind))


def _named(kind: QueryKind, session: ClientSession, model: ModelProtocol) -> str:
    question = model.question_of(_first(kind, session))
    return kind.label if question is None else f"{question.name} ({kind.label})"
