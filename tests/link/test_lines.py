"""Serial lines with packs on them: shared, with an echo, heard only, at the wrong rate, broken."""

import asyncio
import os

import pytest

from packwire.device import open_device
from packwire.errors import BadAddressError, BadOptionError, GoneError, PackwireError, Reason
from packwire.models.load import model
from tests.link.lines import line

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")


def address(path, name, **more):
    extra = "".join(f"&{key}={value}" if value is not True else f"&{key}" for key, value in more.items())
    return f"serial:{path}?model={name}{extra}"


async def voltages(*addresses, rounds=1):
    """Open all at once and read each again and again, all at the same time."""

    async def one(text):
        async with open_device(text) as device:
            for _ in range(rounds):
                (sample,) = await device.read()
                assert not sample.reason
            return sample.values["cell_voltages"], device

    return await asyncio.gather(*(one(each) for each in addresses))


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize(
    ("name", "units"), [("pace", (1, 2, 3)), ("renogy", (48, 49)), ("seplos-v3", (0, 1))]
)
async def test_packs_on_one_cable_are_asked_in_turn(name, units, echo):
    with line(name, *units, cells=16, echo=echo) as serial:
        said = await voltages(*(address(serial.path, name, address=each) for each in units), rounds=5)
        for (cells, reader), device in zip(said, serial.devices, strict=True):
            assert cells == pytest.approx(device.values()["cell_voltages"], abs=0.11)
            assert reader.statistics.timeouts == 0
        assert len({device.identity for _, device in said}) == len(units)


async def test_a_pack_of_another_address_does_not_answer():
    with line("pace", 3) as serial:
        with pytest.raises(PackwireError, match=r"nothing comes back.*&address="):
            async with open_device(address(serial.path, "pace", address=4), timeout=0.1, tries=1):
                pass


async def test_an_address_that_cannot_be_is_refused():
    with line("pace", 1) as serial:
        with pytest.raises(BadOptionError, match="address is 0 to 15"):
            async with open_device(address(serial.path, "pace", address=77)):
                pass
        with pytest.raises(BadOptionError, match="not addressed"):
            async with open_device(address(serial.path, "jbd", address=1)):
                pass


async def test_the_echo_of_a_half_duplex_line_is_taken_out():
    with line("jbd", echo=True) as serial:
        ((cells, device),) = await voltages(address(serial.path, "jbd"), rounds=3)
        assert len(cells) == 8
        assert device.remarks == ()


async def test_a_line_whose_ends_are_joined_is_told_from_one_with_a_pack():
    with line("jbd", echo=True, faults=("silence:0",)) as serial:
        with pytest.raises(PackwireError, match="sends back what is sent"):
            async with open_device(address(serial.path, "jbd"), timeout=0.3, tries=1):
                pass


@pytest.mark.parametrize("name", ["jbd", "victron-vedirect"])
async def test_at_the_wrong_baud_rate_nothing_is_understood(name):
    rate = model(name).baud
    with line(name, baud=rate) as serial:
        ((cells, _),) = await voltages(address(serial.path, name)) if name == "jbd" else (((), None),)
        assert name != "jbd" or len(cells) == 8
        with pytest.raises(PackwireError, match="baud rate|nothing comes back") as caught:
            async with open_device(address(serial.path, name, baud=4800), timeout=0.2, tries=1):
                pass
        assert "\n" not in str(caught.value)


async def test_packs_that_only_send_are_read():
    with line("victron-vedirect", cells=4, baud=19200) as serial:
        async with open_device(address(serial.path, "victron-vedirect")) as device:
            (sample,) = await device.read()
            assert device.name == "BMV-702"
            assert sample.values["voltage"] == pytest.approx(serial.devices[0].values()["voltage"], abs=0.002)
            assert sample.values["cycles"] == 117
            assert device.remarks == ()


async def test_a_bus_that_has_a_master_is_read_by_listening():
    """Two packs, a master that asks both and also what we do not know; the listener sends nothing."""
    with line("renogy", 48, 49) as serial:
        asked = [
            each.template.frame({"address": unit}) for unit in (48, 49) for each in model("renogy").questions
        ]
        strange = bytes.fromhex("30 03 14 00 00 07 00 00")  # its checksum is wrong: noise on the line

        async def master():
            while True:
                for frame in (*asked, strange):
                    serial.write(frame)  # what the master says is heard by who listens
                    for each in serial.devices:
                        next(iter(each._clients)).received(frame)
                    await asyncio.sleep(0.01)

        speaking = asyncio.create_task(master())
        try:
            async with open_device(address(serial.path, "renogy", listen=True)) as device:
                samples = await device.read()
                assert [each.number for each in device.nodes] == [48, 49]
                for each, sample in zip(serial.devices, samples, strict=True):
                    expected = each.values()
                    assert sample.values["voltage"] == pytest.approx(expected["voltage"], abs=0.11)
                assert device.statistics.requests == 0
            async with open_device(address(serial.path, "renogy", listen=True, address=49)) as device:
                (sample,) = await device.read()
        finally:
            speaking.cancel()


async def test_a_port_that_vanishes_is_one_clear_line():
    with line("jbd") as serial:
        async with open_device(address(serial.path, "jbd"), timeout=0.3) as device:
            await device.read()
            serial.close()
            with pytest.raises(GoneError) as caught:
                for _ in range(5):
                    await device.read()
            assert "\n" not in str(caught.value)


async def test_the_same_port_at_another_rate_is_refused():
    with line("pace", 1, 2) as serial:
        async with open_device(address(serial.path, "pace", address=1)):
            with pytest.raises(PackwireError, match="open already, at 9600 baud") as caught:
                async with open_device(address(serial.path, "pace", address=2, baud=19200)):
                    pass
            assert caught.value.reason is Reason.BUSY


async def test_a_port_that_another_program_has_is_said_to_be_taken():
    import serialx

    with line("jbd") as serial:
        _, writer = await serialx.open_serial_connection(serial.path, baudrate=9600)
        try:
            with pytest.raises(PackwireError, match="another program") as caught:
                async with open_device(address(serial.path, "jbd")):
                    pass
            assert caught.value.reason is Reason.BUSY
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("serial:/dev/ttyUSB0?address=1", "add model="),
        ("serial:/dev/ttyUSB0?model=pace&address=300", "0 to 255"),
        ("serial:/dev/ttyUSB0?model=pace&address=x", "0 to 255"),
        ("can://can0", "names a protocol"),
        ("can:can0?model=x", "names the bus"),
        ("can://can0?model=victron-can&interface=../x", "no CAN adapter"),
        ("can://can0?model=victron-can&bitrate=fast", "no bit rate"),
    ],
)
def test_addresses_that_cannot_be(text, words):
    with pytest.raises(BadAddressError, match=words):
        open_device(text)
