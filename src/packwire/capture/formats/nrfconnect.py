"""Logs of nRF Connect for Android: what was written, and the notifications, indications and reads received.

The app writes each value twice, as `I` (with the characteristic) and as `A` (its own summary): the second is
left out. Tabs between level, time and text are often lost when a log is pasted.
"""

import re

from packwire.capture.formats.text_lines import HEX, Clock, Table, head_lines, hex_bytes, lines, short_uuid
from packwire.capture.packets import PacketDirection, Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "nRF Connect log"

_TITLE = re.compile(r"nRF Connect, (\d{4}-\d\d-\d\d)")
_LINE = re.compile(r"([VDIWEA])\s+(\d\d:\d\d:\d\d\.\d{3})\s+(.*)")
_VALUE = re.compile(
    r"(?P<what>Notification|Indication|Read [Rr]esponse|Data) (?P<way>received from|written to) "
    r"(?P<uuid>[0-9a-fA-F-]{4,36}), value: (?:\(0x\) ?(?P<hex>" + HEX + r")?)?"
)
_SUMMARY = re.compile(r'"(?:\(0x\) ?(?P<hex>' + HEX + r')?)?" (?P<way>received|sent)')
_KINDS = {"Notification": "notify", "Indication": "indicate", "Read Response": "read", "Data": "write"}


def matches(head: bytes) -> bool:
    """Tell whether the title is there, or lines of the app's form that hold values."""
    found = [_LINE.fullmatch(line) for line in head_lines(head)]
    return any(_TITLE.match(line) for line in head_lines(head)[:3]) or any(
        line and (_VALUE.match(line[3]) or _SUMMARY.match(line[3]) or line[3].startswith("gatt."))
        for line in found
    )


def read(data: Bytes) -> Packets:
    """Find the values. Raises BadFileError where the log has none."""
    table, clock = Table(NAME), Clock()
    pending: tuple[str, bytes] | None = None
    for at, text in lines(data, table):
        if title := _TITLE.match(text):
            clock.start(title[1])
        if table.comment(at, text) or not (line := _LINE.fullmatch(text)):
            continue
        if value := _VALUE.match(line[3]):
            payload = hex_bytes(value["hex"] or "") or b""
            _add(table, clock.time(line[2]), value["what"], value["uuid"], value["way"], payload)
            pending = (line[2], payload)
        elif summary := _SUMMARY.fullmatch(line[3]):
            payload = hex_bytes(summary["hex"] or "") or b""
            if pending != (line[2], payload):
                way = "received from" if summary["way"] == "received" else "written to"
                _add(table, clock.time(line[2]), "Notification", "", way, payload)
            pending = None
        elif "value:" in line[3] or "(0x)" in line[3]:
            table.bad(at)
    if not len(table):
        raise BadFileError(
            "this nRF Connect log holds no values: enable the notifications (the three arrows) in the app"
            " before saving the log"
        )
    return table.packets()


def _add(table: Table, time: int, what: str, uuid: str, way: str, payload: bytes) -> None:
    to_device = way == "written to"
    kind = "write" if to_device else _KINDS.get(what.title(), "read")
    channel = " ".join(filter(None, ("att", short_uuid(uuid), kind)))
    table.add(time, PacketDirection.SENT if to_device else PacketDirection.RECEIVED, channel, payload)
