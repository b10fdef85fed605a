"""Where a recording does not show whether its client takes the replies: said, and never called well."""

from collections.abc import Iterator, Sequence
from statistics import median

from packwire.capture.packets import NO_TIME
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause, SessionVerdict, session_verdict
from packwire.doctor.compare.following import (
    answered,
    answered_ones,
    by_kinds,
    late_by,
    not_shown,
    numbers_of,
    steps_of,
    went_on,
)
from packwire.doctor.compare.given_up import given_up
from packwire.doctor.compare.patience import ClientPatience, PatienceSource, alike
from packwire.doctor.compare.session import ClientSession, QueryKind, labels

#: A polling that pauses so many times as long as the other session's may be one of timeouts.
_SLOWER = 1.5
#: A client that is seen to go on before the reply so often, and in this share of them, does so as a habit.
_SEVERAL = 3
_OFTEN = 0.02
#: A pause is another than usual where it is so many times as long, and in ns; it comes in this share of all.
_FAR = 3
_LEAST_TIMEOUT = 200_000_000
_NOT_RARE = 0.05
_MOSTLY = 0.8
#: A shorter timeout loses replies through a hub, in ns.
_SHORT_TIMEOUT = 100_000_000


def cannot_tell(
    own: ClientSession, other: ClientSession, patience: ClientPatience
) -> Iterator[SessionVerdict]:
    """Yield a finding where nothing shows that replies were taken, or where there are no times to tell.

    A pause may be a timeout or a pace; and a steady pace is that of a client that never reads, too.
    """
    if patience.source is PatienceSource.LOG:
        return
    if own.answered and not _has_times(own) and _has_times(other):
        text = "Its recording has no times, or all the same: no pause tells whether it took the replies."
        yield _of_all(own, text)
    elif own.answered and not _goes_on(own) and _goes_on(other):
        text = "Nothing comes after its replies in the recording, so it does not show whether it took them."
        yield _of_all(own, text)
    elif not patience.refused:
        yield from _does_not_wait(own)
        yield from _waits_now_and_then(own)
        yield from _gives_up_soon(own)
        yield from _gives_some_up(own)
        yield from _not_shown(own, other, patience)


def _does_not_wait(own: ClientSession) -> Iterator[SessionVerdict]:
    """Say that a client often goes on before the reply is there: what it does with that is not to be seen."""
    there = own.numbers(lambda each: each.answered and each.wait is not None)
    # Before it closes a connection nobody sends requests together.
    early = tuple(
        number
        for number in there
        if went_on(own.queries[number]) or (number + 1 in own.starts and late_by(own.queries[number]))
    )
    if own.lost or len(early) < max(_SEVERAL, _OFTEN * len(there)):
        return
    text = (
        f"{len(early)} of {len(there)} replies came when {{who}} had already gone on (after"
        f" {labels(own.kinds_of(early))}): it does not wait for them, or gives them up too soon; nothing"
        " tells which."
    )
    yield _finding(own, text, numbers=early)


def _waits_now_and_then(own: ClientSession) -> Iterator[SessionVerdict]:
    """Say that a client pauses far longer after some replies to the same request, and always equally long."""
    for group in by_kinds(answered(list(steps_of(own)))).values():
        usual = median(step.wait for step in group)
        long = [step for step in group if step.wait >= max(_FAR * usual, _LEAST_TIMEOUT)]
        if len(long) < max(_SEVERAL, _NOT_RARE * len(group)):
            continue
        pause = int(median(step.wait for step in long))
        if sum(alike(step.wait, pause) for step in long) < _MOSTLY * len(long):
            continue
        text = (
            f"After {len(long)} of {len(group)} replies to {labels(group[0].kinds)} {{who}} goes on"
            f" {pause / 1e9:.3g} s later, else after {usual / 1e9:.3g} s: a pause, or a timeout; nothing"
            " tells which."
        )
        yield _finding(own, text, numbers=numbers_of(long), time=long[0].time, kinds=group[0].kinds)


def _gives_up_soon(own: ClientSession) -> Iterator[SessionVerdict]:
    """Say that a client goes on so soon where no reply comes that it gives slower ones up."""
    steps = [step for step in steps_of(own) if len(step.numbers) == 1]
    there = [step for step in answered(steps) if step.gap >= 0]
    in_vain = [step for step in steps if step.replied == NO_TIME]
    if own.lost or min(len(there), len(in_vain)) < _SEVERAL:
        return
    waits = int(median(step.wait for step in in_vain))
    patience = max(waits - median(step.gap for step in there), 0)
    steady = sum(alike(step.wait, waits) for step in in_vain) >= _MOSTLY * len(in_vain)
    if not steady or patience >= _SHORT_TIMEOUT:
        return
    text = (
        f"Where no reply comes (after {len(in_vain)} requests) {{who}} goes on only {patience / 1e6:.3g} ms"
        " later than with one: nothing tells whether it takes those that are slower."
    )
    yield _finding(own, text, numbers=numbers_of(in_vain))


def _gives_some_up(own: ClientSession) -> Iterator[SessionVerdict]:
    """Say that after some replies a client goes on as if they had not come."""
    # What it asks by a timer of its own, and nobody answers, comes between.
    there = answered(list(steps_of(own, answered_ones(own))))
    for group in (there, *by_kinds(there).values()):
        odd = [] if own.lost else given_up(group)
        if not odd:
            continue
        kinds = tuple(dict.fromkeys(kind for step in odd for kind in step.kinds))
        text = (
            f"{{who}} goes on a certain time after a reply; not so after {len(odd)} of {len(group)}"
            f" ({labels(kinds)}, {median(step.latency for step in odd) / 1e6:.3g} ms after the request): it"
            " may give these up."
        )
        yield _finding(own, text, numbers=numbers_of(odd), time=odd[0].time, kinds=kinds)
        return


def _finding(
    own: ClientSession,
    *lines: str,
    numbers: Sequence[int] = (),
    kinds: tuple[QueryKind, ...] | None = None,
    time: int | None = None,
) -> SessionVerdict:
    cause, remedy = Cause.CANNOT_TELL, _remedy(own)
    return session_verdict(
        own, cause, Confidence.POSSIBLE, *lines, numbers=numbers, kinds=kinds, time=time, remedy=remedy
    )


def _of_all(own: ClientSession, text: str) -> SessionVerdict:
    kinds = own.kinds_of(own.numbers(lambda each: each.answered))
    return _finding(own, text, kinds=kinds)


def _remedy(own: ClientSession) -> str:
    """Return what else tells."""
    return f"Give its log (--log FILE), or be sure with: {own.examined_with}" if own.examined_with else ""


def _has_times(session: ClientSession) -> bool:
    return session.begin != NO_TIME and session.end > session.begin


def _goes_on(session: ClientSession) -> bool:
    return any(each.answered and each.wait is not None for each in session.queries)


def _not_shown(
    own: ClientSession, other: ClientSession, patience: ClientPatience
) -> Iterator[SessionVerdict]:
    """Say after which replies the client does nothing that shows that it took them."""
    kinds = tuple(not_shown(own, patience.shown))
    numbers = own.numbers(lambda each: each.answered and each.kind in kinds)
    if not numbers:
        return
    waits, names = own.waits(numbers), labels(kinds)
    text = (
        f"{{who}} sends its next request {median(waits) / 1e9:.3g} s after {names} ({len(numbers)} times),"
        " although the reply is there: its pace, or a timeout; nothing tells which."
        if waits
        else f"Nothing comes after the replies to {names}, so nothing shows whether {{who}} took them."
    )
    lines = [text]
    usual = _usual_wait(other, kinds)
    if waits and usual is not None and median(waits) > _SLOWER * usual:
        lines.append(f"The other session goes on after {usual / 1e9:.3g} s.")
    if patience.shown:
        seen = labels(sorted(patience.shown))
        lines.append(f"That it takes replies is to be seen of {seen}, which are shorter or of another form.")
    yield _finding(own, *lines, numbers=numbers, kinds=kinds)


def _usual_wait(session: ClientSession, kinds: tuple[QueryKind, ...]) -> float | None:
    """Return how long a session pauses after these kinds, or, where it asks none of them, after all."""
    answered = [each for each in session.queries if each.answered and each.wait is not None]
    alike_kinds = [each for each in answered if each.kind in kinds] or answered
    return median(each.wait or 0 for each in alike_kinds) if alike_kinds else None
