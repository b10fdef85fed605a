"""What `packwire tap` shows: a line for each login, request and reply, and an account of each connection."""

import time
from collections.abc import Iterable
from typing import Any, Protocol

from packwire.cli.terminal import Writer, printable
from packwire.cli.views.decode_facts import milliseconds
from packwire.cli.views.decode_records import clean
from packwire.cli.views.hub_logins import login_text
from packwire.clock import iso_time
from packwire.errors import PackwireError
from packwire.protocol.observing import Caller
from packwire.protocols import observer, words
from packwire.tap.conversation import LiveConversation, TapEvent, What
from packwire.visible import record_text

_STYLES = {What.UNANSWERED: "bold red", What.UNSOLICITED: "magenta", What.REPLY: "green", What.LOGIN: "cyan"}
_OBSERVER, _WORDS = observer("vesc"), words("vesc")


class Lines(Protocol):
    """Takes whole lines."""

    def write(self, text: str, /) -> int:
        """Take a line with its end."""


def lost_lines(count: int) -> str:
    """Return what stands in place of lines that were not taken."""
    return f"      ({count} line{'' if count == 1 else 's'} left out here: the output took them too slowly)\n"


class TapView:
    """A watcher that writes lines; times are seconds since the tap began."""

    def __init__(self, out: Writer, *, keep_secrets: bool) -> None:
        self._out = out
        self._keep = keep_secrets
        self._began = time.time_ns()
        self._open: dict[int, tuple[LiveConversation, str, int]] = {}

    def opened(self, number: int, client: str) -> None:
        """Say that a client came."""
        now = time.time_ns()
        self._open[number] = (LiveConversation(), client, now)
        self._line(number, now, f"{client} connects", "bold")

    def passed(self, number: int, side: int, data: bytes, at: int) -> None:
        """Show what is said."""
        conversation = self._open[number][0]
        self._show(number, conversation, conversation.feed(side, data, at))

    def tick(self, now: int) -> None:
        """Show which requests got no reply."""
        for number, (conversation, _, _) in self._open.items():
            self._show(number, conversation, conversation.tick(now))

    def failed(self, number: int, error: PackwireError) -> None:
        """Say why a client was closed."""
        self._open.pop(number, None)
        self._line(number, time.time_ns(), f"the client is closed: {error}", "bold red")

    def closed(self, number: int, side: int | None, how: str) -> None:
        """Account for a connection."""
        now = time.time_ns()
        conversation, client, since = self._open.pop(number)
        self._show(number, conversation, conversation.end(now))
        logged_in = conversation.caller not in {None, Caller.INQUIRER}
        refused = side == 1 and logged_in and not conversation.stats[1].received
        who = "" if side is None else f"{client} " if side == 0 else "upstream "
        self._line(number, now, f"{who}{how}, after {(now - since) / 1e9:.1f} s", "bold")
        if refused:
            why = "the hub closed it without a word: it does not know the id, or the password is wrong"
            self._line(number, now, why, "bold yellow")
        if conversation.asked:
            silent = f", {conversation.unanswered} without a reply" if conversation.unanswered else ""
            self._line(
                number, now, f"{conversation.asked} requests, {conversation.answered} answered{silent}"
            )
        for name, stats in zip(("sent", "got"), conversation.stats, strict=True):
            if stats.received:
                odd = stats.oddities() or stats.waiting
                self._line(number, now, f"it {name} {stats.summary()}", "yellow" if odd else "")

    def _show(self, number: int, conversation: LiveConversation, events: Iterable[TapEvent]) -> None:
        for event in events:
            arrow = "<-" if event.side == conversation.device else "->"
            style = _STYLES.get(event.what, "")
            self._out.line(
                f"[{number}]{self._seconds(event.at):>10}  ", (arrow, style), "  ", *self._words(event, style)
            )

    def _words(self, event: TapEvent, style: str) -> tuple[str | tuple[str, str], ...]:
        if event.what is What.LOGIN:
            return ((self._login(event), style),)
        if event.what is What.HUB_ANSWER:
            return (f"the hub answers {printable(event.payload.decode('ascii', 'replace').strip())}",)
        took = milliseconds(event.latency) if event.what is What.REPLY else ""
        head = f"{_name(event):<31}{len(event.payload):>6}{took:>11}  "
        if event.what is What.UNANSWERED:
            return head, (f"NO REPLY within {(event.latency or 0) / 1e9:.1f} s", style)
        if event.what is What.UNSOLICITED:
            return head, ("unasked  ", style), _WORDS.reply(event.payload, keep_secrets=self._keep)
        if event.what is What.REPLY:
            return head, _WORDS.reply(event.payload, keep_secrets=self._keep)
        return head, _WORDS.request(event.payload, keep_secrets=self._keep)

    def _login(self, event: TapEvent) -> str:
        login = event.login
        if login is None or event.caller is None:
            return "a login line that no hub accepts: it has not three parts, or the id is too short"
        return login_text(login, event.caller, keep_secrets=self._keep)

    def _line(self, number: int, at: int, text: str, style: str = "") -> None:
        self._out.line(f"[{number}]{self._seconds(at):>10}      ", (printable(text), style))

    def _seconds(self, at: int) -> str:
        return f"{(at - self._began) / 1e9:.4f}"


class TapRecords:
    """A watcher that writes JSON lines."""

    def __init__(self, out: Lines, *, keep_secrets: bool) -> None:
        self._out = out
        self._keep = keep_secrets
        self._open: dict[int, LiveConversation] = {}

    def opened(self, number: int, client: str) -> None:
        """Say that a client came."""
        self._open[number] = LiveConversation()
        self._write("opened", number, time.time_ns(), client=client)

    def passed(self, number: int, side: int, data: bytes, at: int) -> None:
        """Say what is said."""
        self._show(number, self._open[number].feed(side, data, at))

    def tick(self, now: int) -> None:
        """Say which requests got no reply."""
        for number, conversation in self._open.items():
            self._show(number, conversation.tick(now))

    def failed(self, number: int, error: PackwireError) -> None:
        """Say why a client was closed."""
        self._open.pop(number, None)
        self._write("failed", number, time.time_ns(), error=str(error))

    def closed(self, number: int, side: int | None, how: str) -> None:
        """Account for a connection."""
        conversation = self._open.pop(number)
        self._show(number, conversation.end(time.time_ns()))
        by = None if side is None else ("client", "upstream")[side]
        counts = {name: getattr(conversation, name) for name in ("asked", "answered", "unanswered")}
        sent = [
            {
                "bytes": stats.received,
                "frames": stats.frames,
                "junk": stats.junk,
                "crc_errors": stats.crc_errors,
                "waiting": stats.waiting._asdict() if stats.waiting else None,
            }
            for stats in conversation.stats
        ]
        self._write("closed", number, time.time_ns(), by=by, how=how, **counts, sent=sent)

    def _show(self, number: int, events: Iterable[TapEvent]) -> None:
        for event in events:
            record: dict[str, Any] = {"part": event.what.name.lower()}
            if event.what is What.LOGIN and event.login:
                record |= {"role": event.login.role.value, "id": event.login.device_id}
            elif event.payload and event.what is not What.HUB_ANSWER:
                record |= self._message(event)
            if event.latency is not None:
                record["latency_ms"] = event.latency / 1e6
            self._write("vesc_message", number, event.at, **record)

    def _message(self, event: TapEvent) -> dict[str, Any]:
        ids, inner = _OBSERVER.addressed(event.request or event.payload)
        from_device = event.what in {What.REPLY, What.UNSOLICITED}
        about = event.payload if from_device or not inner else inner
        record: dict[str, Any] = {
            "direction": "from device" if from_device else "to device",
            "can": list(ids) if event.what is not What.UNSOLICITED else [],
            "command": _WORDS.name((), about),
            "id": _OBSERVER.number(about),
            "size": len(event.payload),
        }
        summary = _WORDS.reply if from_device else _WORDS.request
        record["text"] = summary(event.payload, keep_secrets=self._keep)
        if from_device:
            record["values"] = _WORDS.values(event.payload, keep_secrets=self._keep)
        return record

    def _write(self, kind: str, number: int, at: int, **more: Any) -> None:
        record = {"kind": kind, "connection": number, "time": iso_time(at), **more}
        self._out.write(record_text(clean(record)) + "\n")


def _name(event: TapEvent) -> str:
    ids, inner = _OBSERVER.addressed(event.request or event.payload)
    if event.what is What.UNSOLICITED or not inner:
        return _WORDS.name((), event.payload)
    return _WORDS.name(ids, inner)
