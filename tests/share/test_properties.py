"""Whatever clients send and however they do: the device sees whole allowed frames alone, and no reply goes astray.

The device here is a model of a real one: its own replies come in the order of the requests, those of its CAN
nodes within half a second, all through one line that may lag; any of them may be lost.
"""

import itertools
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.share.permissions import READ_ONLY, kind_of
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import FILLER, forward_can
from tests.share.clock import Bench, Client

DIRECT = 255
BMS = bytes((Command.BMS_GET_VALUES,))
REQUESTS = [
    BMS,
    bytes((Command.GET_APPCONF,)),
    bytes((Command.PSW_GET_STATUS, 0, 0, 1)),
    bytes((Command.PSW_GET_STATUS, 0, 0, 2)),
    bytes((Command.PING_CAN,)),
    *(forward_can(node, inner) for node in (10, 84) for inner in (BMS, bytes((Command.GET_APPCONF,)))),
]
REFUSED = [
    bytes((Command.SET_CURRENT, 0, 0, 1, 0)),
    bytes((Command.FORWARD_CAN, 84, Command.REBOOT)),
    bytes((Command.FORWARD_CAN,)),
    bytes((Command.FORWARD_CAN, 255, Command.BMS_GET_VALUES)),
    bytes((200, 1)),
]
NO_FRAME = [
    b"\0" * 30,
    b"\x02\x05abc",
    b"\x03\x01",
    encode_frame(b"\x60")[:-2],
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x02",
]

steps = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 2), st.sampled_from(REQUESTS)),
    st.tuples(st.just("ask"), st.integers(0, 2), st.sampled_from(REQUESTS)),
    st.tuples(st.just("ask"), st.integers(0, 2), st.sampled_from(REFUSED)),
    st.tuples(st.just("junk"), st.integers(0, 2), st.sampled_from(NO_FRAME)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.05, 0.3, 0.8, 2.0]), st.none()),
    st.tuples(st.just("lose"), st.integers(1, 3), st.none()),
    st.tuples(st.just("lag"), st.sampled_from([0.0, 0.02, 0.6, 1.5, 2.2]), st.none()),
    st.tuples(st.just("drop"), st.floats(0.1, 8.0), st.none()),
)


class ModelDevice(Bench):
    """Answers each request with who was asked for what: command, CAN id, arguments, number of the reply."""

    def __init__(self, **options: Any) -> None:
        self.lag = 0.001
        self.lose = 0
        self.free_at = 0.0
        self.line = 0
        self.replies = 0
        self.connected = False
        super().__init__(**options)

    def connect(self, **options: Any) -> None:
        self.connected = True
        self.line += 1
        super().connect(**options)

    def disconnect(self) -> None:
        self.connected = False
        self.device.device_gone()

    def _write(self, data: bytes) -> None:
        assert self.connected
        before = len(self.asked)
        super()._write(data)
        if data == FILLER:
            return
        assert len(self.asked) == before + 1, "one whole frame a write"
        self.answer_later(self.asked[-1])

    def answer_later(self, payload: bytes) -> None:
        forwarded = payload[0] == Command.FORWARD_CAN
        node, inner = (payload[1], payload[2:]) if forwarded else (DIRECT, payload)
        if self.lose:
            self.lose -= 1
            return
        self.replies += 1
        reply = bytes((inner[0], node)) + inner[1:] + self.replies.to_bytes(4)
        delay = 0.4 if node == 10 else 0.006 if forwarded else 2.5 if inner[0] == Command.PING_CAN else 0.0
        self.clock.call_later(delay, lambda: self._onto_line(reply, self.line))

    def _onto_line(self, reply: bytes, line: int) -> None:
        self.free_at = max(self.free_at, self.clock.now + self.lag)
        self.clock.call_at(self.free_at, lambda: self._arrive(reply, line))

    def _arrive(self, reply: bytes, line: int) -> None:
        if self.connected and line == self.line:
            self.answer(reply)


def asked_by(reply: bytes) -> bytes:
    """Return the request that a reply of the model answers."""
    inner = reply[:1] + reply[2:-4]
    return inner if reply[1] == DIRECT else forward_can(reply[1], inner)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({place % (len(data) + 1) for place in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(places)]


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=60), st.lists(st.integers(0, 600), max_size=3), st.sampled_from([0.0, 0.3]))
def test_no_reply_goes_astray(actions, cuts, max_age):
    model = ModelDevice(flush=True, max_age=max_age)
    clients: list[Client] = model.clients(3)
    asked: list[Counter[bytes]] = [Counter() for _ in clients]
    for kind, which, what in actions:
        match kind:
            case "ask" | "junk":
                data = encode_frame(what) if kind == "ask" else what
                asked[which][what] += 1
                for piece in cut(data, cuts):
                    clients[which].seat.received(piece)
            case "wait":
                model.clock.advance(which)
            case "lose":
                model.lose = which
            case "lag":
                model.lag = which
            case "drop" if model.connected:
                model.disconnect()
                model.clock.advance(which)
                model.connect(flush=True)
    model.clock.advance(30)
    for payload in model.asked:
        assert READ_ONLY.permits(kind_of(payload))
    for client, requests in zip(clients, asked, strict=True):
        answered = Counter(asked_by(reply) for reply in client.got if reply[0] != Command.PRINT)
        assert not answered - requests, "a reply that this client did not ask for"
        assert len(set(client.got)) <= len(client.got)
        stats = client.seat.stats()
        assert stats.waiting == 0
        assert stats.requests == stats.replies + stats.refused + stats.dropped + stats.unanswered
    assert model.clock.pending == 0, "nothing is under way, so nothing ticks"


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=30))
def test_after_any_trouble_a_device_that_answers_is_heard(actions):
    model = ModelDevice(flush=True)
    clients = model.clients(3)
    for kind, which, what in actions:
        match kind:
            case "ask" | "junk":
                clients[which].seat.received(encode_frame(what) if kind == "ask" else what)
            case "wait":
                model.clock.advance(which)
            case "lose":
                model.lose = which
            case "lag":
                model.lag = which
            case "drop":
                model.disconnect()
                model.connect(flush=True)
    model.lag, model.lose = 0.001, 0
    model.clock.advance(30)
    for client in clients:
        client.take()
        # Zeros end a frame that this client broke off, as every client of packwire sends them at its begin.
        client.seat.received(FILLER)
    for request in REQUESTS:
        for client in clients:
            client.ask(request)
            model.clock.advance(4)
            assert [asked_by(reply) for reply in client.take()] == [request]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(REQUESTS)), max_size=40), st.integers(0, 1000))
def test_a_device_that_answers_in_time_answers_every_request_in_order(requests, seed):
    model = ModelDevice(keep=60.0)
    clients = model.clients(3)
    for number, (who, request) in enumerate(requests):
        clients[who].ask(request)
        if (number + seed) % 3 == 0:
            model.clock.advance(0.002)
    model.clock.advance(100)
    for who, client in enumerate(clients):
        wanted = [request for asker, request in requests if asker == who]
        got = [asked_by(reply) for reply in client.got]
        assert Counter(got) == Counter(wanted)
        for way in (DIRECT, 10, 84):
            assert [each for each in got if on_way(each) == way] == [
                each for each in wanted if on_way(each) == way
            ]


def on_way(request: bytes) -> int:
    if request[0] == Command.FORWARD_CAN:
        return request[1]
    return -2 if request[0] == Command.PING_CAN else DIRECT


ONE_EACH = (BMS, forward_can(84, BMS), forward_can(10, BMS), bytes((Command.GET_APPCONF,)))
troubles = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 3)),
    st.tuples(st.just("ask"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.05, 0.4, 0.8, 2.0])),
    st.tuples(st.just("lag"), st.sampled_from([0.001, 0.5, 1.5, 2.2])),
    st.tuples(st.just("lose"), st.integers(1, 2)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(troubles, min_size=4, max_size=40))
def test_clients_that_ask_one_thing_each_hear_of_that_alone(actions):
    model = ModelDevice()
    clients = model.clients(4)
    for kind, what in actions:
        match kind:
            case "ask":
                clients[what].ask(ONE_EACH[what])
            case "wait":
                model.clock.advance(what)
            case "lag":
                model.lag = what
            case "lose":
                model.lose = what
    model.clock.advance(30)
    for client, request in zip(clients, ONE_EACH, strict=True):
        assert {asked_by(reply) for reply in client.got} <= {request}
