"""JSON with messages, one object a line: `{"time": 1700000000.25, "dir": "tx", "data": "dda503"}`.

The names are those of the columns of a table (see `hex_table`). The objects may be the elements of a list, a
line of which each is. A Buffer of Node.js holds decimal numbers.
"""

import json
import re

from packwire.capture.formats.hex_table import CAN_NAMES, COLUMNS, row
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "JSON lines"
EXAMPLES = ('{"time": 1700000000.25, "dir": "tx", "data": "dd a5 03"}',)

_OBJECT = re.compile(r"\s*\[?\s*(?P<object>\{.*\})\s*,?\s*\]?\s*")
_CAN_OBJECT = Unread("JSON objects with CAN identifiers, which are not read here")


class Grammar:
    """Takes objects that hold bytes under a known name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

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

        def cell(key: str) -> str:
            return next((_text(names[name]) for name in COLUMNS[key] if _text(names.get(name))), "")

        return row(cell, {}, self._clock, "json") or NO_BYTES


def _text(value: object) -> str:
    """Return a value as a cell of a table would hold it, a Buffer in hex; nothing for what is no cell."""
    if isinstance(value, dict) and value.get("type") == "Buffer" and isinstance(value.get("data"), list):
        numbers = value["data"]
        if all(isinstance(each, int) and 0 <= each <= 0xFF for each in numbers):
            return bytes(numbers).hex(" ")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
