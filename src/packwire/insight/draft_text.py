"""A model file of a device that writes keys and values in decimal, as far as the form of a model has words.

It has them for blocks of lines of a key, a tab and a whole number, closed by a checksum, as VE.Direct is.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from packwire.insight.draft import DraftLinks, field_name, is_placed, link_lines, quantity_of
from packwire.insight.matches import Noted
from packwire.insight.texts import TextKind

_TAB, _LINE = b"\t", b"\r\n"
#: So many different blocks have a right checksum.
_CHECKED = 3


def draft_text(
    name: str,
    kinds: Sequence[TextKind],
    found: Sequence[Noted],
    stream: bytes,
    links: DraftLinks,
    remarks: Sequence[str] = (),
) -> str:
    """Return a model file; `stream` is what the device sent. Raises ValueError: what a model cannot say."""
    kind = kinds[0]
    if not kind.keyed:
        separator = kind.separator.decode("ascii", "replace")
        raise ValueError(
            f"these are lines of fields between {separator!r}, and a model has no words for them yet: it "
            "names a field by its byte or its key, not by its number in a line. `packwire find` says which "
            "fields the noted values are"
        )
    begins = _LINE + kind.begins + kind.separator
    blocks = [begins + each for each in stream.split(begins)[1:-1]]
    last = blocks[0].rpartition(_LINE)[2].partition(_TAB)[0] if blocks else b""
    until = _LINE + last + _TAB
    summed = {each for each in blocks if each[:-1].endswith(until) and sum(each) % 256 == 0}
    if kind.separator != _TAB or len(summed) < min(_CHECKED, len(blocks)) or not summed:
        raise ValueError(
            "these are keys and values, of which a model has words for one form alone: a key, a tab and a "
            "whole number a line, the last line a checksum that makes the sum of all bytes 0 (VE.Direct). "
            "`packwire find` says which keys the noted values are"
        )
    first = "A draft: read it, mend it, then `packwire read ADDRESS?model=FILE`."
    lines = [f"# {each}" for each in (first, *remarks)]
    lines += ["packwire: 1", f"name: {name}", f"title: {name}", "order: big", *link_lines(links)]
    lines += [
        f"framings:  # {len(summed)} different blocks with right checksums",
        f'  - start: "{begins.hex(" ")}"',
        f'    until: "{until.hex(" ")}"',
        "    checksum: {name: sum8 negated, to: -1, at: -1}",
        "replies:",
        f"  block:  # {len(kind.numbers)} messages",
        f'    begins: "{begins.hex(" ")}"',
        "    unasked: true",
        "    fields:",
    ]
    lines += [f"      - {line}" for line in _fields(kind, found)]
    return "\n".join(lines) + "\n"


def _fields(kind: TextKind, found: Sequence[Noted]) -> Iterator[str]:
    noted: dict[str, str] = {}
    said: set[str] = set()
    for each in found:
        if not is_placed(each) or each.matches[0].kind or each.matches[0].count > 1:
            continue
        match = each.matches[0]
        key = kind.names[match.field.at or 0]
        scale = "" if match.field.scale == 1 else f", scale: {match.field.scale:g}"
        addend = "" if not match.field.addend else f", addend: {match.field.addend:g}"
        quantity = quantity_of(each.observations[0])
        known = f", quantity: {quantity}" if quantity and quantity not in said else ""
        said.add(quantity)
        chance = f"noted {each.noted[:60]}; by chance: {match.chance:.0e}"
        noted[key] = f"{{name: {field_name(each.name)}, key: {key}{scale}{addend}{known}}}  # {chance}"
    used = {line.partition(",")[0] for line in noted.values()}
    for key, column in zip(kind.names, kind.numbers.T, strict=True):
        if key in noted:
            yield noted[key]
            continue
        name = field_name(f"key_{key}")
        low, high = np.nanmin(column), np.nanmax(column)
        if f"{{name: {name}" not in used:
            used.add(f"{{name: {name}")
            yield f'{{name: {name}, key: "{key}"}}  # {low:.10g} .. {high:.10g}'
