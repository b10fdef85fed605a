"""A phone's Bluetooth log to messages, beside tshark, scapy and the btsnoop package where they are installed.

Each runs in a process of its own. tshark gives opcode, handle and value as text; the two libraries only read
the packets (btsnoop) or dissect them (scapy), of a fiftieth of the file, scaled up.
"""

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bluetooth_log import write_log
from benchmarks.figure import Figure
from benchmarks.installed import installed

PACKETS = 500_000
ROUNDS = 5

_OURS = """
import re, sys, time
from packwire.capture import open_capture
def memory(which):  # of this process alone: getrusage counts what the parent had before exec
    return 1024 * int(re.search(which + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
base = memory("VmRSS")
begin, busy = time.perf_counter(), time.process_time()
messages = open_capture(sys.argv[1]).raw_messages
print(time.perf_counter() - begin, time.process_time() - busy, memory("VmHWM") - base)
assert len(messages) == int(sys.argv[2])
"""
_BTSNOOP = """
import sys, time
from btsnoop.btsnoop import btsnoop
begin = time.perf_counter()
assert len(btsnoop(sys.argv[1]).records) == int(sys.argv[2])
print((time.perf_counter() - begin) * 50)
"""
_SCAPY = """
import struct, sys, time
from scapy.layers.bluetooth import HCI_Hdr
data = open(sys.argv[1], "rb").read()
at, count, begin = 16, int(sys.argv[2]), time.perf_counter()
for _ in range(count):
    (size,) = struct.unpack_from(">I", data, at + 4)
    HCI_Hdr(data[at + 24 : at + 24 + size])
    at += 24 + size
print((time.perf_counter() - begin) * 50)
"""


def measure() -> list[Figure]:
    """Return seconds and memory of each, and what tshark takes in times of packwire's.

    Memory is what the process has more at its peak than with packwire imported: the file, which is mapped, is
    counted in.
    """
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.btsnoop", Path(folder) / "large.btsnoop"
        write_log(small, PACKETS)
        write_log(large, 10 * PACKETS)
        environment = installed(folder)
        _run(_OURS, small, PACKETS, environment)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(_run(_OURS, small, PACKETS, environment))
            if shutil.which("tshark"):
                theirs.append(_tshark(small))
        many = [_run(_OURS, large, 10 * PACKETS, environment) for _ in range(3)]
        seconds, busy, memory = (min(column) for column in zip(*ours, strict=True))
        figures = [
            Figure("500 000 ATT packets, file to messages", seconds, "s", at_most=0.25),
            Figure("its processor time", busy, "s"),
            Figure("its peak memory / file", memory / small.stat().st_size, "times", at_most=4),
            Figure("5 000 000 ATT packets, file to messages", min(run[0] for run in many), "s"),
            Figure("its processor time / that of a tenth", min(run[1] for run in many) / busy, "times",
                   at_most=15),
            Figure("its peak memory / file", many[0][2] / large.stat().st_size, "times", at_most=4),
        ]  # fmt: skip
        return figures + _beside_tshark(ours, theirs) + _peers(small, seconds)


def _run(program: str, path: Path, packets: int, environment: dict[str, str] | None = None) -> list[float]:
    command = [sys.executable, "-c", program, str(path), str(packets)]
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    return [float(word) for word in done.stdout.split()]


def _beside_tshark(ours: list[list[float]], theirs: list[tuple[float, float]]) -> list[Figure]:
    """Compare the best rounds, and the median of the rounds, each of which ran both one behind the other."""
    if not theirs:
        return []
    rounds = [tshark[0] / own[0] for own, tshark in zip(ours, theirs, strict=True)]
    (seconds, busy), own = (min(column) for column in zip(*theirs, strict=True)), min(ours)
    return [
        Figure("tshark -T fields, opcode, handle, value", seconds, "s"),
        Figure("tshark's time / packwire's", seconds / own[0], "times", at_least=20),
        Figure("the same, median of the rounds", statistics.median(rounds), "times", at_least=20),
        Figure("tshark's processor time / packwire's", busy / min(run[1] for run in ours), "times"),
    ]


def _peers(path: Path, ours: float) -> list[Figure]:
    figures = []
    part = path.with_name("part.btsnoop")
    write_log(part, PACKETS // 50)
    for name, program in (("btsnoop", _BTSNOOP), ("scapy", _SCAPY)):
        if importlib.util.find_spec(name):
            theirs = _run(program, part, PACKETS // 50)[-1]
            figures.append(
                Figure(f"{name}'s time (of a fiftieth, times 50) / packwire's", theirs / ours, "times")
            )
    return figures


def _tshark(path: Path) -> tuple[float, float]:
    """Return seconds and processor time."""
    command = ["tshark", "-r", str(path), "-T", "fields"]
    for field in ("opcode", "handle", "value"):
        command += ["-e", f"btatt.{field}"]
    begin, before = time.perf_counter(), os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, busy
