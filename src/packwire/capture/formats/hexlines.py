"""Any text with bytes in hex, one message a line, or a CSV table with a column of hex.

A line may begin with a time and have marks of direction (TX, RX, ->, <-, >, <, write, notify, ...) before the
bytes; what leads to the device is SENT.
"""

import csv
import re
from collections.abc import Sequence

from packwire.capture.formats.text_lines import HEX, Clock, Table, head_lines, hex_bytes, lines, way_of
from packwire.capture.packets import NO_TIME, PacketDirection, Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "hex lines"

_LINE = re.compile(
    r"\s*(?:[\[(]?(?P<time>(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d{9,10}\.\d{1,9})[\])]?[\s,;:]+)?"
    r"(?:(?P<words>[^0-9]{0,60}?)[\s:=]+|(?P<mark>[<>=-]{1,3})\s*)?(?:\(0x\)\s*)?"
    r"(?P<hex>" + HEX + r")(?:\s*\(\d+\))?[\s,;\"']*"
)
#: All one separator: what begins like a time of day is bytes too.
_COLONS = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+")
_SENT_WORDS = re.compile(
    r"\b(?:tx|sent|send|sending|write|writing|wrote|request|req|out|to device)\b|->|>", re.IGNORECASE
)
_RECEIVED_WORDS = re.compile(
    r"\b(?:rx|received?|recv|read|notify|notification|indication|response|reply|in|from device)\b|<-|<",
    re.IGNORECASE,
)

#: What the columns of a table may be called.
_HEX_COLUMN = ("hex", "data", "payload", "value", "bytes", "message")
_TIME_COLUMN = ("time", "timestamp", "date", "datetime")
_WAY_COLUMN = ("direction", "dir", "way")
_CHANNEL_COLUMN = ("channel", "characteristic", "uuid", "handle", "interface")
_NANOSECONDS = re.compile(r"-?\d{18,19}")
_SECONDS = re.compile(r"-?\d{1,10}(?:\.\d{1,9})?")


def matches(head: bytes) -> bool:
    """Tell whether this is a table with a column of hex, or half of the first lines are bytes."""
    found = head_lines(head)
    if found and _header(found[0]):
        return True
    rows = [line for line in (found[:-1] or found)[:200] if not line.startswith("#")]
    hits = sum(_LINE.fullmatch(line) is not None for line in rows)
    return hits > 0 and hits * 2 >= len(rows)


def read(data: Bytes) -> Packets:
    """Find the messages. Raises BadFileError where there is none."""
    table, clock = Table(NAME), Clock()
    columns: dict[str, int] | None = None
    delimiter = ","
    for row, (at, text) in enumerate(lines(data, table)):
        if row == 0 and (header := _header(text)):
            columns, delimiter = header
            table.name = "CSV"
        elif table.comment(at, text):
            continue
        elif not (_row(table, clock, text, columns, delimiter) if columns else _line(table, clock, text)):
            table.bad(at)
    if not len(table):
        raise BadFileError("this text holds no bytes in hex: give lines such as `12:00:01.5 RX dd 03 00 1b`")
    return table.packets()


def _line(table: Table, clock: Clock, text: str) -> bool:
    if _COLONS.fullmatch(text):
        table.add(NO_TIME, PacketDirection.UNKNOWN, "hex", bytes.fromhex(text.replace(":", "")))
        return True
    found = _LINE.fullmatch(text)
    payload = hex_bytes(found["hex"]) if found else None
    if found is None or not payload:
        return False
    time = clock.time(found["time"]) if found["time"] else NO_TIME
    table.add(time, _way(found["words"] or found["mark"] or ""), "hex", payload)
    return True


def _way(words: str) -> PacketDirection:
    return way_of(words, _SENT_WORDS, _RECEIVED_WORDS)


def _header(text: str) -> tuple[dict[str, int], str] | None:
    """Return which column is which and what separates them, where the line is a table's header."""
    delimiter = max(",;\t", key=text.count)
    names = [name.strip().lower() for name in _cells(text, delimiter)]
    columns = {
        key: next(index for index, name in enumerate(names) if name in known)
        for key, known in (
            ("hex", _HEX_COLUMN),
            ("time", _TIME_COLUMN),
            ("way", _WAY_COLUMN),
            ("channel", _CHANNEL_COLUMN),
        )
        if any(name in known for name in names)
    }
    for name in _HEX_COLUMN:
        if name in names:
            columns["hex"] = names.index(name)
            break
    return (columns, delimiter) if "hex" in columns and text.count(delimiter) else None


def _cells(text: str, delimiter: str) -> Sequence[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []


def _row(table: Table, clock: Clock, text: str, columns: dict[str, int], delimiter: str) -> bool:
    cells = _cells(text, delimiter)

    def cell(key: str) -> str:
        index = columns.get(key, len(cells))
        return cells[index].strip() if index < len(cells) else ""

    payload = hex_bytes(cell("hex"))
    if not payload:
        return False
    table.add(_time(clock, cell("time")), _table_way(cell("way")), cell("channel") or "hex", payload)
    return True


def _time(clock: Clock, text: str) -> int:
    if _NANOSECONDS.fullmatch(text):
        return int(text) if abs(int(text)) < 1 << 62 else NO_TIME
    if _SECONDS.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return int(whole) * 1_000_000_000 + int(fraction.ljust(9, "0"))
    return clock.time(text) if text else NO_TIME


def _table_way(text: str) -> PacketDirection:
    number = {"1": PacketDirection.SENT, "+1": PacketDirection.SENT, "-1": PacketDirection.RECEIVED}.get(text)
    return _way(text.replace("_", " ").lower()) if number is None else number
