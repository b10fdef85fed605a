"""What the text logs have in common: lines and their offsets, times, hex, and the table they become."""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from packwire.capture.packets import APPLICATION, NO_TIME, PacketDirection, Packets
from packwire.messages import Bytes

#: A longer line is cut: no log puts more than a message into one.
MAX_LINE = 32 << 10

#: Messages of one text, and channels that it names; a few kilobytes of gzip could hold many more.
MAX_ROWS, MAX_CHANNELS = 400_000, 4096

_LINE = re.compile(rb"[^\n]+")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_GAP = "#@gap"

_STAMP = re.compile(
    r"(?:(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T ])?(?P<hours>\d\d):(?P<minutes>\d\d):(?P<seconds>\d\d)"
    r"(?:[.,:](?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?")
_DAY = 86_400_000_000_000
_YEAR_0 = datetime(1970, 1, 1, tzinfo=UTC)

#: Bytes in hex with any usual separator, each with or without 0x.
HEX = r"(?:0[xX])?[0-9A-Fa-f]{2}(?:[ :.,\-]{0,2}(?:0[xX])?[0-9A-Fa-f]{2})*"
_BYTES_LITERAL = re.compile(r"b(?P<quote>['\"])(?P<text>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_BLANKS = re.compile(r"0[xX](?=[0-9A-Fa-f]{2})|[ :.,\-]+")


def is_text(head: bytes) -> bool:
    """Tell whether a file that begins so can be a log."""
    return bool(head) and not any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)


def lines(data: Bytes, table: "Table | None" = None) -> Iterator[tuple[int, str]]:
    """Yield offset and text of each line that is not empty, without colours and line ends.

    It ends where `table` can take no more.
    """
    for found in _LINE.finditer(memoryview(data)):
        if table is not None and table.full:
            table.cut_at = found.start()
            return
        raw = bytes(data[found.start() : min(found.end(), found.start() + MAX_LINE)])
        text = _COLOUR.sub("", raw.decode("utf-8", "replace")).lstrip("\ufeff").rstrip()
        if text:
            yield found.start(), text


def head_lines(head: bytes) -> list[str]:
    """Return the lines of a file's beginning that are not empty; the last one may be cut off."""
    return [text for _, text in lines(np.frombuffer(head, dtype=np.uint8))]


def hex_bytes(text: str) -> bytes | None:
    """Return the bytes that a text of the form of `HEX` names, or None where it is none."""
    try:
        return bytes.fromhex(_BLANKS.sub("", text))
    except ValueError:
        return None


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    return chr(int(code[1:], 16)) if len(code) == 3 else _ESCAPES.get(code, escape[0])


def literal_bytes(text: str) -> bytes | None:
    r"""Return what the first Python bytes literal in a text holds, such as `b'\xdd\x03w'`."""
    found = _BYTES_LITERAL.search(text)
    if not found:
        return None
    plain = _ESCAPE.sub(_unescaped, found["text"])
    return plain.encode("latin-1", "replace")


@dataclass(slots=True)
class Clock:
    """Reads time stamps, whose zone no log names: they are taken as UTC. Without a date, days are counted.

    The first day is `date` where the log says it elsewhere, otherwise 1970-01-01.
    """

    date: int = 0
    _last: int = NO_TIME

    def start(self, date: str) -> None:
        """Take in the date of the lines that follow."""
        day = _days(date)
        if day is not None:
            self.date, self._last = day * _DAY, NO_TIME

    def time(self, text: str) -> int:
        """Return nanoseconds since the epoch, or NO_TIME where the text is no time."""
        if found := _EPOCH.fullmatch(text):
            return int(found[1]) * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))
        found = _STAMP.fullmatch(text)
        if not found:
            return NO_TIME
        seconds = (int(found["hours"]) * 60 + int(found["minutes"])) * 60 + int(found["seconds"])
        time = seconds * 1_000_000_000 + int((found["fraction"] or "").ljust(9, "0"))
        if found["date"]:
            day = _days(found["date"])
            return NO_TIME if day is None else day * _DAY + time - _zone(found["zone"])
        time += self.date
        if self._last != NO_TIME and time < self._last - _DAY // 2:
            self.date += _DAY
            time += _DAY
        self._last = time
        return time


def _days(date: str) -> int | None:
    try:
        return (datetime.fromisoformat(date.replace("/", "-")).replace(tzinfo=UTC) - _YEAR_0).days
    except ValueError:
        return None


def _zone(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) // timedelta(microseconds=1) * 1000
    return shift if zone[0] == "+" else -shift


@dataclass(slots=True)
class Table:
    """Collects messages one by one and turns them into Packets whose bytes are held in memory."""

    name: str
    link_type: int = APPLICATION
    data: bytearray = field(default_factory=bytearray)
    time: "array[int]" = field(default_factory=lambda: array("q"))
    start: "array[int]" = field(default_factory=lambda: array("q"))
    interface: "array[int]" = field(default_factory=lambda: array("i"))
    direction: "array[int]" = field(default_factory=lambda: array("b"))
    interfaces: dict[str, int] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    cut_at: int = 0
    """Where the line begins at which the table was full."""
    _bad: int = 0
    _first_bad: int = 0
    _nameless: int = 0
    _gaps: int = 0
    _first_gap: int = 0

    def __len__(self) -> int:
        return len(self.time)

    def add(self, time: int, direction: PacketDirection, channel: str, payload: bytes) -> None:
        """Take in one message; one of a channel past MAX_CHANNELS is only counted."""
        if channel not in self.interfaces and len(self.interfaces) >= MAX_CHANNELS:
            self._nameless += 1
            return
        self.time.append(time if abs(time) <= -NO_TIME - 1 else NO_TIME)
        self.start.append(len(self.data))
        self.direction.append(direction)
        self.interface.append(self.interfaces.setdefault(channel, len(self.interfaces)))
        self.data += payload

    @property
    def full(self) -> bool:
        """Tell whether no more messages can be taken in."""
        return len(self.time) >= MAX_ROWS

    def last(self) -> bytes:
        """Return the bytes of the message taken in last."""
        return bytes(self.data[self.start[-1] :]) if self.start else b""

    def bad(self, at: int) -> None:
        """Count a line that should hold a message and does not."""
        self._first_bad = self._first_bad if self._bad else at
        self._bad += 1

    def comment(self, at: int, text: str) -> bool:
        """Tell whether a line is a comment; one that marks a cut is counted."""
        if text.startswith(_GAP):
            self._first_gap = self._first_gap if self._gaps else at
            self._gaps += 1
        return text.startswith("#")

    def packets(self) -> Packets:
        """Return the table."""
        start = np.array(self.start, dtype=np.int64)
        ends = np.append(start[1:], len(self.data)) if len(start) else start
        return Packets(
            format=self.name,
            time=np.array(self.time, dtype=np.int64),
            start=start,
            size=ends - start,
            original=ends - start,
            link_type=np.full(len(start), self.link_type, dtype=np.int32),
            interface=np.array(self.interface, dtype=np.int32),
            direction=np.array(self.direction, dtype=np.int8),
            data=np.frombuffer(self.data, dtype=np.uint8),
            interfaces=tuple(self.interfaces) or ("",),
            damage=(*self.damage, *self._said()),
        )

    def _said(self) -> Iterator[str]:
        if self._gaps:
            yield f"the log was cut in {self._gaps} places, the first at offset {self._first_gap}"
        if self.cut_at:
            yield (
                f"more than {MAX_ROWS} messages: what follows offset {self.cut_at} is left out, give the log"
                " in parts"
            )
        if self._nameless:
            yield f"more than {MAX_CHANNELS} channels: {self._nameless} messages of others are left out"
        if self._bad:
            yield (
                f"{self._bad} lines hold no bytes that can be read, the first at offset {self._first_bad}:"
                " they are left out"
            )


def way_of(words: str, sent: re.Pattern[str], received: re.Pattern[str]) -> PacketDirection:
    """Return which way a line's words say that its bytes went; the word that stands first counts."""
    to, back = sent.search(words), received.search(words)
    if to and not (back and back.start() < to.start()):
        return PacketDirection.SENT
    return PacketDirection.RECEIVED if back else PacketDirection.UNKNOWN


def short_uuid(uuid: str) -> str:
    """Return a characteristic's UUID, its 16 bits alone where the rest is the Bluetooth Base UUID."""
    uuid = uuid.lower()
    if uuid.endswith("-0000-1000-8000-00805f9b34fb") and uuid.startswith("0000"):
        return uuid[4:8]
    return uuid
