"""A permission holds from the moment it is given until it is taken; and a client is told what is refused."""

import pytest

from packwire.share.permissions import READ_ONLY, parse_policy
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import forward_can
from tests.share.clock import Bench

BMS = bytes((Command.BMS_GET_VALUES,))
CURRENT = bytes((Command.SET_CURRENT, 0, 0, 1, 0))
RESET = bytes((Command.RESET_STATS, 1))
CONTROL = parse_policy("control")


class TestAPermissionThatIsWithdrawn:
    @pytest.mark.parametrize("request_", [CURRENT, RESET, forward_can(84, CURRENT)])
    def test_does_not_hold_for_a_frame_that_is_known_from_before(self, request_):
        bench = Bench(CONTROL)
        one, two = bench.clients(2)
        one.ask(request_)
        assert bench.take() == [request_]
        bench.answer(b"\x81")
        bench.device.policy = READ_ONLY
        one.ask(request_)
        two.ask(request_)
        bench.clock.advance(10)
        assert bench.take() == []
        assert one.seat.refused == two.seat.refused == 1

    def test_does_not_hold_for_what_waits(self):
        bench = Bench(CONTROL)
        one, two = bench.clients(2)
        one.ask(RESET)
        two.ask(RESET, BMS)
        assert bench.take() == [RESET]
        bench.device.policy = READ_ONLY
        bench.answer(b"\x81")
        bench.clock.advance(1)
        assert bench.take() == [BMS]
        assert two.seat.dropped == 1

    def test_does_not_hold_for_a_frame_that_has_begun(self):
        bench = Bench(CONTROL)
        client = bench.client()
        frame = encode_frame(CURRENT)
        client.seat.received(frame[:4])
        bench.device.policy = READ_ONLY
        client.seat.received(frame[4:])
        assert bench.take() == []

    def test_leaves_readings_alone(self):
        bench = Bench(CONTROL)
        one, two = bench.clients(2)
        one.ask(BMS)
        two.ask(RESET, bytes((Command.GET_STATS, 0, 1)))
        bench.device.policy = READ_ONLY
        bench.answer(BMS + b"!")
        assert one.take() == [BMS + b"!"]

    def test_holds_again_once_it_is_given_again(self):
        bench = Bench()
        client = bench.client()
        client.ask(CURRENT)
        bench.device.policy = CONTROL
        client.ask(CURRENT)
        assert bench.take() == [CURRENT]


class TestAClientThatIsRefused:
    def texts(self, client) -> list[str]:
        printed = client.take()
        assert all(payload[0] == Command.PRINT and payload[-1] == 0 for payload in printed)
        return [payload[1:-1].decode() for payload in printed]

    def test_is_told_once_a_kind(self):
        bench = Bench()
        one, two = bench.clients(2)
        one.ask(CURRENT, CURRENT, RESET, bytes((Command.FILE_MKDIR,)) + b"x\0", bytes((Command.FORWARD_CAN,)))
        told = self.texts(one)
        assert [text.partition(" refused")[0] for text in told] == [
            "packwire: SET_CURRENT",
            "packwire: FILE_MKDIR",
            "packwire: FORWARD_CAN",
        ]
        assert "--allow control" in told[0]
        assert self.texts(two) == []
        two.ask(CURRENT)
        assert len(self.texts(two)) == 1

    def test_is_told_of_each_text_for_the_terminal(self):
        bench = Bench()
        client = bench.client()
        for _ in range(3):
            client.ask(b"\x14help", forward_can(84, b"\x14help"))
            assert self.texts(client)[0].startswith("packwire: TERMINAL_CMD refused: ")
            bench.clock.advance(1)

    def test_is_not_flooded(self):
        bench = Bench()
        client = bench.client()
        for _ in range(1000):
            client.ask(b"\x14help")
            bench.clock.advance(0.001)
        assert 5 <= len(client.take()) <= 12

    def test_still_reads(self):
        bench = Bench()
        client = bench.client()
        client.ask(CURRENT, BMS)
        bench.answer(BMS + b"!")
        assert client.take()[-1] == BMS + b"!"
