"""Some of the bench: clients run as programs, recorded through a tap, compared with a healthy one.

What a busy computer does to their pauses may leave it open what they take; it never makes a false verdict.
"""

import pytest

from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.verdict import NO_DIFFERENCE
from tests.doctor.clients import bench
from tests.doctor.clients.architectures import ARCHITECTURES
from tests.doctor.clients.bench import everything, run
from tests.doctor.clients.bugs import BUGS, OF_PIECES
from tests.doctor.clients.recording import Setting

OPEN: set[str] = {Cause.CANNOT_TELL}
EXPECTED: dict[tuple[str, str], set[str]] = {
    ("at-once", "none"): {NO_DIFFERENCE, *OPEN},
    ("pipelining", "none"): {NO_DIFFERENCE, *OPEN},
    ("fixed-pace", "none"): OPEN,
    ("vesc-tool", "none"): {NO_DIFFERENCE, *OPEN},
    ("blocking", "length-15-bits"): {Cause.RECEIVE_PATH, *OPEN},
    ("asyncio", "deaf"): OPEN,
    ("fixed-pace", "deaf"): OPEN,
    ("threads", "newline"): OPEN,
    ("select", "sends-crc-modbus"): {Cause.WRONG_CHECKSUM},
    ("hasty", "sends-length-of-all"): {Cause.WRONG_LENGTH},
    ("two-processes", "login-word"): {Cause.BAD_LOGIN},
    ("blocking", "no-login"): {Cause.NEVER_LOGS_IN},
    ("at-once", "can-255"): {Cause.CAN_BROADCAST},
}
BY_BYTES = {Cause.WRONG_CHECKSUM, Cause.WRONG_LENGTH, Cause.BAD_LOGIN}


async def test_clients_recorded_through_a_tap(tmp_path, monkeypatch):
    short = Setting("short", poll="60,00,225404", seconds=4, timeout=1)
    monkeypatch.setitem(bench.SETTINGS, "short", short)
    chosen = [(architecture, bug, "short") for architecture, bug in EXPECTED]
    for case in await run(tmp_path, chosen, 7):
        found = case.found
        assert found.key in EXPECTED[case.architecture, case.bug], (case, found.main)
        assert not found.swapped
        if found.confidence is Confidence.CERTAIN:
            assert found.key in BY_BYTES, (case, found.main)


def test_the_bench_is_as_large_as_is_said():
    assert len(ARCHITECTURES) >= 10
    assert len(BUGS) > 15
    combinations = list(everything(ARCHITECTURES, BUGS, ["near"]))
    assert len(combinations) == len(ARCHITECTURES) * len(BUGS) - len(OF_PIECES)


@pytest.mark.parametrize("bug", bench.NAMED)
def test_what_names_a_bug_is_a_cause(bug):
    assert bug in BUGS
    assert set(bench.NAMED[bug]) <= set(Cause)
