"""What owners in trouble suspect, each with the experiment that speaks to it."""

from collections.abc import Callable
from dataclasses import dataclass

from packwire.doctor.diagnosis import NOT_REACHED, Hypothesis, Standing
from packwire.doctor.examination import Examination
from packwire.doctor.facts import Contact, ContactFacts, HubFacts, StreamFacts
from packwire.doctor.vesc.facts import BusFacts, OtherWaysFacts, PackFacts
from packwire.doctor.vesc.words import who
from packwire.phrases import few

type Answer = tuple[Standing, str]

_NOT_REACHED = (Standing.OPEN, NOT_REACHED)


@dataclass(frozen=True, slots=True)
class _Suspicion:
    key: str
    question: str
    look: Callable[[Examination], Answer]


def _selection(exam: Examination) -> Answer:
    told = exam.facts[PackFacts]
    bus = exam.facts[BusFacts]
    if told.values is not None and not told.values.absent and told.values.cell_num:
        return (Standing.EXCLUDED, f"{who(told.asked)} that was asked is the one that tells of the battery")
    if told.elsewhere is not None:
        return (
            Standing.CONFIRMED,
            f"{who(told.elsewhere_id)} tells of the battery, {who(exam.address.node)} does not",
        )
    if bus.can_ids is not None and told.values is not None:
        ids = few(map(str, bus.can_ids)) or "no others"
        return Standing.EXCLUDED, f"no node here tells of a battery (CAN ids that answer: {ids})"
    return _NOT_REACHED


def _handshake(exam: Examination) -> Answer:
    ways = exam.facts[OtherWaysFacts]
    if ways.without_handshake:
        return Standing.EXCLUDED, "BMS_GET_VALUES as the very first request on a new connection is answered"
    if exam.facts[ContactFacts].contact is Contact.AFTER_FILLER:
        return (
            Standing.EXCLUDED,
            "the first request is swallowed, whichever it is; zeros free the device, no handshake",
        )
    if ways.with_handshake and ways.without_handshake is False:
        return Standing.CONFIRMED, "answered after VESC Tool's first requests, and not without them"
    if ways.with_handshake is False and ways.without_handshake is False:
        return Standing.EXCLUDED, "VESC Tool's first requests do not help either"
    if exam.facts[PackFacts].reply is not None:
        return Standing.EXCLUDED, "BMS_GET_VALUES was answered after FW_VERSION alone"
    return _NOT_REACHED


def _permission(exam: Examination) -> Answer:
    hub = exam.facts[HubFacts]
    if not exam.target.is_hub:
        return Standing.EXCLUDED, "no hub is in the way"
    if hub.knows is False or hub.closed_at_login:
        return Standing.CONFIRMED, "the hub does not let us through to this device"
    if exam.facts[PackFacts].reply is not None:
        return Standing.EXCLUDED, "the hub passes BMS_GET_VALUES and its reply"
    if exam.facts[OtherWaysFacts].direct_pack:
        return Standing.CONFIRMED, "the device itself answers BMS_GET_VALUES, and through the hub it does not"
    if exam.facts[BusFacts].version is not None:
        return Standing.OPEN, "FW_VERSION passes the hub; --direct vesc://HOST compares the rest"
    return _NOT_REACHED


def _protocol(exam: Examination) -> Answer:
    bus = exam.facts[BusFacts]
    told = exam.facts[PackFacts]
    if bus.version is None:
        return _NOT_REACHED
    firmware = f"firmware {bus.version.version}"
    if told.values is None:
        return Standing.OPEN, f"{firmware} answers FW_VERSION, and not BMS_GET_VALUES"
    if told.missing:
        return Standing.CONFIRMED, f"{firmware}: its reply ends before {few(told.missing, 2)}"
    if told.left_over:
        return Standing.CONFIRMED, f"{firmware}: {told.left_over} bytes more than are known here"
    return Standing.EXCLUDED, f"{firmware}: the reply has every field that is known, and no byte more"


def _stream(exam: Examination) -> Answer:
    stream = exam.facts[StreamFacts]
    if exam.facts[PackFacts].reply is not None:
        heard = (stream.heard_before or 0) + (stream.heard_after or 0)
        by_itself = "nothing comes by itself" if not heard else f"{heard} other packets came by themselves"
        return Standing.EXCLUDED, f"a request is answered at once, once; {by_itself}"
    if stream.heard_before is not None and exam.facts[BusFacts].version is not None:
        return (
            Standing.OPEN,
            f"{stream.heard_before} packets in {stream.listened:g} s; --listen 15 listens longer",
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
