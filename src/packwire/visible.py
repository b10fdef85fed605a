"""Texts of devices, files and strangers made fit for a terminal, and for JSON that is shown on one.

What is not seen can do harm: control characters (C0, C1) reprogram a terminal, others turn the direction of
text, have no width, or end a line.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

#: The version of the records that `record_text` writes; docs/reference/json.md describes them.
RECORD_VERSION: Final = 1

#: Letters by their category, and yet nothing is seen of them: fillers and joiners.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
_BLANKS = re.compile(f"[{_BLANK}]")
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def printable(text: str, *, keep: str = "") -> str:
    """Return text in which each character can be seen; others, but for those to `keep`, are replaced."""
    if text.isprintable() and (text.isascii() or not _BLANKS.search(text)):
        return text
    return "".join(each if _is_seen(each) or each in keep else _REPLACED for each in text)


def json_text(value: Any) -> str:
    """Return a value as JSON on one line, in which all that is not seen is escaped.

    What JSON has no number for (NaN, infinity) is null.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    if text.isprintable() and (text.isascii() or not _BLANKS.search(text)):
        return text
    return "".join(each if _is_seen(each) else escaped(each) for each in text)


def record_text(record: Mapping[str, Any]) -> str:
    """Return a record as JSON on one line: its `kind`, the version of all records, then the rest."""
    return json_text({"kind": record["kind"], "version": RECORD_VERSION, **record})


def _is_seen(character: str) -> bool:
    return character.isprintable() and character not in _BLANK


def escaped(character: str) -> str:
    """Return a character as JSON escapes it."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
    return value
