"""`packwire decode` for scripts: JSON lines and CSV."""

import csv
import io
import math
from collections.abc import Iterator
from typing import Any

from packwire.capture import Capture
from packwire.capture.layers.conversation import Part
from packwire.capture.layers.silence import Silence
from packwire.capture.layers.spoken import Carrier, SpokenConnection
from packwire.capture.layers.tally import Tally, tallies
from packwire.capture.packets import NO_TIME
from packwire.capture.writers.csv import iso_time
from packwire.cli.views.decode_facts import hub_end, hub_ends
from packwire.cli.views.decode_shown import CaptureClock, Shown, shown_payload
from packwire.direction import DIRECTION_NAMES
from packwire.visible import record_text

type Record = dict[str, Any]

_REPLIES = (Part.REPLY, Part.LATE)
_AS_THEY_ARE = (str, int, type(None))
_FROM_DEVICE = (*_REPLIES, Part.UNSOLICITED)

CSV_HEADER = (
    "connection", "packets", "at", "direction", "can", "command", "id", "size", "part", "latency_ms", "text"
)  # fmt: skip


def json_lines(capture: Capture, shown: Shown) -> Iterator[str]:
    """Yield everything about a capture, one JSON object a line; see the help of `packwire decode`."""
    return (record_text(clean(record)) for record in _records(capture, shown))


def csv_lines(capture: Capture, shown: Shown) -> Iterator[str]:
    """Yield one row a message, the head first."""
    yield ",".join(CSV_HEADER)
    for number, connection in enumerate(capture.spoken, 1):
        for record in _Messages(number, connection, CaptureClock(capture), shown).records():
            text = io.StringIO()
            row = [record.get(name, "") for name in CSV_HEADER]
            row[1] = " ".join(map(str, record["packets"]))
            row[4] = " ".join(map(str, record["can"]))
            row[-1] = record.get("why") or record["text"]
            csv.writer(text, lineterminator="").writerow(row)
            yield text.getvalue()


def _records(capture: Capture, shown: Shown) -> Iterator[Record]:
    clock = CaptureClock(capture)
    hubs = hub_ends(capture.spoken)
    yield _file_record(capture, clock)
    for number, connection in enumerate(capture.spoken, 1):
        yield _connection_record(number, connection, hubs, clock, shown)
        messages = _Messages(number, connection, clock, shown)
        yield from messages.records()
        for tally in tallies(connection.conversation):
            yield messages.command_record(tally)


def _file_record(capture: Capture, clock: CaptureClock) -> Record:
    return {
        "kind": "capture",
        "time": iso_time(clock.first) or None,
        "file": capture.name,
        "format": capture.format,
        "packets": len(capture.packets),
        "seconds": clock.seconds(clock.last),
        "damage": list(capture.damage),
        "left_out": capture.connections.left_out,
        "vesc_connections": len(capture.vesc.connections),
        "other_connections": len(capture.connections) - len(capture.spoken),
    }


def _connection_record(
    number: int, vesc: SpokenConnection[Carrier], hubs: frozenset[str], clock: CaptureClock, shown: Shown
) -> Record:
    tcp = vesc.connection
    device = vesc.device
    return {
        "kind": "connection",
        "connection": number,
        "protocol": vesc.observer.protocol.name,
        "dialled_by": tcp.ends[0],
        "dialled": tcp.ends[1],
        "began_before": tcp.began_before,
        "client": None if device is None else tcp.ends[1 - device],
        "device": None if device is None else tcp.ends[device],
        "evidence": vesc.evidence,
        "hub": hub_end(vesc, hubs),
        "logins": [
            {
                "packet": line.number,
                "role": line.login.role.value,
                "id": line.login.device_id,
                **({"password": line.login.password} if shown.keep_secrets else {}),
            }
            for line in vesc.hub_lines
            if line.login is not None
        ],
        "nodes": [node._asdict() for node in vesc.conversation.nodes.values()],
        "packets": len(tcp.rows),
        "sent": [_sent_record(vesc, side) for side in (0, 1)],
        "ending": tcp.ending.value,
        "ended_by": None if tcp.ended_by is None else tcp.ends[tcp.ended_by],
        "ended_at": None if tcp.ended_at is None else clock.seconds(tcp.ended_at),
    }


def _sent_record(vesc: SpokenConnection[Carrier], side: int) -> Record:
    stream, stats = vesc.connection.streams[side], vesc.streams[side].stats
    return {
        "by": vesc.connection.ends[side],
        "bytes": stream.recorded,
        "acknowledged": stream.acknowledged,
        "frames": stats.frames,
        "junk": stats.junk,
        "crc_errors": stats.crc_errors,
        "waiting": stats.waiting._asdict() if stats.waiting else None,
        "gaps": [gap._asdict() for gap in stream.gaps],
        "retransmitted": stream.retransmitted,
        "reordered": stream.reordered,
    }


class _Messages:
    """Makes the records of one connection's messages."""

    def __init__(
        self, number: int, vesc: SpokenConnection[Carrier], clock: CaptureClock, shown: Shown
    ) -> None:
        self._number = number
        self._spoken = vesc
        self._conversation = vesc.conversation
        self._silence = Silence(vesc)
        self._words = vesc.words
        self._clock = clock
        self._shown = shown

    def records(self) -> Iterator[Record]:
        """Yield one record a message."""
        latency = self._conversation.latency.tolist()
        for row in range(len(self._conversation)):
            yield self._record(row, latency[row])

    def _record(self, row: int, latency: int) -> Record:
        conversation, keep = self._conversation, self._shown.keep_secrets
        messages, part = conversation.messages, Part(int(conversation.part[row]))
        payload = shown_payload(self._spoken, messages.payload(row), self._shown)
        partner = int(conversation.partner[row])
        observer = conversation.observer
        ids, inner = observer.addressed(messages.payload(partner) if part in _REPLIES else payload)
        about = payload if part in _FROM_DEVICE or not inner else inner
        record: Record = {
            "kind": "vesc_message",
            "connection": self._number,
            "time": iso_time(int(messages.time[row])) or None,
            "at": self._clock.seconds(int(messages.time[row])),
            "packets": list(messages.packets_of(row)),
            "direction": DIRECTION_NAMES[int(messages.direction[row])],
            "can": list(ids) if part is not Part.UNSOLICITED else [],
            "command": self._words.name((), about),
            "id": observer.number(about),
            "size": len(payload),
            "part": part.name.lower(),
        }
        if part in _FROM_DEVICE or part is Part.UNCLEAR:
            record["text"] = self._words.reply(payload, keep_secrets=keep)
            record["values"] = self._words.values(payload, keep_secrets=keep)
        else:
            record["text"] = self._words.request(payload, keep_secrets=keep)
        if latency != NO_TIME:
            record["latency_ms"] = latency / 1e6
        if partner >= 0:
            record["answers" if part in _REPLIES else "answered_in"] = list(messages.packets_of(partner))
        if part is Part.UNANSWERED:
            record["why"] = self._silence.reason(row)
        if self._shown.hex:
            record["hex"] = self._words.hex_text(payload, keep_secrets=keep)
        if self._shown.fields and part in _FROM_DEVICE:
            record["fields"] = [span._asdict() for span in self._words.spans(payload, keep_secrets=keep)]
        return record

    def command_record(self, tally: Tally) -> Record:
        """Return the account of one command."""
        median, slowest = tally.latency_median, tally.latency_max
        return {
            "kind": "command",
            "connection": self._number,
            "can": list(tally.ids),
            "command": self._words.name((), tally.inner),
            "id": tally.command,
            "asked": tally.asked,
            "answered": tally.answered,
            "late": tally.late,
            "one_way": tally.one_way,
            "unsolicited": tally.unsolicited,
            "unclear": tally.unclear,
            "reply_sizes": tally.sizes,
            "latency_ms_median": None if median is None else median / 1e6,
            "latency_ms_max": None if slowest is None else slowest / 1e6,
        }


def clean(value: Any) -> Any:
    """Make a value fit for JSON: no NaN or infinity, bytes as hexadecimal digits."""
    if isinstance(value, _AS_THEY_ARE):
        return value
    if isinstance(value, float):
        return round(value, 9) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value
