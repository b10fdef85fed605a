"""Where a recording does not show whether its client takes the replies: said, and never called well."""

from collections.abc import Iterator
from statistics import median

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.causes import Cause, Finding
from packwire.doctor.compare.patience import Patience, Source, alike
from packwire.doctor.compare.session import Kind, Session
from packwire.doctor.evidence import Confidence

#: A polling that pauses so many times as long as the other session's may be one of timeouts.
_SLOWER = 1.5


def cannot_tell(own: Session, other: Session, patience: Patience) -> Iterator[Finding]:
    """Yield a finding where pauses may be timeouts or a pace, or where there are no times to tell."""
    if patience.source is Source.LOG:
        return
    if own.answered and not _has_times(own) and _has_times(other):
        text = "Its recording has no times, or all the same: no pause tells whether it took the replies."
        kinds = tuple(dict.fromkeys(each.kind for each in own.exchanges if each.answered))
        yield Finding(
            Cause.CANNOT_TELL, Confidence.POSSIBLE, own.begin, (text,), kinds=kinds, remedy=_remedy(own)
        )
    elif own.answered and not _goes_on(own) and _goes_on(other):
        text = "Nothing comes after its replies in the recording, so it does not show whether it took them."
        yield _finding(own, text)
    elif patience.pace is not None:
        yield from _pace_or_timeout(own, other, patience.pace)


def _finding(own: Session, text: str) -> Finding:
    kinds = tuple(dict.fromkeys(each.kind for each in own.exchanges if each.answered))
    return Finding(
        Cause.CANNOT_TELL, Confidence.POSSIBLE, own.begin, (text,), kinds=kinds, remedy=_remedy(own)
    )


def _remedy(own: Session) -> str:
    """Return what else tells; the doctor plays a VESC only."""
    return "" if own.protocol == "VESC" else "Give its log (--log FILE), or print what the client receives."


def _has_times(session: Session) -> bool:
    return session.begin != NO_TIME and session.end > session.begin


def _goes_on(session: Session) -> bool:
    return any(each.answered and each.wait is not None for each in session.exchanges)


def _pace_or_timeout(own: Session, other: Session, pace: int) -> Iterator[Finding]:
    numbers = tuple(
        number
        for number, each in enumerate(own.exchanges)
        if each.answered and each.wait is not None and alike(each.wait, pace)
    )
    kinds = tuple(dict.fromkeys(own.exchanges[number].kind for number in numbers))
    usual = _usual_wait(other, kinds)
    if not numbers or (usual is not None and pace <= _SLOWER * usual):
        return
    names = ", ".join(kind.label for kind in kinds[:3])
    text = (
        f"{{who}} sends its next request {pace / 1e9:.3g} s after {names}"
        f" ({len(numbers)} times), although the reply is there: its pace, or a timeout; nothing tells which."
    )
    there = "" if usual is None else f"The other session goes on after {usual / 1e9:.3g} s."
    lines = (text, there) if there else (text,)
    first = own.exchanges[numbers[0]].time
    yield Finding(Cause.CANNOT_TELL, Confidence.POSSIBLE, first, lines, (), (), numbers, kinds, _remedy(own))


def _usual_wait(session: Session, kinds: tuple[Kind, ...]) -> float | None:
    """Return how long a session pauses after these kinds, or, where it asks none of them, after all."""
    answered = [each for each in session.exchanges if each.answered and each.wait is not None]
    alike_kinds = [each for each in answered if each.kind in kinds] or answered
    return median(each.wait or 0 for each in alike_kinds) if alike_kinds else None
