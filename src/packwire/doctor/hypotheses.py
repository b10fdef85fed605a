"""What owners in trouble suspect, each with the experiment that speaks to it."""

from collections.abc import Callable
from dataclasses import dataclass

from packwire.doctor.checks.words import few, who
from packwire.doctor.diagnosis import Hypothesis, Standing
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact

type Answer = tuple[Standing, str]

NOT_REACHED = "the examination did not get that far"
_NOT_REACHED = (Standing.OPEN, NOT_REACHED)


@dataclass(frozen=True, slots=True)
class _Suspicion:
    key: str
    question: str
    look: Callable[[Examination], Answer]


def _selection(exam: Examination) -> Answer:
    facts = exam.facts
    if facts.pack is not None and not facts.pack.absent and facts.pack.cell_num:
        return (
            Standing.EXCLUDED,
            f"{who(facts.pack_from)} that was asked is the one that tells of the battery",
        )
    if facts.elsewhere is not None:
        return (
            Standing.CONFIRMED,
            f"{who(facts.pack_elsewhere)} tells of the battery, {who(exam.address.node)} does not",
        )
    if facts.can_ids is not None and facts.pack is not None:
        ids = few(map(str, facts.can_ids)) or "no others"
        return Standing.EXCLUDED, f"no node here tells of a battery (CAN ids that answer: {ids})"
    return _NOT_REACHED


def _handshake(exam: Examination) -> Answer:
    facts = exam.facts
    if facts.without_handshake:
        return Standing.EXCLUDED, "BMS_GET_VALUES as the very first request on a new connection is answered"
    if facts.contact is Contact.AFTER_FILLER:
        return (
            Standing.EXCLUDED,
            "the first request is swallowed, whichever it is; zeros free the device, no handshake",
        )
    if facts.with_handshake and facts.without_handshake is False:
        return Standing.CONFIRMED, "answered after VESC Tool's first requests, and not without them"
    if facts.with_handshake is False and facts.without_handshake is False:
        return Standing.EXCLUDED, "VESC Tool's first requests do not help either"
    if facts.pack_reply is not None:
        return Standing.EXCLUDED, "BMS_GET_VALUES was answered after FW_VERSION alone"
    return _NOT_REACHED


def _permission(exam: Examination) -> Answer:
    facts = exam.facts
    if not exam.is_hub:
        return Standing.EXCLUDED, "no hub is in the way"
    if facts.hub_knows is False or facts.closed_at_login:
        return Standing.CONFIRMED, "the hub does not let us through to this device"
    if facts.pack_reply is not None:
        return Standing.EXCLUDED, "the hub passes BMS_GET_VALUES and its reply"
    if facts.direct_pack:
        return Standing.CONFIRMED, "the device itself answers BMS_GET_VALUES, and through the hub it does not"
    if facts.version is not None:
        return Standing.OPEN, "FW_VERSION passes the hub; --direct vesc://HOST compares the rest"
    return _NOT_REACHED


def _protocol(exam: Examination) -> Answer:
    facts = exam.facts
    if facts.version is None:
        return _NOT_REACHED
    firmware = f"firmware {facts.version.version}"
    if facts.pack is None:
        return Standing.OPEN, f"{firmware} answers FW_VERSION, and not BMS_GET_VALUES"
    if facts.missing:
        return Standing.CONFIRMED, f"{firmware}: its reply ends before {few(facts.missing, 2)}"
    if facts.left_over:
        return Standing.CONFIRMED, f"{firmware}: {facts.left_over} bytes more than are known here"
    return Standing.EXCLUDED, f"{firmware}: the reply has every field that is known, and no byte more"


def _stream(exam: Examination) -> Answer:
    facts = exam.facts
    if facts.pack_reply is not None:
        heard = (facts.heard_before or 0) + (facts.heard_after or 0)
        by_itself = "nothing comes by itself" if not heard else f"{heard} other packets came by themselves"
        return Standing.EXCLUDED, f"a request is answered at once, once; {by_itself}"
    if facts.heard_before is not None and facts.version is not None:
        return (
            Standing.OPEN,
            f"{facts.heard_before} packets in {facts.listened:g} s; --listen 15 listens longer",
        )
    return _NOT_REACHED


_SUSPICIONS = (
    _Suspicion("device-selection", "The battery is on another node than the one asked", _selection),
    _Suspicion("handshake", "Something has to be said first", _handshake),
    _Suspicion("hub-permission", "The hub does not let it through", _permission),
    _Suspicion("protocol-version", "This firmware speaks another version", _protocol),
    _Suspicion("stream", "Values stream, and something has to start them", _stream),
)


def weigh(exam: Examination) -> tuple[Hypothesis, ...]:
    """Return every hypothesis with its standing."""
    return tuple(_hypothesis(each, exam) for each in _SUSPICIONS)


def _hypothesis(suspicion: _Suspicion, exam: Examination) -> Hypothesis:
    standing, by = suspicion.look(exam)
    return Hypothesis(suspicion.key, suspicion.question, standing, by)
