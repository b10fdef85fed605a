"""What a client took for a timeout: from its pauses, and from its log."""

from hypothesis import given
from hypothesis import strategies as st

from packwire.capture import open_capture
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.log_file import placed, read_log
from packwire.doctor.compare.patience import PatienceSource, patience_of
from packwire.doctor.vesc.recorded_sessions import vesc_sessions
from packwire.protocols import observer
from tests.capture.builder import EPOCH
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, VescSession, bms, version, via
from tests.doctor.compare.clients import compared, written
from tests.shared_data import ROOT

DATA = ROOT / "tests" / "data" / "vesc"


def steady(pause: float = 1.0, polls: int = 4) -> VescSession:
    """Ask once who is there, then the battery with a pause after each reply."""
    session = VescSession(step=100_000).open().ask(ASK_VERSION).answer(version())
    for _ in range(polls):
        session.ask(ASK_BMS).answer(bms()).wait(pause)
    return session.close()


def test_the_recorded_client_waits_two_seconds_and_does_not_take_three_replies():
    (session,), _ = vesc_sessions(open_capture(DATA / "own-client-timeouts.pcap"))
    found = patience_of(session)
    assert found.source is PatienceSource.UNANSWERED
    assert 1_990_000_000 < (found.timeout or 0) < 2_010_000_000
    assert [session.queries[number].kind.label for number in found.refused] == [
        "BMS_GET_VALUES (96)",
        "BMS_GET_VALUES (96)",
        "can 84 > BMS_GET_VALUES (96)",
    ]
    assert len(found.taken) == 4


def test_a_pause_after_one_kind_alone_may_be_a_pace_or_a_timeout_and_that_is_said(tmp_path):
    found = compared(tmp_path, [steady(0.1)], [steady(2.0)])
    assert (found.key, found.confidence) == (Cause.CANNOT_TELL, Confidence.POSSIBLE)
    assert found.main is not None
    assert "its pace, or a timeout; nothing tells which" in found.main.evidence[0]
    # That it once went on soon after FW_VERSION's reply is no sign that it took that either.
    assert [kind.name for kind in found.main.kinds] == ["FW_VERSION", "BMS_GET_VALUES"]


def test_what_is_asked_once_behind_the_first_round_makes_no_timeout_of_a_pace(tmp_path):
    mine = VescSession(step=100_000).open()
    for number in range(5):
        mine.ask(ASK_BMS).answer(bms())
        if number == 0:
            mine.ask(via(84, ASK_VERSION)).answer(version()).wait(1.0)
            continue
        mine.ask(ASK_VERSION).answer(version()).wait(1.0)
    (session,), _ = vesc_sessions(open_capture(written(tmp_path / "mine.pcap", [mine.close()])))
    assert not patience_of(session).refused


def test_a_log_settles_it(tmp_path):
    mine = steady(2.0, 3)
    seconds = [(packet.time - EPOCH) / 1e9 for packet in mine.packets[-3:]]
    log = read_log(["connected", f"{seconds[0]:.3f} BMS_GET_VALUES: Timeout after 2.0 s", "timeout=2.0"])
    found = compared(tmp_path, [steady(0.1)], [mine], log)
    assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.CERTAIN)
    assert found.patience[1].source is PatienceSource.LOG
    assert len(found.patience[1].refused) == 1


def test_a_client_that_gives_up_before_the_reply_comes(tmp_path):
    mine = VescSession(step=100_000).open()
    for _ in range(4):
        asked = mine.time
        mine.ask(via(84, ASK_BMS))
        mine.time = asked + 300_000_000
        mine.ask(via(84, ASK_BMS)).wait(0.2).answer(bms()).wait(0.01)
    reference = VescSession(step=100_000).open()
    for _ in range(4):
        reference.ask(via(84, ASK_BMS)).wait(0.5).answer(bms())
    found = compared(tmp_path, [reference.close()], [mine.close()])
    assert found.key == Cause.IMPATIENT


def test_a_client_that_asks_faster_than_the_device_answers(tmp_path):
    mine = VescSession(step=100_000).open()
    for _ in range(5):
        for _ in range(9):
            mine.ask(via(84, ASK_BMS)).wait(0.001)
        mine.answer(bms())
    reference = VescSession(step=100_000).open()
    for _ in range(4):
        reference.ask(via(84, ASK_BMS)).wait(0.009).answer(bms())
    found = compared(tmp_path, [reference.close()], [mine.close()])
    assert found.key == Cause.TOO_FAST


class TestLog:
    def test_times_of_all_kinds(self):
        log = read_log(
            [
                "2023-11-14 22:13:22,500 ERROR client: request timed out",
                "2023-11-14T23:13:23.25+01:00 no response",
                "22:13:24.125 gave up",
                "1700000005.5 TimeoutError",
                "[  6.5] no reply to BMS_GET_VALUES",
                "no time here: timeout",
                "all is well",
                "set timeout = 5",
            ]
        )
        assert (log.lines, len(log.events), log.timed) == (8, 6, 5)
        times = [time - EPOCH for _, time in placed(log, EPOCH, EPOCH + 10_000_000_000, 0)]
        assert [time / 1e9 for time in times] == [2.5, 3.25, 4.125, 5.5, 6.5]
        assert log.events[4].named(observer("vesc").names()) == 96

    def test_a_time_of_day_in_another_time_zone(self):
        log = read_log(["03:43:24.125 timeout"])  # India, 5 h 30 min ahead
        ((_, time),) = placed(log, EPOCH, EPOCH + 10_000_000_000, 0)
        assert time - EPOCH == 4_125_000_000

    @given(st.lists(st.text(max_size=60)), st.integers(0, 2**62))
    def test_any_text_is_read(self, lines, begin):
        log = read_log([f"{line} timeout" for line in lines])
        assert log.lines == len(lines)
        assert len(list(placed(log, begin, begin + 10**10, 10**9))) <= log.timed
