"""Writes small Bluetooth logs for tests; nothing here is shared with the readers."""

import base64
import struct
import zlib
from collections.abc import Sequence

EPOCH_US = 1_700_000_000_000_000
#: What BlueZ takes for 2000-01-01, less the 30 years since 1970: 12 days more than the calendar has.
YEAR_0_US = 0x00E0_3AB4_4A67_6000 - 946_684_800_000_000


def btsnoop_record(data: bytes, time_us: int, flags: int = 0, drops: int = 0, original: int | None = None):
    size = len(data)
    return struct.pack(">IIIIq", size if original is None else original, size, flags, drops, time_us) + data


def btsnoop(records: Sequence[bytes], link: int = 1002, version: int = 1) -> bytes:
    return b"btsnoop\0" + struct.pack(">II", version, link) + b"".join(records)


def packetlogger_record(data: bytes, time_us: int, kind: int, order: str = ">") -> bytes:
    seconds, fraction = divmod(time_us, 1_000_000)
    return struct.pack(order + "IIIB", 9 + len(data), seconds, fraction, kind) + data


def btsnooz_body(records: Sequence[tuple[int, int, bytes]], version: int = 2, cut: int = 1 << 16) -> bytes:
    """Pack (type, microseconds since the one before, packet without indicator)."""
    body = b""
    for kind, delta, data in records:
        kept = data[:cut]
        sizes = [len(kept) + 1] + ([len(data) + 1] if version == 2 else [])
        body += struct.pack(f"<{len(sizes)}HIB", *sizes, delta, kind) + kept
    return body


def btsnooz(body: bytes, last_us: int = EPOCH_US, version: int = 2, before: bytes = b"") -> bytes:
    packed = struct.pack("<BQ", version, last_us) + zlib.compress(body)
    text = base64.encodebytes(packed)
    return (
        before
        + b"--- BEGIN:BTSNOOP_LOG_SUMMARY (%d bytes in) ---\n" % len(body)
        + text
        + b"--- END:BTSNOOP_LOG_SUMMARY ---\nafterwards\n"
    )
