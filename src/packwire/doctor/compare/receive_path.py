"""Replies that are on the wire, whole, and that the client did not take: the finding, with its suspects."""

from collections.abc import Iterator
from statistics import median

from packwire.capture.packets import NO_TIME
from packwire.check import Confidence
from packwire.doctor.compare.bad_frames import shown_hex
from packwire.doctor.compare.causes import Cause, SessionVerdict, session_verdict
from packwire.doctor.compare.patience import ClientPatience, PatienceSource
from packwire.doctor.compare.session import ClientSession, Query
from packwire.doctor.compare.suspects import Suspect, fitting_rules, suspects

_CONFIDENCE = {
    PatienceSource.LOG: Confidence.CERTAIN,
    PatienceSource.UNANSWERED: Confidence.LIKELY,
    PatienceSource.PAUSES: Confidence.POSSIBLE,
    PatienceSource.ROUND: Confidence.POSSIBLE,
}


def receive_path(
    own: ClientSession, other: ClientSession, patience: ClientPatience
) -> Iterator[SessionVerdict]:
    """Yield a finding where a client waited its timeout out although the replies had come."""
    if not patience.refused:
        return
    refused = [own.queries[number] for number in patience.refused]
    sizes = sum(int(own.messages.size[each.reply]) for each in refused)
    if own.arrived.unacknowledged >= sizes:
        text = (
            f"{own.arrived.unacknowledged} bytes of the device were never acknowledged by the client's side."
        )
        yield session_verdict(own, Cause.NOT_RECEIVED, Confidence.LIKELY, text, numbers=patience.refused)
        return
    found = suspects(own, patience)
    yield session_verdict(
        own,
        Cause.RECEIVE_PATH,
        _confidence(own, patience),
        *_requests(own, other, patience),
        *_replies(own, refused),
        _pauses(own, patience, found),
        numbers=patience.refused,
        why=_look_first(found),
        open=(*_may_be_pace(own, patience), *_undecided(own, patience, found)),
        remedy=f"To be sure: {own.examined_with}" if own.examined_with else "",
    )


def _steady_from(own: ClientSession, patience: ClientPatience) -> bool:
    """Tell whether the client goes on quickly only before the first reply that it does not take.

    A client that says hello and then polls by a timer looks the same.
    """
    if patience.source is PatienceSource.LOG or not patience.taken:
        return False
    last = max(patience.taken)
    return last < patience.refused[0] and own.queries[last].next_time != NO_TIME


def _confidence(own: ClientSession, patience: ClientPatience) -> Confidence:
    if _steady_from(own, patience) or (own.lost and patience.source is not PatienceSource.LOG):
        return Confidence.POSSIBLE
    if patience.source is PatienceSource.PAUSES and patience.counted:
        return Confidence.LIKELY
    return _CONFIDENCE[patience.source]


def _may_be_pace(own: ClientSession, patience: ClientPatience) -> Iterator[str]:
    if _steady_from(own, patience):
        yield "From then on it always pauses as long: a client that sends by a timer would look the same."
    elif patience.source is PatienceSource.ROUND:
        yield "A client that pauses once a round, after this request, would look the same."


def _requests(own: ClientSession, other: ClientSession, patience: ClientPatience) -> Iterator[str]:
    """Say that the requests are the same in both sessions, byte for byte, or where they are not."""
    for kind in own.kinds_of(patience.refused):
        here = {own.payload(number) for number in patience.refused if own.queries[number].kind == kind}
        there = other.answered_payloads(kind)
        same = here & there
        if not there:
            continue
        if same:
            yield f"Both sessions send {kind.name}{_hex(own, min(same))}: identical."
        else:
            yield f"Both sessions send {kind.name}, with different arguments."


def _hex(session: ClientSession, payload: bytes) -> str:
    text = shown_hex(session.framed(payload))
    return f" as  {text}  " if text else ""


def _replies(own: ClientSession, refused: list[Query]) -> Iterator[str]:
    latencies = [each.latency for each in refused if each.latency is not None]
    span = f"{_span([each / 1e6 for each in latencies])} ms" if latencies else "soon"
    kinds = {each.kind for each in refused}
    asked = sum(1 for each in own.queries if each.kind in kinds and each.expects)
    answered = sum(1 for each in own.queries if each.kind in kinds and each.answered)
    says = _said(own, refused[-1])
    yield (
        f"On the wire {{who}} got {answered} of {asked} replies, whole, checksum right, {span} after the"
        f" request{f': {says}' if says else ''}."
    )


def _span(numbers: list[float]) -> str:
    low, high = f"{min(numbers):.1f}", f"{max(numbers):.1f}"
    return low if low == high else f"{low} to {high}"


def _said(own: ClientSession, query: Query) -> str:
    """Return `20 cells, 83.92 V` for a pack's values."""
    said = own.observer.pack(own.messages.payload(query.reply))
    return "" if said is None or said.volts is None else f"{said.cells} cells, {said.volts:.2f} V"


def _pauses(own: ClientSession, patience: ClientPatience, found: list[Suspect]) -> str:
    waits = own.waits(patience.refused)
    paused = (
        f"{{who}} waited {median(waits) / 1e9:.1f} s after each before going on" if waits else "{who} closed"
    )
    if patience.source is PatienceSource.LOG:
        paused = f"{{who}}'s log calls {len(patience.refused)} of them timeouts, and {paused}"
    return f"Yet {paused}, {_and_never(own, patience, found)}."


def _and_never(own: ClientSession, patience: ClientPatience, found: list[Suspect]) -> str:
    refused = {int(own.messages.size[own.queries[number].reply]) for number in patience.refused}
    taken = {int(own.messages.size[own.queries[number].reply]) for number in patience.taken}
    if not taken:
        return "and no reply was taken at all"
    if max(taken) >= min(refused):
        return f"but not after {len(patience.taken)} other replies"
    limit = next((128 for each in found if each.key == "length above 127"), min(refused))
    sizes = f"{min(taken)} to {max(taken)}" if len(taken) > 1 else str(min(taken))
    count = len(patience.taken)
    replies = f"{count} replies" if count > 1 else "one reply"
    return f"and never after a reply shorter than {limit} bytes ({replies} of {sizes})"


def _look_first(found: list[Suspect]) -> Iterator[str]:
    if found and found[0].key == "length above 127":
        yield "Look first at how it reads the length:"
        yield found[0].reason + "."
    elif found:
        yield f"Look first at this: {found[0].what}."
        yield found[0].reason + "."


def _undecided(own: ClientSession, patience: ClientPatience, found: list[Suspect]) -> Iterator[str]:
    """Say which other explanations fit as well, and which other wrong rules would do the same."""
    rest = [each.reason for each in found[1:]]
    if not patience.taken:
        yield "The file shows no reply that it took, so nothing tells which replies it would take."
    elif rest:
        yield f"The file alone cannot rule out that {'; that '.join(rest)}."
    others = [each for each in fitting_rules(own, patience) if each.key != "length-15-bits"]
    if others and found and found[0].key == "length above 127":
        yield f"These wrong rules fit as well: {'; '.join(each.rule for each in others)}."
    elif others:
        told = "; ".join(f"{each.rule} ({each.words})" for each in others)
        yield f"These wrong rules of a framer fit: {told}."
    if len({own.queries[number].kind for number in patience.refused}) == 1 == len(set(patience.refused)):
        yield "It is one reply only: record more of them."
