"""Why a request has no reply, as far as the recording tells."""

from packwire.capture.layers.silence import Silence
from packwire.capture.layers.spoken import read_vesc
from packwire.capture.layers.tally import tallies
from packwire.vesc.framing import encode_frame
from tests.capture.builder import connections
from tests.capture.vesc_session import (
    ASK_BMS,
    ASK_VALUES,
    ASK_VERSION,
    PING,
    VescSession,
    bms,
    controller,
    version,
    via,
)


def reason(session: VescSession, row: int) -> str:
    (vesc,) = read_vesc(connections(session.packets)).connections
    return Silence(vesc).reason(row)


def session() -> VescSession:
    return VescSession().open()


def test_a_kind_of_device_that_never_answers_the_command():
    talk = session().ask(ASK_VERSION).answer(version()).ask(ASK_VALUES)
    assert reason(talk, 2) == "a VESC Express never answers GET_VALUES"
    talk.ask(via(84, ASK_VERSION)).answer(version(0, "75_300"))
    assert reason(talk, 2) == "a VESC Express never answers GET_VALUES (CAN id 84 does)"


def test_bytes_that_were_not_recorded():
    talk = session().ask(ASK_BMS).answer(bms(), recorded=False).ask(ASK_BMS).answer(bms())
    size = len(encode_frame(bms()))
    assert reason(talk, 0) == f"the reply may be among {size} bytes that were not recorded"


def test_a_gap_at_another_time_explains_nothing():
    talk = (
        session().ask(ASK_BMS).answer(bms(), recorded=False).ask(ASK_BMS).answer(bms()).wait(20).ask(ASK_BMS)
    )
    assert reason(talk, 3) == "the recording ends 0.0 s later"


def test_a_frame_that_was_never_completed():
    talk = session().ask(ASK_BMS)
    talk.send(1, encode_frame(bms())[:50])
    assert reason(talk, 0) == f"only 50 of the {len(encode_frame(bms()))} bytes of a frame came"


def test_a_can_id_that_the_scan_did_not_find():
    talk = session().ask(PING).answer(b"\x3e\x54").ask(via(10, ASK_BMS))
    assert reason(talk, 2) == "there is no CAN id 10: 84 answered the scan of the bus (PING_CAN)"
    talk = session().ask(PING).answer(b"\x3e").ask(via(10, ASK_BMS)).ask(ASK_BMS).answer(bms())
    assert reason(talk, 2) == "there is no CAN id 10: no node answered the scan of the bus (PING_CAN)"


def test_a_can_id_of_which_nothing_was_ever_heard():
    talk = session().ask(ASK_BMS).answer(bms()).ask(via(10, ASK_VALUES))
    assert reason(talk, 2) == "nothing in this recording comes from CAN id 10"


def test_broadcast():
    talk = session().ask(ASK_VERSION).answer(version()).ask(via(255, ASK_VALUES))
    assert reason(talk, 2) == "CAN id 255 is all nodes at once, whose replies collide"


def test_a_connection_that_was_closed():
    talk = session().ask(via(84, ASK_VALUES)).answer(controller(84)).ask(via(84, ASK_VALUES)).wait(1.5)
    assert reason(talk.close(1), 2) == "10.0.0.2:65102 closed the connection 1.5 s later"


def test_the_end_of_the_recording_and_real_silence():
    talk = session().ask(ASK_BMS)
    assert reason(talk, 0) == "the recording ends 0.0 s later"
    talk.wait(20).ask(ASK_VERSION)
    assert reason(talk, 0) == "nothing came within 10 s"


def test_the_account_by_command():
    talk = session()
    talk.ask(ASK_BMS).answer(bms(cells=20)).ask(ASK_BMS).wait(0.05).answer(bms(cells=12)).ask(ASK_BMS).wait(1)
    talk.ask(via(84, ASK_VALUES)).answer(controller(84)).answer(b"\x15hello").ask(b"\x1e").ask(ASK_BMS).ask(
        b"\x22\x05"
    )
    (vesc,) = read_vesc(connections(talk.packets)).connections
    found = {(tally.ids, tally.command): tally for tally in tallies(vesc.conversation)}
    bms_tally = found[(), 0x60]
    assert (bms_tally.asked, bms_tally.answered, bms_tally.late) == (4, 2, 0)
    assert bms_tally.sizes == (len(bms(cells=12)), len(bms(cells=20)))
    assert (bms_tally.latency_median, bms_tally.latency_max) == (26_000_000, 51_000_000)
    assert bms_tally.unanswered_rows == (4, 9)
    assert bms_tally.last_reply == 3
    assert (found[(84,), 4].asked, found[(84,), 4].answered) == (1, 1)
    assert found[(), 21].unsolicited == 1
    assert found[(), 30].one_way == 1
    assert found[(5,), 34].one_way == 1
