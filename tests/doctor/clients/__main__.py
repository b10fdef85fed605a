"""Run one client: ARCHITECTURE BUG HOST PORT."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.doctor.clients.architectures import ARCHITECTURES, by_script
from tests.doctor.clients.bugs import BUGS
from tests.doctor.clients.habits import HABITS
from tests.doctor.clients.line import Plan

EVERY = ARCHITECTURES | HABITS


def main() -> None:
    """Run it; say what it asked, took and gave up."""
    parser = argparse.ArgumentParser(prog="python -m tests.doctor.clients", description=__doc__)
    parser.add_argument("architecture", choices=[*EVERY, "script"])
    parser.add_argument("bug", choices=BUGS)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--login", default="", metavar="ID:PASSWORD", help="log in at a hub")
    parser.add_argument("--hello", default="", help="payloads asked once, in hexadecimal, with commas")
    parser.add_argument("--poll", default="60", help="payloads asked again and again")
    parser.add_argument(
        "--pause", type=float, default=0.1, help="seconds between a reply and the next request"
    )
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds until a reply is given up")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long it runs")
    parser.add_argument("--rounds", type=int, default=1_000_000, help="requests until it ends")
    parser.add_argument(
        "--script", type=Path, help="lines of a payload in hexadecimal and the seconds behind"
    )
    given = parser.parse_args()
    plan = Plan(
        given.host,
        given.port,
        BUGS[given.bug],
        given.login,
        _payloads(given.hello),
        _payloads(given.poll),
        given.pause,
        given.timeout,
        seconds=given.seconds,
        rounds=given.rounds,
        script=tuple(_script(given.script)),
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        with contextlib.suppress(OSError):
            (by_script if given.script else EVERY[given.architecture])(plan)
    finally:
        sys.stdout.write(plan.result() + "\n")
        sys.stdout.flush()


def _script(path: Path | None) -> Iterator[tuple[bytes, float]]:
    for line in path.read_text().splitlines() if path else ():
        payload, pause = line.split()
        yield bytes.fromhex(payload), float(pause)


def _payloads(text: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(each) for each in text.split(",") if each)


if __name__ == "__main__":
    main()
