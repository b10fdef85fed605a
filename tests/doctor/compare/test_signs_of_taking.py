"""A reply was taken where something shows it; a fault is named where the record decides, in any order."""

from itertools import permutations

import pytest

from packwire.capture import open_capture
from packwire.check import Confidence
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.choose import choose
from packwire.doctor.compare.following import answered_ones, steps_of
from packwire.doctor.compare.suspects import fitting_rules, suspects
from packwire.doctor.compare.verdict import NO_DIFFERENCE, compare
from packwire.vesc.framing import encode_frame
from tests.capture.builder import Session
from tests.capture.vesc_session import ASK_BMS, ASK_VERSION, PING, VescSession, bms, version, via
from tests.doctor.compare.clients import compared
from tests.shared_data import SHARED, needs_captures

TIMEOUT = 2.0
LATENCIES = (0.001, 0.012, 0.004, 0.019, 0.008, 0.015, 0.002, 0.010)
CONFIG, ASK_CONFIG = b"\x5d\x00" + bytes(119), b"\x5d\x00"
SCAN = b"\x3e\x0a\x54"
LONG = bms(cells=30)
REPLIES = {ASK_BMS: LONG, ASK_VERSION: version(), ASK_CONFIG: CONFIG, PING: SCAN}
NANO = 1_000_000_000


def working(rounds: int = 8) -> VescSession:
    """Ask on as soon as the reply is there."""
    session = VescSession(step=100_000).open().ask(ASK_VERSION).answer(version())
    for latency in LATENCIES[:rounds]:
        session.ask(ASK_BMS).wait(latency).answer(bms()).wait(0.01)
    return session.close()


def polling(order: tuple[bytes, ...], refused: bytes, rounds: int = 4) -> VescSession:
    """Ask in turn, at once when the reply is there; of one request it waits in vain for the reply."""
    session = VescSession(step=100_000).open()
    for number in range(rounds):
        for request in order:
            asked = session.time
            session.ask(request).wait(2.5 if request == PING else LATENCIES[number]).answer(REPLIES[request])
            if request == refused:
                session.time = asked + round(TIMEOUT * NANO) + number * 15_000_000
    return session.close()


@pytest.mark.parametrize("order", list(permutations((ASK_VERSION, ASK_CONFIG, PING, ASK_BMS)))[::5])
def test_a_client_that_never_goes_on_at_once_after_long_replies_in_any_order(tmp_path, order):
    found = compared(tmp_path, [working()], [polling(order, ASK_BMS)])
    assert (found.key, found.confidence) == (Cause.RECEIVE_PATH, Confidence.POSSIBLE)
    assert "length-15-bits" in [rule.key for rule in fitting_rules(found.mine, found.patience[1])]
    assert found.main is not None
    assert "and never after a reply shorter than 128 bytes" in " ".join(found.main.evidence)
    assert "pauses once a round" in " ".join(found.main.open)


def test_a_pause_after_a_shorter_reply_is_the_pause_of_a_round(tmp_path):
    order = (ASK_BMS, ASK_CONFIG, ASK_VERSION)
    found = compared(tmp_path, [working()], [polling(order, ASK_VERSION)])
    assert found.key == NO_DIFFERENCE


@pytest.mark.parametrize("paces", [(1.0, 1.3), (0.1, 0.1), (0.4, 2.0)])
def test_a_client_that_takes_nothing_is_never_called_well(tmp_path, paces):
    """At two paces, like a client that waits in vain and sleeps after one kind of request only."""
    mine = VescSession(step=100_000).open()
    for number in range(8):
        pace = paces[number > 0]
        asked = mine.time
        request = ASK_BMS if number else ASK_VERSION
        mine.ask(request).wait(LATENCIES[number]).answer(REPLIES[request])
        mine.time = asked + round(pace * NANO)
    found = compared(tmp_path, [working()], [mine.close()])
    assert found.key == Cause.CANNOT_TELL
    assert "doctor --my-client" in (found.main.what_to_do("mine") if found.main else "")


def test_one_stall_of_the_computer_is_no_sign(tmp_path):
    mine = VescSession(step=100_000).open()
    for number in range(9):
        asked = mine.time
        stalled = 0.112 if number == 8 else 0.0
        mine.ask(ASK_BMS).wait(0.001 + stalled).answer(bms())
        mine.time = asked + round((0.82 + 2 * stalled) * NANO)
    assert compared(tmp_path, [working()], [mine.close()]).key == Cause.CANNOT_TELL


def test_what_only_the_content_explains(tmp_path):
    """The last piece of a description ends where the first reply said."""
    mine, total = VescSession(step=100_000).open(), 900
    for offset, size in ((0, 400), (400, 400), (800, 100)):
        asked = mine.time
        mine.ask(b"\x5c\x00" + size.to_bytes(4) + offset.to_bytes(4))
        mine.answer(b"\x5c\x00" + total.to_bytes(4) + offset.to_bytes(4) + bytes(size))
        mine.time = asked + NANO // 10
    assert compared(tmp_path, [working()], [mine.close()]).key == NO_DIFFERENCE


def test_replies_joined_with_another_are_not_taken(tmp_path):
    mine = VescSession(step=100_000).open()
    for number in range(12):
        asked, joined = mine.time, number % 3 == 2
        mine.ask(ASK_BMS).wait(LATENCIES[number % 8])
        mine.send(1, (encode_frame(b"\x15hello\0") if joined else b"") + encode_frame(bms()))
        mine.time = asked + round((0.8 if joined else 0.1) * NANO)
    found = compared(tmp_path, [working()], [mine.close()])
    assert found.key == Cause.RECEIVE_PATH
    assert set(found.patience[1].refused) >= {2, 5, 8}
    assert suspects(found.mine, found.patience[1])[0].key == "joined"


class TestSilences:
    def test_a_scan_given_up_too_early_is_no_silent_device(self, tmp_path):
        mine = VescSession(step=100_000).open().ask(ASK_VERSION).answer(version())
        for _ in range(3):
            mine.ask(PING).wait(2.6)
        found = compared(tmp_path, [polling((ASK_VERSION, PING), b"")], [mine.close()])
        assert (found.key, found.confidence) == (Cause.IMPATIENT, Confidence.LIKELY)
        assert "a scan of the bus takes 2.5 to 5 s" in (found.main.evidence[0] if found.main else "")

    def test_a_client_that_now_and_then_gives_up_too_early(self, tmp_path):
        mine = VescSession(step=100_000).open()
        for number in range(24):
            asked, late = mine.time, number % 4 == 3
            mine.ask(ASK_BMS)
            if late:
                mine.time = asked + 40_000_000
                mine.ask(ASK_VERSION).wait(0.005).answer(bms()).answer(version()).wait(0.02)
            else:
                mine.wait(LATENCIES[number % 8]).answer(bms()).wait(0.001)
        found = compared(tmp_path, [working()], [mine.close()])
        assert (found.key, found.confidence) == (Cause.IMPATIENT, Confidence.LIKELY)

    @pytest.mark.parametrize("answers", [False, True])
    def test_all_nodes_at_once(self, tmp_path, answers):
        mine = VescSession(step=100_000).open()
        for _ in range(3):
            mine.ask(via(255, ASK_BMS))
            if answers:
                mine.answer(bms())
            mine.wait(1.0)
        found = compared(tmp_path, [working()], [mine.close()])
        assert (found.key, found.confidence) == (Cause.CAN_BROADCAST, Confidence.LIKELY)

    def test_what_the_reference_asks_in_vain_is_a_remark(self, tmp_path):
        reference = VescSession(step=100_000).open()
        for _ in range(4):
            reference.ask(b"\xc8").wait(1.0).ask(ASK_VERSION).answer(version())
        found = compared(tmp_path, [reference.close()], [working()])
        assert found.key == NO_DIFFERENCE
        assert "the reference sends another command than the reference" not in str(found.also)

    def test_who_closes_in_the_middle_outranks_a_pause(self, tmp_path):
        mine = VescSession(step=100_000, ports=(50001, 65101)).open()
        mine.send(0, b"VESCTOOL:TESTPACK:secret42\n").wait(0.5)
        for _ in range(6):
            mine.ask(ASK_BMS).answer(bms()).wait(0.3)
        mine.close(1)
        later = Session(ports=(50002, 65101), time=mine.time + 5 * NANO).open()
        found = compared(tmp_path, [working()], [mine, later])
        assert (found.key, found.confidence) == (Cause.CLOSED, Confidence.LIKELY)
        assert "another client logged in with the same id, or that the device left" in str(found.main)


class TestLogin:
    def test_a_client_that_logs_in_as_a_device(self, tmp_path):
        mine = VescSession(step=100_000, ports=(50001, 65101)).open()
        mine.send(0, b"VESC:TESTPACK:secret42\n").wait(0.5)
        for _ in range(3):
            mine.ask(ASK_BMS).wait(1.0)
        found = compared(tmp_path, [working()], [mine.close()])
        assert (found.key, found.confidence) == (Cause.BAD_LOGIN, Confidence.CERTAIN)
        assert "begins with VESCTOOL:" in (found.main.evidence[0] if found.main else "")

    def test_one_that_then_says_nothing_may_be_a_device(self, tmp_path):
        mine = VescSession(step=100_000, ports=(50001, 65101)).open()
        mine.send(0, b"VESC:TESTPACK:secret42\n\0").wait(3.0)
        found = compared(tmp_path, [working()], [mine.close()])
        assert (found.key, found.confidence) == (Cause.BAD_LOGIN, Confidence.LIKELY)

    def test_masked_passwords_are_not_compared(self, tmp_path):
        sessions = []
        for number in (1, 2):
            session = VescSession(step=100_000, ports=(50000 + number, 65101)).open()
            session.send(0, b"VESCTOOL:TESTPACK:********\n").wait(0.3)
            sessions.append(session)
        sessions[0].ask(ASK_BMS).answer(bms()).close()
        found = compared(tmp_path, [sessions[0]], [sessions[1].close(1)])
        assert (found.key, found.confidence) == (Cause.REFUSED, Confidence.LIKELY)
        assert "masked" in " ".join(found.main.evidence if found.main else ())


def test_few_bad_frames_among_right_ones_are_not_certain(tmp_path):
    mine = VescSession(step=100_000).open()
    for number in range(40):
        if number == 20:
            mine.send(0, bytes.fromhex("02 01 60 a6 6c 03")).wait(1.0)
        mine.ask(ASK_BMS).wait(LATENCIES[number % 8]).answer(bms())
    found = compared(tmp_path, [working()], [mine.close()])
    assert found.key == Cause.WRONG_CHECKSUM
    assert found.confidence is Confidence.POSSIBLE


@needs_captures
@pytest.mark.parametrize("name", ["length-bug-vesctool-order", "length-bug-found"])
def test_recorded_clients_with_the_length_bug(name):
    captures = (
        open_capture(SHARED / "captures" / "vesc" / "vesc-tool-hub-bms.pcap"),
        open_capture(SHARED / "cases" / f"{name}.pcapng"),
    )
    theirs, ours = choose(captures)
    found = compare(theirs.session, ours.session)
    assert found.key == Cause.RECEIVE_PATH
    assert found.main is not None
    assert "never after a reply shorter than 128 bytes" in " ".join(found.main.evidence)


def test_one_pause_after_a_short_reply_is_no_reply_that_is_not_taken(tmp_path):
    """It waits after its first question for as long as it waits in vain."""
    mine = VescSession(step=100_000).open().ask(ASK_VERSION).wait(0.01).answer(version()).wait(TIMEOUT)
    for latency in LATENCIES:
        mine.ask(ASK_BMS).wait(latency).answer(bms()).wait(0.01)
    mine.ask(ASK_BMS).wait(TIMEOUT).ask(ASK_BMS).wait(0.01).answer(bms())
    assert compared(tmp_path, [working()], [mine.close()]).key != Cause.RECEIVE_PATH


XML = b"\x5c\x00" + (400).to_bytes(4) + bytes(4)


def by_its_clock(replies: int, *, waits: bool) -> VescSession:
    """Poll every 0.1 s, ask for what nobody answers every 0.5 s; each fourth reply is lost.

    `waits`: without a reply it polls on after a second only, as VESC Tool does.
    """
    session = VescSession(step=1000).open()
    xml = session.time
    for number in range(replies):
        asked = session.time
        session.ask(ASK_BMS).wait(0.002)
        lost = number % 4 == 3
        if not lost:
            session.answer(bms())
        due = asked + round((1.0 if lost and waits else 0.1) * NANO)
        while xml + NANO // 2 < due:
            xml += NANO // 2
            session.time = max(xml, session.time)
            session.ask(XML)
        session.time = max(due, session.time)
    return session.close()


def test_a_clients_waits_are_seen_between_what_it_asks_by_another_timer(tmp_path):
    reference = [by_its_clock(24, waits=True)]
    told = compared(tmp_path, reference, [by_its_clock(23, waits=True)])
    assert told.key != Cause.CANNOT_TELL
    untold = compared(tmp_path, reference, [by_its_clock(23, waits=False)])
    assert untold.key != NO_DIFFERENCE
    steps = steps_of(untold.mine, answered_ones(untold.mine))
    assert all(step.kinds == untold.mine.kinds_of(step.numbers) for step in steps)


def short(
    begin: float, *, pause: float = 0.0, requests: tuple[bytes, ...] = (ASK_VERSION, ASK_BMS)
) -> VescSession:
    """Connect, ask two things and close, `pause` seconds after each reply."""
    session = VescSession(ports=(50_000 + int(begin), 65101), step=100_000)
    session.time += round(begin * NANO)
    session.open()
    for number, request in enumerate(requests):
        session.ask(request).wait(LATENCIES[(int(begin) + number) % 8]).answer(REPLIES[request]).wait(pause)
    return session.close()


class TestAClientOfManyShortConnections:
    def compared(self, tmp_path, mine: list[VescSession]):
        return compared(tmp_path, [working()], mine).key

    def test_is_judged_by_all_of_them(self, tmp_path):
        assert self.compared(tmp_path, [short(0, pause=0.1)]) == Cause.CANNOT_TELL
        assert self.compared(tmp_path, [short(begin, pause=0.1) for begin in range(10)]) == NO_DIFFERENCE

    def test_not_by_those_of_another_client(self, tmp_path):
        deaf = VescSession(ports=(40_000, 65101), step=100_000)
        deaf.time += 60 * NANO
        deaf.open()
        for _ in range(4):
            for request in (ASK_VERSION, ASK_BMS):
                asked = deaf.time
                deaf.ask(request).wait(0.002).answer(REPLIES[request])
                deaf.time = asked + NANO // 5
        deaf.close()
        other = [short(begin, pause=0.1, requests=(ASK_BMS, ASK_VERSION)) for begin in range(10)]
        assert self.compared(tmp_path, [deaf, *other]) == Cause.CANNOT_TELL


@pytest.mark.parametrize(("cells_before", "sure"), [(0, Confidence.CERTAIN), (20, Confidence.LIKELY)])
def test_a_bms_that_was_there_before_is_not_certainly_none(tmp_path, cells_before, sure):
    none = bms(volts=0.0, cells=0)[:-1] + b"\xff"  # the CAN id of no BMS
    mine = VescSession(step=100_000).open().ask(ASK_VERSION).answer(version())
    for number, latency in enumerate(LATENCIES):
        has = cells_before and number < 4
        mine.ask(ASK_BMS).wait(latency).answer(bms() if has else none).wait(0.01)
    found = compared(tmp_path, [working()], [mine.close()])
    assert (found.key, found.confidence) == (Cause.NO_BMS, sure)
