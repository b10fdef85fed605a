"""The objects of a JSON text, one by one: of an array, or one after the other (as in lines)."""

import codecs
import json
from collections.abc import Iterator
from typing import Any

from packwire.messages import Bytes

#: A longer object ends the reading: a packet of 64 KiB, taken apart, has far less.
MAX_OBJECT = 8 << 20
_STEP = 1 << 20
_BETWEEN = " \t\r\n,[]\ufeff"


def objects(data: Bytes, damage: list[str]) -> Iterator[dict[str, Any]]:
    """Yield each object; what ends the reading early is added to `damage`. Numbers are texts.

    Where a key occurs several times in an object, its values are in a list.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    texts = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str, strict=False)
    scan = texts.raw_decode
    text, at, read = "", 0, 0
    while True:
        while at < len(text) and text[at] in _BETWEEN:
            at += 1
        try:
            found, at = scan(text, at) if at < len(text) else (None, at)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield found
            continue
        rest = len(text) - at
        if read >= len(data) or rest > MAX_OBJECT or found is not None:
            if rest:
                damage.append(f"the JSON is damaged or cut off {rest} characters before its end")
            return
        # At least as much again as there is: a long object is not looked at too often.
        size = max(_STEP, rest)
        text = text[at:] + decoder.decode(data[read : read + size].tobytes(), final=read + size >= len(data))
        at, read = 0, read + size


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        several: dict[str, list[Any]] = {}
        for key, value in pairs:
            several.setdefault(key, []).append(value)
        result = {key: values if len(values) > 1 else values[0] for key, values in several.items()}
    return result
