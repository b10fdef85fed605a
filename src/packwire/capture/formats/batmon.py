"""Verbose logs of batmon and other programs on bleak: values that BlueZ announced, and a program's own lines.

What bleak's examples print of a notification is `Vendor specific: bytearray(b'..')`, with the characteristic
before it or not.

`received D-Bus signal: .. PropertiesChanged (..char0011): [.., {'Value': <.. bytearray(b'..'))>}, []]`, and
`bms msg(128) (buf278): 29 cd 0 0 7f ..`, whose numbers have no leading zeros. Where both show one value, it
is taken once.
"""

import re

from packwire.att import short_uuid
from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.tokens import LITERAL, literal_bytes

NAME = "batmon or bleak log"
EXAMPLES = (
    (
        "18:15:18 DEBUG [manager] received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged"
        " (/org/bluez/hci0/dev_02_00_00_00_00_01/service000e/char0011): ['org.bluez.GattCharacteristic1',"
        r" {'Value': <dbus_fast.signature.Variant ('ay', bytearray(b'\xdd\x03'))>}, []]"
    ),
    "18:15:18 DEBUG [jikong] bms msg(5) (buf278): 29 cd 0 0 7f",
    r"0000ff01-0000-1000-8000-00805f9b34fb (Handle: 15): Vendor specific: bytearray(b'\xdd\x03\x00')",
)

_SIGNAL = re.compile(
    r"received D-Bus signal: \S*PropertiesChanged"
    r" \(\S*?dev_(?P<device>[0-9A-F_]{17})/\S*?(?P<name>char[0-9a-f]{4})\):"
    rf" .*?'Value': <.*?(?P<literal>{LITERAL})\)?>.*"
)
_OWN = re.compile(
    r"(?:bms msg|bms_cmd|cmd|send|recv)\s?\((?P<count>\d{1,4})\)(?: \(\w+\))*:"
    r" (?P<hex>[0-9a-f]{1,2}(?: [0-9a-f]{1,2})*)"
)
_PRINTED = re.compile(
    r"(?:(?P<uuid>[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}) \(Handle: \d{1,5}\): )?"
    rf"(?:Unknown|Vendor specific|Nordic UART [TR]X): (?=bytearray\()(?P<literal>{LITERAL})\s*"
)
_SHORT = Unread("messages that are shorter than the line says", damaged=True)


class Grammar:
    """Takes these kinds of lines."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = b""

    def take(self, line: str) -> Row | Unread | None:
        """Return the value that a line shows; None for lines of another form."""
        if "D-Bus signal" not in line and "(" not in line:
            return None
        head = prefix(line)
        at = head.at
        if again := prefix(line[at:]).at if "]: " in line[:at] or head.time[:1].isalpha() else 0:
            head, at = prefix(line[at:]), at + again
        if signal := _SIGNAL.fullmatch(line, at):
            self._last = literal_bytes(signal["literal"]) or b""
            device = signal["device"].replace("_", ":")
            way = PacketDirection.RECEIVED
            return Row(self._last, way, f"att {signal['name']} notify", head.when(self._clock), device=device)
        if printed := _PRINTED.fullmatch(line, at):
            payload = literal_bytes(printed["literal"]) or b""
            name = short_uuid(printed["uuid"]) if printed["uuid"] else ""
            channel = " ".join(filter(None, ("att", name, "notify")))
            return Row(payload, PacketDirection.RECEIVED, channel, head.when(self._clock))
        own = _OWN.fullmatch(line, at)
        if not own:
            return None
        payload = bytes(int(each, 16) for each in own["hex"].split())
        if len(payload) != int(own["count"]):
            return _SHORT
        if payload == self._last:
            self._last = b""
            return NO_BYTES
        way = PacketDirection.SENT if "c" in line[at : own.start("count")] else PacketDirection.RECEIVED
        return Row(payload, way, "att notify", head.when(self._clock))
