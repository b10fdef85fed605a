"""What the replies that a client did not take have in common, and those that it took have not.

A table of properties of a reply, the most telling first: each is one way in which receive paths are known
to be wrong. One that all refused replies have, and none of those taken, is a suspect; the others are ruled
out by the file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from packwire.doctor.compare.patience import ClientPatience
from packwire.doctor.compare.session import ClientSession, Query
from packwire.doctor.vesc.misreadings import RULES, Fate, Misreading, misread

#: One bit of a length byte says more in other protocols (and in code that was copied from them).
_TOP_BIT = 0x7F
_BLE_VALUE = 20
#: So many replies of each sort are looked at.
_MAX_SEEN = 5000
#: Of different frames so many are tried with each rule.
_MAX_RULED = 200
#: A rule with such a buffer is no rule about a buffer.
_ANY_SIZE = 1 << 16


class TakenReply(NamedTuple):
    """A reply as the client got it: its frame on the wire, in how many packets, and the request's command.

    `joined`: another message stands before it in its packet.
    """

    frame: bytes
    payload: int
    packets: int
    command: int
    name: str
    forwarded: bool
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """A property that fits: in words what the refused replies have, and why that would hold them up.

    `refused` and `taken` count the replies that the file shows of each sort.
    """

    key: str
    what: str
    reason: str
    refused: int
    taken: int


class _Property(NamedTuple):
    key: str
    has: Callable[[TakenReply], bool]
    what: Callable[[Sequence[TakenReply]], str]
    reason: Callable[[Sequence[TakenReply]], str]
    protocols: tuple[str, ...] = ()


def suspects(session: ClientSession, patience: ClientPatience) -> list[Suspect]:
    """Return what fits, the most telling first; empty where no reply was refused."""
    refused = [_reply(session, session.queries[number]) for number in patience.refused[:_MAX_SEEN]]
    taken = [_reply(session, session.queries[number]) for number in patience.taken[:_MAX_SEEN]]
    if not refused:
        return []
    found = [
        Suspect(each.key, each.what(refused), each.reason(refused), len(refused), len(taken))
        for each in _PROPERTIES
        if session.protocol in (each.protocols or (session.protocol,))
        and all(map(each.has, refused))
        and not any(map(each.has, taken))
    ]
    strong = [each for each in found if each.key not in _WEAK]
    return [*strong, *_of_commands(refused, taken), *(each for each in found if each.key in _WEAK)]


def fitting_rules(session: ClientSession, patience: ClientPatience) -> list[Misreading]:
    """Return the wrong rules that would take exactly the replies that were taken, and none of the others.

    Only rules about the header and the checksum; how much a buffer holds is among the suspects.
    """
    if session.protocol != "VESC" or not patience.refused or not patience.taken:
        return []
    refused = {_reply(session, session.queries[number]).frame for number in patience.refused[:_MAX_SEEN]}
    taken = {_reply(session, session.queries[number]).frame for number in patience.taken[:_MAX_SEEN]}
    left = tuple(rule for rule in RULES if rule.holds >= _ANY_SIZE)
    for wanted, frames in ((False, refused), (True, taken)):
        for frame in sorted(frames, key=len)[:_MAX_RULED]:
            fates = {each.key: each.fate is Fate.TAKEN for each in misread(frame, left)}
            left = tuple(rule for rule in left if fates[rule.key] is wanted)
    return list(misread(min(refused, key=len), left))


def _reply(session: ClientSession, query: Query) -> TakenReply:
    payload = session.messages.payload(query.reply)
    return TakenReply(
        session.framed(payload),
        len(payload),
        len(session.messages.packets_of(query.reply)),
        query.kind.command,
        query.kind.name.rpartition("> ")[2],
        bool(query.kind.ids),
        session.shares_packet(query.reply),
    )


def _of_commands(refused: Sequence[TakenReply], taken: Sequence[TakenReply]) -> list[Suspect]:
    """Suspect the command where the refused replies have others than those taken."""
    names = {each.name: each.command for each in refused}
    if names.keys() & {each.name for each in taken}:
        return []
    numbered = [str(number) if number >= 0 else name for name, number in names.items()]
    what = f"command {numbered[0]}" if len(numbered) == 1 else f"commands {', '.join(numbered)}"
    if -1 in names.values():
        what = ", ".join(names)
    return [Suspect("command", what, f"it ignores {what}", len(refused), len(taken))]


def _lengths(replies: Sequence[TakenReply]) -> str:
    sizes = sorted({each.payload for each in replies})
    return f"{sizes[0]} bytes" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} bytes"


def fifteen_bits(frame: bytes) -> int:
    """Return the length that a reader takes from a frame who reads two bytes and drops the top bit."""
    return int.from_bytes(frame[1:3]) & 0x7FFF


def _length_reason(replies: Sequence[TakenReply]) -> str:
    frame = replies[0].frame
    wrong = fifteen_bits(frame)
    return (
        f"start byte {frame[0]:02x} means ONE length byte, 1 to 255; read as 15 bits, {frame[1:3].hex(' ')}"
        f" would wait for {wrong} bytes"
    )


#: What many replies have by chance comes behind the command.
_WEAK = frozenset({"a stop byte inside", "forwarded"})
_PROPERTIES = (
    _Property(
        "length above 127",
        lambda reply: reply.frame[0] == 2 and reply.frame[1] > _TOP_BIT,
        lambda replies: f"a length above 127 ({_lengths(replies)})",
        _length_reason,
        ("VESC",),
    ),
    _Property(
        "long form",
        lambda reply: reply.frame[0] == 3,
        lambda replies: f"start byte 03: a length of two bytes ({_lengths(replies)})",
        lambda replies: (
            f"start byte 03 means TWO length bytes, big-endian: {replies[0].frame[1:3].hex(' ')} is "
            f"{int.from_bytes(replies[0].frame[1:3])}"
        ),
        ("VESC",),
    ),
    _Property(
        "several pieces",
        lambda reply: reply.packets > 1,
        lambda replies: f"they come in several pieces ({_pieces(replies)})",
        lambda _: (
            "a reply may come in pieces of any size: bytes are to be collected until the frame is whole"
        ),
    ),
    _Property(
        "joined",
        lambda reply: reply.joined,
        lambda _: "another message stands before them in the same packet",
        lambda _: "one read may bring several frames: all of them are to be looked at, not the first alone",
    ),
    _Property(
        "longer than a notification",
        lambda reply: len(reply.frame) > _BLE_VALUE,
        lambda replies: f"frames longer than 20 bytes ({_lengths(replies)})",
        lambda _: (
            "one notification holds 20 bytes unless a larger MTU was agreed: the rest comes in the next ones"
        ),
        ("JBD", "JK", "ANT", "Daly", "Seplos", "Basen"),
    ),
    *(
        _Property(
            f"longer than {limit}",
            lambda reply, limit=limit: len(reply.frame) > limit,  # type: ignore[misc]  # bound at definition
            lambda replies, limit=limit: f"frames longer than {limit} bytes ({_lengths(replies)})",  # type: ignore[misc]
            lambda _, limit=limit: f"a buffer of {limit} bytes is too small",  # type: ignore[misc]
        )
        for limit in (256, 128, 64, 32)
    ),
    _Property(
        "a stop byte inside",
        lambda reply: b"\x03" in reply.frame[2:-1],
        lambda _: "the byte 03 stands inside the payload",
        lambda _: "the end of a frame is told by its length, not by the first 03",
        ("VESC",),
    ),
    _Property(
        "forwarded",
        lambda reply: reply.forwarded,
        lambda _: "they come over CAN",
        lambda _: "a forwarded request is answered with the inner command's reply, not with FORWARD_CAN (34)",
        ("VESC",),
    ),
)


def _pieces(replies: Sequence[TakenReply]) -> str:
    counts = sorted({each.packets for each in replies})
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
