"""Texts that hold less than they seem to, and beside each what is read all the same."""

import pytest

from packwire.capture.text import confirmed
from packwire.capture.text.said import is_frame
from packwire.errors import BadFileError
from tests.capture.builder import read

SALEAE = "name,type,start_time,duration,data\n"
CAN = "name,type,start_time,duration,data,identifier,num_data_bytes\n"
DEBUG = "[05:58:49.200][D][uart_debug:114]: "
WROTE = "".join(
    f"[05:58:49.10{number}][VV][uart.arduino_esp32:121]:     Wrote 0b00000000 (0x{byte})\n"
    for number, byte in enumerate(("DD", "A5", "03"))
)


def plain_frame(number: int) -> str:
    """Return a JK frame in decimal numbers."""
    body = bytes([0xAA, 0x55, 0x90, 0xEB, number]) + bytes(14)
    return " ".join(map(str, body + bytes([sum(body) & 0xFF])))


def messages(text: str) -> list[str]:
    packets = read(text.encode())
    return [packets.packet(row).hex() for row in range(len(packets))]


READ: dict[str, tuple[str, list[str]]] = {
    "Saleae, a row that was cut": (
        f"{SALEAE}RX,data,0.1,0.0001,0xDD\nRX,data,0.1\nRX,data,0.2,0.0001,0x03\n",
        ["dd", "03"],
    ),
    "uart_debug, single bytes and their message": (
        WROTE + f"{DEBUG}<<< DD:A5:03\n" + f"{DEBUG}>>> DD:A5:03\n" * 3,
        ["dda503"] * 4,
    ),
    "Saleae, a table of two analyzers": (
        f"{SALEAE[:-1]},ack\nI2C,start,0.1,0.1,,\nI2C,data,0.1,0.1,0x10,true\nRX,data,0.1,0.0001,0xDD,\n",
        ["dd"],
    ),
    "Saleae, dates and prose": (
        (
            f"{SALEAE}RX,data,2026-01-02T10:20:30.123456789+00:00,0.0001,0xDD\n"
            "RX,data,then,0.0001,0x03\none, two, three, four, five\n"
        ),
        ["dd"],
    ),
    "Saleae, a frame of CAN without its length": (
        (
            f"{CAN}CAN,identifier_field,0.1,0.1,,0x355,\nCAN,crc_field,0.1,0.1,,,\n"
            "CAN,identifier_field,0.2,0.1,,0x356,\nCAN,control_field,0.2,0.1,,,0x0\nCAN,crc_field,0.1,0.1,,,\n"
        ),
        ["0000035600000000"],
    ),
    "JSON, base64 of frames": (
        '{"base64": "3aUDAP/9dw=="}\n{"data_base64": "3aUEAP/8dw=="}\n{"base64": "c2VjcmV0IHdvcmQ="}\n',
        ["dda50300fffd77", "dda50400fffc77"],
    ),
    "JSON, base64 with a direction": ('{"dir": "rx", "base64": "AQIDBA=="}\n', ["01020304"]),
    "bytes in brackets, short ones beside long ones": (
        "[ab][cd][ef][aa]\n[dd][a5][03][00][ff][fd][77]\n",
        ["abcdefaa", "dda50300fffd77"],
    ),
    "bytes in brackets, a short frame": ("[01][83][02][c0][f1]\n", ["018302c0f1"]),
    "bytes with h, one of them with a letter": ("rcvd: 24h, 48h, DDh, 96h\n", ["2448dd96"]),
}
NOTHING: dict[str, str] = {
    "letters in brackets": "[ab][cd][ef][aa]\n",
    "hours from midnight on": "rcvd: 00h, 06h, 12h, 18h\n",
    "hours in no order": "rcvd: 48h, 24h, 72h\n",
    "hours": "rcvd: 24h, 48h, 72h, 96h\n",
    "JSON, a picture": '{"name": "logo.png", "base64": "iVBORw0KGgoAAAANSUhEUg=="}\n',
    "JSON, a password": '{"user": "a", "data_base64": "c2VjcmV0IHdvcmQ="}\n' * 3,
    "Saleae, SPI": "name,type,start_time,duration,data\nBus,enable,0.1,0.1,\nBus,data,0.1,0.1,0xDD\n",
    "Saleae, I2C": f"{SALEAE[:-1]},ack,address,read\nBus,data,0.1,0.1,0xDD,true,,\n",
    "Saleae, 1-Wire": f"{SALEAE}1-Wire,data,0.1,0.1,0xDD\n",
    "Saleae, I2C of version 1": "Time [s], Analyzer Name, Decoded Protocol Result\n0.001,I2C,0xDD\n",
    "Saleae, a row that was cut": f"{SALEAE}RX,data,0.1\n",
}

#: Lines that are all of a form but its end, with many blanks where a form has some.
KVASER = (
    "Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir\n",
    "Format of data field: HEX\nFormat of id field: HEX\n    Time Chan   Identifier Flags        DLC  Data       Counter\n",
)
BLANKS = " " * 15_000
LONG = (
    f"{KVASER[0]} 0  00000355{BLANKS}4{BLANKS}?",
    f"{KVASER[1]}1.062310  1  355  Rx{BLANKS}4{BLANKS}?",
    f"{KVASER[1]}1.062310  1  355  Rx {'E ' * 7_500}{BLANKS}?",
)


@pytest.mark.parametrize("text", LONG)
def test_a_long_line_takes_no_time_by_the_square(text: str):
    with pytest.raises(BadFileError):
        messages(text)


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str):
    text, wanted = READ[case]
    assert messages(text) == wanted


def test_a_frame_now_and_then_keeps_no_search_on_for_ever(monkeypatch: pytest.MonkeyPatch):
    tried = 0

    def counted(payload: bytes) -> bool:
        nonlocal tried
        tried += 1
        return is_frame(payload)

    monkeypatch.setattr(confirmed, "is_frame", counted)
    frames = [plain_frame(number) for number in range(40)]
    noise = "170 85 144 235 151 1 2\n" * 100
    found = messages("".join(f"{frame}\n{noise}" for frame in frames))
    assert found == [bytes(map(int, frame.split())).hex() for frame in frames[: len(found)]]
    assert 4 <= len(found) <= 6
    assert tried < 3_000


def test_frames_among_other_numbers_are_read_to_the_end():
    noise = "170 85 144 235 151 1 2\n" * 15
    assert len(messages("".join(f"{plain_frame(number)}\n{noise}" for number in range(60)))) == 60


def test_the_pieces_of_frames_are_not_in_vain():
    pieces = [plain_frame(number % 200).replace(" 235 ", " 235\n", 1) for number in range(1_200)]
    assert len(messages("\n".join(pieces))) == 1_200


@pytest.mark.parametrize("case", NOTHING)
def test_what_is_not(case: str):
    with pytest.raises(BadFileError):
        messages(NOTHING[case])
