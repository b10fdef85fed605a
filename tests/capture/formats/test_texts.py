"""Text logs: one small log of each kind, the times and marks in them, and lines that hold nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.packets import APPLICATION, NO_TIME
from packwire.capture.text.tokens import hex_bytes, literal_bytes
from packwire.errors import BadFileError
from tests.capture.builder import read

DAY = 86_400_000_000_000
UUID = "0000ff01-0000-1000-8000-00805f9b34fb"


def rows(text: str):
    packets = read(text.encode())
    return [
        (int(packets.direction[row]), packets.interfaces[packets.interface[row]], packets.packet(row).hex())
        for row in range(len(packets))
    ]


class TestNrfConnect:
    LOG = (
        "nRF Connect, 2026-01-02\nBMS (AA:BB:CC:DD:EE:FF)\n"
        "V\t23:59:59.000\tWriting command to characteristic 0000ff02-0000-1000-8000-00805f9b34fb\n"
        "I\t23:59:59.100\tData written to 0000ff02-0000-1000-8000-00805f9b34fb, value: (0x) DD-A5-03\n"
        'A\t23:59:59.100\t"(0x) DD-A5-03" sent\n'
        f"I\t23:59:59.200\tNotification received from {UUID}, value: (0x) DD-03\n"
        'A\t23:59:59.200\t"(0x) DD-03" received\n'
        "I\t00:00:00.300\tIndication received from 6e400003-b5a3-f393-e0a9-e50e24dcca9e, value: (0x) 01\n"
        f"I\t00:00:00.400\tRead Response received from {UUID}, value: (0x) 02\n"
    )

    def test_values_are_taken_once(self):
        assert rows(self.LOG) == [
            (1, "att ff02 write", "dda503"),
            (-1, "att ff01 notify", "dd03"),
            (-1, "att 6e400003-b5a3-f393-e0a9-e50e24dcca9e indicate", "01"),
            (-1, "att ff01 read", "02"),
        ]

    def test_the_day_changes_at_midnight(self):
        packets = read(self.LOG.encode())
        assert packets.link_type.tolist() == [APPLICATION] * 4
        first = 1_767_398_399_100_000_000  # 2026-01-02T23:59:59.1
        assert (packets.time - first).tolist() == [0, 100_000_000, 1_200_000_000, 1_300_000_000]

    def test_a_log_without_values_says_what_to_do(self):
        with pytest.raises(BadFileError, match="enable the notifications"):
            read(b"nRF Connect, 2026-01-02\nD\t01:02:03.004\tgatt.close()\n")

    def test_cuts_are_said(self):
        log = self.LOG + "#@gap: something is missing\n"
        assert "1 x places where the log was cut, the first is line 10" in read(log.encode()).damage[0]


class TestHomeAssistant:
    HEAD = "2026-07-30 09:01:18.968 DEBUG (MainThread) [aiobmsble.bms.x] "

    def test_all_ways_to_show_bytes(self):
        log = (
            f"{self.HEAD}pack: TX BLE req #1 (W): aa 55 90\n"
            f"{self.HEAD}pack: RX BLE data: aa5590eb\n"
            f"{self.HEAD}pack: Rx BLE data (start): bytearray(b'\\xdd\\x03w\\'')\n"
            f'{self.HEAD}pack: TX BLE data: b"\\x7e\\n"\n'
            f"{self.HEAD}pack: BMS data sample {{'voltage': 13.59}}\n"
        )
        assert rows(log) == [
            (1, "att write", "aa5590"),
            (-1, "att notify", "aa5590eb"),
            (-1, "att notify", "dd037727"),
            (1, "att write", "7e0a"),
        ]

    def test_characteristics_are_those_that_the_log_names(self):
        log = (
            f"{self.HEAD}p: GATT profile\n"
            f"  CHR {UUID} (Handle: 15): Vendor specific (read)\n"
            f"{self.HEAD}p: received characteristic handles #15 (notify), #15 (write).\n"
            f"{self.HEAD}p: start notify on RX characteristic ff01\n"
            f"{self.HEAD}p: TX BLE data: 0102\n"
        )
        assert rows(log) == [(1, "att ff01 write", "0102")]

    def test_several_devices_are_told_apart(self):
        log = f"{self.HEAD}one: RX BLE data: 0102\n{self.HEAD}two: RX BLE data: 0304\n"
        assert [channel for _, channel, _ in rows(log)] == ["att notify of one", "att notify of two"]

    def test_a_log_without_bytes_says_what_to_do(self):
        with pytest.raises(BadFileError, match="enable debug logging"):
            read(f"{self.HEAD}nothing here\n".encode())


def test_uart_debug():
    log = (
        "[05:58:49][D][uart_debug:114]: >>> 7E:32:0D\n[05:58:49][D][x:1]: words\n"
        '\x1b[0;36m[05:58:50][D][uart_debug:158]: <<< "~2\\x0D"\x1b[0m\n'
    )
    assert rows(log) == [(1, "uart", "7e320d"), (-1, "uart", "7e320d")]
    assert read(log.encode()).time.tolist() == [s * 1_000_000_000 for s in (21_529, 21_530)]


CAN = {
    "(1436509052.249713) vcan0 044#2A366C2B": ("vcan0", "00000044040000002a366c2b", 0),
    "(1436509052.249713) can0 00000571#0E33 R": ("can0", "80000571020000000e33", -1),
    "(1436509052.249713) can0 123#R": ("can0", "4000012300000000", 0),
    "(1436509052.249713) can0 123##1AABB T": ("can0", "0000012302050000aabb", 1),
    "  can0  355   [8]  00 11 22 33 44 55 66 77": ("can0", "00000355080000000011223344556677", 0),
    " (004.1)  can1  RX - -  1FFFFFFF   [2]  00 11   '..'": ("can1", "9fffffff020000000011", -1),
    "  can0  7FF   [0]": ("can0", "000007ff00000000", 0),
    "  can0  123   [2]  remote request": ("can0", "4000012300000000", 0),
    "17:28:53.335 > CAN : Received EXT  from 0x0000055F / cmd = 05h, DLC 2, Data 0x0E 0x33 ": (
        "CAN",
        "8000055f020000000e33",
        -1,
    ),
}


@pytest.mark.parametrize("line", CAN)
def test_can_frames_become_those_of_socketcan(line):
    interface, frame, direction = CAN[line]
    packets = read(f"{line}\n{line}\n".encode())
    assert packets.link_type.tolist() == [227, 227]
    assert packets.packet(1).hex() == frame
    assert packets.interfaces == (interface,)
    assert packets.direction.tolist() == [direction] * 2
    assert packets.damage == ()


def test_candump_times_are_seconds():
    packets = read(b"(1436509052.249713) vcan0 044#2A\n")
    assert packets.time.tolist() == [1_436_509_052_249_713_000]


def test_lines_that_are_no_frames_are_counted():
    packets = read(b"  can0  355   [1]  00\nnoise\n  can0  355   [1]  01\n")
    assert len(packets) == 2
    assert packets.damage == ()
    assert packets.notes == ('1 x lines without bytes, the first is line 2: "noise"',)


HEX = {
    "dd03001b": (0, "dd03001b"),
    "12:00:01.5 RX dd 03 00 1b": (-1, "dd03001b"),
    "[12:00:01] -> DD:03": (1, "dd03"),
    "2026-01-02T12:00:01.250Z write: DD-03": (1, "dd03"),
    "1700000000.5 < 0xdd, 0x03": (-1, "dd03"),
    "notify dd 03": (-1, "dd03"),
    "> dd 03": (1, "dd03"),
    "<- dd03": (-1, "dd03"),
}


@pytest.mark.parametrize("line", HEX)
def test_hex_lines(line):
    packets = read(f"# a comment\n{line}\n{line}\n".encode())
    assert (int(packets.direction[1]), packets.packet(1).hex()) == HEX[line]
    assert (packets.time[1] != NO_TIME) == line[0].isdigit() or line.startswith(("[", "dd"))


@pytest.mark.parametrize("name", ["register", "Addr", "Offset (hex)"])
def test_a_table_that_describes_registers_is_no_recording(name):
    rows = f"{name},meaning,hex\n1,current,FF 9C\n2,soc,00 57\n"
    with pytest.raises(BadFileError, match="2 x rows of a table that describes registers"):
        read(rows.encode())
    assert len(read(rows.replace("meaning", "time").replace("current", "12:00:01").encode())) == 2


@pytest.mark.parametrize(
    "line", ["['a', 'b', 'c']", "['be', 'ad']", '["10", "20", "30"]', "['21', '2', '33']"]
)
def test_lists_of_words_and_numbers_are_no_bytes(line):
    with pytest.raises(BadFileError):
        read(f"{line}\n{line}\n".encode())


def test_a_table_of_colours_is_no_recording():
    rows = b"name,hex\nred,ff0000\ngreen,00ff00\n"
    with pytest.raises(BadFileError, match="2 x rows of a table without times, directions and channels"):
        read(rows)
    assert len(read(rows + b"basic info,dd a5 03 00 ff fd 77\ncells,dd a5 04 00 ff fc 77\n")) == 4


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(separator):
    table = [
        ("time", "direction", "channel", "hex"),
        ("1700000000.25", "tx", "att ff02 write", "dd a5"),
        ("1700000001250000000", "-1", "att ff01 notify", "dd03"),
        ("2023-11-14T22:13:22.5Z", "from device", "", "dd03"),
        ("", "", "", "no hex"),
    ]
    text = "\n".join(separator.join(row) for row in table)
    assert rows(text) == [(1, "att ff02 write", "dda5"), (-1, "att ff01 notify", "dd03"), (-1, "hex", "dd03")]
    packets = read(text.encode())
    assert packets.format == "CSV"
    assert (packets.time - 1_700_000_000_000_000_000).tolist() == [250_000_000, 1_250_000_000, 2_500_000_000]
    assert "1 x rows of a table without bytes" in packets.notes[0]


@pytest.mark.parametrize("text", ["words and nothing else\n", "No. Time Source\n1 2 3\n", "{}\n", " \n"])
def test_other_texts_are_refused_with_advice(text):
    with pytest.raises(BadFileError, match="text with no bytes"):
        read(text.encode())


@given(st.binary(min_size=1, max_size=40), st.sampled_from([" ", ":", "-", "", ",", ", "]))
def test_hex_of_any_separator_is_read(data, separator):
    assert hex_bytes(separator.join(f"{byte:02X}" for byte in data)) == data
    assert hex_bytes(separator.join(f"0x{byte:02x}" for byte in data)) == data


@given(st.binary(max_size=60))
def test_literals_of_python_are_read(data):
    assert literal_bytes(f"bytearray({data!r})") == data


def test_literals_that_python_would_refuse_are_taken_as_they_are():
    assert literal_bytes(r"b'\x' b") == rb"\x"
    assert literal_bytes("b'no end") is None


class TestEsphomeLog:
    LOG = (
        "[15:36:28][D][jk_bms_ble:220]: Notification received: 55.AA.EB.90.02 (5)\n"
        "[15:36:28][I][jk_bms_ble:226]:   Nominal capacity: 100.000 Ah\n"
        "[15:36:29.500][VV][basen_bms_ble:151]: Notification received (handle 0x11): 3A.16.2B.18 (4)\n"
        "[15:36:29][D][basen_bms_ble:311]:   3A.16.2B.18 (4)\n"
        "[15:36:30][V][basen_bms_ble:401]: Send command (handle 21): 3A.16.24.01 (4)\n"
    )

    def test_lines_of_traffic_are_taken_and_no_others(self):
        assert rows(self.LOG) == [
            (-1, "att notify", "55aaeb9002"),
            (-1, "att 0x0011 notify", "3a162b18"),
            (1, "att 0x0015 write", "3a162401"),
        ]

    def test_the_times_are_those_of_the_log(self):
        time = read(self.LOG.encode()).time
        assert (time - time[0]).tolist() == [0, 1_500_000_000, 2_000_000_000]

    def test_a_line_that_the_logger_cut_is_said_and_left_out(self):
        packets = read((self.LOG + "[15:36:31][D][x:1]: Notification received: 55.AA.EB (300)\n").encode())
        assert len(packets) == 3
        assert "1 x messages that are shorter than the line says" in packets.damage[0]

    def test_colours_do_not_matter(self):
        assert len(read(b"\x1b[0;36m[15:36:28][D][a:2]: RX: 01 02 03\x1b[0m\n")) == 1


def test_bytes_with_colons_are_no_time_of_day():
    assert rows("06:22:20:A5:5A\nA5:5A:05:82\n") == [(0, "hex", "062220a55a"), (0, "hex", "a55a0582")]


def test_messages_without_a_time_stay_where_they_stand():
    log = "(1.0) can0 001#01\n  can0  002   [1]  02\n(0.5) can0 003#03\n  can0  004   [1]  04\n"
    from packwire.capture import Capture

    messages = Capture("log", read(log.encode())).messages
    assert [messages.payload(row)[0] for row in range(4)] == [3, 4, 1, 2]
