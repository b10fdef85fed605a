"""One device for many clients: turns, replies, ages, fences, refusals and outages, on a clock that the test turns."""

import pytest

from packwire.protocol.exchange import LATEST
from packwire.share.device import MAX_OPEN
from packwire.share.pending import PATIENCE
from packwire.share.permissions import parse_policy
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import FILLER, forward_can
from tests.share.clock import Bench

BMS = bytes((Command.BMS_GET_VALUES,))
VALUES = bytes((Command.GET_VALUES,))
FW = bytes((Command.FW_VERSION,))
PING = bytes((Command.PING_CAN,))
APPCONF = bytes((Command.GET_APPCONF,))
ESTOP = bytes((Command.MOTOR_ESTOP, 0, 100))
CURRENT = bytes((Command.SET_CURRENT, 0, 0, 1, 0))
FW_REPLY = b"\0\x07\0express\0"


def can(node: int, inner: bytes) -> bytes:
    return forward_can(node, inner)


class TestReplies:
    def test_go_to_the_one_who_asked(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(BMS)
        two.ask(APPCONF)
        assert bench.take() == [BMS, APPCONF]
        bench.answer(APPCONF + b"two's", BMS + b"one's")
        assert (one.got, two.got) == ([BMS + b"one's"], [APPCONF + b"two's"])

    def test_to_the_same_question_under_way_go_to_all_who_asked(self):
        bench = Bench()
        clients = bench.clients(3)
        for client in clients:
            client.ask(BMS)
        assert bench.asked == [BMS]
        bench.answer(BMS + b"!")
        assert [client.got for client in clients] == [[BMS + b"!"]] * 3
        assert bench.device.stats().answered_from_flight == 2

    def test_in_pieces_of_something_long_are_told_apart_by_their_offset(self):
        bench = Bench()
        one, two = bench.clients(2)
        first = bytes((Command.LISP_READ_CODE,)) + (400).to_bytes(4) + (0).to_bytes(4)
        second = bytes((Command.LISP_READ_CODE,)) + (400).to_bytes(4) + (400).to_bytes(4)
        one.ask(first)
        two.ask(second)
        assert bench.take() == [first]
        bench.answer(b"\x82" + (500).to_bytes(4) + (0).to_bytes(4) + b"a" * 400)
        assert bench.take() == [second]
        bench.answer(b"\x82" + (500).to_bytes(4) + (400).to_bytes(4) + b"b" * 100)
        assert [len(one.got[0]), len(two.got[0])] == [409, 109]

    def test_that_nobody_asked_for_go_to_nobody_but_are_counted(self):
        bench = Bench()
        client = bench.client()
        bench.answer(BMS + b"?")
        assert client.got == []
        assert bench.device.stats().unasked == 1

    @pytest.mark.parametrize(
        "packet", [b"\x15text\0", b"\x87lisp\0", b"\x71\x0a\x26data", b"\x24app", b"\xc8new"]
    )
    def test_packets_that_devices_send_of_their_own_accord_go_to_all(self, packet):
        bench = Bench()
        clients = bench.clients(3)
        bench.answer(packet)
        assert [client.got for client in clients] == [[packet]] * 3

    def test_split_and_joined_arrive_whole(self):
        bench = Bench()
        client = bench.client()
        client.ask(BMS, APPCONF)
        for byte in encode_frame(BMS + bytes(300)) + encode_frame(APPCONF + b"x"):
            bench.device.device_received(bytes((byte,)))
        assert client.got == [BMS + bytes(300), APPCONF + b"x"]

    def test_behind_a_false_header_are_found(self):
        bench = Bench()
        client = bench.client()
        client.ask(BMS)
        bench.device.device_received(b"\x03\x20\x00" + encode_frame(BMS + b"!"))
        assert client.got == []
        bench.clock.advance(0.4)
        assert client.got == [BMS + b"!"]
        assert bench.device.stats().device_junk == 3


class TestTurns:
    def test_are_taken_in_turn_however_much_one_client_asks(self):
        bench = Bench()
        greedy, modest = bench.clients(2)
        pieces = [b"\x82" + (9).to_bytes(4) + offset.to_bytes(4) for offset in range(20)]
        greedy.ask(*pieces)
        modest.ask(b"\x82" + (9).to_bytes(4) + (99).to_bytes(4))
        for _ in range(3):
            offset = bench.asked[-1][5:9]
            bench.answer(b"\x82" + (500).to_bytes(4) + offset + b"data")
        assert len(modest.got) == 1

    def test_one_forwarded_request_is_under_way(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(can(84, APPCONF))
        two.ask(can(10, BMS))
        assert bench.take() == [can(84, APPCONF)]
        bench.answer(APPCONF + b"84")
        assert bench.take() == [can(10, BMS)]
        bench.answer(BMS + b"10")
        assert (one.got, two.got) == ([APPCONF + b"84"], [BMS + b"10"])

    def test_a_forwarded_and_a_direct_request_of_one_command_are_not_under_way_together(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(can(84, BMS))
        two.ask(BMS)
        assert bench.take() == [can(84, BMS)]
        bench.answer(BMS + b"84")
        assert bench.take() == [BMS]
        bench.answer(BMS + b"local")
        assert (one.got, two.got) == ([BMS + b"84"], [BMS + b"local"])

    def test_during_a_search_of_the_bus_polls_go_on_and_a_second_search_shares_its_result(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(PING)
        two.ask(PING)
        for _ in range(10):
            two.ask(BMS)
            bench.answer(BMS + b"!")
            bench.clock.advance(0.4)
        bench.answer(PING + b"\x0a\x54")
        assert bench.asked.count(PING) == 1
        assert one.got == [PING + b"\x0a\x54"]
        assert two.got == [BMS + b"!"] * 10 + one.got

    def test_what_would_be_dropped_by_a_busy_device_waits_for_its_slot(self):
        bench = Bench(parse_policy("terminal"))
        client = bench.client()
        client.ask(PING, b"\x14help")
        assert bench.take() == [PING]
        bench.answer(PING + b"\x54")
        assert bench.take() == [b"\x14help"]

    def test_a_client_with_too_much_open_loses_what_is_too_much(self):
        bench = Bench()
        client = bench.client()
        client.ask(*[BMS] * (MAX_OPEN + 10))
        bench.answer(BMS + b"!")
        assert len(client.got) == MAX_OPEN
        assert client.seat.stats().dropped == 10

    def test_reading_files_is_left_to_the_client_that_has_begun(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(b"\x8dlog.csv\0" + bytes(4))
        bench.answer(b"\x8d" + bytes(4) + (8000).to_bytes(4) + b"...")
        two.ask(b"\x8dother\0" + bytes(4))
        one.ask(b"\x8dlog.csv\0" + (3900).to_bytes(4))
        assert bench.take() == [b"\x8dlog.csv\0" + bytes(4), b"\x8dlog.csv\0" + (3900).to_bytes(4)]
        bench.answer(b"\x8d" + (3900).to_bytes(4) + (8000).to_bytes(4) + b"...")
        bench.clock.advance(1.2)
        assert bench.take() == [b"\x8dother\0" + bytes(4)]


class TestAge:
    def test_one_reading_serves_all_within_it(self):
        bench = Bench(max_age=0.1)
        one, two = bench.clients(2)
        one.ask(VALUES)
        bench.answer(VALUES + b"1")
        bench.clock.advance(0.09)
        two.ask(VALUES)
        assert two.take() == [VALUES + b"1"]
        stats = bench.device.stats()
        assert stats.answered_from_age == 1
        assert [(kept.command, round(kept.age, 3)) for kept in stats.kept] == [(4, 0.09)]
        bench.clock.advance(0.02)
        two.ask(VALUES)
        assert bench.asked == [VALUES, VALUES]

    def test_is_not_for_what_clients_use_as_a_fence(self):
        bench = Bench(max_age=10.0)
        client = bench.client()
        for _ in range(2):
            client.ask(FW)
            bench.answer(FW_REPLY)
        assert bench.asked == [FW, FW]

    def test_is_not_for_whose_older_request_is_still_open_for_it_may_be_a_fence(self):
        bench = Bench(max_age=10.0)
        one, two = bench.clients(2)
        one.ask(BMS)
        bench.answer(BMS + b"1")
        two.ask(APPCONF, BMS)
        assert two.got == []
        assert bench.asked == [BMS, APPCONF, BMS]
        bench.answer(APPCONF + b"2", BMS + b"2")
        assert two.got == [APPCONF + b"2", BMS + b"2"]

    def test_a_client_may_ask_for_it(self):
        bench = Bench(max_age=0.5, name="vesc://pack.example")
        client = bench.client("VESC Tool")
        client.ask(BMS)
        bench.answer(BMS + b"!")
        bench.clock.advance(0.04)
        client.take()
        client.ask(b"\x14packwire\0")
        text = [payload[1:].rstrip(b"\0").decode() for payload in client.got]
        assert text[0].startswith("packwire shares vesc://pack.example, connected: 1 clients")
        assert text[-1] == "BMS_GET_VALUES: 40 ms old, given to who asks now"
        assert bench.asked == [BMS], "the device's terminal is not bothered"


class TestLateReplies:
    def test_still_go_to_those_who_asked(self):
        bench = Bench()
        client = bench.client()
        client.ask(BMS)
        bench.clock.advance(1.0)
        bench.answer(BMS + b"late")
        assert client.got == [BMS + b"late"]
        assert bench.device.stats().late == 1

    def test_never_reach_who_asked_later(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(can(84, BMS))
        bench.clock.advance(1.0)
        two.ask(BMS)
        bench.answer(BMS + b"84, late")
        assert (one.got, two.got) == ([BMS + b"84, late"], [])
        bench.answer(BMS + b"local")
        assert two.got == [BMS + b"local"]

    def test_can_come_no_more_when_a_fence_was_answered(self):
        bench = Bench()
        client = bench.client()
        client.ask(BMS)
        bench.clock.advance(1.0)
        client.ask(BMS)
        assert bench.take() == [BMS, FW]
        bench.answer(FW_REPLY)
        assert bench.take() == [BMS]
        assert client.got == [], "the fence is ours"
        bench.answer(BMS + b"!")
        assert client.got == [BMS + b"!"]

    def test_are_waited_out_where_the_fence_is_silent_too(self):
        bench = Bench()
        client = bench.client()
        client.ask(BMS)
        bench.clock.advance(1.0)
        client.ask(BMS)
        bench.take()
        bench.clock.advance(LATEST - 1.1)
        assert bench.take() == []
        bench.clock.advance(0.2)
        assert bench.take() == [BMS]

    def test_a_client_that_asked_again_meanwhile_gets_a_request_of_its_own(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(BMS)
        bench.clock.advance(0.5)
        two.ask(BMS)
        bench.clock.advance(0.3)
        assert bench.take() == [BMS, FW]
        bench.answer(FW_REPLY)
        assert bench.take() == [BMS]
        bench.answer(BMS + b"!")
        assert (one.got, two.got) == ([], [BMS + b"!"])

    def test_of_a_node_never_reach_who_asked_another_node(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(can(5, BMS))
        bench.clock.advance(0.2)
        two.ask(can(10, BMS))
        bench.clock.advance(0.6)
        bench.answer(FW_REPLY)
        bench.answer(BMS + b"5, late")
        assert (one.got, two.got) == ([BMS + b"5, late"], [])
        bench.answer(BMS + b"10")
        assert two.got == [BMS + b"10"]

    def test_of_a_node_that_never_answered_are_waited_out(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(can(84, BMS))
        bench.clock.advance(0.8)
        two.ask(BMS)
        bench.answer(FW_REPLY)  # the device is quick: that proves nothing of the node
        assert bench.take() == [can(84, BMS)]
        bench.clock.advance(LATEST)
        assert bench.take() == [BMS]
        bench.answer(BMS + b"local")
        assert (one.got, two.got) == ([], [BMS + b"local"])

    def test_of_a_node_that_answers_can_come_no_more_when_it_answered_a_fence(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(can(84, APPCONF))
        bench.answer(APPCONF + b"84")
        one.ask(can(84, BMS))
        bench.clock.advance(0.8)
        bench.take()
        two.ask(BMS)
        assert bench.take() == [can(84, FW)]
        bench.answer(FW_REPLY)
        assert bench.take() == [BMS]
        bench.answer(BMS + b"local")
        assert two.got == [BMS + b"local"]


class TestSilence:
    def test_of_one_command_holds_up_no_other(self):
        bench = Bench()
        tool, watch = bench.clients(2)
        tool.ask(VALUES)  # an Express never answers it
        for _ in range(20):
            watch.ask(BMS)
            bench.answer(BMS + b"!")
            bench.clock.advance(0.1)
        assert len(watch.got) == 20
        assert tool.seat.stats().unanswered == 1

    def test_of_a_dead_node_does_not_take_the_bus_from_the_others(self):
        bench = Bench()
        hopeful, other = bench.clients(2)
        answered = 0
        for _ in range(600):
            hopeful.ask(can(99, APPCONF))
            other.ask(can(84, BMS))
            if bench.asked and bench.take()[-1] == can(84, BMS):
                bench.answer(BMS + b"!")
            bench.clock.advance(0.1)
            if bench.asked and bench.take()[-1] == can(84, BMS):
                bench.answer(BMS + b"!")
        answered = len(other.got)
        assert answered > 450, "of 600"
        assert hopeful.seat.stats().unanswered > PATIENCE

    def test_of_the_whole_device_keeps_all_bounded_and_is_told(self):
        bench = Bench()
        client = bench.client()
        for _ in range(200):
            client.ask(BMS, can(84, APPCONF), PING)
            bench.clock.advance(0.1)
        assert client.seat.stats().waiting <= MAX_OPEN
        assert len(bench.asked) < 60
        assert bench.device.silent > 19
        bench.clock.advance(20)
        assert client.seat.stats().waiting == 0


class TestClients:
    def test_that_send_half_a_frame_send_nothing(self):
        bench = Bench()
        client = bench.client()
        frame = encode_frame(BMS)
        client.seat.received(frame[:3])
        assert bench.written == []
        client.seat.received(frame[3:])
        assert bench.written == [frame]

    def test_that_send_damaged_frames_send_junk(self):
        bench = Bench()
        client = bench.client()
        client.seat.received(encode_frame(BMS)[:-2] + b"\xff\x03" + FILLER + b"noise" + encode_frame(APPCONF))
        assert bench.asked == [APPCONF]
        assert client.seat.stats().junk > 0

    def test_that_leave_get_nothing_more(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(BMS)
        two.ask(BMS)
        one.seat.leave()
        bench.answer(BMS + b"!")
        assert (one.got, two.got) == ([], [BMS + b"!"])
        assert bench.device.stats().requests == 2, "what it had is not forgotten"

    def test_that_ask_what_they_may_not_are_refused_and_it_is_told_once(self):
        bench = Bench()
        client = bench.client("192.0.2.7:5000")
        client.ask(CURRENT, CURRENT, can(84, CURRENT), bytes((Command.FORWARD_CAN,)))
        assert bench.asked == []
        assert [line.split(" refused")[0] for line in bench.told] == [
            "192.0.2.7:5000: SET_CURRENT",
            "192.0.2.7:5000: FORWARD_CAN > SET_CURRENT",
            "192.0.2.7:5000: FORWARD_CAN",
        ]
        assert bench.device.stats().refused == {"control": 3, "never": 1}

    def test_an_emergency_stop_overtakes_everything(self):
        bench = Bench()
        client = bench.client()
        client.ask(PING, can(84, BMS), can(10, BMS), ESTOP)
        assert bench.asked == [PING, can(84, BMS), ESTOP]

    def test_what_is_allowed_and_never_answered_waits_for_nothing(self):
        bench = Bench(parse_policy("control"))
        client = bench.client()
        client.ask(BMS)
        bench.clock.advance(1.0)
        client.ask(BMS, CURRENT)
        assert CURRENT in bench.asked

    def test_what_changes_a_setting_keeps_its_place(self):
        bench = Bench(parse_policy("config"))
        client = bench.client()
        client.ask(b"\x0done", b"\x0dtwo", b"\x0e")
        assert bench.take() == [b"\x0done"]
        bench.answer(b"\x0d")
        assert bench.take() == [b"\x0dtwo", b"\x0e"]


class TestConnections:
    def test_begin_with_filler_and_a_question_of_our_own(self):
        bench = Bench(flush=True)
        client = bench.client()
        client.ask(BMS)
        assert bench.written == [FILLER, encode_frame(FW)]
        bench.answer(FW_REPLY)
        assert bench.asked == [FW, BMS]
        assert bench.device.fw_version == FW_REPLY

    def test_through_a_hub_are_asked_twice_for_the_first_reply_may_be_anothers(self):
        bench = Bench()
        bench.device.device_gone()
        bench.connect(shared=True)
        bench.client().ask(BMS)
        bench.answer(FW_REPLY)
        assert bench.asked == [FW, FW]
        bench.answer(FW_REPLY)
        assert bench.asked == [FW, FW, BMS]

    def test_that_come_back_answer_what_was_asked_meanwhile(self):
        bench = Bench()
        client = bench.client()
        client.ask(BMS)
        bench.device.device_gone()
        client.ask(APPCONF)
        bench.clock.advance(3)
        bench.take()
        bench.connect(flush=False)
        assert bench.take() == [BMS, APPCONF]
        bench.answer(BMS + b"!", APPCONF + b"!")
        assert client.got == [BMS + b"!", APPCONF + b"!"]

    def test_that_come_back_too_late_find_nothing_waiting(self):
        bench = Bench(keep=5.0)
        client = bench.client()
        bench.device.device_gone()
        client.ask(BMS)
        bench.clock.advance(6)
        assert client.seat.stats().dropped == 1
        bench.connect(flush=False)
        assert bench.asked == []

    def test_while_there_is_none_nothing_that_acts_is_kept(self):
        bench = Bench(parse_policy("control"))
        client = bench.client()
        bench.device.device_gone()
        client.ask(CURRENT, ESTOP)
        bench.connect(flush=False)
        assert bench.asked == [ESTOP]

    def test_end_with_no_timer_left(self):
        bench = Bench()
        client = bench.client()
        client.ask(BMS, can(84, BMS))
        client.seat.received(b"\x02")
        bench.device.close()
        assert bench.clock.pending == 0
        client.ask(BMS)
        bench.answer(BMS + b"!")
        assert client.got == []
