"""ACL data: device names that are read, pairing, and the streams of bytes in which an app and a device talk.

L2CAP messages are put together here as lists of places, so that what is masked in one is written back into
every packet that it came from; those that are not whole, too, which a reader leaves out. What the bytes mean
is said in `layers`. Facts: Core Vol 3, Part A 3.1 (L2CAP), Part F 3.4 (ATT), Part H 3.5 (pairing).
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import batched

from packwire.att import Opcode
from packwire.capture.layers.att import VALUE_BEHIND_HANDLE
from packwire.capture.layers.l2cap import ATT, HEADER, SECURITY
from packwire.capture.layers.rfcomm import carried
from packwire.capture.redact.canvas import Aliases, Canvas, MaskedSpan, part
from packwire.capture.redact.contents import masked_stream
from packwire.capture.redact.hci import KEYS, NAMES
from packwire.capture.redact.texts import TEXTS_WRITTEN, mask_texts
from packwire.direction import Direction

_PAIRING_CLASSIC = 7
_FIRST_DYNAMIC = 0x0040
#: Pairing messages without a key or an address: request, response, failed, security request.
_PAIRING_FREE = (0x01, 0x02, 0x05, 0x0B)

_DECLARATION, _DEVICE_NAME, _SYSTEM_ID, _SERIAL = 0x2803, 0x2A00, 0x2A23, 0x2A25
_DECLARATIONS = range(0x2800, 0x2804)
#: Request -> response, of reads by handle.
_READS = {
    Opcode.READ_REQ: Opcode.READ_RSP,
    Opcode.READ_BLOB_REQ: Opcode.READ_BLOB_RSP,
    Opcode.READ_MULTIPLE_REQ: Opcode.READ_MULTIPLE_RSP,
    Opcode.READ_MULTIPLE_VARIABLE_REQ: Opcode.READ_MULTIPLE_VARIABLE_RSP,
}
_REPLIES = frozenset(_READS.values())
_ONE_HANDLE = (Opcode.READ_REQ, Opcode.READ_BLOB_REQ)
_NOTIFIED = (Opcode.NOTIFICATION, Opcode.INDICATION)
#: Prepared writes have an offset, and the server repeats them.
_WRITTEN = (
    Opcode.WRITE_REQ,
    Opcode.WRITE_CMD,
    Opcode.SIGNED_WRITE_CMD,
    Opcode.PREPARE_WRITE_REQ,
    Opcode.PREPARE_WRITE_RSP,
)
#: Added to the handle under which a stream is kept: this is what an app wrote.
_BY_APP = 1 << 20

#: So much of one message is looked at; L2CAP has no longer ones.
_MAX_PDU = 65_535 + 4

TEXTS_READ = "texts read from unknown characteristics"
PARTIAL = "pieces of messages whose begin is missing"

type _Link = tuple[int, int]


@dataclass(slots=True)
class _Open:
    size: int
    channel: int
    spans: list[MaskedSpan] = field(default_factory=list)
    arrived: int = 0


@dataclass(slots=True)
class _Attributes:
    """What is known of the attributes of one side of a connection, and what was asked of it last."""

    uuids: dict[int, int | bytes] = field(default_factory=dict)
    asked: tuple[int, ...] = ()
    asked_type: int | bytes | None = None


class AclMasker:
    """Takes ACL packets in the order of the file; `finish` masks the streams.

    `strict`: for a file that leaves the house; otherwise only keys and passwords are masked.
    """

    def __init__(self, canvas: Canvas, aliases: Aliases, *, strict: bool) -> None:
        self._canvas = canvas
        self._aliases = aliases
        self._strict = strict
        self._open: dict[tuple[_Link, int], _Open] = {}
        self._attributes: dict[tuple[_Link, int], _Attributes] = {}
        self._streams: dict[tuple[_Link, int, int], array[int]] = {}
        """Starts and sizes in turn: a recording has hundreds of thousands."""
        self._written: dict[tuple[_Link, int, int], array[int]] = {}
        """The sizes of what was written at once, by stream."""

    def connected(self, adapter: int, handle: int) -> None:
        """Forget what was known of an earlier connection with the same handle."""
        link = (adapter, handle)
        for direction in (-1, 0, 1):
            self._attributes.pop((link, direction), None)
            self._open.pop((link, direction), None)

    def packet(self, adapter: int, direction: int, at: int, end: int) -> None:
        """Take one ACL packet of which the handle is at `at`."""
        if end - at < 4:
            return
        handle, size = (self._number(at), self._number(at + 2))
        link = (adapter, handle & 0x0FFF)
        self.fragment(link, direction, at + 4, min(end, at + 4 + size), first=handle >> 12 & 3 != 1)

    def fragment(self, link: tuple[int, int], direction: int, at: int, end: int, *, first: bool) -> None:
        """Take a piece of an L2CAP message, the first one with its header or one that goes on."""
        key = (link, direction)
        if first:
            self._close(key)
            if end - at < HEADER:
                self._mask_unread(at, end)
                return
            self._open[key] = _Open(self._number(at), self._number(at + 2))
            at += HEADER
        current = self._open.get(key)
        if current is None:
            self._mask_unread(at, end)
            return
        if end > at:
            current.spans.append(MaskedSpan(at, end - at))
            current.arrived += end - at
        if current.arrived >= current.size or current.arrived > _MAX_PDU:
            self._close(key)

    def _number(self, at: int) -> int:
        return int(self._canvas.original[at]) | int(self._canvas.original[at + 1]) << 8

    def finish(self) -> None:
        """Mask what never became complete, then the streams."""
        for key in list(self._open):
            self._close(key)
        for stream, places in self._streams.items():
            spans = [MaskedSpan(*place) for place in batched(places, 2)]
            mask_stream(self._canvas, self._aliases, spans, self._written.get(stream), strict=self._strict)

    def _mask_unread(self, at: int, end: int) -> None:
        if self._strict:
            self._canvas.mask(at, end, PARTIAL)

    def _close(self, key: tuple[_Link, int]) -> None:
        """Mask a message, whole or as far as it came."""
        current = self._open.pop(key, None)
        if current is None or not current.spans:
            return
        link, direction = key
        if current.channel in (SECURITY, _PAIRING_CLASSIC):
            self._pairing(current.spans)
        elif current.channel == ATT:
            self._att(link, direction, current.spans)
        elif current.channel >= _FIRST_DYNAMIC:
            carried = _without_rfcomm(self._canvas, current.spans)
            written = direction == Direction.TO_DEVICE
            self._stream(link, direction, current.channel << 32, carried, written=written)

    def _pairing(self, spans: list[MaskedSpan]) -> None:
        if self._canvas.read(spans)[0] not in _PAIRING_FREE:
            for start, size in part(spans, 1):
                self._canvas.mask(start, start + size, KEYS)

    def _stream(
        self, link: _Link, direction: int, what: int, spans: list[MaskedSpan], *, written: bool = False
    ) -> None:
        key = (link, direction, what + _BY_APP if written else what)
        places = self._streams.setdefault(key, array("q"))
        for span in spans:
            places.extend(span)
        if written:
            self._written.setdefault(key, array("q")).append(sum(size for _, size in spans))

    def _att(self, link: _Link, direction: int, spans: list[MaskedSpan]) -> None:
        head = self._canvas.data[spans[0].start]
        if head in _NOTIFIED or head in _WRITTEN:
            self._of_handle(link, direction, head, spans)
            return
        if head == Opcode.MULTIPLE_NOTIFICATION:
            self._several(link, direction, spans)
            return
        content = self._canvas.read(spans)
        if head in _READS or head == Opcode.READ_BY_TYPE_REQ:
            self._asked(link, direction, content)
        elif head == Opcode.FIND_INFORMATION_RSP:
            self._information(self._of(link, direction), content)
        elif head == Opcode.READ_BY_TYPE_RSP:
            self._by_type(self._of(link, direction), content, spans)
        elif head in _REPLIES:
            self._read(link, direction, self._of(link, direction), head, spans)

    def _of_handle(self, link: _Link, direction: int, head: int, spans: list[MaskedSpan]) -> None:
        """Take a value that is sent with its handle."""
        content = self._canvas.read(part(spans, 0, 3))
        if len(content) < 3:
            return
        handle = content[1] | content[2] << 8
        value = part(spans, VALUE_BEHIND_HANDLE[Opcode(head)])
        if self._strict and self._uuid(link, direction, handle) == _DEVICE_NAME:
            self._name(value)
        else:
            self._stream(link, direction, handle, value, written=head not in _NOTIFIED)

    def _several(self, link: _Link, direction: int, spans: list[MaskedSpan]) -> None:
        content, at = self._canvas.read(spans), 1
        while at + 4 < len(content):
            handle, size = content[at] | content[at + 1] << 8, content[at + 2] | content[at + 3] << 8
            self._stream(link, direction, handle, part(spans, at + 4, at + 4 + size))
            at += 4 + size

    def _of(self, link: _Link, server: int) -> _Attributes:
        """Return what is known of the attributes of the side that sends in this direction."""
        return self._attributes.setdefault((link, server), _Attributes())

    def _uuid(self, link: _Link, direction: int, handle: int) -> int | bytes | None:
        """Return what an attribute is, whichever side has it."""
        for side in (-direction, direction):
            known = self._attributes.get((link, side))
            if known and handle in known.uuids:
                return known.uuids[handle]
        return None

    def _asked(self, link: _Link, direction: int, content: bytes) -> None:
        server = self._of(link, -direction)
        if content[0] == Opcode.READ_BY_TYPE_REQ:
            server.asked_type = _uuid_of(content[5:])
        else:
            size = 3 if content[0] in _ONE_HANDLE else len(content)
            server.asked = tuple(
                int.from_bytes(content[at : at + 2], "little") for at in range(1, min(size, len(content)), 2)
            )

    def _information(self, known: _Attributes, content: bytes) -> None:
        size = {1: 2, 2: 16}.get(content[1] if len(content) > 1 else 0)
        if size is None:
            return
        for at in range(2, len(content) - size - 1, size + 2):
            handle = int.from_bytes(content[at : at + 2], "little")
            known.uuids[handle] = _uuid_of(content[at + 2 : at + 2 + size])

    def _by_type(self, known: _Attributes, content: bytes, spans: list[MaskedSpan]) -> None:
        width = content[1] if len(content) > 1 else 0
        if width < 2:
            return
        for at in range(2, len(content), width):
            entry = content[at : at + width]
            if known.asked_type == _DECLARATION and len(entry) in (7, 21):
                known.uuids[int.from_bytes(entry[3:5], "little")] = _uuid_of(entry[5:])
            elif known.asked_type not in _DECLARATIONS:
                self._value(known.asked_type, part(spans, at + 2, at + width))

    def _read(
        self, link: _Link, direction: int, known: _Attributes, head: int, spans: list[MaskedSpan]
    ) -> None:
        value = part(spans, 1)
        kinds = {known.uuids.get(handle) for handle in known.asked}
        kind = kinds.pop() if len(kinds) == 1 and head == Opcode.READ_RSP else None
        if kinds and self._strict and kinds & {None, _DEVICE_NAME, _SYSTEM_ID, _SERIAL}:
            for start, size in value:
                self._canvas.mask(start, start + size, TEXTS_READ)
        elif head == Opcode.READ_RSP and len(known.asked) == 1 and not self._value(kind, value):
            self._stream(link, direction, known.asked[0], value)

    def _value(self, kind: int | bytes | None, spans: list[MaskedSpan]) -> bool:
        """Mask the value of an attribute by what it is; of an unknown one, where it reads as text."""
        if not self._strict or not spans:
            return False
        if kind == _DEVICE_NAME:
            self._name(spans)
            return True
        content = self._canvas.read(spans)
        hidden = kind in (_SYSTEM_ID, _SERIAL) or (kind is None and _is_text(content))
        if hidden:
            for start, size in spans:
                self._canvas.mask(start, start + size, TEXTS_READ)
        return hidden

    def _name(self, spans: list[MaskedSpan]) -> None:
        self._canvas.write(spans, self._aliases.name(self._canvas.read(spans)))
        self._canvas.counts[NAMES] += 1


def _uuid_of(content: bytes) -> int | bytes:
    return int.from_bytes(content, "little") if len(content) == 2 else content


def _is_text(content: bytes) -> bool:
    text = content.rstrip(b"\0")
    return len(text) >= 3 and all(32 <= byte < 127 or byte >= 0xC2 for byte in text)


def _without_rfcomm(canvas: Canvas, spans: list[MaskedSpan]) -> list[MaskedSpan]:
    """Return what an RFCOMM frame carries.

    Other frames, and other protocols, come back as they are: they are searched all the same.
    """
    content = canvas.read(spans)
    data = carried(content)
    if data is None or content[0] & 1 != 1 or sum(data) + 1 != len(content):
        return spans
    begin, size = data
    return part(spans, begin, begin + size)


def mask_stream(
    canvas: Canvas, aliases: Aliases, spans: list[MaskedSpan], written: Sequence[int] | None, *, strict: bool
) -> None:
    """Mask a stream of bytes; `written` are the sizes of what an app wrote at once, where it is one's."""
    content = canvas.read(spans)
    masked = masked_stream(content, canvas.counts, strict=strict)
    if strict and written is not None:
        masked, texts = mask_texts(masked, list(written))
        aliases.texts.update(texts)
        canvas.counts[TEXTS_WRITTEN] += len(texts)
    if masked != content:
        canvas.write(spans, masked)
