"""Random recordings with secrets in all places: VESC over TCP, CAN, BLE and serial, BMS apps, text logs.

`doors` are what opens something, and nobody is ever shown it. `private` tells who somebody is, and is not in
what leaves the house.
"""

import io
import struct
from dataclasses import dataclass, field
from random import Random

from packwire.capture.writers import PACKET_FORMATS
from packwire.vesc.framing import encode_frame
from packwire.vesc.replies import EXPRESS_CONFIG, FW_VERSION, FwVersion
from packwire.wire.checksum import CHECKSUMS, crc16_xmodem
from tests.capture.test_writers import packets
from tests.capture.vesc_session import ASK_BMS, VescSession, bms, via
from tests.vesc.test_secrets import CONFIG as KNOWN_CONFIG

_LETTERS = "abcdefghijkmnopqrstuvwxyz23456789"
_CAN, _H4 = 227, 187


@dataclass(frozen=True, slots=True)
class Recording:
    """A file by its suffix and content, and what must not be found in what is made of it."""

    kind: str
    suffix: str
    content: bytes
    doors: list[bytes]
    private: list[bytes]


@dataclass(slots=True)
class Maker:
    """Makes secrets up and remembers them."""

    random: Random
    doors: list[bytes] = field(default_factory=list)
    private: list[bytes] = field(default_factory=list)

    def letters(self, least: int = 8, most: int = 14) -> bytes:
        return "".join(self.random.choices(_LETTERS, k=self.random.randint(least, most))).encode()

    def door(self, least: int = 8, most: int = 14) -> bytes:
        self.doors.append(self.letters(least, most))
        return self.doors[-1]

    def who(self, least: int = 8, most: int = 14) -> bytes:
        self.private.append(self.letters(least, most))
        return self.private[-1]

    def digits(self, count: int = 6) -> bytes:
        self.doors.append("".join(self.random.choices("0123456789", k=count)).encode())
        return self.doors[-1]

    def address(self) -> bytes:
        raw = self.random.randbytes(6)
        self.private += [raw, raw[::-1]]
        return raw

    def config(self) -> bytes:
        """Return an Express's configuration, of a known or of an unknown layout."""
        config = KNOWN_CONFIG._replace(
            wifi_sta_ssid=self.door().decode(),
            wifi_sta_key=self.door().decode(),
            wifi_ap_ssid=self.door().decode(),
            wifi_ap_key=self.door().decode(),
            tcp_hub_id=self.door().decode(),
            tcp_hub_pass=self.door().decode(),
            ble_name=self.door(8, 10).decode(),
        )
        content = EXPRESS_CONFIG.encode(config)
        if self.random.random() < 0.5:
            content = content[:1] + self.random.randbytes(4) + content[5:]
        return content

    def payloads(self) -> list[tuple[int, bytes]]:
        """Return what is said, by side (0 the client), and at times forwarded."""
        uuid = (self.address() + bytes(6)).hex()
        version = FW_VERSION.encode(FwVersion(7, 0, "VESC Express T", uuid, 0, 0, 2, 1))
        offset = struct.pack(">II", 400, 0)
        all_of_them = [
            (1, b"\x5d" + self.config()),
            (0, b"\x5f" + self.config()),
            (1, b"\x5e\0" + self.door()),
            (0, b"\x58" + self.digits() + b"\0"),
            (0, b"\x57" + self.door() + b"\0"),
            (0, b"\x14" + b"set " + self.door() + b"\0"),
            (0, b"\x40" + self.door() + b"\0"),
            (1, b"\x15" + b"joined " + self.door()),
            (1, b"\x87" + self.door()),
            (0, b"\x8a" + b"(print " + self.door() + b")"),
            (1, b"\x82" + offset + b'(def key "' + self.door() + b'")'),
            (0, b"\x83\0\0\0\0" + b'(def key "' + self.door() + b'")'),
            (0, b"\x8e" + b"keys/" + self.door() + b".txt\0" + offset + self.door()),
            (1, b"\x8d" + offset + self.door()),
            (0, b"\x24" + self.door()),
            (1, b"\x76" + offset + self.door()),
            (1, b"\0" + version),
            (0, b"\0" + b"VESCTOOL:TESTPACK:" + self.door() + b"\n"),
        ]
        chosen = self.random.sample(all_of_them, self.random.randint(3, len(all_of_them)))
        forwarded = []
        for side, payload in chosen:
            said = payload
            for _ in range(self.random.choice((0, 0, 1, 2)) if side == 0 else 0):
                said = via(self.random.randint(1, 250), said)
            forwarded.append((side, said))
        return forwarded

    def frames(self) -> list[tuple[int, bytes]]:
        """Return frames of makers of BMSs, by side."""
        info = bytearray(b"\x55\xaa\xeb\x90\x03" + bytes(295))
        for at, width, secret in ((46, 16, 0), (62, 16, 1), (86, 11, 0), (102, 16, 0), (118, 16, 1)):
            text = (self.door if secret else self.who)(8, min(width, 11))
            info[at : at + len(text)] = text
        info[299] = sum(info[:299]) & 0xFF
        module = b"\xff\xaa" + self.random.choice((b"\x15", b"\x16", b"\x18")) + b"\x06" + self.digits()
        login = (
            b"\x5a" + self.random.choice((b"\x06", b"\x07", b"\x08", b"\x09")) + b"\x07\x06" + self.digits()
        )
        barcode = b"\xa2\0\x0b\x0a" + self.who(10, 10)
        written = b"\xaa\x55\x90\xeb\x9f\x0a" + self.door(10, 10) + bytes(3)
        code = b"\xa5\x01\x57\x08\x01" + self.who(7, 7)
        rs485 = b"\x02\0\0\0\0\x06\0\x01\xb2" + self.digits() + bytes(4) + b"\xb3\0\xb4" + self.who(8, 8)
        rs485 = (
            b"NW" + (len(rs485) + 2 + 14 - 1).to_bytes(2) + rs485 + b"\xb5" + b"2101" + b"\0\0\0\0\x68\0\0"
        )
        return [
            (1, bytes(info)),
            (0, module + bytes((sum(module[2:]) & 0xFF,))),
            (0, b"\xdd" + login + (-sum(login[1:]) & 0xFFFF).to_bytes(2) + b"\x77"),
            (1, b"\xdd" + barcode + (-sum(barcode[1:]) & 0xFFFF).to_bytes(2) + b"\x77"),
            (0, written + bytes((sum(written) & 0xFF,))),
            (0, modbus(b"\xd2\x10\0\xc9\0\x03\x06" + self.digits())),
            (1, modbus(b"\xd2\x03\x06" + self.digits())),
            (1, code + bytes((sum(code) & 0xFF,))),
            (1, rs485 + (sum(rs485) & 0xFFFF).to_bytes(2)),
            (0, b"\x55\x20\x99" + self.door(28, 28) + b"\xaa"),
            (0, b"\x55\x20\x98" + self.who(8, 12).ljust(28, b"\0") + b"\xaa"),
            (0, b"\x7e\xa1\x23\x6a\x01\x0c" + self.door(12, 12) + b"\0\0\xaa\x55"),
            (1, b"\r\nPID\t0xA381\r\nSER#\tHQ" + self.who(9, 9) + b"\r\nChecksum\t\x41"),
            (0, b"AT+PIN" + self.digits() + b"\r\n"),
            (0, b'{"ssid":"van","password":"' + self.door() + b'"}'),
            (0, b"\x7e" + b"~200246900000FDAA\r"),
        ]


def modbus(body: bytes) -> bytes:
    return body + CHECKSUMS["CRC-16/MODBUS"].of(body).to_bytes(2, "little")


def acl(pdu: bytes, handle: int = 0x40) -> bytes:
    body = struct.pack("<HH", len(pdu), 4) + pdu
    return b"\x02" + struct.pack("<HH", handle | 0x2000, len(body)) + body


def event(code: int, body: bytes) -> bytes:
    return bytes((4, code, len(body))) + body


def recording(random: Random) -> Recording:
    """Make one up."""
    maker = Maker(random)
    kind = random.choice(list(_KINDS))
    suffix, content = _KINDS[kind](maker)
    return Recording(kind, suffix, content, maker.doors, maker.private)


def _tcp(maker: Maker) -> tuple[str, bytes]:
    random, talk = maker.random, VescSession().open()
    before = random.choice((b"", b"", b"\x02\xff", b"\x03\x01"))
    end = random.choice((b"\n", b"\r\n", b":x\n"))
    role = random.choice((b"VESCTOOL", b"vesctool", b"VESC"))
    talk.send(0, before + role + b":" + maker.letters() + b":" + maker.door() + end)
    talk.ask(ASK_BMS).answer(bms())
    for side, payload in maker.payloads():
        frame = encode_frame(payload)
        cut = random.randint(1, len(frame) - 1)
        torn = random.random() < 0.08
        first = talk.next[side]
        talk.send(side, frame[:cut])
        if not torn:
            talk.send(side, frame[cut:])
            if random.random() < 0.2:
                talk.record(talk.segment(side, 24, frame[cut:], seq=first + cut))
        if random.random() < 0.3:
            talk.ask(ASK_BMS).answer(bms())
    return ".pcap", talk.pcap()


def _udp(maker: Maker) -> tuple[str, bytes]:
    """Return datagrams of a hub's client or of a BMS behind a Wi-Fi module, a frame in one or in two."""
    random = maker.random
    said = maker.frames()
    if random.random() < 0.5:
        said = [(side, encode_frame(payload)) for side, payload in maker.payloads()]
    random.shuffle(said)
    places = [bytes((2, 0, 0, 0, 0, each, 10, 0, 0, each, 0x1F, 0x90)) for each in (1, 2)]
    made = []
    for side, content in said:
        cut = random.choice((len(content), random.randint(1, len(content))))
        for piece in filter(None, (content[:cut], content[cut:])):
            source, target = places[side], places[1 - side]
            datagram = source[10:] + target[10:] + struct.pack(">HH", len(piece) + 8, 0) + piece
            head = (
                struct.pack(">BBHIBBH", 0x45, 0, len(datagram) + 20, 0, 64, 17, 0)
                + source[6:10]
                + target[6:10]
            )
            made.append(target[:6] + source[:6] + b"\x08\0" + head + datagram)
    form = random.choice(("pcap", "pcapng"))
    return f".{form}", _file(form, made, [1] * len(made), [0] * len(made))


def _can(maker: Maker) -> tuple[str, bytes]:
    made = []
    for side, payload in maker.payloads():
        receiver, at = 10 + side, 0
        pieces = []
        while at < len(payload):
            long = at > 0xFF
            head = at.to_bytes(2) if long else bytes((at,))
            piece = payload[at : at + 8 - len(head)]
            pieces.append(((6 if long else 5) << 8 | receiver, head + piece))
            at += len(piece)
        last = b"\x02\x01" + struct.pack(">HH", len(payload), crc16_xmodem(payload))
        pieces.append((7 << 8 | receiver, last))
        if maker.random.random() < 0.1:
            del pieces[maker.random.randrange(len(pieces))]
        made += [struct.pack(">IBxxx", 1 << 31 | number, len(data)) + data for number, data in pieces]
    return ".pcap", _file("pcap", made, [_CAN] * len(made), [0] * len(made))


def _file(form: str, made: list[bytes], links: list[int], directions: list[int]) -> bytes:
    file = io.BytesIO()
    PACKET_FORMATS[form](packets(made, link_types=links, directions=directions), file)
    return file.getvalue()


def _ble(maker: Maker, said: list[tuple[int, bytes]], size: int) -> tuple[str, bytes]:
    """Return notifications and writes, in pieces of at most so many bytes, of a device that advertises."""
    random, address, name = maker.random, maker.address(), maker.who(9, 12)
    advert = bytes((len(name) + 1, 9)) + name
    report = b"\x02\x01\0\0" + address + bytes((len(advert),)) + advert + b"\xc0"
    made = [
        (-1, event(0x3E, report)),
        (-1, event(0x3E, b"\x01\0\x40\0\0\0" + address + bytes(7))),
        (1, acl(b"\x0a\x03\0")),
        (-1, acl(b"\x0b" + maker.who())),
    ]
    for side, content in said:
        prepared = side == 0 and random.random() < 0.15
        for at in range(0, len(content), size):
            piece = content[at : at + size]
            if prepared:
                part = struct.pack("<HH", 0x21, at) + piece
                made += [(1, acl(b"\x16" + part)), (-1, acl(b"\x17" + part))]
            elif side:
                made.append((-1, acl(b"\x1b\x12\0" + piece)))
            else:
                made.append((1, acl(random.choice((b"\x12", b"\x52")) + b"\x21\0" + piece)))
        if prepared:
            made.append((1, acl(b"\x18\1")))
    form = random.choice(("btsnoop", "pcapng"))
    directions = [direction for direction, _ in made]
    return f".{form}", _file(form, [each for _, each in made], [_H4] * len(made), directions)


def _ble_vesc(maker: Maker) -> tuple[str, bytes]:
    said = [(side, encode_frame(payload)) for side, payload in maker.payloads()]
    return _ble(maker, said, maker.random.choice((20, 60, 180)))


def _ble_makers(maker: Maker) -> tuple[str, bytes]:
    said = maker.frames()
    maker.random.shuffle(said)
    return _ble(maker, said, maker.random.choice((20, 100, 180)))


def _ble_unknown(maker: Maker) -> tuple[str, bytes]:
    """Return what an app wrote nobody knows why: texts alone, in frames of its own, in pieces."""
    said: list[tuple[int, bytes]] = []
    for number in range(maker.random.randint(1, 6)):
        name, key = maker.who(), maker.who()
        said += maker.random.choice(
            (
                [(0, name), (0, key)],
                [(0, b"\x11\x07\x04\x0b" + name + key + b"\xba"), (1, b"\x11\x07\x02\xa2\x34")],
                [(0, b"\x01" + bytes((len(name),)) + name + b"\x02" + bytes((len(key),)) + key)],
                [(0, b"AT+CWJAP=" + name + b"," + key + b"\r\n")],
                [(0, bytes((0xF0, number)) + key[:5]), (0, bytes((0xF0, number + 1)) + key[5:])],
            )
        )
    return _ble(maker, said, maker.random.choice((20, 60)))


def _hex_log(maker: Maker, said: list[tuple[int, bytes]]) -> tuple[str, bytes]:
    """Return the text of a log in one of its forms."""
    form = maker.random.choice(("arrows", "assistant", "nrf"))
    device = maker.who().decode()
    lines = []
    if maker.random.random() < 0.5:
        words = maker.random.choice(("Setup passcode", "password", "Wi-Fi key", "hub login VESCTOOL:VAN"))
        lines.append(f"[I][jk_bms_ble:1221]:   {words}: {maker.door().decode()}")
    for number, (side, content) in enumerate(said):
        time = f"12:00:{number % 60:02d}.{number:03d}"
        if form == "arrows":
            lines.append(f"{time} {'<<<' if side else '>>>'} {content.hex(' ')}")
        elif form == "assistant":
            words = "RX BLE data" if side else "TX BLE req #1 (W)"
            lines.append(
                f"2025-01-02 {time} DEBUG (MainThread) [aiobmsble.bms] {device}: {words}: {content.hex(' ')}"
            )
        else:
            value = f"(0x) {content.hex('-').upper()}"
            uuid = "0000ff01-0000-1000-8000-00805f9b34fb"
            what = (
                f"Notification received from {uuid}, value: {value}"
                if side
                else f"Data written to {uuid}, value: {value}"
            )
            lines.append(f"I\t{time}\t{what}")
    if form == "assistant":
        lines.append("2025-01-02 12:01:00 DEBUG (MainThread) [aiobmsble.bms] other: RX BLE data: dd 03 00 77")
    return ".log", "\n".join(lines).encode() + b"\n"


def _text_vesc(maker: Maker) -> tuple[str, bytes]:
    return _hex_log(maker, [(side, encode_frame(payload)) for side, payload in maker.payloads()])


def _text_makers(maker: Maker) -> tuple[str, bytes]:
    said = maker.frames()
    maker.random.shuffle(said)
    return _hex_log(maker, said)


_KINDS = {
    "VESC over TCP": _tcp,
    "datagrams": _udp,
    "VESC on CAN": _can,
    "VESC over BLE": _ble_vesc,
    "BMS apps": _ble_makers,
    "unknown apps": _ble_unknown,
    "VESC in a text log": _text_vesc,
    "BMSs in a text log": _text_makers,
}
