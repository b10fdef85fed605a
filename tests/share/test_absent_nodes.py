"""A client that asks CAN nodes which are not there leaves the device and its bus to the others."""

import pytest

from packwire.vesc.commands import Command
from packwire.vesc.requests import forward_can
from tests.share.clock import Bench, Client

BMS = bytes((Command.BMS_GET_VALUES,))
VALUES = bytes((Command.GET_VALUES,))
FW = bytes((Command.FW_VERSION,))
PING = bytes((Command.PING_CAN,))
THERE = 84


class Vehicle(Bench):
    """A device and one node on its bus; both answer within 10 ms, nobody answers for the others."""

    def _write(self, data: bytes) -> None:
        before = len(self.asked)
        super()._write(data)
        for payload in self.asked[before:]:
            self._answer_later(payload)

    def _answer_later(self, payload: bytes) -> None:
        if payload == PING:
            self.clock.call_later(2.5, lambda: self.answer(PING + bytes((THERE,))))
        elif payload[0] != Command.FORWARD_CAN:
            self.clock.call_later(0.002, lambda: self.answer(payload[:1] + bytes(40)))
        elif payload[1] == THERE:
            self.clock.call_later(0.01, lambda: self.answer(payload[2:3] + bytes(20)))


def poll(vehicle: Vehicle, honest: Client, request: bytes, greedy: list[Client], ask) -> int:
    """Let an honest client poll ten times a second, and count its replies in 20 s.

    It asks one question after the other, and again where it heard nothing for a second.

    Before that it has 5 s: what was asked before it came may have to be waited out, and that takes 3.
    """
    asked, answered = -10, 0
    for tick in range(250):
        for client in greedy:
            client.ask(*ask(tick))
        if tick - asked >= 10:
            honest.ask(request)
            asked = tick
        vehicle.clock.advance(0.1)
        if honest.take():
            asked = -10
            answered += tick >= 50
    return answered


ASKED = {
    "the same of one absent node": lambda tick: [forward_can(10, BMS)],
    "the same of many": lambda tick: [forward_can(tick % 80, BMS)],
    "who they are": lambda tick: [forward_can(tick % 80, FW)],
    "all sorts of things": lambda tick: [
        forward_can(tick % 80, bytes((command,))) for command in (96, 4, 0, 157)
    ],
    "through other nodes": lambda tick: [forward_can(tick % 80, forward_can(3, BMS))],
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("clients", [1, 5])
@pytest.mark.parametrize("request_", [BMS, VALUES, FW, forward_can(THERE, BMS), forward_can(THERE, VALUES)])
def test_a_client_that_polls_is_not_starved(asked, clients, request_):
    vehicle = Vehicle()
    honest, *greedy = vehicle.clients(1 + clients)
    assert poll(vehicle, honest, request_, greedy, ASKED[asked]) >= 180


@pytest.mark.parametrize("request_", [BMS, VALUES, FW])
def test_a_node_that_is_there_is_found_while_others_poll(request_):
    vehicle = Vehicle()
    honest, newcomer = vehicle.clients(2)
    for _ in range(20):
        honest.ask(BMS, VALUES, FW)
        vehicle.clock.advance(0.1)
    newcomer.ask(forward_can(THERE, request_))
    for _ in range(40):
        honest.ask(BMS, VALUES, FW)
        vehicle.clock.advance(0.1)
    assert len(newcomer.take()) == 1
    for _ in range(10):
        newcomer.ask(forward_can(THERE, request_))
        vehicle.clock.advance(0.1)
    assert len(newcomer.take()) == 10


def test_an_absent_node_is_told_from_one_that_is_there_while_others_poll():
    vehicle = Vehicle()
    honest, newcomer = vehicle.clients(2)
    newcomer.ask(forward_can(9, VALUES))
    vehicle.clock.advance(4.0)
    honest.ask(BMS)
    vehicle.clock.advance(0.1)
    newcomer.ask(forward_can(10, BMS))
    vehicle.clock.advance(1.0)
    assert vehicle.take() == [forward_can(9, VALUES), BMS, forward_can(10, FW)]
    assert newcomer.seat.unanswered == 2
