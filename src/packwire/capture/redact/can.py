"""VESC configurations on a CAN bus: masked in the buffers that carry them, and written back into each frame.

Long payloads are filled into the receiver's buffer piece by piece and then processed, with a CRC
[bldc comm_can.c: FILL_RX_BUFFER, FILL_RX_BUFFER_LONG, PROCESS_RX_BUFFER, PROCESS_SHORT_BUFFER].
"""

import re
from collections import Counter

from packwire.capture.layers.can import CanFrames, find_can
from packwire.capture.layers.link import Counts
from packwire.capture.redact.canvas import Canvas, MaskedSpan
from packwire.capture.redact.contents import UNREAD, masked_payload
from packwire.wire.checksum import crc16_xmodem

_FILL, _FILL_LONG, _PROCESS, _PROCESS_SHORT = 5, 6, 7, 8
#: More pieces than any buffer takes: 512 bytes in pieces of at least one.
_MAX_PIECES = 512
#: Shorter texts open no door.
_TEXT = re.compile(rb"[ -~]{4}")


def mask_can(canvas: Canvas, *, strict: bool) -> None:
    """Mask the payloads of a bus.

    Pieces that never make a whole payload are masked where their begin is that of a secret, or missing.
    """
    frames = find_can(canvas.packets, Counts())
    command = frames.id >> 8
    rows = (frames.extended & (command >= _FILL) & (command <= _PROCESS_SHORT) & (frames.size > 0)).nonzero()[
        0
    ]
    buffers: dict[int, list[tuple[int, MaskedSpan]]] = {}
    for index in rows.tolist():
        receiver, kind = int(frames.id[index]) & 0xFF, int(command[index])
        if kind in (_FILL, _FILL_LONG):
            width = 1 if kind == _FILL else 2
            start, size = int(frames.start[index]), int(frames.size[index])
            at = int.from_bytes(frames.content(index)[:width])
            pieces = buffers.setdefault(receiver, [])
            if at == 0 or len(pieces) >= _MAX_PIECES:
                _mask_torn(canvas, pieces, strict=strict)
            pieces.append((at, MaskedSpan(start + width, max(size - width, 0))))
        elif kind == _PROCESS:
            _mask_payload(canvas, frames, index, buffers.pop(receiver, []), strict=strict)
        else:
            _mask_short(canvas, frames, index, strict=strict)
    for pieces in buffers.values():
        _mask_torn(canvas, pieces, strict=strict)


def _mask_payload(
    canvas: Canvas, frames: CanFrames, index: int, pieces: list[tuple[int, MaskedSpan]], *, strict: bool
) -> None:
    """Mask a payload that is whole, with its CRC mended; one that is not is masked as it is."""
    head = frames.content(index)
    spans = [span for _, span in pieces]
    content = canvas.read(spans)
    size, crc = int.from_bytes(head[2:4]), int.from_bytes(head[4:6])
    payload = content[:size]
    if len(head) < 6 or not _in_order(pieces) or len(payload) < size or crc16_xmodem(payload) != crc:
        _mask_torn(canvas, pieces, strict=strict)
        return
    masked = masked_payload(payload, canvas.counts, private=strict)
    if masked != payload:
        canvas.write(spans, masked + content[size:])
        canvas.put(int(frames.start[index]) + 4, crc16_xmodem(masked).to_bytes(2))


def _in_order(pieces: list[tuple[int, MaskedSpan]]) -> bool:
    expected = 0
    for at, span in pieces:
        if at != expected:
            return False
        expected += span.size
    return True


def _mask_short(canvas: Canvas, frames: CanFrames, index: int, *, strict: bool) -> None:
    head = frames.content(index)
    masked = head[:2] + masked_payload(head[2:], canvas.counts, private=strict)
    if masked != head:
        canvas.put(int(frames.start[index]), masked)


def _mask_torn(canvas: Canvas, pieces: list[tuple[int, MaskedSpan]], *, strict: bool) -> None:
    """Mask pieces that belong together but make no payload, unless their begin is there and harmless.

    `strict`: what follows a gap may be the end of another payload. A login may stand in any payload, and the
    gap may have swallowed the words that it is known by: text behind a gap is masked with all the rest.
    """
    mask, whole = True, _in_order(pieces)
    if pieces and pieces[0][0] == 0 and (not strict or whole):
        content = canvas.read(span for _, span in (pieces if whole else pieces[:1]))
        # As long as any: what is masked may depend on there being more than a few bytes.
        longest = content + bytes(_MAX_PIECES)
        mask = masked_payload(longest, Counter(), private=strict) != longest or b"VESC" in content.upper()
        mask |= not whole and _TEXT.search(canvas.read(span for _, span in pieces)) is not None
    for _, (start, size) in pieces:
        if mask:
            canvas.mask(start, start + size, UNREAD)
    pieces.clear()
