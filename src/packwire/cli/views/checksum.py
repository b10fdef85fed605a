"""How checksums that were found look: as text and as JSON."""

from collections.abc import Callable, Iterator, Sequence

from packwire.cli.records.understanding import ChecksumRecord
from packwire.insight.checksum_search import Finding
from packwire.wire.checksum import ChecksumKind

#: So many ties are listed; the rest is counted.
_LISTED = 5


def lines(findings: Sequence[Finding], chance_text: Callable[[float], str]) -> Iterator[str]:
    """Yield the lines that say what was found, the simplest first, or that nothing was."""
    if not findings:
        yield "no checksum found: there is none, or too few messages differ to tell"
        return
    first = findings[0]
    yield f"{_text(first)}"
    missed = f", right in {first.right} of {first.total}" if first.right < first.total else ""
    yield f"  {chance_text(first.chance)}{missed}"
    if len(findings) > 1:
        more = len(findings) - 1
        yield f"  {more} other{'s explain' if more > 1 else ' explains'} these messages equally well:"
        for each in findings[1 : 1 + _LISTED]:
            yield f"    {_text(each)}"
        if more > _LISTED:
            yield f"    and {more - _LISTED} more; --json lists all"


def _text(found: Finding) -> str:
    place = found.place
    order = "" if found.checksum.size == 1 else f" {'little' if place.little else 'big'}-endian"
    end = (
        "the end" if place.end is None else f"byte {place.end}" if place.end < 0 else f"byte {place.end - 1}"
    )
    up_to = "right before it" if place.end == place.at else f"up to {end}"
    return f"{found.name}{order} at byte {place.at}, over bytes from {place.begin} {up_to}"


def record(title: str, findings: Sequence[Finding], found: Finding) -> ChecksumRecord:
    """Return one finding as a JSON object."""
    place, entry = found.place, found.checksum
    return {
        "kind": "checksum",
        "messages": title,
        "name": entry.name,
        "bits": entry.bits,
        "polynomial": entry.poly if entry.kind is ChecksumKind.CRC else None,
        "begins": place.begin,
        "ends": place.end,
        "at": place.at,
        "order": None if entry.size == 1 else "little" if place.little else "big",
        "right": found.right,
        "total": found.total,
        "ties": len(findings),
        "chance": found.chance,
    }
