"""The text of `packwire decode`: the file, each connection with its messages, and an account at the end."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from packwire.capture import Capture
from packwire.capture.layers.conversation import Conversation, Part
from packwire.capture.layers.silence import Silence
from packwire.capture.layers.spoken import Carrier, HubLine, Junk, SpokenConnection
from packwire.capture.layers.tally import tallies
from packwire.capture.layers.tcp import Connection
from packwire.capture.layers.tcp_stream import Gap
from packwire.capture.packets import NO_TIME
from packwire.cli.terminal import Writer, printable
from packwire.cli.views.decode_facts import (
    closed_early,
    facts,
    hub_end,
    hub_ends,
    milliseconds,
    pauses,
    relays,
    summary_rows,
)
from packwire.cli.views.decode_shown import CaptureClock, Shown, shown_payload
from packwire.cli.views.hub_logins import login_text
from packwire.insight.rounds import Fold, folds
from packwire.messages import Direction
from packwire.phrases import counted, times

_ARROWS = {Direction.TO_DEVICE: "->", Direction.FROM_DEVICE: "<-", Direction.UNKNOWN: "<>"}
_STYLES = {Part.UNANSWERED: "bold red", Part.LATE: "yellow", Part.UNSOLICITED: "magenta", Part.REPLY: "green"}
_INDENT = "    "
_MAX_LISTED = 20


def show(capture: Capture, shown: Shown, out: Writer) -> None:
    """Write everything about a capture."""
    clock = CaptureClock(capture)
    _show_file(capture, clock, out)
    hubs = hub_ends(capture.spoken)
    same = relays(capture.spoken) if shown.brief else {}
    paused = pauses(capture)
    odd = False
    for number, connection in enumerate(capture.spoken, 1):
        out.line()
        view = _ConnectionView(number, connection, capture, clock, shown, out)
        view.show_head(hubs)
        if number in same:
            out.line(
                f"{_INDENT}messages the same as in [{same[number]}], passed on by the hub: not listed again"
            )
            continue
        view.show_messages()
        odd = view.show_summary(paused.get(number, "")) or odd
    if odd:
        out.line()
        out.line(f"What it comes to, and what to do:  packwire doctor --log {printable(capture.name)}")


def _show_file(capture: Capture, clock: CaptureClock, out: Writer) -> None:
    packets = capture.packets
    when = ""
    if clock.first != NO_TIME:
        start = datetime.fromtimestamp(clock.first // 1_000_000_000, UTC)
        when = f", {(clock.last - clock.first) / 1e9:.1f} s from {start:%Y-%m-%d %H:%M:%S} UTC"
    out.line(
        (printable(capture.name), "bold"), f": {capture.format}, {counted(len(packets), 'packet')}{when}"
    )
    for line in capture.damage:
        out.line(("DAMAGED: ", "bold red"), printable(line))
    if not capture.spoken:
        out.line(("no VESC traffic", "bold"), ", and none of a BMS with a model here")
    if capture.has_packets_of_ip:
        _show_left_out(capture, out)
    elif not capture.spoken:
        out.line("packwire info says what is in it, packwire messages shows it")


def _show_left_out(capture: Capture, out: Writer) -> None:
    """Say what of a recording of a network is in no conversation."""
    for reason, count in capture.connections.left_out.items():
        out.line(f"{counted(count, 'packet')} left out: {reason}")
    others = len(capture.connections) - sum(
        isinstance(each.connection, Connection) for each in capture.spoken
    )
    if capture.spoken and others:
        title = capture.spoken[0].observer.protocol.title
        out.line(f"{counted(others, 'TCP connection')} without {title} traffic left out")
    if capture.spoken:
        return
    if not len(capture.connections):
        out.line("packwire info says what is in it, packwire messages shows it")
    for index in range(min(len(capture.connections), _MAX_LISTED)):
        connection = capture.connections[index]
        sent = [stream.recorded for stream in connection.streams]
        out.line(
            f"{_INDENT}{connection.ends[0]} -> {connection.ends[1]}: "
            f"{counted(len(connection.rows), 'packet')}, {sent[0]} bytes there, {sent[1]} back"
        )
    if len(capture.connections) > _MAX_LISTED:
        out.line(f"{_INDENT}and {len(capture.connections) - _MAX_LISTED} more")


class _ConnectionView:
    """Writes one connection."""

    def __init__(
        self,
        number: int,
        vesc: SpokenConnection[Carrier],
        capture: Capture,
        clock: CaptureClock,
        shown: Shown,
        out: Writer,
    ) -> None:
        self._number = number
        self._vesc = vesc
        self._tcp = vesc.connection
        self._conversation: Conversation = vesc.conversation
        self._latency = self._conversation.latency
        self._capture = capture
        self._clock = clock
        self._shown = shown
        self._out = out
        self._silence = Silence(vesc)
        self._words = vesc.words

    def _say(self, name: str, text: str, style: str = "") -> None:
        self._out.line(_INDENT, (f"{name:<9}", "cyan"), (text, style))

    def show_head(self, hubs: frozenset[str]) -> None:
        """Write who talks to whom, and what became of the bytes."""
        tcp, vesc = self._tcp, self._vesc
        at = self._capture.packets.time[tcp.rows]
        self._out.line(
            (f"[{self._number}] {tcp.ends[0]} -> {tcp.ends[1]}", "bold"),
            f"  {counted(len(tcp.rows), 'packet')}, {self._clock.text(int(at[0]))} to "
            f"{self._clock.text(int(at[-1]))} s",
            "  (began before the recording)" if tcp.began_before else "",
        )
        hub = hub_end(vesc, hubs)
        if vesc.observer.protocol.name != "vesc":
            self._say("speaks", f"{vesc.observer.protocol.title} (model {vesc.observer.protocol.name})")
        if vesc.device is None:
            self._say("roles", vesc.evidence, "yellow")
        else:
            client, device = tcp.ends[1 - vesc.device], tcp.ends[vesc.device]
            self._say("client", client + (" (the hub, for its client)" if hub == client else ""))
            role = " (the hub, for the device)" if hub == device else f" ({vesc.evidence})"
            self._say("device", device + role)
        for line in vesc.hub_lines:
            self._say("login", _login_text(line, keep_secrets=self._shown.keep_secrets))
        for can_id, node in self._conversation.nodes.items():
            name = printable(node.name) or "a node without a name"
            what = f"{name}, firmware {node.version} ({vesc.observer.hardware_label(node.hardware)})"
            self._say("it is" if can_id is None else f"can {can_id}", what)
        self._show_bytes()
        ending = closed_early(self._number - 1, self._capture.spoken)
        if not isinstance(tcp, Connection):
            return
        if tcp.ended_by is not None and tcp.ended_at is not None:
            when = f"{tcp.ends[tcp.ended_by]} {tcp.ending} it at {self._clock.text(tcp.ended_at)} s"
            self._say("end", when + (f": {ending}" if ending else ""), "yellow" if ending else "")
        else:
            self._say("end", "still open when the recording ends")

    def _show_bytes(self) -> None:
        for side in (0, 1):
            stream, report = self._tcp.streams[side], self._vesc.streams[side]
            if not stream.recorded and not isinstance(self._tcp, Connection):
                continue
            parts = [counted(stream.recorded, "byte"), counted(report.stats.frames, "frame")]
            missing = sum(gap.missing for gap in stream.gaps)
            parts.append(
                f"{missing} BYTES MISSING in {counted(len(stream.gaps), 'gap')}"
                if missing
                else "none missing"
            )
            stats = report.stats
            parts += [
                f"{count} {what}"
                for count, what in (
                    (stats.junk, "bytes outside of frames"),
                    (stats.crc_errors, "wrong checksums"),
                    (stats.oversize, "absurd lengths"),
                    (stream.retransmitted, "segments sent again"),
                    (stream.reordered, "segments out of order"),
                    (stream.strays, "segments that do not belong here"),
                )
                if count
            ]
            if stats.waiting:
                parts.append(f"{stats.waiting.missing} bytes of the last frame never came")
            bad = missing or stats.junk or stats.waiting
            self._say(
                "sent" if side == 0 else "",
                f"by {self._tcp.ends[side]}: {', '.join(parts)}",
                "yellow" if bad else "",
            )

    def show_messages(self) -> None:
        """Write the messages, and what else happened, in the order of time."""
        self._out.line()
        self._out.line(
            (f"{'packet':>9} {'time s':>11}      {'command':<31}{'bytes':>6}{'latency':>11}", "dim")
        )
        items = [*self._events(), *self._message_items()]
        items.sort(key=lambda item: item[:3])
        if not self._shown.brief:
            for item in items:
                self._show_item(item)
            return
        for fold in folds([self._key(item) for item in items]):
            for item in items[fold.first : fold.first + fold.period]:
                self._show_item(item)
            if fold.rounds > 1:
                self._show_fold(
                    fold, items[fold.first + fold.period : fold.first + fold.period * fold.rounds]
                )

    def _message_items(self) -> Iterator["_Item"]:
        messages = self._conversation.messages
        last = messages.packets[messages.packet_offsets[1:] - 1]
        columns = (messages.time.tolist(), last.tolist())
        return ((time, number, 1, row) for row, (time, number) in enumerate(zip(*columns, strict=True)))

    def _events(self) -> Iterator["_Item"]:
        for side in (0, 1):
            stream, report = self._tcp.streams[side], self._vesc.streams[side]
            if report.hub_line:
                yield report.hub_line.time, report.hub_line.number, 0, (side, report.hub_line)
            for gap in stream.gaps:
                yield self._clock.of_packet(gap.after), gap.after, 2, (side, gap)
            for junk in report.junk:
                yield self._clock.of_packet(junk.number), junk.number, 0, (side, junk)

    def _show_item(self, item: "_Item") -> None:
        _, _, _, what = item
        if isinstance(what, int):
            self._show_message(what)
        else:
            self._show_event(*what)

    def _show_event(self, side: int, event: HubLine | Gap | Junk) -> None:
        arrow = self._arrow(side)
        match event:
            case HubLine():
                text = _login_text(event, keep_secrets=self._shown.keep_secrets)
                number, time, style = event.number, event.time, "cyan"
            case Gap():
                why = "packets are cut short in this file" if event.cut else "not in this file"
                text = f"{counted(event.missing, 'byte')} MISSING here: {why}"
                number, time, style = event.after, self._clock.of_packet(event.after), "bold red"
            case Junk():
                text = f"{counted(event.size, 'byte')} outside of any frame"
                if self._shown.keep_secrets:
                    text += f": {event.begin.hex(' ')}{' ...' if event.size > len(event.begin) else ''}"
                number, time, style = event.number, self._clock.of_packet(event.number), "yellow"
        self._out.line(f"{number or '-':>9} {self._clock.text(time):>11}  {arrow}  ", (text, style))

    def _arrow(self, side: int) -> str:
        if self._vesc.device is None:
            return "<>"
        return "<-" if side == self._vesc.device else "->"

    def _show_message(self, row: int) -> None:
        messages, part = self._conversation.messages, Part(int(self._conversation.part[row]))
        payload = shown_payload(self._vesc, messages.payload(row), self._shown)
        numbers = messages.packets_of(row)
        number = f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
        style = _STYLES.get(part, "")
        self._out.line(
            f"{number:>9} {self._clock.text(int(messages.time[row])):>11}  ",
            (_ARROWS[Direction(int(messages.direction[row]))], style),
            f"  {self.name(row, payload):<31}{len(payload):>6}{milliseconds(int(self._latency[row])):>11}  ",
            *self._text(row, part, payload),
        )
        if self._shown.hex:
            shown = self._words.hex_text(payload, keep_secrets=self._shown.keep_secrets)
            self._out.line(f"{'':29}", (shown, "dim"))
        if self._shown.fields and part in (Part.REPLY, Part.LATE, Part.UNSOLICITED):
            self._show_fields(payload)

    def name(self, row: int, payload: bytes) -> str:
        """Return the command of a message, of a reply with the way that its request took."""
        asked = int(self._conversation.partner[row]) if self._conversation.part[row] in _REPLIES else row
        if asked == row and self._conversation.messages.direction[row] == Direction.FROM_DEVICE:
            return self._words.name((), payload)
        ids, inner = self._conversation.observer.addressed(self._conversation.messages.payload(asked))
        return self._words.name(ids, inner) if inner else self._words.name((), payload)

    def _text(self, row: int, part: Part, payload: bytes) -> Iterator[str | tuple[str, str]]:
        keep = self._shown.keep_secrets
        match part:
            case Part.REQUEST | Part.ONE_WAY:
                yield self._words.request(payload, keep_secrets=keep)
            case Part.UNANSWERED:
                words = self._words.request(payload, keep_secrets=keep)
                yield f"{words}  " if words else ""
                yield f"NO REPLY: {self._silence.reason(row)}", "bold red"
            case Part.LATE:
                repeats = int(self._conversation.repeats[self._conversation.partner[row]])
                yield f"late, asked {times(repeats)} more before it came  ", "yellow"
                yield self._words.reply(payload, keep_secrets=keep)
            case Part.UNSOLICITED:
                yield "unasked  ", "magenta"
                yield self._words.reply(payload, keep_secrets=keep)
            case _:
                yield self._words.reply(payload, keep_secrets=keep)

    def _show_fields(self, payload: bytes) -> None:
        for span in self._words.spans(payload, keep_secrets=self._shown.keep_secrets):
            place = f"{span.offset:>4} {span.width:>3}"
            raw = "" if span.raw is None else str(span.raw)
            value = f"{span.value:.9g}" if isinstance(span.value, float) else printable(str(span.value))
            self._out.line(f"{'':29}", (place, "dim"), f"  {span.name:<22}{raw:>12}  {value}")

    def _key(self, item: "_Item") -> object:
        """Return what two messages have in common that are the same step of a polling."""
        _, _, _, row = item
        if not isinstance(row, int):
            return item
        part = int(self._conversation.part[row])
        payload = self._conversation.messages.payload(row)
        if self._conversation.messages.direction[row] == Direction.TO_DEVICE:
            return part, payload
        return part, self._conversation.observer.number(payload), len(payload)

    def _show_fold(self, fold: Fold, items: list["_Item"]) -> None:
        """Say in a line or two what the rounds after the first one were."""
        rows = [row for _, _, _, row in items if isinstance(row, int)]
        latency = self._latency[rows]
        latency = latency[latency != NO_TIME]
        numbers = f"packets {items[0][1]} to {items[-1][1]}, until {self._clock.text(items[-1][0])} s"
        text = f"... the same {times(fold.rounds - 1)} more: {numbers}"
        if len(latency):
            text += f"; replies after {milliseconds(int(np.median(latency)))}"
            text += f", at most {milliseconds(int(latency.max()))}"
        self._out.line(f"{'':21}  ", (text, "dim"))
        replies = [row for row in rows if self._conversation.part[row] in _REPLIES]
        if replies:
            words = [self._said(row) for row in (replies[0], replies[-1])]
            if words[0] != words[1]:
                self._out.line(f"{'':21}      ", (f"the last reply says {words[1]}", "dim"))

    def _said(self, row: int) -> str:
        payload = shown_payload(self._vesc, self._conversation.messages.payload(row), self._shown)
        return self._words.reply(payload, keep_secrets=self._shown.keep_secrets)

    def show_summary(self, paused: str) -> bool:
        """Write the account by command, then what is plain from it; return whether any of it is odd."""
        counted = tallies(self._conversation)
        if counted:
            self._out.line()
            for index, row in enumerate(summary_rows(counted, self._words)):
                self._out.line((_INDENT + row, "dim" if index == 0 else ""))
        plain = list(facts(self._vesc, counted, self._silence, paused))
        if plain:
            self._out.line()
        for fact, good in plain:
            self._out.line(_INDENT, (fact, "green" if good else "yellow"))
        return not all(good for _, good in plain)


type _Item = tuple[int, int, int, int | tuple[int, HubLine | Gap | Junk]]
"""When, in which packet, what kind first, and what: the row of a message, or a side and an event."""

_REPLIES = (Part.REPLY, Part.LATE)


def _login_text(line: HubLine, *, keep_secrets: bool) -> str:
    if line.login is None or line.caller is None:
        return f"the hub answers {line.text}" if line.text in ("PONG", "NULL") else line.text
    return login_text(line.login, line.caller, keep_secrets=keep_secrets)
