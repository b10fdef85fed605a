"""The events of a recording of Bluetooth packets: what the link and its attributes say, as a log would."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from packwire.att import Opcode
from packwire.capture.devices import hci_packets
from packwire.capture.events.reader import EventLog
from packwire.capture.events.told import LoggedDevice, Quote
from packwire.capture.layers.hci import HciKind
from packwire.capture.links import BLUETOOTH, numbers
from packwire.capture.open import Capture
from packwire.capture.packets import NO_TIME
from packwire.event import Event, EventKind

#: Events of a recording that are looked at.
MAX_EVENTS = 20_000
#: What an ATT error response says [Core, Vol 3, Part F, 3.4.1.1].
_ERRORS = {
    1: "wrong-handle",
    3: "not-permitted",
    5: "gatt-error",
    8: "gatt-error",
    12: "gatt-error",
    15: "gatt-error",
}
#: Disconnection Complete, and reasons why a link ended [Core, Vol 1, Part F].
_DISCONNECTED = 0x05
_REASONS = {
    0x3E: ("no-link", EventKind.FAILED),
    0x05: ("pairing-failed", EventKind.PAIRING),
    0x06: ("pairing-failed", EventKind.PAIRING),
}


def events_of(capture: Capture) -> EventLog:
    """Return the events of a capture; of one without Bluetooth there are none, but its times."""
    log = EventLog(programs=Counter({capture.format: len(capture.packets)}))
    known = capture.packets.time[capture.packets.time != NO_TIME]
    if len(known):
        log.begin, log.end = int(known.min()), int(known.max())
    if numbers(*BLUETOOTH).isdisjoint(capture.packets.link_types):
        return log
    subject = log.subjects.setdefault("", LoggedDevice(""))
    found = sorted([*_attributes(capture), *_links(capture)], key=lambda each: each[0])
    for row, code, kind, text, values in found[:MAX_EVENTS]:
        quote = Quote(row + 1, text, int(capture.packets.time[row]))
        subject.add(code, kind, quote, values)
        log.timeline.append(Event(kind, quote.time, "", None, text, code, quote.line, values))
    log.left_out = max(len(found) - MAX_EVENTS, 0)
    return log


type _Found = tuple[int, str, EventKind, str, dict[str, str]]


def _attributes(capture: Capture) -> Iterator[_Found]:
    att = capture.att
    for index in np.flatnonzero(att.opcode == Opcode.ERROR_RSP)[:MAX_EVENTS].tolist():
        start = int(att.start[index])
        code = (
            int(capture.packets.data[start])
            if int(att.size[index]) and start < len(capture.packets.data)
            else 0
        )
        if code in _ERRORS:
            text = f"ATT error response: 0x{code:02x}"
            yield int(att.row[index]), _ERRORS[code], EventKind.REFUSED, text, {"error": str(code)}
    for codes, code_name, kind, words in (
        ((Opcode.NOTIFICATION, Opcode.INDICATION), "received", EventKind.NOTIFIED, "notification"),
        ((Opcode.WRITE_CMD, Opcode.WRITE_REQ), "sent", EventKind.WRITTEN, "write"),
    ):
        for index in np.flatnonzero(np.isin(att.opcode, codes))[:MAX_EVENTS].tolist():
            yield int(att.row[index]), code_name, kind, words, {}


def _links(capture: Capture) -> Iterator[_Found]:
    packets = hci_packets(capture.packets)
    events = packets.where(packets.kind == HciKind.EVENT)
    data = capture.packets.data
    for row, at, end in list(zip(events.row.tolist(), events.at.tolist(), events.end.tolist(), strict=True))[
        :MAX_EVENTS
    ]:
        event = data[at:end].tobytes()
        if len(event) > 5 and event[0] == _DISCONNECTED and event[5] in _REASONS:
            code, kind = _REASONS[event[5]]
            yield row, code, kind, f"disconnected, reason 0x{event[5]:02x}", {}
