"""Frames written in each form of a CAN log come back whole and in order; text of another kind gives none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture.formats import text_format
from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN, NO_TIME
from packwire.capture.text.can import FD_FORMAT, FD_SIZES
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row
from packwire.errors import BadFileError
from tests.capture.builder import read
from tests.capture.formats.can_forms import FORMS, MS, RECEIVED, SENT, UNKNOWN, Form, Frame

CAN_TEXTS = (
    "bms_to_inverter", "battery_emulator", "candump", "pcan_trc", "vector_asc", "busmaster", "crtd", "canhacker_trc",
    "slcan", "python_can_log", "can_table", "usb_can_tool", "can_prints",
)  # fmt: skip


@st.composite
def _frames(draw, form: Form):
    frames, time = [], draw(st.integers(0, 3_000_000))
    for _ in range(draw(st.integers(1, 8))):
        extended = draw(st.booleans())
        # Where nothing but its size tells an identifier of 29 bits, a small one is taken for 11 bits.
        low = 0 if form.extended else 0x800
        identifier = draw(st.integers(low, 0x1FFF_FFFF) if extended else st.integers(0, 0x7FF))
        fd = form.fd and draw(st.booleans())
        remote = form.remote and not fd and draw(st.booleans())
        size = draw(st.sampled_from(FD_SIZES) if fd else st.integers(0, 8))
        data = b"" if remote else draw(st.binary(min_size=size, max_size=size))
        way = draw(st.sampled_from((RECEIVED, SENT)))
        frames.append(Frame(time, identifier, extended, data, way, remote, fd))
        time += draw(st.integers(0, 30_000))
    return frames


@settings(max_examples=25, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", FORMS)
def test_frames_come_back_whole_and_in_order(name, data):
    form = FORMS[name]
    frames = data.draw(_frames(form))
    if name == "slcan":
        # A word that happens to be a frame without data is none until one with data was there.
        frames = [Frame(frames[0].time, 0x7FF, False, b"\0"), *frames]
    if name == "Battery-Emulator":
        # Such a log marks CAN FD by the length alone.
        frames = [
            f if len(f.data) > 8 or not f.fd else Frame(f.time, f.id, f.extended, f.data, f.way)
            for f in frames
        ]
    packets = read(form.write(frames).encode())
    assert packets.damage == ()
    assert (packets.link_type == LINKTYPE_CAN_SOCKETCAN).all()
    kept = [_plain(packets.packet(row)) for row in range(len(packets))]
    assert kept == [frame.socketcan for frame in frames]
    expected = [frame.way if form.way else UNKNOWN for frame in frames]
    assert packets.direction.tolist() == (
        expected if name[:14] != "MCP2515 print," else [RECEIVED] * len(frames)
    )
    if form.time:
        found, wanted = (
            packets.time - packets.time[0],
            np.array([frame.time - frames[0].time for frame in frames]),
        )
        assert np.abs(found - wanted * MS).max() < 2000
        if name not in {"slcan", "CANHacker"}:
            assert abs(int(packets.time[0]) - form.since - frames[0].time * MS) < 2 * MS
    else:
        assert (packets.time == NO_TIME).all()


def _plain(frame: bytes) -> bytes:
    """Return a frame without the flag that its data was faster."""
    return frame[:5] + bytes([frame[5] & FD_FORMAT]) + frame[6:]


WORDS = st.sampled_from(
    (
        "2024-05-06", "12:30:01.250", "voltage", "=", "13.25", "V", "AA:BB:CC:DD:EE:FF", "id", "ID:", "data", "Data",
        "len", "DLC", "0000ff01-0000-1000-8000-00805f9b34fb", "/dev/ttyUSB0", "v1.2.3", "#12", "8", "100%", "0x10",
        "connected", "RX", "TX", "(1)", "[2]", "can", "error", "t", "to", "12", "355", "cell", "1:", "3.301", "GMT+1",
        "192.168.1.2:8899", "deadbeef", "5f3a9c1", "INFO", "-", ",", ";", "|", "R11", "Rx",
    )
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=10).map(" ".join), min_size=1, max_size=6))
def test_prose_with_numbers_gives_no_frame(lines):
    for name in CAN_TEXTS:
        grammar = text_format(name).Grammar(Clock())
        for line in lines:
            try:
                assert not isinstance(grammar.take(line), Row), (name, line)
            except BadFileError:
                return


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_text_gives_no_frame(lines):
    for name in CAN_TEXTS:
        grammar = text_format(name).Grammar(Clock())
        for line in lines:
            try:
                assert not isinstance(grammar.take(line), Row), (name, line)
            except BadFileError:
                return


@settings(max_examples=15, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", FORMS)
def test_damaged_logs_never_crash(name, data):
    frames = data.draw(_frames(FORMS[name]))
    text = bytearray(FORMS[name].write(frames).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(9, 126))
    try:
        read(bytes(text))
    except BadFileError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", CAN_TEXTS)
def test_each_example_holds_one_frame(name):
    for example in text_format(name).EXAMPLES:
        grammar = text_format(name).Grammar(Clock())
        found = [grammar.take(line) for line in example.splitlines()]
        assert sum(isinstance(each, Row) for each in found) == 1, example


@pytest.mark.parametrize("name", CAN_TEXTS)
@pytest.mark.parametrize(
    "word", ["00 ", "A", "0x", " ", "\t", "1,", "[", "t", "0`", "##0", "id,", "ID:", "12:00:00 ", "b'\\"]
)
def test_long_lines_take_no_time(name, word):
    """A pattern that tries a line again and again would run into the suite's time limit."""
    heads = (
        "", "(1.5) can0 1#", "  can0  355   [8] ", "(1.5) RX0 226 [8] ", "7553  1DB  8  ", "ID: 0x1 DLC: 8 Data: ",
        "Timestamp: 1.5 ID: 1 S Rx ", "     1) 1.9 Rx 0355 4 ", "  0.1 1 64 Rx d 8 ", "id,data,dlc\n1,",
        "***BUSMASTER\n22:20:14:9920 Rx 1 0x21A s 3 ", "1.5 R11 402 ", "base hex timestamps absolute\n 0.1 CANFD 1 Rx 124 ",
    )  # fmt: skip
    for head in heads:
        grammar = text_format(name).Grammar(Clock())
        for line in f"{head}{word * (20_000 // len(word))}!".split("\n"):
            try:
                grammar.take(line)
            except BadFileError:
                break
