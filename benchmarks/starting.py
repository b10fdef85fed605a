"""From process start to the first reading of `packwire read`, on loopback, with what imports take of it."""

import subprocess
import sys
import tempfile
import time

from benchmarks.figure import Figure
from benchmarks.installed import installed, uncompiled
from benchmarks.simulator import simulator

ROUNDS = 7
#: `packwire` as its installed script starts it.
_COMMAND = [sys.executable, "-c", "from packwire.__main__ import main; main()"]


def measure() -> list[Figure]:
    """Return seconds; the first reading is the pack's line, which does not wait for the CAN bus."""
    with simulator() as port, tempfile.TemporaryDirectory() as cache:
        environment = installed(cache) | {"XDG_CACHE_HOME": cache}
        first, whole = _best(port, environment)
        uncached, _ = _best(port, uncompiled() | {"XDG_CACHE_HOME": cache})
        imports = min(_imports(environment) for _ in range(ROUNDS))
        empty = min(_seconds([sys.executable, "-c", "pass"], environment) for _ in range(ROUNDS))
    return [
        Figure("process start to the first reading of packwire read", first, "s", at_most=0.5),
        Figure("the same where Python may not keep what it compiles", uncached, "s", at_most=0.5),
        Figure("process start to its end, CAN ids known from last time", whole, "s"),
        Figure("of which the interpreter itself", empty, "s"),
        Figure("of which imports", imports, "s"),
    ]


def _best(port: int, environment: dict[str, str]) -> tuple[float, float]:
    first = whole = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        command = [*_COMMAND, "read", f"vesc://127.0.0.1:{port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "20 cells" in line:
                    first = min(first, time.perf_counter() - started)
        whole = min(whole, time.perf_counter() - started)
        time.sleep(0.1)  # the device takes one client at a time
    return first, whole


def _imports(environment: dict[str, str]) -> float:
    modules = "packwire.cli.main, packwire.cli.commands.read, packwire.link.tcp"
    code = f"import time; s = time.perf_counter(); import {modules}; print(time.perf_counter() - s)"
    return float(subprocess.check_output([sys.executable, "-c", code], text=True, env=environment))


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    return time.perf_counter() - started
