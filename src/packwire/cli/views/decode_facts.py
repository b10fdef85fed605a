"""What is plain from a conversation: facts in words, without a verdict, and the summary by command."""

from collections.abc import Iterator, Sequence

from packwire.capture import Capture
from packwire.capture.layers.conversation import Part
from packwire.capture.layers.displaced import displaced
from packwire.capture.layers.silence import Silence
from packwire.capture.layers.spoken import Carrier, SpokenConnection
from packwire.capture.layers.tally import Tally
from packwire.capture.packets import NO_TIME
from packwire.cli.terminal import printable
from packwire.messages import Direction
from packwire.protocol.observing import Caller
from packwire.protocol.words import Words

#: One that refuses a login closes at once, in ns; the rest is the way through the network.
_REFUSED_WITHIN = 2_000_000_000
#: How many commands are named in one sentence.
_MAX_NAMES = 4
#: How many different reasons for silence are told for one command.
_MAX_REASONS = 3


def hub_ends(connections: Sequence[SpokenConnection[Carrier]]) -> frozenset[str]:
    """Return the endpoints that somebody logged in at."""
    return frozenset(
        each.connection.ends[1 - line.side]
        for each in connections
        for line in each.hub_lines
        if line.role is not None
    )


def hub_end(connection: SpokenConnection[Carrier], hubs: frozenset[str]) -> str | None:
    """Return which end of a connection is a hub, if one is."""
    return next((end for end in connection.connection.ends if end in hubs), None)


def relays(connections: Sequence[SpokenConnection[Carrier]]) -> dict[int, int]:
    """Return which connections (numbered from 1) hold the messages of an earlier one: a hub's other side."""
    first: dict[tuple[int, ...], int] = {}
    result: dict[int, int] = {}
    for number, connection in enumerate(connections, 1):
        messages = connection.conversation.messages
        ways = (
            messages.select(messages.direction == way) for way in (Direction.TO_DEVICE, Direction.FROM_DEVICE)
        )
        digests = tuple(hash(tuple(way.payloads())) for way in ways)
        earlier = first.setdefault(digests, number)
        if earlier != number and len(messages):
            result[number] = earlier
    return result


def closed_early(index: int, connections: Sequence[SpokenConnection[Carrier]]) -> str:
    """Say what the hub's closing of a connection came with: another client, or nothing but the login."""
    vesc = connections[index]
    login = next((line for line in vesc.hub_lines if line.login and line.caller is Caller.CLIENT), None)
    tcp = vesc.connection
    if login is None or login.login is None or tcp.ended_by == login.side or tcp.ended_at is None:
        return ""
    if newer := displaced(vesc, connections):
        return f"{newer.after / 1e6:.1f} ms after {newer.by} had logged in with the same id"
    soon = tcp.ended_at - login.time < _REFUSED_WITHIN
    if soon and not tcp.streams[1 - login.side].recorded:
        return (
            f"the hub does not know the id {printable(login.login.device_id)}, or the password is wrong"
            f" ({(tcp.ended_at - login.time) / 1e6:.0f} ms after the login, without a word)"
        )
    return ""


def summary_rows(counted: Sequence[Tally], words: Words) -> Iterator[str]:
    """Yield the account by command as a table, its head first."""
    yield (
        f"{'command':<33}{'asked':>7}{'answered':>10}{'no reply':>10}{'unasked':>9}{'reply bytes':>13}"
        f"{'median':>11}{'slowest':>11}"
    )
    for tally in counted:
        sizes = tally.sizes
        size = "" if sizes is None else str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}..{sizes[1]}"
        unanswered = tally.asked - tally.answered
        sent = tally.one_way or tally.unclear
        asked = f"{sent} sent" if sent else str(tally.asked or "")
        yield (
            f"{words.name(tally.ids, tally.inner):<33}{asked:>7}{tally.answered or '':>10}"
            f"{unanswered or '':>10}{tally.unsolicited or '':>9}{size:>13}"
            f"{milliseconds(tally.latency_median):>11}{milliseconds(tally.latency_max):>11}"
        )


def milliseconds(latency: int | None) -> str:
    """Return a time that something took, to three digits or so; empty where it is not known."""
    if latency is None or latency == NO_TIME:
        return ""
    return f"{latency / 1e6:.{2 if abs(latency) < 10_000_000 else 1}f} ms"


def facts(
    vesc: SpokenConnection[Carrier], counted: Sequence[Tally], silence: Silence, paused: str
) -> Iterator[tuple[str, bool]]:
    """Yield sentences, and for each whether it is good news; `paused` is that of `pauses`, if any."""
    whole = [tally for tally in counted if tally.asked and tally.asked == tally.answered]
    others = []
    for tally in whole:
        name = vesc.words.name(tally.ids, tally.inner)
        if highlight := _highlight(vesc, tally):
            replies = f"{_replies(tally)}, {highlight}"
            yield f"Every reply to {name} is on the wire, whole, CRC right: {replies}.", True
        else:
            others.append(name)
    if others:
        names = ", ".join(others) if len(others) <= _MAX_NAMES else f"the other {len(others)} commands"
        yield f"Every reply to {names} is on the wire, whole, CRC right.", True
    for tally in counted:
        if tally.asked > tally.answered:
            yield _unanswered(tally, silence, vesc.words), False
        if tally.late:
            name = vesc.words.name(tally.ids, tally.inner)
            yield (
                f"{tally.late} of {tally.answered} replies to {name} came after the client had asked again.",
                False,
            )
    yield from _received(vesc)
    if paused:
        yield paused, False


def _replies(tally: Tally) -> str:
    """Return `3 of 3, 130 bytes`."""
    text = f"{tally.answered} of {tally.asked}"
    if tally.sizes is not None:
        low, high = tally.sizes
        text += f", {low} bytes" if low == high else f", {low} to {high} bytes"
    return text


def _highlight(vesc: SpokenConnection[Carrier], tally: Tally) -> str:
    row = tally.last_reply
    return "" if row is None else vesc.words.highlight(vesc.conversation.messages.payload(row))


def _unanswered(tally: Tally, silence: Silence, words: Words) -> str:
    reasons = list(dict.fromkeys(silence.reason(row) for row in tally.unanswered_rows))
    more = f"; and {len(reasons) - _MAX_REASONS} other reasons" if len(reasons) > _MAX_REASONS else ""
    name = words.name(tally.ids, tally.inner)
    count = tally.asked - tally.answered
    return (
        f"{count} of {tally.asked} requests {name} got no reply: {'; '.join(reasons[:_MAX_REASONS])}{more}."
    )


def _received(vesc: SpokenConnection[Carrier]) -> Iterator[tuple[str, bool]]:
    """Say whether what the device sent reached the client's computer."""
    if vesc.device is None:
        return
    stream = vesc.connection.streams[vesc.device]
    client = vesc.connection.ends[1 - vesc.device]
    if stream.acknowledged is None or not stream.recorded:
        return
    if stream.acknowledged >= stream.end:
        yield f"{client} acknowledged all of it: its TCP received every byte.", True
    else:
        left = stream.end - stream.acknowledged
        yield f"{client} acknowledged all but the last {left} bytes from the device.", False


def pauses(capture: Capture) -> dict[int, str]:
    """Return, by connection (from 1), where a client paused for as long as it waits where no reply comes."""
    if not any((each.conversation.part == Part.UNANSWERED).any() for each in capture.spoken):
        return {}
    from packwire.doctor.compare.choose import sessions_of  # noqa: PLC0415 - slow, and seldom needed
    from packwire.doctor.compare.patience import PatienceSource, patience_of  # noqa: PLC0415

    result = {}
    for session in sessions_of(capture):
        patience = patience_of(session)
        if patience.source is not PatienceSource.UNANSWERED or not patience.refused or not patience.timeout:
            continue
        names = ", ".join(dict.fromkeys(session.queries[number].kind.name for number in patience.refused))
        result[session.number] = (
            f"After {len(patience.refused)} answered requests ({names}) the client sent nothing for "
            f"{patience.timeout / 1e9:.1f} s, just as long as after those without a reply."
        )
    return result
