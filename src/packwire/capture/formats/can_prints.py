"""CAN frames that programs print with labels: `Standard ID: 0x351 DLC: 8 Data: 0x44 0x02 ..`.

Such as the examples of Arduino libraries for the MCP2515, VESC and ESP32 firmware, dbus-serialbattery. An
identifier, a count of bytes and as many bytes behind it, or a word that says CAN, are needed: ids and data
alone may be of anything.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.can import (
    FD_FORMAT,
    LARGEST,
    UNKNOWN_BASE,
    WRONG_SIZE,
    can_frame,
    can_row,
    first_tokens,
    token_bytes,
)
from packwire.capture.text.clock import EPOCH, STAMP, Clock
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, Unread
from packwire.capture.text.tokens import literal_bytes

NAME = "printed CAN frames"
EXAMPLES = (
    "Standard ID: 0x351       DLC: 8  Data: 0x44 0x02 0x64 0x00 0x9C 0xFF 0x3F 0x02",
    "17:28:53.335 > CAN : Received EXT  from 0x00000571 / cmd = 05h, DLC 2, Data 0x0E 0x33",
    "2025-04-19 13:14:29 DEBUG:SerialBattery:[can0] Received: ID=0x18904002, Daten=bytearray(b'\\x01\\r')",
    "21:22:39.226 > [Pytes] Received CAN message: 0x351 - 10 02 E8 03 FA 00 C7 01",
    "ID  DLC   DATA\n351 4 44 2 64 0",
    "Get data from ID: 0x7DF\n2\t1\t5",
)

#: What all these lines have: most lines of other logs are done with at a glance.
_SIGN = re.compile(r"ID|CAN|[Ii]d\b|can\d")
_TIME = re.compile(rf"\s*[\[(]?(?P<time>{STAMP}|{EPOCH})(?=[\])\s>|,;-])")
_FRAME = re.compile(
    r"(?P<before>.{0,200}?)\b(?:CAN[ _-]?)?ID\s{0,9}[:=]?\s{0,9}(?P<hex>0x)?(?P<id>[0-9A-F]{1,8})\b"
    r"(?P<between>.{0,120}?)"
    r"\b(?:Data|Daten|Payload|Bytes|Msg)\b\s{0,9}[:=]?\s{0,9}(?P<data>.*)",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"(?P<before>.{0,60}?\bCAN\W{1,8}(?:(?:Received|Sent)\s+)?(?:EXT|STD)\s+\w+\s+)(?P<hex>0x)(?P<id>[0-9A-F]{3,8})\b"
    r"(?P<between>.{0,120}?),\s*Data\s*(?P<data>.*)",
    re.IGNORECASE,
)
#: OpenDTU-OnBattery's.
_MESSAGE = re.compile(
    r"(?P<before>.{0,60}?\bCAN (?:message|frame):? )(?P<hex>0x)(?P<id>[0-9A-F]{3,8})(?P<between>) - "
    r"(?P<data>[0-9A-F]{2}(?: [0-9A-F]{2}){0,7})\s*",
    re.IGNORECASE,
)
_SIZE = re.compile(r"\b(?:DLC|Len|Length|DL|Size)\b\s{0,9}[:=]?\s{0,9}(?P<size>\d{1,2})\b", re.IGNORECASE)
_WIDE = re.compile(r"\b(?:(?P<wide>extended|ext|29[ -]?bit)|standard|std|11[ -]?bit)\b", re.IGNORECASE)
_CAN = re.compile(r"\bv?can\d*\b", re.IGNORECASE)
_BUS = re.compile(r"\b(?:v|sl)?can\d+\b", re.IGNORECASE)
_REMOTE = re.compile(r"\b(?:RTR|remote)\b", re.IGNORECASE)
_SENT = re.compile(r"\b(?:tx|sent|send|sending|transmit\w*|wrote|write)\b", re.IGNORECASE)
_RECEIVED = re.compile(r"\b(?:rx|received?|recv|receiving|got|get|incoming)\b", re.IGNORECASE)
_RUN = re.compile(r"(?:0x)?(?P<run>(?:[0-9A-F]{2})+)", re.IGNORECASE)
#: The reading example of autowp's library: a title and lines in hex without zeros.
_TITLE = re.compile(r"ID\s+DLC\s+DATA", re.IGNORECASE)
_BARE = re.compile(r"(?P<id>[0-9A-Fa-f]{1,8}) (?P<size>[0-8])(?P<data>(?: [0-9A-Fa-f]{1,2})*)")
#: That of Seeed's: the identifier, and the bytes in the line below.
_ABOVE = re.compile(r"\W*Get data from (?:extended )?ID: ?(?:0x)?(?P<id>[0-9A-F]{1,8})", re.IGNORECASE)
_BELOW = re.compile(r"(?:(?:0x)?[0-9A-Fa-f]{1,2}[\t ,]+){0,7}(?:0x)?[0-9A-Fa-f]{1,2}")


class Grammar:
    """Takes lines with labels, and two forms of several lines."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._titled = False
        self._above = -1
        self._hex_ids = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if not (self._titled or self._above >= 0 or _SIGN.search(line, 0, 300)):
            return None
        above, self._above = self._above, -1
        stamp = _TIME.match(line)
        text = line[stamp.end() :].lstrip(" ])>|,;-") if stamp else line
        if above >= 0 and _BELOW.fullmatch(text):
            return can_row(
                can_frame(above, token_bytes(text) or b""), PacketDirection.RECEIVED, "can", self._time(stamp)
            )
        if found := _FRAME.fullmatch(text) or _FROM.fullmatch(text) or _MESSAGE.fullmatch(text):
            return self._labelled(found, stamp)
        if found := _ABOVE.fullmatch(text):
            self._above = int(found["id"], 16)
            return NO_BYTES
        if _TITLE.fullmatch(text):
            self._titled = True
            return BEGINS
        if self._titled and (found := _BARE.fullmatch(text)):
            return self._bare(found, stamp)
        return None

    def _time(self, stamp: re.Match[str] | None) -> int:
        return self._clock.time(stamp["time"] if stamp else None)

    def _bare(self, found: re.Match[str], stamp: re.Match[str] | None) -> Row | Unread:
        word = int(found["id"], 16)
        data = first_tokens(found["data"], int(found["size"]))
        if data is None:
            return WRONG_SIZE
        # The library prints the identifier with Linux' flags in it.
        frame = can_frame(word & 0x1FFF_FFFF, data, extended=True if word & 0x8000_0000 else None)
        return can_row(frame, PacketDirection.RECEIVED, "can", self._time(stamp))

    def _labelled(self, found: re.Match[str], stamp: re.Match[str] | None) -> Row | Unread | None:
        before, between = found["before"], found["between"]
        said = _SIZE.search(between)
        if not said and not (_CAN.search(before) and found["hex"]):
            return None
        size = int(said["size"]) if said else None
        remote = bool(_REMOTE.search(between) or _REMOTE.match(found["data"]))
        data = b"" if remote else _bytes(found["data"], size)
        if data is None:
            return WRONG_SIZE if said else None
        self._hex_ids = self._hex_ids or not found["id"].isdigit()
        if not (found["hex"] or self._hex_ids or len(found["id"]) == 8):
            return UNKNOWN_BASE
        wide = _WIDE.search(before + between)
        identifier = int(found["id"], 16)
        extended = bool(wide["wide"]) if wide else (True if len(found["id"]) == 8 else None)
        bus = _BUS.search(before)
        fd = FD_FORMAT if len(data) > LARGEST else 0
        frame = can_frame(identifier, data, extended=extended, remote=remote, fd=fd)
        name = bus[0].lower() if bus else "CAN" if found.re is _FROM else "can"
        return can_row(frame, _way(before + between), name, self._time(stamp))


def _way(words: str) -> PacketDirection:
    """Return which way the words say that a frame went; the one that stands first counts."""
    sent, received = _SENT.search(words), _RECEIVED.search(words)
    if sent and not (received and received.start() < sent.start()):
        return PacketDirection.SENT
    return PacketDirection.RECEIVED if received else PacketDirection.UNKNOWN


def _bytes(text: str, size: int | None) -> bytes | None:
    """Return the bytes of a text: a literal, tokens in hex, or one run; `size` of them where it is known."""
    literal = literal_bytes(text)
    if literal is not None:
        return literal if size in {None, len(literal)} else None
    shown = text.strip().removeprefix("[").split("]", maxsplit=1)[0].replace(",", " ").strip()
    run = _RUN.fullmatch(shown.split(" ", maxsplit=1)[0])
    if run and size is not None and len(run["run"]) == 2 * size and size > 1:
        return bytes.fromhex(run["run"])
    if size is not None:
        return first_tokens(shown, size)
    return token_bytes(shown) if shown else None
