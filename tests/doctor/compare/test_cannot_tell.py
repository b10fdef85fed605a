"""Pauses that may be timeouts or a pace: no client is accused, and none is called well, without a sign."""

from packwire.capture import open_capture
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.choose import choose
from packwire.doctor.compare.log_file import read_log
from packwire.doctor.compare.verdict import NO_DIFFERENCE, compare
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, VescSession, bms, controller, version, via
from tests.doctor.compare.clients import compared
from tests.shared_data import ROOT

DATA = ROOT / "tests" / "data" / "vesc"
LATENCIES = (0.001, 0.012, 0.004, 0.019, 0.008, 0.015, 0.002, 0.010)


def by_timer(
    session: VescSession, pace: float, *, lost: tuple[int, ...] = (), rounds: int = 8
) -> VescSession:
    """Ask for the battery every `pace` seconds, whatever comes; some replies do not."""
    for number in range(rounds):
        asked = session.time
        session.ask(ASK_BMS).wait(LATENCIES[number % len(LATENCIES)])
        if number not in lost:
            session.answer(bms())
        session.time = asked + round(pace * 1e9)
    return session


def greeted() -> VescSession:
    return VescSession(step=100_000).open().ask(ASK_VERSION).answer(version())


def quick() -> VescSession:
    return by_timer(greeted(), 0.1, rounds=20).close()


def test_one_request_at_an_exact_pace_beside_a_much_faster_reference(tmp_path):
    mine = by_timer(VescSession(step=100_000).open(), 2.0).close()
    found = compared(tmp_path, [quick()], [mine])
    assert found.key == Cause.CANNOT_TELL
    assert found.words == "cannot tell from the recording whether mine takes these replies."
    assert found.divergence is not None
    assert found.divergence.kind.name == "BMS_GET_VALUES"


def test_a_client_that_sleeps_after_each_reply_is_seen_to_take_them(tmp_path):
    mine = greeted()
    for latency in LATENCIES:
        mine.ask(ASK_BMS).wait(latency).answer(bms()).wait(2.0)
    found = compared(tmp_path, [quick()], [mine.close()])
    assert found.key == NO_DIFFERENCE


def test_the_same_pace_in_both_is_no_question(tmp_path):
    assert compared(tmp_path, [by_timer(greeted(), 2.0).close()], [by_timer(greeted(), 2.0).close()]).key == (
        NO_DIFFERENCE
    )


def test_a_slow_reference_is_not_suspected(tmp_path):
    mine = greeted()
    for latency in LATENCIES:
        mine.ask(ASK_BMS).wait(latency).answer(bms()).wait(0.1)
    assert compared(tmp_path, [by_timer(greeted(), 2.0).close()], [mine.close()]).key == NO_DIFFERENCE


def test_a_timer_as_fast_as_the_reference_shows_nothing_either(tmp_path):
    found = compared(tmp_path, [by_timer(greeted(), 2.0).close()], [quick()])
    assert found.key == Cause.CANNOT_TELL


def test_a_timer_that_begins_after_the_greeting_is_not_accused(tmp_path):
    mine = greeted()
    for _ in range(6):
        for request in (ASK_BMS, via(84, ASK_BMS)):
            asked = mine.time
            mine.ask(request).answer(bms())
            mine.time = asked + 1_000_000_000
    found = compared(tmp_path, [quick()], [mine.close()])
    assert found.key == Cause.CANNOT_TELL


def test_a_timer_whose_replies_are_sometimes_lost_on_the_wire_is_not_accused(tmp_path):
    mine = by_timer(greeted(), 0.1, lost=(3, 11), rounds=30).close()
    found = compared(tmp_path, [quick()], [mine])
    assert found.key == Cause.CANNOT_TELL, "a clock that goes on whatever comes shows nothing"
    assert [each.cause for _, each in found.also] == [Cause.SILENT_DEVICE]


def test_where_it_never_goes_on_quickly_again_a_timer_is_not_ruled_out(tmp_path):
    mine = greeted()
    asked = mine.time
    mine.ask(b"\x04")  # never answered by a VESC Express
    mine.time = asked + 2_000_000_000
    by_timer(mine, 2.0, rounds=3)
    found = compared(tmp_path, [quick()], [mine.close()])
    assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.POSSIBLE)
    assert found.main is not None
    assert "a client that sends by a timer would look the same" in found.main.open[0]


def test_a_recording_that_ends_with_the_reply(tmp_path):
    mine = VescSession(step=100_000).open().ask(ASK_BMS).answer(bms())
    found = compared(tmp_path, [quick()], [mine])
    assert found.key == Cause.CANNOT_TELL
    assert found.main is not None
    assert "Nothing comes after its replies" in found.main.evidence[0]


def test_a_recording_whose_times_are_all_the_same(tmp_path):
    mine = VescSession(step=0).open()
    for _ in range(3):
        mine.ask(ASK_BMS).answer(bms()).ask(via(84, b"\x04")).answer(controller(84))
    found = compared(tmp_path, [quick()], [mine.close()])
    assert found.key == Cause.CANNOT_TELL
    assert found.main is not None
    assert "no times, or all the same" in found.main.evidence[0]


def test_a_log_settles_it_for_every_pace(tmp_path):
    mine = by_timer(VescSession(step=100_000).open(), 2.0).close()
    log = read_log([f"{2.0 * number:.3f} timeout" for number in range(1, 9)])
    found = compared(tmp_path, [quick()], [mine], log)
    assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.CERTAIN)


def test_the_same_faulty_file_twice_is_not_called_well():
    capture = open_capture(DATA / "own-client-timeouts.pcap")
    theirs, ours = choose((capture, capture))
    found = compare(theirs.session, ours.session)
    assert found.key == NO_DIFFERENCE
    assert "both have the same trouble" in found.words


def follows(latency: float, wait: float = 0.0) -> tuple[float, float]:
    """Return a reply's latency and when the client goes on: at once, or after `wait`."""
    return latency, wait or latency + 0.0002


def polled(steps: list[tuple[float, float]]) -> VescSession:
    session = VescSession(step=1000).open()
    for latency, wait in steps:
        asked = session.time
        if latency < wait:
            session.ask(ASK_BMS).wait(latency).answer(bms())
            session.time = asked + round(wait * 1e9)
        else:
            session.ask(ASK_BMS).wait(wait).ask(ASK_VERSION).wait(latency - wait).answer(bms())
            session.answer(version()).wait(0.0002)
    return session.close()


def test_a_client_that_now_and_then_goes_on_before_its_reply_is_not_called_well(tmp_path):
    steps = [follows(LATENCIES[number % 8]) for number in range(80)]
    assert compared(tmp_path, [quick()], [polled(steps)]).key == NO_DIFFERENCE
    for number in (20, 40, 60):
        steps[number] = follows(0.05, 0.02)
    found = compared(tmp_path, [quick()], [polled(steps)])
    assert found.key == Cause.CANNOT_TELL
    assert found.main is not None
    assert "had already gone on" in found.main.evidence[0]


def test_one_that_after_some_replies_waits_as_for_none_is_not_called_well(tmp_path):
    steps = [follows(LATENCIES[number % 8]) for number in range(24)]
    for number in (3, 9, 10, 19):
        steps[number] = follows(LATENCIES[number % 8], 0.7)
    found = compared(tmp_path, [quick()], [polled(steps)])
    assert found.key == Cause.CANNOT_TELL
    assert found.main is not None
    assert "a pause, or a timeout" in found.main.evidence[0]
