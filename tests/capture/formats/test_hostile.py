"""Whatever a file holds, a reader gives packets that lie within it or one line that says why not."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import BINARY, read_packets, reader
from packwire.errors import BadFileError
from tests.capture.formats.test_texts import CAN, HEX, TestHomeAssistant, TestNrfConnect
from tests.fuzz.fuzz_formats import check

TEXTS = [
    *(f"{line}\n" * 3 for line in (*CAN, *HEX)),
    TestNrfConnect.LOG,
    f"{TestHomeAssistant.HEAD}pack: RX BLE data: b'\\xdd\\x03'\n",
    "[05:58:49][D][uart_debug:114]: >>> 7E:32:0D\n",
    "time,direction,hex\n1.5,tx,dd03\n",
]


@given(st.sampled_from(TEXTS), st.data())
def test_damaged_texts_never_crash(text, data):
    whole = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    check(bytes(whole))


@given(st.text(max_size=200))
def test_any_text_never_crashes(text):
    check(text.encode("utf-8", "surrogatepass"))


@given(st.text(alphabet="0123456789abcdefx #[]():.,-<>TRXb'\\\"\n\t", max_size=300))
def test_what_looks_like_a_log_never_crashes(text):
    check(text.encode())


@given(st.binary(max_size=300))
@pytest.mark.parametrize("name", BINARY)
def test_a_reader_given_any_bytes_behind_its_own_beginning(name, data):
    if reader(name).matches(data):
        check(data)


@pytest.mark.parametrize(
    "line", ["00 ", "0x", "-", "[", "(1", "tx ", "b'\\", "12:00:00 ", ": ", "a", " ", "can0 ", ">>> ", "DLC "]
)
def test_long_lines_take_neither_time_nor_memory(line):
    text = (line * (200_000 // len(line))).encode()
    tracemalloc.start()
    for begin in (
        b"",
        b"00 11\n",
        f"{TestHomeAssistant.HEAD}RX BLE data: 00\n{TestHomeAssistant.HEAD}".encode(),
    ):
        check(begin + text)
        check(begin + b"TX " + text + b"!")
        check(b"  can0  355   [8]  00 11\n  can0  355   [8] " + text + b"!")
        check(b"[01:02:03][D][uart_debug:1]: >>> 00\n[" + text + b" >>> 00!")
        check(
            b"nRF Connect, 2026-01-01\nI 01:02:03.004 Notification received from ff, value: (0x) "
            + text
            + b"!"
        )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_many_lines_take_memory_in_proportion():
    data = np.frombuffer(b"00 11 22 33\n" * 100_000, dtype=np.uint8)
    tracemalloc.start()
    assert len(read_packets(data)) == 100_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * len(data)


def test_an_empty_file_is_said_to_be_empty():
    with pytest.raises(BadFileError, match="the file is empty"):
        read_packets(np.zeros(0, dtype=np.uint8))


def test_a_flood_of_lines_is_cut_off(monkeypatch):
    monkeypatch.setattr("packwire.capture.formats.MAX_ROWS", 10)
    packets = read_packets(np.frombuffer(b"00 11\n" * 25, dtype=np.uint8))
    assert len(packets) == 10
    assert packets.damage == (
        "more than 10 messages: what follows line 11 is left out, give the log in parts",
    )


def test_a_flood_of_channels_is_cut_off(monkeypatch):
    monkeypatch.setattr("packwire.capture.text.table.MAX_CHANNELS", 3)
    table = "hex,channel\n" + "".join(f"00,c{number}\n" for number in [*range(9), 0])
    packets = read_packets(np.frombuffer(table.encode(), dtype=np.uint8))
    assert (len(packets), packets.interfaces) == (4, ("c0", "c1", "c2"))
    assert packets.damage == ("more than 3 channels: 6 messages of others are left out",)
