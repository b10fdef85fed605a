"""A client that makes one connection after the other is judged by all of them; other programs are not."""

import pytest

from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.verdict import NO_DIFFERENCE
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, VescSession, bms, version
from tests.doctor.compare.clients import compared
from tests.doctor.compare.test_signs_of_taking import working

TIMEOUT = 0.8
BREAK = 0.2
NANO = 1_000_000_000
LATENCIES = (0.004, 0.019, 0.001, 0.008, 0.015, 0.002)
#: The device's port of `working`.
DEVICE = 65102


def connection(
    begin: int, *, takes: bool, latency: float, port: int, host: str = "10.0.0.1", linger: float = 0.0
) -> VescSession:
    """Ask for the version, then for the battery; wait in vain for it where it is not taken, and close."""
    session = VescSession(
        ports=(port, DEVICE), hosts=(host, "10.0.0.2"), isn=(port, 2 * port), step=100_000, time=begin
    )
    session.open().ask(ASK_VERSION).wait(latency).answer(version())
    asked = session.time
    session.ask(ASK_BMS).wait(latency).answer(bms())
    if takes:
        session.wait(linger)
    else:
        session.time = asked + round(TIMEOUT * NANO)
    return session.close()


def turns(
    *takes: bool, first: int = 41000, pause: float = BREAK, host: str = "10.0.0.1", **more: float
) -> list[VescSession]:
    """Return connections one after the other, of a client that closes each and pauses."""
    made: list[VescSession] = []
    begin = VescSession().time
    for number, each in enumerate(takes):
        made.append(
            connection(
                begin,
                takes=each,
                latency=LATENCIES[number % len(LATENCIES)],
                port=first + 7 * number,
                host=host,
                **more,
            )
        )
        begin = made[-1].time + round(pause * NANO)
    return made


def later(sessions: list[VescSession], seconds: float) -> list[VescSession]:
    """Move connections in time."""
    for session in sessions:
        session.packets[:] = [
            each._replace(time=each.time + round(seconds * NANO)) for each in session.packets
        ]
    return sessions


def test_what_a_client_never_takes_shows_in_all_its_connections(tmp_path):
    found = compared(tmp_path, [working()], turns(*[False] * 5))
    assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.POSSIBLE)
    assert len(found.patience[1].refused) == 5
    assert found.mine.starts == (0, 2, 4, 6, 8)
    assert "4 more connections of this client" in found.mine.notes[0]


def test_one_connection_alone_tells_nothing_of_it(tmp_path):
    found = compared(tmp_path, [working()], turns(False))
    assert found.key == Cause.CANNOT_TELL


def test_a_connection_that_was_chosen_is_looked_at_alone(tmp_path):
    found = compared(tmp_path, [working()], turns(*[False] * 5), numbers=(None, 2))
    assert found.mine.starts == (0,)
    assert found.key == Cause.CANNOT_TELL


def test_a_client_that_takes_all_comes_out_well(tmp_path):
    found = compared(tmp_path, [working()], turns(*[True] * 6))
    assert found.key == NO_DIFFERENCE
    assert len(found.mine.starts) == 6


# Innocent explanations: others that come from the same address, and ask the same.


def test_two_programs_at_once_are_not_one(tmp_path):
    """One works, the other does not, both make connections: nothing tells which made which."""
    others = later(turns(*[True] * 5, first=52000), 0.3)
    found = compared(tmp_path, [working()], [*turns(*[False] * 5), *others])
    assert found.mine.starts == (0,)
    assert found.key == Cause.CANNOT_TELL


def test_a_program_and_the_same_one_mended_are_not_one(tmp_path):
    """What was started by hand later is another program, and so is what deals otherwise with the same."""
    before = turns(*[False] * 4)
    after = later(turns(*[True] * 4, first=52000), 30.0)
    found = compared(tmp_path, [working()], [*before, *after])
    assert found.key == Cause.RECEIVE_PATH
    assert len(found.mine.starts) == 4
    found = compared(tmp_path, [working()], [*later(before, 60.0), *after])
    assert found.key == NO_DIFFERENCE
    assert len(found.mine.starts) == 4


@pytest.mark.parametrize(
    "takes",
    [
        (True, False, True, False, True, False),
        (True, True, True, True, True, False),
        (False, True, True),
        (False, False, False, True),
    ],
)
def test_two_programs_by_turns_are_not_one(tmp_path, takes):
    """Behind one router, or from a script: what one takes, and the other does not, is no client's habit."""
    found = compared(tmp_path, [working()], turns(*takes))
    assert found.mine.starts == (0,)


def test_a_program_of_always_the_same_port_is_another_than_one_of_any(tmp_path):
    made = turns(*[False] * 6)
    for session in made[1::2]:
        assert session.ports[0] != made[0].ports[0]
    fixed = [
        connection(each.packets[0].time, takes=False, latency=0.004, port=41000, host="10.0.0.1")
        for each in made[::2]
    ]
    mixed = [one for pair in zip(fixed, made[1::2], strict=True) for one in pair]
    found = compared(tmp_path, [working()], mixed)
    assert found.mine.starts == (0,)


def test_connections_from_other_computers_are_not_one(tmp_path):
    made = turns(*[False] * 4)
    others = [
        connection(
            each.packets[0].time, takes=False, latency=0.004, port=41000 + number, host=f"10.0.0.{number}"
        )
        for number, each in enumerate(made, 11)
    ]
    found = compared(tmp_path, [working()], others)
    assert found.mine.starts == (0,)


def test_who_stays_a_little_before_it_closes_takes_the_replies(tmp_path):
    """Counted from the replies on its pauses are alike: it looks like one that waits in vain, but for that."""
    found = compared(tmp_path, [working()], turns(*[True] * 6, linger=0.8))
    assert found.key == NO_DIFFERENCE
