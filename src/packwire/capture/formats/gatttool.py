"""What gatttool and bluetoothctl print: values written, read, and notified.

`Notification handle = 0x000e value: dd 03 00 1b`, `[..][LE]> char-write-req 0x0010 dda50300fffd77`;
bluetoothctl shows a value as a dump below `[CHG] Attribute ..char000d Value:`.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.tokens import hex_bytes

NAME = "gatttool or bluetoothctl output"
EXAMPLES = (
    "Notification handle = 0x000e value: dd 03 00 1b",
    "[02:00:00:00:00:01][LE]> char-write-req 0x0010 dda50300fffd77",
    '[BMS:/service000c/char0010]# write "0xdd 0xa5 0x03 0x00"',
    """\
[CHG] Attribute /org/bluez/hci0/dev_02_00_00_00_00_01/service000c/char000d Value:
  dd 03 00 1b                                      ....""",
)

_HEX = r"(?P<hex>[0-9A-Fa-f]{2}(?: ?[0-9A-Fa-f]{2})*)"
_SHOWN = re.compile(
    rf"(?P<what>Notification|Indication)\s+handle = (?P<handle>0x[0-9a-fA-F]{{4}}) value: {_HEX}\s*"
)
_READ = re.compile(
    rf"(?:handle: (?P<handle>0x[0-9a-fA-F]{{4}})\s+value: |Characteristic value/descriptor: ){_HEX}\s*"
)
_WRITTEN = re.compile(
    r"(?:\[.{0,30}\]\[LE\]>|\$ ?gatttool .*?)? ?-{0,2}char-write-(?:req|cmd)\s+(?:-a ?|--handle[ =])?"
    rf"(?P<handle>0x[0-9a-fA-F]{{1,4}}|[0-9a-fA-F]{{4}})\s+(?:-n ?|--value[ =])?{_HEX}(?:\s+--listen)?\s*"
)
_ATTRIBUTE = re.compile(
    r"(?:.*?\s)?(?:\[[\w:. -]+\][#>] )?(?:\[.{0,12}CHG.{0,12}\] )?"
    r"Attribute \S*?/?(?P<name>char[0-9a-f]{4})\S*"
    r"(?: \([^)]*\))? (?P<what>Value|Written):\s*"
)
#: What somebody typed into bluetoothctl, where decimal numbers would do as well: each byte must have its 0x.
_TYPED = re.compile(
    r"\[(?:[^\]\n]{1,60}:/service[0-9a-f]{4}/(?P<name>char[0-9a-f]{4})|[^\]\n]{1,80})\][#>] ?write "
    r"[\"']?(?P<hex>0x[0-9a-fA-F]{1,2}(?:[ ,]{1,2}0x[0-9a-fA-F]{1,2})*)[\"']?(?: (?:0|0x00)(?: \w+)?)?\s*"
)
_DUMP = re.compile(r" {2}(?P<hex>[0-9a-f]{2}(?: [0-9a-f]{2}){0,15}) {2,}.{1,20}")
#: What bluetoothctl shows as a dump too, of what a device advertises.
_ADVERTISED = re.compile(
    r"(?:.*\s)?(?:ManufacturerData|ServiceData|AdvertisingData|AdvertisingFlags)\b.*:\s*(?:0x[0-9a-f]+)?"
)
_KINDS = {"Notification": "notify", "Indication": "indicate"}
_ROW = 16


class Grammar:
    """Takes the lines of both tools."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attribute: tuple[str, PacketDirection, int] | None = None
        self._joins = False
        self._advertised = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the value that a line shows; None for lines of another form."""
        if self._attribute and (dump := _DUMP.fullmatch(line)):
            return self._dumped(dump["hex"])
        self._attribute = None
        if _ADVERTISED.fullmatch(line):
            self._advertised = True
            return NO_BYTES
        if self._advertised and _DUMP.fullmatch(line):
            return NO_BYTES
        self._advertised = False
        if "]# write " in line or "]> write " in line:
            return self._typed(line)
        if "char" not in line and "Char" not in line and "handle" not in line:
            return None
        head = prefix(line)
        if found := _ATTRIBUTE.fullmatch(line, head.at):
            sent = found["what"] == "Written"
            way = PacketDirection.SENT if sent else PacketDirection.RECEIVED
            channel = f"att {found['name']} {'write' if sent else 'notify'}"
            self._attribute, self._joins = (channel, way, head.when(self._clock)), False
            return NO_BYTES
        if found := _SHOWN.fullmatch(line, head.at):
            return self._row(found, _KINDS[found["what"]], head.when(self._clock))
        if found := _READ.fullmatch(line, head.at):
            return self._row(found, "read", head.when(self._clock))
        if found := _WRITTEN.fullmatch(line, head.at):
            return self._row(found, "write", head.when(self._clock))
        return None

    def _dumped(self, text: str) -> Row:
        channel, way, time = self._attribute or ("", PacketDirection.UNKNOWN, 0)
        row = Row(bytes.fromhex(text), way, channel, time, joins=self._joins)
        self._joins = True
        if len(row.payload) < _ROW:
            self._attribute = None
        return row

    def _typed(self, line: str) -> Row | None:
        found = _TYPED.search(line)
        if found is None or found.end() != len(line):
            return None
        channel = " ".join(filter(None, ("att", found["name"], "write")))
        when = prefix(line).when(self._clock)
        return Row(hex_bytes(found["hex"]) or b"", PacketDirection.SENT, channel, when)

    def _row(self, found: re.Match[str], kind: str, time: int) -> Row:
        handle = f"0x{int(found['handle'], 16):04x}" if found["handle"] else ""
        way = PacketDirection.SENT if kind == "write" else PacketDirection.RECEIVED
        return Row(hex_bytes(found["hex"]) or b"", way, " ".join(filter(None, ("att", handle, kind))), time)
