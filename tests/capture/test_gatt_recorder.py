"""Bluetooth connections as a btsnoop file: what was told is what is read, whatever it is."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.advertisement import Advertisement
from packwire.att import Opcode
from packwire.capture import Capture
from packwire.capture.advertised import advertisements, reports
from packwire.capture.devices import find_devices, hci_packets
from packwire.capture.formats import read_packets
from packwire.capture.gatt_recorder import GattRecorder
from packwire.direction import Direction
from packwire.link.gatt_traffic import Attribute, GattConnected, Passed, ServiceTree

EPOCH = 1_700_000_000_000_000_000
SHORT = "0000{:04x}-0000-1000-8000-00805f9b34fb".format
LONG = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
ADDRESS = "A4:C1:38:00:00:01"
TREE = ServiceTree(
    Attribute(1, SHORT(0xFF00), end=9),
    (
        (Attribute(3, SHORT(0xFF01), ("notify",)), (Attribute(4, SHORT(0x2902)),)),
        (Attribute(6, LONG, ("write", "write-without-response")), ()),
    ),
)
values = st.binary(max_size=512)
steps = st.lists(
    st.one_of(
        st.tuples(st.just(Opcode.WRITE_REQ), st.just(6), values),
        st.tuples(st.just(Opcode.WRITE_CMD), st.just(6), values),
        st.tuples(st.just(Opcode.NOTIFICATION), st.just(3), values),
        st.tuples(st.just(Opcode.INDICATION), st.just(3), values),
    ),
    max_size=30,
)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
uuids = st.lists(st.sampled_from([SHORT(0xFF00), SHORT(0xFFE0), LONG]), unique=True, max_size=3)
blobs = st.binary(max_size=24)
advertised = st.builds(
    Advertisement,
    address=st.just(ADDRESS),
    name=names,
    rssi=st.none() | st.integers(-127, 20),
    service_uuids=uuids.map(tuple),
    manufacturer_data=st.dictionaries(st.integers(0, 0xFFFF), blobs, max_size=2),
    service_data=st.dictionaries(st.sampled_from([SHORT(0xFF00), LONG]), blobs, max_size=2),
)


class Unbuffered(io.BytesIO):
    """A file that takes a part of what is written, as unbuffered ones may."""

    def write(self, data):
        return super().write(bytes(data)[:100])


def recorded(told, seen=None, secret=""):
    file = Unbuffered()
    recorder = GattRecorder(file, secret=secret)
    if seen is not None:
        recorder.seen(EPOCH, seen)
    recorder.connected(GattConnected(EPOCH, ADDRESS, 247, (TREE,)))
    for number, (opcode, handle, value) in enumerate(told, 1):
        server = opcode in (Opcode.NOTIFICATION, Opcode.INDICATION, Opcode.WRITE_RSP, Opcode.READ_RSP)
        way = Direction.FROM_DEVICE if server else Direction.TO_DEVICE
        recorder.passed(Passed(EPOCH + number * 1_000_000, way, opcode, handle, value))
    recorder.disconnected(EPOCH + 1_000_000_000)
    packets = read_packets(bytearray_of(file))
    assert packets.damage == ()
    return Capture("x", packets)


def bytearray_of(file):
    return np.frombuffer(file.getvalue(), dtype=np.uint8)


@given(steps)
def test_values_come_back_as_they_passed(told):
    messages = recorded(told).raw_messages
    assert [messages.payload(at) for at in range(len(messages))] == [value for *_, value in told]
    assert [int(each) for each in messages.direction] == [
        1 if opcode in (Opcode.WRITE_REQ, Opcode.WRITE_CMD) else -1 for opcode, *_ in told
    ]


def test_characteristics_are_named_by_their_uuids():
    told = [(Opcode.WRITE_CMD, 6, b"a"), (Opcode.NOTIFICATION, 3, b"b")]
    assert [str(each) for each in recorded(told).raw_messages.channels] == [
        "att 0x0003 ff01 notify",
        f"att 0x0006 {LONG} write",
    ]


@given(advertised)
def test_advertisements_come_back_as_they_were(seen):
    packets = recorded([], seen).packets
    found = advertisements(packets.data, hci_packets(packets))[ADDRESS]
    in_order = [replace(each, service_uuids=tuple(sorted(each.service_uuids))) for each in (found, seen)]
    assert in_order[0] == in_order[1]
    (device,) = find_devices(packets)
    assert (device.address, device.connections) == (ADDRESS, 1)


@given(st.binary(max_size=80))
def test_reports_of_any_bytes_end(event):
    assert len(list(reports(event))) <= 255


def test_a_pin_is_overwritten_in_what_is_written():
    told = [(Opcode.WRITE_REQ, 6, b"\xff\xaa\x15\x06123456\x00"), (Opcode.NOTIFICATION, 3, b"123456")]
    messages = recorded(told, secret="123456").raw_messages
    assert messages.payload(0) == b"\xff\xaa\x15\x06******\x00"
    assert messages.payload(1) == b"123456"


def test_refusals_reads_and_confirmations_are_told():
    told = [
        (Opcode.READ_REQ, 3, b""),
        (Opcode.READ_RSP, 3, b"value"),
        (Opcode.WRITE_REQ, 6, b"x"),
        (Opcode.WRITE_RSP, 6, b""),
    ]
    capture = recorded(told)
    assert [str(each) for each in capture.raw_messages.channels if "read" in str(each)] == [
        "att 0x0003 ff01 read"
    ]


class Full(io.RawIOBase):
    def write(self, data):
        raise OSError(28, "No space left on device")


def test_a_full_disk_ends_it_and_is_told():
    recorder = GattRecorder(Full())
    recorder.connected(GattConnected(EPOCH, ADDRESS, 23, (TREE,)))
    assert recorder.failed is not None


@pytest.mark.parametrize(
    ("address", "shown"),
    [("0F3C5A2E-93B5-4F5E-8A54-0D5E5C9F2D11", "0D:5E:5C:9F:2D:11"), ("x", "00:00:00:00:00:00")],
)
def test_addresses_that_are_no_macs(address, shown):
    file = io.BytesIO()
    recorder = GattRecorder(file)
    recorder.connected(GattConnected(EPOCH, address, 23, (TREE,)))
    (device,) = find_devices(read_packets(bytearray_of(file)))
    assert device.address == shown
