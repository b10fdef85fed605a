"""What `packwire watch` takes of a core while it polls at 10 Hz and draws on a terminal."""

import os
import pty
import resource
import sys
import tempfile
import time

from benchmarks.figure import Figure
from benchmarks.simulator import simulator

SECONDS = 20.0


def measure() -> list[Figure]:
    """Return the share of one core, start-up left out: a longer run less a short one."""
    with simulator() as port, tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        _cpu(port, 4.0)  # the first run searches the CAN bus
        short, frames = _cpu(port, 2.0)
        long, more_frames = _cpu(port, 2.0 + SECONDS)
    drawn = (more_frames - frames) / SECONDS
    return [
        Figure("watch at 10 Hz on a terminal", (long - short) / SECONDS * 100, "% of a core", at_most=2),
        Figure("drawn", drawn, "times a second", at_most=2.1),
    ]


def _cpu(port: int, seconds: float) -> tuple[float, int]:
    """Return the processor time in s of one run on a pseudo-terminal, and how often it drew."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    pid, terminal = pty.fork()
    if pid == 0:
        code = "from packwire.cli.main import main; main()"
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": "110", "LINES": "40"}
        arguments = ["watch", f"vesc://127.0.0.1:{port}", "--for", str(seconds)]
        os.execv(sys.executable, [sys.executable, "-c", code, *arguments])
    output = b""
    while True:
        try:
            output += os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
    os.waitpid(pid, 0)
    os.close(terminal)
    time.sleep(0.1)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, output.count(b"readings")
