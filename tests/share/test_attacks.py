"""An attacker's search: whatever clients that may only read send, and whatever the line does, nothing else runs.

The device here finds frames as the firmware does, so it runs what stands within a frame once that is damaged.
"""

import itertools
import random
from binascii import crc_hqx

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.share.outgoing import Outgoing
from packwire.share.permissions import (
    ALLOWABLE,
    COMMANDS_OF,
    READ_ONLY,
    Effect,
    Policy,
    kind_of,
    parse_policy,
)
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import FILLER
from packwire.vesc.traits import TRAITS
from tests.share.clock import Bench
from tests.vesc.receiver import Receiver

DUTY = bytes((Command.SET_DUTY, 0, 0, 0x27, 0x10))
REBOOT = bytes((Command.REBOOT,))
FORBIDDEN = [
    DUTY,
    REBOOT,
    bytes((Command.FORWARD_CAN, 84)) + DUTY,
    bytes((Command.ERASE_NEW_APP, 0, 0, 1, 0)),
]


def frames_of(payload: bytes) -> list[bytes]:
    """Return a payload in each form of frame that some firmware takes."""
    end = crc_hqx(payload, 0).to_bytes(2) + b"\x03"
    size = len(payload)
    return [bytes((start,)) + size.to_bytes(start - 1) + payload + end for start in (2, 3, 4)]


HIDDEN = [frame for payload in FORBIDDEN for frame in frames_of(payload)]


class Line:
    """Bytes to a device over a line that changes, loses and adds some of them, and that may be cut."""

    def __init__(self, seed: int, wrong: float) -> None:
        self.receiver = Receiver()
        self.left: int | None = None
        """How many bytes still arrive before the line is cut."""
        self._random = random.Random(seed)
        self._wrong = wrong

    def write(self, data: bytes) -> None:
        if self.left is not None:
            data, self.left = data[: self.left], max(self.left - len(data), 0)
        if self._wrong:
            data = b"".join(self._carried(byte) for byte in data)
        self.receiver.take(data)

    def _carried(self, byte: int) -> bytes:
        chance = self._random.random()
        if chance >= self._wrong:
            return bytes((byte,))
        if chance < self._wrong / 2:
            return bytes((self._random.randrange(256),))
        return b"" if chance < self._wrong * 3 / 4 else bytes((byte, self._random.randrange(256)))


def attack(bench: Bench, requests: list[bytes], line: Line, cuts: list[int]) -> None:
    """Let two clients send requests by turns, with the line cut now and then."""
    clients = bench.clients(2)
    for number, request in enumerate(requests):
        if cuts and number % 3 == 2:
            line.left = cuts[number % len(cuts)]
        clients[number % 2].seat.received(encode_frame(request))
        bench.clock.advance(0.05)
        if line.left is not None:
            line.left = None
            bench.device.device_gone()
            bench.device.device_connected(line.write, flush=number % 2 == 0)
    bench.clock.advance(10)
    line.write(FILLER)


def assert_nothing_else_ran(receiver: Receiver, policy: Policy) -> None:
    for payload in receiver.ran:
        assert policy.permits(kind_of(payload)), payload.hex()


@st.composite
def attacks(draw: st.DrawFn) -> bytes:
    """Draw a request of any command with whole frames, parts of them or a good try at its arguments in it."""
    command = draw(st.sampled_from(sorted(TRAITS)))
    hidden = draw(st.sampled_from(HIDDEN))
    split = draw(st.integers(0, len(hidden)))
    shape = TRAITS[command].arguments
    before = bytes(shape.before) + draw(st.sampled_from([b"", b"log.csv\0", b"\0\0"]))
    middle = draw(
        st.sampled_from([hidden, hidden * 24, hidden[:split], hidden[split:], hidden[:split] + bytes(9)])
    )
    fit = before + middle + bytes(max(shape.least - len(middle), 0))
    arguments = draw(st.sampled_from([middle, before + middle, fit, fit[: shape.before + shape.least]]))
    nodes = draw(st.lists(st.sampled_from([1, 2, 3, 4, 5, 84]), max_size=3))
    payload = bytes((command,)) + arguments
    for node in nodes:
        payload = bytes((Command.FORWARD_CAN, node)) + payload
    return payload[:511]


@settings(max_examples=150, deadline=None)
@given(
    st.sets(st.sampled_from(ALLOWABLE), max_size=2),
    st.lists(attacks(), min_size=1, max_size=30),
    st.integers(0, 1 << 30),
    st.sampled_from([0.0, 0.001, 0.01, 0.1]),
    st.lists(st.integers(0, 300), max_size=3),
)
def test_no_forbidden_command_ever_runs(kinds, requests, seed, wrong, cuts):
    policy = Policy(frozenset(kinds))
    line = Line(seed, wrong)
    bench = Bench(policy)
    bench.device.device_connected(line.write)
    attack(bench, requests, line, cuts)
    assert_nothing_else_ran(line.receiver, policy)


class TestWholeFramesInARequest:
    FULL = bytes((Command.FW_VERSION,)) + encode_frame(DUTY) * 24

    def test_never_reach_the_device(self):
        bench = Bench()
        client = bench.client()
        client.seat.received(encode_frame(self.FULL))
        assert bench.written == []

    @pytest.mark.parametrize("command", COMMANDS_OF[Effect.READ])
    @pytest.mark.parametrize("hidden", HIDDEN)
    def test_make_it_one_that_never_passes(self, command, hidden):
        shape = TRAITS[command].arguments
        before = bytes(shape.before) + b"name\0" * shape.texts
        for arguments in (hidden, before + hidden, bytes(shape.before) + hidden + bytes(shape.texts)):
            assert kind_of(bytes((command,)) + arguments) is Effect.NEVER

    @pytest.mark.parametrize("command", [Command.LISP_WRITE_CODE, Command.CUSTOM_APP_DATA, 200])
    @pytest.mark.parametrize("hidden", HIDDEN)
    def test_are_not_let_pass_in_data_either(self, command, hidden):
        policy = parse_policy("lisp,custom,unknown")
        request = bytes((command,)) + bytes(8) + hidden + bytes(8)
        assert policy.permits(kind_of(request.replace(hidden, b"data")))
        assert not policy.permits(kind_of(request))


def nested(*nodes: int) -> bytes:
    return b"".join(bytes((Command.FORWARD_CAN, node)) for node in nodes)


def requests_whose_checksum_is(wanted: int, offset: bytes) -> list[bytes]:
    """Return requests with this checksum, by the choice of their length and the nodes on their way."""
    found = []
    for size in range(1, 400):
        read = bytes((Command.LISP_READ_CODE,)) + size.to_bytes(4) + offset
        for node in range(255):
            request = nested(node) + read
            if crc_hqx(request, 0) == wanted:
                found.append(request)
    return found


class TestAFrameThatEndsWithTheRequestsOwnChecksum:
    """The last bytes of an offset are the attacker's, and by the choice of the nodes the checksum too."""

    @pytest.mark.parametrize("last", [b"\x02\x01\x1d", b"\x01\x01\x1d", b"\xff\x01\x1d", b"\x02\x07\x1d"])
    def test_never_passes(self, last):
        requests = requests_whose_checksum_is(crc_hqx(REBOOT, 0), b"\0" + last)
        assert requests
        assert {kind_of(request) for request in requests} == {Effect.NEVER}

    def test_others_pass(self):
        for offset in range(0, 1_000_000, 400):
            read = bytes((Command.LISP_READ_CODE,)) + (400).to_bytes(4) + offset.to_bytes(4)
            assert kind_of(read) is kind_of(nested(84) + read) is Effect.READ


class TestAFrameThatBeginsInOneRequestAndEndsInAnother:
    """Two requests, each harmless: a header in the first, checksum and stop byte in the second."""

    BETWEEN = (bytes((Command.BMS_GET_VALUES,)), bytes((Command.GET_CUSTOM_CONFIG, 0))) * 2

    def frames(self) -> list[bytes]:
        # Where the length is lost, `02 22` is read: 34 bytes, of which the node's number is the command.
        first = encode_frame(nested(Command.REBOOT, 9) + bytes((Command.BMS_GET_VALUES,)))
        between = [encode_frame(payload) for payload in self.BETWEEN[:3]]
        request = bytearray((Command.LISP_READ_CODE, *bytes(8)))
        until = (first + b"".join(between) + encode_frame(bytes(request)))[3 : 3 + 0x22]
        request[6:] = crc_hqx(until, 0).to_bytes(2) + b"\x03"
        return [first, *between, encode_frame(bytes(request))]

    def test_is_kept_apart(self):
        frames = self.frames()
        receiver = Receiver()
        receiver.take(frames[0][:1] + frames[0][2:] + b"".join(frames[1:]))
        assert any(payload[0] == Command.REBOOT for payload in receiver.ran), "the attack works by itself"

        written: list[bytes] = []
        outgoing = Outgoing()
        outgoing.begin(written.append, flush=False)
        for frame in frames:
            outgoing.send(frame)
        sent = b"".join(written)
        for at in range(len(sent)):
            for there in (sent[:at] + sent[at + 1 :], sent[at:], sent[:at] + b"\x02" + sent[at + 1 :]):
                receiver = Receiver()
                receiver.take(there + FILLER)
                assert_nothing_else_ran(receiver, READ_ONLY)


class TestAFrameWhoseEndReadsAsOne:
    """By the choice of its arguments a request's last bytes have its own checksum.

    Behind the header of another request, with all between them lost, they are a frame of their own.
    """

    def request(self) -> bytes:
        for size, offset in itertools.product(range(400), range(256)):
            first = bytes((Command.LISP_READ_CODE,)) + size.to_bytes(4) + bytes((0, offset))
            if not crc_hqx(first, 0) and 2 not in first:
                return first + bytes((Command.FORWARD_CAN, Command.REBOOT))
        raise AssertionError

    def ran_after_a_burst(self, sent: bytes) -> list[bytes]:
        ran = []
        for size in range(1, 60):
            for at in range(len(sent) - size):
                receiver = Receiver()
                receiver.take(sent[:at] + sent[at + size :] + FILLER)
                ran += [payload for payload in receiver.ran if not READ_ONLY.permits(kind_of(payload))]
        return ran

    def test_is_kept_apart_from_headers(self):
        asks = encode_frame(bytes((Command.GET_CUSTOM_CONFIG, 0)))
        frame = encode_frame(self.request())
        wedge = bytes((Command.FORWARD_CAN, Command.REBOOT))
        assert wedge in self.ran_after_a_burst(asks + frame), "the attack works by itself"
        written: list[bytes] = []
        outgoing = Outgoing()
        outgoing.begin(written.append, flush=False)
        outgoing.send(asks)
        outgoing.send(frame)
        assert wedge not in self.ran_after_a_burst(b"".join(written))

    def test_never_passes_with_a_header_of_its_own(self):
        read = bytes((Command.LISP_READ_CODE, 0, 0, 0, 2, 0, 2))
        for nodes in itertools.product(range(255), repeat=2):
            first = nested(*nodes) + read
            if not crc_hqx(first, 0):
                request = first + bytes((Command.SET_DETECT, 1))
                there = encode_frame(request).replace(b"\x02\x00\x02", b"\x02\x02")
                receiver = Receiver()
                receiver.take(there + FILLER)
                assert request[-2:] in receiver.ran, "the attack works by itself"
                assert kind_of(request) is Effect.NEVER
                return
        raise AssertionError


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 1 << 40), min_size=2, max_size=12), st.integers(0, 1 << 30))
def test_no_single_bad_byte_makes_a_command_of_what_was_sent(numbers, seed):
    """Every request that passes, with arguments by chance; then each byte changed, lost or added once."""
    written: list[bytes] = []
    bench = Bench()
    bench.device.device_connected(written.append, flush=False)
    client = bench.client()
    for number in numbers:
        chance = random.Random(number)
        command = chance.choice([Command.GET_VALUES_SELECTIVE, Command.LISP_READ_CODE, Command.GET_STATS])
        arguments = bytes(3) + b"\x90" + bytes((0, *chance.choices([1, 2, 3, 4, 5, 29, 34], k=3)))
        node = chance.choice([[], [2], [3, 2], [1, 29, 2]])
        client.seat.received(
            encode_frame(nested(*node) + bytes((command,)) + arguments[-TRAITS[command].arguments.least :])
        )
        bench.clock.advance(4)
    sent = b"".join(written)
    chance = random.Random(seed)
    for at in range(len(sent)):
        byte = bytes((chance.choice([2, 3, chance.randrange(256)]),))
        for there in (
            sent[:at] + sent[at + 1 :],
            sent[:at] + byte + sent[at + 1 :],
            sent[:at] + byte + sent[at:],
        ):
            receiver = Receiver()
            receiver.take(there[max(at - 520, 0) : at + 1100] + FILLER)
            assert_nothing_else_ran(receiver, READ_ONLY)
