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
from benchmarks.installed import installed, uncompiled

ROUNDS = 7
PACKETS = 10_000
_COMMAND = [sys.executable, "-c", "from packwire.cli.main import main; main()"]
#: Microseconds from year 0 to 1970, as btsnoop counts them.
_EPOCH = 0x00DCDDB30F2F8000


def measure() -> list[Figure]:
    """Return seconds; the captures are polls and replies of a pack with a switch, a clock and a checksum."""
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, f"{name}.btsnoop")) for name in ("on", "off")]
        for switch, file in enumerate(files):
            write_capture(Path(file), PACKETS, switch=switch)
        _run(files, installed(folder))
        warm = [_run(files, installed(folder)) for _ in range(ROUNDS)]
        first = [_run(files, uncompiled()) for _ in range(ROUNDS)]
        few = [str(Path(folder, f"{name}.btsnoop")) for name in ("few-on", "few-off")]
        for switch, file in enumerate(few):
            write_capture(Path(file), 3, switch=switch)
        start = [_run(few, installed(folder), "") for _ in range(ROUNDS)]
    name = "packwire diff of two captures of 10 000 packets, cold start"
    return [
        Figure(name, min(warm)[0], "s", at_most=0.7),
        Figure("its processor time", min(run[1] for run in warm), "s"),
        Figure("the same of two captures of 3 packets", min(start)[0], "s"),
        Figure("the same where Python may not keep what it compiles", min(first)[0], "s", at_most=0.7),
    ]


def _run(files: list[str], environment: dict[str, str], found: str = "byte 24 bit 1") -> tuple[float, float]:
    """Return seconds and processor time of one process."""
    begun, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [*_COMMAND, "diff", *files], check=bool(found), stdout=subprocess.PIPE, text=True, env=environment
    )
    seconds, after = time.perf_counter() - begun, os.times()
    assert found in done.stdout, done.stdout
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, busy


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
