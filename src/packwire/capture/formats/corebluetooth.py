"""Values as iOS and macOS print them: `<03000000 a296ce41>`, in the logs of apps that use Core Bluetooth.

Such as `10:25:15.2330: received update from characteristic FF01___FF00: <03000000 a296ce41>`, and
`{length = 12, bytes = 0x03000000 a296ce41}` of newer versions.
"""

import re

from packwire.att import short_uuid
from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.prefix import prefix

NAME = "Core Bluetooth log"
EXAMPLES = (
    "10:25:15.2330: received update from characteristic FF01___FF00: <03000000 a296ce41>",
    "10:25:16.1000: wrote value to characteristic FF02___FF00: <dda50300 fffd77>",
    "2026-01-02 10:25:16.100 App[123:456] didUpdateValueFor FF01: {length = 6, bytes = 0x03000000 a296}",
)

_GROUPS = r"[0-9a-fA-F]{8}(?: [0-9a-fA-F]{8})*(?: (?:[0-9a-fA-F]{2}){1,3})?|(?:[0-9a-fA-F]{2}){1,512}"
_VALUE = re.compile(
    rf"<(?P<angle>{_GROUPS})>|\{{length ?= ?(?P<length>\d+), bytes ?= ?0x(?P<bytes>[0-9a-fA-F ]+)"
    r"(?P<cut>(?: ?\.\.\. ?[0-9a-fA-F ]+)?)\}"
)
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{4}"
_CHARACTERISTIC = re.compile(
    rf"(?<![\w+-])(?P<uuid>{_UUID})(?![\w-]|_(?!__))|(?<![\w+-])(?P<pair>{_UUID})___"
)
_SENT = re.compile(r"\b(?:writ\w*|wrote|sen[dt]\w*|tx)\b", re.IGNORECASE)
_RECEIVED = re.compile(r"\b(?:receiv\w*|didUpdateValue\w*|notif\w*|rx|read|update\w*)\b", re.IGNORECASE)
_SHORT_RUN = len("03000000")
_SHORT = Unread("values that Core Bluetooth shows in part", damaged=True)


class Grammar:
    """Takes lines with values in Core Bluetooth's form, behind words that say which way they went."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the value that a line shows; None for lines of another form."""
        if not line.endswith((">", "}")):
            return None
        value = _VALUE.search(line)
        if value is None or value.end() != len(line):
            return None
        head = prefix(line)
        words = line[head.at : value.start()]
        if (
            value["angle"]
            and len(value["angle"]) <= _SHORT_RUN
            and not head.time
            and "haracteristic" not in words
        ):
            return None  # a name or a number as well
        to, back = _SENT.search(words), _RECEIVED.search(words)
        if not to and not back:
            return None
        payload = bytes.fromhex((value["angle"] or value["bytes"]).replace(" ", ""))
        if value["cut"] or (value["length"] and int(value["length"]) != len(payload)):
            return _SHORT
        sent = bool(to and not (back and back.start() < to.start()))
        named = _CHARACTERISTIC.search(words)
        uuid = short_uuid(named["uuid"] or named["pair"]) if named else ""
        channel = " ".join(filter(None, ("att", uuid, "write" if sent else "notify")))
        way = PacketDirection.SENT if sent else PacketDirection.RECEIVED
        return Row(payload, way, channel, head.when(self._clock))
