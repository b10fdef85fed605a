"""100 MB of text logs to messages: each form by itself, and all of them mixed with lines that hold no bytes.

Each runs in a process of its own, as `packwire messages` opens a file and puts its frames together. Nothing
of its kind is known to compare with.
"""

import subprocess
import sys
import tempfile
from itertools import cycle
from pathlib import Path

from benchmarks.figure import Figure

SIZE = 100_000_000
_FRAME = bytes.fromhex("dd03001b0537000050ef6d6000092783000000000000154a0304020b4e0b5cfbc277")

_OURS = """
import re, sys, time
from packwire.capture import open_capture
def memory(which):
    return 1024 * int(re.search(which + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
begin, busy = time.perf_counter(), time.process_time()
messages = open_capture(sys.argv[1]).messages
print(time.perf_counter() - begin, time.process_time() - busy, memory("VmHWM"))
assert len(messages) > 100_000
"""


def _forms() -> dict[str, tuple[str, ...]]:
    spaced, colons, dots = _FRAME.hex(" "), _FRAME.hex(":").upper(), _FRAME.hex(".").upper()
    forms: dict[str, tuple[str, ...]] = {
        "hex lines": (f"12:00:01.250 RX {spaced}",),
        "uart_debug": (f"[05:58:49][D][uart_debug:114]: <<< {colons}",),
        "ESPHome": (f"[15:36:28][D][jbd_bms_ble:220]: Notification received: {dots} ({len(_FRAME)})",),
        "Home Assistant": (
            f"2026-01-02 09:01:19.115 DEBUG (MainThread) [aiobmsble.bms.jbd_bms] pack: RX BLE data: {spaced}",
        ),
    }
    frame = _FRAME[:8].hex().upper()
    forms["candump"] = (
        f"(1436509052.249713) can0 355#{frame} R",
        f"(1436509052.249991) can0 18FF50E5#{frame} R",
    )
    words = "2026-01-02 09:01:19.115 INFO (MainThread) [homeassistant.core] Finished in 0.179 seconds (True)"
    return forms | {"mixed": tuple(line for each in forms.values() for line in (*each, words))}


def measure() -> list[Figure]:
    """Return seconds, processor time and memory (of the whole process, at its peak) of each form."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in _forms().items():
            path = Path(folder, "log.txt")
            _write(path, lines)
            seconds, busy, memory = map(float, _run(path).split())
            figures += [
                Figure(f"100 MB of {name}", seconds, "s", at_most=30),
                Figure(f"100 MB of {name}, processor time", busy, "s"),
                Figure(f"100 MB of {name}, memory", memory / 1e6, "MB", at_most=400),
            ]
    return figures


def _write(path: Path, lines: tuple[str, ...]) -> None:
    with path.open("w") as file:
        size = 0
        for line in cycle(lines):
            size += file.write(f"{line}\n")
            if size >= SIZE:
                return


def _run(path: Path) -> str:
    command = [sys.executable, "-c", _OURS, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
