"""Where a recording does not show whether its client takes the replies: said, and never called well."""

from collections.abc import Iterator
from statistics import median

from packwire.capture.packets import NO_TIME
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause, SessionVerdict, session_verdict
from packwire.doctor.compare.following import not_shown, went_on
from packwire.doctor.compare.patience import ClientPatience, Source
from packwire.doctor.compare.session import ClientSession, QueryKind

#: A polling that pauses so many times as long as the other session's may be one of timeouts.
_SLOWER = 1.5
#: A client that is seen to go on before the reply so often, and in this share of them, does so as a habit.
_SEVERAL = 3
_OFTEN = 0.02


def cannot_tell(
    own: ClientSession, other: ClientSession, patience: ClientPatience
) -> Iterator[SessionVerdict]:
    """Yield a finding where nothing shows that replies were taken, or where there are no times to tell.

    A pause may be a timeout or a pace; and a steady pace is that of a client that never reads, too.
    """
    if patience.source is Source.LOG:
        return
    if own.answered and not _has_times(own) and _has_times(other):
        text = "Its recording has no times, or all the same: no pause tells whether it took the replies."
        kinds = tuple(dict.fromkeys(each.kind for each in own.queries if each.answered))
        yield session_verdict(
            Cause.CANNOT_TELL, Confidence.POSSIBLE, own.begin, (text,), kinds=kinds, remedy=_remedy(own)
        )
    elif own.answered and not _goes_on(own) and _goes_on(other):
        text = "Nothing comes after its replies in the recording, so it does not show whether it took them."
        yield _finding(own, text)
    elif not patience.refused:
        yield from _does_not_wait(own)
        yield from _not_shown(own, other, patience)


def _does_not_wait(own: ClientSession) -> Iterator[SessionVerdict]:
    """Say that a client often goes on before the reply is there: what it does with that is not to be seen."""
    answered = [number for number, each in enumerate(own.queries) if each.answered and each.wait is not None]
    early = tuple(number for number in answered if went_on(own.queries[number]))
    if own.lost or len(early) < max(_SEVERAL, _OFTEN * len(answered)):
        return
    kinds = tuple(dict.fromkeys(own.queries[number].kind for number in early))
    names = ", ".join(kind.label for kind in kinds[:3])
    text = (
        f"{len(early)} of {len(answered)} replies came when {{who}} had already gone on (after {names}): it"
        " does not wait for them, or gives them up too soon; nothing tells which."
    )
    first = own.queries[early[0]].time
    yield session_verdict(
        Cause.CANNOT_TELL, Confidence.POSSIBLE, first, (text,), (), (), early, kinds, _remedy(own)
    )


def _finding(own: ClientSession, text: str) -> SessionVerdict:
    kinds = tuple(dict.fromkeys(each.kind for each in own.queries if each.answered))
    return session_verdict(
        Cause.CANNOT_TELL, Confidence.POSSIBLE, own.begin, (text,), kinds=kinds, remedy=_remedy(own)
    )


def _remedy(own: ClientSession) -> str:
    """Return what else tells; the doctor plays a VESC only."""
    return "" if own.protocol == "VESC" else "Give its log (--log FILE), or print what the client receives."


def _has_times(session: ClientSession) -> bool:
    return session.begin != NO_TIME and session.end > session.begin


def _goes_on(session: ClientSession) -> bool:
    return any(each.answered and each.wait is not None for each in session.queries)


def _not_shown(
    own: ClientSession, other: ClientSession, patience: ClientPatience
) -> Iterator[SessionVerdict]:
    """Say after which replies the client does nothing that shows that it took them."""
    kinds = not_shown(own, patience.shown)
    numbers = tuple(
        number for number, each in enumerate(own.queries) if each.answered and each.kind in set(kinds)
    )
    if not numbers:
        return
    waits = [wait for number in numbers if (wait := own.queries[number].wait) is not None]
    names = ", ".join(kind.label for kind in kinds[:3])
    text = (
        f"{{who}} sends its next request {median(waits) / 1e9:.3g} s after {names} ({len(numbers)} times),"
        " although the reply is there: its pace, or a timeout; nothing tells which."
        if waits
        else f"Nothing comes after the replies to {names}, so nothing shows whether {{who}} took them."
    )
    lines = [text]
    usual = _usual_wait(other, tuple(kinds))
    if waits and usual is not None and median(waits) > _SLOWER * usual:
        lines.append(f"The other session goes on after {usual / 1e9:.3g} s.")
    seen = ", ".join(kind.label for kind in sorted(patience.shown)[:3])
    if seen:
        lines.append(f"That it takes replies is to be seen of {seen}, which are shorter or of another form.")
    first = own.queries[numbers[0]].time
    yield session_verdict(
        Cause.CANNOT_TELL,
        Confidence.POSSIBLE,
        first,
        tuple(lines),
        (),
        (),
        numbers,
        tuple(kinds),
        _remedy(own),
    )


def _usual_wait(session: ClientSession, kinds: tuple[QueryKind, ...]) -> float | None:
    """Return how long a session pauses after these kinds, or, where it asks none of them, after all."""
    answered = [each for each in session.queries if each.answered and each.wait is not None]
    alike_kinds = [each for each in answered if each.kind in kinds] or answered
    return median(each.wait or 0 for each in alike_kinds) if alike_kinds else None
