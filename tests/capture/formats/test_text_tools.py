"""What further tools write, with the bytes in it, and what looks like bytes beside it or in their place."""

import pytest

from packwire.errors import BadFileError
from tests.capture.builder import read

ASK, REPLY = "dda50300fffd77", "dd03001b053a"
TEXTS: dict[str, tuple[str, list[tuple[int, str]]]] = {
    # What a column of text shows is no byte, whatever it looks like.
    "xxd -g1": ("00000000: 31 32 20 33 34 20 35 36  12 34 56\n", [(0, "3132203334203536")]),
    "dump, short last row": (
        "0000  31 32 20 33 34 20 35 36 37 38 39 61 62 63 64 65   12 3456789abcde\n0010  66 66   ff\n",
        [(0, "313220333420353637383961626364656666")],
    ),
    "rows left out": (
        (
            "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n"
            "00000030  dd 03                                             |..|\n00000032\n"
        ),
        [(0, "00" * 48 + "dd03")],
    ),
    "rows left out at the end": (
        "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n00000020\n",
        [(0, "00" * 32)],
    ),
    "a dump's end is an offset": (
        (
            "00000000  dd 03 00 1b 05 3a 00 00  27 10 27 10 00 00 2a 5c  |.....:..'.'...*\\|\n"
            "00000010  dd 03 00 1b 05 3a 00 00  27 10                    |.....:..'.|\n0000001a\n"
        ),
        [(0, "dd03001b053a00002710271000002a5c" + "dd03001b053a00002710")],
    ),
    "bytes and text": ("61 62 63 64 31 32 33 34  abcd1234\n", [(0, "6162636431323334")]),
    "Zephyr": (
        (
            "[00:00:01.234,000] <inf> bms: rx\n"
            "                              dd 03 00 1b 05 3a 00 00  27 10 27 10 00 00 2a 5c |.....:.. '.'...*\\\n"
        ),
        [(0, "dd03001b053a00002710271000002a5c")],
    ),
    "ESP-IDF, addresses in memory": (
        (
            "I (12345) bms: 0x3ffb1230   dd 03 00 1b 05 3a 00 00  27 10 27 10 00 00 2a 5c  |.....:..'.'...*\\|\n"
            "I (12345) bms: 0x3ffb1240   00 00 20 64                                       |.. d|\n"
        ),
        [(0, "dd03001b053a00002710271000002a5c00002064")],
    ),
    "ESP32 BLE, with a ruler": (
        (
            "D (627) GeneralUtils:      00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ----------------\n"
            "D (628) GeneralUtils: 0000 dd a5 03 00 ff fd 77                               ......w\n"
        ),
        [(0, ASK)],
    ),
    # One message, shown several times.
    "uart_debug and a lambda": (
        (
            '[17:17:08.338][D][uart_debug:158]: <<< "\\xA5\\x01\\x90\\b\\x00"\n'
            "[17:17:08.349][I][uart_debug:085]: RX HEX [5]: A5 01 90 08 00 \n"
            "[17:17:08.349][D][uart_debug:092]: RX DEC [5]: 165 1 144 8 0 \n"
        ),
        [(-1, "a501900800")],
    ),
    "mpp-solar": (
        (
            "2026-01-02 10:00:00,100:INFO:device:run_command@298: full command b'QMOD\\xc1' for command QMOD\n"
            "2026-01-02 10:00:00,867:DEBUG:hidrawio:send_and_receive@69: usb response was: b'(B\\xe7\\xc9\\r'\n"
            "2026-01-02 10:00:00,868:DEBUG:device:run_command@322: Send and Receive Response b'(B\\xe7\\xc9\\r'\n"
            "2026-01-02 10:00:00,869:INFO:abstractprotocol:decode@196: response passed to decode: b'(B\\xe7\\xc9'\n"
            "2026-01-02 10:00:00,870:DEBUG:protocol_helpers:crcPI@313: Calculating CRC for b'(B'\n"
        ),
        [(1, "514d4f44c1"), (-1, "2842e7c90d")],
    ),
    # Advertised data is no traffic.
    "bluetoothctl": (
        (
            "\tManufacturerData Key: 0x004c\n\tManufacturerData Value:\n"
            '  02 15 aa bb cc dd ee ff 00 11 22 33 44 55 66 77  .........."3DUfw\n'
            "[CHG] Attribute /org/bluez/hci0/dev_02_00_00_00_00_01/service000c/char000d Value:\n"
            "  dd 03 00 1b 05 3a                                .....:\n"
        ),
        [(-1, REPLY)],
    ),
    "gatttool, a value read": ("Characteristic value/descriptor: 78 69 61 6f \n", [(-1, "7869616f")]),
    "socat": (
        (
            "> 2026/01/02 10:20:30.000123456  length=7 from=0 to=6\n"
            " dd a5 03 00 ff fd 77                             ......w\n--\n"
            "< 2026/01/02 10:20:30.000223456  length=18 from=0 to=17\n"
            " dd 03 00 1b 05 3a 00 00 27 10 27 10 00 00 2a 5c  .....:..'.'...*\\\n"
            " 20 64                                             d\n--\n"
        ),
        [(1, ASK), (-1, "dd03001b053a00002710271000002a5c2064")],
    ),
    "libmodbus": (
        "[01][03][00][00][00][02][C4][0B]\nWaiting for a confirmation...\n<01><03><04><00><0D><00><01><6A><33>\n",
        [(1, "010300000002c40b"), (-1, "010304000d00016a33")],
    ),
    "pymodbus": (
        (
            "2026-01-02 10:20:30,124 DEBUG transaction:143 SEND: 0x1 0x3 0x0 0x0 0x0 0x2 0xc4 0xb\n"
            "2026-01-02 10:20:30,224 DEBUG logging:103 recv: 0x1 0x3 0x4 0x0 0xd extra data: \n"
        ),
        [(1, "010300000002c40b"), (-1, "010304000d")],
    ),
    "Modbus Poll": (
        "000001-Tx:01 03 00 00 00 02 C4 0B\n000002-Rx:01 03 04 00 0D\n",
        [(1, "010300000002c40b"), (-1, "010304000d")],
    ),
    "a serial port monitor": (
        "[09/05/2026 15:33:05] - Written data dd a5 03\n[09/05/2026 15:33:05] - Read data dd 03 00\n",
        [(1, "dda503"), (-1, "dd0300")],
    ),
    "Docklight": (
        "1/2/2026 10:20:30.123 [TX] - DD A5 03\n1/2/2026 10:20:30.223 [RX] - DD 03 00\n",
        [(1, "dda503"), (-1, "dd0300")],
    ),
    "a sketch's tag": (
        "02:00:36.743 -> <DALY-BMS DEBUG> RX Buffer: [0xa5,0x1,0x90,0x8,]\n",
        [(-1, "a5019008")],
    ),
    "openHAB": (
        (
            "2026-01-02 10:20:30.123 [DEBUG] [g.bluetooth.Handler] - Characteristic"
            " 0000ff01-0000-1000-8000-00805f9b34fb from 02:00:00:00:00:01 has been read - value DD03001B053A\n"
        ),
        [(-1, REPLY)],
    ),
    "Rust": ("[2026-01-02T10:20:30Z DEBUG bms] tx: [dd, a5, 03, 00]\n", [(1, "dda50300")]),
    "Node.js": ("RX <Buffer dd 03 00 1b>\n<Buffer dd 05 00>\n", [(-1, "dd03001b"), (0, "dd0500")]),
    "Node.js, as JSON": (
        '{"time":"2026-01-02T10:20:30.1Z","direction":"rx","data":{"type":"Buffer","data":[221,3,0,27]}}\n',
        [(-1, "dd03001b")],
    ),
    "JSON lines": (
        '[{"t": 0.1, "dir": "tx", "data": "dda50300fffd77"},\n {"t": 0.2, "dir": "rx", "data": "dd03001b053a"}]\n',
        [(1, ASK), (-1, REPLY)],
    ),
    "a German table": (
        "Zeit;Richtung;Daten\n10:20:30,123;TX;DD A5 03\n10:20:30,223;RX;DD 03 00\n",
        [(1, "dda503"), (-1, "dd0300")],
    ),
    "a Chinese table": (
        "时间,方向,数据\n10:20:30.123,发送,DD A5 03\n10:20:30.223,接收,DD 03 00\n",
        [(1, "dda503"), (-1, "dd0300")],
    ),
    # Markdown of a report.
    "a quotation": ("> TX: DD A5 03\n> RX: DD 03 00\n", [(1, "dda503"), (-1, "dd0300")]),
    "bold and code": ("**TX:** `DD A5 03`\n**RX:** `DD 03 00`\n", [(1, "dda503"), (-1, "dd0300")]),
    "a list": ("- TX: DD A5 03\n2. RX: DD 03 00\n", [(1, "dda503"), (-1, "dd0300")]),
    "a table": (
        "| Time | Dir | Data |\n|---|---|---|\n| 10:20:30 | TX | DD A5 03 00 |\n| 10:20:31 | RX | DD 03 00 1B |\n",
        [(1, "dda50300"), (-1, "dd03001b")],
    ),
    "arrows": ("→ DD A5 03\n← DD 03 00\n", [(1, "dda503"), (-1, "dd0300")]),
}


@pytest.mark.parametrize("tool", TEXTS)
def test_messages_of_a_tools_text(tool):
    text, wanted = TEXTS[tool]
    packets = read(text.encode())
    assert [(way, packets.packet(row).hex()) for row, way in enumerate(packets.direction.tolist())] == wanted


#: Texts that hold no bytes, or none that can be told.
NOTHING = (
    # hexdump and od -x show words, whose byte order is not theirs to tell.
    "0000000 a5dd 0003 fdff 0077\n0000007\n",
    "0000000 a5dd 0003 fdff 0077\n0000010 1234 5678\n0000014\n",
    # A message of which only the first part would be read.
    "aa:55:90:eb: 25 :04: 04:00:00:00 # 0x04 = 4S\n",
    "0x1000: 0x12\n",
    # Numbers.
    "data: [12, 34, 56]\nvalues = [10, 20, 30, 40]\n",
    "value: 12345678\ndata: 20240102\nresponse: 20240102102030\n",
    "RX: 10 20 30\nRX: 11 21 31\n",
    "packets: 12 14 16 18\nupdate data: 10 20 30\n",
    "Four tens:\n10 10 10 10\n",
    "Tel.\n00 49 30 12 34 56 78\n",
    "bytes: 12\nlen: 08\n",
    # Names.
    "device: 020000000001\n",
    "handle 00:00:00:00:00:0a\n",
    "a colour\nff00aa\n",
    "d41d8cd98f00b204e9800998ecf8427e  file.bin\n",
    "Serial: 20230415001234\n",
    "| Byte | Value |\n|------|-------|\n| 00 | dd |\n| 01 | a5 |\n| 00 | dd | 12 |\n",
    '{"time": 1700000000.1, "value": 12}\n',
)


@pytest.mark.parametrize("text", NOTHING)
def test_no_message_from_what_may_be_no_bytes(text):
    with pytest.raises(BadFileError):
        read(text.encode())
