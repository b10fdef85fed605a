"""Texts of serial tools, logic analyzers, Tasmota and apps: what each holds, and what looks like them."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.errors import BadFileError
from tests.capture.builder import read
from tests.capture.formats.test_texts import rows

ASKS, ASKS_CELLS = bytes.fromhex("dda50300fffd77"), bytes.fromhex("dda50400fffc77")
CELLS = bytes.fromhex("dd0400080ce40ce50ce60ce7fc3277")
LONG = bytes.fromhex("dd03001b14c8ff3803e803e800002a780000000000001048030f020b760b82f9e077")
TO, FROM, EITHER = 1, -1, 0
PYLON = "~20014642E00201FD35"
PYLON_BYTES = (PYLON + "\r").encode().hex()


def sigrok(messages, side="RX data", start=1000):
    lines = []
    for message in messages:
        for byte in message:
            lines.append(f"{start}-{start + 86} UART: {side}: {byte:02X}")
            start += 108
        start += 5000
    return "\n".join(lines)


#: Form -> text -> direction and bytes of each message.
FORMS: dict[str, dict[str, list[tuple[int, str]]]] = {
    "Tasmota": {
        "12:00:00.123 CMD: SerialSend5 DDA50300FFFD77": [(TO, ASKS.hex())],
        "12:00:00.123 CMD: SSerialSend5 dd a5 03": [(TO, "dda503")],
        "cmnd/bms/SerialSend6 221,165,3,0": [(TO, "dda50300")],
        'RUL: RULES#TIMER=1 performs "SerialSend5 DDA503"': [(TO, "dda503")],
        '12:00:01.123 MQT: tele/x_AB/RESULT = {"SerialReceived":"DD03001B"}': [(FROM, "dd03001b")],
        '12:00:01.123-021 RSL: RESULT = {"SSerialReceived":{"Data":"DD03001B"}}': [(FROM, "dd03001b")],
        'tele/bms/RESULT {"SerialReceived":"DD03001B"}': [(FROM, "dd03001b")],
        '12:00:01 RSL: RESULT = {"SSerialReceived":"' + PYLON + r'\r"}': [(FROM, PYLON_BYTES)],
        # A command and its details are one.
        "12:00:00.1 CMD: SerialSend5 DDA503\n12:00:00.1 CMD: Grp 0, Cmd 'SERIALSEND', Idx 5, Len 6, Data 'DDA503'": [
            (TO, "dda503")
        ],
        "12:00:00.1 RSL: Group 0, Index 5, Command SERIALSEND, Data DDA503": [(TO, "dda503")],
    },
    "sigrok": {
        sigrok([ASKS, CELLS]): [(FROM, ASKS.hex()), (FROM, CELLS.hex())],
        sigrok([ASKS], "TX data") + "\n" + sigrok([CELLS], "RX data", 9000): [
            (TO, ASKS.hex()),
            (FROM, CELLS.hex()),
        ],
        # The first bytes are digits alone; what follows proves hex.
        sigrok([bytes.fromhex("551290eb")], "RX"): [(FROM, "551290eb")],
        "1-9 UART: RX bits: Start bit\n1-90 UART: RX data: DD\n80-90 UART: RX bits: Stop bit": [(FROM, "dd")],
        "1-900 UART: RX packets: DD 03 00\n1-90 UART: RX data: DD": [(FROM, "dd0300")],
        "uart-1: DD\nuart-1: 03": [(EITHER, "dd"), (EITHER, "03")],
        "uart-1: 12\nuart-1: DD": [(EITHER, "12dd")],
        "uart_packet-1:    0.103 RX: DD 03\nuart_packet-1:    0.301 TX: DA 03 00": [
            (FROM, "dd03"),
            (TO, "da0300"),
        ],
    },
    "h behind": {
        "(12:00:00.123) (<<) DDh A5h 03h (3)\n(12:00:00.223) (>>) DDh 03h 00h (3)": [
            (EITHER, "dda503"),
            (EITHER, "dd0300"),
        ],
        "TX: 0DDh, 0A5h, 003h": [(TO, "dda503")],
        "RX: 01h 03h 02h 00h 11h": [(FROM, "0103020011")],
    },
    "frames of text": {
        f"TX: {PYLON}": [(TO, PYLON_BYTES)],
        f"12:00:01.5 RX {PYLON}": [(FROM, PYLON_BYTES)],
        f"-> {PYLON}\n<- {PYLON}": [(TO, PYLON_BYTES), (FROM, PYLON_BYTES)],
        f"received: '{PYLON}\\r'": [(FROM, PYLON_BYTES)],
        f"{PYLON}<CR>": [(EITHER, PYLON_BYTES)],
    },
    "base64": {
        f"RX: {base64.b64encode(ASKS).decode()}\nRX: {base64.b64encode(CELLS).decode()}": [
            (FROM, ASKS.hex()),
            (FROM, CELLS.hex()),
        ],
        '{"dir": "rx", "base64": "' + base64.b64encode(b"\1\2\3\4").decode() + '"}': [(FROM, "01020304")],
        " LOG  received: " + base64.b64encode(CELLS).decode() + "\n LOG  sent: 3aUDAP/9dw==": [
            (FROM, CELLS.hex()),
            (TO, ASKS.hex()),
        ],
    },
    "numbers in pieces": {
        "\n".join(
            f"RX: {[byte - 256 * (byte > 127) for byte in part]}" for part in (LONG[:20], LONG[20:], CELLS)
        ): [
            (FROM, LONG.hex()),
            (FROM, CELLS.hex()),
        ],
        "\n".join(f"onCharacteristicChanged: {list(part)}" for part in (LONG[:20], LONG[20:], CELLS)): [
            (FROM, LONG.hex()),
            (FROM, CELLS.hex()),
        ],
    },
    "bluetoothctl": {
        '[BMS:/service000c/char0010]# write "0xdd 0xa5 0x3"': [(TO, "dda503")],
        '[bluetooth]# write "0xdd 0xa5 0x03" 0 command': [(TO, "dda503")],
    },
    "single bytes of ESPHome": {
        "\n".join(
            f"[10:00:01][VV][uart.arduino_esp32:121]:   Wrote 0b{byte:08b} (0x{byte:02X})" for byte in ASKS
        )
        + "\n"
        + "\n".join(
            f"[10:00:01][VV][uart.arduino_esp32:136]:   Read 0b{byte:08b} (0x{byte:02X})" for byte in CELLS
        )
        + "\n[10:00:01][D][uart_debug:114]: <<< DD:04:00:08:0C:E4:0C:E5:0C:E6:0C:E7:FC:32:77": [
            (TO, ASKS.hex()),
            (FROM, CELLS.hex()),
        ],
    },
    "Saleae": {
        "Time [s],Value,Parity Error,Framing Error\n0.001,0xDD,,\n0.0011,0x03,,\n0.5,0xDD,,": [
            (EITHER, "dd03"),
            (EITHER, "dd"),
        ],
        "Time [s], Analyzer Name, Decoded Protocol Result\n0.001,TX,0xDD\n0.0011,TX,0xA5\n0.002,RX,0xDD": [
            (TO, "dda5"),
            (FROM, "dd"),
        ],
        # Where a byte had an error, what follows does not go on.
        "name,type,start_time,duration,data,error\n"
        + "\n".join(
            f'"RX","data",{0.001 * n:.3f},0.0009,0x{n:02X},{"framing" * (n == 2)}' for n in range(1, 5)
        ): [
            (FROM, "01"),
            (FROM, "0304"),
        ],
    },
    "nRF Connect on iOS": {
        "[12:35:28.1000] Verbose: Writing Value 0xDDA503 to Characteristic FFF2.\n"
        "[12:35:28.1010] Debug: peripheral.writeValue(0xDDA503, for: FFF2, type: .withResponse)\n"
        "[12:35:28.2000] Normal: Updated Value of Characteristic FFF1 to 0xDD0300.\n"
        '[12:35:28.2000] Application: "0xDD0300" value received.': [(TO, "dda503"), (FROM, "dd0300")],
    },
    "QModMaster": {
        "[RTU]>Tx > 12:00:00:123 - 01  03  00  00\n[RTU]>Rx > 12:00:00:223 - 01  03  02  00  11": [
            (TO, "01030000"),
            (FROM, "0103020011"),
        ]
    },
    "Portmon": {
        "1  0.00002  app.exe  IRP_MJ_WRITE  COM3  SUCCESS  Length 3: DD A5 03\n"
        "2  0.00001  app.exe  IOCTL_SERIAL_GET_COMMSTATUS  COM3  SUCCESS\n"
        "3  0.00001  app.exe  IRP_MJ_READ  COM3  TIMEOUT  Length 0:\n"
        "4  0.00001  app.exe  IRP_MJ_READ  COM3  SUCCESS  Length 3: DD 03 00": [
            (TO, "dda503"),
            (FROM, "dd0300"),
        ],
    },
    "arrays": {
        "received: Uint8Array(3) [221, 3, 0]\nsent: Int8Array(3) [-35, -91, 3]": [
            (FROM, "dd0300"),
            (TO, "dda503"),
        ],
        "RX array('B', [221, 3, 0])": [(FROM, "dd0300")],
    },
    "bleak's examples": {
        r"2026-01-02 12:00:00,123 __main__ INFO: Vendor specific: bytearray(b'\xdd\x03')": [(FROM, "dd03")],
        r"0000ff01-0000-1000-8000-00805f9b34fb (Handle: 15): Unknown: bytearray(b'\xdd\x03')": [
            (FROM, "dd03")
        ],
    },
    "SSCOM": {
        "[12:00:00.123]发→◇DD A5 03 00\n[12:00:00.223]收←◆DD 03 00 1B": [
            (TO, "dda50300"),
            (FROM, "dd03001b"),
        ],
        "[12:00:00.123]发送\uff1aDD A5 03 00": [(TO, "dda50300")],
    },
    "German": {
        "Gesendet: DD A5 03 00\nEmpfangen: DD 03 00 1B\nAntwort: 01 03 02 00 11 78 48": [
            (TO, "dda50300"),
            (FROM, "dd03001b"),
            (FROM, "01030200117848"),
        ]
    },
    "picocom": {"[dd][a5][03][00][ff][fd][77]": [(EITHER, "dda50300fffd77")]},
    "Core Bluetooth": {
        "2026-01-02 12:00:01.123 +0000 Characteristic (FF01) notified: <dd03001b14>": [(FROM, "dd03001b14")]
    },
    "tshark -T fields": {
        "btatt.handle\tbtatt.opcode\tbtatt.value\n0x0010\t0x52\tdda503\n0x000d\t0x1b\tdd0300": [
            (TO, "dda503"),
            (FROM, "dd0300"),
        ]
    },
}


@pytest.mark.parametrize(("form", "text"), [(form, text) for form, texts in FORMS.items() for text in texts])
def test_forms(form, text):
    assert [(way, payload) for way, _, payload in rows(text + "\n")] == FORMS[form][text]


CAN = {
    "Time [s],Packet,Type,Identifier,Control,Data,CRC,ACK\n0.1,0,DATA,0x0000000000000355,0x2,0x3E 0x00,0x1,ACK": (
        "0000035502000000" + "3e00"
    ),
    "name,type,start_time,duration,identifier,num_data_bytes,data,crc,extended\n"
    '"CAN","identifier_field",0.1,0.1,0x355,,,,true\n"CAN","control_field",0.2,0.1,,0x02,,,\n'
    '"CAN","data_field",0.3,0.1,,,0x3E,,\n"CAN","data_field",0.4,0.1,,,0x00,,\n"CAN","crc_field",0.5,0.1,,,,0x1,': (
        "8000035502000000" + "3e00"
    ),
    "21:22:39.226 > [Pytes] Received CAN message: 0x355 - 3E 00": "0000035502000000" + "3e00",
    "Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir\n"
    " 1    18FF50E5 X       2  3E  00          17.225730 T": "98ff50e502000000" + "3e00",
    "   Format of data field: DEC\n   Format of id field:   HEX\n"
    "  Time Chan   Identifier Flags        DLC  Data    Counter\n 1.0 1  355    Rx   2  62   0      1": (
        "0000035502000000" + "3e00"
    ),
    "序号,传输方向,时间标识,名称,帧ID,帧类型,帧格式,长度,数据\n0,接收,0x12,,0x00000355,数据帧,标准帧,0x02,3E 00": (
        "0000035502000000" + "3e00"
    ),
}


@pytest.mark.parametrize("text", CAN)
def test_frames_of_can(text):
    assert [payload for _, _, payload in rows(text + "\n")] == [CAN[text]]


REFUSED = [
    "RX: datadata\nRX: password\nRX: firmware\nRX: baseline1234",
    '{"type":"rx","data":"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"}',
    "Mon: 08h 12h 16h\n08h 12h 16h 20h\n09h, 11h, 14h, 18h",
    "MOV AX, 0DDh\nINT 21h\nADD AL, 03h",
    "\n".join(
        f'MQT: tele/x/RESULT = {{"SerialReceived":"{word}"}}' for word in ("on", "1234", "22.5", "face", "OK")
    ),
    '12:00:01 MQT: tele/x/RESULT = {"RfReceived":{"Sync":12340,"Data":"7028D3"}}',
    sigrok([bytes.fromhex("2116253344203111")]),
    sigrok([b"A"]).replace("41", "221") + "\n" + sigrok([bytes.fromhex("dd03")]),
    "\n".join(f"{100 * n}-{100 * n + 86} UART: RX data: {letter}" for n, letter in enumerate("HELLO[0D]")),
    "1000-1086 I2C: Address/data: Data write: DD\nspi-1: DD\nspi-1: A5",
    "~2001 V\n~20240101123000 backup\nRX: ~20%\n~deadbeefdeadbeefdead\n~20014642E00201FD36",
    "TX: #ff00aa\nprimary: #dda503\nlist: #ff0000, #00ff00",
    "Time [s],Value,Parity Error,Framing Error\n0.001,221,,\n0.002,16,,",
    "Time [s], Analyzer Name, Decoded Protocol Result\n2.3,SPI,MOSI: 1;  MISO: 2",
    "Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir\n 0  853  2  98  10  17.124730 R",
    "Time Chan   Identifier Flags        DLC  Data    Counter\n 1.0 1  355    Rx   2  62 10      1",
    "Bluetooth Attribute Protocol\n    Opcode: Read By Type Response (0x09)\n        Value: 020300002a",
    '[bluetooth]# write "221 165 3 0"\n[bluetooth]# write 01',
    "received mail <deadbeef>\nupdated value <user@host>",
    "received: [-70, -71, -69]\nRX: [-5, 3, 12, 20]",
    "Uint8Array(4) [221, 3, 0]\nRX: Uint8Array(2) [221, 300]\nRX: Float32Array(2) [1, 2]\narray('i', [1, 2])",
    "Model Number: bytearray(b'JBD')\nserial number: bytearray(b'abc')",
    "1  0.00001  app.exe  IRP_MJ_READ  COM3  SUCCESS  Length 9: DD 03 00\n2  0.1  a.exe  IRP_MJ_CREATE  COM3  SUCCESS",
    "[RTU]>Tx > values\nSys > 12:00:00:123 - dd 03 00 1b",
    "Gesendet: 12.50\nAntwort: 42\nEmpfangen: 31.12.2025\n收: 85\n发→ 12:00:01",
    "[Pytes] Received CAN message: 0x351\nCAN message: 351 - 10 02\nCAN frame: 0x351 - 5 of 8",
    '{"name":"X","address":"02:00:00:00:00:01","rssi":-79,"manufacturer_data":{},"service_uuids":[],"raw":"02010603"}',
    "send: 42\nin 10 20 30\nout 01 02",
    "[ab][cd]\narr[00][01]\n[00]",
    "RX: 192.168.1.10\na4:c1:38:00:00:01\nrx 11.22.33\n1/2/2026 12:00:00 PM",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_only_looks_like_it_is_refused_in_one_line(text):
    with pytest.raises(BadFileError) as refused:
        read(f"{text}\n".encode())
    assert "\n" not in str(refused.value)


def test_a_date_with_slashes_leaves_the_time_of_day():
    packets = read(b"1/2/2026 23:59:59.500 [TX] - DD A5 03\n1/3/2026 00:00:00.250 [RX] - DD 03 00\n")
    assert (packets.time[1] - packets.time[0]).item() == 750_000_000
    assert not packets.notes


#: How programs write bytes: name -> the lines of them.
WRITTEN = {
    "tasmota": lambda data: f'12:00:01.5 MQT: tele/x/RESULT = {{"SerialReceived":"{data.hex().upper()}"}}',
    "tasmota asks": lambda data: f"12:00:01.5 CMD: SerialSend5 {data.hex()}",
    "h": lambda data: "(12:00:01.5) (>>) " + " ".join(f"{byte:02X}h" for byte in data) + f" ({len(data)})",
    "json": lambda data: f'{{"time": 1700000000.5, "base64": "{base64.b64encode(data).decode()}"}}',
    "bluetoothctl": lambda data: '[x]# write "' + " ".join(f"0x{byte:02x}" for byte in data) + '"',
    "picocom": lambda data: "".join(f"[{byte:02x}]" for byte in data),
    "esphome": lambda data: "\n".join(
        f"[10:00:01][VV][uart.x:1]: {'Read' if n else 'Wrote'} 0b{byte:08b} (0x{byte:02X})"
        for n, part in enumerate((data, b"\0"))
        for byte in part
    ),
}


@pytest.mark.parametrize("form", WRITTEN)
@given(messages=st.lists(st.binary(min_size=4, max_size=40), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_bytes_come_back_whole_and_in_order(form, messages):
    # Fewer bytes in brackets than seven may be something else.
    messages = [b"\xdd" * (3 if form == "picocom" else 1) + data for data in messages]
    packets = read("\n".join(map(WRITTEN[form], messages)).encode())
    found = [packets.packet(row) for row in range(len(packets))]
    assert [each for each in found if each != b"\0"] == messages


@given(messages=st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_bytes_of_analyzers_come_back(messages):
    messages = [b"\xdd" + data for data in messages]
    packets = read(sigrok(messages).encode())
    assert [packets.packet(row) for row in range(len(packets))] == messages
    lines, time = ["name,type,start_time,duration,data,error"], 0.5
    for message in messages:
        for byte in message:
            lines.append(f'"RX","data",{time:.6f},0.0009,0x{byte:02X},')
            time += 0.00104
        time += 0.1
    packets = read("\n".join(lines).encode())
    assert [packets.packet(row) for row in range(len(packets))] == messages


_TEXTS = [text for texts in FORMS.values() for text in texts] + list(CAN)


@given(
    text=st.sampled_from(_TEXTS),
    cuts=st.lists(st.tuples(st.integers(0, 400), st.text(max_size=4)), min_size=1, max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_damaged_texts_never_raise_and_never_invent(text, cuts):
    for at, put in cuts:
        text = text[: at % len(text)] + put + text[(at % len(text)) + 1 :] or "x"
    try:
        packets = read(text.encode("utf-8", "replace"))
    except BadFileError as refused:
        assert "\n" not in str(refused)
        return
    assert sum(packets.size.tolist()) <= len(text)


@pytest.mark.parametrize(
    "head", ["", "RX: ", "CMD: SerialSend5 ", "1 0.1 a IRP_MJ_READ COM3 ", "- x: ", "uart-1: "]
)
@pytest.mark.parametrize("filler", [" ", "A", "0 ", "/", "[dd]", "221,"])
def test_a_long_line_ends(head, filler):
    """Each pattern is linear: a line of 30 000 characters would take one that is not some seconds."""
    line = (head + filler * 30_000)[:30_000] + "!"
    for _ in range(3):
        try:
            read(f"{line}\n".encode())
        except BadFileError as refused:
            assert "\n" not in str(refused)
