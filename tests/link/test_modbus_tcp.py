"""Modbus TCP: a gateway before a pack that speaks RTU, its envelopes in any pieces, and what is none."""

import asyncio
import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.device import open_device
from packwire.errors import PackwireError
from packwire.link.modbus_tcp import ModbusEnvelope
from packwire.models.load import model
from packwire.sim.model import SimulatedModel
from packwire.sim.server import SimOptions
from packwire.wire.checksum import CHECKSUMS

HEADER = struct.Struct(">HHH")


def rtu(body):
    return body + CHECKSUMS["CRC-16/MODBUS"].of(body).to_bytes(2, "little")


@given(st.lists(st.binary(min_size=2, max_size=254), min_size=1, max_size=5), st.integers(1, 40))
def test_frames_come_out_as_they_went_in_whatever_the_pieces(bodies, size):
    envelope, other = ModbusEnvelope(), ModbusEnvelope()
    stream = b"".join(envelope.wrapped(rtu(body)) for body in bodies)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [frame for piece in pieces for frame in other.unwrapped(piece)] == [rtu(body) for body in bodies]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_what_is_no_modbus_tcp_is_handed_on_and_not_kept(pieces):
    envelope = ModbusEnvelope()
    for piece in pieces:
        list(envelope.unwrapped(piece))
        assert len(envelope._buffer) <= HEADER.size + 254 + 300


@contextlib.asynccontextmanager
async def gateway(*, exception=0, wrong_unit=False, unit=0x30):
    """Serve a simulated Renogy as a Modbus TCP gateway does: it adds and takes off the checksum."""
    device = SimulatedModel(model("renogy"), SimOptions(cells=4, speed=0, port=None)).device
    asked: list[tuple[int, int]] = []

    async def serve(reader, writer):
        port = device.port("gateway")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                number, protocol, size = HEADER.unpack(await reader.readexactly(HEADER.size))
                body = await reader.readexactly(size)
                asked.append((number, protocol))

                def reply(frame, number=number, body=body):
                    said = frame[:-2]
                    if exception:
                        said = bytes([body[0], body[1] | 0x80, exception])
                    if wrong_unit:
                        said = bytes([unit + 1]) + said[1:]
                    whole = HEADER.pack(number, 0, len(said)) + said
                    writer.write(whole[:5])
                    writer.write(whole[5:])

                port.attach(reply, lambda: None)
                port.received(rtu(body))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}?model=renogy&modbus-tcp", device, asked


async def test_a_pack_behind_a_gateway_is_read():
    async with gateway() as (address, device, asked), open_device(address) as reader:
        (sample,) = await reader.read()
        assert sample.values["cell_voltages"] == pytest.approx(device.values()["cell_voltages"], abs=0.1)
    assert {protocol for _, protocol in asked} == {0}
    numbers = [number for number, _ in asked]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "each its own number"


@pytest.mark.parametrize("fault", [{"exception": 11}, {"wrong_unit": True}])
async def test_an_exception_and_another_unit_are_one_line(fault):
    async with gateway(**fault) as (address, _, _):
        with pytest.raises(PackwireError) as caught:
            async with open_device(address, timeout=0.2, tries=1) as device:
                (sample,) = await device.read()
                raise PackwireError(sample.reason or " ".join(device.remarks))
    assert str(caught.value)
    assert "\n" not in str(caught.value)


async def test_who_speaks_raw_rtu_there_is_no_modbus_tcp():
    async def serve(reader, writer):
        while await reader.read(100):
            writer.write(rtu(bytes([0x30, 3, 4, 0, 0, 0, 0])) * 4)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}?model=renogy&modbus-tcp"
        with pytest.raises(PackwireError) as caught:
            async with open_device(address, timeout=0.2, tries=1):
                pass
    assert "\n" not in str(caught.value)
