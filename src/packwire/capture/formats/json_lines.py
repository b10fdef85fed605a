"""JSON with messages, one object a line: `{"time": 1700000000.25, "dir": "tx", "data": "dda503"}`.

The names are those of the columns of a table (see `hex_table`). The objects may be the elements of a list, a
line of which each is. A Buffer of Node.js holds decimal numbers. Base64 is read where the name says it
(`base64`) and there is a time or a direction, or where checksums confirm it.
"""

import json
import re
from collections.abc import Callable

from packwire.capture.formats.hex_table import CAN_NAMES, COLUMNS, row
from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.confirmed import Confirming, encoded
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "JSON lines"
EXAMPLES = (
    '{"time": 1700000000.25, "dir": "tx", "data": "dd a5 03"}',
    '{"time": 1700000000.25, "dir": "tx", "base64": "3aUDAP/9dw=="}',
)

_OBJECT = re.compile(r"\s*\[?\s*(?P<object>\{.*\})\s*,?\s*\]?\s*")
#: What is in base64 by its name.
_ENCODED = ("base64", "b64", "data_base64", "payload_base64", "value_base64", "base64value")
#: What Home Assistant shows of a device that is heard: its `raw` is the advertisement.
_OF_ADVERTISEMENTS = frozenset(
    ("manufacturer_data", "service_uuids", "advertisement_data", "manufacturerdata")
)
_ADVERTISEMENT = Unread("JSON objects with what a device advertises, which is no message")
_CAN_OBJECT = Unread("JSON objects with CAN identifiers, which are not read here")


class Grammar:
    """Takes objects that hold bytes under a known name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._confirming = Confirming()

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of an object; None for lines of another form."""
        found = _OBJECT.fullmatch(line) if line.lstrip()[:1] in {"{", "["} else None
        if found is None:
            return None
        try:
            content = json.loads(found["object"])
        except (ValueError, RecursionError):
            return None
        names = {name.lower(): value for name, value in content.items()}
        if CAN_NAMES & names.keys() or ("id" in names and "dlc" in names):
            return _CAN_OBJECT
        if _OF_ADVERTISEMENTS & names.keys():
            return _ADVERTISEMENT

        def cell(key: str) -> str:
            return next((_text(names[name]) for name in COLUMNS[key] if _text(names.get(name))), "")

        return row(cell, {}, self._clock, "json") or self._encoded(names, cell) or NO_BYTES

    def _encoded(self, names: dict[str, object], cell: Callable[[str], str]) -> Row | None:
        """Return the message of an object whose bytes are in base64."""
        named = next((_text(names[name]) for name in _ENCODED if _text(names.get(name))), "")
        text = named or cell("hex")
        payload = found[0] if (found := encoded(text, 0)) and found[1] == len(text) else None
        if not isinstance(payload, bytes):
            return None
        taken = row(
            lambda key: payload.hex(" ") if key == "hex" else cell(key), {}, self._clock, "json base64"
        )
        if taken is None:
            return None
        # By its name alone it may be a picture, or a password.
        recorded = taken.time != NO_TIME or taken.direction is not PacketDirection.UNKNOWN
        return taken._replace(doubt="") if named and recorded else self._confirming.settle(taken)


def _text(value: object) -> str:
    """Return a value as a cell of a table would hold it, a Buffer in hex; nothing for what is no cell."""
    if isinstance(value, dict) and value.get("type") == "Buffer" and isinstance(value.get("data"), list):
        numbers = value["data"]
        if all(isinstance(each, int) and 0 <= each <= 0xFF for each in numbers):
            return bytes(numbers).hex(" ")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
