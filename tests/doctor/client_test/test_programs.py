"""A few of the bench's client programs (`tests.doctor.clients.bench_client_test` runs all of them)."""

import asyncio

import pytest

from packwire.check import Confidence
from tests.doctor.clients.bench_client_test import Case, examine

WANTED = {
    ("threads", "none"): "healthy",
    ("vesc-tool", "none"): "healthy",
    ("two-processes", "none"): "healthy",
    ("select", "length-15-bits-keeps"): "named",
    ("asyncio", "crc-ignored"): "named",
    ("reconnecting", "no-reassembly"): "named",
    ("behind", "none"): "named",
    ("gives-up", "login-no-newline"): "named",
    ("fixed-pace", "length-15-bits"): "undecided",
}


@pytest.fixture(scope="module")
def cases() -> dict[tuple[str, str], Case]:
    """All at the same time: most of it is waiting."""

    async def everyone() -> list[Case]:
        return await asyncio.gather(*(examine(*each, timeout=0.5, within=180.0) for each in WANTED))

    return dict(zip(WANTED, asyncio.run(everyone()), strict=True))


@pytest.mark.parametrize(
    ("client", "outcome"),
    WANTED.items(),
    ids=lambda given: given if isinstance(given, str) else "-".join(given),
)
def test_programs_get_their_verdict(cases, client, outcome):
    case = cases[client]
    assert case.outcome == outcome, case.verdict
    assert not case.false_certain
    if outcome != "healthy":
        assert not case.verdict.ok


def test_a_wrong_crc_is_not_said_to_be_certainly_taken(cases):
    """On the line, who takes it and who drops it and asks again may look the same."""
    (finding,) = cases["asyncio", "crc-ignored"].verdict.findings
    assert finding.confidence is Confidence.LIKELY
