"""Clients whose pauses overlap: late says nothing of them, soon does; and chance is no sign."""

import asyncio

import pytest

from packwire.doctor.client_test.findings import ClientFindings
from packwire.doctor.client_test.reactions import Action, ClientObservation, Controls, Sign
from packwire.doctor.client_test.scattered import Scattered, are_different, best, run_together
from packwire.doctor.client_test.server import ClientTest
from packwire.doctor.client_test.trials import BAD, MISSING, Trial, TrialKind
from packwire.doctor.vesc.client_test.played import VESC
from packwire.vesc.framing import encode_frame

ASK = b"\x60"
#: Of a right client on a computer that is late now and then, in s from its request: as recorded.
GOOD = (0.10, 0.36, 0.70, 0.17, 0.10, 0.59, 1.15, 0.10, 0.53, 0.10, 0.10, 0.10)
NONE = (0.70, 1.43, 0.70, 0.91, 0.70, 0.87, 0.70, 0.82, 1.87, 0.70, 1.34, 0.70)
LATE = Scattered(Sign.AGAIN, GOOD, NONE)
#: And of one that pauses by chance, up to 1.5 s.
ANY = Scattered(
    Sign.AGAIN, tuple(at * 1.5 / 20 for at in range(20)), tuple(0.6 + at * 1.5 / 36 for at in range(36))
)


def seen(after, trial=MISSING, sent=0.0, stalled=0.0):
    return ClientObservation(trial, ASK, 80, Action.REPEATS, after, after + sent, stalled=stalled)


@pytest.mark.parametrize("known", [LATE, ANY])
def test_who_overlaps_is_told_by_what_is_soon(known):
    assert known.tells
    assert known.took(seen(0.12)) is True
    assert known.took(seen(0.9)) is False
    assert not Scattered(Sign.AGAIN, known.missing[1::2], known.missing[::2]).tells


def test_a_print_after_which_it_waits_as_long_as_after_nothing_is_not_taken():
    """It was accused of taking any reply: a good reply had once been as late, and the times were compared."""
    assert [LATE.took(seen(after, BAD[0])) for after in (0.703, 0.701, 0.701)] == [False] * 3


def test_two_that_were_late_by_chance_are_not_missed():
    """It was accused of a length: three of three replies had been late."""
    late: list[bool | None] = [False, False, False]
    for known in (LATE, ANY):
        assert known.decided(late, wanted=True, sent=0.0, alone=True) is None
        assert known.decided([*late, True], wanted=True, sent=0.0, alone=True) is True
        assert known.decided([False] * 60, wanted=True, sent=0.0, alone=True) is False


def test_an_accusation_by_one_trial_alone_needs_more_than_one_that_others_bear_out():
    def needed(*, alone):
        return next(n for n in range(99) if LATE.decided([False] * n, True, 0.0, alone=alone) is False)

    assert needed(alone=True) > 2 * needed(alone=False)


def test_a_reply_that_takes_its_time_may_be_late_more_often():
    assert LATE.decided([False] * 12, True, 0.0, alone=False) is False
    assert LATE.decided([False] * 12, True, 0.58, alone=False) is None


def test_a_stalled_computer_is_no_sign():
    assert LATE.took(seen(0.9, stalled=0.5)) is None
    assert LATE.took(seen(0.1, stalled=0.5)) is True


def test_the_floor_is_lower_where_the_soonest_few_differ():
    assert Scattered(Sign.AGAIN, (), (0.70, 0.70, 0.71, 0.71)).floor == pytest.approx(0.70)
    assert Scattered(Sign.AGAIN, (), (0.70, 0.85, 0.95, 1.20)).floor < 0.3


def test_heaps_that_run_together_are_known():
    apart = [0.1, 0.11, 0.12, 0.1, 0.1, 0.13, 0.1, 0.1], [0.7, 0.71, 0.7, 0.75, 0.7, 0.72, 0.7, 0.7]
    assert not run_together(*apart, 0)
    assert run_together(*apart, 4)
    assert run_together([0.1, 0.3, 0.5, 0.6, 0.9, 1.2], [1.3, 1.5, 1.4, 1.8, 2.0, 2.1], 0)
    assert not run_together([0.1], [0.11], 0)


def test_controls_that_were_apart_by_chance_do_not_hold():
    controls = Controls(tuple(seen(t) for t in (0.1, 0.2, 0.3)), tuple(seen(t) for t in (1.6, 1.9, 1.8)))
    found = ClientFindings(96, VESC, controls=controls)
    assert found.tells
    for after in (0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.3, 1.35, 1.4, 1.5, 1.6, 1.8, 1.1):
        found.note(seen(after))
    assert found.unsteady


def test_a_few_differ_by_chance_and_many_do_not():
    assert not are_different([0.1, 0.1, 0.1], [0.7, 0.7, 0.7])
    assert are_different([0.1, 0.1, 0.1, 0.1, 0.8], [0.7] * 16)
    assert not are_different([0.1, 0.7, 0.8, 0.9, 0.7], [0.7, 0.8, 0.9] * 6)


def test_controls_of_one_size_are_not_mixed_with_those_of_another():
    known = [seen(0.1, Trial("good-80", TrialKind.GOOD, "", 80))] * 2 + [seen(0.7)] * 3
    assert best(known, 80).good == (0.1, 0.1)
    assert best(known, 130).good == ()
    assert best(known, 80).missing == (0.7,) * 3


async def test_what_follows_a_displaced_connection_is_no_experiment():
    """One that runs twice from one computer: closing the older half ends the other, right after it asked."""
    told = []
    async with ClientTest(lambda _: None, VESC, watch=lambda each, _: told.append(each)) as test:
        _, first = await asyncio.open_connection("127.0.0.1", test.port)
        reader, second = await asyncio.open_connection("127.0.0.1", test.port)
        second.write(encode_frame(ASK))
        await asyncio.sleep(0.02)
        second.close()
        assert await reader.read() == b""
        first.close()
    assert not told
