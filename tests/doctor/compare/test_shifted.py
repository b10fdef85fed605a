"""A request without a reply does not make all later replies late ones."""

from itertools import pairwise

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.session import ClientSession, Query, QueryKind
from packwire.doctor.compare.shifted import shifted_back
from packwire.messages import from_rows
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, VescSession, bms, version
from tests.doctor.compare.clients import compared
from tests.doctor.compare.test_signs_of_taking import working

LATENCIES = (0.001, 0.004, 0.002, 0.003, 0.001, 0.005, 0.002, 0.001)
PAUSES = (0.10, 0.14, 0.11, 0.16, 0.10, 0.13, 0.15, 0.12)


def rounds(session: VescSession) -> VescSession:
    for latency, pause in zip(LATENCIES, PAUSES, strict=True):
        session.ask(ASK_VERSION).wait(latency).answer(version()).wait(pause)
        session.ask(ASK_BMS).wait(latency).answer(bms())
    return session


def test_who_lost_one_reply_is_not_called_impatient(tmp_path):
    session = (
        VescSession(step=100_000).open().ask(ASK_VERSION).wait(0.6).ask(ASK_BMS).wait(0.01).answer(bms())
    )
    found = compared(tmp_path, [working()], [rounds(session).close()])
    versions = [each for each in found.mine.queries if each.kind.command == 0]
    assert [each.answered for each in versions] == [False, *[True] * len(LATENCIES)]
    assert max(each.latency or 0 for each in versions) < 10_000_000
    assert found.key not in {Cause.IMPATIENT, Cause.TOO_FAST}


def test_the_steadier_latencies_are_the_devices():
    """A device that takes 170 ms, and a client that gives up after 100 to 160: nothing is shifted."""
    kind, queries, time = QueryKind("values", 4), [], 0
    for pause in PAUSES:
        queries.append(Query(kind, time, 0, 1, time + 170_000_000, time + round(pause * 1e9), expects=True))
        time += round(pause * 1e9)
    queries.append(Query(kind, time, 0, -1, NO_TIME, NO_TIME, expects=True))
    session = shaped(queries)
    assert shifted_back(session) is session
    soon = [each._replace(reply_time=following.time + 1_000_000) for each, following in pairwise(queries)]
    found = shifted_back(shaped([*soon, queries[-1]]))
    assert [each.latency for each in found.queries] == [None, *[1_000_000] * len(PAUSES)]


def shaped(queries: list[Query]) -> ClientSession:
    messages = from_rows([], [], np.zeros(0, np.uint8), np.zeros(0, np.uint8))
    return ClientSession("x", 1, "VESC", "a -> b", 0, 0, 0, 0, messages, tuple(queries))
