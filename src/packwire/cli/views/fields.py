"""How the fields of messages look: as text and as JSON."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from packwire.cli.kinds import NamedFrames
from packwire.cli.records.understanding import FieldRecord, Fields
from packwire.insight.draft import LETTERS
from packwire.insight.fields import FieldRole, FoundField
from packwire.insight.texts import TextKind
from packwire.wire.fields import Type

#: So many different frames at least tell something.
_FEW = 3


def type_text(field: FoundField) -> str:
    """Return a field's type as a model writes it: `u16`, `i32`, `f32`, `text`."""
    letters = LETTERS.get(field.type)
    return f"{letters}{8 * field.width // (1 + field.digits)}" if letters else field.type.value


def place_text(at: int, width: int) -> str:
    """Return which bytes these are: `byte 4`, `bytes 4-5`."""
    return f"byte {at}" if width == 1 else f"bytes {at}-{at + width - 1}"


def show(
    console: Console, kinds: Sequence[NamedFrames], found: Sequence[Sequence[FoundField]], *, everything: bool
) -> None:
    """Print the fields of each kind of message; those that change, or all of them."""
    if not kinds:
        console.print("no message comes more than once in this file; `packwire info` says what is in it")
    for each, own in zip(kinds, found, strict=True):
        matrix = each.frames.matrix
        console.print(Text(each.title, style="bold"))
        if each.text is not None:
            _show_text(console, each.text, everything=everything)
            continue
        moving = sum(field.moves for field in own)
        changes = int((matrix[1:] != matrix[:-1]).any(axis=1).sum())
        few = ", too few to tell much" if changes < _FEW - 1 else ""
        console.print(f"  {len(matrix)} messages{few}")
        for field in own:
            if field.moves or everything:
                console.print(f"  {_line(field, each)}")
        if not moving:
            console.print("  nothing changes")
        console.print()


def _show_text(console: Console, text: TextKind, *, everything: bool) -> None:
    console.print(f"  {len(text.numbers)} messages")
    named = "key" if text.keyed else "field"
    for name, column in zip(text.names, text.numbers.T, strict=True):
        low, high = np.nanmin(column), np.nanmax(column)
        if low != high or everything:
            console.print(f"  {named + ' ' + name:13.13} {'decimal':18} {low:.10g} .. {high:.10g}")
    console.print()


def _line(field: FoundField, each: NamedFrames) -> str:
    if field.role is FieldRole.NOISE:
        return f"{place_text(field.at, field.width):13} {'bytes':18} noise: they move as chance does"
    order = f" {field.order}-endian" if field.wide and field.type is not Type.TEXT else ""
    sure = "" if field.confidence is None else f"{round(100 * field.confidence)} %"
    place = place_text(field.at, field.width)
    return f"{place:13} {type_text(field) + order:18} {_words(field, each):34.34} {sure:>5}".rstrip()


def _words(field: FoundField, each: NamedFrames) -> str:
    first = each.frames.matrix[0, field.at : field.end].tobytes()
    if field.role is FieldRole.TEXT:
        return f"text {first.split(bytes(1))[0].decode('ascii', 'replace')!r}"
    if field.role in {FieldRole.KIND, FieldRole.CONSTANT}:
        return f"{field.role.value} {first.hex(' ')}"
    if field.of is not None:
        return f"checksum: {field.of.name} from {field.of.begin}"
    values = field.values(each.frames.matrix)
    shown = "g" if field.type is Type.FLOAT else "d"
    if field.role is FieldRole.STATES:
        seen = sorted({int(value) for value in values})
        return f"states {' '.join(str(value) for value in seen)}"
    return f"{field.role.value} {values.min():{shown}} .. {values.max():{shown}}"


def record(each: NamedFrames, own: Sequence[FoundField]) -> Fields:
    """Return the fields of a kind of message as a JSON object."""
    return {
        "kind": "fields",
        "channel": str(each.kind.lane[1]),
        "header": each.kind.header.hex(),
        "asked": each.kind.asked.hex(),
        "size": int(each.frames.matrix.shape[1]),
        "count": len(each.frames.matrix),
        "fields": [_record(field, each) for field in own] or list(_written(each)),
    }


def _written(each: NamedFrames) -> Iterator[FieldRecord]:
    for at, (name, column) in enumerate(
        zip(each.text.names, each.text.numbers.T, strict=True) if each.text is not None else ()
    ):
        yield {
            "at": at,
            "key": name,
            "width": 0,
            "type": "decimal",
            "order": None,
            "role": (
                FieldRole.CONSTANT if np.nanmin(column) == np.nanmax(column) else FieldRole.NUMBER
            ).value,
            "confidence": None,
            "low": float(np.nanmin(column)),
            "high": float(np.nanmax(column)),
        }


def _record(field: FoundField, each: NamedFrames) -> FieldRecord:
    values = field.values(each.frames.matrix) if field.type.numeric else None
    return {
        "at": field.at,
        "key": None,
        "width": field.width,
        "type": field.type.value,
        "order": ("little" if field.order == "little" else "big")
        if field.wide and field.type.numeric
        else None,
        "role": field.role.value,
        "confidence": None if field.confidence is None else round(field.confidence, 3),
        "low": None if values is None else float(values.min()),
        "high": None if values is None else float(values.max()),
    }
