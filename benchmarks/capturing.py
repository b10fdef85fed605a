"""A phone's Bluetooth log to messages, beside tshark, scapy and the btsnoop package where they are installed.

Each runs in a process of its own. tshark gives opcode, handle and value as text; the two libraries only read
the packets (btsnoop) or dissect them (scapy), of a fiftieth of the file, scaled up.
"""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bluetooth_log import write_log
from benchmarks.figure import Figure

PACKETS = 500_000
ROUNDS = 5

_OURS = """
import re, sys, time
from packwire.capture import open_capture
def memory(which):  # of this process alone: getrusage counts what the parent had before exec
    return 1024 * int(re.search(which + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
base = memory("VmRSS")
begin = time.perf_counter()
messages = open_capture(sys.argv[1]).raw_messages
print(time.perf_counter() - begin, memory("VmHWM") - base)
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
    """Return seconds and memory of each, and what tshark takes in times of packwire's."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.btsnoop", Path(folder) / "large.btsnoop"
        write_log(small, PACKETS)
        write_log(large, 10 * PACKETS)
        runs = [_run(_OURS, small, PACKETS) for _ in range(ROUNDS)]
        seconds = min(run[0] for run in runs)
        many = min(_run(_OURS, large, 10 * PACKETS) for _ in range(3))
        figures = [
            Figure("500 000 ATT packets, file to messages", seconds, "s", at_most=0.25),
            Figure("its peak memory / file", min(run[1] for run in runs) / small.stat().st_size, "times",
                   at_most=4),
            Figure("5 000 000 ATT packets, file to messages", many[0], "s"),
            Figure("its time / that of a tenth", many[0] / seconds, "times", at_most=15),
            Figure("its peak memory / file", many[1] / large.stat().st_size, "times", at_most=4),
        ]  # fmt: skip
        return figures + _peers(small, seconds)


def _run(program: str, path: Path, packets: int) -> list[float]:
    command = [sys.executable, "-c", program, str(path), str(packets)]
    return [float(word) for word in subprocess.run(command, capture_output=True, check=True).stdout.split()]


def _peers(path: Path, ours: float) -> list[Figure]:
    figures = []
    if shutil.which("tshark"):
        tshark = min(_tshark(path) for _ in range(2))
        figures += [
            Figure("tshark -T fields, opcode, handle, value", tshark, "s"),
            Figure("tshark's time / packwire's", tshark / ours, "times", at_least=20),
        ]
    part = path.with_name("part.btsnoop")
    write_log(part, PACKETS // 50)
    for name, program in (("btsnoop", _BTSNOOP), ("scapy", _SCAPY)):
        if importlib.util.find_spec(name):
            theirs = _run(program, part, PACKETS // 50)[-1]
            figures.append(
                Figure(f"{name}'s time (of a fiftieth, times 50) / packwire's", theirs / ours, "times")
            )
    return figures


def _tshark(path: Path) -> float:
    command = ["tshark", "-r", str(path), "-T", "fields"]
    for field in ("opcode", "handle", "value"):
        command += ["-e", f"btatt.{field}"]
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin
