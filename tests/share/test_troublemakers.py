"""What one client does shall not cost another: floods, silent commands, dead nodes, broken frames, long files."""

import pytest

from packwire.share.permissions import COMMANDS_OF, Effect, parse_policy
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import forward_can
from tests.share.clock import Bench
from tests.vesc.shapes import shortest_request

BMS = bytes((Command.BMS_GET_VALUES,))
VALUES = bytes((Command.GET_VALUES,))
FW = bytes((Command.FW_VERSION,))
PING = bytes((Command.PING_CAN,))
APPCONF = bytes((Command.GET_APPCONF,))
CURRENT = bytes((Command.SET_CURRENT, 0, 0, 1, 0))
FW_REPLY = b"\0\x07\0express\0"


def stop(number: int) -> bytes:
    return bytes((Command.MOTOR_ESTOP, 0, number))


def read_file(name: str, offset: int) -> bytes:
    return bytes((Command.FILE_READ,)) + name.encode() + b"\0" + offset.to_bytes(4)


def piece(offset: int, size: int = 8000, count: int = 400) -> bytes:
    return bytes((Command.FILE_READ,)) + offset.to_bytes(4) + size.to_bytes(4) + bytes(count)


class TestLeaving:
    def test_ends_what_a_client_waits_for(self):
        bench = Bench()
        for _ in range(50):
            client = bench.client()
            client.ask(*[PING] * 64)
            client.seat.leave()
        (request,) = bench.device.pending.open
        assert not request.waiters

    def test_counts_a_frame_that_was_broken_off_as_junk(self):
        bench = Bench()
        client = bench.client()
        client.seat.received(b"\x02\x40abcdef")
        client.seat.leave()
        assert client.seat.stats().junk == bench.device.stats().client_junk == 8


class TestUnansweredCommands:
    SILENT = tuple(
        shortest_request(command)
        for command in COMMANDS_OF[Effect.READ]
        if command not in {Command.BMS_GET_VALUES, Command.FW_VERSION, Command.PING_CAN}
        and not command.name.startswith("FILE")
    )

    def test_however_many_keep_nobody_else_from_the_device(self):
        bench = Bench()
        one, two, honest = bench.clients(3)
        for _ in range(50):
            one.ask(*self.SILENT)
            two.ask(*reversed(self.SILENT))
            honest.ask(BMS)
            if BMS in bench.take():
                bench.answer(BMS + b"!")
            bench.clock.advance(0.1)
        assert len(honest.got) == 50

    def test_keep_no_fence_back(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(*self.SILENT)
        two.ask(*self.SILENT)
        bench.clock.advance(0.8)
        one.ask(self.SILENT[0])
        assert FW in bench.take()


class TestTheCanBus:
    def test_is_free_again_while_a_node_searches_its_own(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(forward_can(20, PING))
        two.ask(forward_can(10, BMS))
        bench.clock.advance(0.8)
        assert bench.take() == [forward_can(20, PING), forward_can(10, BMS)]
        bench.answer(BMS + b"!")
        bench.clock.advance(2.0)
        bench.answer(PING + b"\x0a")
        assert (one.got, two.got) == ([PING + b"\x0a"], [BMS + b"!"])

    def test_is_asked_again_when_a_search_finds_a_node_that_did_not_answer(self):
        bench = Bench()
        client = bench.client()
        for _ in range(4):
            client.ask(forward_can(84, BMS))
            bench.clock.advance(3.1)
        bench.take()
        client.ask(forward_can(84, BMS))
        assert bench.take() == [], "it rests"
        client.ask(PING)
        bench.answer(PING + b"\x54")
        client.ask(forward_can(84, BMS))
        assert bench.take() == [PING, forward_can(84, BMS)]

    def test_is_asked_for_what_a_node_answers_although_it_is_silent_on_what_its_type_never_answers(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(forward_can(10, FW))
        bench.answer(FW + b"\x06\x05")
        bench.take()
        for client in (one, two, one, two):
            client.ask(forward_can(10, VALUES))
            assert bench.take() == [forward_can(10, VALUES)], "it does not rest"
            bench.clock.advance(3.1)
        two.ask(forward_can(10, BMS))
        assert bench.take() == [forward_can(10, BMS)]

    def test_is_asked_whether_a_node_is_there_that_was_silent_on_other_questions_alone(self):
        bench = Bench()
        client = bench.client()
        for _ in range(4):
            client.ask(forward_can(10, VALUES))
            bench.clock.advance(3.1)
        bench.take()
        client.ask(forward_can(10, VALUES), forward_can(10, FW))
        assert bench.take() == [forward_can(10, FW)], "what it was asked in vain rests"

    def test_rests_from_a_node_that_fell_silent_on_what_it_did_answer(self):
        bench = Bench()
        client = bench.client()
        client.ask(forward_can(10, VALUES))
        bench.answer(VALUES + bytes(60))
        bench.take()
        for _ in range(4):
            client.ask(forward_can(10, VALUES))
            bench.clock.advance(3.1)
        bench.take()
        client.ask(forward_can(10, VALUES))
        assert bench.take() == []


class TestFrames:
    LONG = encode_frame(APPCONF + bytes(range(1, 200)) * 2)

    def test_half_received_survive_the_silence_of_another_command(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(VALUES)
        bench.clock.advance(0.70)
        two.ask(APPCONF)
        bench.device.device_received(self.LONG[:200])
        bench.clock.advance(0.06)
        bench.device.device_received(self.LONG[200:])
        assert len(two.got) == 1
        assert bench.device.stats().device_junk == 0

    def test_that_never_end_hide_no_replies_for_long_although_more_comes_all_the_time(self):
        bench = Bench()
        client = bench.client()
        bench.device.device_received(b"\x04\0\x20\0")
        for _ in range(60):
            client.ask(BMS)
            bench.answer(*[BMS + b"!" for asked in bench.take() if asked == BMS])
            bench.clock.advance(0.1)
            bench.device.device_received(encode_frame(b"\x15text\0"))
        assert len([each for each in client.got if each[0] == BMS[0]]) > 20


class TestFiles:
    def test_are_read_by_another_after_a_while_also_where_the_first_reads_on_and_on(self):
        bench = Bench()
        greedy, other = bench.clients(2)
        for number in range(100):
            greedy.ask(read_file("a", number * 400))
            if number % 5 == 0:
                other.ask(read_file("b", 0))
            for asked in bench.take():
                bench.answer(piece(int.from_bytes(asked[-4:]), 10_000_000))
            bench.clock.advance(0.5)
        assert other.got

    def test_at_their_end_are_at_once_anothers(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(read_file("a", 0))
        two.ask(read_file("b", 0))
        assert bench.take() == [read_file("a", 0)]
        bench.answer(piece(0, size=400))
        assert bench.take() == [read_file("b", 0)]

    def test_are_not_read_on_where_the_device_would_read_on_in_anothers(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(read_file("a", 0))
        bench.answer(piece(0))
        bench.clock.advance(1.2)
        two.ask(read_file("b", 400))
        assert bench.take() == [read_file("a", 0)]
        assert two.seat.stats().dropped == 1
        two.ask(read_file("b", 0))
        assert bench.take() == [read_file("b", 0)]


class TestEmergencyStops:
    def test_in_a_flood_are_few_and_the_last_one_is_sent(self):
        bench = Bench()
        client = bench.client()
        client.ask(*(stop(number) for number in range(200)))
        assert bench.take() == [stop(0)]
        bench.clock.advance(1.0)
        assert bench.take() == [stop(199)]
        assert bench.clock.pending == 0

    def test_of_one_node_keep_none_of_another_back(self):
        bench = Bench()
        client = bench.client()
        asked = [stop(1), forward_can(84, stop(1)), forward_can(10, stop(1))]
        client.ask(*asked)
        assert bench.asked == asked

    def test_are_not_lost_in_a_flood_of_others_to_all_nodes_there_could_be(self):
        bench = Bench()
        bad, good = bench.clients(2)
        bad.ask(*(forward_can(one, forward_can(two, stop(1))) for one in range(20) for two in range(20)))
        bad.ask(*(forward_can(node, stop(1)) for node in range(255)))
        bench.take()
        good.ask(stop(1), forward_can(84, stop(2)))
        bench.clock.advance(1)
        assert bench.take() == [stop(1), forward_can(84, stop(2))]

    def test_wait_for_a_device_that_takes_nothing_and_go_first(self):
        bench = Bench()
        client = bench.client()
        bench.device.device_full(True)
        client.ask(BMS, stop(1), stop(2))
        assert bench.take() == []
        bench.device.device_full(False)
        bench.clock.advance(0.1)
        assert bench.take() == [stop(2), BMS]


class TestADeviceThatTakesNothing:
    def test_is_sent_nothing_and_what_acts_is_dropped(self):
        bench = Bench(parse_policy("control"))
        client = bench.client()
        bench.device.device_full(True)
        client.ask(*[CURRENT] * 100)
        assert bench.asked == []
        assert client.seat.stats().dropped == 100
        client.ask(BMS)
        bench.device.device_full(False)
        bench.clock.advance(0.1)
        assert bench.asked == [BMS]


class TestASilentDevice:
    def test_is_asked_once_who_it_is_and_its_reply_ends_the_silence(self):
        bench = Bench()
        bench.client().ask(VALUES)
        bench.clock.advance(10)
        bench.take()
        bench.device.probe()
        bench.device.probe()
        assert bench.take() == [FW]
        assert bench.device.probed
        bench.answer(FW_REPLY)
        assert bench.device.silent == 0
        assert not bench.device.probed


class TestMemory:
    def test_of_what_is_given_out_now_outlives_a_flood_of_other_frames(self):
        bench = Bench(max_age=5.0)
        one, two = bench.clients(2)
        one.ask(BMS)
        bench.answer(BMS + b"!")
        for number in range(1000):
            two.ask(bytes((Command.PSW_GET_STATUS, 0)) + number.to_bytes(2))
        one.take()
        one.ask(BMS)
        assert one.got == [BMS + b"!"]

    def test_of_how_the_sharing_goes_is_told_once_a_second(self):
        bench = Bench()
        client = bench.client()
        client.ask(*[b"\x14packwire"] * 100)
        assert len(client.take()) == len(bench.device.stats().seats) + 1
        bench.clock.advance(1.1)
        client.ask(b"\x14packwire")
        assert client.got


@pytest.mark.parametrize("packet", [b"\x13sample", b"\x55\0\0\1\2\1abc"])
def test_samples_and_can_frames_that_were_asked_for_reach_who_asked(packet):
    bench = Bench(parse_policy("control,can"))
    client = bench.client()
    bench.answer(packet)
    assert client.got == [packet]
