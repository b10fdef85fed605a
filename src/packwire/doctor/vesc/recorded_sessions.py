"""The sessions of VESC clients in a capture, told apart from a hub's own connection to its device.

Connections are numbered as `packwire decode` numbers them. Where a client's frames are all wrong, nothing in
its connection is a VESC frame: then all TCP connections are looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from packwire.capture import Capture
from packwire.capture.layers.conversation import Conversation, Part, converse
from packwire.capture.layers.displaced import displaced
from packwire.capture.layers.spoken import HubLine, SpokenConnection
from packwire.capture.layers.tcp import Connection
from packwire.capture.layers.tcp_stream import Stream
from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.bad_frames import BadFrame
from packwire.doctor.compare.session import (
    Arrived,
    Aside,
    ClientSession,
    HubLogin,
    Query,
    QueryKind,
    SessionEnd,
)
from packwire.doctor.vesc.bad_frames import MAX_SEGMENT
from packwire.doctor.vesc.recorded_segments import GapTimes, Outside, bytes_at, look_outside, placed
from packwire.doctor.vesc.request_kinds import bad_requests, kind_of_request
from packwire.messages import Direction
from packwire.vesc.commands import Command
from packwire.vesc.hublogin import Role

type _Spoken = SpokenConnection[Connection]

#: Of a file without any VESC frame, so many connections are looked at.
_MAX_RAW = 50
#: A reply is looked for this long behind its request where the recording has a gap, in ns.
_REPLY_WITHIN = 1_000_000_000


def vesc_sessions(capture: Capture) -> tuple[list[ClientSession], list[Aside]]:
    """Return the sessions of clients, and what was left aside."""
    connections = capture.vesc.connections
    hubs = {
        each.connection.ends[1 - line.side]
        for each in connections
        for line in each.hub_lines
        if line.role is not None
    }
    hubs |= {each.connection.ends[each.device] for each in connections if each.device is not None}
    sessions: list[ClientSession] = []
    asides: list[Aside] = []
    relayed: list[tuple[int, _Spoken]] = []
    for number, vesc in enumerate(connections, 1):
        why = _why_aside(vesc, hubs)
        if why:
            asides.append(Aside(number, _label(vesc.connection, _client_side(vesc)), why))
            relayed += [(number, vesc)] if why is _RELAY else []
        else:
            sessions.append(_session(capture, number, vesc, connections))
    # A file of nothing but a device's login and silence is shown as that of a client: it is compared as one.
    if not sessions and relayed:
        sessions = [_session(capture, number, vesc, connections) for number, vesc in relayed]
        asides = [each for each in asides if each.why is not _RELAY]
    if not sessions:
        sessions = [_raw_session(capture, connection) for connection in _spoken(capture)]
    return sessions, asides


_RELAY = "the hub's own connection to the device"


def _why_aside(vesc: _Spoken, hubs: set[str]) -> str:
    roles = {line.role for line in vesc.hub_lines}
    if Role.PING in roles:
        return "a question to the hub (PING), no session"
    if vesc.device is None or (_as_a_device(vesc) and vesc.streams[0].stats.frames):
        return ""
    # What others dial to reach a device, and asks itself, is a hub: its login may be missing from the file.
    if Role.DEVICE in roles or vesc.connection.ends[1 - vesc.device] in hubs:
        return _RELAY
    return ""


def _as_a_device(vesc: _Spoken) -> bool:
    """Tell whether this may be a client that logged in as a device (VESC:): it is asked nothing."""
    as_device = any(line.role is Role.DEVICE and line.side == 0 for line in vesc.hub_lines)
    return as_device and not vesc.streams[1].stats.frames


def _client_side(vesc: _Spoken) -> int:
    """Return which end is the client; where nothing tells, the end that dialled."""
    return 0 if vesc.device is None or _as_a_device(vesc) else 1 - vesc.device


def _label(connection: Connection, client: int) -> str:
    return f"{connection.ends[client]} -> {connection.ends[1 - client]}"


def _spoken(capture: Capture) -> list[Connection]:
    """Return the first connections in which the end that dialled said something."""
    some = capture.connections[: min(len(capture.connections), 10 * _MAX_RAW)]
    return [each for each in some if each.streams[0].recorded][:_MAX_RAW]


def _session(capture: Capture, number: int, vesc: _Spoken, connections: Sequence[_Spoken]) -> ClientSession:
    client = _client_side(vesc)
    tcp = vesc.connection
    known = vesc.device is not None and not _as_a_device(vesc)
    conversation = vesc.conversation if known else _directed(vesc)
    line = vesc.streams[client].hub_line
    outside = look_outside(tcp.streams[client], vesc.streams[client])
    bad = outside.bad
    return replace(
        _raw_session(capture, tcp, client, bad=()),
        number=number,
        messages=conversation.messages,
        queries=tuple(_queries(conversation, bad, tcp, client)),
        bad=bad,
        unasked=int(np.count_nonzero(conversation.part == Part.UNSOLICITED)),
        login=_login(line, tcp.streams[client]) if line else None,
        hub=any(line.role is Role.CLIENT for line in vesc.hub_lines),
        ending=_ending(vesc, client, connections),
        arrived=_arrived(vesc, client),
        nodes=conversation.nodes,
        bus=conversation.can_ids,
        notes=(*_notes(tcp, client), *_not_looked_at(outside)),
    )


def _raw_session(
    capture: Capture, tcp: Connection, client: int = 0, bad: tuple[BadFrame, ...] | None = None
) -> ClientSession:
    """Return what is known of any TCP connection; without `bad`, all that the client sent is looked at."""
    stream, times = tcp.streams[client], tcp.packets.time[tcp.rows]
    if bad is None:
        bad = () if stream.gaps else tuple(placed(stream, 0, bytes_at(stream, 0, MAX_SEGMENT)))
    known = capture.packets.time[capture.packets.time != NO_TIME]
    none = capture.messages.select(np.zeros(0, dtype=np.int64))
    by = "" if tcp.ended_by is None else "client" if tcp.ended_by == client else "device"
    return ClientSession(
        file=capture.name,
        number=tcp.index + 1,
        protocol="VESC",
        model="vesc",
        label=_label(tcp, client),
        first=int(known[0]) if len(known) else NO_TIME,
        begin=int(times[0]),
        end=int(times[-1]),
        last=int(known.max()) if len(known) else NO_TIME,
        messages=none,
        queries=tuple(_with_next(list(bad_requests(bad)), tcp, client)),
        sent=stream.recorded,
        bad=bad,
        ending=SessionEnd(by, tcp.ended_at or NO_TIME, heard=bool(tcp.streams[1 - client].recorded)),
        arrived=Arrived(_missing(tcp.streams[1 - client]), junk=tcp.streams[1 - client].recorded),
        lost=_missing(stream),
        begun=tcp.began_before,
        notes=tuple(_notes(tcp, client)),
    )


def _missing(stream: Stream) -> int:
    return sum(gap.missing for gap in stream.gaps)


def _notes(tcp: Connection, client: int) -> Iterator[str]:
    """Say what the recording does not show of a connection."""
    if tcp.began_before:
        yield "it began before the recording: what was said before is not known"
    for side, who in ((client, "the client"), (1 - client, "the device")):
        stream = tcp.streams[side]
        missing = _missing(stream)
        if missing and not stream.recorded:
            yield f"nothing that {who} sent is in the recording ({missing} bytes): it shows one direction"
        elif missing:
            cut = sum(gap.cut for gap in stream.gaps)
            why = f"; packets cut short: {cut}" if cut else ""
            yield f"{missing} bytes that {who} sent are not in the recording{why}"


def _not_looked_at(outside: Outside) -> Iterator[str]:
    if outside.beside_gaps:
        yield f"{outside.beside_gaps} bytes of the client beside gaps are in no frame, and not judged"
    if outside.skipped:
        yield f"{outside.skipped} more bytes of the client in no frame were not looked at: too many"


def _directed(vesc: _Spoken) -> Conversation:
    """Pair the messages of a connection of which nothing tells who is who: who dialled is the client."""
    messages = vesc.messages.select(vesc.rows)
    tcp = vesc.connection
    side_of = dict(zip((tcp.rows + 1).tolist(), tcp.sides.tolist(), strict=True))
    ways = [
        Direction.FROM_DEVICE if side_of.get(messages.packets_of(row)[-1]) else Direction.TO_DEVICE
        for row in range(len(messages))
    ]
    return converse(replace(messages, direction=np.array(ways, dtype=np.int8)), vesc.observer)


def _login(line: HubLine, stream: Stream) -> HubLogin:
    piece = stream.piece_at(line.size - 1)
    alone = int(stream.position[piece] + stream.size[piece]) <= line.size
    return HubLogin(line.login, "" if line.login else line.text, line.time, alone, line.caller)


def _ending(vesc: _Spoken, client: int, connections: Sequence[_Spoken]) -> SessionEnd:
    tcp = vesc.connection
    heard = bool(tcp.streams[1 - client].recorded)
    if tcp.ended_by is None or tcp.ended_at is None:
        return SessionEnd(heard=heard)
    if tcp.ended_by == client:
        return SessionEnd("client", tcp.ended_at, heard=heard)
    newer = displaced(vesc, connections)
    return SessionEnd("device", tcp.ended_at, newer.by if newer else "", heard)


def _arrived(vesc: _Spoken, client: int) -> Arrived:
    stream, stats = vesc.connection.streams[1 - client], vesc.streams[1 - client].stats
    acknowledged = stream.end if stream.acknowledged is None else stream.acknowledged
    return Arrived(
        _missing(stream),
        max(stream.end - acknowledged, 0),
        stats.junk,
        stats.damaged,
        (stats.waiting.arrived, stats.waiting.expected) if stats.waiting else None,
    )


def _queries(
    conversation: Conversation, bad: tuple[BadFrame, ...], tcp: Connection, client: int
) -> Iterator[Query]:
    messages, part, partner = conversation.messages, conversation.part, conversation.partner
    rows = np.flatnonzero(messages.direction == Direction.TO_DEVICE)
    kinds: dict[bytes, QueryKind] = {}
    found = []
    times = messages.time.tolist()
    for row, of, reply in zip(rows.tolist(), part[rows].tolist(), partner[rows].tolist(), strict=True):
        payload = messages.payload(row)
        key = payload[:3] if payload[0] == Command.FORWARD_CAN else payload[:1]
        kind = kinds.get(key)
        if kind is None or kind.command == Command.FORWARD_CAN:
            kind = kinds[key] = kind_of_request(payload)
        reply_time = times[reply] if reply >= 0 else NO_TIME
        found.append(Query(kind, times[row], row, reply, reply_time, NO_TIME, of != Part.ONE_WAY))
    found += bad_requests(bad)
    found.sort(key=lambda each: each.time)
    return _with_next(found, tcp, client)


def _with_next(found: list[Query], tcp: Connection, client: int) -> Iterator[Query]:
    closed = tcp.ended_at if tcp.ended_by == client and tcp.ended_at is not None else NO_TIME
    unsaid, unheard = GapTimes(tcp.streams[client]), GapTimes(tcp.streams[1 - client])
    for index, each in enumerate(found):
        following = found[index + 1].time if index + 1 < len(found) else closed
        until = following if following != NO_TIME else each.time
        if unsaid.touch(each.time, until):
            following = NO_TIME
        yield each._replace(next_time=following, lost=unheard.touch(each.time, each.time + _REPLY_WITHIN))
