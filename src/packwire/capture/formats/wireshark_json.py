"""Wireshark's JSON (`tshark -T json`, `-T ek`, Export Packet Dissections): ATT values, RFCOMM, TCP, CAN.

With the packets' bytes in it (-x) they are read as packets. Otherwise what Wireshark took apart is used:
`btatt.value` with opcode and handle, `btspp.data`, `tcp.payload`, CAN frames.
"""

import ipaddress
import re
import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from packwire.att import Opcode, short_uuid
from packwire.capture.links import of_wiretap
from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN, NO_TIME, PacketDirection, Packets
from packwire.capture.text.can import can_frame, error_frame
from packwire.capture.text.clock import seconds
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.json_stream import objects
from packwire.capture.text.table import MAX_ROWS, Table
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "Wireshark JSON"

_RAW_IP = 101
_BEGINNING = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\[?\s*\{\s*"(?:_index"\s*:.*"_source"|_source"|index"\s*:\s*\{.*"layers"|timestamp"\s*:.*"layers")',
    re.DOTALL,
)
_WAYS = {"0": PacketDirection.SENT, "1": PacketDirection.RECEIVED}
_KNOWN_VALUE = Unread("ATT values that Wireshark shows only taken apart (-x adds their bytes)")
_NO_DATA = Unread("packets without data of an application")
_BAD = Unread("packets whose fields cannot be read", damaged=True)


def matches(head: bytes) -> bool:
    """Tell whether this is a list of packets, or the first of those that stand in lines."""
    return _BEGINNING.match(head) is not None


def read(data: Bytes) -> Packets:
    """Find the packets' data. Raises BadFileError where there is none."""
    table = Table()
    number = 0
    for each in objects(data, table.damage):
        source = each.get("_source", each)
        layers = source.get("layers") if isinstance(source, dict) else None
        if not isinstance(layers, dict):
            continue
        number += 1
        if len(table) >= MAX_ROWS:
            table.damage.append(f"more than {MAX_ROWS} messages: what follows packet {number} is left out")
            break
        packet = _Packet(layers)
        outcomes = list(_rows(packet)) or [_NO_DATA]
        for outcome in outcomes:
            if isinstance(outcome, Row):
                table.add(outcome, number, packet.shown)
            else:
                table.count(outcome, number, packet.shown)
    if not len(table):
        raise BadFileError(
            "this Wireshark JSON has no ATT value, no RFCOMM, TCP or CAN data in it: export it with the"
            " packets' bytes (tshark -T json -x), or give the capture itself"
        )
    return table.packets(NAME)


class _Packet:
    """The layers of one packet; values are found by Wireshark's names of fields."""

    def __init__(self, layers: dict[str, Any]) -> None:
        self.layers = layers
        frame = self.all("frame")[0] if self.all("frame") else {}
        self.time = _time(field(frame, "frame.time_epoch"))
        self.shown = field(frame, "frame.protocols")
        self.encapsulation = _number(field(frame, "frame.encap_type"))
        way = field(frame, "frame.p2p_dir")
        for layer in self.all("hci_h4"):
            way = str(_number(field(layer, "hci_h4.direction")))
        self.way = _WAYS.get(way, PacketDirection.UNKNOWN)

    def all(self, layer: str) -> list[dict[str, Any]]:
        """Return all layers of a protocol: a packet may hold several."""
        found = self.layers.get(layer)
        if found is None and any(name.startswith(f"{layer}.") for name in self.layers):
            # Single fields, chosen with -e, stand in no layer.
            found = self.layers
        return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]

    def raw(self) -> bytes | None:
        """Return the packet's bytes, where they are in it."""
        found = self.layers.get("frame_raw")
        return _bytes(found[0] if isinstance(found, list) and found else found)


def field(layer: dict[str, Any], name: str) -> str:
    """Return a field's value (the first of several) in the form of -T json or -T ek; empty: it is not there.

    The fields below a field are in its tree.
    """
    other = f"{name.split('.', maxsplit=1)[0]}.{name}".replace(".", "_")
    for _ in range(4):
        found = layer.get(name, layer.get(other))
        while isinstance(found, list):
            found = found[0] if found else None
        if isinstance(found, str | bool):
            return str(int(found)) if isinstance(found, bool) else found
        trees = [value for value in layer.values() if isinstance(value, dict)]
        layer = {key: value for tree in trees for key, value in tree.items()}
    return ""


def _rows(packet: _Packet) -> Iterator[Row | Unread]:
    raw = packet.raw()
    link_type = of_wiretap(packet.encapsulation)
    if raw is not None and link_type is not None:
        yield Row(raw, packet.way, "", packet.time, link_type)
        return
    for layer in packet.all("btatt"):
        if found := _att(packet, layer):
            yield found
    for layer in packet.all("btspp"):
        data = _bytes(field(layer, "btspp.data"))
        if data:
            # The one that has no role in these captures is the phone or computer that made them.
            yield Row(data, packet.way, "rfcomm", packet.time)
    for layer in packet.all("tcp"):
        yield _tcp(packet, layer)
    for layer in [*packet.all("can"), *packet.all("canfd")]:
        yield _can(packet, layer)


def _att(packet: _Packet, layer: dict[str, Any]) -> Row | Unread | None:
    """Return the value of an ATT PDU, on a channel of the name that it has elsewhere."""
    from packwire.capture.layers.att import FROM_CLIENT, VALUES  # noqa: PLC0415

    code = _number(field(layer, "btatt.opcode"))
    kind = VALUES.get(Opcode(code)) if code in VALUES else None
    if kind is None:
        return NO_BYTES
    data = _bytes(field(layer, "btatt.value"))
    if data is None and (number := _number(field(layer, "btatt.characteristic_configuration_client"))) >= 0:
        data = number.to_bytes(8, "little")[:2]
    if data is None:
        return _KNOWN_VALUE
    handle = _number(field(layer, "btatt.handle"))
    sent = int(FROM_CLIENT[code]) > 0
    uuid = _uuid(field(layer, "btatt.uuid16"), field(layer, "btatt.uuid128"))
    # The phone's own service: it is the server, and what a client writes to it is received.
    own = packet.way != PacketDirection.UNKNOWN and (packet.way == PacketDirection.SENT) != sent
    words = ["att", f"0x{handle:04x}" if handle >= 0 else "0x????", uuid, kind, "of the app" if own else ""]
    way = PacketDirection.SENT if sent else PacketDirection.RECEIVED
    peers = [field(each, f"bthci_acl.{'dst' if sent else 'src'}.bd_addr") for each in packet.all("bthci_acl")]
    device = next((each for each in peers if each.strip("0:")), "")
    return Row(data, way, " ".join(filter(None, words)), packet.time, device=device)


def _uuid(short: str, long: str) -> str:
    """Return a characteristic's UUID in the usual form; Wireshark writes 16 bits as a number or bare hex."""
    digits = long.replace(":", "").replace("-", "")
    if len(digits) == 32:
        return short_uuid("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))
    number = int(short, 16) if re.fullmatch(r"[0-9a-fA-F]{4}", short) else _number(short)
    return f"{number:04x}" if 0 < number <= 0xFFFF else ""


def _tcp(packet: _Packet, layer: dict[str, Any]) -> Row | Unread:
    """Return the segment in an IP packet, with what Wireshark shows of its headers."""
    data = _bytes(field(layer, "tcp.payload")) or b""
    ports = [_number(field(layer, f"tcp.{name}port")) for name in ("src", "dst")]
    sequence, answer = (
        _number(field(layer, f"tcp.{name}_raw") or field(layer, f"tcp.{name}")) for name in ("seq", "ack")
    )
    flags = _number(field(layer, "tcp.flags"))
    if not all(0 <= port <= 0xFFFF for port in ports) or not 0 <= sequence < 1 << 32 or flags < 0:
        return _BAD
    if len(data) != max(0, _number(field(layer, "tcp.len") or str(len(data)))):
        return _BAD
    answer = max(0, answer) & 0xFFFF_FFFF
    segment = struct.pack(">HHIIBBHHH", *ports, sequence, answer, 0x50, flags & 0xFF, 0xFFFF, 0, 0) + data
    try:
        for layer_name, wide in (("ip", False), ("ipv6", True)):
            for ip in packet.all(layer_name):
                ends = [
                    ipaddress.ip_address(field(ip, f"{layer_name}.{name}")).packed for name in ("src", "dst")
                ]
                if wide:
                    head = struct.pack(">IHBB", 6 << 28, len(segment), 6, 64)
                else:
                    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0)
                return Row(head + ends[0] + ends[1] + segment, packet.way, "", packet.time, _RAW_IP)
    except (ValueError, struct.error):
        return _BAD
    return _BAD


def _can(packet: _Packet, layer: dict[str, Any]) -> Row | Unread:
    identifier = _number(field(layer, "can.id"))
    flags = {
        name: field(layer, f"can.flags.{name}") in {"1", "true", "True"} for name in ("xtd", "rtr", "err")
    }
    if flags["err"]:
        return Row(error_frame(), packet.way, "can", packet.time, LINKTYPE_CAN_SOCKETCAN)
    data = b"" if flags["rtr"] else next(
        (each for each in (_bytes(field(other, "data.data")) for other in packet.all("data")) if each), b""
    )  # fmt: skip
    size = _number(field(layer, "can.len"))
    if identifier < 0 or (not flags["rtr"] and size != len(data)):
        return _BAD
    frame = can_frame(
        identifier,
        data,
        extended=flags["xtd"],
        remote=flags["rtr"],
        fd=4 if packet.all("canfd") or size > 8 else 0,
    )
    if frame is None:
        return _BAD
    return Row(frame, packet.way, "can", packet.time, LINKTYPE_CAN_SOCKETCAN)


def _time(text: str) -> int:
    """Return the ns of a time since 1970, in seconds or, from Wireshark 4.2 on in -T ek, as a date."""
    time = seconds(text)
    if time != NO_TIME or not text:
        return time
    whole, _, fraction = text.rstrip("Z").partition(".")
    try:
        return int(datetime.fromisoformat(f"{whole}+00:00").timestamp()) * 1_000_000_000 + int(
            fraction.ljust(9, "0") or 0
        )
    except ValueError:
        return NO_TIME


def _number(text: str) -> int:
    """Return a number that is written in decimal or with 0x, -1 for another text."""
    try:
        return int(text[:20], 16 if text[:2] == "0x" else 10)
    except ValueError:
        return -1


def _bytes(text: object) -> bytes | None:
    """Return the bytes of `dd:a5:03` or `dda503`, None for another text."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return None
