"""Values of recorded messages, by the model that fits."""

import numpy as np
import pytest

from packwire.capture import open_capture
from packwire.capture.readings import Readings, TableReadings, all_models, keys_of, told_apart
from packwire.channel import Channel, Transport
from packwire.direction import Direction
from packwire.messages import MessageRow, from_rows
from packwire.models.load import model
from packwire.models.replies import EXTENDED, said_by, said_by_each
from packwire.sim.model import SimulatedModel
from packwire.sim.server import SimOptions
from packwire.wire.matrix import values_of
from tests.shared_data import CAPTURES, needs_captures

NOTHING = np.zeros(0, dtype=np.uint8)
FROM, TO = Direction.FROM_DEVICE, Direction.TO_DEVICE


def said(readings, direction, message):
    reading = readings.read(0, direction, message)
    assert reading is not None
    return reading


def table(frames, channels, direction=FROM):
    """Return a table in which each of the frames came on the channel of its number."""
    starts = np.cumsum([0, *map(len, frames)]).tolist()
    rows = [
        MessageRow(at, direction, channel, start, len(frame), (at + 1,))
        for at, (channel, start, frame) in enumerate(zip(channels, starts, frames, strict=False))
    ]
    return rows, np.frombuffer(b"".join(frames), dtype=np.uint8)


def last_of(path, limit=None):
    readings = Readings(all_models())
    found = {}
    for row, each in enumerate(open_capture(CAPTURES / path).messages):
        reading = readings.read(0, each.direction, each.payload)
        if reading is not None:
            found[reading.model, reading.name] = reading.values
        if limit is not None and row > limit:
            break
    return readings, found


@needs_captures
@pytest.mark.parametrize(
    ("path", "model", "reply", "values"),
    [
        (
            "ble/jbd-sp04s034.btsnoop",
            "jbd",
            "basic info",
            {"voltage": 13.7, "soc": 100, "capacity_design": 280},
        ),
        ("ble/jbd-sp04s034.btsnoop", "jbd", "cell voltages", {"cell_voltages": (3.43, 3.425, 3.432, 3.417)}),
        ("ble/jk-heating-setting.btsnoop", "jk02", "status", {"soc": 99, "cycles": 17, "cell_count": 16}),
        ("ble/jk-b2a16s.btsnoop", "jk04", "status", {"cell_count": 16, "balancing": True}),
        ("ble/daly-balancer.btsnoop", "daly", "status", {"voltage": 53.3, "cell_count": 16}),
        ("ble/ant-ble16zmub.btsnoop", "ant", "status", {"voltage": 52.79, "soc": 91, "soh": 100}),
    ],
)
def test_the_model_that_fits_is_found_and_reads(path, model, reply, values):
    readings, found = last_of(path)
    assert readings.models[0].name == model
    for key, value in values.items():
        assert found[model, reply][key] == value


def test_frames_of_no_model_are_left_as_they_are():
    readings = Readings(all_models())
    assert readings.read(0, FROM, b"hello") is None
    assert readings.read(0, TO, b"\xdd\xa5\x03") is None
    jbd = model("jbd")
    frame = jbd.encode("cell voltages", {"cells": (3.3,)})
    assert readings.read(0, FROM, frame[:-3] + b"\0\0\x77") is None, "its checksum is wrong"
    assert said(readings, FROM, frame).values["cell_voltages"] == (3.3,)


def test_what_a_switch_is_set_to_is_said():
    readings = Readings(all_models())
    frame = model("jbd").switches[0].template.frame({"value": 1})
    assert said(readings, TO, frame).name == "MOSFETs: charge off"


def test_requests_are_named_by_the_model_of_the_replies():
    readings = Readings(all_models())
    jk = model("jk04")
    readings.read(0, FROM, jk.encode("device info", {"firmware": "3.3.0", "software": 3}))
    status = jk.encode("status", {"cell_count": 2, "cells": (3.3, 3.31)})
    assert said(readings, FROM, status).model == "jk04"
    assert said(readings, FROM, status).values["cell_voltages"] == pytest.approx((3.3, 3.31))


def conversation(name, *, versions):
    """Return what is asked of a simulated pack and what it says, twice."""
    device = SimulatedModel(model(name), SimOptions(cells=8, speed=0)).device
    for question in model(name).questions * 2:
        if question.payload and (versions or not question.once):
            yield TO, question.payload
            for reply in question.replies:
                yield from ((FROM, frame) for frame in device.frames(reply))


@pytest.mark.parametrize("versions", [True, False])
@pytest.mark.parametrize("name", ["jk02", "jk04", "daly", "daly81"])
def test_models_of_one_family_are_told_apart(name, versions):
    family = [each for each in all_models() if each.family.name == model(name).family.name]
    assert len(family) > 1
    assert [each.name for each in told_apart(family, conversation(name, versions=versions))] == [name]


def test_what_could_be_two_is_said_to_be_two():
    jk = [model("jk02"), model("jk04")]
    ready = model("jk02").encode("ready", {})
    assert told_apart(jk, [(FROM, ready)]) == jk
    assert told_apart(jk, [(TO, jk[0].questions[0].payload)]) == []


@pytest.mark.parametrize("name", ["victron-can", "pylontech-can", "vesc-can", "byd-hv-can", "sma-hv-can"])
def test_frames_of_a_can_bus_are_read_by_one_model_together(name):
    device = SimulatedModel(model(name), SimOptions(cells=8, speed=0)).device
    frames = [frame for reply in model(name).replies for frame in device.frames(reply.name)] * 2
    numbers = [int.from_bytes(frame[:4]) for frame in frames]
    channels = [
        Channel(Transport.CAN, number & 0x1FFF_FFFF, extended=number > EXTENDED) for number in numbers
    ]
    payloads = [frame[4:] for frame in frames]
    rows, data = table(payloads, range(len(frames)), Direction.UNKNOWN)
    reader = TableReadings(Readings(all_models()), from_rows(rows, channels, data, NOTHING))
    said = [reader.read(row, payload) for row, payload in enumerate(payloads)]
    assert {each.model for each in said[len(said) // 2 :] if each} == {name}
    values = {key: value for each in said[len(said) // 2 :] if each for key, value in each.values.items()}
    assert values["voltage"] == pytest.approx(device.values()["voltage"], abs=0.11)


def test_an_identifier_that_a_model_knows_is_not_enough():
    channels = [Channel(Transport.CAN, each) for each in (0x351, 0x123)]
    rows, data = table([bytes(8)] * 300, [0, 1] * 150, Direction.UNKNOWN)
    reader = TableReadings(Readings(all_models()), from_rows(rows, channels, data, NOTHING))
    assert all(reader.read(row, bytes(8)) is None for row in range(300))


def test_messages_read_at_once_say_what_they_say_one_by_one():
    jbd = model("jbd")
    frames: list[bytes] = []
    basic = {"cell_count": 4, "temperatures": (25.0, 24.0), "nominal_capacity": 280, "cycles": 3}
    basic |= {"production_date": 0, "balancing": 5, "problem_code": 0, "software_version": 2.1, "mosfets": 3}
    for number in range(200):
        said = basic | {"voltage": 13 + number / 100, "current": -number / 10, "soc": number % 101}
        said |= {"remaining_charge": number / 10, "units": number % 2 << 7, "protection": ()}
        frames += jbd.encode("basic info", said), jbd.encode("cell voltages", {"cells": (3.3, number / 100)})
    frames[150] = frames[150][:-3] + b"\0\0\x77"  # its checksum is wrong
    rows, data = table(frames, [0] * len(frames))
    found = from_rows(rows, [Channel(Transport.TCP)], data, NOTHING)
    at_once, one_by_one = TableReadings(Readings(all_models()), found), Readings(all_models())
    for row, frame in enumerate(frames):
        assert at_once.read(row, frame) == one_by_one.read(0, FROM, frame)


def test_a_frame_of_can_is_no_message_of_another_link():
    assert Readings(all_models()).read(0, FROM, bytes.fromhex("00000355 3c00 6400 84170000")) is None


def test_columns_are_quantities_of_the_registry():
    assert keys_of([model("jbd")])[:2] == ["voltage", "current"]


@pytest.mark.parametrize("name", sorted(each.name for each in all_models()))
def test_what_many_messages_say_at_once_is_what_each_says(name):
    random = np.random.default_rng(1)
    for reply in model(name).replies:
        for layout in reply.layouts:
            matrix = random.integers(0, 256, (50, 130), dtype=np.uint8)
            matrix[:25] //= 64  # small numbers: flags, counts, names
            columns = values_of(layout.codec, matrix)
            each = said_by_each(layout, columns) if columns is not None else ()
            for row, said in zip(matrix, each, strict=False):
                decoded = layout.codec.decode(row.tobytes())
                wanted = {} if decoded.missing else said_by(layout, decoded).values
                assert repr(said) == repr(wanted), reply.name  # types, NaN and order, too
