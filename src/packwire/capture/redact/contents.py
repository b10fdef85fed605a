"""Secrets within what a device and its app say: VESC configurations and logins, passwords in BMS frames.

Pure functions on the bytes of one stream; what they return has the same length. `private`: also what opens no
door, but tells who somebody is.
"""

from collections import Counter

import numpy as np

from packwire.capture.redact.canvas import STAR
from packwire.capture.redact.families import mask_families
from packwire.vesc.columns import frames_among, plausible_frames
from packwire.vesc.framing import TRAILER
from packwire.vesc.secrets import mask_payload, secret_of
from packwire.wire.checksum import crc16_xmodem

LOGIN, UNREAD = "hub logins", "bytes that could not be read"


def masked_payload(payload: bytes, counts: Counter[str], *, private: bool = True) -> bytes:
    """Return a VESC payload without its secrets, also within FORWARD_CAN."""
    masked = mask_payload(payload, private=private)
    if masked != payload:
        secret = secret_of(payload, private=private)
        counts[secret.what if secret else LOGIN] += 1
    return masked


def masked_frame(frame: bytes, payload_size: int, counts: Counter[str], *, private: bool = True) -> bytes:
    """Return a whole VESC frame with its payload masked and its CRC mended."""
    begin = len(frame) - TRAILER - payload_size
    payload = frame[begin : begin + payload_size]
    masked = masked_payload(payload, counts, private=private)
    if masked == payload:
        return frame
    return frame[:begin] + masked + crc16_xmodem(masked).to_bytes(2) + frame[-1:]


def masked_login(line: bytes, counts: Counter[str]) -> bytes:
    """Return a hub's login line that still reads as one, with stars for the id and the password."""
    text = line.rstrip(b"\r\n\0")
    role, colon, rest = text.partition(b":")
    if not colon:
        return line
    counts[LOGIN] += 1
    stars = bytes(byte if byte == 0x3A else STAR for byte in rest)
    return role + colon + stars + line[len(text) :]


def masked_stream(content: bytes, counts: Counter[str], *, strict: bool) -> bytes:
    """Return the bytes of a stream (notifications joined, a serial line) without the secrets that are known.

    Where there are VESC frames with secrets, what lies between the frames is masked too: it may be the rest
    of a torn one. `strict` also masks names and serial numbers.
    """
    result = bytearray(content)
    frames = _mask_vesc(content, result, counts, private=strict)
    before = bytes(result)
    mask_families(before, result, counts, private=strict)
    for start, size in frames if result != before else ():
        payload = bytes(result[start + result[start] : start + size - TRAILER])
        result[start + size - TRAILER : start + size - 1] = crc16_xmodem(payload).to_bytes(2)
    return bytes(result)


def _mask_vesc(
    content: bytes, result: bytearray, counts: Counter[str], *, private: bool
) -> list[tuple[int, int]]:
    """Mask the VESC frames of a stream, and what may be torn ones; return where the frames are."""
    frames = _vesc_frames(content)
    secret = private and _is_vesc(content, frames)
    for start, size in frames:
        frame = content[start : start + size]
        result[start : start + size] = masked_frame(frame, size - TRAILER - frame[0], counts, private=private)
        secret |= secret_of(frame[frame[0] : -TRAILER], private=False) is not None
    if secret:
        between = zip(
            [0, *(start + size for start, size in frames)],
            [*(start for start, _ in frames), len(content)],
            strict=True,
        )
        for begin, end in between:
            counts[UNREAD] += end > begin
            result[begin:end] = bytes((STAR,)) * (end - begin)
    return frames


def _vesc_frames(content: bytes) -> list[tuple[int, int]]:
    """Return begin and size of the VESC frames with right checksums."""
    data = np.frombuffer(content, dtype=np.uint8)
    at = np.flatnonzero((data == 2) | (data == 3))
    rows, sizes = plausible_frames(data, at, np.full(len(at), len(data), dtype=np.int64))
    right = frames_among(data, at[rows], sizes)
    places = sorted(zip(at[rows[right]].tolist(), sizes[right].tolist(), strict=True))
    covered, frames = 0, []
    for start, size in places:
        if start >= covered:
            frames.append((start, size))
            covered = start + size
    return frames


def _is_vesc(content: bytes, frames: list[tuple[int, int]]) -> bool:
    """Tell whether VESC is spoken in a stream: it begins so, or half of it are frames."""
    if frames:
        return frames[0][0] == 0 or 2 * sum(size for _, size in frames) > len(content)
    return content[:1] in (b"\2", b"\3") and secret_of(content[content[0] :], private=False) is not None
