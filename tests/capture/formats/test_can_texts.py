"""CAN logs as their tools' own documentation shows them, and what is refused or counted."""

import pytest

from packwire.capture.open import Capture
from packwire.capture.packets import NO_TIME
from packwire.channel import Channel
from packwire.errors import BadFileError
from tests.capture.builder import read

MS = 1_000_000


def rows(text: str):
    packets = read(text.encode())
    return [
        (int(packets.direction[row]), packets.interfaces[packets.interface[row]], packets.packet(row).hex())
        for row in range(len(packets))
    ]


def times(text: str) -> list[float]:
    time = read(text.encode()).time
    return [(each - time[0]) / 1e9 for each in time.tolist()]


def losses(text: str) -> tuple[str, ...]:
    return Capture("log", read(text.encode())).losses


class TestCandump:
    def test_times_since_the_frame_before_are_added_up(self):
        log = "".join(
            f" ({gap:010.6f})  can0  355   [1]  {n:02X}\n" for n, gap in enumerate((0, 0.5, 0.1, 0.7, 0.2))
        )
        assert times(log) == [0, 0.5, 0.6, 1.3, 1.5]

    def test_times_since_the_first_frame_are_not(self):
        log = "".join(f" ({at:010.6f})  can0  355   [1]  00\n" for at in (0, 0.5, 0.6, 1.3, 1.29, 1.5, 1.6))
        assert times(log) == [0, 0.5, 0.6, 1.3, 1.29, 1.5, 1.6]

    @pytest.mark.parametrize(
        ("stamp", "expected"),
        [
            ("1700000000.250000", 1_700_000_000_250),
            ("2023-11-14 22:13:20.250000", 1_700_000_000_250),
            ("2023-11-14 23:13:20.250000+01:00", 1_700_000_000_250),
            ("2023-11-14T22:13:20.250Z", 1_700_000_000_250),
        ],
    )
    def test_absolute_times_with_and_without_zone(self, stamp, expected):
        packets = read(f" ({stamp})  can0  355   [1]  00\n".encode())
        assert packets.time.tolist() == [expected * MS]

    def test_a_time_that_is_not_understood_is_said(self):
        packets = read(b" (yesterday)  can0  355   [1]  00\n")
        assert packets.time.tolist() == [NO_TIME]
        assert any("yesterday" in note for note in packets.notes)

    def test_flags_of_can_fd(self):
        assert rows("(1.5) can0 123##1AABB R\n") == [(-1, "can0", "0000012302050000aabb")]
        assert rows("  can0  TX B E  123  [02]  AA BB\n") == [(1, "can0", "0000012302070000aabb")]

    def test_remote_and_error_frames_are_no_data(self):
        log = (
            "  can0  123   [4]  remote request\n"
            "  can0  20000004   [8]  00 01 00 00 00 00 00 00   ERRORFRAME\n"
            "\tcontroller-problem{rx-overflow}\n"
            "  can0  355   [1]  01\n"
        )
        capture = Capture("log", read(log.encode()))
        assert [capture.can.raw.payload(row) for row in range(2)] == [b"", b"\1"]
        assert tuple(map(str, capture.can.raw.channels)) == ("can 0x123 request", "can 0x355")
        assert "1 x CAN error frames" in capture.losses

    def test_decoded_lines_of_cantools_and_cansend(self):
        assert rows("  vcan0  1F0   [2]  80 4A :: Message(Signal: 1 'V')\n") == [
            (0, "vcan0", "000001f002000000804a")
        ]
        assert rows("$ cansend can0 1F334455#11.22\n") == [(1, "can0", "9f334455020000001122")]

    def test_other_bytes_than_the_length_says(self):
        packets = read(b"  can0  355   [1]  00\n  can0  355   [8]  00 11\n")
        assert len(packets) == 1
        assert packets.damage[0].startswith("1 x CAN frames with other bytes than their length says")


def test_directions_reach_the_messages():
    capture = Capture("log", read(b"(1.5) can0 355#00 R\n(1.6) can0 355#01 T\n"))
    assert capture.messages.direction.tolist() == [-1, 1]


def test_iso_tp_keeps_the_direction():
    log = "(1.0) can0 7E8#1008010203040506 R\n(1.1) can0 7E0#3000000000000000 T\n(1.2) can0 7E8#2107080000000000 R\n"
    messages = Capture("log", read(log.encode())).messages
    found = messages.channels.index(Channel.parse("can 0x7e8 iso-tp"))
    row = messages.channel.tolist().index(found)
    assert messages.direction[row] == -1
    assert messages.payload(row) == bytes(range(1, 9))


class TestTables:
    def test_unknown_columns_are_refused_and_the_nearest_is_named(self):
        table = "Time Stamp,ID,Extended,Dir,Bus,LEN,Speed,D1,D2\n1,355,false,Rx,0,2,7,00,01\n"
        with pytest.raises(BadFileError, match=r"columns are not known \(Speed\).*SavvyCAN \(GVRET\)"):
            read(table.encode())

    def test_times_without_a_unit_are_refused(self):
        with pytest.raises(BadFileError, match="does not say the unit.*nearest format"):
            read(b"Time,CAN ID,DLC,Data\n62614792,0x07a,2,00 01\n")

    def test_times_of_day_need_no_unit(self):
        assert times("Time,CAN ID,DLC,Data\n12:00:01.5,0x07a,1,00\n12:00:02,0x07a,1,01\n") == [0, 0.5]

    def test_a_unit_in_the_header_counts(self):
        assert times("time_us,CAN ID,DLC,Data\n1000,0x07a,1,00\n3500,0x07a,1,01\n") == [0, 0.0025]

    def test_identifiers_that_may_be_decimal_are_not_read(self):
        packets = read(b"Time (s),CAN ID,DLC,Data\n1.0,100,1,00\n1.1,7FF,1,01\n1.2,100,1,02\n")
        assert [packets.packet(row)[:4].hex() for row in range(2)] == ["000007ff", "00000100"]
        assert "may be decimal or hex" in packets.damage[0]

    def test_bytes_that_may_be_decimal_are_not_read(self):
        with pytest.raises(BadFileError):
            read(b"Time (s),CAN ID,DLC,D0,D1\n1.0,0x7FF,2,10,20\n1.1,0x7FF,2,255,20\n")

    def test_decimal_values_are_no_table_of_frames(self):
        with pytest.raises(BadFileError):
            read(b'"SECONDS";"ID";"VALUE"\n"100.0";"12";"34"\n')

    def test_parts_of_a_microsecond_are_of_another_unit(self):
        packets = read(b"Time Stamp,ID,Extended,Bus,LEN,D1\n0.25,00000355,false,0,1,00\n")
        assert packets.time.tolist() == [NO_TIME]

    def test_microseconds_since_1970(self):
        packets = read(b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1\n1700000000250000,00000355,false,Tx,1,1,00\n")
        assert packets.time.tolist() == [1_700_000_000_250 * MS]
        assert packets.direction.tolist() == [1]


class TestTraces:
    def test_states_errors_and_events_of_a_trc_2_0(self):
        log = (
            ";$FILEVERSION=2.0\n;$STARTTIME=42209.4075997106\n;$COLUMNS=N,O,T,I,d,l,D\n;\n"
            "      1      1059.900 DT     0300 Rx 7  00 00 00 00 04 00 00 \n"
            "      6      1334.522 ER          Rx    04 00 02 00 00 \n"
            "      7      1334.531 ST          Rx    00 00 00 08 \n"
            "      8      1334.643 EC          Rx    02 02 \n"
            "      9      1335.156 FB 18EFC034 Tx 12 01 02 03 04 05 06 07 08 09 0A 0B 0C \n"
        )
        capture = Capture("log", read(log.encode()))
        assert [capture.can.raw.payload(row).hex() for row in range(len(capture.can.raw))] == [
            "00000000040000", "0102030405060708090a0b0c",
        ]  # fmt: skip
        assert "1 x CAN error frames" in capture.losses
        assert any(note.startswith("2 x states of the bus") for note in capture.packets.notes)

    def test_warnings_and_errors_of_a_trc_1_1(self):
        log = (
            ";$FILEVERSION=1.1\n;$STARTTIME=37704.5364870833\n;\n"
            "     5)      1346.8  Warng  FFFFFFFF  4  00 00 00 04  BUSLIGHT \n"
            "     6)      1349.2  Error      0008  4  00 19 08 08 \n"
            "     7)      1352.7  Rx         0100  3  RTR \n"
            "     8)      1353.7  Tx         0400  2  00 01 \n"
        )
        capture = Capture("log", read(log.encode()))
        assert tuple(map(str, capture.can.raw.channels)) == ("can 0x100 request", "can 0x400")

    def test_relative_asc_times_and_its_other_events(self):
        log = (
            "date Sat Sep 30 03:06:13.191 pm 2017\nbase dec timestamps relative\n// version 7.0.0\n"
            " 0.5 Start of measurement\n 0.25 1 100 Rx d 1 255\n 0.25 CAN 1 Status:chip status error active\n"
            " 0.25 1 ErrorFrame\n 0.25 1 419385573x Tx d 2 1 16  Length = 1\n 0.5 1 Engine Rx d 1 1\n"
        )
        packets = read(log.encode())
        assert [packets.packet(row).hex() for row in (0, 2)] == ["0000006401000000ff", "98ff50e5020000000110"]
        assert packets.time[2] - packets.time[0] == 750 * MS
        assert packets.time[0] == 1_506_783_973_191 * MS + 750 * MS
        assert any("numeric identifier" in note for note in packets.notes)

    def test_seconds_of_the_minute_and_of_the_adapter_begin_anew(self):
        log = (
            "Time   ID     DLC Data                    Comment\n59,900 300    1   00\n00,100 300    1   01\n"
        )
        assert times(log) == [0, 0.2]
        assert times("t355100EA5F\nt355101" + "0001\n") == [0, 0.002]

    def test_times_since_the_frame_before_of_busmaster_are_said(self):
        log = "***BUSMASTER Ver 3***\n***HEX***\n***RELATIVE MODE***\n00:00:00:0100 Rx 1 0x21A s 1 FE\n"
        packets = read(log.encode())
        assert packets.time.tolist() == [NO_TIME]
        assert any("not understood" in note for note in packets.notes)


class TestPrints:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("Extended ID: 0x18FF50E5  DLC: 2  Data: 0x01 0x2", (0, "can", "98ff50e5020000000102")),
            ("CAN: ID=0x19A Len=2 Data=[92 0F]", (0, "can", "0000019a02000000920f")),
            ("[can1] Sent: ID=0x355, Data=bytearray(b'\\x01\\n')", (1, "can1", "0000035502000000010a")),
            ("10:00:00.5 -> RX ID: 0x355 DLC: 2 Data: 0102", (-1, "can", "00000355020000000102")),
        ],
    )
    def test_labels_in_several_forms(self, line, expected):
        assert rows(line + "\n") == [expected]

    @pytest.mark.parametrize(
        "line",
        [
            "Device ID: 12 Data: 55",
            "ID: 0x12 value: 7",
            "battery id 1 data received: 3 cells",
            "ID: 0x355 DLC: 8 Data: 1 2",
        ],
    )
    def test_an_identifier_and_data_alone_are_of_anything(self, line):
        with pytest.raises(BadFileError):
            read(line.encode())

    def test_bytes_below_the_identifier(self):
        log = "-----\nGet data from ID: 0x7DF\n2\t1\tA\nGet data from ID: 0x100\n12\t34\n"
        assert [frame for *_, frame in rows(log)] == ["000007df0300000002010a", "00000100020000001234"]


def test_bms_to_inverter_on_can():
    head = "2024-09-08 20:15:40.806 | DEBUG | Thread-2   | DalyBmsCANProcessor:85     | "
    frame = "0x01, 0x40, 0x90, 0x18, 0x08, 0x00, 0x00, 0x00, 0x01, 0x0D, 0x00, 0x00, 0x75, 0x66, 0x03, 0x2B"
    log = f"{head}RECEIVED: Buffer (HEX): [{frame}]\n{head}SEND: Buffer (HEX): [0x01, 0x02]\n"
    packets = read(log.encode())
    assert packets.packet(0).hex() == "9890400108000000010d00007566032b"
    assert len(packets) == 1
    assert packets.damage


def test_identifiers_that_count_up_are_no_time():
    packets = read(b"".join(b" can0  %03X   [2]  01 02\n" % number for number in range(0x100, 0x600, 0x100)))
    assert len(packets) == 5
