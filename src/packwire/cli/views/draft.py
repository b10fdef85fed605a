"""How a draft of a model looks as JSON."""

from collections.abc import Sequence
from pathlib import Path

from packwire.cli.records.understanding import DraftedKind, DraftedValue, DraftRecord
from packwire.cli.views import alike
from packwire.insight.draft import DraftKind, begins_text, is_placed
from packwire.insight.likeness import Likeness
from packwire.insight.matches import Noted


def record(
    name: str,
    out: Path | None,
    text: str,
    kinds: Sequence[DraftKind],
    found: Sequence[Noted],
    remarks: Sequence[str],
    like: Sequence[Likeness],
) -> DraftRecord:
    """Return a draft as a JSON object."""
    return {
        "kind": "draft",
        "name": name,
        "file": None if out is None else str(out),
        "model": text,
        "kinds": [_kind(each) for each in kinds],
        "noted": [_noted(each) for each in found],
        "remarks": list(remarks),
        "alike": [alike.record(each) for each in like],
    }


def _kind(each: DraftKind) -> DraftedKind:
    return {
        "begins": begins_text(each),
        "size": int(each.frames.matrix.shape[1]),
        "count": len(each.frames.matrix),
        "request": each.request.hex(" ") or None,
    }


def _noted(each: Noted) -> DraftedValue:
    return {
        "name": each.name,
        "notes": [note.text for note in each.observations],
        "placed": is_placed(each),
        "ties": each.ties,
        "chance": min(each.matches[0].chance, 1.0) if each.matches else None,
    }
