"""Texts of each form that tools write, with the bytes in them; and lines whose digits are no bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture.formats import TEXTS, read_packets, text_format
from packwire.capture.packets import NO_TIME
from packwire.errors import BadFileError
from tests.capture.builder import array, read
from tests.capture.formats.test_texts import rows

#: Form -> text -> direction and bytes of each message.
FORMS: dict[str, dict[str, list[tuple[int, str]]]] = {
    "first bytes of letters": {
        "dd a5 03\naa 55 90\n": [(0, "dda503"), (0, "aa5590")],
        "12:00:01 dd a5 03\n": [(0, "dda503")],
        "12:00:01.250 aa,55,90,eb\n": [(0, "aa5590eb")],
        '"dd a5 03"\n': [(0, "dda503")],
        "'ff aa dd cc'\n": [(0, "ffaaddcc")],
        "RX: ff 55 01\n": [(-1, "ff5501")],
        # The first six are no address of a device, which goes on with a space.
        "12:01:02 dd:a5:04:00:ff:fc:77\n12:01:03 dd:04:00:08:0d:47:0d:48:0d:49:0d:4a:fe:a2:77\n": [
            (0, "dda50400fffc77"),
            (0, "dd0400080d470d480d490d4afea277"),
        ],
    },
    "a value and its summary a moment later": {
        "I\t12:01:02.345\tNotification received from 0000ff01-0000-1000-8000-00805f9b34fb, value: (0x) DD-04\n"
        'A\t12:01:02.346\t"(0x) DD-04" received\n': [(-1, "dd04")]
    },
    "literals": {
        r"b'\xa5\x01\x90\x08uo\x03'": [(0, "a501900875" + "6f03")],
        r'INFO:link:received bytearray(b"\xdd\x03w")': [(-1, "dd0377")],
        r"2026-01-02 10:00:00,123 - bms - DEBUG - sent: b'\xdd\xa5\x03'": [(1, "dda503")],
        r"2026-01-02 10:00:00 DEBUG [link] Got response: b'~25\r'": [(-1, "7e32350d")],
        r"2026-01-02 13:14:29.686882500 DEBUG:SerialBattery:bytearray: \xdd\x03\x00": [(0, "dd0300")],
    },
    "lists": {
        "TX [0xA5, 0x01, 0x95, 0x08]": [(1, "a5019508")],
        "2026-01-02 20:15:40.806 | DEBUG | Thread-2 | Port:85 | SEND: Buffer (HEX): [0xA5, 0x40]": [
            (1, "a540")
        ],
        "data: 0xAA 0x4 0xFF 0x0": [(0, "aa04ff00")],
        "10:00:00.317 -> 0xDD 0x3 0x0 0x1B": [(0, "dd03001b")],
        "received data: {0xdd, 0xa5, 0x03}": [(-1, "dda503")],
        "TX: { 0xdd, 0xa5, 0x03 };": [(1, "dda503")],
        "2026-01-02 10:00:00 TX ['0xdd', '0x3', '0xff']": [(1, "dd03ff")],
        'Received: ["dd", "03", "0a"]': [(-1, "dd030a")],
    },
    "ESPHome uart_debug": {
        r'[12:00:00][D][uart_debug:158]: >>> "\a\b\t\n\v\f\r\e\"' + r"\'" + r'\\A"': [
            (1, "0708090a0b0c0d1b22275c41")
        ],
        "[12:00:00][D][uart_debug:176]: <<< 165,1,144,8\n[12:00:00][D][uart_debug:176]: <<< 10,11,12,13": [
            (-1, "a5019008"),
            (-1, "0a0b0c0d"),
        ],
        "[12:00:00][D][uart_debug:200]: <<< 0b11011101 (0xDD),0b00000011 (0x03)": [(-1, "dd03")],
        "[12:00:00][D][uart_debug:114]: >>> 01:03:00:10:00:02": [(1, "010300100002")],
    },
    "gatttool and bluetoothctl": {
        "Indication   handle = 0x0011 value: aa 55 90": [(-1, "aa5590")],
        "[02:00:00:00:00:01][LE]> char-write-cmd 0x0010 dda50300fffd77": [(1, "dda50300fffd77")],
        "handle: 0x0003 \t value: 4a 4b 2d": [(-1, "4a4b2d")],
        "[CHG] Attribute /org/bluez/hci0/dev_02_00_00_00_00_01/service000c/char000d Value:\n"
        "  aa 55 90 eb 97 00 00 00 00 00 00 00 00 00 00 00  .U..............\n"
        "  00 00 00 11                                      ....            ": [
            (-1, "aa5590eb9700000000000000000000000000" + "0011")
        ],
    },
    "btmon": {
        "< ACL Data TX: Handle 64 flags 0x00 dlen 12  #5 [hci0] 12.345678\n"
        "      ATT: Write Command (0x52) len 9\n        Handle: 0x0010\n          Data: dda50300fffd77": [
            (1, "dda50300fffd77")
        ],
        "> ACL Data RX: Handle 64 flags 0x02 dlen 9  #6 [hci0] 12.400000\n"
        "      ATT: Handle Value Indication (0x1d) len 4\n        Handle: 0x000f\n          Data[2]: 01ab": [
            (-1, "01ab")
        ],
        "> ACL Data RX: Handle 64 flags 0x02 dlen 9  #6 [hci0] 12.400000\n"
        "      ATT: Exchange MTU Response (0x03) len 2\n        Server RX MTU: 247\n"
        "> ACL Data RX: Handle 64 flags 0x02 dlen 9  #7 [hci0] 12.500000\n"
        "      ATT: Read Response (0x0b) len 3\n        Value: 4a4b2d": [(-1, "4a4b2d")],
    },
    "Core Bluetooth": {
        "10:00:00.1: received update from characteristic FF01___FF00: <dd03001b 0537>": [
            (-1, "dd03001b0537")
        ],
        "10:00:00.2: wrote value to FF02: <dda50300 fffd77>": [(1, "dda50300fffd77")],
        "didUpdateValueFor FF01 {length = 5, bytes = 0xdd03001b05}": [(-1, "dd03001b05")],
    },
    "dumps": {
        "00000000  dd 03 00 1b 05 37 00 00  50 ef 6d 60 00 09 27 83  |.....7..P.m`..'.|\n"
        "00000010  00 00                                             |..|\n00000012": [
            (0, "dd03001b0537000050ef6d60000927830000")
        ],
        "00000000: dd03 001b 0537 0000 50ef 6d60 0009 2783  .....7..P.m`..'.\n00000010: 00                   .": [
            (0, "dd03001b0537000050ef6d600009278300")
        ],
        "0000000 dd 03 00 1b 05 37 00 00 50 ef 6d 60 00 09 27 83\n0000020 aa\n0000021": [
            (0, "dd03001b0537000050ef6d6000092783aa")
        ],
        "0000   dd 03 00 1b\n\n0000   dd 04 00 1c": [(0, "dd03001b"), (0, "dd04001c")],
    },
    "remarks": {
        "dd a5 03 00 ff fd 77 // basic information": [(0, "dda50300fffd77")],
        "TX dd a5 03 00 ff fd 77 (7 bytes) asks": [(1, "dda50300fffd77")],
        "<- dd 03 00 02 ; voltages": [(-1, "dd030002")],
        "30 03 14 02 00 08 - eight registers": [(0, "300314020008")],
    },
    "nRF Connect": {
        "[10:00:00.123] Writing Value 0xDDA503 to Characteristic FF02": [(1, "dda503")],
        "I\t10:00:00.123\tNotification received from 0000ff01-0000-1000-8000-00805f9b34fb, value: (0x) DD:03": [
            (-1, "dd03")
        ],
        'I 10:00:00.1 Read Response received from 0000ff01-0000-1000-8000-00805f9b34fb, value: (0x) 4A-4B, "JK"': [
            (-1, "4a4b")
        ],
    },
    "mixed forms in one file": {
        ">>> 01:03:00:00:00:5f\n01 03 02 00 11 78\nTX 01 03 # again\nRX: b'\\x01\\x03'": [
            (1, "01030000005f"),
            (0, "010302001178"),
            (1, "0103"),
            (-1, "0103"),
        ]
    },
}


@pytest.mark.parametrize(("form", "text"), [(form, text) for form, texts in FORMS.items() for text in texts])
def test_forms(form, text):
    assert [(way, payload) for way, _, payload in rows(text + "\n")] == FORMS[form][text]
    assert read(text.encode()).damage == ()


@pytest.mark.parametrize("name", TEXTS)
def test_each_example_holds_a_message(name):
    for example in text_format(name).EXAMPLES:
        packets = read(example.encode())
        assert len(packets) >= 1, example
        assert packets.format == text_format(name).NAME


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding):
    text = "TX dd a5 03 00\r\nRX dd 03 00 02\r\n"
    packets = read(text.encode(encoding))
    assert [packets.packet(row).hex() for row in range(2)] == ["dda50300", "dd030002"]


def test_a_hole_that_a_loss_of_power_left():
    packets = read(b"TX dd a5 03 00\n" + bytes(3000) + b"\nRX dd 03 00 02\n")
    assert [packets.packet(row).hex() for row in range(2)] == ["dda50300", "dd030002"]


NO_BYTES = [
    "12 01 02 TX dd a5 04 00 ff fc 77",
    "Request dda50400fffc77 / Response dd0400080d470d480d490d4afea277",
    "0x3ffb1f00: 0x3ffb1f20 0x400d2b3c",
    "notify characteristic: 0000ff01-0000-1000-8000-00805f9b34fb",
    "connected: 02:00:00:00:00:01",
    "02:00:00:00:00:01",
    "02-00-00-00-00-01",
    "received advertisement from 02:00:00:00:00:01",
    "SOC: 85",
    "date: 2024-11-12",
    "2024-11-12",
    "12.11.24",
    "12:34:56",
    "value: 12.50",
    "read 85",
    "received 20 bytes",
    "progress: 50 %",
    "firmware 10.15.20",
    "sent 13.22.22",
    "in 00:00:04",
    "be 15:24:28 6930",
    "be 30:4b:53:92:a3:fe v1.2.3",
    "handle 07:34:04 521 to 99:8b:df:a3:c7:6c",
    "dead",
    "be",
    "550e8400-e29b-41d4-a716-446655440000",
    "550e8400e29b41d4a716446655440000",
    "/dev/ttyUSB0",
    "TX BLE request timed out.",
    "12:00:01 INFO: client_id=b'abc'",
    "12:00:01 ERROR: wrong checksum in frame dd 03 00 02",
    "12:00:01 WARNING: received: dd 03 00 02",
    r"Rx data CRC is invalid: 59763 != 59763 or wrong message bytearray(b'\x00\x044')",
    r"received message b'\xdd\x03' is not valid",
]


@pytest.mark.parametrize("line", NO_BYTES)
def test_what_is_no_bytes_is_counted(line):
    packets = read(f"dd 03 00 1b\n{line}\n".encode())
    assert [packets.packet(row).hex() for row in range(len(packets))] == ["dd03001b"]
    assert any(" x " in note and line[:40] in note for note in packets.notes)
    assert packets.damage == ()


@pytest.mark.parametrize("cut", [" [...]", " ...", "…"])
def test_bytes_that_somebody_cut_are_no_message(cut):
    packets = read(f"RX: dd 03 00 1b\nRX: dd 04 00 08 0d 47{cut}\n".encode())
    assert [packets.packet(row).hex() for row in range(len(packets))] == ["dd03001b"]
    assert "shorter than the line says" in packets.damage[0]


def test_dots_may_be_the_text_of_the_bytes():
    packets = read(b"RX: dd 04 00 ...\n")
    assert packets.packet(0).hex() == "dd0400"


def test_a_time_without_colons_is_no_byte_of_a_message():
    text = "12 01 02 dd a5 04 00\n12 01 03 dd 04 00 08\n12 01 03 dd a5 03\n12 01 04 dd 03 00 1b\n"
    with pytest.raises(BadFileError):
        read(text.encode())
    counting = "00 00 09 dd\n00 00 0a dd\n00 00 0b dd\n00 00 0c dd\n"
    assert len(read(counting.encode())) == 4
    back = "12 01 02 dd\n12 01 03 dd\n12 01 01 dd\n12 01 05 dd\n"
    assert len(read(back.encode())) == 4


WORDS = st.sampled_from(
    [
        "the",
        "of",
        "battery",
        "pack",
        "connected",
        "voltage",
        "read",
        "value",
        "data",
        "received",
        "sent",
        "to",
        "from",
        "at",
        "state",
        "date",
        "is",
        "and",
        "device",
        "be",
        "add",
        "dad",
        "face",
        "bad",
        "fed",
        "cafe",
        "cell",
        "temperature",
        "handle",
        "error",
        "version",
        "timeout",
        "in",
        "out",
        "request",
        "update",
    ]
)
DIGITS = st.one_of(
    st.integers(0, 99999).map(str),
    st.floats(0, 999, allow_nan=False).map(lambda number: f"{number:.2f}"),
    st.dates().map(str),
    st.times().map(lambda time: time.strftime("%H:%M:%S")),
    st.uuids().map(str),
    st.binary(min_size=6, max_size=6).map(lambda data: data.hex(":")),
    st.tuples(*[st.integers(0, 30)] * 3).map(lambda parts: ".".join(map(str, parts))),
    st.tuples(*[st.integers(0, 255)] * 4).map(lambda parts: ".".join(map(str, parts))),
    st.integers(0, 100).map(lambda number: f"{number} %"),
    st.sampled_from(["/dev/ttyUSB0", "/var/log/01/ab.log", "C:\\dd\\a5", "v1.2.3", "hci0"]),
)
PROSE = st.lists(
    st.tuples(WORDS, st.lists(st.one_of(WORDS, DIGITS), min_size=1, max_size=6)).map(
        lambda parts: " ".join((parts[0], *parts[1]))
    )
    | DIGITS,
    min_size=1,
    max_size=8,
)


@given(PROSE)
@settings(max_examples=300, deadline=None)
def test_prose_gives_no_message(prose):
    try:
        packets = read("\n".join(prose).encode())
    except BadFileError:
        return
    assert len(packets) == 0, [packets.packet(row).hex() for row in range(len(packets))]


#: How bytes are written: name -> a line of them.
WRITTEN = {
    "spaced": lambda data: data.hex(" "),
    "timed": lambda data: f"12:00:01.5 RX {data.hex(' ').upper()}",
    "run": lambda data: f"TX {data.hex()}",
    "colons": lambda data: f">>> {data.hex(':')}",
    "commas": lambda data: "RX " + ", ".join(f"0x{byte:02X}" for byte in data),
    "unpadded": lambda data: "data: " + " ".join(f"0x{byte:X}" for byte in data),
    "literal": lambda data: f"12:00:01 DEBUG [x] received: {data!r}",
    "bytearray": lambda data: f"sending {bytearray(data)!r}",
    "gatttool": lambda data: f"Notification handle = 0x000e value: {data.hex(' ')}",
    "nrf": lambda data: f"I 12:00:01.500 Data written to ff02, value: (0x) {data.hex('-').upper()}",
    "esphome": lambda data: (
        f"[12:00:01][D][x:1]: Notification received: {data.hex('.').upper()} ({len(data)})"
    ),
    "ha": lambda data: (
        f"2026-01-02 12:00:01.5 DEBUG (MainThread) [aiobmsble.bms.x] p: RX BLE data: {data.hex(' ')}"
    ),
    "uart text": lambda data: '>>> "' + "".join(f"\\x{byte:02X}" for byte in data) + '"',
}


@pytest.mark.parametrize("form", WRITTEN)
@given(messages=st.lists(st.binary(min_size=4, max_size=40), min_size=1, max_size=6))
def test_bytes_come_back_whole_and_in_order(form, messages):
    messages = [b"\xdd" + data for data in messages]
    packets = read("\n".join(map(WRITTEN[form], messages)).encode())
    assert [packets.packet(row) for row in range(len(packets))] == messages


DECIMAL = "170 85 144 235 151 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17\n"
OTHER = "170 85 144 235 150 0 0 0 0 0 0 0 0 0 0 0 0 0 0 16\n"


def test_decimal_numbers_are_bytes_where_asked_for():
    with pytest.raises(BadFileError, match="give --bytes decimal"):
        read(DECIMAL.encode())
    packets = read_packets(array((DECIMAL + "TX: [221, -91, 3]\n12:30 in 2024\n").encode()), decimal=True)
    assert packets.packet(0).hex() == "aa5590eb97" + "00" * 14 + "11"
    assert packets.packet(1).hex() == "dda503"
    assert packets.direction.tolist() == [0, 1]
    assert len(packets) == 2


def test_decimal_numbers_are_bytes_where_checksums_confirm_two_frames():
    packets = read((DECIMAL + OTHER + "12 13 14 15 300\n").encode())
    assert [packets.packet(row)[4] for row in range(len(packets))] == [0x97, 0x96]
    with pytest.raises(BadFileError, match="only one is a frame"):
        read((DECIMAL * 3).encode())


def test_times_that_are_not_understood_are_said():
    packets = read(b"12345 RX dd 03 00 1b\n12350 RX dd 03 00 1b\n")
    assert packets.time.tolist() == [NO_TIME] * 2
    assert packets.notes == ('2 x times not understood, such as "12345"',)


def test_another_recording_in_the_file_is_said():
    log = "nRF Connect, 2026-01-02\nI 10:00:00.1 Data written to ff02, value: (0x) DD-A5\n"
    packets = read((log + log).encode())
    assert len(packets) == 2
    assert "another recording begins at line 3 (nRF Connect log)" in packets.notes


@pytest.mark.parametrize(
    "table",
    [
        '"SECONDS";"VALUE"\n"100.0";"340.7"\n"100.1";"12"\n',
        "Time,Value\n1,85\n2,12.5\n",
        "Time,ID,DLC,Data\n62614792,0x7a,2,dd 03\n",
        "time,can id,data\n1.5,355,dd 03 00\n",
    ],
)
def test_tables_of_values_and_of_unknown_can_frames_are_refused(table):
    with pytest.raises(BadFileError, match="no bytes that could be read|does not say the unit"):
        read(table.encode())


@pytest.mark.parametrize(
    ("head", "cell", "time"),
    [
        ("time (ms)", "1500", 1_500_000_000),
        ("timestamp", "1700000000123", 1_700_000_000_123_000_000),
        ("time_us", "250", 250_000),
        ("seconds", "2", 2_000_000_000),
        ("time", "973", NO_TIME),
    ],
)
def test_the_unit_of_a_tables_times_is_known_or_not_guessed(head, cell, time):
    packets = read(f"{head},hex\n{cell},dd 03\n".encode())
    assert packets.time.tolist() == [time]
    assert (time == NO_TIME) == any("times not understood" in note for note in packets.notes)


def test_a_refusal_shows_the_text_and_names_the_nearest_form():
    with pytest.raises(BadFileError) as caught:
        read(b"2026-01-02 09:01:19.115 DEBUG (MainThread) [aiobmsble.bms.x] pack: nothing to see\n")
    assert 'it begins "2026-01-02 09:01:19.115 DEBUG' in str(caught.value)
    assert "the nearest is that of Home Assistant log" in str(caught.value)
    assert "enable debug logging" in str(caught.value)


def test_a_refusal_quotes_no_password():
    with pytest.raises(BadFileError) as caught:
        read(b"my wifi pw: correcthorse\nits password is correcthorse\n")
    assert "correcthorse" not in str(caught.value)


def test_the_arrow_of_a_serial_monitor_is_no_direction():
    assert rows("10:00:00.317 -> data: dd 03 00\n10:00:01 -> dd 03 00\n") == [
        (0, "hex", "dd0300"),
        (1, "hex", "dd0300"),
    ]


def test_the_arrow_is_a_direction_where_there_are_arrows_the_other_way():
    log = "10:00:00.100 -> dd a5 03 00\n10:00:00.200 <- dd 03 00 1b\n"
    assert rows(log) == [(1, "hex", "dda50300"), (-1, "hex", "dd03001b")]


def test_a_line_too_long_for_a_message_is_counted():
    packets = read(b"dd 03 00\n" + b"dd " * 20_000 + b"\n")
    assert len(packets) == 1
    assert packets.damage[0].startswith("1 x lines of more than 32768 characters, the first is line 2")


def test_the_day_may_come_first():
    packets = read(b"31.01.2026 10:00:00 RX dd 03 00 1b\n")
    assert packets.time.tolist() == [1_769_853_600_000_000_000]


def test_a_value_that_bluez_and_the_program_show_is_taken_once():
    signal = (
        "18:15:18 DEBUG [manager] received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged"
        " (/org/bluez/hci0/dev_02_00_00_00_00_01/service000e/char0011): ['org.bluez.GattCharacteristic1',"
        r" {'Value': <dbus_fast.signature.Variant ('ay', bytearray(b')\xcd\x00'))>}, []]"
    )
    own = "18:15:18 DEBUG [jikong] bms msg(3) (buf278): 29 cd 0"
    assert rows(f"{signal}\n{own}\n") == [(-1, "att char0011 notify", "29cd00")]
    assert rows(f"{own}\n") == [(-1, "att notify", "29cd00")]


WAYS = {
    "Read Request": 1,
    "Read Response": -1,
    "Write Response": -1,
    "write with response": 1,
    "WRITE_NO_RESPONSE": 1,
    "writeWithoutResponse": 1,
    "Sent Write Command": 1,
    "Rcvd Handle Value Notification": -1,
    "host to device": 1,
    "device to host": -1,
    "App->BMS": 1,
    "BMS->App": -1,
    "App <- BMS": -1,
    "from the BMS": -1,
    "sent by BMS": -1,
    "received by BMS": 1,
    "received write request": 1,
    "sending notification": -1,
    "Response to request": -1,
    "writing notify descriptor": 1,
    "DOWN": 1,
    "Upstream": -1,
    "request from BMS": 0,
    "a": 0,
}


@pytest.mark.parametrize("words", WAYS)
def test_which_way_a_message_goes_by_the_words_of_a_table(words):
    assert [row[0] for row in rows(f"time,direction,data\n0.5,{words},dda503\n")] == [WAYS[words]]


@pytest.mark.parametrize(
    ("words", "direction"),
    [
        ("To device:", 1),
        ("From device:", -1),
        ("sent by BMS:", -1),
        ("BMS -> ESP:", -1),
        ("received write request:", 1),
        ("Read response:", -1),
    ],
)
def test_which_way_a_message_goes_by_the_words_before_it(words, direction):
    assert [row[0] for row in rows(f"{words} DD A5 03 00 FF FD 77\n")] == [direction]


def test_bytes_below_words_go_the_way_that_these_say():
    text = "TX:\ndd a5 03\n[2026-01-02 10:00:00.5]# RECV HEX>\ndd 03 00\ndd 04 00\n"
    assert [(way, payload) for way, _, payload in rows(text)] == [
        (1, "dda503"),
        (-1, "dd0300"),
        (0, "dd0400"),
    ]


def test_lines_that_are_full_go_on_below_indented():
    first, rest = "dd 03 00 1b" + " a0" * 12, "00 01 fb 77"
    assert [(way, payload) for way, _, payload in rows(f"RX: {first}\n    {rest}\nTX dd a5 03\n")] == [
        (-1, (first + rest).replace(" ", "")),
        (1, "dda503"),
    ]
    # What is indented below a short message is another one.
    assert [payload for _, _, payload in rows("TX: dd a5 03\n    dd 03 00\n")] == ["dda503", "dd0300"]


def test_a_list_goes_on_behind_a_comma():
    text = "const uint8_t ask[] = {\n  0xDD, 0xA5, 0x03,\n  0x00, 0xFF };\nint a;\n0x01, 0x03\n"
    assert [payload for _, _, payload in rows(text)] == ["dda50300ff", "0103"]


@pytest.mark.parametrize("masked", ["XX XX", "?? ??", "** **", "xx:xx", ".. ..", "-- --", "--"])
def test_bytes_that_were_made_illegible_are_no_end_of_a_message(masked):
    packets = read(f"RX dd 03 00 02 {masked} ff b5 77\nRX dd 03 00 1b\n".encode())
    assert [packets.packet(row).hex() for row in range(len(packets))] == ["dd03001b"]
    assert "illegible" in packets.damage[0]


@pytest.mark.parametrize("between", [" => ", " -> ", " = ", " / ", " → "])
def test_of_a_request_and_its_answer_in_one_line_neither_is_taken(between):
    line = f"dd a5 03 00 ff fd 77{between}dd 03 00 02"
    packets = read(f"{line}\ndd 03 00 1b\n".encode())
    assert [packets.packet(row).hex() for row in range(len(packets))] == ["dd03001b"]
    assert any(line[:20] in note for note in packets.notes)


@pytest.mark.parametrize("way", ["RX", "TX"])
def test_digits_beside_decimal_numbers_are_decimal(way):
    with pytest.raises(BadFileError, match="2 x lines of decimal numbers"):
        read(f"RX: 165 1 144 8\n{way}: 10 20 30 40 50\n".encode())
    # The other way bytes are in hex.
    text = "RX: 165 1 144 8\nRX: 10 20 30 40 50\nTX: dd a5 03\nTX: 01 03 00 00 00 01\n"
    assert [payload for _, _, payload in rows(text)] == ["dda503", "010300000001"]


def test_numbers_of_lines_are_no_bytes():
    with pytest.raises(BadFileError, match="number of the line"):
        read("".join(f"{number:02d} DD A5 03 00\n" for number in range(1, 13)).encode())
    # A counter.
    assert len(rows("".join(f"{number:02x} DD A5 03 00\n" for number in range(1, 13)))) == 12


def test_a_number_in_a_table_is_none_of_its_messages():
    text = '{"topic": "tx", "payload": "DDA503"}\n{"topic": "soc", "payload": "87"}\n'
    packets = read(text.encode())
    assert [packets.packet(row).hex() for row in range(len(packets))] == ["dda503"]
    assert any("no bytes" in note for note in packets.notes)


def test_decimal_commas_in_a_table_whose_columns_none_parts():
    packets = read(b"Zeit [s];Richtung;Daten\n0,000;TX;DD A5 03\n0,125;RX;DD 03 00\n")
    assert packets.time.tolist() == [0, 125_000_000]


def test_digits_of_hexlify_are_bytes_where_they_are_a_frame():
    text = "sent b'dda50300fffd77'\nb'20024600B01402D002AFC800C8FE0CC0F915'\n"
    assert [payload[:14] for _, _, payload in rows(text)] == ["dda50300fffd77", "32303032343630"]


def test_packets_that_wireshark_prints_are_no_messages():
    text = (
        "Frame 1: 19 bytes on wire (152 bits), 19 bytes captured (152 bits)\n\n"
        "0000  02 40 00 0e 00 0a 00 04 00 52 10 00 dd a5 03 00   .@.......R......\n"
        "0010  ff fd 77                                          ..w\n"
    )
    with pytest.raises(BadFileError, match=r"2 x rows of whole packets.*save it as pcapng"):
        read(text.encode())


@pytest.mark.parametrize(
    "line",
    [
        "a4:c1:38:ff:fe:12:34:56",
        "- 0f1e2d3c4b5a69788796a5b4c3d2e1f001122334 release",
        "* 12ab34cd (#12) bump",
        "12ab34cd bump",
        "356 C0 14 00 00 D2 00",
    ],
)
def test_addresses_hashes_and_identifiers_are_no_messages(line):
    with pytest.raises(BadFileError):
        read(f"{line}\n".encode())


def test_what_is_a_frame_by_itself_is_no_rest_of_the_line_before():
    first = "dd 03 00 1b" + " a0" * 12
    assert [payload for _, _, payload in rows(f"RX: {first}\n  dd a5 03 00 ff fd 77\n")][1:] == [
        "dda50300fffd77"
    ]
    # Nor are numbers that of bytes with 0x before them.
    assert "dd03123456" not in [payload for _, _, payload in rows("RX: 0xDD, 0x03,\n12, 34, 56\n")]


def test_an_address_with_the_size_of_what_is_there_is_no_message():
    packets = read(b"RX dd a5 03\nbuffer 3ffb1f20 len 20\n")
    assert [packets.packet(row).hex() for row in range(len(packets))] == ["dda503"]
    assert any("buffer 3ffb1f20" in note for note in packets.notes)


def test_a_table_with_identifiers_of_a_can_bus_is_none_of_messages():
    with pytest.raises(BadFileError, match="CAN identifiers"):
        read(b"Time,ID,Data\n0.1,0x355,64 00 63 00\n0.2,0x356,C0 14 00 00\n")
    assert len(read(b"Time,ID,Data\n0.1,355,DD 00 63 00\n0.2,356,C0 14 00 00\n")) == 2
