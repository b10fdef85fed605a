"""How places look where a noted value may be: as text and as JSON."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from packwire.cli.kinds import NamedFrames, chance_text
from packwire.cli.records.understanding import FoundValue
from packwire.cli.views.fields import place_text
from packwire.insight.draft import LETTERS
from packwire.insight.matches import MOST_CHANCE, Match, Noted

#: So many places of a value are listed, unless all are asked for.
_LISTED = 4


def show(
    console: Console, found: Sequence[Noted], kinds: Sequence[NamedFrames], remark: str, *, everything: bool
) -> None:
    """Print for each value where it may be, the likeliest place first."""
    if remark:
        console.print(remark)
    for each in found:
        console.print(Text.assemble((each.name, "bold"), f"  {each.noted}"))
        shown = each.matches if everything else each.listed[:_LISTED]
        if not each.matches:
            console.print("  nowhere: no number fits all that was noted")
        elif each.matches[0].chance > MOST_CHANCE:
            console.print("  nothing that chance would not do as well; note it at more times. It may be:")
        elif each.ties > 1:
            console.print(f"  {each.ties} places fit equally well; no frame here tells them apart")
        for one in shown:
            for line in _lines(one, kinds):
                console.print(f"  {line}")
        if len(each.matches) > len(shown):
            console.print(f"  {len(each.matches) - len(shown)} more, less likely; --all lists them")


def _lines(one: Match, kinds: Sequence[NamedFrames]) -> Iterator[str]:
    field, at, width = one.field, one.field.at or 0, one.field.width or 1
    text = kinds[one.kind].text
    scale = "" if field.scale == 1 else f", x {field.scale:g}"
    addend = "" if not field.addend else f", {field.addend:+g}"
    reads = f"{one.low:.10g} .. {one.high:.10g}" if one.moves else f"always {one.low:.10g}"
    if text is not None:
        first, last = text.names[at], text.names[at + one.count - 1]
        named = "key" if text.keyed else "field"
        place = f"{named} {first}" if one.count == 1 else f"{named}s {first} to {last}"
        yield f"{kinds[one.kind].name}, {place}, decimal{scale}{addend}"
        yield f"  reads {reads}; {chance_text(one.chance)}"
        return
    whole = width * one.count
    place = place_text(at, whole)
    order = "" if width == 1 else f" {'little' if one.little else 'big'}-endian"
    many = f"{one.count} x " if one.count > 1 else ""
    read_as = f"{many}{LETTERS[field.type]}{8 * width}{order}{scale}{addend}"
    digits = " of what its digits say" if kinds[one.kind].digits is not None else ""
    yield f"kind {kinds[one.kind].name}, {place}{digits}, {read_as}"
    yield f"  reads {reads}; {chance_text(one.chance)}"


def records(found: Noted, kinds: Sequence[NamedFrames]) -> Iterator[FoundValue]:
    """Yield the places of a value as JSON objects."""
    for one in found.matches:
        each = kinds[one.kind]
        width = one.field.width or 1
        yield {
            "kind": "found",
            "name": found.name,
            "notes": [note.text for note in found.observations],
            "channel": str(each.kind.lane[1]),
            "header": each.kind.header.hex(),
            "size": int(each.frames.matrix.shape[1]),
            "at": one.field.at or 0,
            "key": each.text.names[one.field.at or 0] if each.text is not None else None,
            "digits": each.digits is not None,
            "width": width,
            "type": one.field.type.value,
            "order": None if width == 1 else "little" if one.little else "big",
            "scale": one.field.scale,
            "addend": one.field.addend,
            "count": one.count,
            "low": one.low,
            "high": one.high,
            "moves": one.moves,
            "ties": found.ties,
            "chance": min(one.chance, 1.0),
        }
