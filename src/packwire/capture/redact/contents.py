"""Secrets within what a device and its app say: VESC configurations and logins, passwords in BMS frames.

Pure functions on the bytes of one stream; what they return has the same length.
"""

import re
from collections import Counter

import numpy as np

from packwire.capture.layers.vesc_frames import frames_among, plausible_frames
from packwire.capture.redact.canvas import STAR
from packwire.vesc.commands import Command
from packwire.vesc.framing import TRAILER
from packwire.vesc.secrets import CONFIG_COMMANDS, mask_payload
from packwire.wire.checksum import crc16_xmodem

LOGIN, CONFIG, PASSWORDS = "hub logins", "configurations (Wi-Fi keys, passwords)", "passwords in BMS frames"
TEXTS, UNREAD = "texts and programs", "bytes that could not be read"

#: Payloads that hold whatever somebody typed or stored: a Lisp program may well hold a Wi-Fi key.
_FREE_TEXT = frozenset(
    {
        Command.TERMINAL_CMD, Command.TERMINAL_CMD_SYNC, Command.PRINT, Command.LISP_PRINT,
        Command.LISP_REPL_CMD, Command.LISP_READ_CODE, Command.LISP_WRITE_CODE, Command.LISP_STREAM_CODE,
        Command.LISP_RMSG, Command.FILE_LIST, Command.FILE_READ, Command.FILE_WRITE, Command.FILE_MKDIR,
        Command.FILE_REMOVE, Command.QMLUI_WRITE, Command.SET_BLE_NAME, Command.SET_BLE_PIN,
        Command.CUSTOM_APP_DATA, Command.CUSTOM_HW_DATA,
    }
)  # fmt: skip


def masked_payload(payload: bytes, counts: Counter[str]) -> bytes:
    """Return a VESC payload without its secrets, also within FORWARD_CAN."""
    inner = 0
    while len(payload) > inner + 2 and payload[inner] == Command.FORWARD_CAN:
        inner += 2
    head, rest = payload[:inner], payload[inner:]
    if len(rest) > 1 and rest[0] in _FREE_TEXT:
        counts[TEXTS] += 1
        return head + rest[:1] + bytes((STAR,)) * (len(rest) - 1)
    masked = mask_payload(rest)
    counts[CONFIG] += masked != rest
    return head + masked


def masked_frame(frame: bytes, payload_size: int, counts: Counter[str]) -> bytes:
    """Return a whole VESC frame with its payload masked and its CRC mended."""
    begin = len(frame) - TRAILER - payload_size
    payload = frame[begin : begin + payload_size]
    masked = masked_payload(payload, counts)
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
    of a torn one. `strict` also masks the name and the serial number in the frames of other makers.
    """
    result = bytearray(content)
    _mask_vesc(content, result, counts)
    _mask_jk(content, result, counts, _JK_SECRETS if strict else _JK_PASSWORDS)
    _mask_jbd(content, result, counts)
    _mask_ant(content, result, counts)
    return bytes(result)


def _mask_vesc(content: bytes, result: bytearray, counts: Counter[str]) -> None:
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
    secret = False
    for start, size in frames:
        frame = content[start : start + size]
        masked = masked_frame(frame, size - TRAILER - (2 if frame[0] == 2 else 3), counts)
        result[start : start + size] = masked
        secret |= masked != frame or _command(frame) in CONFIG_COMMANDS
    if secret:
        between = zip(
            [0, *(start + size for start, size in frames)],
            [*(start for start, _ in frames), len(content)],
            strict=True,
        )
        for begin, end in between:
            counts[UNREAD] += end > begin
            result[begin:end] = bytes((STAR,)) * (end - begin)


def _command(frame: bytes) -> int:
    payload = frame[2 if frame[0] == 2 else 3 : -TRAILER]
    while len(payload) > 2 and payload[0] == Command.FORWARD_CAN:
        payload = payload[2:]
    return payload[0] if payload else -1


#: JK's device information (frame 3): where its name, passwords, serial number and user's text stand, as
#: (begin, end), and where its checksum does, the sum of all bytes before.
_JK_INFO = b"\x55\xaa\xeb\x90\x03"
_JK_SECRETS = ((46, 78), (86, 134))
_JK_PASSWORDS = ((62, 78), (97, 102), (118, 134))
_JK_SUM = 299


def _mask_jk(
    content: bytes, result: bytearray, counts: Counter[str], places: tuple[tuple[int, int], ...]
) -> None:
    at = content.find(_JK_INFO)
    while at >= 0:
        counts[PASSWORDS] += 1
        for begin, end in places:
            low, high = min(at + begin, len(result)), min(at + end, len(result))
            result[low:high] = bytes((STAR,)) * (high - low)
        if at + _JK_SUM < len(result):
            result[at + _JK_SUM] = sum(result[at : at + _JK_SUM]) & 0xFF
        at = content.find(_JK_INFO, at + len(_JK_INFO))


#: What the app of old ANT boards sends: a5 a5, f1 to f4, two digits of the password, the sum of these three.
_ANT_PASSWORD = re.compile(rb"\xa5\xa5[\xf1-\xf4](?:[0-9]{2}|\*\*)")


def _mask_ant(content: bytes, result: bytearray, counts: Counter[str]) -> None:
    for found in _ANT_PASSWORD.finditer(content):
        begin, end = found.end() - 2, found.end()
        if end < len(content) and content[end] == sum(content[begin - 1 : end]) & 0xFF:
            result[begin:end] = bytes((STAR, STAR))
            result[end] = sum(result[begin - 1 : end]) & 0xFF
            counts[PASSWORDS] += 1


#: What JBD's app sends to the Bluetooth module: ff aa, command, size, data, sum. These commands have a
#: password or a key as data: 15 app key, 16 change password, 17 random, 18 password, 1b to 1d root password.
_JBD_MODULE = b"\xff\xaa"
_JBD_COMMANDS = frozenset({0x15, 0x16, 0x17, 0x18, 0x1B, 0x1C, 0x1D})
#: And to the BMS: dd 5a 06 (use a password) or 07 (set one), size, data, checksum, 77.
_JBD_PASSWORDS = (b"\xdd\x5a\x06", b"\xdd\x5a\x07")


def _mask_jbd(content: bytes, result: bytearray, counts: Counter[str]) -> None:
    at = content.find(_JBD_MODULE)
    while at >= 0:
        if len(content) > at + 5 and content[at + 2] in _JBD_COMMANDS and content[at + 3] > 1:
            end = min(at + 4 + content[at + 3], len(content))
            result[at + 4 : end] = bytes((STAR,)) * (end - at - 4)
            if end < len(result):
                result[end] = sum(result[at + 2 : end]) & 0xFF
            counts[PASSWORDS] += 1
        at = content.find(_JBD_MODULE, at + 2)
    for begin in _JBD_PASSWORDS:
        at = content.find(begin)
        while at >= 0:
            end = min(at + 4 + (content[at + 3] if len(content) > at + 3 else 0), len(content))
            if end > at + 4:
                result[at + 4 : end] = bytes((STAR,)) * (end - at - 4)
                checksum = -sum(result[at + 2 : end]) & 0xFFFF
                result[end : end + 2] = checksum.to_bytes(2)[: max(len(result) - end, 0)]
                counts[PASSWORDS] += 1
            at = content.find(begin, at + 3)


def holds_password(content: bytes) -> bool:
    """Say whether a message is one that carries a password to a BMS, masked or not."""
    counts: Counter[str] = Counter()
    for mask in (_mask_jbd, _mask_ant):
        mask(content, bytearray(content), counts)
    return counts[PASSWORDS] > 0
