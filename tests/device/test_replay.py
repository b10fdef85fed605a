"""What was read live is read again from its recording, to the same values, by whoever reads it."""

import pytest

pytest.importorskip("aiobmsble")

from packwire.att import Opcode
from packwire.capture.gatt_recorder import GattRecorder
from packwire.capture.open import open_capture
from packwire.capture.recorder import Endpoint, Recorder
from packwire.device import open_device
from packwire.device.follow import Reading, follow
from packwire.device.open import Observers
from packwire.direction import Direction
from packwire.errors import BadFileError, GoneError, NoAnswerError, NotAVescError, Reason
from packwire.link.gatt_traffic import Attribute, GattConnected, Passed, ServiceTree
from packwire.models.load import model
from packwire.sim.model import SimulatedModel
from packwire.sim.server import SimOptions, SimulatedVesc
from tests.link.ble.fake_air import Pack, installed, jbd_basic, jbd_pack

UNKNOWN = "0000abf0-0000-1000-8000-00805f9b34fb"
URL = "ble://A4:C1:38:00:00:01"


async def recorded(path, url=URL, *, pack=None, readings=3):
    """Read a pack, with other values each time; return its samples."""
    pack = pack or jbd_pack()
    values = []
    with path.open("wb", buffering=0) as file, installed(pack):
        observers = Observers(gatt=(GattRecorder(file),))
        async with open_device(url, observers=observers) as device:
            await device.find_nodes()
            for number in range(readings):
                pack.replies[3] = jbd_basic(volts=13.0 + number / 100, soc=90 - number)
                values.append([sample.values for sample in await device.read()])
    return values


async def replayed(url, readings=3):
    async with open_device(url) as device:
        await device.find_nodes()
        return [[sample.values for sample in await device.read()] for _ in range(readings)]


@pytest.mark.parametrize("option", ["", "?model=jbd"])
async def test_the_same_values_from_the_file(tmp_path, option):
    file = tmp_path / "x.btsnoop"
    live = await recorded(file, URL + option)
    assert live[0][0]["voltage"] != live[2][0]["voltage"]
    assert await replayed(f"replay:{file}{option}") == live


async def test_a_recording_has_its_device_and_its_end(tmp_path):
    file = tmp_path / "x.btsnoop"
    await recorded(file, readings=2)
    async with open_device(f"replay:{file}") as device:
        assert (device.name, device.identity) == ("JBD-SP15S004", "ble-a4c138000001")
        with pytest.raises(GoneError, match="ends here") as caught:
            for _ in range(9):
                await device.read()
    assert caught.value.reason is Reason.ENDED


async def test_whoever_follows_a_recording_comes_to_its_end(tmp_path):
    file = tmp_path / "x.btsnoop"
    await recorded(file, readings=2)
    readings = 0
    with pytest.raises(GoneError, match="ends here"):
        async for event in follow(lambda: open_device(f"replay:{file}"), 0.01):
            readings += isinstance(event, Reading)
    assert readings in (1, 2)


async def test_what_advertises_nothing_known_is_recognised_by_its_frames(tmp_path):
    file = tmp_path / "x.btsnoop"
    pack = jbd_pack(name="whatever", address="00:00:00:00:00:07")
    live = await recorded(file, "ble://whatever?model=jbd", pack=pack)
    assert await replayed(f"replay:{file}") == live
    assert await replayed(f"replay:{file}?model=jbd") == live


async def test_frames_that_nobody_knows_need_a_model(tmp_path):
    file = tmp_path / "x.btsnoop"
    with file.open("wb", buffering=0) as sink:
        recorder = GattRecorder(sink)
        tree = ServiceTree(Attribute(1, UNKNOWN, end=9), ((Attribute(3, UNKNOWN, ("notify",)), ()),))
        recorder.connected(GattConnected(0, "55:44:33:00:00:03", 23, (tree,)))
        recorder.passed(Passed(1, Direction.FROM_DEVICE, Opcode.NOTIFICATION, 3, b"hello"))
    with pytest.raises(NotAVescError, match="model=NAME"):
        open_device(f"replay:{file}")


async def test_a_request_that_was_never_asked_has_no_answer(tmp_path):
    file = tmp_path / "x.btsnoop"
    await recorded(file, f"{URL}?model=jbd")
    recorded_by_another = file.read_bytes().replace(
        b"\xdd\xa5\x03\x00\xff\xfd\x77", b"\xdd\xa5\x03\x00\xff\xfe\x77"
    )
    file.write_bytes(recorded_by_another)
    with pytest.raises(NoAnswerError, match="no answer to what a JBD is asked"):
        async with open_device(f"replay:{file}?model=jbd", tries=1, timeout=0.05):
            pass


async def test_a_recording_of_somebody_who_asked_other_things(tmp_path):
    file = tmp_path / "x.btsnoop"
    with file.open("wb", buffering=0) as sink, installed(jbd_pack()):
        async with open_device(URL, observers=Observers(gatt=(GattRecorder(sink),))):
            pass
    with pytest.raises(NoAnswerError):
        async with open_device(f"replay:{file}?model=jbd", tries=1, timeout=0.05):
            pass


async def stream(path, url, name, readings=3, **options):
    with path.open("wb", buffering=0) as file:
        recorder = Recorder(file, name=name, keep_secrets=True)
        connection = recorder.connection(Endpoint("192.0.2.1", 5), Endpoint("192.0.2.2", 65102))
        async with open_device(url, observers=Observers(stream=(connection.observe,)), **options) as device:
            values = [[sample.values for sample in await device.read()] for _ in range(readings)]
        connection.end(0)
        recorder.close()
    return values


async def test_a_stream_of_a_model_is_read_again(tmp_path):
    file = tmp_path / "x.pcapng"
    async with SimulatedModel(model("jbd"), SimOptions(cells=4)) as sim:
        live = await stream(file, sim.address, "packwire record model=jbd")
    assert await replayed(f"replay:{file}") == live


async def test_a_vesc_is_read_again(tmp_path):
    file = tmp_path / "x.pcapng"
    async with SimulatedVesc(SimOptions(ping_time=0.05)) as sim:
        live = await stream(file, sim.address, "tap", can_ids=())
    async with open_device(f"replay:{file}", can_ids=()) as device:
        assert device.where.startswith("from the recording")
        again = [[sample.values for sample in await device.read()] for _ in range(3)]
    assert again == live


async def test_a_file_without_a_conversation(tmp_path):
    file = tmp_path / "x.btsnoop"
    with file.open("wb", buffering=0) as sink:
        GattRecorder(sink)
    with pytest.raises(BadFileError, match="no conversation"):
        open_device(f"replay:{file}")
    with pytest.raises(BadFileError, match="no such file"):
        open_device(f"replay:{tmp_path}/nothing.btsnoop")


async def test_of_several_devices_the_one_that_said_most(tmp_path):
    file = tmp_path / "x.btsnoop"
    other = Pack("55:44:33:00:00:03", "other", uuids=())
    with file.open("wb", buffering=0) as sink, installed(jbd_pack(), other):
        recorder = GattRecorder(sink)
        async with open_device(URL, observers=Observers(gatt=(recorder,))) as device:
            await device.read()
    capture = open_capture(file)
    assert len(capture.raw_messages)
    async with open_device(f"replay:{file}") as device:
        assert (await device.read())[0].values["voltage"] == 13.32


async def test_a_login_with_a_pin_is_played_without_it(tmp_path):
    from tests.device.test_aiobmsble import jbd_with_pin

    file = tmp_path / "x.btsnoop"
    with file.open("wb", buffering=0) as sink, installed(jbd_with_pin("123456")):
        observers = Observers(gatt=(GattRecorder(sink, secret="123456"),))
        async with open_device(f"{URL}?pin=123456", observers=observers) as device:
            await device.read()
    assert b"123456" not in file.read_bytes()
    async with open_device(f"replay:{file}") as device:
        assert (await device.read())[0].values["voltage"] == 13.32
