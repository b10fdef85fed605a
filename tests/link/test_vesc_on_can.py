"""VESCs that are asked over CAN: payloads in frames, and the nodes of a simulated VESC on a virtual bus."""

import asyncio
import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.address import can_address
from packwire.capture.open import open_capture
from packwire.device import open_device
from packwire.direction import Direction
from packwire.errors import BadAddressError, PackwireError
from packwire.sim.express import Express
from packwire.sim.faults import Faults
from packwire.sim.nodes import default_config
from packwire.sim.vehicle import Vehicle
from packwire.vesc.can import OWN_ID, REPLY, REQUEST, Buffers, VescCanTransport, fragments
from packwire.vesc.framing import DEVICE_MAX_PAYLOAD, Framer, encode_frame

can = pytest.importorskip("can")

payloads = st.binary(min_size=1, max_size=DEVICE_MAX_PAYLOAD)
ids = st.integers(0, 253)


@given(payloads, ids, ids, st.sampled_from([REQUEST, REPLY]))
def test_a_payload_comes_out_as_it_went_in(payload, receiver, sender, mode):
    buffers = Buffers(receiver)
    frames = fragments(payload, receiver, sender, mode)
    assert all(len(frame) <= 12 for frame in frames)
    *before, last = [buffers.take(frame) for frame in frames]
    assert before == [None] * len(before)
    assert last == (sender, mode, payload)


@given(st.lists(payloads.filter(lambda each: len(each) > 6), min_size=1, max_size=3), st.randoms())
def test_payloads_of_several_senders_may_take_turns(several, chance):
    """As long as one is not exactly as far as another, which the firmware cannot tell apart either."""
    buffers, found = Buffers(1), []
    for number, payload in enumerate(several):
        for frame in fragments(payload, 1, number, REPLY):
            found.append(buffers.take(frame))
            if chance.random() < 0.3:
                buffers.take(fragments(bytes(7), 2, 9)[0])  # for somebody else
    assert [each[2] for each in found if each] == several


@given(st.lists(st.tuples(st.sampled_from([5, 6, 7, 8]), st.binary(max_size=8)), max_size=200))
def test_rubbish_costs_bounded_memory_and_completes_nothing_wrong(frames):
    buffers = Buffers(7)
    for command, data in frames:
        buffers.take((1 << 31 | command << 8 | 7).to_bytes(4) + data)
        assert sum(map(len, buffers._filled)) <= 3 * DEVICE_MAX_PAYLOAD
    payload = random.Random(1).randbytes(100)
    *_, last = [buffers.take(frame) for frame in fragments(payload, 7, 3)]
    assert last in {None, (3, REQUEST, payload)}


@given(payloads)
def test_a_recording_says_the_same_payloads(tmp_path_factory, payload):
    file = tmp_path_factory.mktemp("can") / "bus.log"
    lines = [
        f"({number}.000000) can0 {int.from_bytes(frame[:4]) & 0x1FFFFFFF:08X}#{frame[4:].hex().upper()}\n"
        for number, frame in enumerate(fragments(payload, OWN_ID, 84, REPLY), 1)
    ]
    file.write_text("".join(lines))
    found = [each for each in open_capture(file).messages if "84 -> 253" in str(each.channel)]
    assert [(each.payload, each.direction) for each in found] == [(payload, Direction.FROM_DEVICE)]


def test_what_is_for_a_node_behind_goes_to_it_directly():
    transport = VescCanTransport(2)
    (frame,) = transport.sent(encode_frame(bytes([34, 84, 4])))
    assert frame[2:] == bytes([8, 84, OWN_ID, REQUEST, 4])
    assert transport.sent(b"\x02\x03\xff" * 5) == [], "fillers are no frame"
    (answer,) = fragments(b"\x04\x01", OWN_ID, 84, REPLY)
    assert [each.payload for each in Framer().feed(transport.received(answer))] == [b"\x04\x01"]
    assert transport.received(fragments(b"\x04", OWN_ID, 84, REQUEST)[0]) == b""
    assert transport.received(fragments(b"\x04", 254, 84, REPLY)[0]) == b"", "that is for VESC Tool"


@contextlib.asynccontextmanager
async def on_a_bus(channel, *faults):
    """Put the nodes of a simulated VESC on a virtual bus, each with its own id."""
    express = Express(Vehicle(seed=1, cells=20, scenario="rest"), Faults(faults), default_config())
    bus = can.Bus(interface="virtual", channel=channel)
    nodes = {
        node.can_id: (node, Buffers(node.can_id)) for node in (express.node, express.bms, express.controller)
    }

    def answer(message):
        unit = (message.arbitration_id | 1 << 31).to_bytes(4) + bytes(message.data)
        for can_id, (node, buffers) in nodes.items():
            said = buffers.take(unit)
            if said is None:
                continue
            sender, _, payload = said
            others = bytes([62, *(each for each in nodes if each != can_id)])
            reply = others if payload[0] == 62 else node.answer(payload)  # 62: PING_CAN
            for frame in fragments(reply, sender, can_id, REPLY) if reply else ():
                number = int.from_bytes(frame[:4]) & 0x1FFF_FFFF
                bus.send(can.Message(arbitration_id=number, data=frame[4:], is_extended_id=True))

    notifier = can.Notifier(bus, [answer], timeout=0.05, loop=asyncio.get_running_loop())
    try:
        yield express
    finally:
        await asyncio.to_thread(notifier.stop)
        bus.shutdown()


def virtual(channel, unit=2, model="vesc"):
    return can_address(channel, model, interface="virtual", unit=unit)


async def test_a_vesc_is_read_over_can_with_all_that_is_on_its_bus():
    async with on_a_bus("asked") as express, open_device(virtual("asked")) as device:
        samples = {sample.node: sample for sample in await device.read()}
        bms = samples["bms"].values
        assert bms["voltage"] == pytest.approx(express.bms.values().v_tot, abs=0.01)
        assert bms["cell_count"] == 20
        assert "motor_current" in samples["can/84"].values
        assert device.where == "on CAN bus asked"


async def test_a_controller_is_asked_alone():
    async with on_a_bus("alone"), open_device(virtual("alone", 84), can_ids=()) as device:
        assert [sample.values.get("fault") for sample in await device.read() if sample.values]


async def test_whoever_does_not_answer_is_said():
    async with on_a_bus("nobody"):
        with pytest.raises(PackwireError) as caught:
            async with open_device(virtual("nobody", 77), timeout=0.1, tries=1):
                pass
    assert "\n" not in str(caught.value)


def test_an_id_must_be_named():
    with pytest.raises(BadAddressError, match="&address=10"):
        open_device("can://can0?model=vesc")
