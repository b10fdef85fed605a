"""Which sessions of two captures are compared: those that were chosen, or those with the most in them."""

from dataclasses import dataclass, replace

from packwire.capture import Capture
from packwire.doctor.compare.clock import steadied
from packwire.doctor.compare.connections import as_one, joined
from packwire.doctor.compare.framed_sessions import Expected, expectations, framed_session
from packwire.doctor.compare.recorded_links import RecordedLink, links, model_of, protocol_of
from packwire.doctor.compare.session import Aside, ClientSession
from packwire.doctor.compare.shifted import shifted_back
from packwire.doctor.vesc.recorded_sessions import vesc_sessions
from packwire.errors import BadOptionError, PackwireError, Reason


class NoSessionError(PackwireError):
    """A recording holds nothing that a client and a device said to each other."""

    reason = Reason.NO_DATA


@dataclass(frozen=True, slots=True)
class Choice:
    """The session that was taken from a file, the others that are there, and what is no session."""

    session: ClientSession
    others: tuple[ClientSession, ...]
    asides: tuple[Aside, ...]


def choose(
    captures: tuple[Capture, Capture], numbers: tuple[int | None, int | None] = (None, None)
) -> tuple[Choice, Choice]:
    """Take a session from each capture (reference, mine); `numbers` are those that the user chose.

    Of the reference it is the one with the most answers, of mine the one with the most requests, with the
    other connections of the same client where it makes one after the other; where the user chose one, that
    alone. Raises NoSessionError, or BadOptionError where there is no session of a number.
    """
    steady = [steadied(capture) for capture in captures]
    found = _sessions((steady[0][0], steady[1][0]))
    for capture, (sessions, _) in zip(captures, found, strict=True):
        if not sessions:
            raise NoSessionError(
                f"{capture.name}: no session of a client in it; `packwire info` says what is in it, and why"
            )
    (theirs, their_asides), (ours, our_asides) = found
    reference = _picked(theirs, numbers[0], max(theirs, key=lambda each: each.answered))
    if reference.begun and not reference.queries and not reference.bad:
        raise NoSessionError(
            f"{reference.file}: nothing that a client asks is in it (messages sent by themselves, or one"
            " direction alone): as the reference, record a client that works, from before it connects"
        )
    port = reference.label.rpartition(":")[2]
    left = [each for each in ours if not _same_session(each, reference)] or ours
    likely = max(left, key=lambda each: (len(each.queries), each.label.endswith(f":{port}"), each.sent))
    mine = _picked(ours, numbers[1], likely)
    own = (mine,) if numbers[1] is not None else joined(mine, left)
    return (
        Choice(
            _noted(reference, steady[0][1]),
            tuple(each for each in theirs if each is not reference),
            tuple(their_asides),
        ),
        Choice(
            _noted(as_one(own, mine), steady[1][1]),
            tuple(each for each in ours if each not in own),
            tuple(our_asides),
        ),
    )


def sessions_of(capture: Capture) -> list[ClientSession]:
    """Return the sessions of all clients of one recording, whatever each of them speaks."""
    steady, notes = steadied(capture)
    if steady.vesc.connections:
        found = vesc_sessions(steady)[0]
    else:
        every = links(steady)
        found = []
        for protocol in dict.fromkeys(link.device_protocol or link.protocol for link in every):
            some = [link for link in every if (link.device_protocol or link.protocol) == protocol]
            found += _framed(steady, some, protocol, expectations(some), model_of(some, protocol))
        found = found or vesc_sessions(steady)[0]
    return [_noted(shifted_back(each), notes) for each in found]


def _framed(
    capture: Capture, some: list[RecordedLink], protocol: str, expected: Expected, model: str
) -> list[ClientSession]:
    return [
        framed_session(capture, number, link, protocol, expected, model)
        for number, link in enumerate(some, 1)
    ]


def _noted(session: ClientSession, notes: tuple[str, ...]) -> ClientSession:
    return replace(session, notes=(*notes, *session.notes))


def _same_session(one: ClientSession, other: ClientSession) -> bool:
    return one.file == other.file and one.number == other.number


def _picked(sessions: list[ClientSession], number: int | None, otherwise: ClientSession) -> ClientSession:
    if number is None:
        return otherwise
    for each in sessions:
        if each.number == number:
            return each
    there = ", ".join(str(each.number) for each in sessions)
    raise BadOptionError(
        f"{sessions[0].file}: there is no session {number}: the sessions of clients are {there}"
    )


def _sessions(captures: tuple[Capture, Capture]) -> list[tuple[list[ClientSession], list[Aside]]]:
    """Return the sessions of both captures; frames over TCP are those of VESC, all else has its framing."""
    over_tcp = [bool(capture.vesc.connections) for capture in captures]
    found = [[] if tcp else links(capture) for tcp, capture in zip(over_tcp, captures, strict=True)]
    protocol = "VESC" if any(over_tcp) else protocol_of(found[0]) or protocol_of(found[1])
    found = [_speaking(protocol, some, capture) for some, capture in zip(found, captures, strict=True)]
    both = [link for some in found for link in some]
    expected, model = expectations(both), model_of(both, protocol)
    read = [
        (_framed(capture, some, protocol, expected, model), []) if some else vesc_sessions(capture)
        for capture, some in zip(captures, found, strict=True)
    ]
    return [([shifted_back(each) for each in sessions], asides) for sessions, asides in read]


def _speaking(protocol: str, some: list[RecordedLink], capture: Capture) -> list[RecordedLink]:
    """Return the links that speak a protocol, or of which nothing tells; raise NoSessionError.

    Where nothing comes from the device, the client may ask in the wrong protocol.
    """
    kept = [link for link in some if not protocol or link.device_protocol in (protocol, "")]
    if some and not kept:
        raise NoSessionError(
            f"{capture.name}: it speaks {protocol_of(some)}, the other recording {protocol}:"
            " compare two of the same protocol"
        )
    return kept
