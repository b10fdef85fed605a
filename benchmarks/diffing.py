"""`packwire diff` of two captures of 10 000 packets each, from process start to its end."""

import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure

ROUNDS = 7
PACKETS = 10_000
_COMMAND = [sys.executable, "-c", "from packwire.cli.main import main; main()"]
#: Microseconds from year 0 to 1970, as btsnoop counts them.
_EPOCH = 0x00DCDDB30F2F8000


def measure() -> list[Figure]:
    """Return seconds; the captures are polls and replies of a pack with a switch, a clock and a checksum."""
    best = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, f"{name}.btsnoop")) for name in ("on", "off")]
        for switch, file in enumerate(files):
            write_capture(Path(file), PACKETS, switch=switch)
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            done = subprocess.run(
                [*_COMMAND, "diff", *files], check=True, stdout=subprocess.PIPE, text=True, env=os.environ
            )
            best = min(best, time.perf_counter() - begun)
            assert "byte 24 bit 1" in done.stdout, done.stdout
    return [Figure("packwire diff of two captures of 10 000 packets, cold start", best, "s", at_most=0.7)]


def write_capture(path: Path, packets: int, *, switch: int) -> None:
    """Write a btsnoop file (H4): a poll and its reply, in two notifications, again and again."""
    noise = random.Random(switch)
    records = []
    for number in range(packets):
        step = number % 3
        if step == 0:
            body = bytes(noise.randrange(256) if at in (5, 7, 30) else at for at in range(34))
            body = b"\xdd\x03\x00\x1d" + body[4:24] + bytes([1 | switch << 1]) + body[25:33]
            frame = body + (-sum(body[2:]) & 0xFFFF).to_bytes(2) + b"\x77"
        payload = (b"\xdd\xa5\x03\x00\xff\xfd\x77", frame[:20], frame[20:])[step]
        att = struct.pack("<BH", 0x1B if step else 0x52, 0x11 if step else 0x15) + payload
        packet = struct.pack("<BHHHH", 2, 0x2040, len(att) + 4, len(att), 4) + att
        flags = 1 if step else 0
        records.append(
            struct.pack(">IIIIQ", len(packet), len(packet), flags, 0, _EPOCH + number * 100_000) + packet
        )
    path.write_bytes(b"btsnoop\0" + struct.pack(">II", 1, 1002) + b"".join(records))
