"""What is sent to simulated devices and to the air's port may be anything."""

import asyncio

import pytest
from aiobmsble.bms.jbd_bms import BMS
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.models.load import model
from packwire.models.store import library
from packwire.sim.adapter import opened
from packwire.sim.bleak_bumble import installed
from packwire.sim.faults import Faults
from packwire.sim.model import ModelDevice
from packwire.sim.vehicle import Vehicle

from .devices import found, simulated

NO_HCI = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x00" * 400,
    b"\x01\x03\x0c\xff" + b"x" * 40,
    b"\x02\x01\x20\xff\xff",
    b"\x04" * 9,
]


async def test_who_speaks_no_hci_is_let_go_and_others_go_on():
    async with simulated(None) as sim:
        assert sim.bluetooth
        host, port = sim.bluetooth.adapter.removeprefix("tcp-client:").split(":")
        async with opened(sim.bluetooth.adapter) as central:
            with installed(central):
                bms = BMS(await found())
                await bms.async_update()
                for sent in NO_HCI:
                    _, writer = await asyncio.open_connection(host, int(port))
                    writer.write(sent)
                    await writer.drain()
                    await asyncio.sleep(0.02)
                    writer.close()
                assert (await bms.async_update())["cell_count"] == 4
                await bms.disconnect()


#: Models whose devices are asked; others only send.
ASKED = [name for name in library() if any(each.payload for each in model(name).questions)]


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("name", ASKED)
def test_a_device_takes_any_bytes(name, data):
    protocol = model(name)
    device = ModelDevice(protocol, Vehicle(cells=8, soc=0.5), Faults())
    port = device.port("test")
    sent: list[bytes] = []
    payloads = [question.payload for question in protocol.questions if question.payload]
    frame = bytearray(data.draw(st.sampled_from(payloads)))
    if data.draw(st.booleans()):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))

    async def talk():
        port.attach(sent.append, lambda: None)
        port.received(bytes(frame) + data.draw(st.binary(max_size=40)))
        port.detach()

    asyncio.run(talk())
    assert all(protocol.framing_of(each) for each in sent)


@settings(max_examples=20)
@given(cells=st.integers(1, 50), soc=st.floats(0, 1), seed=st.integers(1, 99))
@pytest.mark.parametrize("name", library())
def test_whatever_the_pack_a_device_says_frames(name, cells, soc, seed):
    protocol = model(name)
    device = ModelDevice(protocol, Vehicle(seed, cells, "cycle", soc), Faults())
    try:
        device.say_all()
    except ValueError:  # which SimulatedModel says before it starts
        assert cells > 16
        return
    for reply in protocol.replies:
        for frame in () if reply.refuses else device.frames(reply.name):
            assert protocol.framing_of(frame), (reply.name, frame.hex(" "))
            assert protocol.reply_of(frame)
