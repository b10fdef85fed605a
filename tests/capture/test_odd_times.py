"""A time that cannot be is not used, and said; clocks that differ or jump are left as they are."""

import pytest

from packwire.capture.odd_times import without_odd_times
from packwire.capture.packets import NO_TIME
from packwire.capture.writers import PACKET_FORMATS
from tests.capture.test_writers import packets, written

START, SECOND = 1_667_118_340_000_000_000, 1_000_000_000
TIMES = [START + at * SECOND for at in range(9)]


def _packets(times):
    return packets([b"\x02abc"] * len(times), times)


@pytest.mark.parametrize("place", [0, 4, 8])
@pytest.mark.parametrize("odd", [-START, START ^ 1 << 61, 0])
def test_one_wrong_bit_in_a_time(place, odd):
    times = [*TIMES]
    times[place] = odd
    found = without_odd_times(_packets(times))
    assert found.time.tolist() == [NO_TIME if at == place else time for at, time in enumerate(TIMES)]
    assert f"packet {place + 1} says" in found.notes[0]
    assert "an odd time" in found.notes[0]


@pytest.mark.parametrize("times", [
    TIMES,
    [time + (at > 4) * 86_400 * SECOND for at, time in enumerate(TIMES)],
    [time - (at < 4) * START for at, time in enumerate(TIMES)],
    [time + (at % 2) * 7_200 * SECOND for at, time in enumerate(TIMES * 4)],
    [NO_TIME] * 9,
    [START],
    [],
])  # fmt: skip
def test_a_pause_a_clock_that_was_set_and_two_clocks_are_no_odd_times(times):
    found = without_odd_times(_packets(times))
    assert (found.time.tolist(), found.notes) == (times, ())


@pytest.mark.parametrize("name", PACKET_FORMATS)
def test_what_has_no_time_is_written_with_that_of_the_packet_before(name):
    found, notes = written(name, _packets([START, NO_TIME, START + SECOND]))
    assert found.time.tolist() == [START, START, START + SECOND]
    assert "packet 2 has no time: written with the time of the packet before" in notes


@pytest.mark.parametrize("name", ["pcap", "pcapng"])
def test_times_before_1970(name):
    found, notes = written(name, _packets([-5 * SECOND, START]))
    assert found.time.tolist() == [START, START]
    assert "packet 1 has a time before 1970" in notes[0]
    found, notes = written(name, _packets([-5 * SECOND, -3 * SECOND]))
    assert found.time.tolist() == [0, 2 * SECOND]
    assert "all times are before 1970" in notes[0]
